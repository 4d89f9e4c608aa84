"""Has Hasura the metadata of ``hasura/metadata``, all of it, and for its tables and functions no other?"""

from collections.abc import Iterator, Mapping
from typing import Any

from doctor.findings import Finding
from doctor.metadata import PERMISSIONS, RELATIONSHIPS, Json, Metadata
from shared.config import WEBHOOK_SECRET_NAME

_APPLY = "Apply hasura/metadata."


def metadata_findings(expected: Metadata, actual: Metadata) -> Iterator[Finding]:
    """Where the two differ. What Hasura has for other programs, in tables of their own, is passed over."""
    for name, table in expected.tables.items():
        if name in actual.tables:
            yield from _table_findings(f"table {name}", table, actual.tables[name])
        else:
            yield _misconfigured(f"table {name}", "Hasura does not track it.")
    for name, function in expected.functions.items():
        if name in actual.functions:
            yield from _function_findings(f"function {name}", function, actual.functions[name])
        else:
            yield _misconfigured(f"function {name}", "Hasura does not track it, so no post is claimed.")
    yield from _role_findings(expected, actual)
    yield from _bell_findings("event trigger", expected.event_triggers, actual.event_triggers)
    yield from _bell_findings("cron trigger", expected.cron_triggers, actual.cron_triggers)


def _table_findings(subject: str, expected: Json, actual: Json) -> Iterator[Finding]:
    for kind in RELATIONSHIPS:
        yield from _part_findings(subject, _singular(kind), expected[kind], actual[kind])
    for kind in PERMISSIONS:
        yield from _part_findings(subject, f"{_singular(kind)} of the role", expected[kind], actual[kind])
    yield from _part_findings(subject, "setting", expected["rest"], actual["rest"])


def _function_findings(subject: str, expected: Json, actual: Json) -> Iterator[Finding]:
    yield from _part_findings(subject, "permission of the role", expected["permissions"], actual["permissions"])
    yield from _part_findings(subject, "setting", expected["rest"], actual["rest"])


def _part_findings(
    subject: str, kind: str, expected: Mapping[str, Any], actual: Mapping[str, Any]
) -> Iterator[Finding]:
    for name in sorted(expected.keys() | actual.keys()):
        if name not in actual:
            yield _misconfigured(subject, f"Its {kind} {name} is missing at Hasura.")
        elif name not in expected:
            yield _misconfigured(subject, f"At Hasura it has a {kind} {name} that hasura/metadata does not give it.")
        elif expected[name] != actual[name]:
            yield _misconfigured(subject, f"Its {kind} {name} at Hasura is not as in hasura/metadata.")


def _singular(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ")


def _role_findings(expected: Metadata, actual: Metadata) -> Iterator[Finding]:
    """A role may get the rights of ours by inheriting them."""
    ours = {role for table in expected.tables.values() for kind in PERMISSIONS for role in table[kind]}
    for role in sorted(expected.inherited_roles.keys() | actual.inherited_roles.keys()):
        wanted, has = (metadata.inherited_roles.get(role, frozenset()) for metadata in (expected, actual))
        if wanted != has and (wanted | has) & ours:
            inherited = ", ".join(sorted(has)) or "nothing"
            sentence = f"At Hasura it inherits the rights of {inherited}, which is not as in hasura/metadata."
            yield _misconfigured(f"role {role}", sentence)


def _bell_findings(kind: str, expected: Mapping[str, Json], actual: Mapping[str, Json]) -> Iterator[Finding]:
    for name, bell in expected.items():
        if name not in actual:
            yield _misconfigured(f"{kind} {name}", "Hasura does not have it, so it never rings.")
            continue
        differing = {key for key in bell.keys() | actual[name].keys() if bell.get(key) != actual[name].get(key)}
        if "headers" in differing:
            sentence = (
                f"It does not send the header x-webhook-secret from Hasura's {WEBHOOK_SECRET_NAME}, and that alone."
            )
            yield _misconfigured(f"{kind} {name}", sentence)
        if other := sorted(differing - {"headers"}):
            sentence = f"Its {' and '.join(other)} at Hasura is not as in hasura/metadata."
            yield _misconfigured(f"{kind} {name}", sentence)


def _misconfigured(subject: str, what: str) -> Finding:
    return Finding("misconfigured", subject, f"{what} {_APPLY}")
