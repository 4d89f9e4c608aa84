"""X as the model has it: a list of tweets, and what X answers and shows of them, chosen for each account."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from shared.core.model import Account
from shared.core.reconcile import SURE_AFTER
from shared.errors import AccountHeld, AlreadyPosted, AppHeld, NotSent, OutcomeUnknown, Refused, SignInRefused

LATE, LAG = SURE_AFTER / 3, SURE_AFTER / 2
"""X shows what it has within SURE_AFTER: together these are less, a tweet that it takes LATE and shows after a LAG."""


@dataclass(frozen=True)
class Answer:
    """Whether X takes a post, and what of that its publisher learns."""

    takes_it: bool
    error: Callable[[], Exception] | None = None
    after: timedelta = timedelta()


no_answer = partial(OutcomeUnknown, "X did not answer")
account_limited = partial(AccountHeld, "limited", status_code=429, wait=timedelta(minutes=15))
app_limited = partial(AppHeld, "no credits", status_code=402, wait=timedelta(hours=1))
sign_in_refused = partial(SignInRefused, "X does not accept the sign-in", status_code=401)
our_fault = partial(ZeroDivisionError, "a fault of ours")

ANSWERS = {
    "accepts": Answer(True),
    "accepts, and the answer is lost": Answer(True, no_answer),
    "accepts after we stopped waiting": Answer(True, no_answer, after=LATE),
    "accepts, and we fall over its answer": Answer(True, our_fault),
    "does nothing, and the answer is lost": Answer(False, no_answer),
    "is not asked, because we fall over": Answer(False, our_fault),
    "is not reached": Answer(False, partial(NotSent, "no connection")),
    "refuses": Answer(False, partial(Refused, "not permitted", status_code=403)),
    "refuses the sign-in": Answer(False, sign_in_refused),
    "limits the account": Answer(False, account_limited),
    "limits the app": Answer(False, app_limited),
}

VIEWS: dict[str, Callable[[], Exception] | None] = {
    "shows all": None,
    "lags": None,
    "does not answer": no_answer,
    "refuses the sign-in": sign_in_refused,
    "limits the account": account_limited,
}


@dataclass(frozen=True)
class Tweet:
    id: str
    account_id: int
    text: str
    created_at: datetime


@dataclass
class FakeX:
    """A Publisher. Its duplicate check can be on, but must not be what saves us."""

    tweets: list[Tweet] = field(default_factory=list)
    answers: dict[int, str] = field(default_factory=dict)
    views: dict[int, str] = field(default_factory=dict)
    refuses_duplicates: bool = False
    _taking: threading.Lock = field(default_factory=threading.Lock)

    def publish(self, account: Account, text: str) -> str:
        answer = ANSWERS[self.answers.get(account.id, "accepts")]
        taken = self._take(account, text, answer.after) if answer.takes_it else None
        if answer.error:
            raise answer.error()
        if taken is None:
            raise AlreadyPosted("X has this text already", status_code=403)
        return taken

    def _take(self, account: Account, text: str, after: timedelta) -> str | None:
        with self._taking:
            if self.refuses_duplicates and self._of(account, text):
                return None
            tweet = Tweet(str(len(self.tweets) + 1), account.id, text, datetime.now(UTC) + after)
            self.tweets.append(tweet)
            return tweet.id

    def find(self, account: Account, text: str, since: datetime) -> list[str]:
        view = self.views.get(account.id, "shows all")
        if error := VIEWS[view]:
            raise error()
        until = datetime.now(UTC) - (LAG if view == "lags" else timedelta())
        return [tweet.id for tweet in self._of(account, text) if since <= tweet.created_at <= until]

    def _of(self, account: Account, text: str) -> list[Tweet]:
        return [tweet for tweet in self.tweets if (tweet.account_id, tweet.text) == (account.id, text)]

    def pass_time(self, by: timedelta) -> None:
        self.tweets = [replace(tweet, created_at=tweet.created_at - by) for tweet in self.tweets]

    def get_well(self) -> None:
        self.answers.clear()
        self.views.clear()
