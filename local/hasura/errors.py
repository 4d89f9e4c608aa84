"""Hasura's errors: a code of the wire, a message, the path into the request. Whoever answers gives them their form."""

from typing import Any


class HasuraError(Exception):
    """A refusal. `code` is Hasura's word for it, e.g. ``validation-failed``; `path` is a JSON path, ``$...``.

    `internal` is what only the admin is shown. `status` is the HTTP status of ``/v1/query`` and ``/v1/metadata``;
    ``/v1/graphql`` answers 200 whatever happens.
    """

    def __init__(
        self, code: str, message: str, path: str = "$", *, internal: dict[str, Any] | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path
        self.internal = internal
        self.status = status
