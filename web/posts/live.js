// Keeps the posts as they are at Hasura: asks what changed when a subscription tells of a change, and each second where
// no subscription can be had.

import { messageOf } from "../lib/http.js";
import { signUp } from "../sign_in/sign_up.js";
import { SignedOut } from "../sign_in/signed_out.js";
import { CHANGES, EVERYTHING, IDS, PAGE_SIZE, SOME } from "./documents.js";
import { asUser, Refusal } from "./hasura.js";
import { posts } from "./posts.js";
import { watchChanges } from "./watch.js";

/** @import { Row } from "./posts.js" */

const VISIBLE_PAUSE = 1_000;
const HIDDEN_PAUSE = 15_000;
const PAUSE_AFTER_A_CHANGE = 5_000; // shorter than OVERLAP: no subscription tells what became visible after a later change
const WATCHED_PAUSE = 5 * 60_000; // what no subscription tells, such as settings that were changed elsewhere
const PAUSES_AFTER_FAILURES = [1_000, 2_000, 4_000, 8_000, 15_000];

/** A single lost answer is not reported to the author. */
const FAILURES_TO_BE_OFFLINE = 2;

/** Changes come at once, or a server is ill. */
const CHANGES_TIMEOUT = 5_000;

/** `updated_at` is when a change began; it may become visible after one that began later. So the query goes back. */
const OVERLAP = 10_000;

/** Earlier than any post. */
const THE_BEGINNING = "2000-01-01T00:00:00Z";

/** Less than the id of any post. */
const BEFORE_ALL = 0;

/** @type {Poller|null} */
let running = null;

/**
 * Loads everything, then polls for changes until `stop`.
 * @param {(message: string) => void} onSignedOut Called when the token is no longer accepted; polling has then stopped.
 */
export function start(onSignedOut) {
  stop();
  running = new Poller(onSignedOut);
  running.run();
}

/** Stops polling. The posts stay. */
export function stop() {
  running?.end();
  running = null;
}

/** Stops polling and forgets the posts: another author may sign in. */
export function forget() {
  stop();
  posts.clear();
}

/** Polls at once: something was just changed here. */
export function pollNow() {
  running?.wake();
}

document.addEventListener("visibilitychange", pollNow);
window.addEventListener("online", pollNow);
window.addEventListener("offline", pollNow);

class Poller {
  #onSignedOut;
  #ended = false;
  #isLoaded = false;
  #failures = 0;
  #endPause = () => {};
  #isWoken = false;
  #changedAt = 0;
  #watch;

  /** @param {(message: string) => void} onSignedOut */
  constructor(onSignedOut) {
    this.#onSignedOut = onSignedOut;
    this.#watch = watchChanges(() => this.wake());
  }

  async run() {
    while (!this.#ended) {
      this.#isWoken = false;
      await this.#poll();
      if (!this.#isWoken && !this.#ended) await this.#pause();
    }
  }

  wake() {
    this.#isWoken = true;
    this.#endPause();
  }

  end() {
    this.#ended = true;
    this.#watch.end();
    this.#endPause();
  }

  async #poll() {
    try {
      await (this.#isLoaded ? this.#loadChanges() : this.#load());
      if (this.#ended) return;
      this.#failures = 0;
      posts.setState("live");
    } catch (error) {
      if (this.#ended) return;
      if (error instanceof SignedOut) {
        this.end();
        this.#onSignedOut(error.message);
        return;
      }
      this.#failures += 1;
      if (this.#failures < FAILURES_TO_BE_OFFLINE) return;
      posts.setState("offline", error instanceof Refusal ? messageOf(error) : "The server is not answering.");
    }
  }

  async #load() {
    const { scheduled_post, ...surroundings } = await asUser(EVERYTHING);
    if (!surroundings.user.length) surroundings.user.push(await signUp());
    const rows = await withFurtherPages(scheduled_post, (behind) => changedRows(THE_BEGINNING, behind));
    if (this.#ended) return;
    posts.merge(surroundings, rows);
    posts.keepOnly(idsOf(rows));
    this.#isLoaded = true;
    this.#changedAt = Date.now();
  }

  async #loadChanges() {
    const since = this.#since();
    const { scheduled_post, latest_change, ...surroundings } = await changes(since, BEFORE_ALL);
    const rows = await withFurtherPages(scheduled_post, (behind) => changedRows(since, behind));
    if (this.#ended) return;
    if (posts.merge(surroundings, rows)) this.#changedAt = Date.now();
    if (posts.size !== (latest_change[0]?.posts ?? 0)) await this.#compareIds();
  }

  /** Posts were deleted; or a post became visible so late that no query for changes includes it. */
  async #compareIds() {
    const ids = idsOf(await withFurtherPages(await rowsOfIds(BEFORE_ALL), rowsOfIds));
    if (this.#ended) return;
    posts.keepOnly(ids);
    const missing = ids.filter((id) => !posts.get(id)).slice(0, PAGE_SIZE); // the next poll finds the rest
    if (!missing.length) return;
    const { scheduled_post, ...surroundings } = await asUser(SOME, { ids: missing });
    if (!this.#ended) posts.merge(surroundings, scheduled_post);
  }

  /** For a while after the last change somewhat before it; then the last change itself, so that a thousand posts of one
   * moment do not come again with every answer. */
  #since() {
    const latest = posts.latestUpdate();
    if (!latest) return THE_BEGINNING;
    if (Date.now() - this.#changedAt > OVERLAP) return latest;
    return new Date(Date.parse(latest) - OVERLAP).toISOString();
  }

  /** @returns {Promise<void>} */
  #pause() {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#pauseLength());
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #pauseLength() {
    if (this.#failures) return PAUSES_AFTER_FAILURES[Math.min(this.#failures, PAUSES_AFTER_FAILURES.length) - 1];
    if (!this.#watch.isOn()) return document.hidden ? HIDDEN_PAUSE : VISIBLE_PAUSE;
    return Date.now() - this.#changedAt < PAUSE_AFTER_A_CHANGE ? PAUSE_AFTER_A_CHANGE : WATCHED_PAUSE;
  }
}

/**
 * @param {string} since
 * @param {number} behind
 */
function changes(since, behind) {
  return asUser(CHANGES, { since, behind }, { timeout: CHANGES_TIMEOUT });
}

/**
 * @param {string} since
 * @param {number} behind
 * @returns {Promise<Row[]>}
 */
async function changedRows(since, behind) {
  return (await changes(since, behind)).scheduled_post;
}

/**
 * @param {number} behind
 * @returns {Promise<{id: number}[]>}
 */
async function rowsOfIds(behind) {
  return (await asUser(IDS, { behind })).scheduled_post;
}

/**
 * The rows of this page and of those behind it. The last page is the first one that is not full.
 * @template {{id: number}} T
 * @param {T[]} page
 * @param {(behind: number) => Promise<T[]>} pageBehind
 */
async function withFurtherPages(page, pageBehind) {
  const rows = [...page];
  for (let last = page; last.length === PAGE_SIZE; rows.push(...last)) {
    last = await pageBehind(rows[rows.length - 1].id);
  }
  return rows;
}

/** @param {{id: number}[]} rows */
function idsOf(rows) {
  return rows.map(({ id }) => id);
}
