"""X as the model has it: a list of tweets, and what X answers and shows of them, chosen for each account."""

import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.core.model import (
    Accepted,
    Account,
    CannotAsk,
    NoConnection,
    PublishResult,
    Rejected,
    Rejection,
    TimelineUnavailable,
    Unanswered,
)
from shared.limits import SURE_AFTER

LATE, LAG = SURE_AFTER / 3, SURE_AFTER / 2
"""X shows what it has within SURE_AFTER: together these are less, a tweet that it takes LATE and shows after a LAG."""


@dataclass(frozen=True)
class Answer:
    """Whether X takes a post, and what its publisher learns instead of that."""

    takes_it: bool
    result: PublishResult | Exception | None = None
    after: timedelta = timedelta()


NO_ANSWER = Unanswered("X did not answer")
FAULT_OF_OURS = ZeroDivisionError("a fault of ours")

ANSWERS = {
    "accepts": Answer(True),
    "accepts, and the answer is lost": Answer(True, NO_ANSWER),
    "accepts after we stopped waiting": Answer(True, NO_ANSWER, after=LATE),
    "accepts, and we fail on its answer": Answer(True, FAULT_OF_OURS),
    "does nothing, and the answer is lost": Answer(False, NO_ANSWER),
    "is not asked, because we fail": Answer(False, FAULT_OF_OURS),
    "is not reached": Answer(False, NoConnection("no connection")),
    "rejects": Answer(False, Rejected(Rejection.POST, "not permitted", 403)),
    "rejects the sign-in": Answer(False, Rejected(Rejection.SIGN_IN, "X does not accept the sign-in", 401)),
    "limits the account": Answer(False, Rejected(Rejection.ACCOUNT, "limited", 429, timedelta(minutes=15))),
    "limits the app": Answer(False, Rejected(Rejection.APP, "no credits", 402, timedelta(hours=1))),
}

TIMELINES = {
    "shows all": None,
    "lags": None,
    "does not answer": CannotAsk("X did not answer"),
    "rejects the sign-in": CannotAsk("X does not accept the sign-in"),
    "limits the account": CannotAsk("limited", timedelta(minutes=15)),
}


@dataclass(frozen=True)
class Tweet:
    id: str
    x_user_id: str
    text: str
    created_at: datetime


@dataclass
class Timeline:
    """What X shows of an account, or why it does not."""

    tweets: list[Tweet]
    failure: CannotAsk | None

    def find(self, text: str, since: datetime) -> list[str]:
        if self.failure:
            raise TimelineUnavailable(self.failure)
        return [tweet.id for tweet in self.tweets if tweet.text == text and tweet.created_at >= since]


@dataclass
class FakeX:
    """An XApi. Its duplicate check can be on, but must not be what prevents a second tweet.

    `answers` and `timelines` are by the number of the account, which is the id of its user here. `asked` counts how
    often it was asked to take a post.
    """

    tweets: list[Tweet] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    timelines: dict[int, str] = field(default_factory=dict)
    rejects_duplicates: bool = False
    asked: int = 0
    _taking: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, account: Account, text: str) -> PublishResult:
        answer = ANSWERS[self.answers.get(int(account.x_user_id), "accepts")]
        result = self._take(account, text, answer)
        if isinstance(answer.result, Exception):
            raise answer.result
        return answer.result or result or Rejected(Rejection.DUPLICATE, "X has this text already", 403)

    def _take(self, account: Account, text: str, answer: Answer) -> Accepted | None:
        with self._taking:
            self.asked += 1
            if not answer.takes_it or (self.rejects_duplicates and self._of(account, text)):
                return None
            tweet = Tweet(str(len(self.tweets) + 1), account.x_user_id, text, datetime.now(UTC) + answer.after)
            self.tweets.append(tweet)
            return Accepted(tweet.id, 201)

    def timeline(self, account: Account, since: datetime, until: datetime) -> "Timeline":
        shown = self.timelines.get(int(account.x_user_id), "shows all")
        shown_until = datetime.now(UTC) - (LAG if shown == "lags" else timedelta())
        those = [tweet for tweet in self.tweets if tweet.x_user_id == account.x_user_id]
        return Timeline([tweet for tweet in those if since <= tweet.created_at <= shown_until], TIMELINES[shown])

    def _of(self, account: Account, text: str) -> list[Tweet]:
        return [tweet for tweet in self.tweets if (tweet.x_user_id, tweet.text) == (account.x_user_id, text)]

    def pass_time(self, by: timedelta) -> None:
        self.tweets = [replace(tweet, created_at=tweet.created_at - by) for tweet in self.tweets]

    def recover(self) -> None:
        self.answers.clear()
        self.timelines.clear()
