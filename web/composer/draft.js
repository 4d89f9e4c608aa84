// The draft outlives a reload: it is kept in this browser, for each author and each of their windows.

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {string|null} when An instant, as ISO string; empty: none; null: not chosen yet.
 * @property {number|null} account_id Null: not chosen yet, or there is only one.
 * @property {"skip"|"publish"} when_late
 * @property {string} key Its Idempotency-Key.
 * @property {boolean} isSent Whether it was sent with this key.
 * @property {number|null} post_id Its row in the database, if it is kept there.
 */

/** @returns {Draft} A new draft, with a key of its own. */
export function newDraft() {
  return { text: "", when: null, account_id: null, when_late: "skip", post_id: null, ...newKey() };
}

/** A new key: with it, a draft makes another post. */
export function newKey() {
  return { key: crypto.randomUUID(), isSent: false };
}

/**
 * The draft of this window; in a new window the one that was written last.
 * @param {string} author
 * @returns {Draft}
 */
export function keptDraft(author) {
  const last = read("localStorage", author);
  return { ...newDraft(), ...(read("sessionStorage", author) ?? (last?.text ? last : null)) };
}

/**
 * Keeps a draft until the next time; if the browser stores nothing, until the reload.
 * @param {string} author
 * @param {Draft} draft
 */
export function keepDraft(author, draft) {
  try {
    sessionStorage.setItem(keyOf(author), JSON.stringify(draft));
    localStorage.setItem(keyOf(author), JSON.stringify(draft));
  } catch {
    // Storage is full or switched off. The author can write without it.
  }
}

/**
 * Removes the draft of an author from this browser; another window of theirs may still show it.
 * @param {string} author
 */
export function forgetDraft(author) {
  try {
    sessionStorage.removeItem(keyOf(author));
    localStorage.removeItem(keyOf(author));
  } catch {
    // Storage is switched off, so there is none.
  }
}

/**
 * @param {"localStorage"|"sessionStorage"} storage
 * @param {string} author
 * @returns {Draft|null}
 */
function read(storage, author) {
  try {
    return JSON.parse(window[storage].getItem(keyOf(author)) ?? "null");
  } catch {
    return null; // if storage is switched off, reading its name already throws
  }
}

/** @param {string} author */
function keyOf(author) {
  return `draft of ${author}`;
}
