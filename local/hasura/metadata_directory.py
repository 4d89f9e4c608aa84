"""Reading a metadata directory as the Hasura CLI (config v3) lays it out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from local.hasura.inconsistencies import has_content
from local.hasura.metadata import Metadata, MetadataRefused, only_database

_INCLUDE = "!include "


def load_metadata(directory: Path) -> Metadata:
    """Reads the one PostgreSQL database called ``default``, the cron triggers and the allow list.

    Raises MetadataRefused.
    """
    if not directory.is_dir():
        raise MetadataRefused(f"{directory}: there is no such metadata directory.")
    files = {path.name: _read(path) for path in sorted(directory.glob("*.yaml"))}
    if files.pop("version.yaml", None) != {"version": 3}:
        raise MetadataRefused(f"{directory / 'version.yaml'}: expected `version: 3`.")
    cron_triggers, query_collections, allow_list = (
        files.pop(name, None) or [] for name in ("cron_triggers.yaml", "query_collections.yaml", "allow_list.yaml")
    )
    _refuse_content(directory, files)
    databases = directory / "databases" / "databases.yaml"
    return Metadata(only_database(_read(databases), str(databases)), cron_triggers, query_collections, allow_list)


def _refuse_content(directory: Path, files: Mapping[str, Any]) -> None:
    """Actions, remote schemas and the like may be there as long as they are empty, as the CLI writes them."""
    for name, content in files.items():
        if has_content(content):
            raise MetadataRefused(f"{directory / name}: not emulated.")
    for path in directory.glob("*.graphql"):
        if any(line.strip() and not line.strip().startswith("#") for line in path.read_text().splitlines()):
            raise MetadataRefused(f"{path}: not emulated.")


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
