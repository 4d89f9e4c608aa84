// The GraphQL documents of the page. Hasura in production executes these for an author, and no others:
// `python -m scripts.allow_list` copies them into hasura/metadata. So all are constants, and all are here.

/** How many posts are asked for at once. hasura/metadata gives an author no more. */
export const PAGE_SIZE = 500;

const POST = `
  fragment post on scheduled_post {
    id text schedule_for created_at updated_at state next_attempt_at reconcile_at tweet_id reason when_late account_id request_key
    post_attempts(order_by: {number: desc}) { number started_at finished_at text outcome status_code detail }
  }`;
const ACCOUNTS =
  "account(order_by: {id: asc}) { id account_name paused_until paused_reason } app { paused_until paused_reason }";
const COUNT = "scheduled_post_aggregate { aggregate { count } }";

/** Everything of the author, for the start: the first page of posts; CHANGES has the others. */
export const EVERYTHING = `query Everything {
  user { id username } ${ACCOUNTS}
  scheduled_post(order_by: {id: asc}, limit: ${PAGE_SIZE}) { ...post }
} ${POST}`;

/** The author's own row; its username is that of the token. */
export const SIGN_UP = "mutation SignUp { insert_user_one(object: {}) { id username } }";

/** A page of what changed after an instant, behind a post; and how many posts there are. */
export const CHANGES = `query Changes($since: timestamptz!, $behind: bigint!) {
  ${ACCOUNTS} ${COUNT}
  scheduled_post(where: {updated_at: {_gt: $since}, id: {_gt: $behind}}, order_by: {id: asc}, limit: ${PAGE_SIZE}) {
    ...post
  }
} ${POST}`;

/** These posts, at most a page of them. */
export const SOME = `query Some($ids: [bigint!]!) {
  ${ACCOUNTS}
  scheduled_post(where: {id: {_in: $ids}}, order_by: {id: asc}) { ...post }
} ${POST}`;

/** A page of the ids of all posts, behind a post. */
export const IDS = `query Ids($behind: bigint!) {
  scheduled_post(where: {id: {_gt: $behind}}, order_by: {id: asc}, limit: ${PAGE_SIZE}) { id }
}`;

export const EDIT_TEXT = `mutation EditText($id: bigint!, $text: String!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {text: $text}) { id updated_at }
}`;

export const MOVE = `mutation Move($id: bigint!, $schedule_for: timestamptz!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {schedule_for: $schedule_for}) { id updated_at }
}`;

export const REMOVE = `mutation Remove($id: bigint!) {
  delete_scheduled_post_by_pk(id: $id) { id }
}`;
