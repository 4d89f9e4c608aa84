"""Every error of this product: its words, its HTTP status, and what it means for the next try.

    ScheduledPostsError
    ├── Problem                    answered to the caller as application/problem+json
    │   ├── MalformedRequest       400  not JSON, or not the JSON we can read
    │   ├── Unauthorized           401  who is calling cannot be told
    │   ├── Forbidden              403  Hasura's permissions refuse it
    │   ├── BodyTooLarge           413
    │   ├── InvalidDraft           422  every fault of the draft, with its field
    │   │   └── KeyReused          422  the Idempotency-Key came with another draft before
    │   ├── InternalError          500  something nobody thought of; the log holds it
    │   ├── ConfigurationError     500  a setting of ours is missing or wrong: the operator must act
    │   └── Unavailable            503  somebody we need does not answer; the same request works later
    │       ├── HasuraUnavailable
    │       └── KeysUnavailable    the keys that verify tokens (jwk_url) cannot be read
    └── TryFailed                  a try to publish did not end in a tweet; becomes the state of the post
        ├── NotSent                surely not on X       -> the post is scheduled again
        │   ├── AccountHeld        the same, and the account's other posts wait with it
        │   └── AppHeld            the same, and all posts wait with it; the operator is told
        ├── Refused                X will never take it  -> the post is failed
        │   ├── AlreadyPosted      X has this text already; ours, perhaps, when an earlier try ended unknown
        │   └── SignInRefused      X does not know this sign-in (401): once may be a glitch, so it is tried twice
        └── OutcomeUnknown         X may have it         -> the post is unknown, and is not sent again blindly
            └── DuplicateOfUnknown the same: X has this text already, from an earlier try perhaps

The HTTP client knows two kinds of trouble: a request surely did not arrive (NotSent), or may have (OutcomeUnknown).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta


class ScheduledPostsError(Exception):
    """The base of all errors raised on purpose. Its text may be shown to the person it concerns: it holds no secret."""


class Problem(ScheduledPostsError):
    """An error that is answered to the caller (RFC 9457). `detail` says what happened and what to do."""

    status: int
    title: str

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class MalformedRequest(Problem):
    """The body cannot be read."""

    status = 400
    title = "Malformed request"


class Unauthorized(Problem):
    """Nobody we can trust is calling."""

    status = 401
    title = "Unauthorized"


class Forbidden(Problem):
    """The caller is known, and may not do this."""

    status = 403
    title = "Forbidden"


class BodyTooLarge(Problem):
    """The body is larger than any draft can be."""

    status = 413
    title = "Body too large"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a draft: the field's name, and words for its author."""

    field: str
    detail: str


class InvalidDraft(Problem):
    """The draft breaks the rules of a post; `faults` holds every breach, so that all can be mended at once."""

    status = 422
    title = "Invalid draft"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(fault.detail for fault in faults))
        self.faults = tuple(faults)


class InternalError(Problem):
    """A fault of ours."""

    status = 500
    title = "Internal error"


class KeyReused(InvalidDraft):
    """The Idempotency-Key came with another draft before; `faults` name what differs."""

    title = "Idempotency-Key reused"


class ConfigurationError(Problem):
    """A setting is missing or wrong. The caller can do nothing about it, so the details are for the log."""

    status = 500
    title = "Configuration error"


class Unavailable(Problem):
    """Somebody we depend on does not answer. `retry_after` is in seconds."""

    status = 503
    title = "Unavailable"
    retry_after = 10


class HasuraUnavailable(Unavailable):
    """Hasura could not be reached, or its answer was no answer."""

    title = "Hasura is unavailable"


class KeysUnavailable(Unavailable):
    """The issuer's keys could not be read, so no token can be verified."""

    title = "The token issuer's keys are unavailable"


class TryFailed(ScheduledPostsError):
    """A try to publish that did not end in a tweet. `status_code` is X's HTTP status, None when X did not answer.

    `state` is what the post becomes, `outcome` what the attempt log says.
    """

    state: str
    outcome: str

    def __init__(self, detail: str, *, status_code: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status_code = status_code


class NotSent(TryFailed):
    """X surely does not have the post.

    `wait` is the time until the next try, and makes this one not count; None leaves it to the backoff, and counts.
    """

    state = "scheduled"
    outcome = "not_sent"

    def __init__(self, detail: str, *, status_code: int | None = None, wait: timedelta | None = None) -> None:
        super().__init__(detail, status_code=status_code)
        self.wait = wait


class AccountHeld(NotSent):
    """X refuses this account for a while (a limit, a suspension): its other posts would fare no better."""


class AppHeld(NotSent):
    """X refuses our app as a whole (credits, keys, access level): no post can go out until the operator acts."""


class Refused(TryFailed):
    """X, or a rule of ours, refuses this post for good. The author can schedule it anew."""

    state = "failed"
    outcome = "refused"


class AlreadyPosted(Refused):
    """X refuses a text that the account has posted already."""


class SignInRefused(Refused):
    """X answered 401: a revoked token, wrong consumer keys and a clock that is off all look the same."""


class OutcomeUnknown(TryFailed):
    """The request left, and no readable answer came back: X may or may not have the post."""

    state = "unknown"
    outcome = "unknown"


class DuplicateOfUnknown(OutcomeUnknown):
    """X refuses a text that the account has posted already, by an earlier try of unknown outcome or otherwise."""

    outcome = "duplicate"
