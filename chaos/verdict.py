"""The judge: compares what authors asked for, what the rows say, and what is on X, however it came about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from chaos.asked import Asked

KINDS = ("lost", "twice", "unwanted", "wrong text", "too early", "unexplained")
"""What must not be."""

CLOCKS_APART = timedelta(milliseconds=5)
"""X writes its times in milliseconds."""


@dataclass(frozen=True)
class Finding:
    """A promise that was broken to the author of one post."""

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


def judge(
    asked: Sequence[Asked], rows: Sequence[Mapping[str, Any]], tweets: Sequence[Mapping[str, Any]], now: datetime
) -> Verdict:
    """Judges every post. `rows` have their ``attempts``, in order; `tweets` are X's own record."""
    verdict = Verdict()
    rows_of, tweets_of = _by_mark(rows), _by_mark(tweets)
    for one in asked:
        mark = one.plan.mark
        case = _Case(one, rows_of.pop(mark, []), tweets_of.pop(mark, []), now)
        verdict.became[case.decide()] += 1
        verdict.findings += [Finding(kind, mark, sentence) for kind, sentence in case.findings]
    for mark in rows_of.keys() | tweets_of.keys():
        verdict.findings.append(Finding("unwanted", mark, "Nobody asked for this post."))
    return verdict


def _by_mark(texts: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in texts:
        found.setdefault(one["text"].split(" ")[0], []).append(one)
    return found


class _Case:
    """One post: `decide` says what became of it, and fills `findings`."""

    def __init__(
        self, asked: Asked, rows: list[Mapping[str, Any]], tweets: list[Mapping[str, Any]], now: datetime
    ) -> None:
        self.findings: list[tuple[str, str]] = []
        self._asked = asked
        self._rows = rows
        self._tweets = tweets
        self._now = now

    def decide(self) -> str:
        if len(self._tweets) > 1:
            self._find("twice", f"X has it {len(self._tweets)} times.")
        if len(self._rows) > 1:
            self._find("twice", f"It has {len(self._rows)} rows.")
        if not self._rows:
            return self._without_a_row()
        row = self._rows[0]
        if self._asked.deleted == "yes":
            self._find("unexplained", "It was deleted, and is there.")
        self._is_explained(row)
        return {
            "tweeted": self._tweeted,
            "failed": self._failed,
            "missed": self._missed,
            "scheduled": self._scheduled,
            "unknown": self._unknown,
        }.get(row["state"], self._open)(row)

    def _is_explained(self, row: Mapping[str, Any]) -> None:
        if row["state"] not in ("scheduled", "sending", "tweeted") and not row["reason"]:
            self._find("unexplained", f"It is {row['state']} without a reason.")
        if row["state"] not in ("sending", "unknown"):
            for attempt in row["attempts"]:
                if attempt["outcome"] in (None, "unknown"):
                    self._find(
                        "unexplained", f"It is {row['state']}, and its log leaves attempt {attempt['number']} open."
                    )

    def _without_a_row(self) -> str:
        if self._asked.created == "yes" and self._asked.deleted == "no":
            self._find("lost", "It was stored, and its row is gone.")
            return "gone"
        if self._asked.deleted == "no":
            self._nothing_on_x("it was never stored")
            return "never stored, and its author was never told that it was"
        if self._asked.deleted_when == "unknown" or self._asked.deleted == "perhaps":
            return "deleted when it may have been out already"
        self._nothing_on_x("it was deleted in time")
        return "deleted in time"

    def _tweeted(self, row: Mapping[str, Any]) -> str:
        tweet = next((tweet for tweet in self._tweets if tweet["id"] == row["tweet_id"]), None)
        attempts = [attempt for attempt in row["attempts"] if attempt["outcome"] == "tweeted"]
        if tweet is None:
            self._find("lost", "Its row says that it is out, and X does not have that tweet.")
        elif len(attempts) != 1:
            self._find("unexplained", f"{len(attempts)} of its attempts say that it is out.")
        else:
            self._is_as_asked(tweet, attempts[0])
        return "published"

    def _is_as_asked(self, tweet: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
        if tweet["username"] != self._asked.plan.author:
            self._find("unwanted", f"It went out from the account of {tweet['username']}.")
        texts = self._asked.texts_at(attempt["number"])
        if tweet["text"] != attempt["text"] or tweet["text"] not in texts:
            self._find("wrong text", f"X has {tweet['text']!r}, the log {attempt['text']!r}, asked was {texts}.")
        earliest = min(self._asked.times_at(attempt["number"]))
        if datetime.fromisoformat(tweet["created_at"]) < earliest - CLOCKS_APART:
            self._find("too early", f"Its time was {earliest}, X has it since {tweet['created_at']}.")

    def _failed(self, row: Mapping[str, Any]) -> str:
        self._nothing_on_x("its row says that it failed")
        attempt = row["attempts"][-1] if row["attempts"] else {}
        if attempt.get("outcome") != "refused" or attempt.get("status_code") not in (401, 403):
            self._find("unexplained", f"It failed, though X did not refuse it: {attempt}.")
        return "refused by X for good"

    def _missed(self, _: Mapping[str, Any]) -> str:
        self._nothing_on_x("its row says that it was missed")
        if not self._asked.was_backdated or self._asked.plan.when_late != "skip":
            self._find("lost", "It was missed, though its time was not too long ago or its author did not mind.")
        return "missed, as its author chose"

    def _scheduled(self, row: Mapping[str, Any]) -> str:
        if row["schedule_for"] <= self._now:
            return self._open(row)
        self._nothing_on_x("its row says that it waits")
        return "moved to tomorrow, and waits"

    def _unknown(self, row: Mapping[str, Any]) -> str:
        return self._open(row) if row["not_before"] else "left to its author: X could not be asked"

    def _open(self, row: Mapping[str, Any]) -> str:
        self._find("lost", f"It is due and still {row['state']}: {row['reason']}")
        return "still open"

    def _nothing_on_x(self, why: str) -> None:
        if self._tweets:
            self._find("unwanted", f"X has it, though {why}.")

    def _find(self, kind: str, sentence: str) -> None:
        self.findings.append((kind, sentence))
