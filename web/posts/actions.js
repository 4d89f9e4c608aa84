// What an author does with posts. Each action is a request to the server, and its result appears in the lists at once;
// each throws Problem, Refusal, NotDone, Unreachable or SignedOut, whose messages are for the author.

import { config } from "../lib/config.js";
import { request } from "../lib/http.js";
import { now } from "../lib/times.js";
import { withAccessToken } from "../sign_in/sign_in.js";
import {
  ADD_DRAFT,
  ADD_SLOT,
  CHANGE_DRAFT,
  EDIT_TEXT,
  END_PAUSE,
  MAKE_DRAFT,
  MOVE,
  REMOVE,
  REMOVE_SLOT,
  SCHEDULE_DRAFT,
  SET_PREFERENCES,
} from "./documents.js";
import { asUser, Refusal } from "./hasura.js";
import { pollNow } from "./live.js";
import { posts } from "./posts.js";

/** @import { Slot, User } from "./posts.js" */

const CLOCK_TOLERANCE = 2_000;

/**
 * Schedules a post.
 * @param {{text: string, schedule_for: Date, account_id?: number, when_late?: "skip"|"publish"}} draft
 * @param {string} key One for each draft: however often it is sent with this key, it makes one post.
 * @returns {Promise<{insert_scheduled_post_one: {id: number, schedule_for: string}, scheduled_event: object|null}>}
 */
export async function createPost(draft, key) {
  const created = await withAccessToken((token) =>
    request(config.createPost, {
      body: { ...draft, schedule_for: draft.schedule_for.toISOString() },
      token,
      headers: { "Idempotency-Key": `"${key}"` },
    }),
  );
  pollNow();
  return created;
}

/**
 * Gives a post another text.
 * @param {number} id
 * @param {string} text
 */
export async function editText(id, text) {
  await update(EDIT_TEXT, { id, text });
}

/**
 * Gives a post another time; a closed post is thereby opened again.
 * @param {number} id
 * @param {Date} date
 * @returns {Promise<{updated_at: string}>}
 */
export async function move(id, date) {
  return update(MOVE, { id, schedule_for: date.toISOString() });
}

/**
 * Moves a post to this moment; the request goes on when the page is left.
 * @param {number} id
 */
export async function publishNow(id) {
  const moment = now();
  const to = (/** @type {Date} */ date) => update(MOVE, { id, schedule_for: date.toISOString() }, { keepalive: true });
  const { updated_at } = await to(new Date(moment));
  // The database's clock counts. If this device's clock is ahead of it, the post would still wait.
  if (moment - Date.parse(updated_at) > CLOCK_TOLERANCE) await to(new Date(updated_at));
}

/**
 * Deletes posts; the request goes on when the page is left. It is no error when a post is already deleted.
 * @param {number[]} ids
 */
export async function remove(ids) {
  await asUser(REMOVE, { ids }, { keepalive: true });
  posts.forget(ids);
  pollNow();
}

/**
 * What a draft says, in Hasura's words. `schedule_for` null: no time yet; `account_id` null: the only one, or none yet.
 * @typedef {{text: string, schedule_for: string|null, account_id: number|null, when_late: "skip"|"publish"}} DraftContent
 */

/**
 * Keeps a draft in the database.
 * @param {DraftContent} content
 * @returns {Promise<number>} Its id.
 */
export async function addDraft(content) {
  const { insert_scheduled_post_one: row } = await asUser(ADD_DRAFT, content);
  pollNow();
  return row.id;
}

/**
 * @param {number} id
 * @param {DraftContent} content
 */
export async function changeDraft(id, content) {
  await update(CHANGE_DRAFT, { id, ...content });
}

/**
 * Schedules a draft that is in the database, with what it says now. However often it is sent, it is one post.
 * @param {number} id
 * @param {DraftContent} content With a time.
 * @returns {Promise<{id: number, updated_at: string, schedule_for: string}>}
 */
export async function scheduleDraft(id, content) {
  return update(SCHEDULE_DRAFT, { id, ...content });
}

/**
 * Makes a post that was to be published, or that failed, a draft.
 * @param {number} id
 */
export async function makeDraft(id) {
  await update(MAKE_DRAFT, { id });
}

/**
 * Ends the pause of an account, whose owner has put it right on X. The database refuses it while it did so a while ago.
 * @param {number} id Of the account.
 */
export async function endPause(id) {
  await asUser(END_PAUSE, { id });
  pollNow();
}

/**
 * @typedef {Pick<User, "time_zone"|"week_starts_on"|"hour_cycle"|"default_account_id">} Preferences
 * @param {number} id Of the author.
 * @param {Partial<Preferences>} changes The others stay as they are.
 */
export async function setPreferences(id, changes) {
  await asUser(SET_PREFERENCES, { id, changes });
  posts.prefer(changes);
  pollNow();
}

/** @param {Omit<Slot, "id">} slot */
export async function addSlot({ weekday, at, time_zone, account_id }) {
  await asUser(ADD_SLOT, { weekday, at, time_zone, account_id });
  pollNow();
}

/** @param {number} id */
export async function removeSlot(id) {
  await asUser(REMOVE_SLOT, { id });
  pollNow();
}

/**
 * @param {string} document
 * @param {object} variables
 * @param {{keepalive?: boolean}} [options]
 * @returns {Promise<any>}
 */
async function update(document, variables, options) {
  try {
    const { update_scheduled_post_by_pk: updated } = await asUser(document, variables, options);
    if (!updated) throw new Refusal("This post no longer exists.");
    return updated;
  } finally {
    pollNow();
  }
}
