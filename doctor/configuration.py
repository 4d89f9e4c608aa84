"""Is everything set up? The settings, the functions, the clocks, and what Hasura says of its own metadata."""

import re
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from statistics import median
from typing import Any

from doctor.report import Finding, misconfigured
from shared.config import WEBHOOK_SECRET_NAME
from shared.errors import ConfigurationError, KeysUnavailable, Unauthorized
from shared.hasura.events import STATE_TRIGGER
from shared.http import auth
from shared.limits import CLOCK_MARGIN

RELOAD = (
    """echo "x-hasura-admin-secret: $HASURA_GRAPHQL_ADMIN_SECRET" | curl -H @- -H 'Content-Type: application/json' """
    """"$APP_BASE_API/v1/metadata" -d '{"type": "reload_metadata", "args": {"recreate_event_triggers": true}}'"""
)
"""The command, for a shell that has the settings, which makes Hasura look at the database again and create the SQL
triggers of the event triggers. Neither a plain reload nor a start of Hasura creates them (docs/hasura.md)."""

_IN_DATABASE = re.compile(r"(?:table|function) (\S+) in source default")


def inconsistency_findings(objects: Iterable[Mapping[str, Any]], in_database: Collection[str]) -> Iterator[Finding]:
    """What Hasura itself calls inconsistent: an environment variable it lacks, a table that is not there.

    `in_database` names the tables and functions that the database has: ``table account``, ``function f(integer)``. Of
    those that it lacks, the comparison with the migrations tells.
    """
    there = {name.partition("(")[0] for name in in_database}
    for one in objects:
        type_, name, reason = (str(one.get(key) or "") for key in ("type", "name", "reason"))
        of_database = _IN_DATABASE.fullmatch(name)
        if of_database and f"{type_} {of_database[1]}" not in there:
            continue
        subject = f"{type_.replace('_', ' ')} {name.removeprefix(f'{type_} ')}".strip()
        sentence = f"Hasura calls it inconsistent, and leaves it out: {reason.removeprefix('Inconsistent object: ')}."
        if of_database and reason.startswith("Inconsistent object: no such"):
            cure = f"The migrations were applied after the metadata. Have Hasura look at the database again:\n{RELOAD}"
        elif "environment variable" in reason:
            cure = "Give it to Hasura in its environment, and start Hasura again."
        else:
            cure = f"Mend that, and reload the metadata:\n{RELOAD}"
        yield misconfigured(subject or "Hasura's metadata", sentence, cure)


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
