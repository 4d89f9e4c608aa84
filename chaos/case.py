"""The case of one post: what its author asked for, and its row. What is on X of its text is counted elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chaos.asked import Asked

MANY_TRIES = 10
"""After so many tries without an answer the product may give up, in words."""


@dataclass(frozen=True)
class OnX:
    """A tweet that a post accounts for: one of these texts, not before this time.

    `is_certain` when its row says so; otherwise it may be there or not.
    """

    texts: frozenset[str]
    earliest: datetime
    is_certain: bool


@dataclass
class Case:
    """What became of a post, what is to be found on X of it, and what should not be, each as a kind and a sentence."""

    asked: Asked
    tweets: Mapping[str, Mapping[str, Any]]
    now: datetime
    became: str = ""
    on_x: OnX | None = None
    findings: list[tuple[str, str]] = field(default_factory=list)

    def decide(self, row: Mapping[str, Any] | None) -> None:
        """Fills the case. `tweets` are those of its text, by id."""
        if row is None:
            self.became = self._without_a_row()
            return
        if self.asked.deleted == "yes":
            self._find("unexplained", "It was deleted, and is there.")
        self._is_explained(row)
        self.became = {
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
        if self.asked.deleted == "no":
            if self.asked.created != "yes":
                return "never stored, and its author was never told that it was"
            self._may_be_on_x()
            self._find("lost", "It was stored, and its row is gone.")
            return "gone"
        if self.asked.deleted_when == "unknown" or self.asked.deleted == "perhaps":
            self._may_be_on_x()
            return "deleted when it may have been out already"
        return "deleted in time"

    def _tweeted(self, row: Mapping[str, Any]) -> str:
        tweet = self.tweets.get(row["tweet_id"])
        attempts = [attempt for attempt in row["attempts"] if attempt["outcome"] == "tweeted"]
        if tweet is None:
            self._find("lost", "Its row says that it is out, and X does not have that tweet.")
        elif len(attempts) != 1:
            self._may_be_on_x()
            self._find("unexplained", f"{len(attempts)} of its attempts say that it is out.")
        else:
            self._is_as_asked(tweet, attempts[0])
        return "published"

    def _is_as_asked(self, tweet: Mapping[str, Any], attempt: Mapping[str, Any]) -> None:
        earliest = min(self.asked.times_at(attempt["number"]))
        self.on_x = OnX(frozenset([tweet["text"]]), earliest, is_certain=True)
        if tweet["username"] != self.asked.plan.author:
            self._find("unwanted", f"It went out from the account of {tweet['username']}.")
        texts = self.asked.texts_at(attempt["number"])
        if tweet["text"] != attempt["text"] or tweet["text"] not in texts:
            self._find("wrong text", f"X has {tweet['text']!r}, the log {attempt['text']!r}, asked was {texts}.")

    def _failed(self, row: Mapping[str, Any]) -> str:
        last = row["attempts"][-1] if row["attempts"] else {}
        if last.get("outcome") == "refused":
            if last.get("status_code") in (401, 403):
                return "refused by X for good"
            if len(row["attempts"]) > MANY_TRIES:
                return "given up after many tries"
        self._find("unexplained", f"It failed, though X did not refuse it: {last}.")
        return "failed"

    def _missed(self, _: Mapping[str, Any]) -> str:
        if not self.asked.was_backdated or self.asked.plan.when_late != "skip":
            self._find("lost", "It was missed, though its time was not too long ago or its author did not mind.")
        return "missed, as its author chose"

    def _scheduled(self, row: Mapping[str, Any]) -> str:
        return self._open(row) if row["schedule_for"] <= self.now else "moved to tomorrow, and waits"

    def _unknown(self, row: Mapping[str, Any]) -> str:
        if row["not_before"]:
            return self._open(row)
        self._may_be_on_x()
        return "left to its author: X could not be asked"

    def _open(self, row: Mapping[str, Any]) -> str:
        self._may_be_on_x()
        self._find("lost", f"It is due and still {row['state']}: {row['reason']}")
        return "still open"

    def _may_be_on_x(self) -> None:
        texts = frozenset(said.value for said in self.asked.texts)
        self.on_x = OnX(texts, min(said.value for said in self.asked.times), is_certain=False)

    def _find(self, kind: str, sentence: str) -> None:
        self.findings.append((kind, sentence))
