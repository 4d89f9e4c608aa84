"""What a soak has measured, and which bounds it breaks. Times are seconds since its start."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median

CREATE, READ = "author: createPost", "author: reads the page"
"""Whose answers are judged by their time."""

SLOWEST_ANSWER = 1.0
LATEST_POST = 2.0
"""Beside Hasura's poll interval: it looks for due events so often."""

AFTERMATH = 10.0
"""What was away is back, and what waited for it is done after this."""

GROWTH_PART, GROWTH_MIB = 0.10, 16.0
"""Memory is flat when it grows by less than one of these, whichever is more."""

GROWTH_THREADS = 2

MOST_PROCESSES = {"postgres": 28}
"""Each other service has one. PostgreSQL has one for each connection: Hasura's pool of 16, which is filled while Hasura
or X is away, and that of the process that runs the server; and up to ten of its own. So growth is judged per process.
"""


@dataclass(frozen=True)
class Answer:
    """One request of anybody. `status` is HTTP's, or what happened in its place; `cause` the problem's type, if any."""

    who: str
    at: float
    seconds: float
    status: str
    cause: str = ""


@dataclass(frozen=True)
class Post:
    """A post that a normal author was told is stored, and when X took it: just once, if all is well."""

    due: float
    tweets: Sequence[float]


@dataclass(frozen=True)
class Sample:
    """What a service needed at a moment, its child processes included. `mib` is memory that it shares with nobody."""

    service: str
    at: float
    mib: float
    threads: int
    pid: int
    processes: int = 1


@dataclass(frozen=True)
class Away:
    """When a service did not answer."""

    service: str
    began: float
    ended: float


@dataclass(frozen=True)
class Measured:
    """Everything that a run has measured."""

    seconds: float
    poll_interval: float
    answers: Sequence[Answer]
    posts: Sequence[Post]
    samples: Sequence[Sample]
    aways: Sequence[Away]
    aftermath: float = AFTERMATH

    def is_calm(self, began: float, ended: float) -> bool:
        """Whether nothing was away between these moments, nor shortly before."""
        return all(ended < away.began or began > away.ended + self.aftermath for away in self.aways)

    def answer_times(self, who: str, calm: bool) -> list[float]:
        """How long answers took, those while nothing was away or the others."""
        return [one.seconds for one in self.answers if one.who == who and self._is_calm(one) == calm]

    def lateness(self, calm: bool) -> list[float]:
        """How late posts were published, those that were due while nothing was away or the others."""
        return [
            min(post.tweets) - post.due
            for post in self.posts
            if post.tweets and self.is_calm(post.due, post.due + LATEST_POST + self.poll_interval) == calm
        ]

    def server_errors(self, calm: bool) -> list[Answer]:
        """Every answer of 5xx, to whomever."""
        return [one for one in self.answers if one.status.startswith("5") and self._is_calm(one) == calm]

    def _is_calm(self, one: Answer) -> bool:
        return self.is_calm(one.at, one.at + one.seconds)


@dataclass(frozen=True)
class Bound:
    """What was measured, and the limit that it must stay under, or reach where both are 0."""

    name: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.measured < self.limit or self.measured == self.limit == 0


def judge(run: Measured) -> list[Bound]:
    """Each bound with what was measured."""
    return [
        Bound("createPost, slowest answer", _largest(run.answer_times(CREATE, calm=True)), SLOWEST_ANSWER, "s"),
        Bound("page, slowest answer", _largest(run.answer_times(READ, calm=True)), SLOWEST_ANSWER, "s"),
        Bound("authors who were refused", len([one for one in run.answers if _is_refused(one)]), 0),
        Bound("posts, latest", _largest(run.lateness(calm=True)), LATEST_POST + run.poll_interval, "s"),
        Bound("posts not published just once", len([post for post in run.posts if len(post.tweets) != 1]), 0),
        Bound("5xx while nothing is away", len(run.server_errors(calm=True)), 0),
        Bound("5xx other than 503", len([e for e in run.server_errors(calm=False) if e.status != "503"]), 0),
        Bound("processes that ended", len({(s.service, s.pid) for s in run.samples}) - len(services(run)), 0),
        *(bound for service in services(run) for bound in _growth_of(service, run)),
    ]


def services(run: Measured) -> list[str]:
    """Whose processes were measured, in the order of their names."""
    return sorted({sample.service for sample in run.samples})


def samples_of(service: str, run: Measured) -> list[Sample]:
    """What one service needed, in the order of time."""
    return sorted((sample for sample in run.samples if sample.service == service), key=attrgetter("at"))


def growth(values: Sequence[float]) -> float:
    """By how much the median of the last fifth is above that of the second: the first is for what is made once."""
    fifth = max(1, len(values) // 5)
    return median(values[-fifth:]) - median(values[fifth : 2 * fifth] or values)


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that so large a part of them does not exceed; not a number when there are none."""
    return sorted(values)[math.ceil(part * len(values)) - 1] if values else math.nan


def _growth_of(service: str, run: Measured) -> list[Bound]:
    samples = samples_of(service, run)
    processes = median(sample.processes for sample in samples)
    memory = [sample.mib / sample.processes * processes for sample in samples]
    threads = [sample.threads / sample.processes * processes for sample in samples]
    most = max(sample.processes for sample in samples)
    allowed = max(GROWTH_MIB, GROWTH_PART * median(memory))
    return [
        Bound(f"{service}, growth of memory", max(0.0, growth(memory)), allowed, "MiB"),
        Bound(f"{service}, growth of threads", max(0.0, growth(threads)), GROWTH_THREADS + 1),
        Bound(f"{service}, most processes", most, MOST_PROCESSES.get(service, 1) + 1),
    ]


def _is_refused(one: Answer) -> bool:
    return one.who in (CREATE, READ) and one.status.startswith("4")


def _largest(values: Sequence[float]) -> float:
    """A run in which nobody asked has not shown that anybody was answered in time."""
    return max(values, default=math.inf)
