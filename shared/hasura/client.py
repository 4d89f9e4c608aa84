"""Hasura's two APIs: GraphQL for the rows, metadata for the scheduled events."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared.config import WEBHOOK_SECRET_NAME, Settings
from shared.core.drafts import Draft
from shared.core.model import (
    Claim,
    ClaimedPost,
    Decision,
    FoundDraft,
    FoundPost,
    PostOfAuthor,
    Recorded,
    Row,
    State,
    TurnToWait,
)
from shared.core.schedule import EarlierPost
from shared.errors import (
    ConfigurationError,
    Fault,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    ScheduledPostsError,
    TooManyPosts,
    Unauthorized,
)
from shared.hasura import documents, rows
from shared.http import client as http_client
from shared.limits import (
    DELIVERY_RETRIES,
    DELIVERY_RETRY_INTERVAL,
    DELIVERY_TIMEOUT,
    EARLY_MARGIN,
    EVENT_GRACE,
    FOLLOW_UP_TIME,
    HASURA_TIMEOUT,
    LEASE,
)

WEBHOOK_SECRET_HEADER = "x-webhook-secret"
WEBHOOK_PATH = "/api/postTweet"


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
        self.early = timedelta(seconds=settings.early_seconds)
        self.sweep_wait = timedelta(seconds=settings.sweep_wait_seconds)
        self._as_admin = {"x-hasura-admin-secret": settings.hasura_graphql_admin_secret}

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        """The stored row, inserted with the author's own token, so that Hasura's permissions decide.

        None when the author has a post of this key already. Raises Unauthorized, Forbidden, InvalidDraft or
        TooManyPosts with what Hasura objects to, in words.
        """
        if draft.user_id is not None:
            self._require_own(draft.user_id, token)
        post = {name: value for name, value in draft.as_json().items() if value is not None and name != "user_id"}
        if key is not None:
            post |= {"request_key": key, "request_draft": draft.as_json()}
        document = documents.INSERT_POST if key is None else documents.INSERT_POST_OF_KEY
        row: Row | None = self._graphql_as_author(document, {"post": post}, token)["insert_scheduled_post_one"]
        return row

    def post_of_key(self, key: str, token: str) -> EarlierPost | None:
        """The author's post of this key, if there is one."""
        found = self._graphql_as_author(documents.POST_OF_KEY, {"key": key}, token)["scheduled_post"]
        return rows.earlier_post(found[0]) if found else None

    def create_event(self, at: datetime, payload: Mapping[str, Any]) -> Row:
        """Hasura's answer to create_scheduled_event: ``message``, and ``event_id`` since v2.1.

        The event stays deliverable longer than its post stays publishable, so that its last delivery can mark the post
        as missed.
        """
        tolerance = timedelta(seconds=self._settings.max_lateness_seconds) + EVENT_GRACE
        event = {
            "webhook": self._settings.actions_base_url + WEBHOOK_PATH,
            "schedule_at": at.isoformat(),
            "payload": payload,
            "headers": [{"name": WEBHOOK_SECRET_HEADER, "value_from_env": WEBHOOK_SECRET_NAME}],
            "retry_conf": {
                "num_retries": DELIVERY_RETRIES,
                "retry_interval_seconds": int(DELIVERY_RETRY_INTERVAL.total_seconds()),
                "timeout_seconds": int(DELIVERY_TIMEOUT.total_seconds()),
                "tolerance_seconds": int(tolerance.total_seconds()),
            },
            "comment": f"publishes post {payload['id']}",
        }
        return self._metadata("create_scheduled_event", event)

    def delete_event(self, event_id: str) -> None:
        """Takes a one-off scheduled event back; Hasura does not mind one that is gone already."""
        self._metadata("delete_scheduled_event", {"type": "one_off", "event_id": event_id})

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        """Writes the event down on its post; False when the post has another event than `instead_of` by now."""
        earlier = {"_is_null": True} if instead_of is None else {"_eq": instead_of}
        variables = {
            "post": {"id": {"_eq": post_id}, "event_id": earlier},
            "event": {"event_id": event_id, "event_at": at.isoformat()},
        }
        recorded = self._graphql_as_admin(documents.RECORD_EVENT, variables)["update_scheduled_post"]
        return bool(recorded["affected_rows"])

    def forget_event(self, post_id: int, event_id: str) -> None:
        """Takes the event off its post, unless the post has another one by now."""
        variables = {
            "post": {"id": {"_eq": post_id}, "event_id": {"_eq": event_id}},
            "event": {"event_id": None, "event_at": None},
        }
        self._graphql_as_admin(documents.RECORD_EVENT, variables)

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        """What is due, by the database's clock, and is ours for the time of a LEASE."""
        args = {
            "delivered_post_id": delivered_post_id,
            "batch_size": self._settings.publish_batch,
            "lease_seconds": int(LEASE.total_seconds()),
            "max_lateness_seconds": self._settings.max_lateness_seconds,
            "max_posts_per_day": self._settings.max_posts_per_day,
        }
        return rows.claim(self._graphql_as_admin(documents.CLAIM_DUE_POSTS, {"args": args})["claim_due_posts"])

    def find_post(self, post_id: int) -> FoundPost | FoundDraft | None:
        """The post as it is now, and when it is due; None when there is none."""
        data = self._graphql_as_admin(documents.FIND_POST, {"id": post_id})
        row = data["scheduled_post_by_pk"]
        return rows.found_post(row, data["app"], data["database_clock"][0]) if row else None

    def post_of_author(self, post_id: int) -> PostOfAuthor | None:
        """The post as it is now, with its author's and its account's names; None when there is none."""
        row = self._graphql_as_admin(documents.POST_OF_AUTHOR, {"id": post_id})["scheduled_post_by_pk"]
        return rows.post_of_author(row) if row else None

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        """Writes the decision down in one transaction, as record_outcome in hasura/migrations allows it."""
        args = rows.outcome_args(post, decision)
        recorded = self._graphql_as_admin(documents.RECORD_OUTCOME, {"args": args})["record_outcome"]
        return Recorded(recorded[0]["recorded"], State(recorded[0]["state"])) if recorded else Recorded(False, None)

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        """Which of these tweets are known to be of other posts."""
        found = self._graphql_as_admin(documents.TWEETS_OF_POSTS, {"ids": tweet_ids})["scheduled_post"]
        return {row["tweet_id"] for row in found}

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        """Whether the caller waits for posts that are due within EARLY_SECONDS, or stays for `stay` in any case."""
        args = {
            "caller": caller,
            "ahead_seconds": (self.early + EARLY_MARGIN).total_seconds() if self.early else 0,
            "stay_seconds": stay.total_seconds(),
            "wait_seconds": wait.total_seconds(),
        }
        data = self._graphql_as_admin(documents.WAIT_FOR_DUE_POSTS, {"args": args})
        return rows.turn_to_wait(data["wait_for_due_posts"][0])

    def request_follow_up(self) -> None:
        """A delivery within a second or so; nothing happens while another one is outstanding."""
        args = {"outstanding_seconds": int(FOLLOW_UP_TIME.total_seconds())}
        self._graphql_as_admin(documents.REQUEST_FOLLOW_UP, {"args": args})

    def release_follow_up(self) -> None:
        """The follow-up delivery has come; the next one may be asked for."""
        self._graphql_as_admin(documents.RELEASE_FOLLOW_UP, {})

    def _require_own(self, user_id: int, token: str) -> None:
        """Raises Forbidden for any other id, whether somebody has it or not. Who has no row yet fails to insert."""
        found = self._graphql_as_author(documents.AUTHOR, {}, token)["user"]
        if found and int(found[0]["id"]) != user_id:
            raise Forbidden("user_id must be your own.")

    def _graphql_as_author(self, document: str, variables: Mapping[str, Any], token: str) -> Row:
        """With one role, whatever else the token allows: a token's default role may be one with more rights."""
        as_author = {"Authorization": f"Bearer {token}", "X-Hasura-Role": self._settings.hasura_author_role}
        try:
            return self._graphql(document, variables, as_author)
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
            return http_client.post(self._settings.app_base_api + path, body, headers=headers, timeout=HASURA_TIMEOUT)
        except http_client.TransportError as error:
            raise HasuraUnavailable(f"Hasura could not be asked: {error}. Try again soon.") from error


def _graphql_refusal(errors: Any) -> HasuraRefusal | None:
    """None for errors without Hasura's code: somebody else answered in its place."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    extensions = first.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return HasuraRefusal(code, str(first.get("message"))) if isinstance(code, str) else None


def _to_the_author(refusal: HasuraRefusal) -> ScheduledPostsError:
    """Codes are Hasura's, messages PostgreSQL's or those of the triggers in hasura/migrations."""
    match refusal.code:
        case "invalid-jwt" | "invalid-headers" | "jwt-invalid-claims" | "jwt-missing-role-claims":
            return Unauthorized(f"Hasura does not accept this token: {refusal.message}.")
        case "access-denied":
            return Forbidden(
                "Your token does not allow the role of authors. Sign in as somebody who may schedule posts."
            )
        case "not-found" if "session variable" in refusal.message:
            return Unauthorized(f"Hasura does not accept this token: {refusal.message}.")
        case "permission-error" if "permission" in refusal.message:
            return Forbidden("account_id must be an X account that is linked to you.")
        case "constraint-violation" if "user_id" in refusal.message:
            return Forbidden(
                "Nobody is known under this sign-in or user_id. Sign up first: open the page and sign in there once."
            )
        case "data-exception" if refusal.message.startswith("At most"):
            wait = re.search(r"again in (\d+) seconds", refusal.message)
            return TooManyPosts(refusal.message, int(wait[1])) if wait else TooManyPosts(refusal.message)
        case "data-exception":
            return InvalidDraft([Fault("account_id", refusal.message)])
        case "permission-error":
            return InvalidDraft([Fault("text", f"The database refuses this post: {refusal.message}")])
        case "validation-failed":
            return ConfigurationError(f"{refusal}. Check HASURA_AUTHOR_ROLE, and that hasura/ is applied.")
        case _:
            return HasuraUnavailable(f"Hasura could not do this ({refusal.code}). Try again soon.")


def _to_the_operator(refusal: HasuraRefusal) -> ScheduledPostsError:
    if refusal.code in ("unexpected", "postgres-error"):
        return HasuraUnavailable(f"{refusal}. Try again soon.")
    if refusal.code == "constraint-violation":
        return ConfigurationError(f"{refusal}. Some row stands in the way; `make doctor` names it.")
    return ConfigurationError(f"{refusal}. Check HASURA_GRAPHQL_ADMIN_SECRET, and that hasura/ is applied.")
