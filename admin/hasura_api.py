"""Hasura's APIs as commands of the operator use them: as admin."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from shared.config import Settings
from shared.http import client as http_client
from shared.http.client import TransportError

TIMEOUT = timedelta(seconds=30)
STATEMENT_TIMEOUT = timedelta(seconds=20)
"""For the operator's SQL, in place of the shorter one of Hasura's role. Hasura's answer is waited for longer."""

MOST_BYTES = 256 * 1024 * 1024
"""The list of all pending events can be long."""

Json = dict[str, Any]


class HasuraUnusable(Exception):
    """Hasura gave no answer that can be used.

    `subject` is the setting, or what else is wrong; `sentence` says how, `cure` what to do; `code` is Hasura's own word
    for why it refused, where it did.
    """

    def __init__(self, subject: str, sentence: str, cure: str, code: str | None = None) -> None:
        super().__init__(f"{subject}: {sentence} {cure}")
        self.subject = subject
        self.sentence = sentence
        self.cure = cure
        self.code = code


class HasuraApi:
    """Every method raises HasuraUnusable when it gets no answer that can be used."""

    def __init__(self, settings: Settings) -> None:
        self._address = settings.app_base_api
        self._as_admin = {"x-hasura-admin-secret": settings.hasura_graphql_admin_secret}

    def graphql(self, document: str, variables: Mapping[str, Any]) -> Json:
        """The ``data`` of a query, or of a mutation, which is one transaction however many fields it has."""
        body = self._post("/v1/graphql", {"query": document, "variables": variables})
        if "errors" in body:
            error = body["errors"][0]
            raise _refused("the request", error.get("message"), error.get("extensions", {}).get("code"))
        data: Json = body["data"]
        return data

    def metadata(self, operation: str, args: Mapping[str, Any]) -> Any:
        """What the metadata API answers."""
        return self._post("/v1/metadata", {"type": operation, "args": args})

    def select(self, statement: str) -> Json:
        """The JSON value that a statement selects, from a transaction that PostgreSQL itself keeps from writing."""
        return self._run_sql(statement, read_only=True)

    def change(self, statement: str) -> Json:
        """Runs a statement that may write, in one transaction. The JSON value that it selects.

        run_sql has no parameters: nothing but constants and numbers may stand in the statement, never a text of others.
        """
        return self._run_sql(statement, read_only=False)

    def _run_sql(self, statement: str, *, read_only: bool) -> Json:
        patient = f"set local statement_timeout = '{STATEMENT_TIMEOUT.total_seconds():.0f}s';\n{statement}"
        body = self._post("/v2/query", {"type": "run_sql", "args": {"sql": patient, "read_only": read_only}})
        [_names, [value]] = body["result"]
        selected: Json = json.loads(value)
        return selected

    def _post(self, path: str, request: Json) -> Any:
        try:
            answer = http_client.post(
                self._address + path, request, headers=self._as_admin, timeout=TIMEOUT, most_bytes=MOST_BYTES
            )
        except TransportError as error:
            sentence = f"Hasura at {self._address} could not be asked: {error}."
            raise HasuraUnusable("APP_BASE_API", sentence, "Start it, or correct the address.") from error
        if answer.status == 200 and isinstance(answer.json, dict | list):
            return answer.json
        if answer.status == 404 or not isinstance(answer.json, dict):
            sentence = f"What answers at {self._address}{path} (HTTP {answer.status}) is no Hasura 2."
            raise HasuraUnusable("APP_BASE_API", sentence, "Correct the address.")
        raise _refused(request.get("type", path), answer.json.get("error"), answer.json.get("code"))


def _refused(what: str, message: Any, code: Any) -> HasuraUnusable:
    if code in ("access-denied", "invalid-headers"):
        sentence = f"Hasura does not accept it ({message})."
        cure = "Use the one that Hasura has in its own environment."
        return HasuraUnusable("HASURA_GRAPHQL_ADMIN_SECRET", sentence, cure, code)
    if code == "data-exception":  # SQLSTATE class 22: the words are those of our own SQL
        return HasuraUnusable("Hasura", str(message), "Nothing was changed.", code)
    sentence = f"Hasura refused {what}: {message} ({code})."
    return HasuraUnusable("Hasura", sentence, "Apply hasura/migrations and hasura/metadata.", code)
