"""After a restore from a backup: finds on X what was published since, and records it. So nothing is published twice.

Run it while the app is paused, and six minutes after the old Hasura stopped: X shows late what it has. It asks X once
for each X user's posts since the backup, and compares them with every post that is not recorded as published. X bills
what it shows. It can be repeated: what is recorded is not looked for again.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from admin.connection import CommandRefused, Connection, parser_for, run, say
from admin.hasura_api import HasuraApi
from admin.restored_posts import Doubt, Finding, NotOnX, OnX, OnXBeforeItsTime, RestoredPost, compare
from shared.clock import SystemClock
from shared.core.model import Account, CannotAsk, Rejection, State, TimelineUnavailable, TokensUnreadable
from shared.hasura.documents import TWEETS_OF_POSTS
from shared.limits import CLOCK_MARGIN, LEASE, SURE_AFTER
from shared.x.client import X
from shared.x.timeline import Tweet

PAGE = 500
"""How many posts one request to Hasura reads, and how many tweets one asks for."""

MOST_POSTS = 1_000_000

TIME_FOR_A_TIMELINE = timedelta(minutes=5)

MOST_TWEETS_SHOWN = 3_200
"""X shows no more of a timeline, and does not say that there were more."""

SHORTEST_PAUSE_LEFT = timedelta(hours=1)

SHOWN_AFTER = LEASE + SURE_AFTER
"""How long after the old Hasura stopped X surely shows what was published: a post that was claimed just before is sent
within its lease."""

APP = "query readApp { app { paused_until } }"

NOT_TWEETED = """
query postsNotTweeted($after: bigint!, $limit: Int!) {
  scheduled_post(
    where: {state: {_nin: ["tweeted", "draft"]}, id: {_gt: $after}}, order_by: [{id: asc}], limit: $limit
  ) {
    id state text schedule_for account { id account_name x_user_id sealed_tokens }
  }
}"""

RECORD_FOUND_TWEET = """
mutation recordFoundTweet($args: record_found_tweet_args!) {
  record_found_tweet(args: $args) { recorded state }
}"""

LEAVE_TO_AUTHOR = """
mutation leaveToAuthor($args: leave_to_author_args!) {
  leave_to_author(args: $args) { recorded state }
}"""

NOW = "select json_build_object('now', now())"

Record = Callable[[HasuraApi, OnX | Doubt], str | None]
"""Writes a finding down. What became of it, in words; None: it could not be written down now."""


@dataclass
class XUser:
    """An account, and its posts that are not recorded as published."""

    account: Account
    posts: list[RestoredPost] = field(default_factory=list)


def main() -> None:
    parser = parser_for("reconcile", __doc__ or "")
    parser.add_argument(
        "--since",
        type=_instant,
        required=True,
        metavar="TIME",
        help="when the backup was made, such as 2026-11-27T10:00Z",
    )
    parser.add_argument(
        "--stopped-at",
        type=_instant,
        required=True,
        metavar="TIME",
        help="when the Hasura of the database before the restore stopped, such as 2026-11-27T11:20Z",
    )
    parser.add_argument("--dry-run", action="store_true", help="ask X and say what would be recorded; record nothing")
    given = parser.parse_args()
    work = dry_run if given.dry_run else reconcile
    run(given.data, lambda connection: work(connection, given.since, given.stopped_at))


def reconcile(connection: Connection, since: datetime, stopped_at: datetime) -> None:
    """Records what X has. Raises CommandRefused: the app is not paused, it is too early, or not all could be told."""
    now = _database_time(connection.hasura)
    [app] = connection.hasura.graphql(APP, {})["app"] or [{"paused_until": None}]
    if app["paused_until"] is None or datetime.fromisoformat(app["paused_until"]) < now + SHORTEST_PAUSE_LEFT:
        raise CommandRefused("The app must be paused meanwhile, or posts are published twice: `make pause` first.")
    _compare_all(connection, since, stopped_at, now, record)


def dry_run(connection: Connection, since: datetime, stopped_at: datetime) -> None:
    """Says what `reconcile` would record. Raises CommandRefused: it is too early, or not all could be told."""
    _compare_all(connection, since, stopped_at, _database_time(connection.hasura), would_record)


def _compare_all(connection: Connection, since: datetime, stopped_at: datetime, now: datetime, write: Record) -> None:
    if since > now:
        raise CommandRefused("--since is in the future.")
    if now < stopped_at + SHOWN_AFTER:
        raise CommandRefused(
            "X may not show yet what was published before the old Hasura stopped: "
            f"run it again after {stopped_at + SHOWN_AFTER:%Y-%m-%d %H:%M:%SZ}."
        )
    x = X(connection.settings, SystemClock().now)
    users, without_account = read_posts(connection.hasura)
    say(f"Asking X for the posts of {len(users)} accounts since {since:%Y-%m-%d %H:%M:%SZ}.")
    if without_account:
        say(f"Of {without_account} posts the account was removed: X cannot be asked, and nothing publishes them.")
    counts: Counter[str] = Counter()
    for user in users:
        try:
            tweets = _tweets(x, user.account, since)
        except TimelineUnavailable as error:
            say(f"@{user.account.name} was not asked: {_when(error.result)}")
            counts["not asked"] += 1
            if isinstance(error.result, CannotAsk) and error.result.what is Rejection.APP:
                raise CommandRefused("X rejects our app, so no other account is asked. Run it again then.") from error
            continue
        known = _known(connection.hasura, [tweet.id for tweet in tweets])
        for finding in compare(user.posts, tweets, known, now):
            counts[_write(connection.hasura, finding, user.account, now, write)] += 1
    say(f"On X: {counts['on X']}. Left to their authors: {counts['left']}. Not on X: {counts['not on X']}.")
    if counts["not asked"] or counts["not written"]:
        raise CommandRefused(
            f"Not asked: {counts['not asked']} accounts. Not recorded: {counts['not written']} posts. "
            "Run it again before `make resume`."
        )


def _write(hasura: HasuraApi, finding: Finding, account: Account, now: datetime, write: Record) -> str:
    """Says what was found of a post, and counts it under the word that it returns."""
    post = finding.post
    if isinstance(finding, NotOnX):
        if post.state is State.SCHEDULED and post.schedule_for <= now:
            say(f"post {post.id} ({post.state}, due {post.schedule_for:%Y-%m-%d %H:%M:%SZ}) is not on X.")
        return "not on X"
    if isinstance(finding, OnX):
        what, word = f"is on X as {finding.tweet.id} of @{account.name}", "on X"
    elif isinstance(finding, OnXBeforeItsTime):
        what, word = (
            f"is due {post.schedule_for:%Y-%m-%d %H:%M:%SZ}, and @{account.name} has its text since "
            f"{finding.tweet.created_at:%Y-%m-%d %H:%M:%SZ} ({finding.tweet.id})",
            "left",
        )
    else:
        what, word = (
            f"is not on X with its text, but @{account.name} has a tweet since its time that no post has "
            f"({finding.tweet.id}), so its text may have been changed since the backup",
            "left",
        )
    became = write(hasura, finding)
    say(f"post {post.id} ({post.state}) {what}: {became or 'it is being published or reconciled just now'}.")
    return word if became else "not written"


def record(hasura: HasuraApi, finding: OnX | Doubt) -> str | None:
    """Records a tweet, or leaves the post to its author."""
    post, tweet = finding.post, finding.tweet
    if isinstance(finding, OnX):
        args = {"post_id": post.id, "tweet_id": tweet.id, "tweeted_at": tweet.created_at.isoformat()}
        rows = hasura.graphql(RECORD_FOUND_TWEET, {"args": args})["record_found_tweet"]
        done = "recorded"
    else:
        args = {"post_id": post.id, "reason": _reason(finding)}
        rows = hasura.graphql(LEAVE_TO_AUTHOR, {"args": args})["leave_to_author"]
        done = "its author decides"
    if not rows:
        return "but it was deleted just now"
    return done if rows[0]["recorded"] else None


def _reason(doubt: Doubt) -> str:
    """What the author reads."""
    tweet = doubt.tweet
    if isinstance(doubt, OnXBeforeItsTime):
        return (
            f"The database was restored from a backup, and X has this text since {tweet.created_at:%Y-%m-%d %H:%M} UTC "
            f"(tweet {tweet.id}), before the post was due. Was it this post? If not, move the post and it is published."
        )
    return (
        f"The database was restored from a backup, and X may have this post with another text (tweet {tweet.id}). "
        "Check the account on X; move the post to have it published."
    )


def would_record(hasura: HasuraApi, finding: OnX | Doubt) -> str:  # noqa: ARG001
    """What `record` would do."""
    return "it would be recorded" if isinstance(finding, OnX) else "its author would decide"


def read_posts(hasura: HasuraApi) -> tuple[list[XUser], int]:
    """The posts that are not tweeted, by X user; and how many of them have no account any more."""
    users: dict[str, XUser] = {}
    without_account, after = 0, 0
    for _ in range(MOST_POSTS // PAGE):
        rows: list[dict[str, Any]] = hasura.graphql(NOT_TWEETED, {"after": after, "limit": PAGE})["scheduled_post"]
        for row in rows:
            if row["account"] is None:
                without_account += 1
            else:
                account = _account(row["account"])
                users.setdefault(account.x_user_id, XUser(account)).posts.append(_post(row))
        if len(rows) < PAGE:
            return sorted(users.values(), key=lambda user: user.account.id), without_account
        after = int(rows[-1]["id"])
    raise CommandRefused(f"There are more than {MOST_POSTS} posts that are not recorded as published.")


def _tweets(x: X, account: Account, since: datetime) -> list[Tweet]:
    """Raises TimelineUnavailable, also when X does not show all of them."""
    tweets = list(x.tweets_since(account, since - CLOCK_MARGIN, SystemClock().now() + TIME_FOR_A_TIMELINE))
    if len(tweets) >= MOST_TWEETS_SHOWN:
        raise TimelineUnavailable(CannotAsk(f"it has more posts since then than the {MOST_TWEETS_SHOWN} that X shows."))
    return tweets


def _known(hasura: HasuraApi, ids: list[str]) -> set[str]:
    """Which of these tweets some row has."""
    return {
        row["tweet_id"]
        for start in range(0, len(ids), PAGE)
        for row in hasura.graphql(TWEETS_OF_POSTS, {"ids": ids[start : start + PAGE]})["scheduled_post"]
    }


def _when(result: CannotAsk | TokensUnreadable) -> str:
    """Why, for the operator, and when to try again."""
    if isinstance(result, TokensUnreadable):
        return f"{result.operator_message}."
    if result.wait is None:
        return result.detail
    again = datetime.now(UTC) + result.wait
    return f"{result.detail} Run it again after {again:%Y-%m-%d %H:%M:%SZ}."


def _database_time(hasura: HasuraApi) -> datetime:
    return datetime.fromisoformat(hasura.select(NOW)["now"])


def _account(row: dict[str, Any]) -> Account:
    return Account(int(row["id"]), row["account_name"], row["x_user_id"], row["sealed_tokens"])


def _post(row: dict[str, Any]) -> RestoredPost:
    return RestoredPost(int(row["id"]), State(row["state"]), row["text"], datetime.fromisoformat(row["schedule_for"]))


def _instant(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write the time like 2026-11-27T10:00Z") from None
    if time.tzinfo is None:
        raise argparse.ArgumentTypeError("the time needs an offset, such as the Z in 2026-11-27T10:00Z")
    return time.astimezone(UTC)


if __name__ == "__main__":
    main()
