"""The core: what a post is, what it needs of the outside world, and how it is created.

A ring is in ringing.py, one try to publish in publishing.py.

Knows no HTTP, no GraphQL and no environment. All times are aware datetimes in UTC.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared.core.drafts import Draft, read_draft
from shared.errors import Fault, HasuraUnavailable, InvalidDraft, KeyReused, ScheduledPostsError

LEASE = timedelta(minutes=2)
"""How long a claimed post is its publisher's."""

ABSENT = "It was looked for and is not on X."
"""What the log says of a try that X turned out not to have."""

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
class Question:
    """An earlier try of which it is not known, or was not at first, whether X has it.

    `text` is what was sent then, and `account` from where; None: that account was removed since. `is_duplicate`: X
    refused it because it has that text already.
    """

    number: int
    account: Account | None
    text: str
    started_at: datetime
    finished_at: datetime
    is_duplicate: bool = False


@dataclass(frozen=True)
class Post:
    """A scheduled post as its row has it; no account_id means that the account was removed.

    `tries` counts since it was scheduled or opened again, `attempt` is the number of the latest entry in its log, and
    `looks` counts how often its unknown outcome was looked up. Known of found posts alone: `held_until`, until when X
    refuses its account or our app. Known of claimed posts alone: `account`; `is_leased`, whether it is the caller's;
    `sign_in_refused_at`, when X last refused the sign-in of this account for it; and its open `questions`.
    """

    id: int
    user_id: int
    account_id: int | None
    text: str
    schedule_for: datetime
    state: str
    tries: int
    attempt: int = 0
    looks: int = 0
    not_before: datetime | None = None
    tweet_id: str | None = None
    reason: str | None = None
    held_until: datetime | None = None
    account: Account | None = None
    is_leased: bool = False
    sign_in_refused_at: datetime | None = None
    questions: tuple[Question, ...] = ()

    @property
    def unanswered_tries(self) -> int:
        """How many of the latest entries in its log, as many as its `tries`, ended without a word from X."""
        return sum(question.number > self.attempt - self.tries for question in self.questions)

    @property
    def due_at(self) -> datetime:
        """When it goes out: its time, or where that is later the time of the next try or the end of a hold."""
        return max(self.schedule_for, self.not_before or self.schedule_for, self.held_until or self.schedule_for)


@dataclass(frozen=True)
class Outcome:
    """How one try, or one look, ended: what the post becomes (`state`, `reason`, ...), and what its attempt says.

    `attempts` numbers the attempts that say so: of a try its own; of a look those it answers, if any. A look counts no
    `tries`: None leaves them as they are. What a look finds of one try can show that later ones are `absent`.
    """

    state: str
    attempt: str
    detail: str
    reason: str | None = None
    tweet_id: str | None = None
    status_code: int | None = None
    not_before: datetime | None = None
    attempts: tuple[int, ...] = ()
    absent: tuple[int, ...] = ()
    looks: int = 0
    tries: int | None = None
    sign_in_refused: bool = False


@dataclass(frozen=True)
class Created:
    """A stored post, and its alarm; None where no alarm is known to be set, and the sweep will see to the post."""

    post: Row
    alarm: Row | None


class Clock(Protocol):
    """Where the core takes the time from."""

    def now(self) -> datetime:
        """The time, in UTC."""

    def sleep(self, pause: timedelta) -> None:
        """Waits."""


class DraftStore(Protocol):
    """Where a draft becomes a row, with its author's rights, and gets its alarm. May raise a Problem."""

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        """The new row; None when the author has a post of this key already."""

    def post_of_key(self, key: str, token: str) -> Row | None:
        """The author's post of this key, if there is one, with ``request_draft`` and ``request_event``."""

    def set_alarm(self, at: datetime, post: Row | None) -> Row:
        """Has the webhook called at that time with `post` as payload; answers what Hasura says of the event."""

    def keep_alarm(self, post_id: int, alarm: Row) -> None:
        """Keeps the answer for a repeated create."""


class PostStore(Protocol):
    """Where the rows and the alarms are. Everything may raise HasuraUnavailable."""

    batch_size: int
    """How many posts one claim takes at most."""

    def set_alarm(self, at: datetime, post: Row | None) -> Row:
        """Has the webhook called at that time with `post` as payload; None rings for no post in particular."""

    def claim_due_posts(self, ringing_post_id: int | None) -> list[Post]:
        """Takes what is due. Leased posts are the caller's, to publish (``sending``) or to look up (``unknown``);
        the others ended in the claim."""

    def find_post(self, post_id: int) -> Post | None:
        """The post as it is now; None when there is none."""

    def record(self, post: Post, outcome: Outcome) -> None:
        """Writes down how this try or look ended, on the post and its attempts at once."""

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        """Which of these tweets are known to be of other posts."""

    def hold(self, until: datetime, reason: str, account_id: int | None) -> None:
        """Has nothing of an account, or of the whole app, claimed before then."""

    def statuses_of_others(self, account_id: int, since: datetime) -> set[int]:
        """The HTTP statuses of X's answers to other accounts since then."""


class Publisher(Protocol):
    """What puts a text on X."""

    def publish(self, account: Account, text: str) -> str:
        """The id of the new tweet. Raises a TryFailed."""

    def find(self, account: Account, text: str, since: datetime) -> list[str]:
        """The ids of the account's tweets with this text since then, oldest first. Raises a TryFailed."""


def create(fields: Mapping[str, Any], token: str, key: str | None, store: DraftStore, clock: Clock) -> Created:
    """Stores the draft in a JSON object and sets its alarm; the post of the same key, if there is one.

    A missing alarm does not undo the post: the sweep publishes it. Raises InvalidDraft, and KeyReused when the key came
    with another draft.
    """
    try:
        draft = read_draft(fields, clock.now())
    except InvalidDraft:
        first = store.post_of_key(key, token) if key else None
        if first is None:
            raise
        return _created_before(read_draft(fields, now=_was_welcome_at(first, clock)), first)
    row = store.insert_post(draft, token, key)
    if row is None:
        first = store.post_of_key(key or "", token)
        if first is None:
            raise HasuraUnavailable("The post of this Idempotency-Key was deleted just now. Try again.")
        return _created_before(draft, first)
    logger.info("post %s is stored for %s", row["id"], draft.schedule_for.isoformat())
    try:
        alarm = store.set_alarm(draft.schedule_for, row)
        logger.info("post %s has its alarm: event %s", row["id"], alarm.get("event_id", "of unknown id"))
    except ScheduledPostsError as error:
        logger.error("post %s has no alarm, the sweep will publish it: %s", row["id"], error)
        return Created(row, None)
    if key:
        _keep_alarm(row, alarm, store)
    return Created(row, alarm)


def _was_welcome_at(row: Row, clock: Clock) -> datetime:
    """The time that the first create asked for: it may be past by now, and is as good as it was then."""
    try:
        return datetime.fromisoformat(row["request_draft"]["schedule_for"])
    except (KeyError, TypeError, ValueError):  # an author can store anything as the draft of a key
        return clock.now()


def _created_before(draft: Draft, row: Row) -> Created:
    first = row.pop("request_draft")
    differing = [name for name, value in draft.as_json().items() if first.get(name) != value]
    if differing:
        raise KeyReused([Fault(name, f"This Idempotency-Key came with another {name} before.") for name in differing])
    logger.info("post %s is created again by its key", row["id"])
    return Created(row, row.pop("request_event"))


def _keep_alarm(row: Row, alarm: Row, store: DraftStore) -> None:
    try:
        store.keep_alarm(row["id"], alarm)
    except ScheduledPostsError as error:
        logger.warning("a repeated create of post %s will not know its alarm: %s", row["id"], error)
