"""Signing in by name: makes sure that the user, an account on X and the link between them exist."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from local.web_server.sealed_tokens import TokenSealer

_FIND = """
query FindUser($username: String!) {
  user(where: {username: {_eq: $username}}) { id account_users { account { id x_user_id sealed_tokens } } }
}
"""
_LINK = """
mutation LinkAccount($args: link_account_args!) { link_account(args: $args) { user_id } }
"""


class SignInFailed(Exception):
    """Hasura or X failed; the message says which one and why."""


class SignIn:
    """Creates what a new user needs, in Hasura as the admin and in the local X."""

    def __init__(self, session: aiohttp.ClientSession, settings: Mapping[str, str]) -> None:
        self._session = session
        self._graphql = f"{settings['APP_BASE_API']}/v1/graphql"
        self._admin_secret = settings["HASURA_GRAPHQL_ADMIN_SECRET"]
        self._x_users = f"{settings['X_BASE_URL']}/_local/users"
        self._sealer = TokenSealer(settings["X_TOKEN_KEYS"])

    async def user_id(self, username: str) -> int:
        """The id of the user's row; afterwards the user has an account whose tokens X knows. Raises SignInFailed."""
        on_x = await self._post("X", self._x_users, {"username": username})
        tokens = {name: on_x[name] for name in ("access_token", "access_token_secret")}
        found = (await self._execute(_FIND, username=username))["user"]
        # Tokens that are stored already stay as they are, because new ones would end a pause of the account. An author
        # who has another account keeps that one alone, so that posts need not name it.
        if found and (linked := [link["account"] for link in found[0]["account_users"]]):
            own = [account for account in linked if account["x_user_id"] == on_x["id"]]
            if not own or self._opened(own[0]) == tokens:
                return int(found[0]["id"])
        args = {
            "username": username,
            "x_user_id": on_x["id"],
            "account_name": on_x["username"],
            "sealed_tokens": self._sealer.seal(on_x["id"], tokens),
        }
        return int((await self._execute(_LINK, args=args))["link_account"][0]["user_id"])

    def _opened(self, account: Mapping[str, str]) -> dict[str, str] | None:
        return self._sealer.opened(account["x_user_id"], account["sealed_tokens"])

    async def _execute(self, document: str, **variables: Any) -> dict[str, Any]:
        headers = {"x-hasura-admin-secret": self._admin_secret}
        answer = await self._post("Hasura", self._graphql, {"query": document, "variables": variables}, headers)
        if errors := answer.get("errors"):
            raise SignInFailed(f"Hasura refused: {errors[0]['message']}")
        data: dict[str, Any] = answer["data"]
        return data

    async def _post(self, who: str, url: str, body: object, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            async with self._session.post(url, json=body, headers=headers) as answer:
                if not answer.ok:
                    raise SignInFailed(f"{who} answered {answer.status} at {url}")
                content: dict[str, Any] = await answer.json()
                return content
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise SignInFailed(f"{who} cannot be reached at {url} ({type(error).__name__})") from error
