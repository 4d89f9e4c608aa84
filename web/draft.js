// The draft outlives a reload: it is kept in this browser, for each author apart, and for each of their windows.

/**
 * @typedef {object} Draft
 * @property {string} text
 * @property {string|null} when An instant, as ISO string; empty: none; null: not chosen yet.
 * @property {number|null} account_id Null: not chosen yet, or there is only one.
 * @property {"skip"|"publish"} when_late
 * @property {string} key Its Idempotency-Key.
 * @property {boolean} isSent Whether it was sent with this key.
 */

/** @returns {Draft} A new draft, with a key of its own. */
export function newDraft() {
  return { text: "", when: null, account_id: null, when_late: "skip", ...newKey() };
}

/** What makes a post of its own of a draft. */
export function newKey() {
  return { key: crypto.randomUUID(), isSent: false };
}

/** @param {string} author Who it is of. @returns {Draft} This window's; in a new one the last that was written. */
export function keptDraft(author) {
  const last = read("localStorage", author);
  return { ...newDraft(), ...(read("sessionStorage", author) ?? (last?.text ? last : null)) };
}

/** Keeps it until the next time; where the browser stores nothing, until the reload. */
export function keepDraft(author, draft) {
  try {
    sessionStorage.setItem(place(author), JSON.stringify(draft));
    localStorage.setItem(place(author), JSON.stringify(draft));
  } catch {
    // Storage is full or switched off. Writing goes on without it.
  }
}

function read(storage, author) {
  try {
    return JSON.parse(window[storage].getItem(place(author)));
  } catch {
    return null; // where storage is switched off, to name it is an error already
  }
}

function place(author) {
  return `draft of ${author}`;
}
