"""PostgreSQL's catalog: the tables, views, functions and types that Hasura reads when it builds its schema."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import dict_row


class QualifiedName(NamedTuple):
    """The name of a table or function with its schema."""

    schema: str
    name: str

    @classmethod
    def from_metadata(cls, name: str | dict[str, str]) -> "QualifiedName":
        """Metadata may give a table or function of ``public`` by its bare name."""
        return cls("public", name) if isinstance(name, str) else cls(name.get("schema", "public"), name["name"])

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)

    @property
    def graphql(self) -> str:
        """Hasura's name for it: the schema stands in front unless it is ``public``."""
        return self.name if self.schema == "public" else f"{self.schema}_{self.name}"

    def __str__(self) -> str:
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


class PgType(NamedTuple):
    """A type by its name in the catalog, ``pg_catalog.int4``: spelt without a length, so that a cast cuts nothing."""

    schema: str
    name: str

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class Column:
    name: str
    type: PgType
    nullable: bool
    writable: bool
    """False when only the database fills it: generated columns, ``generated always as identity``."""
    comment: str | None


class UniqueConstraint(NamedTuple):
    name: str
    columns: tuple[str, ...]
    is_primary_key: bool


class ForeignKey(NamedTuple):
    columns: tuple[str, ...]
    remote: QualifiedName
    remote_columns: tuple[str, ...]


@dataclass
class Relation:
    """A table, view or materialized view."""

    name: QualifiedName
    comment: str | None
    is_insertable: bool
    is_updatable: bool
    columns: dict[str, Column] = field(default_factory=dict)
    unique_constraints: list[UniqueConstraint] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The names of its columns; empty when there is none."""
        return next((each.columns for each in self.unique_constraints if each.is_primary_key), ())


class FunctionArgument(NamedTuple):
    name: str | None
    type: PgType
    is_scalar: bool
    """False for row types and pseudo-types."""
    has_default: bool


@dataclass(frozen=True)
class Function:
    name: QualifiedName
    is_volatile: bool
    returns_set: bool
    returns: QualifiedName | None
    """The relation whose rows it returns; None when its result is anything else."""
    has_variadic: bool
    has_output_arguments: bool
    arguments: tuple[FunctionArgument, ...]


@dataclass(frozen=True)
class Catalog:
    relations: dict[QualifiedName, Relation]
    functions: dict[QualifiedName, list[Function]]
    """A list for each name, because PostgreSQL lets functions be overloaded."""


async def read_catalog(connection: psycopg.AsyncConnection) -> Catalog:
    """Reads everything outside PostgreSQL's own schemas."""
    relations = {
        QualifiedName(row["schema"], row["name"]): Relation(
            QualifiedName(row["schema"], row["name"]), row["comment"], row["is_insertable"], row["is_updatable"]
        )
        for row in await _rows(connection, _RELATIONS)
    }
    for row in await _rows(connection, _COLUMNS):
        column = Column(row["name"], PgType(*row["type"]), row["nullable"], row["writable"], row["comment"])
        relations[QualifiedName(*row["relation"])].columns[column.name] = column
    for row in await _rows(connection, _UNIQUE_CONSTRAINTS):
        constraint = UniqueConstraint(row["name"], tuple(row["columns"]), row["is_primary_key"])
        relations[QualifiedName(*row["relation"])].unique_constraints.append(constraint)
    for row in await _rows(connection, _FOREIGN_KEYS):
        key = ForeignKey(tuple(row["columns"]), QualifiedName(*row["remote"]), tuple(row["remote_columns"]))
        relations[QualifiedName(*row["relation"])].foreign_keys.append(key)
    functions: dict[QualifiedName, list[Function]] = defaultdict(list)
    for row in await _rows(connection, _FUNCTIONS):
        function = _function(row)
        functions[function.name].append(function)
    return Catalog(relations, dict(functions))


async def _rows(connection: psycopg.AsyncConnection, query: LiteralString) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query)
        return await cursor.fetchall()


def _function(row: dict[str, Any]) -> Function:
    names, types = row["argument_names"] or [], row["argument_types"]
    first_default = len(types) - row["defaults"]
    arguments = tuple(
        FunctionArgument(
            names[index] or None if index < len(names) else None,
            PgType(schema, name),
            is_scalar=kind not in ("c", "p"),
            has_default=index >= first_default,
        )
        for index, (schema, name, kind) in enumerate(types)
    )
    return Function(
        QualifiedName(row["schema"], row["name"]),
        row["is_volatile"],
        row["returns_set"],
        QualifiedName(*row["returns"]) if row["returns"] else None,
        row["has_variadic"],
        row["has_output_arguments"],
        arguments,
    )


_RELATIONS = """
    select n.nspname as schema, c.relname as name, obj_description(c.oid, 'pg_class') as comment,
        pg_relation_is_updatable(c.oid, true) & 8 > 0 as is_insertable,
        pg_relation_is_updatable(c.oid, true) & 4 > 0 as is_updatable
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'f', 'v', 'm')
      and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
"""

# The type of a column over a domain is the domain's base type, as Hasura resolves it.
_COLUMNS = """
    select json_build_array(n.nspname, c.relname) as relation, a.attname as name, not a.attnotnull as nullable,
        a.attgenerated = '' and a.attidentity <> 'a' as writable, col_description(c.oid, a.attnum) as comment,
        (select json_build_array(tn.nspname, t.typname)
            from pg_type own join pg_type t on t.oid = coalesce(nullif(own.typbasetype, 0), own.oid)
            join pg_namespace tn on tn.oid = t.typnamespace
            where own.oid = a.atttypid) as type
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'f', 'v', 'm')
      and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    order by c.oid, a.attnum
"""

_UNIQUE_CONSTRAINTS = """
    select json_build_array(n.nspname, c.relname) as relation, k.conname as name, k.contype = 'p' as is_primary_key,
        (select json_agg(a.attname order by position)
            from unnest(k.conkey) with ordinality as key(attnum, position)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.attnum) as columns
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype in ('p', 'u') and c.relkind in ('r', 'p')
      and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    order by c.oid, k.conname
"""

_FOREIGN_KEYS = """
    select json_build_array(n.nspname, c.relname) as relation, json_build_array(rn.nspname, r.relname) as remote,
        (select json_agg(a.attname order by position)
            from unnest(k.conkey) with ordinality as key(attnum, position)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = key.attnum) as columns,
        (select json_agg(a.attname order by position)
            from unnest(k.confkey) with ordinality as key(attnum, position)
            join pg_attribute a on a.attrelid = k.confrelid and a.attnum = key.attnum) as remote_columns
    from pg_constraint k
    join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_class r on r.oid = k.confrelid join pg_namespace rn on rn.oid = r.relnamespace
    where k.contype = 'f' and c.relkind in ('r', 'p')
      and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    order by c.oid, k.conname
"""

_FUNCTIONS = """
    select n.nspname as schema, p.proname as name, p.provolatile = 'v' as is_volatile, p.proretset as returns_set,
        (select json_build_array(rn.nspname, r.relname)
            from pg_type t join pg_class r on r.oid = t.typrelid and r.relkind in ('r', 'p', 'f', 'v', 'm')
            join pg_namespace rn on rn.oid = r.relnamespace
            where t.oid = p.prorettype) as returns,
        p.provariadic <> 0 as has_variadic, p.proargmodes is not null and p.provariadic = 0 as has_output_arguments,
        p.proargnames as argument_names, p.pronargdefaults as defaults,
        (select coalesce(json_agg(json_build_array(tn.nspname, t.typname, t.typtype) order by position), '[]')
            from unnest(p.proargtypes) with ordinality as argument(type, position)
            join pg_type t on t.oid = argument.type join pg_namespace tn on tn.oid = t.typnamespace) as argument_types
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where p.prokind = 'f' and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
    order by p.oid
"""
