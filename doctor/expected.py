"""What Hasura and its database must have: read from ``hasura/``, so that the doctor need not be told of changes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HASURA = Path(__file__).parent.parent / "hasura"

Json = dict[str, Any]


@dataclass(frozen=True)
class Metadata:
    """Metadata objects by name, each as Hasura's metadata reference describes it."""

    tables: dict[str, Json]
    functions: dict[str, Json]
    event_triggers: dict[str, Json]
    cron_triggers: dict[str, Json]


def expected_metadata(directory: Path = HASURA / "metadata") -> Metadata:
    """What the files say."""
    database = directory / "databases" / "default"
    cron_triggers = yaml.safe_load((directory / "cron_triggers.yaml").read_text())
    return _metadata(_each_in(database / "tables"), _each_in(database / "functions"), cron_triggers)


def metadata_at_hasura(export: Json, cron_triggers: Json) -> Metadata:
    """From Hasura's answers to ``export_metadata``, in the wrapping of its version 2 or without, and, because an export
    leaves out some, to ``get_cron_triggers``."""
    sources = export.get("metadata", export).get("sources") or []
    default: Json = next((source for source in sources if source.get("name") == "default"), {})
    return _metadata(
        default.get("tables") or [], default.get("functions") or [], cron_triggers.get("cron_triggers") or []
    )


def _metadata(tables: list[Json], functions: list[Json], cron_triggers: list[Json]) -> Metadata:
    event_triggers = [trigger for table in tables for trigger in table.get("event_triggers") or []]
    return Metadata(
        tables={table["table"]["name"]: table for table in tables},
        functions={function["function"]["name"]: function for function in functions},
        event_triggers={trigger["name"]: trigger for trigger in event_triggers},
        cron_triggers={trigger["name"]: trigger for trigger in cron_triggers},
    )


def _each_in(directory: Path) -> list[Json]:
    """One object a file; the list that includes them all is no object."""
    contents = [yaml.safe_load(path.read_text()) for path in sorted(directory.glob("*.yaml"))]
    return [content for content in contents if isinstance(content, dict)]


DatabaseObject = tuple[str, str]
"""Its kind (``table``, ``column``, ``function``, ``constraint``, ``trigger``) and its name."""

_NAMED = {
    "table": r'create table public\."?(?P<table>\w+)"?',
    "column": r"add column (?P<column>\w+)",
    "function": r"create (?:or replace )?function public\.(?P<function>\w+)",
    "constraint": r"constraint (?P<constraint>\w+) (?:check|unique|primary|foreign|exclude)",
    "trigger": r"create trigger (?P<trigger>\w+)",
    "gone": r'drop (?P<kind>table|column|function|constraint|trigger) (?:if exists )?(?:public\.)?"?(?P<gone>\w+)"?',
}
_STATEMENT = re.compile("|".join(_NAMED.values()), re.IGNORECASE)


def expected_objects(migrations: Path = HASURA / "migrations" / "default") -> dict[DatabaseObject, str]:
    """What the migrations leave behind, each with the migration that makes it. Reads SQL as we write it, no other."""
    objects: dict[DatabaseObject, str] = {}
    for path in sorted(migrations.glob("*/up.sql")):
        for found in _STATEMENT.finditer(re.sub("--.*", "", path.read_text())):
            named = {kind: name for kind, name in found.groupdict().items() if name}
            if "gone" in named:
                objects.pop((named["kind"].lower(), named["gone"]), None)
            else:
                objects[next(iter(named.items()))] = path.parent.name
    return objects


def sql_triggers_of(event_triggers: Iterable[Json]) -> set[str]:
    """The triggers that Hasura writes in the database for its event triggers."""
    return {
        f"notify_hasura_{trigger['name']}_{operation.upper()}"
        for trigger in event_triggers
        for operation in ("insert", "update", "delete")
        if trigger["definition"].get(operation)
    }


OBJECTS = """
select 'table' as kind, relname as name from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
union select 'column', attname from pg_attribute join pg_class on pg_class.oid = attrelid
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
union select 'function', proname from pg_proc where pronamespace = 'public'::regnamespace
union select 'constraint', conname from pg_constraint
  where connamespace = 'public'::regnamespace and convalidated
union select 'trigger', tgname from pg_trigger where not tgisinternal and tgenabled in ('O', 'A')
"""
"""Selects what the database has, of the kinds above; triggers that somebody switched off are not there."""
