"""Which tweets are posts of a restored database."""

from datetime import UTC, datetime, timedelta

from admin.restored_posts import NotOnX, OnX, OnXBeforeItsTime, PerhapsOnX, RestoredPost, compare
from shared.core.model import State
from shared.x.timeline import Tweet

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TEN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def post(post_id: int = 1, text: str = "hello", at: datetime = TEN, state: State = State.SCHEDULED) -> RestoredPost:
    return RestoredPost(post_id, state, text, at)


def tweet(tweet_id: str = "100", text: str = "hello", at: datetime = TEN, **targets: str) -> Tweet:
    return Tweet(tweet_id, at, text, targets)


def test_a_tweet_with_the_text_is_the_posts() -> None:
    assert list(compare([post()], [tweet()], known=(), now=NOW)) == [OnX(post(), tweet())]


def test_a_post_whose_text_x_does_not_have_is_not_on_x() -> None:
    assert list(compare([post()], [], known=(), now=NOW)) == [NotOnX(post())]


def test_a_tweet_that_a_row_has_is_no_other_posts() -> None:
    assert list(compare([post()], [tweet()], known={"100"}, now=NOW)) == [NotOnX(post())]


def test_of_two_posts_with_one_tweet_the_earlier_one_has_it() -> None:
    later = post(1, at=TEN + timedelta(hours=1))
    earlier = post(2)

    findings = list(compare([later, earlier], [tweet()], known=(), now=NOW))

    assert findings == [OnX(earlier, tweet()), NotOnX(later)]


def test_two_posts_with_the_same_text_have_two_tweets_in_their_order() -> None:
    first, second = post(1), post(2, at=TEN + timedelta(minutes=1))
    tweets = [tweet("101", at=TEN + timedelta(minutes=1)), tweet("100")]

    findings = list(compare([second, first], tweets, known=(), now=NOW))

    assert findings == [OnX(first, tweets[1]), OnX(second, tweets[0])]


def test_a_failed_post_takes_no_tweet_from_one_that_would_be_published() -> None:
    failed, scheduled = post(1, at=TEN - timedelta(hours=1), state=State.FAILED), post(2)

    findings = list(compare([failed, scheduled], [tweet()], known=(), now=NOW))

    assert findings == [OnX(scheduled, tweet()), NotOnX(failed)]


def test_a_post_that_failed_or_was_missed_before_the_backup_may_have_been_tried_again_since() -> None:
    for state in (State.FAILED, State.MISSED, State.UNKNOWN, State.SENDING):
        assert list(compare([post(state=state)], [tweet()], known=(), now=NOW)) == [OnX(post(state=state), tweet())]


def test_a_tweet_with_the_text_from_before_the_posts_time_may_be_another_one() -> None:
    tomorrow = post(at=NOW + timedelta(days=1))
    due = post(at=TEN + timedelta(minutes=2))

    for one in (tomorrow, due):
        assert list(compare([one], [tweet()], known=(), now=NOW)) == [OnXBeforeItsTime(one, tweet())]


def test_a_tweet_of_the_posts_time_is_the_posts_by_any_clock() -> None:
    early = tweet(at=TEN - timedelta(seconds=59))

    assert list(compare([post()], [early], known=(), now=NOW)) == [OnX(post(), early)]


def test_of_two_tweets_with_the_text_the_one_of_the_posts_time_is_its() -> None:
    by_hand, its = tweet("100", at=TEN - timedelta(hours=1)), tweet("101")

    assert list(compare([post()], [by_hand, its], known=(), now=NOW)) == [OnX(post(), its)]


def test_what_was_left_to_its_author_is_not_the_posts_when_it_is_compared_again() -> None:
    left, other = post(1, at=TEN + timedelta(hours=1), state=State.UNKNOWN), post(2, at=TEN + timedelta(hours=2))

    findings = list(compare([left, other], [tweet()], known=(), now=NOW))

    assert findings == [NotOnX(left), NotOnX(other)]


def test_another_tweet_since_its_time_may_be_the_post_with_a_changed_text() -> None:
    edited = tweet(text="hello, world", at=TEN + timedelta(seconds=20))

    assert list(compare([post()], [edited], known=(), now=NOW)) == [PerhapsOnX(post(), edited)]


def test_another_tweet_since_its_time_that_is_a_posts_says_nothing() -> None:
    other = post(2, "hello, world")
    of_other = tweet(text="hello, world")

    findings = list(compare([post(1), other], [of_other], known=(), now=NOW))

    assert findings == [OnX(other, of_other), NotOnX(post(1))]
    assert list(compare([post(1)], [of_other], known={"100"}, now=NOW)) == [NotOnX(post(1))]


def test_a_tweet_that_is_perhaps_a_later_posts_may_also_be_an_earlier_one_with_a_changed_text() -> None:
    later = post(2, "good morning", at=NOW + timedelta(days=1))
    same = tweet(text="good morning")

    findings = list(compare([post(1), later], [same], known=(), now=NOW))

    assert findings == [OnXBeforeItsTime(later, same), PerhapsOnX(post(1), same)]


def test_another_tweet_long_after_its_time_may_be_the_post_that_was_edited_and_moved() -> None:
    late = tweet(text="another", at=TEN + timedelta(hours=1))

    assert list(compare([post()], [late], known=(), now=NOW)) == [PerhapsOnX(post(), late)]


def test_another_tweet_before_its_time_or_before_a_time_to_come_says_nothing() -> None:
    early = tweet(text="another", at=TEN - timedelta(minutes=2))
    coming = post(at=NOW + timedelta(seconds=10))

    assert list(compare([post()], [early], known=(), now=NOW)) == [NotOnX(post())]
    assert list(compare([coming], [tweet(text="another", at=NOW)], known=(), now=NOW)) == [NotOnX(coming)]


def test_a_link_is_compared_by_where_it_leads() -> None:
    with_link = post(text="read example.com/a")
    shown = Tweet("100", TEN, "read https://t.co/abcdefghij", {"https://t.co/abcdefghij": "http://example.com/a"})

    assert list(compare([with_link], [shown], known=(), now=NOW)) == [OnX(with_link, shown)]
