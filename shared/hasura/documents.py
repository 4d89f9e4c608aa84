"""The GraphQL documents that are sent to Hasura."""

_ROW = "id text schedule_for when_late state is_pending user_id account_id created_at"

INSERT_POST = f"""
mutation insertPost($post: scheduled_post_insert_input!) {{
  insert_scheduled_post_one(object: $post) {{ {_ROW} }}
}}"""

INSERT_POST_OF_KEY = f"""
mutation insertPostOfKey($post: scheduled_post_insert_input!) {{
  insert_scheduled_post_one(object: $post, on_conflict: {{constraint: one_post_per_request_key, update_columns: []}}) {{
    {_ROW}
  }}
}}"""

AUTHOR = "query author { user { id } }"

POST_OF_KEY = f"""
query postOfKey($key: String!) {{
  scheduled_post(where: {{request_key: {{_eq: $key}}}}) {{ {_ROW} request_draft event_id }}
}}"""

RECORD_EVENT = """
mutation recordEvent($post: scheduled_post_bool_exp!, $event: scheduled_post_set_input!) {
  update_scheduled_post(where: $post, _set: $event) { affected_rows }
}"""

CLAIM_DUE_POSTS = """
mutation claimDuePosts($args: claim_due_posts_args!) {
  claim_due_posts(args: $args) {
    post_id state text schedule_for reason lease_until attempt_number account may_post
    unanswered_attempts unsent_attempts account_rejections failed_reconciliations
    sign_in_rejected_at others_accepted_since others_rejected_since unresolved_attempts event_id event_at
  }
}"""

FIND_POST = """
query findPost($id: bigint!) {
  scheduled_post_by_pk(id: $id) {
    id state schedule_for next_attempt_at reason tweet_id event_id event_at
    account { paused_until }
    open_attempts: post_attempts(where: {finished_at: {_is_null: true}}, limit: 1) { number }
  }
  app { paused_until }
  database_clock { now }
}"""

POST_OF_AUTHOR = """
query postOfAuthor($id: bigint!) {
  scheduled_post_by_pk(id: $id) {
    id user_id state reason schedule_for reconcile_at updated_at user { username } account { account_name }
  }
}"""

RECORD_OUTCOME = """
mutation recordOutcome($args: record_outcome_args!) {
  record_outcome(args: $args) { recorded state }
}"""

TWEETS_OF_POSTS = """
query tweetsOfPosts($ids: [String!]!) {
  scheduled_post(where: {tweet_id: {_in: $ids}}) { tweet_id }
}"""

WAIT_FOR_DUE_POSTS = """
mutation waitForDuePosts($args: wait_for_due_posts_args!) {
  wait_for_due_posts(args: $args) { is_needed is_callers due_in_seconds }
}"""

REQUEST_FOLLOW_UP = """
mutation requestFollowUp($args: request_follow_up_args!) {
  request_follow_up(args: $args) { id }
}"""

RELEASE_FOLLOW_UP = """
mutation releaseFollowUp {
  update_app(where: {}, _set: {follow_up_until: null}) { affected_rows }
}"""
