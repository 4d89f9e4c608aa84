// The GraphQL documents of the page. Hasura in production executes these for an author, and no others:
// `python -m scripts.allow_list` copies them into hasura/metadata. So all are constants, and all are here.

/** How many posts are asked for at once. hasura/metadata gives an author no more. */
export const PAGE_SIZE = 500;

const POST = `
  fragment post on scheduled_post {
    id text schedule_for created_at updated_at state next_attempt_at reconcile_at tweet_id reason when_late account_id request_key
    post_attempts(order_by: {number: desc}) { number started_at finished_at text outcome status_code detail }
  }`;
const AUTHOR = "id username time_zone week_starts_on hour_cycle default_account_id";
const SURROUNDINGS = `
  user { ${AUTHOR} }
  account(order_by: {id: asc}) { id account_name paused_until paused_reason }
  app { paused_until paused_reason max_pending max_changes max_posts_a_day max_drafts }
  posting_slot(order_by: [{weekday: asc}, {at: asc}, {id: asc}]) { id account_id weekday at time_zone }`;
const LATEST_CHANGE = "latest_change { updated_at posts }";

/** Each is another answer after a change; what changed is then asked for by CHANGES. Hasura takes one field of each. */
export const LATEST_POST = `subscription LatestPost { ${LATEST_CHANGE} }`;
export const ACCOUNTS = "subscription Accounts { account(order_by: {id: asc}) { id account_name paused_until } }";
export const APP = "subscription App { app { paused_until paused_reason } }";

/** Everything of the author, for the start: the first page of posts; CHANGES has the others. */
export const EVERYTHING = `query Everything {
  ${SURROUNDINGS}
  scheduled_post(order_by: {id: asc}, limit: ${PAGE_SIZE}) { ...post }
} ${POST}`;

/** The author's own row; its username is that of the token. */
export const SIGN_UP = `mutation SignUp { insert_user_one(object: {}) { ${AUTHOR} } }`;

/** A page of what changed after an instant, behind a post; and how many posts there are. */
export const CHANGES = `query Changes($since: timestamptz!, $behind: bigint!) {
  ${SURROUNDINGS} ${LATEST_CHANGE}
  scheduled_post(where: {updated_at: {_gt: $since}, id: {_gt: $behind}}, order_by: {id: asc}, limit: ${PAGE_SIZE}) {
    ...post
  }
} ${POST}`;

/** These posts, at most a page of them. */
export const SOME = `query Some($ids: [bigint!]!) {
  ${SURROUNDINGS}
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

export const REMOVE = `mutation Remove($ids: [bigint!]!) {
  delete_scheduled_post(where: {id: {_in: $ids}}) { affected_rows }
}`;

export const ADD_DRAFT = `mutation AddDraft(
  $text: String!, $schedule_for: timestamptz, $account_id: bigint, $when_late: String!
) {
  insert_scheduled_post_one(object: {
    state: "draft", text: $text, schedule_for: $schedule_for, account_id: $account_id, when_late: $when_late
  }) { id updated_at }
}`;

export const CHANGE_DRAFT = `mutation ChangeDraft(
  $id: bigint!, $text: String!, $schedule_for: timestamptz, $account_id: bigint, $when_late: String!
) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {
    text: $text, schedule_for: $schedule_for, account_id: $account_id, when_late: $when_late
  }) { id updated_at }
}`;

export const SCHEDULE_DRAFT = `mutation ScheduleDraft(
  $id: bigint!, $text: String!, $schedule_for: timestamptz!, $account_id: bigint, $when_late: String!
) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {
    state: "scheduled", text: $text, schedule_for: $schedule_for, account_id: $account_id, when_late: $when_late
  }) { id updated_at schedule_for }
}`;

/** What was to be published is a draft again. */
export const MAKE_DRAFT = `mutation MakeDraft($id: bigint!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {state: "draft"}) { id updated_at }
}`;

export const END_PAUSE = `mutation EndPause($id: bigint!) {
  update_account_by_pk(pk_columns: {id: $id}, _set: {paused_until: null}) { id }
}`;

export const SET_PREFERENCES = `mutation SetPreferences($id: bigint!, $changes: user_set_input!) {
  update_user_by_pk(pk_columns: {id: $id}, _set: $changes) { id }
}`;

export const ADD_SLOT = `mutation AddSlot($weekday: smallint!, $at: time!, $time_zone: String!, $account_id: bigint) {
  insert_posting_slot_one(object: {weekday: $weekday, at: $at, time_zone: $time_zone, account_id: $account_id}) { id }
}`;

export const REMOVE_SLOT = `mutation RemoveSlot($id: bigint!) {
  delete_posting_slot_by_pk(id: $id) { id }
}`;
