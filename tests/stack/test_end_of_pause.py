"""An author who has put an account right on X ends its pause: once in a while, and nothing else of the account."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from author_with_database import AuthorWithDatabase
from waiting import wait_until

from local.running_stack import GraphQLFailed, RunningStack

END = """mutation ($account: account_set_input!) {
  update_account(where: {}, _set: $account) { affected_rows returning { account_name paused_until paused_reason } }
}"""
PAUSE = """update account set paused_until = now() + interval '1 hour', paused_reason = 'X limits this account.'
  where account_name = %(name)s"""


class Author(AuthorWithDatabase):
    def end_pause(self, **account: Any) -> Any:
        changes = account or {"paused_until": None}
        return self.graphql(END, account=changes)["update_account"]


@pytest.fixture
def alice(stack: RunningStack) -> Iterator[Author]:
    with Author.signed_in(stack) as author:
        yield author


def refused(author: Author, **account: Any) -> str:
    with pytest.raises(GraphQLFailed) as caught:
        author.end_pause(**account)
    [error] = caught.value.errors
    assert error["extensions"]["code"] in ("data-exception", "validation-failed")
    message: str = error["message"]
    return message


class TestTheEndOfAPause:
    def test_it_takes_the_reason_with_it(self, alice: Author) -> None:
        alice.sql(PAUSE)

        assert alice.end_pause() == {
            "affected_rows": 1,
            "returning": [{"account_name": alice.name, "paused_until": None, "paused_reason": None}],
        }

    def test_the_posts_of_the_account_can_be_claimed_at_once(self, alice: Author) -> None:
        alice.sql(PAUSE)
        due = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
        alice.stack.create_post(alice.token, {"text": "at last", "schedule_for": due})
        noted = 'select due_at <= now() from next_due join "user" on "user".id = user_id where username = %(name)s'
        wait_until(lambda: alice.sql(noted), lambda rows: rows == [(False,)])  # by a claim, for the end of the pause

        alice.end_pause()

        assert alice.sql(noted) == [(True,)] or alice.sql("select 1 from post_attempt")

    def test_once_in_15_minutes_says_how_long_to_wait(self, alice: Author) -> None:
        alice.sql(PAUSE)
        began = time.monotonic()
        alice.end_pause()
        alice.sql(PAUSE)

        message = refused(alice)

        passed = time.monotonic() - began
        wait = re.fullmatch(
            rf"The pause of @{alice.name} was ended less than 15 minutes ago, and X rejected it again. "
            r"Try again in (\d+) seconds.",
            message,
        )
        assert wait
        assert 899 - passed <= int(wait[1]) <= 900

    def test_after_15_minutes_it_may_be_ended_again(self, alice: Author) -> None:
        alice.sql(PAUSE)
        alice.end_pause()
        alice.sql(PAUSE)
        alice.sql(
            "update account set pause_ended_at = pause_ended_at - interval '15 minutes' where account_name = %(name)s"
        )

        assert alice.end_pause()["affected_rows"] == 1

    def test_an_account_that_is_not_paused_stays_as_it_is_and_that_counts_for_nothing(self, alice: Author) -> None:
        alice.end_pause()
        alice.end_pause()
        alice.sql(PAUSE)

        assert alice.end_pause()["affected_rows"] == 1

    @pytest.mark.parametrize("until", ["2000-01-01T00:00Z", "2999-01-01T00:00Z"])
    def test_an_author_cannot_pause_or_shorten(self, alice: Author, until: str) -> None:
        alice.sql(PAUSE)

        assert refused(alice, paused_until=until) == (
            "The pause of an account can only be ended: set paused_until to null."
        )

    @pytest.mark.parametrize("column", ["paused_reason", "sealed_tokens", "account_name", "max_posts_a_day"])
    def test_nothing_else_of_an_account_is_an_authors_to_write(self, alice: Author, column: str) -> None:
        assert "not found in type" in refused(alice, **{column: "1"})

    def test_an_account_of_somebody_else_stays_paused(self, alice: Author) -> None:
        alice.sql(PAUSE)

        Author(alice.stack, alice.database).end_pause()

        assert alice.sql("select 1 from account where account_name = %(name)s and paused_until is not null")
