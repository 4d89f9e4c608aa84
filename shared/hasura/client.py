"""The GraphQL we send to Hasura, and its two APIs: GraphQL for the rows, metadata for the alarms."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.config import WEBHOOK_SECRET_NAME, Settings
from shared.core.drafts import Draft
from shared.core.model import ABSENT, LEASE, Account, Outcome, Post, Question, Row
from shared.errors import (
    ConfigurationError,
    Fault,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    NotSent,
    OutcomeUnknown,
    ScheduledPostsError,
    Unauthorized,
)
from shared.http import client as http_client

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

POST_OF_KEY = f"""
query postOfKey($key: String!) {{
  scheduled_post(where: {{request_key: {{_eq: $key}}}}) {{ {_ROW} request_draft request_event }}
}}"""

KEEP_ALARM = """
mutation keepAlarm($id: bigint!, $alarm: jsonb!) {
  update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {request_event: $alarm}) { id }
}"""

_ACCOUNT = "account { id account_name access_token access_token_secret account_users { user_id } }"

_POST = "id user_id account_id text schedule_for not_before state tries attempt looks tweet_id reason"

CLAIM_DUE_POSTS = f"""
mutation claimDuePosts($args: claim_due_posts_args!) {{
  claim_due_posts(args: $args) {{
    {_POST} {_ACCOUNT}
    lease_until
    refused: post_attempts(where: {{sign_in_refused: {{_eq: true}}}}, order_by: [{{number: desc}}], limit: 1) {{
      account_id finished_at
    }}
    questions: post_attempts(
      where: {{outcome: {{_in: ["unknown", "duplicate", "absent"]}}}}, order_by: [{{number: asc}}]
    ) {{
      number text outcome started_at finished_at {_ACCOUNT}
    }}
  }}
}}"""

FIND_POST = f"""
query findPost($id: bigint!) {{
  scheduled_post_by_pk(id: $id) {{ {_POST} account {{ held_until }} }}
  app {{ held_until }}
}}"""

RECORD = """
mutation record(
  $post: scheduled_post_bool_exp!, $becomes: scheduled_post_set_input!,
  $attempt: post_attempt_bool_exp!, $ended: post_attempt_set_input!,
  $others: post_attempt_bool_exp!, $absent: post_attempt_set_input!
) {
  update_post_attempt(where: $attempt, _set: $ended) { affected_rows }
  others: update_post_attempt(where: $others, _set: $absent) { affected_rows }
  update_scheduled_post(where: $post, _set: $becomes) { affected_rows }
}"""

HOLD_ACCOUNT = """
mutation holdAccount($held: account_bool_exp!, $hold: account_set_input!) {
  update_account(where: $held, _set: $hold) { affected_rows }
}"""

HOLD_APP = """
mutation holdApp($held: app_bool_exp!, $hold: app_set_input!) {
  update_app(where: $held, _set: $hold) { affected_rows }
}"""

TWEETS_OF_POSTS = """
query tweetsOfPosts($ids: [String!]!) {
  scheduled_post(where: {tweet_id: {_in: $ids}}) { tweet_id }
}"""

STATUSES_OF_OTHERS = """
query statusesOfOthers($attempts: post_attempt_bool_exp!) {
  post_attempt(where: $attempts, distinct_on: [status_code], order_by: [{status_code: asc}]) { status_code }
}"""

READ_TIMEOUT = 10.0
"""Seconds that Hasura may take for an answer."""

WEBHOOK_SECRET_HEADER = "x-webhook-secret"
WEBHOOK_PATH = "/api/postTweet"

ALARM_RETRIES = {"num_retries": 5, "retry_interval_seconds": 15, "timeout_seconds": 60}
TOLERANCE_BEYOND_LATENESS = timedelta(hours=1)
"""An alarm must outlive the post's welcome, so that its last ring can mark the post as missed."""


class HasuraRefusal(ScheduledPostsError):
    """Hasura understood the request and refused it. `code` is its own word for why, e.g. ``permission-error``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"Hasura refused: {message} ({code})")
        self.code = code
        self.message = message


class Hasura:
    """The store of the posts: as their author for creating, as admin for everything else.

    Every method may raise HasuraUnavailable, and ConfigurationError when Hasura refuses us rather than the author.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.batch_size = settings.publish_batch
        self._as_admin = {"x-hasura-admin-secret": settings.hasura_graphql_admin_secret}

    def insert_post(self, draft: Draft, token: str, key: str | None = None) -> Row | None:
        """The stored row, inserted with the author's own token, so that Hasura's permissions decide.

        None when the author has a post of this key already. Raises Unauthorized, Forbidden or InvalidDraft with what
        Hasura objects to, in words.
        """
        post = {name: value for name, value in draft.as_json().items() if value is not None}
        if key is not None:
            post |= {"request_key": key, "request_draft": draft.as_json()}
        document = INSERT_POST if key is None else INSERT_POST_OF_KEY
        row: Row | None = self._graphql_as_author(document, {"post": post}, token)["insert_scheduled_post_one"]
        return row

    def post_of_key(self, key: str, token: str) -> Row | None:
        """The author's post of this key, if there is one, with ``request_draft`` and ``request_event``."""
        rows: list[Row] = self._graphql_as_author(POST_OF_KEY, {"key": key}, token)["scheduled_post"]
        return rows[0] if rows else None

    def keep_alarm(self, post_id: int, alarm: Row) -> None:
        """Keeps what Hasura said of the alarm on the post, for a repeated create."""
        self._graphql_as_admin(KEEP_ALARM, {"id": post_id, "alarm": alarm})

    def set_alarm(self, at: datetime, post: Row | None) -> Row:
        """Hasura's answer to create_scheduled_event: ``message``, and ``event_id`` since v2.1."""
        tolerance = timedelta(seconds=self._settings.max_lateness_seconds) + TOLERANCE_BEYOND_LATENESS
        event = {
            "webhook": self._settings.actions_base_url + WEBHOOK_PATH,
            "schedule_at": at.isoformat(),
            "payload": post,
            "headers": [{"name": WEBHOOK_SECRET_HEADER, "value_from_env": WEBHOOK_SECRET_NAME}],
            "retry_conf": {**ALARM_RETRIES, "tolerance_seconds": int(tolerance.total_seconds())},
            "comment": f"publishes post {post['id']}" if post else "publishes what a ring left behind",
        }
        return self._metadata("create_scheduled_event", event)

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        """What is due, by the database's clock, and is ours for the time of a LEASE."""
        args = {
            "ringing_post_id": ringing_post_id,
            "batch_size": self._settings.publish_batch,
            "lease_seconds": int(LEASE.total_seconds()),
            "max_lateness_seconds": self._settings.max_lateness_seconds,
        }
        rows = self._graphql_as_admin(CLAIM_DUE_POSTS, {"args": args})["claim_due_posts"]
        return [_claimed_post(row) for row in rows]

    def find_post(self, post_id: int) -> Post | None:
        """The post without its account, but with what holds it; None when there is none."""
        data = self._graphql_as_admin(FIND_POST, {"id": post_id})
        row = data["scheduled_post_by_pk"]
        if row is None:
            return None
        holds = [_time(held["held_until"]) for held in (row["account"] or {"held_until": None}, *data["app"])]
        return replace(_post(row), held_until=max((hold for hold in holds if hold), default=None))

    def record(self, post: Post, outcome: Outcome) -> None:
        """Writes the outcome on the attempts and their post in one transaction.

        A tweet is recorded whatever happened to the row meanwhile; anything else only while no later try or look began:
        then neither half is written, and the attempt stays unknown, so that it is looked up.
        """
        still_ours = {
            "attempt": {"_eq": post.attempt},
            "looks": {"_eq": post.looks},
            "state": {"_in": ["sending", "unknown"]},
        }
        ended: Row = {"outcome": outcome.attempt, "detail": outcome.detail}
        if post.state == "sending":
            # The database's clock, as for started_at (PostgreSQL's special date/time values).
            ended |= {
                "status_code": outcome.status_code,
                "finished_at": "now",
                "sign_in_refused": outcome.sign_in_refused,
            }
        counted = {} if outcome.tries is None else {"tries": outcome.tries}
        variables = {
            "post": {"id": {"_eq": post.id}, **({"state": {"_neq": "tweeted"}} if outcome.tweet_id else still_ours)},
            "becomes": {
                "state": outcome.state,
                "reason": outcome.reason,
                "tweet_id": outcome.tweet_id,
                "not_before": outcome.not_before.isoformat() if outcome.not_before else None,
                "lease_until": None,
                "looks": outcome.looks,
                **counted,
            },
            "attempt": {
                "post_id": {"_eq": post.id},
                "number": {"_in": list(outcome.attempts)},
                **({} if outcome.tweet_id else {"scheduled_post": still_ours}),
            },
            "ended": ended,
            "others": {"post_id": {"_eq": post.id}, "number": {"_in": list(outcome.absent)}},
            "absent": {"outcome": "absent", "detail": ABSENT},
        }
        self._graphql_as_admin(RECORD, variables)

    def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
        """Has nothing of an account, or of the whole app (None), claimed before `until`. Never shortens a hold."""
        held: Row = {"_or": [{"held_until": {"_is_null": True}}, {"held_until": {"_lt": until.isoformat()}}]}
        hold = {"held_until": until.isoformat(), "held_because": reason}
        if account_id is None:
            self._graphql_as_admin(HOLD_APP, {"held": held, "hold": hold})
        else:
            self._graphql_as_admin(HOLD_ACCOUNT, {"held": {"id": {"_eq": account_id}, **held}, "hold": hold})

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        """Which of these tweets are known to be of other posts."""
        rows = self._graphql_as_admin(TWEETS_OF_POSTS, {"ids": tweet_ids})["scheduled_post"]
        return {row["tweet_id"] for row in rows}

    def statuses_of_others(self, account_id: int, since: datetime) -> set[int]:
        """The HTTP statuses of X's answers to other accounts since then."""
        attempts = {
            "finished_at": {"_gt": since.isoformat()},
            "status_code": {"_is_null": False},
            "account_id": {"_neq": account_id},
        }
        rows = self._graphql_as_admin(STATUSES_OF_OTHERS, {"attempts": attempts})["post_attempt"]
        return {row["status_code"] for row in rows}

    def _graphql_as_author(self, document: str, variables: Mapping[str, Any], token: str) -> Row:
        try:
            return self._graphql(document, variables, {"Authorization": f"Bearer {token}"})
        except HasuraRefusal as refusal:
            raise _to_the_author(refusal) from refusal

    def _graphql_as_admin(self, document: str, variables: Mapping[str, Any]) -> Row:
        try:
            return self._graphql(document, variables, self._as_admin)
        except HasuraRefusal as refusal:
            raise _to_the_operator(refusal) from refusal

    def _graphql(self, document: str, variables: Mapping[str, Any], headers: Mapping[str, str]) -> Row:
        """The ``data`` of the answer. Hasura answers errors with status 200, so the body decides."""
        answer = self._post("/v1/graphql", {"query": document, "variables": variables}, headers)
        body = answer.json if isinstance(answer.json, dict) else {}
        if refusal := _graphql_refusal(body.get("errors")):
            raise refusal
        if answer.status != 200 or not isinstance(body.get("data"), dict) or not body["data"]:
            raise HasuraUnavailable(f"Hasura answered {answer.status} without data. Try again soon.")
        data: Row = body["data"]
        return data

    def _metadata(self, operation: str, args: Row) -> Row:
        """Prefers the metadata API of v2; Hasura v1.3 has the operation under /v1/query alone."""
        request = {"type": operation, "args": args}
        answer = self._post("/v1/metadata", request, self._as_admin)
        if answer.status == 404:
            answer = self._post("/v1/query", request, self._as_admin)
        body = answer.json if isinstance(answer.json, dict) else {}
        if 400 <= answer.status < 500 and isinstance(body.get("code"), str):
            raise _to_the_operator(HasuraRefusal(body["code"], str(body.get("error"))))
        if answer.status != 200 or body.get("message") != "success":
            raise HasuraUnavailable(f"Hasura answered {answer.status} to {operation}. Try again soon.")
        return body

    def _post(self, path: str, body: Row, headers: Mapping[str, str]) -> http_client.HttpAnswer:
        try:
            return http_client.post(
                self._settings.app_base_api + path, body, headers=headers, read_timeout=READ_TIMEOUT
            )
        except (NotSent, OutcomeUnknown) as error:
            raise HasuraUnavailable(f"Hasura could not be asked: {error.detail}. Try again soon.") from error


def _post(row: Row) -> Post:
    return Post(
        id=int(row["id"]),
        user_id=int(row["user_id"]),
        account_id=None if row["account_id"] is None else int(row["account_id"]),
        text=row["text"],
        schedule_for=datetime.fromisoformat(row["schedule_for"]),
        state=row["state"],
        tries=row["tries"],
        attempt=row["attempt"],
        looks=row["looks"],
        not_before=_time(row["not_before"]),
        tweet_id=row["tweet_id"],
        reason=row["reason"],
    )


def _claimed_post(row: Row) -> Post:
    refused_at = [
        datetime.fromisoformat(attempt["finished_at"])
        for attempt in row["refused"]
        if attempt["account_id"] == row["account_id"]
    ]
    return replace(
        _post(row),
        account=_account(row["account"]),
        is_leased=row["lease_until"] is not None,
        sign_in_refused_at=refused_at[0] if refused_at else None,
        questions=tuple(
            Question(
                number=question["number"],
                account=_account(question["account"]),
                text=question["text"],
                started_at=datetime.fromisoformat(question["started_at"]),
                finished_at=datetime.fromisoformat(question["finished_at"]),
                is_duplicate=question["outcome"] == "duplicate",
            )
            for question in row["questions"]
        ),
    )


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _account(row: Row | None) -> Account | None:
    if row is None:
        return None
    return Account(
        id=int(row["id"]),
        name=row["account_name"],
        user_ids=frozenset(int(link["user_id"]) for link in row["account_users"]),
        access_token=row["access_token"],
        access_token_secret=row["access_token_secret"],
    )


def _graphql_refusal(errors: Any) -> HasuraRefusal | None:
    """None for errors without Hasura's code: somebody else answered in its place."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return HasuraRefusal(code, str(first.get("message"))) if isinstance(code, str) else None


def _to_the_author(refusal: HasuraRefusal) -> ScheduledPostsError:
    """Codes are Hasura's, messages PostgreSQL's or those of the triggers in hasura/migrations."""
    match refusal.code:
        case "invalid-jwt" | "invalid-headers" | "jwt-invalid-claims" | "jwt-missing-role-claims" | "access-denied":
            return Unauthorized(f"Hasura does not accept this token: {refusal.message}.")
        case "not-found" if "session variable" in refusal.message:
            return Unauthorized(f"Hasura does not accept this token: {refusal.message}.")
        case "permission-error" if "permission" in refusal.message:
            return Forbidden("user_id must be your own, and account_id an X account that is linked to you.")
        case "constraint-violation" if "account_id" in refusal.message:
            return InvalidDraft([Fault("account_id", "There is no such account.")])
        case "constraint-violation" if "user_id" in refusal.message:
            return Forbidden("Nobody is known under this sign-in or user_id. Sign up first.")
        case "data-exception":
            return InvalidDraft([Fault("account_id", refusal.message)])
        case "permission-error":
            return InvalidDraft([Fault("text", f"The database refuses this post: {refusal.message}")])
        case "validation-failed":
            return Forbidden("Your role may not schedule posts.")
        case _:
            return HasuraUnavailable("Hasura could not store the post. Try again soon.")


def _to_the_operator(refusal: HasuraRefusal) -> ScheduledPostsError:
    if refusal.code in ("unexpected", "postgres-error"):
        return HasuraUnavailable(f"{refusal}. Try again soon.")
    if refusal.code == "constraint-violation":
        return ConfigurationError(f"{refusal}. Some row stands in the way; `make doctor` names it.")
    return ConfigurationError(f"{refusal}. Check HASURA_GRAPHQL_ADMIN_SECRET, and that hasura/ is applied.")
