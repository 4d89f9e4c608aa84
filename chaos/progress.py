"""How far a run is: a line that is drawn again and again on a terminal, now and then a new line elsewhere."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from chaos.database import Database

_CLOSED = ("draft", "tweeted", "failed", "missed")
_WIDTH = 30


class Progress:
    """Shows how many of `posts` are at an end, in whatever phase."""

    def __init__(self, posts: int) -> None:
        self._posts = posts
        self._began = time.monotonic()
        self._on_terminal = sys.stderr.isatty()

    @contextmanager
    def of(self, phase: str, database: Database) -> Iterator[None]:
        """Shows the phase while the block lasts."""
        over = threading.Event()
        shower = threading.Thread(target=self._show, args=(phase, database, over), name="progress")
        shower.start()
        try:
            yield
        finally:
            over.set()
            shower.join()

    def _show(self, phase: str, database: Database, over: threading.Event) -> None:
        while not over.wait(0.5 if self._on_terminal else 5):
            self._line(phase, database)
        self._line(phase, database)
        if self._on_terminal:
            print(file=sys.stderr)

    def _line(self, phase: str, database: Database) -> None:
        try:
            states = database.states()
        except psycopg.Error:
            return
        closed = sum(states[state] for state in _CLOSED)
        bar = "#" * (_WIDTH * closed // max(1, self._posts))
        open_ones = "  ".join(f"{states[state]} {state}" for state in ("scheduled", "sending", "unknown"))
        seconds = time.monotonic() - self._began
        line = f"{seconds:5.0f} s  {phase:<15} [{bar:<{_WIDTH}}] {closed}/{self._posts} at an end  {open_ones}"
        print(
            f"\r\x1b[K{line}" if self._on_terminal else line,
            end="" if self._on_terminal else "\n",
            file=sys.stderr,
            flush=True,
        )
