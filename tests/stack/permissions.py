"""What each role may do: as docs/permissions.md says, as the metadata says, and as a running Hasura answers."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from local_hasura import ADMIN_SECRET, HasuraServer

ROLES = ("user", "linker", "nobody")
_PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
_KINDS = {"read": "select", "insert": "insert", "update": "update", "delete": "delete"}
_NOT_THERE = re.compile(r"field '\w+' not found in type|no mutations exist|no queries are available")


@dataclass(frozen=True)
class Permissions:
    """Each set has one element for each thing that is allowed; what is in none is refused."""

    columns: frozenset[tuple[str, str, str]]
    """Role, operation, and the column with its table: ``("user", "read", "account.id")``."""
    rows: frozenset[tuple[str, str, str, str]]
    """Role, operation, table, and whose rows: ``own`` or ``every``."""
    functions: frozenset[tuple[str, str]]
    """Role and function."""

    def beyond(self, others: "Permissions") -> set[tuple[str, ...]]:
        """What is allowed here and not there."""
        return {*(self.columns - others.columns), *(self.rows - others.rows), *(self.functions - others.functions)}


Conditions = frozenset[tuple[str, ...]]
"""Role, operation, table, condition, limit, and whether the rows are counted; the last two of ``read`` alone."""


class Page:
    """docs/permissions.md."""

    def __init__(self) -> None:
        self._text = _PAGE.read_text()

    def permissions(self) -> Permissions:
        return Permissions(
            frozenset(
                (role, operation, column)
                for column, role, cell in self._cells("Columns")
                for operation in cell.split(", ")
                if operation
            ),
            frozenset((role, operation, table, rows) for role, table, operation, rows, *_ in self._table("Rows")),
            frozenset((role, function) for function, role, cell in self._cells("Functions") if cell == "call"),
        )

    def conditions(self) -> Conditions:
        return frozenset(
            (role, operation, table, condition.replace("`", ""), limit, counted)
            for role, table, operation, _, condition, limit, counted in self._table("Rows")
        )

    def listed_columns(self) -> set[str]:
        return {column for column, *_ in self._table("Columns")}

    def tables_of_the_admin(self) -> set[str]:
        [line] = re.findall("^The other tables are for the admin alone.*", self._text, re.MULTILINE)
        return set(re.findall(r"`(\w+)`", line))

    def listed_functions(self) -> set[str]:
        return {function for function, *_ in self._table("Functions")}

    def _cells(self, heading: str) -> Iterator[tuple[str, str, str]]:
        """The name in the first column of a row, a role, and what stands there."""
        for name, *cells in self._table(heading):
            yield from ((name, role, cell) for role, cell in zip(ROLES, cells, strict=False))

    def _table(self, heading: str) -> list[list[str]]:
        section = self._text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        lines = [line for line in section.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def permissions_in(tables: Iterable[Mapping[str, Any]], functions: Iterable[Mapping[str, Any]]) -> Permissions:
    """What the metadata allows."""
    granted = list(_granted(tables))
    return Permissions(
        frozenset(
            (role, operation, f"{table}.{column}")
            for role, operation, table, permission in granted
            for column in permission.get("columns", [])
            if operation in ("read", "insert", "update")
        ),
        frozenset(
            (role, operation, table, "own" if _condition(permission, operation) else "every")
            for role, operation, table, permission in granted
        ),
        frozenset(
            (permission["role"], function["function"]["name"])
            for function in functions
            for permission in function.get("permissions", [])
        ),
    )


def conditions_in(tables: Iterable[Mapping[str, Any]]) -> Conditions:
    """Which rows the metadata means, and how many."""
    return frozenset(
        (
            role,
            operation,
            table,
            _condition(permission, operation),
            str(permission.get("limit", "")),
            ("yes" if permission.get("allow_aggregations") else "no") if operation == "read" else "",
        )
        for role, operation, table, permission in _granted(tables)
    )


def _granted(tables: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for table in tables:
        name = table["table"]["name"]
        for operation, kind in _KINDS.items():
            for one in table.get(f"{kind}_permissions", []):
                yield one["role"], operation, name, one["permission"]
                if operation == "update":
                    yield one["role"], "update to", name, one["permission"]


def _condition(permission: Mapping[str, Any], operation: str) -> str:
    key = "check" if operation in ("insert", "update to") else "filter"
    return " and ".join(_written(permission.get(key) or {}))


def _written(expression: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """``{"user": {"username": {"_eq": "X"}}}`` as ``user.username = X``; what it cannot read, as it is."""
    for name, value in expression.items():
        if name == "_and":
            for one in value:
                yield from _written(one, path)
        elif name == "_or":
            yield f"({' or '.join(' and '.join(_written(one, path)) for one in value)})"
        elif name == "_eq":
            yield f"{path} = {value}"
        elif name.startswith("_"):
            yield f"{path} {name} {value}"
        else:
            yield from _written(value, f"{path}.{name}" if path else name)


SEED = """
truncate public."user", public.account restart identity cascade;
insert into public."user" (username) values ('bob'), ('alice');
insert into public.account (x_user_id, account_name, sealed_tokens)
  select 1000 + id, username, 'v1.key.' || repeat('k', 80) from public."user";
insert into public.account_user (user_id, account_id) select id, id from public."user";
insert into public.scheduled_post (user_id, account_id, text, schedule_for)
  select id, id, 'a post of ' || username, now() + interval '1 day' from public."user";
insert into public.post_attempt (post_id, number, account_id, x_user_id, text, finished_at, outcome)
  select id, 1, account_id, '1001', text, now(), 'not_sent' from public.scheduled_post;
insert into public.posting_slot (user_id, account_id, weekday, at, time_zone)
  select id, id, 1, '09:00', 'UTC' from public."user";
"""
"""Bob is first: where one row alone is answered, it is not alice's by chance. Each has one id in all tables."""

_BOB, _ALICE = 1, 2
_IDS = {
    "user": "id",
    "account": "id",
    "scheduled_post": "id",
    "account_user": "user_id",
    "post_attempt": "post_id",
    "posting_slot": "id",
    "latest_change": "user_id",
}
"""By which column a row is known to be somebody's."""

_POST = 'text: "new", schedule_for: "2999-01-01T00:00:00Z"'
_SLOT = 'weekday: 2, at: "09:00", time_zone: "UTC"'
_WRITES = {
    ("insert", "scheduled_post"): [
        ("own", "alice", f"insert_scheduled_post(objects: [{{{_POST}, account_id: {_ALICE}}}])"),
        ("every", "alice", f"insert_scheduled_post(objects: [{{{_POST}, account_id: {_BOB}}}])"),
        ("every", "alice", f"insert_scheduled_post(objects: [{{{_POST}, account_id: {_BOB}, user_id: {_BOB}}}])"),
    ],
    ("insert", "user"): [
        ("own", "carol", "insert_user(objects: [{}])"),
        ("every", "carol", 'insert_user(objects: [{username: "mallory"}])'),
    ],
    ("update", "user"): [
        ("own", "alice", f"update_user(where: {{id: {{_eq: {_ALICE}}}}}, _set: {{week_starts_on: 1}})"),
        ("every", "alice", f"update_user(where: {{id: {{_eq: {_BOB}}}}}, _set: {{week_starts_on: 1}})"),
    ],
    ("update", "account"): [
        ("own", "alice", f"update_account(where: {{id: {{_eq: {_ALICE}}}}}, _set: {{paused_until: null}})"),
        ("every", "alice", f"update_account(where: {{id: {{_eq: {_BOB}}}}}, _set: {{paused_until: null}})"),
    ],
    ("update to", "user"): [("own", "alice", "update_user(where: {}, _set: {week_starts_on: 1})")],
    ("update to", "account"): [("own", "alice", "update_account(where: {}, _set: {paused_until: null})")],
    ("update to", "posting_slot"): [("own", "alice", "update_posting_slot(where: {}, _set: {weekday: 3})")],
    ("insert", "posting_slot"): [
        ("own", "alice", f"insert_posting_slot(objects: [{{{_SLOT}}}])"),
        ("every", "alice", f"insert_posting_slot(objects: [{{{_SLOT}, user_id: {_BOB}}}])"),
    ],
    ("update", "posting_slot"): [
        ("own", "alice", f"update_posting_slot(where: {{id: {{_eq: {_ALICE}}}}}, _set: {{weekday: 3}})"),
        ("every", "alice", f"update_posting_slot(where: {{id: {{_eq: {_BOB}}}}}, _set: {{weekday: 3}})"),
    ],
    ("update", "scheduled_post"): [
        ("own", "alice", f'update_scheduled_post(where: {{id: {{_eq: {_ALICE}}}}}, _set: {{text: "changed"}})'),
        ("every", "alice", f'update_scheduled_post(where: {{id: {{_eq: {_BOB}}}}}, _set: {{text: "changed"}})'),
    ],
    ("update to", "scheduled_post"): [
        ("own", "alice", f"update_scheduled_post(where: {{}}, _set: {{account_id: {_ALICE}}})"),
        ("every", "alice", f"update_scheduled_post(where: {{}}, _set: {{account_id: {_BOB}}})"),
    ],
}
"""Whose row it is, who asks, and the mutation. What is written to another table is taken for everybody's."""


class Probe:
    """Asks a running Hasura, in each role, for each column, table and function."""

    def __init__(self, server: HasuraServer) -> None:
        self._server = server
        self._http = requests.Session()
        self._http.trust_env = False  # no proxy is between; each request would look for one
        self.columns: list[tuple[str, str]] = server.sql(
            "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        )
        """Those of the database: table and column."""

    def close(self) -> None:
        self._http.close()

    def permissions(
        self, functions: Iterable[str], roles: Iterable[str] = ROLES, tables: Iterable[str] | None = None
    ) -> Permissions:
        """What the server allows, with all tables or with these; its rows are those of `SEED` afterwards."""
        self._server.sql(SEED)
        columns = [(table, column) for table, column in self.columns if tables is None or table in tables]
        return Permissions(
            frozenset(
                (role, operation, f"{table}.{column}")
                for role in roles
                for table, column in columns
                for operation, document in _documents(table, column)
                if self._may(role, document)
            ),
            frozenset(
                (role, operation, table, whose)
                for role in roles
                for table in {table for table, _ in columns}
                for operation, whose in self._rows(role, table)
            ),
            frozenset(
                (role, function)
                for role in roles
                for function in functions
                if self._may(role, f"mutation {{ {function} {{ __typename }} }}")
            ),
        )

    def _rows(self, role: str, table: str) -> Iterator[tuple[str, str]]:
        if self._may(role, f"{{ {table} {{ __typename }} }}"):
            yield "read", self._read(role, table)
        if self._may(role, f"mutation {{ insert_{table}(objects: [{{}}]) {{ affected_rows }} }}"):
            yield "insert", self._written(role, "insert", table)
        if self._may(role, f"mutation {{ update_{table}(where: {{}}) {{ affected_rows }} }}"):
            yield "update", self._written(role, "update", table)
            yield "update to", self._written(role, "update to", table)
        deleted = self._ask(role, f"mutation {{ delete_{table}(where: {{}}) {{ affected_rows }} }}")
        if "errors" not in deleted:
            yield "delete", "own" if deleted["data"][f"delete_{table}"]["affected_rows"] == 1 else "every"

    def _read(self, role: str, table: str) -> str:
        """Whose rows are answered, one after another, whatever the limit is."""
        name = _IDS.get(table)
        seen = set()
        for offset in range(4):
            answer = self._ask(role, f"{{ {table}(offset: {offset}) {{ {name} }} }}")
            seen |= {row[name] for row in answer.get("data", {}).get(table, [])}
        return "own" if seen == {_ALICE} else "every"

    def _written(self, role: str, operation: str, table: str) -> str:
        """The loosest that is accepted."""
        accepted = "every" if (operation, table) not in _WRITES else "none"
        for whose, username, mutation in _WRITES.get((operation, table), []):
            answer = self._ask(role, f"mutation {{ {mutation} {{ affected_rows }} }}", username)
            if "errors" not in answer and all(one["affected_rows"] for one in answer["data"].values()):
                accepted = whose
        return accepted

    def _may(self, role: str, document: str) -> bool:
        messages = [error["message"] for error in self._ask(role, document).get("errors", [])]
        return not any(_NOT_THERE.search(message) for message in messages)

    def _ask(self, role: str, document: str, username: str = "alice") -> Any:
        """The answer; what a mutation has changed is set back."""
        headers = {"x-hasura-admin-secret": ADMIN_SECRET, "x-hasura-role": role, "x-hasura-user-id": username}
        answer = self._http.post(f"{self._server.url}/v1/graphql", json={"query": document}, headers=headers).json()
        if document.startswith("mutation") and "errors" not in answer:
            self._server.sql(SEED)
        return answer


def _documents(table: str, column: str) -> Iterator[tuple[str, str]]:
    """For each operation a request that needs the right to the column. No row is changed by any."""
    null = f"{{{column}: null}}"
    yield "read", f"{{ {table} {{ {column} }} }}"
    yield "insert", f"mutation {{ insert_{table}(objects: [{null}, {null}]) {{ affected_rows }} }}"
    yield "update", f"mutation {{ update_{table}(where: {{_not: {{}}}}, _set: {null}) {{ affected_rows }} }}"
