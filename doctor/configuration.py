"""Is everything set up? Hasura's metadata, the migrations, the functions, the settings, the clocks."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from statistics import median
from typing import Any

from doctor.expected import DatabaseObject, Metadata
from doctor.findings import Finding
from shared import auth
from shared.config import WEBHOOK_SECRET_NAME
from shared.errors import ConfigurationError, KeysUnavailable, Unauthorized
from shared.looking import MARGIN

Json = dict[str, Any]

APPLY = "Apply hasura/metadata."


def metadata_findings(expected: Metadata, actual: Metadata) -> Iterator[Finding]:
    """What ``hasura/metadata`` has and Hasura has not, or has otherwise."""
    for name, table in expected.tables.items():
        if name in actual.tables:
            yield from _table_findings(name, table, actual.tables[name])
        else:
            yield _misconfigured(f"table {name}", f"Hasura does not track it. {APPLY}")
    for name, function in expected.functions.items():
        if name not in actual.functions:
            yield _misconfigured(f"function {name}", f"Hasura does not track it, so no post is claimed. {APPLY}")
        elif _differ(function, actual.functions[name], "configuration"):
            yield _misconfigured(f"function {name}", f"Hasura tracks it in another way than hasura/metadata. {APPLY}")
    yield from _bell_findings("event trigger", expected.event_triggers, actual.event_triggers, ("definition",))
    yield from _bell_findings("cron trigger", expected.cron_triggers, actual.cron_triggers, ("schedule", "payload"))


def _table_findings(name: str, expected: Json, actual: Json) -> Iterator[Finding]:
    for kind in ("object_relationships", "array_relationships"):
        for relation in _by("name", expected, kind).keys() - _by("name", actual, kind).keys():
            yield _misconfigured(f"table {name}", f"Its relationship {relation} is missing at Hasura. {APPLY}")
    for kind in ("insert_permissions", "select_permissions", "update_permissions", "delete_permissions"):
        has = _by("role", actual, kind)
        for role, wanted in _by("role", expected, kind).items():
            if role not in has or _rights(wanted) != _rights(has[role]):
                sentence = f"The role {role} has other {kind} at Hasura than in hasura/metadata. {APPLY}"
                yield _misconfigured(f"table {name}", sentence)


def _bell_findings(
    kind: str, expected: Mapping[str, Json], actual: Mapping[str, Json], alike: tuple[str, ...]
) -> Iterator[Finding]:
    for name, bell in expected.items():
        if name not in actual:
            yield _misconfigured(f"{kind} {name}", f"Hasura does not have it, so it never rings. {APPLY}")
            continue
        if _headers(bell) != _headers(actual[name]):
            sentence = f"It does not send the header x-webhook-secret from Hasura's {WEBHOOK_SECRET_NAME}. {APPLY}"
            yield _misconfigured(f"{kind} {name}", sentence)
        differing = [key for key in ("webhook", *alike) if _differ(bell, actual[name], key)]
        if differing:
            sentence = f"Its {' and '.join(differing)} at Hasura is not as in hasura/metadata. {APPLY}"
            yield _misconfigured(f"{kind} {name}", sentence)


def inconsistency_findings(objects: Iterable[Json]) -> Iterator[Finding]:
    """What Hasura itself says does not fit: an environment variable it lacks, a table that is not there."""
    for one in objects:
        name = " ".join(str(part) for part in (one.get("type"), one.get("name")) if part).replace("_", " ", 1)
        sentence = f"Hasura calls it inconsistent, and leaves it out until that is mended: {one.get('reason')}"
        yield _misconfigured(name or "Hasura's metadata", sentence)


def migration_findings(expected: Mapping[DatabaseObject, str], actual: Set[DatabaseObject]) -> Iterator[Finding]:
    """What the migrations make and the database lacks; one finding for each migration."""
    missing: dict[str, list[str]] = {}
    for (kind, name), migration in expected.items():
        if (kind, name) not in actual:
            missing.setdefault(migration, []).append(f"{kind} {name}")
    for migration, names in missing.items():
        sentence = f"The database lacks what it makes: {', '.join(names)}. Apply hasura/migrations."
        yield _misconfigured(f"migration {migration}", sentence)


def sql_trigger_findings(expected: Set[str], actual: Set[DatabaseObject]) -> Iterator[Finding]:
    """Event triggers that Hasura has, and that never ring because their SQL is gone."""
    for name in sorted(expected):
        if ("trigger", name) not in actual:
            yield _misconfigured(
                f"trigger {name}", "Hasura's own trigger is missing in the database, or off. Reload the metadata."
            )


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


def _by(key: str, table: Json, kind: str) -> dict[str, Json]:
    return {entry[key]: entry for entry in table.get(kind) or []}


def _rights(entry: Json) -> tuple[Any, ...]:
    permission = entry["permission"]
    columns = permission.get("columns")
    return (
        sorted(columns) if isinstance(columns, list) else columns,
        permission.get("filter") or {},
        permission.get("check") or {},
    )


def _headers(bell: Json) -> list[tuple[str, Any, Any]]:
    listed = bell.get("headers") or []
    return sorted((one["name"].lower(), one.get("value"), one.get("value_from_env")) for one in listed)


def _differ(expected: Json, actual: Json, key: str) -> bool:
    return (expected.get(key) or None) != (actual.get(key) or None)
