"""Has the database what the migrations make, and Hasura's own triggers?"""

from collections.abc import Iterable, Iterator, Mapping

from doctor.findings import Finding
from doctor.metadata import Json
from doctor.migrations import DatabaseObject, Made
from doctor.sql_text import comparable

OBJECTS = """
with tables as (
  select oid, relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
)
select 'table' as kind, relname as name, '' as of_table, '' as definition from tables
union all select 'column', attname, relname, '' from pg_attribute join tables on tables.oid = attrelid
  where attnum > 0 and not attisdropped
union all select 'constraint', conname, relname, '' from pg_constraint join tables on tables.oid = conrelid
  where contype in ('c', 'f', 'p', 'u', 'x')
union all select case when indisunique then 'unique index' else 'index' end, pg_class.relname, tables.relname, ''
  from pg_index join tables on tables.oid = indrelid join pg_class on pg_class.oid = indexrelid
  where indisvalid and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u', 'x'))
union all select 'function', proname, '', prosrc from pg_proc where pronamespace = 'public'::regnamespace
union all select 'trigger', tgname, relname, proname
  from pg_trigger join tables on tables.oid = tgrelid join pg_proc on pg_proc.oid = tgfoid
  where not tgisinternal and tgenabled in ('O', 'A')
"""
"""Selects what the schema ``public`` has; what is switched off is not there, what older rows may break is."""

ActualObjects = Mapping[DatabaseObject, set[str]]
"""What there is, each with its definition; functions of one name may be several."""


def objects_in(rows: Iterable[Json]) -> ActualObjects:
    """From the rows of OBJECTS."""
    objects: dict[DatabaseObject, set[str]] = {}
    for row in rows:
        one = DatabaseObject(row["kind"], row["name"], row["of_table"])
        objects.setdefault(one, set()).add(comparable(row["definition"]))
    return objects


def migration_findings(expected: Mapping[DatabaseObject, Made], actual: ActualObjects) -> Iterator[Finding]:
    """What the migrations make and the database lacks, or has otherwise; one finding for each migration."""
    for migration in sorted({made.migration for made in expected.values()}):
        its = {one: made for one, made in expected.items() if made.migration == migration}
        missing = [str(one) for one in its if one not in actual]
        other = [
            str(one)
            for one, made in its.items()
            if made.definition and made.definition not in actual.get(one, {made.definition})
        ]
        wrong = [f"lacks what it makes: {', '.join(missing)}"] * bool(missing)
        wrong += [f"has otherwise: {', '.join(other)}"] * bool(other)
        if wrong:
            sentence = (
                f"The database {'; it '.join(wrong)}. Apply hasura/migrations; where this one counts as applied "
                "already, run what it says of these by hand."
            )
            yield Finding("misconfigured", f"migration {migration}", sentence)


def sql_triggers_of(event_triggers: Mapping[str, Json]) -> list[DatabaseObject]:
    """The triggers that Hasura writes in the database for its event triggers."""
    return [
        DatabaseObject("trigger", f"notify_hasura_{name}_{operation.upper()}", trigger["table"])
        for name, trigger in event_triggers.items()
        for operation in ("insert", "update", "delete")
        if trigger["definition"].get(operation)
    ]


def sql_trigger_findings(expected: Iterable[DatabaseObject], actual: ActualObjects) -> Iterator[Finding]:
    """Event triggers that Hasura has, and that never ring because their SQL is gone."""
    for one in expected:
        if one not in actual:
            sentence = "Hasura's own trigger is missing in the database, or off. Reload the metadata."
            yield Finding("misconfigured", f"trigger {one.name}", sentence)
