"""The judge: compares what authors asked for, what the rows say, and what is on X, however it came about."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chaos.asked import Asked
from chaos.case import Case, OnX

KINDS = ("lost", "twice", "unwanted", "wrong text", "too early", "unexplained")
"""What must not be."""

CLOCKS_APART = timedelta(milliseconds=5)
"""X writes its times in milliseconds."""

Record = Mapping[str, Any]
"""A row, or a tweet."""


@dataclass(frozen=True)
class Finding:
    """A promise that was broken. `mark` is the post's, or the opening of several with equal texts."""

    kind: str
    mark: str
    sentence: str


@dataclass
class Verdict:
    """What became of the posts, counted, and what should not have been."""

    became: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    def count(self, kind: str) -> int:
        return sum(finding.kind == kind for finding in self.findings)


def judge(asked: Sequence[Asked], rows: Sequence[Record], tweets: Sequence[Record], now: datetime) -> Verdict:
    """Judges every post. `rows` have their ``attempts``, in order; `tweets` are X's own record.

    Which of several equal tweets is whose, nobody can tell; so they are counted: X must have a text as often as rows
    say that it is out.
    """
    verdict = Verdict()
    rows_of, tweets_of = _by_opening(rows), _by_opening(tweets)
    alike_of: dict[str, list[Asked]] = {opening: [] for opening in [*rows_of, *tweets_of]}
    for one in asked:
        alike_of.setdefault(one.plan.opening, []).append(one)
    for opening, alike in alike_of.items():
        if alike:
            _judge_alike(verdict, alike, rows_of.get(opening, []), tweets_of.get(opening, []), now)
        else:
            verdict.findings.append(Finding("unwanted", opening, "Nobody asked for this post."))
    return verdict


def _by_opening(texts: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for one in texts:
        found.setdefault(one["text"].split(" ")[0], []).append(one)
    return found


def _judge_alike(
    verdict: Verdict, alike: Sequence[Asked], rows: Sequence[Record], tweets: Sequence[Record], now: datetime
) -> None:
    """Judges the posts of one opening: mostly it is a single one."""
    opening = alike[0].plan.opening
    row_of, surplus = _assigned(rows, alike)
    for row in surplus:
        verdict.findings.append(Finding("twice", opening, f"It has more rows than were asked for: post {row['id']}."))
    cases = [Case(one, {tweet["id"]: tweet for tweet in tweets}, now) for one in alike]
    for case in cases:
        mark = case.asked.plan.mark
        case.decide(row_of.get(mark))
        verdict.became[case.became] += 1
        verdict.findings += [Finding(kind, mark, sentence) for kind, sentence in case.findings]
    accounted = [case.on_x for case in cases if case.on_x]
    verdict.findings += [Finding(kind, opening, sentence) for kind, sentence in _counted(tweets, accounted)]


def _assigned(rows: Sequence[Record], alike: Sequence[Asked]) -> tuple[dict[str, Record], list[Record]]:
    """The row of each mark, and those that are left over.

    An author who got no answer does not know his row by its id; but then he cannot have moved it either.
    """
    by_id = {one.post_id: one.plan.mark for one in alike if one.post_id is not None}
    by_time = {one.times[0].value: one.plan.mark for one in alike if one.post_id is None and one.times}
    row_of: dict[str, Record] = {}
    surplus = []
    for row in rows:
        mark = by_id.get(row["id"]) or by_time.get(row["schedule_for"])
        if mark is None or mark in row_of:
            surplus.append(row)
        else:
            row_of[mark] = row
    return row_of, surplus


def _counted(tweets: Sequence[Record], accounted: Sequence[OnX]) -> Iterator[tuple[str, str]]:
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
