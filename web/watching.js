// Looking again and again while a view is shown: each second, later and later while nobody answers.

const PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;

/**
 * @param {(signal: AbortSignal) => Promise<void>} look Called at once, and again and again; its failure is told.
 * @param {(error: Error|null) => void} tell Called after each look, with null when it went well.
 * @returns {{show: () => void, hide: () => void, lookNow: () => void}} Looks from `show` until `hide`.
 */
export function watching(look, tell) {
  let looking = null; // the AbortController of the present round of looks
  let timer;
  let failures = 0;

  async function round() {
    clearTimeout(timer);
    looking?.abort();
    const mine = (looking = new AbortController());
    if (!document.hidden) failures = (await lookOnce(mine.signal)) ? 0 : failures + 1;
    if (looking === mine) timer = setTimeout(round, Math.min(PAUSE * 2 ** failures, LONGEST_PAUSE));
  }

  async function lookOnce(signal) {
    try {
      await look(signal);
      if (!signal.aborted) tell(null);
      return true;
    } catch (error) {
      if (!signal.aborted) tell(error);
      return signal.aborted;
    }
  }

  function lookNow() {
    if (looking) round();
  }
  document.addEventListener("visibilitychange", lookNow);

  return {
    show: round,
    lookNow,
    hide() {
      clearTimeout(timer);
      looking?.abort();
      looking = null;
    },
  };
}
