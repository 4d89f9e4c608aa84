"""The core: what a post is, what it needs of the outside world, and how it is created.

A ring is in ringing.py, one try to publish in publishing.py.

Knows no HTTP, no GraphQL and no environment. All times are aware datetimes in UTC.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.drafts import Draft
from shared.errors import ScheduledPostsError

LEASE = timedelta(minutes=2)
"""How long a claimed post is its publisher's."""

logger = logging.getLogger(__name__)

Row = dict[str, Any]
"""A row as Hasura answers it."""


@dataclass(frozen=True)
class Account:
    """An account on X, who may post from it, and the tokens that do."""

    id: int
    name: str
    user_ids: frozenset[int]
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True)
class Post:
    """A scheduled post as its row has it; no account_id means that the account was removed.

    `held_until` is known of found posts alone: until when X refuses its account, or our app. `account` and
    `sign_in_refused_at` are known of claimed posts alone: when an earlier try met a refused sign-in.
    """

    id: int
    user_id: int
    account_id: int | None
    text: str
    schedule_for: datetime
    state: str
    tries: int
    not_before: datetime | None = None
    tweet_id: str | None = None
    reason: str | None = None
    held_until: datetime | None = None
    account: Account | None = None
    sign_in_refused_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """When it goes out: its time, or where that is later the time of the next try or the end of a hold."""
        return max(self.schedule_for, self.not_before or self.schedule_for, self.held_until or self.schedule_for)


@dataclass(frozen=True)
class Outcome:
    """How one try ended: what the post becomes (`state`, `reason`, ...), and what its attempt says (`attempt`, ...)."""

    state: str
    attempt: str
    detail: str
    reason: str | None = None
    tweet_id: str | None = None
    status_code: int | None = None
    not_before: datetime | None = None


@dataclass(frozen=True)
class Created:
    """A stored post, and its alarm; None where the alarm could not be set and the sweep will see to the post."""

    post: Row
    alarm: Row | None


class Clock(Protocol):
    """Where the core takes the time from."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def sleep(self, pause: timedelta) -> None:
        """Waits."""


class PostStore(Protocol):
    """Where the rows and the alarms are. Everything may raise HasuraUnavailable."""

    def set_alarm(self, at: datetime, post: Row) -> Row:
        """Has the webhook called at that time with `post` as payload; answers what Hasura says of the event."""

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        """Takes what is due. Posts in state ``sending`` are the caller's to publish; the others ended in the claim."""

    def find_post(self, post_id: int) -> Post | None:
        """The post as it is now; None when there is none."""

    def record(self, post: Post, outcome: Outcome) -> None:
        """Writes down how this try ended, on the post and its attempt at once."""

    def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
        """Has nothing of an account, or of the whole app, claimed before then."""

    def statuses_of_others(self, account_id: int, since: datetime) -> set[int]:
        """The HTTP statuses of X's answers to other accounts since then."""


class Publisher(Protocol):
    """What puts a text on X."""

    def publish(self, account: Account, text: str) -> str:
        """The id of the new tweet. Raises a TryFailed."""


def create(draft: Draft, insert: Callable[[Draft], Row], set_alarm: Callable[[datetime, Row], Row]) -> Created:
    """Stores the draft and sets its alarm. A missing alarm does not undo the post: the sweep publishes it."""
    row = insert(draft)
    logger.info("post %s is stored for %s", row["id"], draft.schedule_for.isoformat())
    try:
        alarm = set_alarm(draft.schedule_for, row)
    except ScheduledPostsError as error:
        logger.error("post %s has no alarm, the sweep will publish it: %s", row["id"], error)
        return Created(row, None)
    logger.info("post %s has its alarm: event %s", row["id"], alarm.get("event_id", "of unknown id"))
    return Created(row, alarm)
