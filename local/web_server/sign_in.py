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
_CREATE_USER = """
mutation CreateUser($username: String!) {
  insert_user_one(
    object: {username: $username},
    on_conflict: {constraint: user_username_key, update_columns: [username]}
  ) { id }
}
"""
_SAVE_ACCOUNT = """
mutation SaveAccount($account: account_insert_input!) {
  insert_account_one(
    object: $account,
    on_conflict: {constraint: one_account_per_x_user, update_columns: [account_name, sealed_tokens]}
  ) { id }
}
"""
_LINK = """
mutation LinkAccount($user_id: bigint!, $account_id: bigint!) {
  insert_account_user_one(
    object: {user_id: $user_id, account_id: $account_id},
    on_conflict: {constraint: account_user_pkey, update_columns: []}
  ) { user_id }
}
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
        found = (await self._execute(_FIND, username=username))["user"]
        if found:
            user_id: int = found[0]["id"]
            linked = [link["account"] for link in found[0]["account_users"]]
        else:
            user_id = (await self._execute(_CREATE_USER, username=username))["insert_user_one"]["id"]
            linked = []
        tokens = {name: on_x[name] for name in ("access_token", "access_token_secret")}
        if not linked:
            account_id = await self._save_account(on_x, tokens)
            await self._execute(_LINK, user_id=user_id, account_id=account_id)
        for account in linked:
            # Sealing tokens that are stored already would end a pause of the account.
            if account["x_user_id"] == on_x["id"] and self._opened(account) != tokens:
                await self._save_account(on_x, tokens)
        return user_id

    def _opened(self, account: Mapping[str, str]) -> dict[str, str] | None:
        return self._sealer.opened(account["x_user_id"], account["sealed_tokens"])

    async def _save_account(self, on_x: Mapping[str, str], tokens: dict[str, str]) -> int:
        account = {
            "x_user_id": on_x["id"],
            "account_name": on_x["username"],
            "sealed_tokens": self._sealer.seal(on_x["id"], tokens),
        }
        saved: int = (await self._execute(_SAVE_ACCOUNT, account=account))["insert_account_one"]["id"]
        return saved

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
