// The author's posts as the page knows them. live.js writes, every view reads and listens.

import { now } from "./times.js";

/**
 * Fires `change`, with detail `{changed: ids, removed: ids}`, and `status` when `state` changes.
 *
 * A post is a row as Hasura sends it (times are ISO strings, in UTC), with `account` (`{id, account_name, held_until,
 * held_because}`, null when it was removed), `app` (`{held_until, held_because}`) and `post_attempts` in their order.
 * Rows are replaced, never changed.
 */
class Posts extends EventTarget {
  #rows = new Map(); // as they came
  #posts = new Map(); // with their accounts
  #accounts = new Map();
  #app = null;

  /** @type {"loading"|"live"|"away"} `away`: what is known is as old as `heardAt`, and is being asked for again. */
  state = "loading";

  /** @type {string} While away: why, as a sentence. */
  trouble = "";

  /** @type {{id: number, username: string}|null} */
  author = null;

  /** @type {Date|null} When the server last answered. */
  heardAt = null;

  /** Every post, newest data, in no order that means anything. */
  all() {
    return [...this.#posts.values()];
  }

  get(id) {
    return this.#posts.get(Number(id));
  }

  get size() {
    return this.#rows.size;
  }

  /** The accounts that the author may post from. */
  get accounts() {
    return [...this.#accounts.values()];
  }

  /** The latest `updated_at` of all rows, as it came (a Date would lose its microseconds); null without any. */
  latestUpdate() {
    let latest = null;
    for (const { updated_at } of this.#rows.values()) {
      if (latest === null || isLater(updated_at, latest)) latest = updated_at;
    }
    return latest;
  }

  /** Takes the accounts, the app, and rows that are new or may have changed. Returns whether any row did. */
  merge(accounts, app, rows) {
    const news = rows.filter((row) => !isSame(row, this.#rows.get(row.id)));
    for (const row of news) this.#rows.set(row.id, row);
    const holdersChanged = this.#take(accounts, app);
    const touched = holdersChanged ? [...this.#rows.keys()] : news.map(({ id }) => id);
    for (const id of touched) this.#posts.set(id, this.#withHolders(this.#rows.get(id)));
    if (touched.length || holdersChanged) this.#tell(touched, []);
    return news.length > 0;
  }

  /** Forgets every post that is not among these. */
  keepOnly(ids) {
    const kept = new Set(ids);
    const removed = [...this.#rows.keys()].filter((id) => !kept.has(id));
    for (const id of removed) {
      this.#rows.delete(id);
      this.#posts.delete(id);
    }
    if (removed.length) this.#tell([], removed);
  }

  /** Forgets everything, as at the start. */
  clear() {
    this.author = null;
    this.heardAt = null;
    this.#accounts.clear();
    this.setState("loading");
    this.keepOnly([]);
  }

  setState(state, trouble = "") {
    this.trouble = trouble;
    if (state === "live") this.heardAt = new Date(now());
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("status"));
  }

  #take(accounts, app) {
    if (isSame(accounts, this.accounts) && isSame(app, this.#app)) return false;
    this.#accounts = new Map(accounts.map((account) => [account.id, account]));
    this.#app = app;
    return true;
  }

  #withHolders(row) {
    return { ...row, account: this.#accounts.get(row.account_id) ?? null, app: this.#app };
  }

  #tell(changed, removed) {
    this.dispatchEvent(new CustomEvent("change", { detail: { changed, removed } }));
  }
}

export const posts = new Posts();

function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isLater(one, other) {
  return Date.parse(one) - Date.parse(other) > 0 || (Date.parse(one) === Date.parse(other) && one > other);
}
