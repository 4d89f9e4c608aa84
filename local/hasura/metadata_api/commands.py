"""``/v1/query``, ``/v1/metadata`` and ``/v2/query``: a request is one typed command, or several in a ``bulk``.

All commands of a request are parsed before the first one runs, so a request that does not parse changes nothing.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from local.hasura.errors import HasuraError
from local.hasura.json_arguments import anything, list_of, mapping, parse_failed, required, text
from local.hasura.metadata_api.not_emulated import NOT_EMULATED
from local.hasura.session import ADMIN, Session

log = logging.getLogger(__name__)

Command = Callable[[], Awaitable[Any]]
"""Runs a command and returns the JSON of the answer."""

CommandParser = Callable[[Any, str], Command]
"""Parses the ``args`` of one type of command; the second argument is their JSON path."""

SUCCESS = {"message": "success"}


class MetadataApi:
    """One endpoint: the parsers of its types of command, and its message for an unknown type.

    `of_version_2`: the parsers of commands that do something else when the request has ``"version": 2``.
    """

    def __init__(
        self,
        parsers: Mapping[str, CommandParser],
        unknown_type: Callable[[str], str],
        of_version_2: Mapping[str, CommandParser] = MappingProxyType({}),
    ) -> None:
        self._parsers = {1: parsers, 2: {**parsers, **of_version_2}}
        self._unknown_type = unknown_type

    async def run(self, body: Any, session: Session) -> Any:
        """Runs the command of a request and returns the JSON of the answer. Raises HasuraError."""
        command = self._command(body, "$")
        if session.role != ADMIN:
            raise HasuraError("access-denied", "restricted access : admin only", "$.args")
        return await command()

    def _command(self, value: Any, path: str) -> Command:
        given = mapping(value, path)
        kind = required(given, "type", text, path)
        args = required(given, "args", anything, path)
        if kind == "bulk":
            return _in_order(list_of(self._command)(args, f"{path}.args"))
        parsers = self._parsers[2 if given.get("version") == 2 else 1]
        if kind not in parsers:
            log.info("refused the metadata command %s: unknown or not emulated at this endpoint", kind[:60])
            raise self._unknown(kind, path)
        return parsers[kind](args, f"{path}.args")

    def _unknown(self, kind: str, path: str) -> HasuraError:
        if kind in NOT_EMULATED:
            message = f"{kind} is not emulated: change hasura/metadata and start again, or send replace_metadata"
            return HasuraError("not-supported", message, path)
        return parse_failed(self._unknown_type(kind), path)


def on_default_source(args: Any, path: str) -> Mapping[str, Any]:
    """The arguments of a command whose ``source`` is ``default`` or absent. Raises ``not-exists`` for any other."""
    given = mapping(args, path)
    if given.get("source", "default") != "default":
        raise HasuraError("not-exists", f'source with name "{given["source"]}" does not exist', f"{path}.source")
    return given


def unknown_on_v1_metadata(kind: str) -> str:
    """Hasura takes the text before the first underscore for a kind of database."""
    backend = kind.partition("_")[0]
    return f'unknown metadata command "{kind}"; "{backend}" was not recognized as a valid backend name'


def unknown_on_query(kinds: list[str]) -> Callable[[str], str]:
    """For ``/v1/query`` and ``/v2/query``, whose message lists the known types."""
    return lambda kind: f'unknown type "{kind}"; expected one of: {", ".join(sorted([*kinds, "bulk"]))}'


def _in_order(commands: list[Command]) -> Command:
    async def run_all() -> list[Any]:
        return [await command() for command in commands]

    return run_all
