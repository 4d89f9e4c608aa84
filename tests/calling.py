"""Calls a function of the app the way the worker does, in this process."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from shared import config

INVOCATION_ID = "5f9c1a9e-0000-4000-8000-000000000001"

SETTINGS = {
    "APP_BASE_API": "http://hasura.test",
    "ACTIONS_BASE_URL": "http://functions.test",
    "HASURA_GRAPHQL_ADMIN_SECRET": "the-admin-secret",
    "HASURA_GRAPHQL_JWT_SECRET": json.dumps({"type": "HS256", "key": "k" * 32, "audience": "app", "issuer": "idp"}),
    "WEBHOOK_SECRET": "the-webhook-secret",
    "CONSUMER_API_KEY": "the-consumer-key",
    "CONSUMER_API_SECRET": "the-consumer-secret",
    "X_TOKEN_KEYS": "a-key:" + "k" * 42 + "A",
    "X_BASE_URL": "http://x.test",
    "ALLOW_PLAIN_HTTP": "true",
}


def settings(**changed: str) -> config.Settings:
    """The settings above; a developer's ``.env`` is not read."""
    return config.load({**SETTINGS, **changed}, dotenv=Path(os.devnull))


@dataclass(frozen=True)
class Context:
    """As much of the worker's context as functions use."""

    invocation_id: str = INVOCATION_ID


def call(main: Callable[..., func.HttpResponse], body: Any, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """What `main` answers to a POST; `body` is sent as JSON unless it is bytes. The settings are read anew."""
    config.settings.cache_clear()
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = func.HttpRequest(method="POST", url="http://functions.test/api/f", headers=headers or {}, body=raw)
    return main(request, Context())


def call_as_stranger(main: Callable[..., func.HttpResponse], headers: dict[str, str]) -> func.HttpResponse:
    """What `main` answers to a POST whose body is no JSON, and must not be read. The settings are read anew."""
    config.settings.cache_clear()
    return main(_UnreadBody(method="POST", url="http://functions.test/api/f", headers=headers, body=b"{no"), Context())


class _UnreadBody(func.HttpRequest):
    def get_body(self) -> bytes:
        raise AssertionError("the body was read")

    def get_json(self) -> Any:
        raise AssertionError("the body was read")


def json_of(response: func.HttpResponse) -> Any:
    return json.loads(response.get_body())
