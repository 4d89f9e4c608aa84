"""The checker: compares what authors asked for, what the rows say, and what is on X, however it came about."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from chaos.plan import PlannedPost

KINDS = ("lost", "twice", "unwanted", "wrong text", "too early", "unexplained")
"""What must not be."""

MAX_UNANSWERED = 10
"""A post is not sent more often than this without an answer, and fails then."""

MAX_UNSENT = 10
"""A post that could not be sent so often fails."""

MAX_FAILED_RECONCILIATIONS = 5
"""After so many failed reconciliations of an attempt, the next failed one leaves the post to its author."""

CLOCKS_APART = timedelta(milliseconds=5)
"""X writes its times in milliseconds."""

T = TypeVar("T")
Record = Mapping[str, Any]
"""A row, or a tweet."""


# What an author knows of a post.


@dataclass(frozen=True)
class Write(Generic[T]):
    """A text or a time that an author gave a post.

    Acknowledged: the database took it when the post's log had entries up to `after_attempt`, so that every later one
    must have it. Otherwise no answer came: it may have been taken or not, at any time.
    """

    value: T
    after_attempt: int = 0
    is_acknowledged: bool = True


@dataclass
class Expectation:
    """What the author of a post may expect.

    `created` and `deleted` are ``no``, ``yes`` or ``perhaps`` (no answer came). `deleted_when` is the state in which it
    was deleted; `was_backdated`: it was moved to a time that is too late; `drafted`: it was made a draft, as `created`.
    """

    plan: PlannedPost
    post_id: int | None = None
    created: str = "no"
    texts: list[Write[str]] = field(default_factory=list)
    times: list[Write[datetime]] = field(default_factory=list)
    deleted: str = "no"
    deleted_when: str = ""
    was_backdated: bool = False
    drafted: str = "no"

    def texts_at(self, attempt: int) -> set[str]:
        """The texts that this attempt may have sent."""
        return _possible_at(attempt, self.texts)

    def times_at(self, attempt: int) -> set[datetime]:
        """The times that this attempt may have waited for."""
        return _possible_at(attempt, self.times)


def _possible_at(attempt: int, writes: list[Write[T]]) -> set[T]:
    """The last acknowledged value before the attempt, and what was written after that without an answer."""
    last = max(index for index, one in enumerate(writes) if one.is_acknowledged and one.after_attempt < attempt)
    return {writes[last].value} | {one.value for one in writes[last:] if not one.is_acknowledged}


# What is found.


@dataclass(frozen=True)
class Finding:
    """A promise that was broken. `mark` is the post's, or the opening of several with equal texts."""

    kind: str
    mark: str
    sentence: str


@dataclass
class CheckResult:
    """What became of the posts, counted, and what should not have been."""

    became: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


def check(
    expectations: Sequence[Expectation], rows: Sequence[Record], tweets: Sequence[Record], now: datetime
) -> CheckResult:
    """Checks every post. `rows` have their ``attempts``, in order; `tweets` are X's own record.

    Which of several equal tweets is of which post, nobody can tell; so they are counted: X must have a text as often as
    rows say that it is out.
    """
    result = CheckResult()
    rows_of, tweets_of = _by_opening(rows), _by_opening(tweets)
    equal_to: dict[str, list[Expectation]] = {opening: [] for opening in [*rows_of, *tweets_of]}
    for one in expectations:
        equal_to.setdefault(one.plan.opening, []).append(one)
    for opening, equal in equal_to.items():
        if equal:
            _check_equal(result, equal, rows_of.get(opening, []), tweets_of.get(opening, []), now)
        else:
            result.findings.append(Finding("unwanted", opening, "Nobody asked for this post."))
    return result


def _by_opening(texts: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for one in texts:
        found.setdefault(one["text"].split(" ")[0], []).append(one)
    return found


def _check_equal(
    result: CheckResult,
    equal: Sequence[Expectation],
    rows: Sequence[Record],
    tweets: Sequence[Record],
    now: datetime,
) -> None:
    """Checks the posts of one opening: mostly it is a single one."""
    opening = equal[0].plan.opening
    row_of, surplus = _assigned(rows, equal)
    for row in surplus:
        result.findings.append(Finding("twice", opening, f"It has more rows than were asked for: post {row['id']}."))
    accounted = []
    for expectation in equal:
        mark = expectation.plan.mark
        check_of_post = _PostCheck(expectation, {tweet["id"]: tweet for tweet in tweets}, now)
        result.became[check_of_post.run(row_of.get(mark))] += 1
        result.findings += [Finding(kind, mark, sentence) for kind, sentence in check_of_post.findings]
        if check_of_post.on_x:
            accounted.append(check_of_post.on_x)
    result.findings += [Finding(kind, opening, sentence) for kind, sentence in _count_on_x(tweets, accounted)]


def _assigned(rows: Sequence[Record], equal: Sequence[Expectation]) -> tuple[dict[str, Record], list[Record]]:
    """The row of each mark, and the rows that are left over.

    An author who got no answer does not know his row by its id; but then he cannot have moved it either.
    """
    by_id = {one.post_id: one.plan.mark for one in equal if one.post_id is not None}
    by_time = {one.times[0].value: one.plan.mark for one in equal if one.post_id is None and one.times}
    row_of: dict[str, Record] = {}
    surplus = []
    for row in rows:
        mark = by_id.get(row["id"]) or by_time.get(row["schedule_for"])
        if mark is None or mark in row_of:
            surplus.append(row)
        else:
            row_of[mark] = row
    return row_of, surplus


@dataclass(frozen=True)
class _OnX:
    """A tweet that a post accounts for: one of these texts, not before this time.

    `is_certain` when its row says so; otherwise it may be there or not.
    """

    texts: frozenset[str]
    earliest: datetime
    is_certain: bool


def _count_on_x(tweets: Sequence[Record], accounted: Sequence[_OnX]) -> Iterator[tuple[str, str]]:
    """What is wrong with how often, and when, each text is on X: as often as `accounted` for, none before its time."""
    for text in sorted({tweet["text"] for tweet in tweets}):
        out = sorted(datetime.fromisoformat(tweet["created_at"]) for tweet in tweets if tweet["text"] == text)
        certain = [one.earliest for one in accounted if one.is_certain and text in one.texts]
        possible = sorted(one.earliest for one in accounted if not one.is_certain and text in one.texts)
        if len(out) < len(certain):
            yield "lost", f"{len(certain)} rows say that {text!r} is out, X has it {len(out)} times."
        elif not certain and not possible:
            yield "unwanted", f"X has {text!r}, and no post accounts for it."
        elif len(out) > len(certain) + len(possible):
            yield "twice", f"X has {text!r} {len(out)} times, accounted for {len(certain) + len(possible)} times."
        else:
            wanted = sorted(certain + possible[: len(out) - len(certain)])
            for at, earliest in zip(out, wanted, strict=True):
                if at < earliest - CLOCKS_APART:
                    yield "too early", f"The time of {text!r} was {earliest}, X has it since {at}."


# One post.


@dataclass
class _PostCheck:
    """Compares one post's expectation with its row. How often its text is on X is counted with all that are equal.

    `tweets` are those of its text, by id. `findings` are kinds and sentences.
    """

    expectation: Expectation
    tweets: Mapping[str, Record]
    now: datetime
    on_x: _OnX | None = None
    findings: list[tuple[str, str]] = field(default_factory=list)

    def run(self, row: Record | None) -> str:
        """What became of the post, in words."""
        if row is None:
            return self._without_a_row()
        if self.expectation.deleted == "yes":
            self._find("unexplained", "It was deleted, and is there.")
        if self.expectation.drafted == "yes" and row["state"] != "draft":
            self._find("unwanted", f"Its author made it a draft, and it is {row['state']}.")
        self._check_reason(row)
        self._check_log(row)
        became = {
            "draft": self._draft,
            "tweeted": self._tweeted,
            "failed": self._failed,
            "missed": self._missed,
            "scheduled": self._scheduled,
            "unknown": self._unknown,
        }.get(row["state"], self._open)
        return became(row)

    def _check_reason(self, row: Record) -> None:
        if row["state"] not in ("draft", "scheduled", "sending", "tweeted") and not row["reason"]:
            self._find("unexplained", f"It is {row['state']} without a reason.")

    def _check_log(self, row: Record) -> None:
        if row["state"] not in ("sending", "unknown"):
            for attempt in row["attempts"]:
                if attempt["outcome"] in (None, "unknown"):
                    self._find(
                        "unexplained", f"It is {row['state']}, and its log leaves attempt {attempt['number']} open."
                    )
        if (unanswered := _unanswered(row)) > MAX_UNANSWERED:
            self._find("unexplained", f"It was sent {unanswered} times without an answer.")

    def _without_a_row(self) -> str:
        if self.expectation.deleted == "no":
            if self.expectation.created != "yes":
                return "never stored, and its author was never told that it was"
            self._may_be_on_x()
            self._find("lost", "It was stored, and its row is gone.")
            return "gone"
        if self.expectation.deleted_when == "unknown" or self.expectation.deleted == "perhaps":
            self._may_be_on_x()
            return "deleted when it may have been out already"
        return "deleted in time"

    def _draft(self, _: Record) -> str:
        if self.expectation.drafted == "no":
            self._find("unexplained", "It is a draft, and its author did not make it one.")
        return "made a draft by its author"

    def _tweeted(self, row: Record) -> str:
        tweet = self.tweets.get(row["tweet_id"])
        attempts = [attempt for attempt in row["attempts"] if attempt["outcome"] == "tweeted"]
        if tweet is None:
            self._find("lost", "Its row says that it is out, and X does not have that tweet.")
        elif len(attempts) != 1:
            self._may_be_on_x()
            self._find("unexplained", f"{len(attempts)} of its attempts say that it is out.")
        else:
            self._check_tweet(tweet, attempts[0])
        return "published"

    def _check_tweet(self, tweet: Record, attempt: Record) -> None:
        earliest = min(self.expectation.times_at(attempt["number"]))
        self.on_x = _OnX(frozenset([tweet["text"]]), earliest, is_certain=True)
        if tweet["username"] != self.expectation.plan.author:
            self._find("unwanted", f"It went out from the account of {tweet['username']}.")
        texts = self.expectation.texts_at(attempt["number"])
        if tweet["text"] != attempt["text"] or tweet["text"] not in texts:
            self._find("wrong text", f"X has {tweet['text']!r}, the log {attempt['text']!r}, expected was {texts}.")

    def _failed(self, row: Record) -> str:
        last = row["attempts"][-1] if row["attempts"] else {}
        if last.get("outcome") == "rejected" and last["status_code"] in (401, 403):
            return "rejected by X for good"
        if last.get("outcome") == "rejected" and _unanswered(row) == MAX_UNANSWERED:
            return "failed after ten attempts without an answer"
        if last.get("outcome") == "not_sent" and _unsent(row) == MAX_UNSENT:
            return "failed after ten attempts that could not be sent"
        self._find("unexplained", f"It failed, though X did not reject it: {last}.")
        return "failed"

    def _missed(self, _: Record) -> str:
        if not self.expectation.was_backdated or self.expectation.plan.when_late != "skip":
            self._find("lost", "It was missed, though its time was not too long ago or its author did not mind.")
        return "missed, as its author chose"

    def _scheduled(self, row: Record) -> str:
        return self._open(row) if row["schedule_for"] <= self.now else "moved to tomorrow, and waits"

    def _unknown(self, row: Record) -> str:
        if row["reconcile_at"]:
            return self._open(row)
        self._may_be_on_x()
        failed = row["attempts"][-1]["failed_reconciliations"] if row["attempts"] else 0
        if failed < MAX_FAILED_RECONCILIATIONS:
            self._find("unexplained", f"It is left to its author after {failed} failed reconciliations.")
        return "left to its author: X could not be asked"

    def _open(self, row: Record) -> str:
        self._may_be_on_x()
        self._find("lost", f"It is due and still {row['state']}: {row['reason']}")
        return "still open"

    def _may_be_on_x(self) -> None:
        texts = frozenset(write.value for write in self.expectation.texts)
        self.on_x = _OnX(texts, min(write.value for write in self.expectation.times), is_certain=False)

    def _find(self, kind: str, sentence: str) -> None:
        self.findings.append((kind, sentence))


def _since_opened(row: Record) -> Sequence[Record]:
    """The attempts since the post was created, or opened again."""
    attempts = row["attempts"]
    opened = max((index for index, entry in enumerate(attempts) if entry["outcome"] == "opened"), default=-1)
    recent: Sequence[Record] = attempts[opened + 1 :]
    return recent


def _unanswered(row: Record) -> int:
    return sum(attempt["outcome"] in ("unknown", "absent") for attempt in _since_opened(row))


def _unsent(row: Record) -> int:
    return sum(attempt["outcome"] == "not_sent" and not attempt["rejection"] for attempt in _since_opened(row))
