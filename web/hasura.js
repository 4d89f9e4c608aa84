// Hasura's GraphQL API with the author's rights: Hasura decides what the author may see and change.

import { config } from "./config.js";
import { Problem, request, TokenRefused, Unreachable } from "./http.js";
import { withAccessToken } from "./sign_in.js";

/** @typedef {import("./signed_out.js").SignedOut} SignedOut */

/** Hasura, or a rule of the database, refused; the message is theirs. */
export class Refusal extends Error {
  /**
   * @param {string} message
   * @param {{code?: string}} [options] Hasura's own word for why.
   */
  constructor(message, { code = "" } = {}) {
    super(message);
    this.code = code;
  }
}

const POST = `
  fragment post on scheduled_post {
    id text schedule_for created_at updated_at state next_attempt_at reconcile_at tweet_id reason when_late account_id request_key
    post_attempts(order_by: {number: asc}) { number started_at finished_at text outcome status_code detail }
  }`;
const ACCOUNTS =
  "account(order_by: {id: asc}) { id account_name paused_until paused_reason } app { paused_until paused_reason }";
const COUNT = "scheduled_post_aggregate { aggregate { count } }";

/** Everything of the author: for the start. */
export const EVERYTHING = `query Everything {
  user { id username } ${ACCOUNTS}
  scheduled_post(order_by: {id: asc}) { ...post }
} ${POST}`;

/** The author's own row; its username is that of the token. */
export const SIGN_UP = "mutation SignUp { insert_user_one(object: {}) { id username } }";

/** What changed after an instant, and how many posts there are. */
export const CHANGES = `query Changes($since: timestamptz!) {
  ${ACCOUNTS} ${COUNT}
  scheduled_post(where: {updated_at: {_gt: $since}}, order_by: {id: asc}) { ...post }
} ${POST}`;

/** These posts. */
export const SOME = `query Some($ids: [bigint!]!) {
  ${ACCOUNTS}
  scheduled_post(where: {id: {_in: $ids}}, order_by: {id: asc}) { ...post }
} ${POST}`;

/** The ids of all posts. */
export const IDS = "query Ids { scheduled_post { id } }";

export const EDIT_TEXT = `mutation EditText($id: bigint!, $text: String!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {text: $text}) { id updated_at }
}`;

export const MOVE = `mutation Move($id: bigint!, $schedule_for: timestamptz!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $schedule_for}) { id updated_at }
}`;

export const REMOVE = `mutation Remove($id: bigint!) {
  delete_scheduled_post_by_pk(id: $id) { id }
}`;

/**
 * What Hasura answers the author: the `data` of the answer.
 * @param {string} query
 * @param {object} [variables]
 * @param {{timeout?: number}} [options]
 * @throws {Refusal|Unreachable|SignedOut}
 */
export async function asUser(query, variables = {}, options = {}) {
  return withAccessToken(async (token) => {
    const { data, errors } = await send({ ...options, token, body: { query, variables } });
    if (!errors) return data;
    const { message, extensions } = errors[0];
    if (extensions?.code === "invalid-jwt") throw new TokenRefused({ status: 401, detail: message });
    throw new Refusal(message, { code: extensions?.code });
  });
}

/** @param {Parameters<typeof request>[1]} options */
async function send(options) {
  try {
    return await request(config.graphql, options);
  } catch (error) {
    if (error instanceof Problem) throw new Unreachable(error.message, { cause: error }); // GraphQL refuses with 200
    throw error;
  }
}
