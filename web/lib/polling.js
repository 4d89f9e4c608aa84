// Polls while a view is shown: each second, and less and less often while it fails.

const PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/**
 * @param {(signal: AbortSignal) => Promise<void>} poll Called at once, and again and again.
 * @param {(error: unknown) => void} report Called after each poll, with null when it succeeded.
 * @returns {{show: () => void, hide: () => void, pollNow: () => void}} Polls from `show` until `hide`.
 */
export function polling(poll, report) {
  /** @type {AbortController|null} */
  let running = null;
  let timer = 0;
  let failures = 0;

  async function run() {
    clearTimeout(timer);
    running?.abort();
    const own = new AbortController();
    running = own;
    if (!document.hidden) failures = (await pollOnce(own.signal)) ? 0 : failures + 1;
    if (running === own) timer = setTimeout(run, Math.min(PAUSE * 2 ** failures, LONGEST_PAUSE));
  }

  /** @param {AbortSignal} signal */
  async function pollOnce(signal) {
    try {
      await poll(signal);
      if (!signal.aborted) report(null);
      return true;
    } catch (error) {
      if (!signal.aborted) report(error);
      return signal.aborted;
    }
  }

  function pollNow() {
    if (running) run();
  }
  document.addEventListener("visibilitychange", pollNow);

  return {
    show: run,
    pollNow,
    hide() {
      clearTimeout(timer);
      running?.abort();
      running = null;
    },
  };
}
