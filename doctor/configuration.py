"""Is everything set up? What Hasura says of itself, the functions, the settings, the clocks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from doctor.findings import Finding
from shared.config import WEBHOOK_SECRET_NAME
from shared.core.reconcile import MARGIN
from shared.errors import ConfigurationError, KeysUnavailable, Unauthorized
from shared.http import auth

Json = dict[str, Any]


def inconsistency_findings(objects: Iterable[Json]) -> Iterator[Finding]:
    """What Hasura itself says does not fit: an environment variable it lacks, a table that is not there."""
    for one in objects:
        name = " ".join(str(part) for part in (one.get("type"), one.get("name")) if part).replace("_", " ", 1)
        sentence = f"Hasura calls it inconsistent, and leaves it out until that is mended: {one.get('reason')}"
        yield _misconfigured(name or "Hasura's metadata", sentence)


@dataclass(frozen=True)
class Webhook:
    """HTTP statuses with which postTweet answered: a wrong secret; and the right one with a body that is no event."""

    address: str
    to_wrong_secret: int
    to_right_secret: int


def webhook_findings(webhook: Webhook) -> Iterator[Finding]:
    """401 and 400 are right: the secret is looked at first, and nothing is done for a body that is no event."""
    match webhook.to_wrong_secret, webhook.to_right_secret:
        case 401, 400:
            return
        case 401, 401:
            sentence = (
                f"postTweet at {webhook.address} has another one. Give the functions, Hasura and the doctor the same."
            )
            yield _misconfigured(WEBHOOK_SECRET_NAME, sentence)
        case 500, _:
            sentence = f"postTweet at {webhook.address} answers 500: a setting of its own is wrong. Its log names it."
            yield _misconfigured("functions", sentence)
        case wrong, right:
            sentence = (
                f"What answers at {webhook.address} is not postTweet as it is here: {wrong} to a wrong secret (401 is "
                f"right), {right} to a body that is no event (400 is right). Publish it, or correct the address."
            )
            yield _misconfigured("ACTIONS_BASE_URL", sentence)


def unreachable_functions(address: str, why: str) -> Finding:
    sentence = f"postTweet at {address} could not be asked: {why}. Start the functions, or correct the address."
    return _misconfigured("ACTIONS_BASE_URL", sentence)


def token_setting_findings(jwt_secret: str) -> Iterator[Finding]:
    """Whether users' tokens can be verified at all: a token that nobody signed must fail for that reason."""
    try:
        auth.bearer_token("Bearer nobody.signed.this", jwt_secret)
    except Unauthorized:
        return
    except (ConfigurationError, KeysUnavailable) as error:
        yield _misconfigured("HASURA_GRAPHQL_JWT_SECRET", f"No author can sign in: {error}")


def clock_findings(ahead: Mapping[str, float]) -> Iterator[Finding]:
    """`ahead`: by how many seconds each clock is ahead of this machine's, itself included. Most of them are right."""
    middle = median(ahead.values())
    for name, seconds in ahead.items():
        apart = seconds - middle
        if abs(apart) > MARGIN.total_seconds():
            sentence = (
                f"It is {abs(apart):.0f} s {'ahead' if apart > 0 else 'behind'}: times are compared wrongly, and X "
                "refuses signatures. Set it by NTP."
            )
            yield _misconfigured(f"the clock of {name}", sentence)


def _misconfigured(subject: str, sentence: str) -> Finding:
    return Finding("misconfigured", subject, sentence)
