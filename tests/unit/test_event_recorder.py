"""Events are written down on their posts behind the answer: in a thread, best effort, within a bound."""

import threading
from datetime import datetime
from typing import Any

import pytest
from core_fakes import NOW, Events
from waiting import wait_until

from shared.core.event_recorder import CreatedEvent, EventRecorder
from shared.errors import HasuraUnavailable
from shared.limits import MAX_UNRECORDED_EVENTS


def event(post_id: int) -> CreatedEvent:
    return CreatedEvent(post_id, f"event-{post_id}", NOW)


class SlowStore(Events):
    """Keeps the first event as long as `go_on` is not set."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.threads: list[threading.Thread] = []

    def record_event(self, post_id: int, event_id: str, at: datetime, instead_of: str | None) -> bool:
        self.threads.append(threading.current_thread())
        if post_id == 1:
            self.go_on.wait(60)
        return super().record_event(post_id, event_id, at, instead_of)


def test_an_event_is_kept_unless_its_post_has_another_one_and_nobody_waits_for_it() -> None:
    store = SlowStore()

    EventRecorder().record(event(1), store)

    assert store.kept == []
    store.go_on.set()
    assert wait_until(lambda: store.kept, len) == [(1, "event-1", NOW, None)]


@pytest.mark.parametrize("failure", [HasuraUnavailable("away"), KeyError("a fault of ours")])
def test_what_cannot_be_kept_is_logged_by_the_next_call_and_holds_nothing_up(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Events):
        has_failed = threading.Event()

        def record_event(self, *_: Any, **__: Any) -> bool:
            self.has_failed.set()
            raise failure

    recorder, failing, store = EventRecorder(), Failing(), Events()
    recorder.record(event(1), failing)
    failing.has_failed.wait(60)

    recorder.record(event(2), store)
    wait_until(lambda: store.kept, len)
    recorder.record(event(3), store)

    assert "post 1: its event is set, but not written down" in caplog.text


def test_what_waits_is_bounded_and_the_rest_is_done_by_the_caller() -> None:
    recorder, store = EventRecorder(), SlowStore()
    recorder.record(event(1), store)
    wait_until(lambda: store.threads, len)

    for post_id in range(2, MAX_UNRECORDED_EVENTS + 3):
        recorder.record(event(post_id), store)

    assert store.threads[1:] == [threading.current_thread()]
    store.go_on.set()
    wait_until(lambda: len(store.kept), lambda kept: kept == MAX_UNRECORDED_EVENTS + 2)


def test_without_a_thread_left_the_caller_does_it_and_the_next_call_starts_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    recorder, store = EventRecorder(), SlowStore()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        recorder.record(event(2), store)
    recorder.record(event(3), store)

    wait_until(lambda: store.threads, lambda threads: len(threads) == 2)
    assert [thread is threading.current_thread() for thread in store.threads] == [True, False]
