"""Which tweets on X are posts of a database that was restored from a backup. Pure: compares what it is given."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.core.model import State
from shared.limits import CLOCK_MARGIN
from shared.x.matching import is_same_text
from shared.x.timeline import Tweet

OPEN = (State.SCHEDULED, State.SENDING, State.UNKNOWN)
"""What may be published without anybody asking for it again."""

PUBLISHED_WITHIN = timedelta(minutes=5)
"""How long after its time a post is usually on X."""


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
class PerhapsOnX:
    """X does not have the text, but another tweet of its minute that no row knows: the text may have been changed."""

    post: RestoredPost
    tweet: Tweet


@dataclass(frozen=True)
class NotOnX:
    """X does not have the post."""

    post: RestoredPost


Finding = OnX | PerhapsOnX | NotOnX


def compare(
    posts: Iterable[RestoredPost], tweets: Iterable[Tweet], known: Collection[str], now: datetime
) -> Iterator[Finding]:
    """What X has of the posts of one X user. `known` are the ids of tweets that some row has.

    Of posts with the same text, one tweet is one post's: an open one before one that has ended, the earlier before the
    later. So what is left to be published never makes more tweets than there are posts.
    """
    unexplained = sorted((tweet for tweet in tweets if tweet.id not in known), key=lambda tweet: int(tweet.id))
    not_found = []
    for post in sorted(posts, key=lambda post: (post.state not in OPEN, post.schedule_for, post.id)):
        tweet = next((tweet for tweet in unexplained if is_same_text(post.text, tweet.text, tweet.targets)), None)
        if tweet is None:
            not_found.append(post)
        else:
            unexplained.remove(tweet)
            yield OnX(post, tweet)
    for post in not_found:
        tweet = _tweet_of_its_time(post, unexplained) if post.schedule_for <= now else None
        yield NotOnX(post) if tweet is None else PerhapsOnX(post, tweet)


def _tweet_of_its_time(post: RestoredPost, unexplained: Sequence[Tweet]) -> Tweet | None:
    """Only a scheduled post: of another one it is reconciled, or up to its author, whether it is on X."""
    if post.state is not State.SCHEDULED:
        return None
    first, last = post.schedule_for - CLOCK_MARGIN, post.schedule_for + PUBLISHED_WITHIN
    return next((tweet for tweet in unexplained if first <= tweet.created_at <= last), None)
