"""Reading a metadata directory as the Hasura CLI (config v3) lays it out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_INCLUDE = "!include "
_DATABASE_URL = {"from_env": "PG_DATABASE_URL"}


class MetadataRefused(Exception):
    """The metadata cannot be read, or asks for something that is not emulated; the message names the file."""


class Inconsistency(Exception):
    """Why a part of the metadata is left out, as a sentence without its subject."""


@dataclass(frozen=True)
class Metadata:
    """The content of the files, with the keys of Hasura's metadata reference. `database` is the only one."""

    database: dict[str, Any]
    cron_triggers: list[dict[str, Any]]

    @property
    def tables(self) -> list[dict[str, Any]]:
        """One dict a table."""
        return self.database.get("tables") or []

    @property
    def functions(self) -> list[dict[str, Any]]:
        """One dict a function."""
        return self.database.get("functions") or []


def load_metadata(directory: Path) -> Metadata:
    """Reads the one PostgreSQL database called ``default`` and the cron triggers. Raises MetadataRefused."""
    if not directory.is_dir():
        raise MetadataRefused(f"{directory}: there is no such metadata directory.")
    files = {path.name: _read(path) for path in sorted(directory.glob("*.yaml"))}
    if files.pop("version.yaml", None) != {"version": 3}:
        raise MetadataRefused(f"{directory / 'version.yaml'}: expected `version: 3`.")
    cron_triggers = files.pop("cron_triggers.yaml", None) or []
    _refuse_content(directory, files)
    return Metadata(_only_database(directory / "databases" / "databases.yaml"), cron_triggers)


def _only_database(path: Path) -> dict[str, Any]:
    databases = _read(path)
    if not isinstance(databases, list) or len(databases) != 1:
        raise MetadataRefused(f"{path}: expected one database, the only one that is emulated.")
    database: dict[str, Any] = databases[0]
    unknown = sorted(set(database) - {"name", "kind", "configuration", "tables", "functions"})
    if unknown:
        raise MetadataRefused(f"{path}: {', '.join(unknown)} of a database: not emulated.")
    if (database.get("name"), database.get("kind", "postgres")) != ("default", "postgres"):
        raise MetadataRefused(f"{path}: expected a database called default, of the kind postgres.")
    connection = database.get("configuration", {}).get("connection_info", {})
    if connection.get("database_url") != _DATABASE_URL:
        raise MetadataRefused(f"{path}: expected database_url: {{from_env: PG_DATABASE_URL}}.")
    if connection.get("isolation_level", "read-committed") != "read-committed":
        raise MetadataRefused(f"{path}: isolation_level {connection['isolation_level']} is not emulated.")
    return database


def _refuse_content(directory: Path, files: Mapping[str, Any]) -> None:
    """Actions, remote schemas and the like may be there as long as they are empty, as the CLI writes them."""
    for name, content in files.items():
        if has_content(content):
            raise MetadataRefused(f"{directory / name}: not emulated.")
    for path in directory.glob("*.graphql"):
        if any(line.strip() and not line.strip().startswith("#") for line in path.read_text().splitlines()):
            raise MetadataRefused(f"{path}: not emulated.")


def has_content(content: Any) -> bool:
    """Whether anything is configured; the CLI writes ``{column_config: {}}`` where nothing is."""
    if isinstance(content, Mapping):
        return any(has_content(value) for value in content.values())
    return bool(content)


def refuse_unknown_keys(definition: Mapping[str, Any], known: set[str]) -> None:
    """Raises Inconsistency when the definition has a key that is not emulated, with any content."""
    for key, value in definition.items():
        if key not in known and has_content(value):
            raise Inconsistency(f"{key} is not emulated")


def _read(path: Path) -> Any:
    """The file's content, with every ``!include`` replaced by the content of the included file."""
    try:
        content = yaml.load(path.read_text(), Loader=_Loader)
    except OSError as error:
        raise MetadataRefused(f"{path}: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise MetadataRefused(f"{path}: not YAML: {error}") from error
    return _resolve(content, path.parent)


def _resolve(value: Any, folder: Path) -> Any:
    """Follows ``!include FILE``; the path is relative to the folder of the including file."""
    if isinstance(value, str) and value.startswith(_INCLUDE):
        return _read(folder / value.removeprefix(_INCLUDE).strip())
    if isinstance(value, list):
        return [_resolve(element, folder) for element in value]
    if isinstance(value, dict):
        return {key: _resolve(element, folder) for key, element in value.items()}
    return value


class _Loader(yaml.SafeLoader):
    """Reads the tag ``!include x.yaml`` as the text "!include x.yaml", which is how the CLI itself writes it."""


_Loader.add_constructor("!include", lambda loader, node: _INCLUDE + str(loader.construct_scalar(node)))  # type: ignore[arg-type]
