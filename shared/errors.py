"""The tree of errors; those that are answered to a caller are here, each with its words and its HTTP status.

    ScheduledPostsError
    ├── Problem                    answered to the caller as application/problem+json
    │   ├── MalformedRequest       400  not JSON, or not the JSON we can read
    │   ├── Unauthorized           401  who is calling cannot be told
    │   ├── Forbidden              403  Hasura's permissions refuse it
    │   ├── BodyTooLarge           413
    │   ├── InvalidDraft           422  every fault of the draft, with its field
    │   │   └── KeyReused          422  the Idempotency-Key came with another draft before
    │   ├── TooManyPosts           429  the author has reached a limit
    │   ├── InternalError          500  something nobody thought of; the log holds it
    │   ├── ConfigurationError     500  a setting of ours is missing or wrong: the operator must act
    │   └── Unavailable            503  somebody we need does not answer; the same request works later
    │       ├── HasuraUnavailable
    │       └── KeysUnavailable    the keys that verify tokens (jwk_url) cannot be read
    ├── TransportError             shared/http/client.py: there is no answer
    ├── TokensDoNotOpen            shared/x/sealed_tokens.py: sealed tokens do not open with our keys
    ├── TimelineUnavailable        shared/core/model.py: X did not show an account's timeline
    └── HasuraRefusal              shared/hasura/client.py: Hasura refused a request; becomes a Problem

What X says of a post is no error but a result (shared/core/model.py), and what becomes of the post is decided in
shared/core/policy.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.limits import LIMIT_RETRY_AFTER, UNAVAILABLE_RETRY_AFTER


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


class KeyReused(InvalidDraft):
    """The Idempotency-Key came with another draft before; `faults` name what differs."""

    title = "Idempotency-Key reused"


class TooManyPosts(Problem):
    """The author has reached a limit (hasura/migrations, limits). `retry_after` is in seconds."""

    status = 429
    title = "Too many posts"

    def __init__(self, detail: str, retry_after: int = int(LIMIT_RETRY_AFTER.total_seconds())) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class InternalError(Problem):
    """A fault of ours."""

    status = 500
    title = "Internal error"


class ConfigurationError(Problem):
    """Only the operator can mend it: a setting, or what Hasura refuses us. The details are for the log."""

    status = 500
    title = "Configuration error"


class Unavailable(Problem):
    """Somebody we depend on does not answer. `retry_after` is in seconds."""

    status = 503
    title = "Unavailable"
    retry_after = int(UNAVAILABLE_RETRY_AFTER.total_seconds())


class HasuraUnavailable(Unavailable):
    """Hasura could not be reached, or its answer was no answer."""

    title = "Hasura is unavailable"


class KeysUnavailable(Unavailable):
    """The issuer's keys could not be read, so no token can be verified."""

    title = "The token issuer's keys are unavailable"
