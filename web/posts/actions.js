// What an author does with posts. Each action is a request to the server, and its result appears in the lists at once;
// each throws Problem, Refusal, Unreachable or SignedOut, whose messages are for the author.

import { config } from "../lib/config.js";
import { request } from "../lib/http.js";
import { now } from "../lib/times.js";
import { withAccessToken } from "../sign_in/sign_in.js";
import { EDIT_TEXT, MOVE, REMOVE } from "./documents.js";
import { asUser, Refusal } from "./hasura.js";
import { pollNow } from "./live.js";

const CLOCK_TOLERANCE = 2_000;

/**
 * Schedules a post.
 * @param {{text: string, schedule_for: Date, account_id?: number, when_late?: "skip"|"publish"}} draft
 * @param {string} key One for each draft: however often it is sent with this key, it makes one post.
 * @returns {Promise<{insert_scheduled_post_one: {schedule_for: string}, scheduled_event: object|null}>}
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
 */
export async function move(id, date) {
  return update(MOVE, { id, schedule_for: date.toISOString() });
}

/**
 * Moves a post to this moment.
 * @param {number} id
 */
export async function publishNow(id) {
  const moment = now();
  const { updated_at } = await move(id, new Date(moment));
  // The database's clock counts. If this device's clock is ahead of it, the post would still wait.
  if (moment - Date.parse(updated_at) > CLOCK_TOLERANCE) await move(id, new Date(updated_at));
}

/**
 * Deletes a post. It is no error when the post is already deleted.
 * @param {number} id
 */
export async function remove(id) {
  await asUser(REMOVE, { id });
  pollNow();
}

/**
 * @param {string} document
 * @param {object} variables
 * @returns {Promise<{id: number, updated_at: string}>}
 */
async function update(document, variables) {
  try {
    const { update_scheduled_post_by_pk: updated } = await asUser(document, variables);
    if (!updated) throw new Refusal("This post no longer exists.");
    return updated;
  } finally {
    pollNow();
  }
}
