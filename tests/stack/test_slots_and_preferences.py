"""What an author keeps for the page: posting times, preferences, and the limits that hold for him."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from author_with_database import AuthorWithDatabase

from local.running_stack import GraphQLFailed, RunningStack

INSERT = """mutation ($slots: [posting_slot_insert_input!]!) {
  insert_posting_slot(objects: $slots) { returning { id user_id account_id weekday at time_zone } }
}"""
SLOTS = "{ posting_slot(order_by: [{weekday: asc}, {at: asc}]) { weekday at } }"
PREFER = """mutation ($preferences: user_set_input!) {
  update_user(where: {}, _set: $preferences) {
    affected_rows returning { time_zone week_starts_on hour_cycle default_account_id }
  }
}"""
MONDAY = {"weekday": 1, "at": "09:30", "time_zone": "Europe/Berlin"}


class Author(AuthorWithDatabase):
    def insert(self, *slots: dict[str, Any]) -> Any:
        return self.graphql(INSERT, slots=slots)["insert_posting_slot"]["returning"]

    def prefer(self, **preferences: Any) -> Any:
        [row] = self.graphql(PREFER, preferences=preferences)["update_user"]["returning"]
        return row


@pytest.fixture
def alice(stack: RunningStack) -> Iterator[Author]:
    with Author.signed_in(stack) as author:
        yield author


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """Hasura's code and words for the author."""
    with pytest.raises(GraphQLFailed) as caught:
        call()
    [error] = caught.value.errors
    return error["extensions"]["code"], error["message"]


class TestPostingSlots:
    def test_a_slot_is_its_authors_and_of_any_account_unless_one_is_named(self, alice: Author) -> None:
        [any_account, own] = alice.insert(MONDAY, {**MONDAY, "weekday": 7, "account_id": alice.account()})

        assert (any_account["account_id"], any_account["weekday"], any_account["at"], any_account["time_zone"]) == (
            None,
            1,
            "09:30:00",
            "Europe/Berlin",
        )
        assert own["account_id"] == alice.account()
        assert alice.graphql(SLOTS) == {
            "posting_slot": [{"weekday": 1, "at": "09:30:00"}, {"weekday": 7, "at": "09:30:00"}]
        }

    def test_a_slot_is_changed_and_deleted_by_its_author_alone(self, alice: Author) -> None:
        [slot] = alice.insert(MONDAY)
        bob = Author(alice.stack, alice.database)
        change = "mutation { update_posting_slot(where: {}, _set: {weekday: 2}) { affected_rows } }"
        delete = f"mutation {{ delete_posting_slot_by_pk(id: {slot['id']}) {{ id }} }}"

        assert bob.graphql(change) == {"update_posting_slot": {"affected_rows": 0}}
        assert bob.graphql(delete) == {"delete_posting_slot_by_pk": None}
        assert alice.graphql(change) == {"update_posting_slot": {"affected_rows": 1}}
        assert alice.graphql(delete) == {"delete_posting_slot_by_pk": {"id": slot["id"]}}

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"weekday": 0}, "weekday_is_of_iso"),
            ({"weekday": 8}, "weekday_is_of_iso"),
            ({"at": "09:30:01"}, "slot_is_at_a_minute"),
            ({"at": "24:00"}, "slot_is_at_a_minute"),
            ({"time_zone": ""}, "slot_has_a_time_zone"),
            ({"time_zone": "+02:00"}, "slot_has_a_time_zone"),
            ({"time_zone": "Europe/Berlin'"}, "slot_has_a_time_zone"),
            ({"time_zone": "<b>"}, "slot_has_a_time_zone"),
            ({"time_zone": "E" * 65}, "slot_has_a_time_zone"),
        ],
    )
    def test_what_is_no_time_of_a_week_is_refused(self, alice: Author, wrong: dict[str, Any], words: str) -> None:
        code, message = refused(lambda: alice.insert({**MONDAY, **wrong}))

        assert (code, words in message) == ("permission-error", True)

    @pytest.mark.parametrize(
        "zone",
        ["UTC", "Etc/GMT+12", "America/Argentina/Buenos_Aires", "America/Port-au-Prince", "GB-Eire", "Asia/Calcutta"],
    )
    def test_each_name_of_a_zone_is_taken(self, alice: Author, zone: str) -> None:
        assert alice.insert({**MONDAY, "time_zone": zone})

    def test_the_same_slot_twice_is_refused(self, alice: Author) -> None:
        alice.insert(MONDAY)

        code, message = refused(lambda: alice.insert(MONDAY))

        assert (code, "one_slot_at_a_time" in message) == ("constraint-violation", True)

    def test_an_account_of_somebody_else_is_refused_like_one_that_is_not_there(self, alice: Author) -> None:
        bob = Author(alice.stack, alice.database)

        of_bob = refused(lambda: alice.insert({**MONDAY, "account_id": bob.account()}))
        of_nobody = refused(lambda: alice.insert({**MONDAY, "account_id": 10**12}))

        assert of_bob == of_nobody
        assert of_bob[0] == "constraint-violation"

    def test_an_author_keeps_a_hundred_however_they_are_sent(self, alice: Author) -> None:
        slots = [{**MONDAY, "weekday": day, "at": f"{hour:02}:00"} for day in range(1, 6) for hour in range(20)]
        one_more = {**MONDAY, "weekday": 6}

        assert (
            refused(lambda: alice.insert(*slots, one_more))[1] == "At most 100 posting times may be kept. Delete one."
        )
        assert len(alice.insert(*slots)) == 100
        assert refused(lambda: alice.insert(one_more))[0] == "data-exception"

    def test_the_slots_of_an_account_end_with_its_link(self, alice: Author) -> None:
        alice.insert(MONDAY, {**MONDAY, "account_id": alice.account()})

        alice.sql('delete from account_user where user_id = (select id from "user" where username = %(name)s)')

        assert len(alice.graphql(SLOTS)["posting_slot"]) == 1


class TestPreferences:
    def test_an_author_sets_and_reads_his_own(self, alice: Author) -> None:
        preferences = {
            "time_zone": "Asia/Calcutta",
            "week_starts_on": 7,
            "hour_cycle": "h23",
            "default_account_id": alice.account(),
        }

        assert alice.prefer(**preferences) == preferences
        assert alice.graphql("{ user { time_zone week_starts_on hour_cycle default_account_id } }") == {
            "user": [preferences]
        }
        assert set(alice.prefer(**dict.fromkeys(preferences)).values()) == {None}

    def test_only_his_own_are_changed(self, alice: Author) -> None:
        bob = Author(alice.stack, alice.database)

        alice.prefer(hour_cycle="h12")

        assert bob.graphql("{ user { hour_cycle } }") == {"user": [{"hour_cycle": None}]}

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"time_zone": "somewhere"}, "user_has_a_time_zone"),
            ({"week_starts_on": 0}, "week_starts_on_a_day_of_iso"),
            ({"hour_cycle": "h11"}, "hour_cycle_is_known"),
        ],
    )
    def test_what_the_page_could_not_show_is_refused(self, alice: Author, wrong: dict[str, Any], words: str) -> None:
        code, message = refused(lambda: alice.prefer(**wrong))

        assert (code, words in message) == ("permission-error", True)

    def test_an_account_of_somebody_else_is_refused_like_one_that_is_not_there(self, alice: Author) -> None:
        bob = Author(alice.stack, alice.database)

        of_bob = refused(lambda: alice.prefer(default_account_id=bob.account()))

        assert of_bob == refused(lambda: alice.prefer(default_account_id=10**12))
        assert of_bob[0] == "constraint-violation"

    def test_the_default_account_ends_with_its_link(self, alice: Author) -> None:
        alice.prefer(default_account_id=alice.account(), hour_cycle="h12")

        alice.sql("delete from account where account_name = %(name)s")

        assert alice.graphql("{ user { default_account_id hour_cycle } }") == {
            "user": [{"default_account_id": None, "hour_cycle": "h12"}]
        }

    @pytest.mark.parametrize("column", ["username", "max_pending", "max_changes", "max_drafts", "id"])
    def test_what_is_the_operators_is_no_preference(self, alice: Author, column: str) -> None:
        assert refused(lambda: alice.prefer(**{column: "1"}))[0] == "validation-failed"


class TestLimits:
    def test_an_author_can_read_those_that_hold_for_him(self, alice: Author) -> None:
        alice.sql('update "user" set max_drafts = 5 where username = %(name)s')
        alice.sql("update account set max_posts_a_day = 7 where account_name = %(name)s")

        limits = alice.graphql(
            """{ app { max_pending max_changes max_posts_a_day max_drafts }
              user { max_pending max_changes max_drafts } account { max_posts_a_day } }"""
        )

        assert limits == {
            "app": [{"max_pending": 300, "max_changes": 30, "max_posts_a_day": 100, "max_drafts": 100}],
            "user": [{"max_pending": None, "max_changes": None, "max_drafts": 5}],
            "account": [{"max_posts_a_day": 7}],
        }
