"""Seals the tokens of every account with the first key of X_TOKEN_KEYS, so that the other keys can go.

Before: give the new key to everything that opens tokens, as the last one of X_TOKEN_KEYS, then make it the first one
everywhere. After: take the old key away. An account whose tokens are renewed meanwhile is left to its new tokens. A
pause of an account, and since when it has its tokens, stay as they are. It is safe to interrupt, and to run again.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field

from admin.connection import CommandRefused, Connection, parser_for, run, say
from admin.hasura_api import HasuraApi, Json
from shared.x.sealed_tokens import TokenKeys, TokensDoNotOpen

PAGE = 100
"""Accounts that are read at once."""

MOST_PASSES = 5
"""An account that was changed between reading and writing is read again in the next pass."""

ACCOUNTS = """
query adminReadsSealedTokens($after: bigint!, $most: Int!) {
  account(where: {id: {_gt: $after}}, order_by: {id: asc}, limit: $most) {
    id account_name x_user_id sealed_tokens tokens_since paused_until paused_reason
  }
}"""

SEAL_ANEW = """
mutation adminSealsAnew(
  $unchanged: account_bool_exp!, $sealed: String!, $same: account_bool_exp!, $kept: account_set_input!
) {
  sealed: update_account(where: $unchanged, _set: {sealed_tokens: $sealed}) { affected_rows }
  kept: update_account(where: $same, _set: $kept) { affected_rows }
}"""
"""One transaction: a change of the sealed tokens ends the pause, and the second statement takes it up again."""


@dataclass
class _Pass:
    """One time through all accounts."""

    total: int = 0
    sealed_anew: int = 0
    changed_meanwhile: int = 0
    unreadable: list[str] = field(default_factory=list)


def main() -> None:
    given = _options()
    run(given.data, rotate)


def rotate(connection: Connection) -> None:
    """Raises CommandRefused when the first key does not open some account's tokens at the end; the others it opens."""
    keys = connection.settings.x_token_keys
    sealed_anew = 0
    for _ in range(MOST_PASSES):
        done = _seal_all(connection.hasura, keys)
        sealed_anew += done.sealed_anew
        if not done.changed_meanwhile:
            break
    say(f"{sealed_anew} of {done.total} accounts were sealed anew with the first key.")
    if done.changed_meanwhile:
        raise CommandRefused("Some accounts were changed at the same time again and again; run the command again.")
    if done.unreadable:
        raise CommandRefused(
            f"Not sealed anew, because X_TOKEN_KEYS does not open their tokens: {'; '.join(done.unreadable)}. Add the "
            "key that sealed them, or link these accounts anew."
        )
    say("All accounts are sealed with the first key: the other keys can go.")


def _seal_all(hasura: HasuraApi, keys: TokenKeys) -> _Pass:
    done = _Pass()
    for account in _accounts(hasura):
        done.total += 1
        # Before its key's id is looked at: another key may have had the id of the first one.
        try:
            tokens = keys.open(account["x_user_id"], account["sealed_tokens"])
        except TokensDoNotOpen as error:
            done.unreadable.append(f"@{account['account_name']} ({error})")
            continue
        if keys.seals_with(account["sealed_tokens"]):
            continue
        if _replace(hasura, account, keys.seal(account["x_user_id"], tokens)):
            done.sealed_anew += 1
        else:
            done.changed_meanwhile += 1
    return done


def _accounts(hasura: HasuraApi) -> Iterator[Json]:
    """In pages, by their ids, which grow: those that are linked meanwhile come last."""
    page = hasura.graphql(ACCOUNTS, {"after": 0, "most": PAGE})["account"]
    while page:
        yield from page
        page = hasura.graphql(ACCOUNTS, {"after": page[-1]["id"], "most": PAGE})["account"]


def _replace(hasura: HasuraApi, account: Json, sealed: str) -> bool:
    """Whether the account was as it was read, and is sealed anew now."""
    kept = {name: account[name] for name in ("tokens_since", "paused_until", "paused_reason")}
    read = {"id": account["id"], "sealed_tokens": account["sealed_tokens"], **kept}
    unchanged = {name: {"_is_null": True} if value is None else {"_eq": value} for name, value in read.items()}
    same = {"id": {"_eq": account["id"]}, "sealed_tokens": {"_eq": sealed}}
    done = hasura.graphql(SEAL_ANEW, {"unchanged": unchanged, "sealed": sealed, "same": same, "kept": kept})
    return bool(done["sealed"]["affected_rows"])


def _options() -> argparse.Namespace:
    return parser_for("rotate_keys", __doc__).parse_args()


if __name__ == "__main__":
    main()
