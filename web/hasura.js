// Hasura's GraphQL API with the author's rights: what they may see and change is decided there.

import { SignedOut, accessToken } from "./access_token.js";
import { config } from "./config.js";
import { Away, Problem, request } from "./http.js";

/** Hasura, or a rule of the database, said no; the message has its words. */
export class Refusal extends Error {}

const POST = `
  fragment post on scheduled_post {
    id text schedule_for created_at updated_at state not_before tries tweet_id reason when_late account_id request_key
    post_attempts(order_by: {number: asc}) { number started_at finished_at text outcome status_code detail }
  }`;
const ACCOUNTS = "account(order_by: {id: asc}) { id account_name held_until held_because } app { held_until held_because }";
const COUNT = "scheduled_post_aggregate { aggregate { count } }";

/** Everything of the author's: for the start. */
export const EVERYTHING = `query Everything {
  user { id username } ${ACCOUNTS}
  scheduled_post(order_by: {id: asc}) { ...post }
} ${POST}`;

/** What changed after an instant, and how many posts there are. */
export const NEWS = `query News($since: timestamptz!) {
  ${ACCOUNTS} ${COUNT}
  scheduled_post(where: {updated_at: {_gt: $since}}, order_by: {id: asc}) { ...post }
} ${POST}`;

/** These posts. */
export const SOME = `query Some($ids: [bigint!]!) {
  ${ACCOUNTS}
  scheduled_post(where: {id: {_in: $ids}}, order_by: {id: asc}) { ...post }
} ${POST}`;

/** Which posts there are. */
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
 * @throws {Refusal|Away|SignedOut}
 */
export async function asUser(query, variables = {}, options = {}) {
  const token = await accessToken();
  const { data, errors } = await answer({ ...options, token, body: { query, variables } });
  if (!errors) return data;
  const { message, extensions } = errors[0];
  if (extensions?.code === "invalid-jwt") throw new SignedOut("Your sign-in has expired. Sign in again.");
  throw new Refusal(message);
}

async function answer(asking) {
  try {
    return await request(config.graphql, asking);
  } catch (error) {
    if (error instanceof Problem) throw new Away(error.message, { cause: error }); // GraphQL refuses with status 200
    throw error;
  }
}
