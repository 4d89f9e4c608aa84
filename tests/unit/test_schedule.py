"""How a post is created: the draft, then the row, then its scheduled event; the key when the draft is not stored."""

from datetime import timedelta
from typing import Any

import pytest
from core_fakes import NOW, Drafts, StoppedClock
from recorded_at_once import RecordedAtOnce

from shared.core.schedule import Created, EarlierPost, create
from shared.errors import ConfigurationError, Forbidden, HasuraUnavailable, InvalidDraft, KeyReused, TooManyPosts

SOON = NOW + timedelta(hours=1)
EVENT = {"message": "success", "event_id": "event-1"}


def draft(**changes: Any) -> dict[str, Any]:
    return {"text": "hello", "schedule_for": SOON.isoformat(), **changes}


def created(
    store: Drafts, fields: dict[str, Any], key: str | None = None, clock: StoppedClock | None = None
) -> Created:
    return create(fields, "token", key, store, clock or StoppedClock(), RecordedAtOnce())


class TestCreate:
    def test_a_draft_is_stored_and_its_event_set_and_written_down(self) -> None:
        store = Drafts()

        result = created(store, draft())

        assert result == Created({"id": 1, "text": "hello"}, EVENT)
        assert store.created == [(SOON, {"id": 1, "text": "hello"})]
        assert store.kept == [(1, "event-1", SOON, None)]

    @pytest.mark.parametrize("failure", [HasuraUnavailable("away"), ConfigurationError("refused")])
    def test_a_post_without_an_event_is_created_all_the_same(
        self, failure: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        store = Drafts()
        store.failure = failure

        assert created(store, draft()) == Created({"id": 1, "text": "hello"}, None)
        assert "post 1 has no scheduled event, the sweep will publish it" in caplog.text

    def test_a_post_that_was_not_stored_gets_no_event(self) -> None:
        store = Drafts()
        store.insert_failure = Forbidden("no")

        with pytest.raises(Forbidden):
            created(store, draft())
        assert store.created == []

    def test_a_draft_with_faults_is_not_stored(self) -> None:
        store = Drafts()

        with pytest.raises(InvalidDraft):
            created(store, draft(text=""))
        assert store.rows == []


class TestCreateWithAKey:
    def test_a_repeated_request_is_answered_the_first_post_and_its_event(self) -> None:
        store = Drafts()
        first = created(store, draft(), "key")

        assert created(store, draft(), "key") == first
        assert (len(store.rows), len(store.created)) == (1, 1)

    def test_a_repeated_request_after_its_time_is_answered_the_first_post_all_the_same(self) -> None:
        store, clock = Drafts(), StoppedClock()
        first = created(store, draft(), "key", clock)
        clock.time += timedelta(days=30)

        assert created(store, draft(), "key", clock) == first

    def test_a_repeated_request_before_the_first_has_its_event_sets_no_second_one(self) -> None:
        store = Drafts()
        store.earlier["key"] = EarlierPost(
            {"id": 1}, {**draft(), "account_id": None, "user_id": None, "when_late": "skip"}, None
        )

        assert created(store, draft(), "key") == Created({"id": 1}, None)
        assert store.created == []

    @pytest.mark.parametrize("refusal", [Forbidden("unlinked"), TooManyPosts("At most 10"), InvalidDraft([])])
    def test_a_repeated_request_that_would_be_refused_by_now_is_answered_the_first_post_all_the_same(
        self, refusal: Exception
    ) -> None:
        store = Drafts()
        first = created(store, draft(), "key")
        store.insert_failure = refusal

        assert created(store, draft(), "key") == first

    @pytest.mark.parametrize("refusal", [Forbidden("unlinked"), TooManyPosts("At most 10"), InvalidDraft([])])
    def test_a_refused_request_whose_key_is_new_is_refused(self, refusal: Exception) -> None:
        store = Drafts()
        store.insert_failure = refusal

        with pytest.raises(type(refusal)):
            created(store, draft(), "key")

    def test_a_request_whose_key_is_new_needs_no_look_at_earlier_ones(self) -> None:
        class NotAsked(Drafts):
            def post_of_key(self, key: str, token: str) -> EarlierPost | None:
                raise AssertionError("asked")

        assert created(NotAsked(), draft(), "key").event == EVENT

    def test_a_post_that_is_deleted_at_the_same_moment_is_to_be_created_again(self) -> None:
        class Deleting(Drafts):
            def insert_post(self, *_: Any) -> None:
                return None

        with pytest.raises(HasuraUnavailable, match="deleted just now"):
            created(Deleting(), draft(), "key")

    @pytest.mark.parametrize(
        ("change", "fields"),
        [
            ({"text": "other"}, ["text"]),
            ({"schedule_for": (SOON - timedelta(days=3)).isoformat()}, ["schedule_for"]),
            ({"text": "other", "when_late": "publish"}, ["text", "when_late"]),
        ],
    )
    def test_a_repeated_request_with_another_draft_is_refused_and_says_what_differs(
        self, change: dict[str, str], fields: list[str]
    ) -> None:
        store = Drafts()
        created(store, draft(), "key")

        with pytest.raises(KeyReused) as refused:
            created(store, draft(**change), "key")
        assert [fault.field for fault in refused.value.faults] == fields

    @pytest.mark.parametrize("stored", [[], "draft", 7, None, {}, {"schedule_for": {}}, {"text": ["hello"]}])
    def test_whatever_an_author_stored_as_the_draft_of_a_key_is_no_fault_of_ours(self, stored: Any) -> None:
        store = Drafts()
        store.earlier["key"] = EarlierPost({"id": 1}, stored, None)

        with pytest.raises(KeyReused):
            created(store, draft(), "key")

    def test_a_request_for_the_past_is_refused_when_it_is_new(self) -> None:
        with pytest.raises(InvalidDraft, match="in the past"):
            created(Drafts(), draft(schedule_for=(NOW - timedelta(hours=1)).isoformat()), "key")

    def test_another_key_makes_another_post(self) -> None:
        store = Drafts()
        created(store, draft(), "key")

        assert created(store, draft(), "another key").post["id"] == 2
