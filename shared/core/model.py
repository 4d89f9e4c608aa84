"""What the core knows of the world: a post, its attempts, what X said, and the ports to the posts and to X.

Knows no HTTP, no GraphQL and no environment. All times are aware datetimes in UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.core.event_store import EventStore
from shared.errors import ScheduledPostsError


class State(StrEnum):
    """The states of a post."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    TWEETED = "tweeted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    MISSED = "missed"


class Outcome(StrEnum):
    """How an attempt ended."""

    TWEETED = "tweeted"
    NOT_SENT = "not_sent"
    """X surely does not have it, and may take it in another attempt."""
    SKIPPED = "skipped"
    """X was not asked."""
    REJECTED = "rejected"
    """X, or a rule of ours, will never take it."""
    UNKNOWN = "unknown"
    """X may have it."""
    DUPLICATE = "duplicate"
    """X has this text already, perhaps from an earlier attempt of unknown outcome."""
    ABSENT = "absent"
    """The outcome was unknown, and X surely does not have it."""


class Rejection(StrEnum):
    """What X rejected."""

    POST = "post"
    """This post, for good."""
    DUPLICATE = "duplicate"
    """The text: the account has posted it already."""
    SIGN_IN = "sign_in"
    """The account's tokens; a wrong app key and a clock that is off look the same."""
    ACCOUNT = "account"
    """The account, for a while: a limit, a suspension."""
    APP = "app"
    """Our app as a whole, for a while: credits, keys, access level."""


@dataclass(frozen=True)
class Account:
    """An account on X, by its user's id there, and its tokens, sealed. `name` is its handle when it was linked."""

    id: int
    name: str
    x_user_id: str
    sealed_tokens: str = field(repr=False)


@dataclass(frozen=True)
class UnresolvedAttempt:
    """An attempt of which it is not known, or was not at first, whether X has it.

    An ABSENT one is among them, because X may show it after all. `text` is what was sent, and `account` has the tokens
    of the X user that it was sent from; None: that user is not linked any more. `outcome` is UNKNOWN, DUPLICATE or
    ABSENT.
    """

    number: int
    account: Account | None
    text: str
    outcome: Outcome
    started_at: datetime
    finished_at: datetime


@dataclass(frozen=True)
class ClaimedPost:
    """A post that is the caller's until `lease_until`: to publish while SENDING, to reconcile while UNKNOWN.

    `attempt_number` is the latest entry of its log; of a post to publish that attempt is open. No `account`: it was
    removed. `unanswered_attempts` (X did not answer), `unsent_attempts` (no connection) and `account_rejections` (X
    rejected the account for a while) count the ended attempts since the post was scheduled or opened again;
    `failed_reconciliations` those of the latest attempt.
    `sign_in_rejected_at` is when X first rejected the sign-in of this account for this post, and `others_...` tell what
    X said to other accounts since then. `unresolved` begins with the newest attempt.
    """

    id: int
    text: str
    schedule_for: datetime
    state: State
    lease_until: datetime
    attempt_number: int
    account: Account | None
    may_post: bool
    unanswered_attempts: int = 0
    unsent_attempts: int = 0
    account_rejections: int = 0
    failed_reconciliations: int = 0
    sign_in_rejected_at: datetime | None = None
    others_accepted_since: bool = False
    others_rejected_since: bool = False
    unresolved: tuple[UnresolvedAttempt, ...] = ()
    event_id: str | None = None
    event_at: datetime | None = None


@dataclass(frozen=True)
class MissedPost:
    """A post that the claim ended: it was too late."""

    id: int
    reason: str


@dataclass(frozen=True)
class Claim:
    """What one claim took. `ceiling_reached`: why it took no more and paused the app, when that was for the ceiling."""

    posts: tuple[ClaimedPost, ...] = ()
    missed: tuple[MissedPost, ...] = ()
    ceiling_reached: str | None = None

    @property
    def size(self) -> int:
        """How many posts it took; fewer than the batch size: nothing is left."""
        return len(self.posts) + len(self.missed)


@dataclass(frozen=True)
class FoundPost:
    """A post as it was at `found_at`, by the database's clock, which also says what is due. `due_at`: its time, or its
    next attempt. `has_open_attempt`: one in its log.

    `paused_until`: until when its account or the app is paused, if it is or was.
    """

    id: int
    state: State
    schedule_for: datetime
    found_at: datetime
    due_at: datetime
    paused_until: datetime | None = None
    reason: str | None = None
    tweet_id: str | None = None
    event_id: str | None = None
    event_at: datetime | None = None
    has_open_attempt: bool = False


@dataclass(frozen=True)
class FoundDraft:
    """A post that its author has not scheduled, or has made a draft again."""

    id: int


@dataclass(frozen=True)
class Delivery:
    """An invocation of the webhook: the post it is about, if any, and the event that caused it.

    About no post are the sweep (the cron trigger ``publish_due_posts``, each minute), one that the database asks for
    when there are new posts that are due soon or a pause was ended, and a follow-up delivery, which another delivery
    asked for because it left posts behind.
    """

    post_id: int | None
    event_id: str | None = None
    is_follow_up: bool = False


@dataclass(frozen=True)
class StateChange:
    """An event of the trigger ``post_ended``: what a post became. `retry` counts from 0; `is_last`: no other follows.

    `is_open`: the post is not at its end, because it will be attempted or reconciled again.
    """

    event_id: str
    post_id: int
    state: str
    is_open: bool
    retry: int
    is_last: bool


@dataclass(frozen=True)
class PostOfAuthor:
    """A post with what somebody needs who tells its author of it. No account name: the account was removed."""

    id: int
    user_id: int
    username: str
    account_name: str | None
    state: State
    is_open: bool
    reason: str | None
    schedule_for: datetime
    updated_at: datetime


# What became of an attempt to publish.


@dataclass(frozen=True)
class Accepted:
    """X has the post. `code` is the HTTP status of X's answer, kept for the log, here and below."""

    tweet_id: str
    code: int | None = None


@dataclass(frozen=True)
class NoConnection:
    """No connection could be made: X surely does not have the post."""

    detail: str


@dataclass(frozen=True)
class Skipped:
    """X was not asked, because it was too late to wait for its answer."""

    detail: str


@dataclass(frozen=True)
class Refused:
    """X was not asked, because a rule of ours forbids it for good."""

    reason: str


@dataclass(frozen=True)
class Rejected:
    """X does not take it. `wait`: how long an ACCOUNT or APP is to wait.

    `operator_message`: what the operator must look at, although X rejects one account alone.
    """

    what: Rejection
    detail: str
    code: int | None = None
    wait: timedelta = timedelta()
    operator_message: str | None = None


@dataclass(frozen=True)
class Unanswered:
    """The request left, and no readable answer came: X may or may not have the post."""

    detail: str
    code: int | None = None


@dataclass(frozen=True)
class TokensUnreadable:
    """X was not asked, because the account's sealed tokens do not open with our keys; `detail` is for the author."""

    detail: str
    operator_message: str


PublishResult = Accepted | NoConnection | Skipped | Refused | Rejected | Unanswered | TokensUnreadable


# What X's timeline shows of a post of unknown outcome.


@dataclass(frozen=True)
class Found:
    """X has it, from this attempt. `absent` are newer attempts of which it is known now that X does not have them."""

    number: int
    tweet_id: str
    absent: tuple[int, ...] = ()


@dataclass(frozen=True)
class NotShownYet:
    """X does not show it, which proves nothing before `sure_at`."""

    sure_at: datetime


@dataclass(frozen=True)
class SurelyAbsent:
    """X has it from none of the unresolved attempts. `absent` are those of which that was not known before."""

    absent: tuple[int, ...] = ()


@dataclass(frozen=True)
class CannotAsk:
    """X did not show the timeline. `wait`: how long X asks to wait, if it does; `what` it rejected, if it did.

    `operator_message` is as in Rejected.
    """

    detail: str
    wait: timedelta | None = None
    what: Rejection | None = None
    operator_message: str | None = None


@dataclass(frozen=True)
class PerhapsOfAnother:
    """X shows a post with this text, and our own store could not say whether that is another post's."""


@dataclass(frozen=True)
class NothingToAsk:
    """X is asked no more: the account was removed here, nothing tells what was sent, or asking failed too often."""

    detail: str


TimelineResult = Found | NotShownYet | SurelyAbsent | PerhapsOfAnother | CannotAsk | TokensUnreadable | NothingToAsk


class TimelineUnavailable(ScheduledPostsError):
    """X did not show the timeline; `result` says why, and until when."""

    def __init__(self, result: CannotAsk | TokensUnreadable) -> None:
        super().__init__(result.detail)
        self.result = result


# What is decided.


@dataclass(frozen=True)
class AttemptUpdate:
    """What the post's log says of an attempt from now on; None leaves it as it is."""

    number: int
    outcome: Outcome | None = None
    detail: str | None = None
    rejection: Rejection | None = None
    code: int | None = None
    failed_reconciliations: int | None = None


@dataclass(frozen=True)
class Pause:
    """No post of the account, or of the whole app, is attempted before `until`; why is the decision's `reason`."""

    of: Rejection
    until: datetime


@dataclass(frozen=True)
class Decision:
    """What a post becomes, what its attempts say, and when to come back: `next_attempt_at` or `reconcile_at`.

    `operator_message`: what the operator must act on.
    """

    state: State
    attempts: tuple[AttemptUpdate, ...] = ()
    reason: str | None = None
    tweet_id: str | None = None
    next_attempt_at: datetime | None = None
    reconcile_at: datetime | None = None
    pause: Pause | None = None
    operator_message: str | None = None

    @property
    def come_back_at(self) -> datetime | None:
        """When the post is next due; None: nobody will come back."""
        return self.next_attempt_at or self.reconcile_at or (self.pause.until if self.pause else None)


@dataclass(frozen=True)
class Recorded:
    """Whether a decision was written down, and the state of the post after that; None: the post was deleted."""

    done: bool
    state: State | None


@dataclass(frozen=True)
class TurnToWait:
    """Whether posts are due soon, so that a delivery must wait for them, and whether the caller is the one.

    `due_in`: how long until a post may be due; None when none is scheduled.
    """

    is_needed: bool
    is_callers: bool
    due_in: timedelta | None


# Ports.


class PostStore(EventStore, Protocol):
    """Where the posts are. Everything may raise a Problem."""

    batch_size: int
    """How many posts one claim takes at most."""

    sweep_wait: timedelta
    """How long a delivery about no post stays, whatever is due."""

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        """Takes what is due, the delivered post first."""

    def find_post(self, post_id: int) -> FoundPost | FoundDraft | None:
        """The post as it is now; None when there is none."""

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        """Writes a decision down, on the post, in its log and on what is paused, at once."""

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        """Which of these tweets are known to be of other posts."""

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        """The turn to wait, to be asked for again each WAIT_STEP. The caller stops after `wait` at the latest.

        It is needed while posts are due within `early`, and in any case for `stay`.
        """

    def request_follow_up(self) -> None:
        """Asks for a delivery that takes what this one leaves behind; nothing to do while one is outstanding."""

    def release_follow_up(self) -> None:
        """The follow-up delivery has come."""


class Timeline(Protocol):
    """An account's own tweets, of which each is read once, whoever searches them, from whatever thread."""

    def find(self, text: str, since: datetime) -> list[str]:
        """The ids of the tweets with this text since then, oldest first.

        Raises TimelineUnavailable, also when X has not shown all of them in time.
        """


class XApi(Protocol):
    """X: where posts are published and found again."""

    def publish(self, account: Account, text: str) -> PublishResult:
        """Puts a text on X; never raises for what X or the network does."""

    def timeline(self, account: Account, since: datetime, until: datetime) -> Timeline:
        """The account's tweets since then. Nothing is read before it is searched, nor after `until`."""
