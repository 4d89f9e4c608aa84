"""Rotating the keys of sealed tokens: what happens to accounts that change meanwhile."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from calling import settings

from admin.connection import CommandRefused, Connection
from admin.hasura_api import HasuraApi
from admin.rotate_keys import ACCOUNTS, PAGE, rotate
from shared.x.sealed_tokens import AccessTokens, TokenKeys

OLD, NEW = "old:" + "o" * 42 + "A", "new:" + "n" * 42 + "A"
TOKENS = AccessTokens("token", "secret")
RENEWED = AccessTokens("renewed", "secret")


class Accounts:
    """As much of Hasura as the command uses. `before_writing` does what another program does just then."""

    def __init__(self, number: int) -> None:
        self.rows = [
            {
                "id": number,
                "account_name": f"user{number}",
                "x_user_id": str(number),
                "sealed_tokens": TokenKeys.of(OLD).seal(str(number), TOKENS),
                "tokens_since": "2026-05-04T09:30:00+00:00",
                "paused_until": None,
                "paused_reason": None,
            }
            for number in range(1, number + 1)
        ]
        self.before_writing: Callable[[], object] = lambda: None

    def graphql(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        if document == ACCOUNTS:
            after = [dict(row) for row in self.rows if cast(int, row["id"]) > variables["after"]]
            return {"account": after[: variables["most"]]}
        self.before_writing()
        return {"sealed": {"affected_rows": self._sealed(variables["unchanged"], variables["sealed"])}}

    def _sealed(self, unchanged: Mapping[str, Any], sealed: str) -> int:
        wanted = {name: condition.get("_eq") for name, condition in unchanged.items()}
        matching = [row for row in self.rows if all(row[name] == value for name, value in wanted.items())]
        for row in matching:
            row["sealed_tokens"] = sealed
        return len(matching)

    def opened(self, keys: str) -> list[AccessTokens]:
        return [TokenKeys.of(keys).open(str(row["x_user_id"]), str(row["sealed_tokens"])) for row in self.rows]


def connection(accounts: Accounts, keys: str) -> Connection:
    return Connection(settings(X_TOKEN_KEYS=keys), cast(HasuraApi, accounts))


def test_all_accounts_of_several_pages_are_sealed_with_the_first_key() -> None:
    accounts = Accounts(2 * PAGE + 1)

    rotate(connection(accounts, f"{NEW},{OLD}"))

    assert accounts.opened(NEW) == [TOKENS] * (2 * PAGE + 1)


def test_tokens_that_are_renewed_at_the_same_time_are_not_overwritten() -> None:
    accounts = Accounts(2)

    def sign_in() -> None:
        accounts.before_writing = lambda: None
        accounts.rows[0]["sealed_tokens"] = TokenKeys.of(OLD).seal("1", RENEWED)

    accounts.before_writing = sign_in

    rotate(connection(accounts, f"{NEW},{OLD}"))

    assert accounts.opened(NEW) == [RENEWED, TOKENS]


def test_an_account_that_always_changes_meanwhile_ends_the_command_with_words() -> None:
    accounts = Accounts(1)

    def sign_in() -> None:
        accounts.rows[0]["sealed_tokens"] = TokenKeys.of(OLD).seal("1", RENEWED)

    accounts.before_writing = sign_in

    with pytest.raises(CommandRefused, match="run the command again"):
        rotate(connection(accounts, f"{NEW},{OLD}"))

    assert accounts.opened(OLD) == [RENEWED]


def test_a_second_run_changes_nothing() -> None:
    accounts = Accounts(3)
    rotate(connection(accounts, f"{NEW},{OLD}"))
    before = [dict(row) for row in accounts.rows]

    rotate(connection(accounts, NEW))

    assert accounts.rows == before


def test_a_run_that_was_interrupted_is_finished_by_the_next_one() -> None:
    accounts = Accounts(3)

    def interrupt() -> None:
        if accounts.rows[0]["sealed_tokens"] != first:
            raise KeyboardInterrupt

    first = accounts.rows[0]["sealed_tokens"]
    accounts.before_writing = interrupt
    with pytest.raises(KeyboardInterrupt):
        rotate(connection(accounts, f"{NEW},{OLD}"))
    assert accounts.opened(f"{NEW},{OLD}") == [TOKENS] * 3

    accounts.before_writing = lambda: None
    rotate(connection(accounts, f"{NEW},{OLD}"))

    assert accounts.opened(NEW) == [TOKENS] * 3


def test_tokens_that_do_not_open_stay_as_they_are() -> None:
    accounts = Accounts(2)
    accounts.rows[0]["sealed_tokens"] = copied = accounts.rows[1]["sealed_tokens"]

    with pytest.raises(CommandRefused, match="@user1"):
        rotate(connection(accounts, f"{NEW},{OLD}"))

    assert accounts.rows[0]["sealed_tokens"] == copied
    assert TokenKeys.of(NEW).open("2", str(accounts.rows[1]["sealed_tokens"])) == TOKENS


def test_tokens_of_a_lost_key_whose_id_the_first_key_has_now_are_not_taken_for_the_first_keys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    accounts = Accounts(2)
    same_id = "old:" + "n" * 42 + "A"

    with pytest.raises(CommandRefused, match=r"does not open their tokens: @user1 .*@user2 "):
        rotate(connection(accounts, same_id))

    assert "can go" not in capsys.readouterr().out
    assert accounts.opened(OLD) == [TOKENS] * 2
