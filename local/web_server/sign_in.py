"""Signing in by name: makes sure that the user, an account on X and the link between them exist."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

_FIND = """
query FindUser($username: String!) {
  user(where: {username: {_eq: $username}}) {
    id
    account_users { account { id account_name access_token access_token_secret } }
  }
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
_CREATE_ACCOUNT = """
mutation CreateAccount($account: account_insert_input!) { insert_account_one(object: $account) { id } }
"""
_LINK = """
mutation LinkAccount($user_id: bigint!, $account_id: bigint!) {
  insert_account_user_one(object: {user_id: $user_id, account_id: $account_id}) { user_id }
}
"""
_RENEW_TOKENS = """
mutation RenewTokens($id: bigint!, $account: account_set_input!) {
  update_account_by_pk(pk_columns: {id: $id}, _set: $account) { id }
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
        # Nothing in the schema keeps two sign-ins at once from creating two accounts.
        self._one_at_a_time = asyncio.Lock()

    async def user_id(self, username: str) -> int:
        """The id of the user's row; afterwards the user has an account whose tokens X knows. Raises SignInFailed."""
        async with self._one_at_a_time:
            account = await self._account_on_x(username)
            found = (await self._execute(_FIND, username=username))["user"]
            if not found:
                user_id: int = (await self._execute(_CREATE_USER, username=username))["insert_user_one"]["id"]
                linked = []
            else:
                user_id = found[0]["id"]
                linked = [link["account"] for link in found[0]["account_users"]]
            await self._link(user_id, account, linked)
            return user_id

    async def _link(self, user_id: int, account: dict[str, str], linked: list[dict[str, Any]]) -> None:
        if not linked:
            created = await self._execute(_CREATE_ACCOUNT, account=account)
            await self._execute(_LINK, user_id=user_id, account_id=created["insert_account_one"]["id"])
        for known in linked:
            if known["account_name"] == account["account_name"] and not account.items() <= known.items():
                await self._execute(_RENEW_TOKENS, id=known["id"], account=account)

    async def _account_on_x(self, username: str) -> dict[str, str]:
        user = await self._post("X", self._x_users, {"username": username})
        return {
            "account_name": username,
            "access_token": user["access_token"],
            "access_token_secret": user["access_token_secret"],
        }

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
