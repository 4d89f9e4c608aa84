"""Which tweets on X are posts of a database that was restored from a backup. Pure: compares what it is given."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.core.model import State
from shared.limits import CLOCK_MARGIN
from shared.x.matching import is_same_text
from shared.x.timeline import Tweet

OPEN = (State.SCHEDULED, State.SENDING, State.UNKNOWN)
"""What may be published without anybody asking for it again."""


@dataclass(frozen=True)
class RestoredPost:
    """A post that is not tweeted as far as its row knows."""

    id: int
    state: State
    text: str
    schedule_for: datetime


@dataclass(frozen=True)
class OnX:
    """X has the post's text in a tweet that is no other post's."""

    post: RestoredPost
    tweet: Tweet


@dataclass(frozen=True)
class OnXBeforeItsTime:
    """X has the text since before the post was due: its author published it at once, or wrote the same by hand."""

    post: RestoredPost
    tweet: Tweet


@dataclass(frozen=True)
class PerhapsOnX:
    """X does not have the text, but since the post's time a tweet that no row knows: the text may have been changed."""

    post: RestoredPost
    tweet: Tweet


@dataclass(frozen=True)
class NotOnX:
    """Nothing on X is to be taken for the post."""

    post: RestoredPost


Doubt = OnXBeforeItsTime | PerhapsOnX
"""What only the author of the post can tell."""

Finding = OnX | Doubt | NotOnX


def compare(
    posts: Iterable[RestoredPost], tweets: Iterable[Tweet], known: Collection[str], now: datetime
) -> Iterator[Finding]:
    """What X has of the posts of one X user. `known` are the ids of tweets that some row has.

    Of posts with the same text, one tweet is one post's: an open one before one that has ended, the earlier before the
    later. So what is left to be published never makes more tweets than there are posts. Of several tweets, the first
    one that was made when the post was due is the post's.
    """
    unexplained = sorted((tweet for tweet in tweets if tweet.id not in known), key=lambda tweet: int(tweet.id))
    free, not_found = list(unexplained), []
    for post in sorted(posts, key=lambda post: (post.state not in OPEN, post.schedule_for, post.id)):
        same = (tweet for tweet in free if is_same_text(post.text, tweet.text, tweet.targets))
        tweet = min(same, key=lambda tweet: _is_before_its_time(post, tweet), default=None)
        if tweet is None:
            not_found.append(post)
        else:
            free.remove(tweet)
            finding = _finding(post, tweet)
            if isinstance(finding, OnX):
                unexplained.remove(tweet)
            yield finding
    for post in not_found:
        tweet = _tweet_since_its_time(post, unexplained) if post.schedule_for <= now else None
        yield NotOnX(post) if tweet is None else PerhapsOnX(post, tweet)


def _finding(post: RestoredPost, tweet: Tweet) -> Finding:
    """Of a tweet with the post's text. A post that was left to its author stays so when it is compared again."""
    if not _is_before_its_time(post, tweet):
        return OnX(post, tweet)
    return OnXBeforeItsTime(post, tweet) if post.state is State.SCHEDULED else NotOnX(post)


def _is_before_its_time(post: RestoredPost, tweet: Tweet) -> bool:
    return tweet.created_at < post.schedule_for - CLOCK_MARGIN


def _tweet_since_its_time(post: RestoredPost, unexplained: Sequence[Tweet]) -> Tweet | None:
    """Only of a scheduled post: of another one it is reconciled, or up to its author, whether it is on X.

    However late: the author may have moved the post as well as changed its text.
    """
    if post.state is not State.SCHEDULED:
        return None
    return next((tweet for tweet in unexplained if not _is_before_its_time(post, tweet)), None)
