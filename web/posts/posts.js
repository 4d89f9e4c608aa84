// The author's posts as the page knows them. live.js writes them; every view reads them and listens.

import { now, showTimesAs } from "../lib/times.js";

/**
 * Rows as Hasura sends them; times are ISO strings in UTC; of the attempts the latest, the last one first.
 * @typedef {{paused_until: string|null, paused_reason: string|null}} Pausable
 * @typedef {Pausable & {max_pending: number, max_changes: number, max_posts_a_day: number, max_drafts: number}} App
 * @typedef {Pausable & {id: number, account_name: string}} Account
 * @typedef {{id: number, username: string, time_zone: string|null, week_starts_on: number|null,
 *   hour_cycle: "h12"|"h23"|null, default_account_id: number|null}} User
 * @typedef {{id: number, account_id: number|null, weekday: number, at: string, time_zone: string}} Slot A time of the
 *   week (1 is Monday) at which the author wants posts to go out; `at` is "09:30:00".
 * @typedef {{user: User[], account: Account[], app: App[], posting_slot: Slot[]}} Surroundings
 * @typedef {{number: number, started_at: string, finished_at: string|null, text: string, outcome: string|null,
 *   status_code: number|null, detail: string|null}} Attempt
 * @typedef {"draft"|"scheduled"|"sending"|"tweeted"|"failed"|"unknown"|"missed"} State
 * @typedef {{id: number, text: string, schedule_for: string, created_at: string, updated_at: string, state: State,
 *   next_attempt_at: string|null, reconcile_at: string|null, tweet_id: string|null, reason: string|null,
 *   when_late: "skip"|"publish", account_id: number|null, request_key: string|null, post_attempts: Attempt[]}} Row
 *   `schedule_for` is "" for a draft without a time.
 */

/**
 * A row with its account (null when it was removed) and the app. Rows are replaced, never changed.
 * @typedef {Row & {account: Account|null, app: App|null}} Post
 */

/** Fires `change` when posts, accounts or the app changed, and `status` when `state` changed. */
class Posts extends EventTarget {
  /** @type {Map<number, Row>} */
  #rows = new Map();
  /** @type {Map<number, Post>} */
  #posts = new Map();
  /** @type {Map<number, Account>} */
  #accounts = new Map();
  /** @type {App|null} */
  #app = null;

  /** @type {"loading"|"live"|"offline"} `offline`: the data is as old as `answeredAt`, and is requested again. */
  state = "loading";

  /** While offline: why, as a sentence. */
  reason = "";

  /** @type {User|null} */
  author = null;

  /** @type {Slot[]} The author's posting times, in the order of the week. */
  slots = [];

  /** @type {Date|null} When the server last answered. */
  answeredAt = null;

  /** Every post that is not a draft, in no particular order. */
  all() {
    return [...this.#posts.values()].filter(({ state }) => state !== "draft");
  }

  /** The author's drafts, in no particular order. */
  drafts() {
    return [...this.#posts.values()].filter(({ state }) => state === "draft");
  }

  /** @param {number} id */
  get(id) {
    return this.#posts.get(id);
  }

  get size() {
    return this.#rows.size;
  }

  get app() {
    return this.#app;
  }

  /** The accounts that the author may post from. */
  get accounts() {
    return [...this.#accounts.values()];
  }

  /** The latest `updated_at` of all rows, as Hasura sent it (a Date has no microseconds); null without rows. */
  latestUpdate() {
    let latest = null;
    for (const { updated_at } of this.#rows.values()) {
      if (latest === null || isLater(updated_at, latest)) latest = updated_at;
    }
    return latest;
  }

  /**
   * Takes the author, accounts, the app and slots, and rows that are new or may have changed.
   * @param {Surroundings} surroundings
   * @param {Row[]} rows
   * @returns {boolean} Whether any row changed.
   */
  merge(surroundings, rows) {
    const read = rows.map((row) => ({ ...row, schedule_for: row.schedule_for ?? "" }));
    const changed = read.filter((row) => !isSame(row, this.#rows.get(row.id)));
    for (const row of changed) this.#rows.set(row.id, row);
    const othersChanged = this.#take(surroundings);
    for (const row of othersChanged ? this.#rows.values() : changed) {
      this.#posts.set(row.id, { ...row, account: this.#accounts.get(row.account_id ?? 0) ?? null, app: this.#app });
    }
    if (changed.length || othersChanged) this.dispatchEvent(new Event("change"));
    return changed.length > 0;
  }

  /**
   * The author has these preferences now.
   * @param {Partial<User>} changes
   */
  prefer(changes) {
    if (!this.author) return;
    this.author = { ...this.author, ...changes };
    showTimesAs(this.author);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Forgets every post that is not among these.
   * @param {number[]} ids
   */
  keepOnly(ids) {
    const kept = new Set(ids);
    this.forget([...this.#rows.keys()].filter((id) => !kept.has(id)));
  }

  /**
   * Forgets these posts.
   * @param {number[]} removed
   */
  forget(removed) {
    for (const id of removed) {
      this.#rows.delete(id);
      this.#posts.delete(id);
    }
    if (removed.length) this.dispatchEvent(new Event("change"));
  }

  /** Forgets everything, as at the start. */
  clear() {
    this.author = null;
    this.slots = [];
    this.answeredAt = null;
    this.#accounts.clear();
    this.setState("loading");
    this.keepOnly([]);
  }

  /**
   * @param {"loading"|"live"|"offline"} state
   * @param {string} [reason]
   */
  setState(state, reason = "") {
    this.reason = reason;
    if (state === "live") this.answeredAt = new Date(now());
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("status"));
  }

  /**
   * Settles when the server has answered for the first time, or is known to be away.
   * @returns {Promise<void>}
   */
  async loaded() {
    while (this.state === "loading") {
      await new Promise((resolve) => this.addEventListener("status", resolve, { once: true }));
    }
  }

  /** @param {Surroundings} surroundings */
  #take({ user, account: accounts, app: apps, posting_slot: slots }) {
    const author = user[0] ?? this.author;
    const app = apps[0] ?? null;
    if (isSame([author, accounts, app, slots], [this.author, this.accounts, this.#app, this.slots])) return false;
    this.#accounts = new Map(accounts.map((account) => [account.id, account]));
    [this.author, this.#app, this.slots] = [author, app, slots];
    if (author) showTimesAs(author); // before anybody shows a time
    return true;
  }
}

export const posts = new Posts();

/** @typedef {Posts} PostStore */

/**
 * @param {unknown} one
 * @param {unknown} other
 */
function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * @param {string} one
 * @param {string} other
 */
function isLater(one, other) {
  return Date.parse(one) > Date.parse(other) || (Date.parse(one) === Date.parse(other) && one > other);
}
