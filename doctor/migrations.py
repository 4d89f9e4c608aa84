"""What the migrations leave behind in the database, read from their SQL."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from doctor.metadata import HASURA
from doctor.sql_text import names, split, statements, without_parentheses


@dataclass(frozen=True)
class DatabaseObject:
    """A table, column, constraint, index, unique index, function or trigger; `table` is the one that it is part of."""

    kind: str
    name: str
    table: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}" + (f" of {self.table}" if self.table else "")


@dataclass(frozen=True)
class Made:
    """Which migration made an object last, and what can be compared of it to the letter.

    That is the body of a function, and the function of a trigger. `sql` is what made it, to see which columns it names.
    """

    migration: str
    definition: str = ""
    sql: str = ""


def expected_objects(migrations: Path = HASURA / "migrations" / "default") -> dict[DatabaseObject, Made]:
    """Everything in the schema ``public``, names that PostgreSQL chooses for constraints included."""
    schema = _Schema()
    for path in sorted(migrations.glob("*/up.sql")):
        for statement, body in statements(path.read_text()):
            schema.run(statement, body, path.parent.name)
    return schema.objects


_PUBLIC = r"(?:public\.)?(\w+)"
_NAMELESS = {"primary key": "pkey", "unique": "key", "foreign key": "fkey", "references": "fkey", "check": "check"}
"""How PostgreSQL ends the name of a constraint that is given none."""


class _Schema:
    def __init__(self) -> None:
        self.objects: dict[DatabaseObject, Made] = {}
        self._made = Made("")
        self._run: list[tuple[str, Callable[..., None]]] = [
            (rf"create table (?:if not exists )?{_PUBLIC} ?\((.*)\)", self._create_table),
            (rf"alter table (?:if exists )?(?:only )?{_PUBLIC} (.*)", self._alter_table),
            (r"drop table (?:if exists )?(.*)", self._drop_tables),
            (rf"create (unique )?index (?:concurrently )?(?:if not exists )?(\w+) on {_PUBLIC} .*", self._create_index),
            (rf"alter index (?:if exists )?{_PUBLIC} rename to (\w+)", self._rename_index),
            (r"drop index (?:concurrently )?(?:if exists )?(.*)", self._drop_indexes),
            (rf"create (?:or replace )?function {_PUBLIC} ?\(.*", self._create_function),
            (rf"alter function {_PUBLIC} ?(?:\(.*\) )?rename to (\w+)", self._rename_function),
            (r"drop function (?:if exists )?(.*)", self._drop_functions),
            (
                rf"create (?:or replace )?(?:constraint )?trigger (\w+) .*? on {_PUBLIC} "
                rf".*execute (?:function|procedure) {_PUBLIC} ?\(.*",
                self._create_trigger,
            ),
            (rf"alter trigger (\w+) on {_PUBLIC} rename to (\w+)", self._rename_trigger),
            (rf"drop trigger (?:if exists )?(\w+) on {_PUBLIC}.*", self._drop_trigger),
        ]

    def run(self, statement: str, body: str, migration: str) -> None:
        """What makes, renames or drops nothing is passed over."""
        self._made = Made(migration, body, statement)
        for pattern, do in self._run:
            if found := re.fullmatch(pattern, statement, re.IGNORECASE):
                return do(*found.groups())
        return None

    def _create_table(self, table: str, elements: str) -> None:
        self.objects[DatabaseObject("table", table)] = self._made
        for element in split(elements):
            self._add(table, element)

    def _alter_table(self, table: str, actions: str) -> None:
        for action in split(actions):
            if found := re.fullmatch(r"add (?:column )?(?:if not exists )?(.*)", action, re.IGNORECASE):
                self._add(table, found[1])
            elif found := re.fullmatch(r"drop constraint (?:if exists )?(\w+).*", action, re.IGNORECASE):
                self.objects.pop(DatabaseObject("constraint", found[1], table), None)
            elif found := re.fullmatch(r"drop (?:column )?(?:if exists )?(\w+).*", action, re.IGNORECASE):
                self._drop_column(table, found[1])
            elif found := re.fullmatch(r"rename to (\w+)", action, re.IGNORECASE):
                self._rename_table(table, found[1])
            elif found := re.fullmatch(r"rename constraint (\w+) to (\w+)", action, re.IGNORECASE):
                self._rename(DatabaseObject("constraint", found[1], table), found[2])
            elif found := re.fullmatch(r"rename (?:column )?(\w+) to (\w+)", action, re.IGNORECASE):
                self._rename_column(table, found[1], found[2])

    def _add(self, table: str, element: str) -> None:
        """A column or a constraint of a table."""
        made = replace(self._made, sql=element)
        if found := re.match(r"constraint (\w+)", element, re.IGNORECASE):
            self.objects[DatabaseObject("constraint", found[1], table)] = made
        elif found := re.match(r"(primary key|unique|foreign key) ?\((.*?)\)", element, re.IGNORECASE):
            self._add_nameless(table, found[1], "_".join(split(found[2])), made)
        else:
            column = element.split()[0]
            self.objects[DatabaseObject("column", column, table)] = made
            kinds = r"(?:constraint (\w+) )?\b(primary key|unique|references|check)\b"
            for name, kind in re.findall(kinds, without_parentheses(element), re.IGNORECASE):
                if name:
                    self.objects[DatabaseObject("constraint", name, table)] = made
                else:
                    self._add_nameless(table, kind, column, made)

    def _add_nameless(self, table: str, kind: str, columns: str, made: Made) -> None:
        ending = _NAMELESS[kind.lower()]
        name = f"{table}_{ending}" if ending == "pkey" else f"{table}_{columns}_{ending}"
        self.objects[DatabaseObject("constraint", name, table)] = made

    def _drop_column(self, table: str, column: str) -> None:
        """Takes along the constraints and indexes that name it."""
        self.objects.pop(DatabaseObject("column", column, table), None)
        self._forget(
            lambda one, made: (
                one.table == table
                and one.kind in ("constraint", "index", "unique index")
                and re.search(rf"\b{column}\b", made.sql) is not None
            )
        )

    def _rename_column(self, table: str, column: str, name: str) -> None:
        self._rename(DatabaseObject("column", column, table), name)
        for one, made in self.objects.items():
            if one.table == table:
                self.objects[one] = replace(made, sql=re.sub(rf"\b{column}\b", name, made.sql))

    def _rename_table(self, table: str, name: str) -> None:
        self._rename(DatabaseObject("table", table), name)
        for one in [one for one in self.objects if one.table == table]:
            self.objects[replace(one, table=name)] = self.objects.pop(one)

    def _drop_tables(self, listed: str) -> None:
        """Takes along all that is of them, and what refers to them."""
        tables = names(listed)
        self._forget(
            lambda one, made: (
                (one.name if one.kind == "table" else one.table) in tables
                or (one.kind == "constraint" and _referred(made.sql) in tables)
            )
        )

    def _create_index(self, unique: str | None, name: str, table: str) -> None:
        self.objects[DatabaseObject("unique index" if unique else "index", name, table)] = replace(
            self._made, definition=""
        )

    def _rename_index(self, index: str, name: str) -> None:
        """The index of a constraint is the constraint's, under the same name."""
        for one in self._indexes([index]):
            self._rename(one, name)

    def _drop_indexes(self, listed: str) -> None:
        for one in self._indexes(names(listed)):
            del self.objects[one]

    def _indexes(self, called: list[str]) -> list[DatabaseObject]:
        kinds = ("index", "unique index", "constraint")
        return [one for one in self.objects if one.kind in kinds and one.name in called]

    def _create_function(self, name: str) -> None:
        self.objects[DatabaseObject("function", name)] = self._made

    def _rename_function(self, function: str, name: str) -> None:
        self._rename(DatabaseObject("function", function), name)
        for one, made in self.objects.items():
            if one.kind == "trigger" and made.definition == function:
                self.objects[one] = replace(made, definition=name, migration=self._made.migration)

    def _drop_functions(self, listed: str) -> None:
        """Takes along the triggers that call them, which only ``cascade`` allows."""
        functions = names(listed)
        self._forget(
            lambda one, made: (
                (one.kind == "function" and one.name in functions)
                or (one.kind == "trigger" and made.definition in functions)
            )
        )

    def _create_trigger(self, name: str, table: str, function: str) -> None:
        self.objects[DatabaseObject("trigger", name, table)] = replace(self._made, definition=function)

    def _rename_trigger(self, trigger: str, table: str, name: str) -> None:
        self._rename(DatabaseObject("trigger", trigger, table), name)

    def _drop_trigger(self, name: str, table: str) -> None:
        self.objects.pop(DatabaseObject("trigger", name, table), None)

    def _rename(self, one: DatabaseObject, name: str) -> None:
        if one in self.objects:
            self.objects[replace(one, name=name)] = replace(self.objects.pop(one), migration=self._made.migration)

    def _forget(self, is_gone: Callable[[DatabaseObject, Made], bool]) -> None:
        self.objects = {one: made for one, made in self.objects.items() if not is_gone(one, made)}


def _referred(sql: str) -> str:
    """The table that a foreign key refers to."""
    found = re.search(rf"references {_PUBLIC}", sql, re.IGNORECASE)
    return found[1] if found else ""
