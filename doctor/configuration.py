"""Is everything set up? The settings, the functions, the clocks, and what Hasura says of its own metadata."""

from collections.abc import Container, Iterable, Iterator, Mapping
from statistics import median
from typing import Any

from doctor.report import Finding, misconfigured
from shared.config import WEBHOOK_SECRET_NAME
from shared.errors import ConfigurationError, KeysUnavailable, Unauthorized
from shared.hasura.events import STATE_TRIGGER
from shared.http import auth
from shared.limits import CLOCK_MARGIN


def inconsistency_findings(objects: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """What Hasura itself calls inconsistent: an environment variable it lacks, a table that is not there."""
    for one in objects:
        name = " ".join(str(part) for part in (one.get("type"), one.get("name")) if part).replace("_", " ", 1)
        sentence = f"Hasura calls it inconsistent, and leaves it out: {one.get('reason')}."
        yield misconfigured(name or "Hasura's metadata", sentence, "Mend that, and reload the metadata.")


def webhook_findings(address: str, to_wrong_secret: int, to_right_secret: int) -> Iterator[Finding]:
    """`to_...` are the statuses of postTweet's answers to a body that is no event, with each secret.

    401 and 400 are right: the secret is checked first, and nothing is done for a body that is no event.
    """
    match to_wrong_secret, to_right_secret:
        case 401, 400:
            return
        case 401, 401:
            sentence = f"postTweet at {address} has another one."
            yield misconfigured(WEBHOOK_SECRET_NAME, sentence, "Give the functions, Hasura and the doctor the same.")
        case 500, _:
            sentence = f"postTweet at {address} answers 500: a setting of its own is wrong."
            yield misconfigured("functions", sentence, "Its log names the setting.")
        case wrong, right:
            sentence = (
                f"What answers at {address} is not postTweet as it is here: {wrong} to a wrong secret (401 is right), "
                f"{right} to a body that is no event (400 is right)."
            )
            yield misconfigured("ACTIONS_BASE_URL", sentence, "Publish the functions, or correct the address.")


def token_setting_findings(jwt_secret: str) -> Iterator[Finding]:
    """Whether users' tokens can be verified at all: a token that nobody signed must fail for that reason."""
    try:
        auth.bearer_token("Bearer nobody.signed.this", jwt_secret)
    except Unauthorized:
        return
    except (ConfigurationError, KeysUnavailable) as error:
        yield misconfigured("HASURA_GRAPHQL_JWT_SECRET", f"No author can sign in: {error}", "Give the one of Hasura.")


def notification_findings(notify_url: str | None, actual_metadata: Container[str]) -> Iterator[Finding]:
    """Whether Hasura has the optional trigger where a receiver is set; applying the metadata removes it."""
    trigger = f"event trigger {STATE_TRIGGER}"
    if notify_url and trigger not in actual_metadata:
        sentence = "NOTIFY_URL is set, but Hasura does not have it: no author is told of a post that failed."
        yield misconfigured(f"{trigger} at Hasura", sentence, "Create it: docs/notifications.md.")


def clock_findings(ahead: Mapping[str, float]) -> Iterator[Finding]:
    """`ahead`: by how many seconds each clock is ahead of this machine's, itself included. Most of them are right."""
    middle = median(ahead.values())
    for name, seconds in ahead.items():
        apart = seconds - middle
        if abs(apart) > CLOCK_MARGIN.total_seconds():
            sentence = (
                f"It is {abs(apart):.0f} s {'ahead' if apart > 0 else 'behind'}: times are compared wrongly, and X "
                "rejects signatures."
            )
            yield misconfigured(f"the clock of {name}", sentence, "Set it by NTP.")
