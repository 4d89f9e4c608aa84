"""The rows as the doctor reads them: posts with their logs, and what holds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from doctor.hasura_api import HasuraApi

MOST = 10_000
"""How many open, and how many closed posts are read."""

_POST = """{
  id account_id text schedule_for state attempt not_before lease_until tweet_id reason
  account { account_name held_until }
  post_attempts(order_by: {number: asc}) {
    number account_id text started_at finished_at outcome
  }
}"""

POSTS = f"""
query doctorReadsPosts($since: timestamptz!, $most: Int!) {{
  open: scheduled_post(where: {{is_pending: {{_eq: true}}}}, order_by: [{{schedule_for: asc}}], limit: $most) {_POST}
  closed: scheduled_post(
    where: {{is_pending: {{_eq: false}}, updated_at: {{_gt: $since}}}}, order_by: [{{updated_at: desc}}], limit: $most
  ) {_POST}
  left_open: scheduled_post(
    where: {{state: {{_neq: "sending"}}, post_attempts: {{finished_at: {{_is_null: true}}}}}}, limit: $most
  ) {_POST}
  app {{ held_until held_because }}
}}"""


@dataclass(frozen=True)
class Attempt:
    """An entry in the log of a post, with the account and the text that it was tried with."""

    number: int
    account_id: int | None
    text: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Post:
    """A row with its log. `held_until` is the account's."""

    id: int
    account_id: int | None
    account_name: str | None
    text: str
    schedule_for: datetime
    state: str
    attempt: int
    not_before: datetime | None
    lease_until: datetime | None
    tweet_id: str | None
    reason: str | None
    held_until: datetime | None
    attempts: tuple[Attempt, ...]

    @property
    def subject(self) -> str:
        return f"post {self.id}"


@dataclass(frozen=True)
class Posts:
    """The open posts, those closed lately, and what holds all of them."""

    all: tuple[Post, ...]
    app_held_until: datetime | None
    app_held_because: str | None
    are_cut: bool

    def in_state(self, state: str) -> list[Post]:
        return [post for post in self.all if post.state == state]


def read_posts(hasura: HasuraApi, since: datetime) -> Posts:
    """All open posts, and those that changed since. Raises CannotExamine."""
    data = hasura.query(POSTS, {"since": since.isoformat(), "most": MOST})
    rows = {row["id"]: _post(row) for row in chain(data["open"], data["closed"], data["left_open"])}
    app = data["app"][0] if data["app"] else {"held_until": None, "held_because": None}
    are_cut = MOST in (len(data["open"]), len(data["closed"]))
    return Posts(tuple(rows.values()), _time(app["held_until"]), app["held_because"], are_cut)


def _post(row: Mapping[str, Any]) -> Post:
    account = row["account"] or {"account_name": None, "held_until": None}
    return Post(
        id=int(row["id"]),
        account_id=_id(row["account_id"]),
        account_name=account["account_name"],
        text=row["text"],
        schedule_for=datetime.fromisoformat(row["schedule_for"]),
        state=row["state"],
        attempt=row["attempt"],
        not_before=_time(row["not_before"]),
        lease_until=_time(row["lease_until"]),
        tweet_id=row["tweet_id"],
        reason=row["reason"],
        held_until=_time(account["held_until"]),
        attempts=tuple(
            Attempt(
                number=attempt["number"],
                account_id=_id(attempt["account_id"]),
                text=attempt["text"],
                started_at=datetime.fromisoformat(attempt["started_at"]),
                finished_at=_time(attempt["finished_at"]),
                outcome=attempt["outcome"],
            )
            for attempt in row["post_attempts"]
        ),
    )


def _id(value: int | str | None) -> int | None:
    """A bigint, which Hasura may be set to write as a text."""
    return None if value is None else int(value)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
