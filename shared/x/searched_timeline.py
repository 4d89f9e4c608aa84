"""One account's timeline, read once for all the posts that are looked for on it."""

import threading
from collections.abc import Iterator
from datetime import datetime

from shared.core.model import TimelineUnavailable
from shared.x.matching import is_same_text
from shared.x.timeline import Tweet, whole_second


class SearchedTimeline:
    """Tweets by pages, newest first; each page is read once, when a search first needs it, from whatever thread."""

    def __init__(self, unread: Iterator[list[Tweet]]) -> None:
        self._unread = unread
        self._pages: list[list[Tweet]] = []
        self._is_read_to_its_end = False
        self._failure: TimelineUnavailable | None = None
        self._reading = threading.Lock()

    def find(self, text: str, since: datetime) -> list[str]:
        """The ids of the tweets since then whose text is `text`, oldest first.

        Raises TimelineUnavailable, in each search that needs what X did not show.
        """
        start = whole_second(since)
        with self._reading:
            while not self._is_read_back_to(start):
                self._read_a_page()
            tweets = [tweet for page in self._pages for tweet in page]
        same = {
            tweet.id for tweet in tweets if tweet.created_at >= start and is_same_text(text, tweet.text, tweet.targets)
        }
        return sorted(same, key=int)

    def _is_read_back_to(self, start: datetime) -> bool:
        """Only a page that is older as a whole shows that nothing newer follows."""
        if self._is_read_to_its_end:
            return True
        latest = self._pages[-1] if self._pages else []
        return bool(latest) and all(tweet.created_at < start for tweet in latest)

    def _read_a_page(self) -> None:
        if self._failure:  # an iterator that has raised is at its end, which would look like the end of the timeline
            raise TimelineUnavailable(self._failure.result)
        try:
            self._pages.append(next(self._unread))
        except StopIteration:
            self._is_read_to_its_end = True
        except TimelineUnavailable as error:
            self._failure = error
            raise
