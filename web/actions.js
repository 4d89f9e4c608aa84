// What an author does with posts. Each is asked of the server and seen in the lists at once; each throws Problem,
// Refusal, Away or SignedOut, whose messages are for the author.

import { accessToken } from "./access_token.js";
import { config } from "./config.js";
import { EDIT_TEXT, MOVE, REMOVE, Refusal, asUser } from "./hasura.js";
import { request } from "./http.js";
import { pollNow } from "./live.js";
import { now } from "./times.js";

const CLOCK_TOLERANCE = 2_000;

/**
 * Schedules a post.
 * @param {{text: string, schedule_for: Date, account_id?: number, when_late?: "skip"|"publish"}} draft
 * @param {string} key One for each draft: however often it is sent with this key, it makes one post.
 * @returns {Promise<{insert_scheduled_post_one: object, scheduled_event: object|null}>}
 */
export async function createPost(draft, key) {
  const created = await request(config.createPost, {
    body: { ...draft, schedule_for: draft.schedule_for.toISOString() },
    token: await accessToken(),
    headers: { "Idempotency-Key": `"${key}"` },
  });
  pollNow();
  return created;
}

/** Gives a post another text. */
export async function editText(id, text) {
  await update(EDIT_TEXT, { id, text });
}

/** Gives a post another time; one that ended badly is thereby opened again. */
export async function move(id, date) {
  return update(MOVE, { id, schedule_for: date.toISOString() });
}

/** Moves a post to this moment. */
export async function publishNow(id) {
  const moment = new Date(now());
  const { updated_at } = await move(id, moment);
  // The database's clock counts: where this machine's is ahead of it, the post would still wait.
  if (moment - Date.parse(updated_at) > CLOCK_TOLERANCE) await move(id, new Date(updated_at));
}

/** Deletes a post; one that is gone already is no fault. */
export async function remove(id) {
  await asUser(REMOVE, { id });
  pollNow();
}

async function update(document, variables) {
  try {
    const { update_scheduled_post_by_pk: updated } = await asUser(document, variables);
    if (!updated) throw new Refusal("This post is no longer there.");
    return updated;
  } finally {
    pollNow();
  }
}
