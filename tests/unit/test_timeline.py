"""X's answers about an account's own tweets: read as X documents them, or not at all."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.x.timeline import Page, Tweet, page

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
TWEET = {"id": "1445880548472328192", "text": "Hello", "created_at": "2026-05-04T09:30:00.000Z"}


def page_of(*tweets: dict[str, Any], **meta: Any) -> dict[str, Any]:
    return {"data": list(tweets), "meta": {"result_count": len(tweets), **meta}}


def link(short: str, expanded: str, **more: Any) -> dict[str, Any]:
    return {"url": f"https://t.co/{short}", "expanded_url": expanded, "display_url": "…", **more}


def entities(*links: dict[str, Any]) -> dict[str, Any]:
    return {"entities": {"urls": list(links), "hashtags": []}}


def targets_of(**tweet: Any) -> dict[str, str]:
    [read] = page(page_of(TWEET | tweet)).tweets
    return dict(read.targets)


def test_a_page_has_its_tweets_and_the_token_of_the_next_one() -> None:
    assert page(page_of(TWEET, next_token="a+b/c==")) == Page(
        [Tweet("1445880548472328192", AT, "Hello", {})], "a+b/c=="
    )


def test_the_last_page_has_no_token() -> None:
    assert page(page_of(TWEET)).next_token is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"meta": {"result_count": 0}}, id="data is left out"),
        pytest.param({"data": [], "meta": {"result_count": 0}}, id="data is an empty list"),
    ],
)
def test_a_page_may_be_empty(body: Any) -> None:
    assert page(body) == Page([], None)


def test_a_long_tweet_has_its_whole_text() -> None:
    [tweet] = page(page_of(TWEET | {"text": "cut off…", "note_tweet": {"text": "cut off here no more"}})).tweets

    assert tweet.text == "cut off here no more"


def test_links_lead_to_their_targets_in_the_text_and_in_the_whole_of_a_long_text() -> None:
    long = {"text": "https://t.co/b", **entities(link("b", "https://b.example"))}

    assert targets_of(**entities(link("a", "https://a.example")), note_tweet=long) == {
        "https://t.co/a": "https://a.example",
        "https://t.co/b": "https://b.example",
    }


def test_a_link_to_media_is_no_link_of_the_author() -> None:
    assert targets_of(**entities(link("a", "https://x.com/ada/status/1/photo/1", media_key="3_1"))) == {}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(None, id="nothing"),
        pytest.param([], id="a list"),
        pytest.param({"data": []}, id="no meta"),
        pytest.param({"meta": {}}, id="neither data nor a count"),
        pytest.param({"meta": {"result_count": 1}}, id="a count without data"),
        pytest.param({"errors": [{"title": "Not Found Error"}]}, id="errors alone"),
        pytest.param(page_of() | {"data": {}}, id="an object for the list"),
        pytest.param(page_of(next_token=5), id="a number for the token"),
        pytest.param(page_of(TWEET | {"created_at": None}), id="a tweet without its time"),
        pytest.param(page_of(TWEET | {"created_at": "2026-05-04T09:30:00"}), id="a time without its zone"),
        pytest.param(page_of(TWEET | {"created_at": "yesterday"}), id="no time"),
        pytest.param(page_of(TWEET | {"id": 1}), id="a number for the id"),
        pytest.param(page_of(TWEET | {"id": "1a"}), id="a letter in the id"),
        pytest.param(page_of(TWEET | {"text": None}), id="a tweet without its text"),
        pytest.param(page_of(TWEET | {"note_tweet": "Hello"}), id="a text for the note"),
        pytest.param(page_of(TWEET | {"entities": {"urls": [{"url": "https://t.co/a"}]}}), id="a link to nowhere"),
    ],
)
def test_a_page_that_is_not_as_x_documents_it_is_not_taken_for_an_empty_one(body: Any) -> None:
    with pytest.raises(ValueError, match=r"no |isoformat"):
        page(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TWEETS = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["1", "2", 3, ""]),
        "text": st.none() | st.text(),
        "created_at": st.datetimes().map(lambda time: time.isoformat() + "Z") | st.text(max_size=5),
        "entities": JSON | st.fixed_dictionaries({"urls": st.lists(st.just(link("a", "Hello")) | JSON)}),
        "note_tweet": JSON | st.fixed_dictionaries({"text": st.just("Hello") | JSON}),
    },
)
PAGES = JSON | st.fixed_dictionaries(
    {"meta": JSON | st.fixed_dictionaries({"result_count": st.integers(0, 2)}, optional={"next_token": JSON})},
    optional={"data": JSON | st.lists(TWEETS, max_size=3)},
)


@given(body=PAGES)
def test_any_page_is_read_or_is_a_value_error(body: Any) -> None:
    try:
        read = page(body)
    except ValueError:
        return
    assert len(read.tweets) == len(body.get("data", []))
