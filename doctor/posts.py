"""Are the posts well? Each by itself with its log, and posts beside each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from admin.hasura_api import HasuraApi
from admin.pause import UNTIL_RESUMED
from doctor.report import Finding, about_posts
from shared.core.model import Outcome, State

MOST = 10_000
"""How many open, and how many closed posts are read."""

PATIENCE = timedelta(minutes=3)
"""The sweep comes each minute, and Hasura waits 150 s at most for its answer: what is overdue for longer is stuck."""

_POST = """{
  id account_id text schedule_for state next_attempt_at reconcile_at lease_until tweet_id reason
  account { account_name paused_until }
  post_attempts(order_by: {number: asc}) {
    number x_user_id text started_at finished_at outcome
  }
}"""

POSTS = f"""
query doctorReadsPosts($since: timestamptz!, $most: Int!) {{
  open: scheduled_post(where: {{is_pending: {{_eq: true}}}}, order_by: [{{schedule_for: asc}}], limit: $most) {_POST}
  closed: scheduled_post(
    where: {{is_pending: {{_eq: false}}, state: {{_neq: "draft"}}, updated_at: {{_gt: $since}}}},
    order_by: [{{updated_at: desc}}], limit: $most
  ) {_POST}
  left_open: scheduled_post(
    where: {{state: {{_nin: ["draft", "sending"]}}, post_attempts: {{finished_at: {{_is_null: true}}}}}}, limit: $most
  ) {_POST}
  app {{ paused_until paused_reason follow_up_until }}
}}"""


@dataclass(frozen=True)
class Attempt:
    """An entry in the log of a post, with the user of X and the text that it was attempted with."""

    number: int
    x_user_id: str | None
    text: str
    started_at: datetime
    finished_at: datetime | None
    outcome: str | None


@dataclass(frozen=True)
class Post:
    """A row with its log. `paused_until` is the account's."""

    id: int
    account_id: int | None
    account_name: str | None
    text: str
    schedule_for: datetime
    state: str
    next_attempt_at: datetime | None
    reconcile_at: datetime | None
    lease_until: datetime | None
    tweet_id: str | None
    reason: str | None
    paused_until: datetime | None
    attempts: tuple[Attempt, ...]

    @property
    def due_at(self) -> datetime:
        """When it is to be attempted, while it is scheduled and the app is not paused."""
        waits = (self.next_attempt_at, self.paused_until)
        return max(self.schedule_for, *(wait for wait in waits if wait)) if any(waits) else self.schedule_for

    @property
    def open_attempt(self) -> Attempt | None:
        return next((attempt for attempt in self.attempts if attempt.finished_at is None), None)


@dataclass(frozen=True)
class App:
    """The row of our app on X."""

    paused_until: datetime | None = None
    paused_reason: str | None = None
    follow_up_until: datetime | None = None


@dataclass(frozen=True)
class Posts:
    """The open posts, those closed lately, and the app. `is_cut`: there were more."""

    all: tuple[Post, ...]
    app: App = App()
    is_cut: bool = False

    def in_state(self, state: State) -> list[Post]:
        return [post for post in self.all if post.state == state]


def read_posts(hasura: HasuraApi, since: datetime) -> Posts:
    """All open posts, and those that changed since; no drafts, which nothing publishes. Raises HasuraUnusable."""
    data = hasura.graphql(POSTS, {"since": since.isoformat(), "most": MOST})
    rows = {row["id"]: _post(row) for row in chain(data["open"], data["closed"], data["left_open"])}
    app = next(
        (App(_time(a["paused_until"]), a["paused_reason"], _time(a["follow_up_until"])) for a in data["app"]), App()
    )
    return Posts(tuple(rows.values()), app, is_cut=MOST in (len(data["open"]), len(data["closed"])))


def _post(row: Mapping[str, Any]) -> Post:
    account = row["account"] or {"account_name": None, "paused_until": None}
    as_they_are: dict[str, Any] = {name: row[name] for name in ("text", "state", "tweet_id", "reason")}
    times: dict[str, Any] = {name: _time(row[name]) for name in ("next_attempt_at", "reconcile_at", "lease_until")}
    return Post(
        id=int(row["id"]),
        account_id=_id(row["account_id"]),
        account_name=account["account_name"],
        paused_until=_time(account["paused_until"]),
        schedule_for=datetime.fromisoformat(row["schedule_for"]),
        attempts=tuple(_attempt(attempt) for attempt in row["post_attempts"]),
        **as_they_are,
        **times,
    )


def _attempt(row: Mapping[str, Any]) -> Attempt:
    times = {"started_at": datetime.fromisoformat(row["started_at"]), "finished_at": _time(row["finished_at"])}
    return Attempt(**{**row, **times})


def _id(value: int | str | None) -> int | None:
    """A bigint, which Hasura may be set to write as a text."""
    return None if value is None else int(value)


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def post_findings(posts: Posts, now: datetime) -> Iterator[Finding]:
    """Everything that is wrong with posts; `now` by the database's clock, which is the one that claims."""
    app = posts.app
    if app.paused_until and app.paused_until > now:
        until = "`make resume`" if app.paused_until >= UNTIL_RESUMED else _clock(app.paused_until)
        sentence = f"No post is attempted before {until}: {app.paused_reason}"
        yield Finding("stuck", "app", sentence, "Act on that first.")
    for post in posts.all:
        yield from _overdue(post, posts.app, now)
        yield from _log_findings(post)
        if post.state == State.SCHEDULED and post.account_id is None:
            sentence = "Its X account was removed, so it will fail at its time."
            yield about_posts("orphaned", [post.id], sentence, "Its author can choose another account.")
    yield from _same_text(posts.in_state(State.TWEETED))


def _overdue(post: Post, app: App, now: datetime) -> Iterator[Finding]:
    """What claim_due_posts would have taken by now, if a delivery had come."""
    match post.state:
        case State.SCHEDULED if not post.open_attempt:
            due_at = max(post.due_at, app.paused_until or post.due_at)
            what = "It was due at {at}, and no delivery has claimed it."
        case State.SENDING if post.lease_until:
            due_at = post.lease_until
            what = "Its lease ran out at {at}, and no delivery has claimed it since."
        case State.UNKNOWN if post.reconcile_at:
            due_at = max(post.reconcile_at, post.lease_until or post.reconcile_at)
            what = "It was to be reconciled at {at}, and no delivery has done it."
        case _:
            return
    if due_at < now - PATIENCE:
        sentence = what.format(at=f"{_clock(due_at)}, {_ago(due_at, now)} ago")
        yield about_posts(
            "stuck", [post.id], sentence, "See that the cron trigger publish_due_posts reaches postTweet."
        )


def _log_findings(post: Post) -> Iterator[Finding]:
    """Where the row and its log say different things."""
    accepted = [attempt.number for attempt in post.attempts if attempt.outcome == Outcome.TWEETED]
    if post.open_attempt and post.state != State.SENDING:
        yield _attempt_left_open(post, post.open_attempt)
    if post.state == State.SENDING and not post.open_attempt:
        sentence = "It is being sent, but its log has no open attempt that could say what becomes of it."
        cure = "See what it becomes; if it becomes unknown, check the account on X."
        yield about_posts("orphaned", [post.id], sentence, cure)
    if accepted and post.state != State.TWEETED:
        sentence = f"X accepted its attempt {accepted[0]}, but the row is {post.state}, so it may be published again."
        cure = "Check the account on X, and set the row to tweeted with the id of the tweet."
        yield about_posts("lost", [post.id], sentence, cure)
    elif len(accepted) > 1:
        sentence = f"X accepted {len(accepted)} of its attempts ({_list(accepted)})."
        yield about_posts("duplicate", [post.id], sentence, "Check the account on X, and delete all tweets but one.")
    elif post.state == State.TWEETED and not accepted:
        sentence = f"The row says tweeted as {post.tweet_id}, but its log has no attempt that X accepted."
        yield about_posts("orphaned", [post.id], sentence, "Check the account on X.")


def _attempt_left_open(post: Post, attempt: Attempt) -> Finding:
    cure = "Check on X what became of the attempt, and write its outcome and finished_at into post_attempt."
    sentence = f"A change without the triggers left its attempt {attempt.number} open though the post is {post.state}"
    if post.state == State.SCHEDULED:
        return about_posts("stuck", [post.id], f"{sentence}, so claim_due_posts skips it.", cure)
    return about_posts("orphaned", [post.id], f"{sentence}.", cure)


def _same_text(tweeted: Iterable[Post]) -> Iterator[Finding]:
    """Published posts of one account with the same text, give or take white space."""
    by_text: dict[tuple[int | None, str], list[Post]] = {}
    for post in tweeted:
        by_text.setdefault((post.account_id, " ".join(post.text.split())), []).append(post)
    for same in by_text.values():
        if len(same) > 1:
            tweets = _list(post.tweet_id for post in same)
            sentence = f"They were published from @{same[0].account_name} with the same text, as {tweets}."
            cure = (
                "If that was not meant, delete one on X; "
                "a create that is repeated with its Idempotency-Key makes no second post."
            )
            yield about_posts("duplicate", (post.id for post in same), sentence, cure)


def post_notes(posts: Posts, now: datetime) -> Iterator[str]:
    """What waits and is not wrong."""
    if posts.is_cut:
        yield f"posts: only the {MOST} most urgent were read"
    for post in posts.in_state(State.UNKNOWN):
        if post.reconcile_at is None:
            yield f"post {post.id} waits for its author to decide: {post.reason}"
    if paused := {f"@{post.account_name}" for post in posts.all if post.paused_until and post.paused_until > now}:
        yield f"accounts that are paused: {_list(sorted(paused))}"
    follow_up_until = posts.app.follow_up_until
    if follow_up_until and follow_up_until < now - PATIENCE:
        yield f"the follow-up delivery that was due by {_clock(follow_up_until)} has not come"


def _list(values: Iterable[object]) -> str:
    return ", ".join(map(str, values))


def _clock(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%SZ}"


def _ago(time: datetime, now: datetime) -> str:
    minutes = (now - time) // timedelta(minutes=1)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
