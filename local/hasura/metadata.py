"""Hasura's metadata: what is emulated of the document that ``replace_metadata`` takes and ``export_metadata`` shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from local.hasura.graphql_api.postgres_catalog import QualifiedName
from local.hasura.inconsistencies import has_content

_DATABASE_URL = {"from_env": "PG_DATABASE_URL"}


class MetadataRefused(Exception):
    """The metadata cannot be read, or asks for something that is not emulated; the message says where."""


@dataclass(frozen=True)
class Metadata:
    """The one database, in Hasura's words a source, the cron triggers, the query collections, and which of those are in
    the allow list. Keys as in Hasura's metadata reference.

    `database` is empty as long as no metadata was applied.
    """

    database: dict[str, Any]
    cron_triggers: list[dict[str, Any]]
    query_collections: list[dict[str, Any]] = field(default_factory=list)
    allow_list: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Metadata":
        """Raises MetadataRefused."""
        if document.get("version") != 3:
            raise MetadataRefused("version: expected 3.")
        known = {"version", "sources", "cron_triggers", "query_collections", "allowlist"}
        for name, content in document.items():
            if name not in known and has_content(content):
                raise MetadataRefused(f"{name}: not emulated.")
        return cls(
            only_database(document.get("sources"), "sources"),
            document.get("cron_triggers") or [],
            document.get("query_collections") or [],
            document.get("allowlist") or [],
        )

    def as_document(self) -> dict[str, Any]:
        """What from_document reads."""
        sources = [self.database] if self.database else []
        lists = {"query_collections": self.query_collections, "allowlist": self.allow_list}
        filled = {name: content for name, content in lists.items() if content}
        return {"version": 3, "sources": sources, "cron_triggers": self.cron_triggers, **filled}

    @property
    def tables(self) -> list[dict[str, Any]]:
        """One dict a table."""
        return self.database.get("tables") or []

    @property
    def functions(self) -> list[dict[str, Any]]:
        """One dict a function."""
        return self.database.get("functions") or []

    def with_cron_triggers(self, cron_triggers: list[dict[str, Any]]) -> "Metadata":
        """The same with other cron triggers."""
        return replace(self, cron_triggers=cron_triggers)

    def with_tables(self, tables: list[dict[str, Any]]) -> "Metadata":
        """The same with other tables."""
        return replace(self, database={**self.database, "tables": tables})

    def with_functions(self, functions: list[dict[str, Any]]) -> "Metadata":
        """The same with other functions."""
        return replace(self, database={**self.database, "functions": functions})


def table_of(entry: Mapping[str, Any]) -> QualifiedName:
    """The name of a table's entry."""
    return QualifiedName.from_metadata(entry["table"])


def function_of(entry: Mapping[str, Any]) -> QualifiedName:
    """The name of a function's entry."""
    return QualifiedName.from_metadata(entry["function"])


def only_database(databases: Any, where: str) -> dict[str, Any]:
    """The one PostgreSQL database, called ``default``, that is emulated. Raises MetadataRefused with `where`."""
    if not isinstance(databases, list) or len(databases) != 1:
        raise MetadataRefused(f"{where}: expected one database, the only one that is emulated.")
    database: dict[str, Any] = databases[0]
    unknown = sorted(set(database) - {"name", "kind", "configuration", "tables", "functions"})
    if unknown:
        raise MetadataRefused(f"{where}: {', '.join(unknown)} of a database: not emulated.")
    if (database.get("name"), database.get("kind", "postgres")) != ("default", "postgres"):
        raise MetadataRefused(f"{where}: expected a database called default, of the kind postgres.")
    connection = database.get("configuration", {}).get("connection_info", {})
    if connection.get("database_url") != _DATABASE_URL:
        raise MetadataRefused(f"{where}: expected database_url: {{from_env: PG_DATABASE_URL}}.")
    if connection.get("isolation_level", "read-committed") != "read-committed":
        raise MetadataRefused(f"{where}: isolation_level {connection['isolation_level']} is not emulated.")
    return database
