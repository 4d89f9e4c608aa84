"""A timeline that is searched for many posts: each page is read once, and never more than a search needs."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from shared.core.model import CannotAsk, TimelineUnavailable
from shared.x.searched_timeline import SearchedTimeline
from shared.x.timeline import Tweet

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def tweet(id: int, text: str = "hello", ago: timedelta = MINUTE) -> Tweet:
    return Tweet(str(id), NOW - ago, text, {})


class Pages:
    """Some pages, and how many of them were read; what is no page is raised."""

    def __init__(self, *pages: list[Tweet] | TimelineUnavailable) -> None:
        self._pages = pages
        self.read = 0

    def __iter__(self) -> Iterator[list[Tweet]]:
        for page in self._pages:
            self.read += 1
            if isinstance(page, TimelineUnavailable):
                raise page
            yield page


def test_equal_texts_are_found_from_the_oldest_on() -> None:
    timeline = SearchedTimeline(iter(Pages([tweet(1000), tweet(999, "other")], [tweet(98)])))

    assert timeline.find("hello", NOW - 2 * MINUTE) == ["98", "1000"]


def test_nothing_is_read_before_it_is_searched() -> None:
    pages = Pages([tweet(1)])

    SearchedTimeline(iter(pages))

    assert pages.read == 0


def test_many_searches_read_each_page_once() -> None:
    pages = Pages([tweet(3, "a")], [tweet(2, "b")], [tweet(1, "c")])
    timeline = SearchedTimeline(iter(pages))

    assert [timeline.find(text, NOW - 5 * MINUTE) for text in "abc"] == [["3"], ["2"], ["1"]]
    assert pages.read == 3


def test_each_search_sees_what_is_as_old_as_it_asks_for_and_nothing_older() -> None:
    timeline = SearchedTimeline(iter(Pages([tweet(2, ago=2 * MINUTE), tweet(1, ago=4 * MINUTE)])))

    assert timeline.find("hello", NOW - 4 * MINUTE) == ["1", "2"]
    assert timeline.find("hello", NOW - 3 * MINUTE) == ["2"]


def test_no_page_is_read_behind_one_that_is_older_as_a_whole() -> None:
    pages = Pages([tweet(3, ago=2 * MINUTE), tweet(2, ago=9 * MINUTE)], [tweet(1, ago=10 * MINUTE)], [tweet(0)])
    timeline = SearchedTimeline(iter(pages))

    timeline.find("hello", NOW - 3 * MINUTE)

    assert pages.read == 2


def test_an_empty_page_does_not_end_the_timeline() -> None:
    assert SearchedTimeline(iter(Pages([], [tweet(1)]))).find("hello", NOW - 2 * MINUTE) == ["1"]


def test_a_page_that_x_does_not_show_fails_each_search_that_needs_it_and_is_asked_for_once() -> None:
    pages = Pages(
        [tweet(3, ago=2 * MINUTE)], [tweet(2, ago=9 * MINUTE)], TimelineUnavailable(CannotAsk("away", 7 * MINUTE))
    )
    timeline = SearchedTimeline(iter(pages))

    for _ in range(3):
        with pytest.raises(TimelineUnavailable) as caught:
            timeline.find("hello", NOW - 60 * MINUTE)
        assert caught.value.result == CannotAsk("away", 7 * MINUTE)
        assert timeline.find("hello", NOW - 3 * MINUTE) == ["3"]
    assert pages.read == 3


def test_searches_of_several_threads_at_once_read_each_page_once() -> None:
    together = threading.Barrier(8, timeout=60)
    pages = Pages(*([tweet(number)] for number in range(20)))
    timeline = SearchedTimeline(iter(pages))

    def search() -> list[str]:
        together.wait()
        return timeline.find("hello", NOW - 5 * MINUTE)

    with ThreadPoolExecutor(8) as pool:
        found = [one.result() for one in [pool.submit(search) for _ in range(8)]]

    assert [len(each) for each in found] == [20] * 8
    assert pages.read == 20
