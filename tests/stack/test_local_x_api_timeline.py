"""How tweets are read from X of the development stack."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from local_x import Author, Clock, X, invalid_request

pytest_plugins = ["local_x_fixtures"]


def test_a_timeline_shows_the_newest_first(author: Author) -> None:
    ids = [author.tweet(text) for text in ("one", "two", "three")]

    answer = author.timeline()

    assert [tweet["text"] for tweet in answer["data"]] == ["three", "two", "one"]
    assert answer["meta"] == {"result_count": 3, "newest_id": ids[2], "oldest_id": ids[0]}


def test_an_empty_timeline_has_no_data(author: Author) -> None:
    assert author.timeline() == {"meta": {"result_count": 0}}


def test_a_timeline_is_read_page_by_page(author: Author) -> None:
    ids = [author.tweet(f"Number {number}") for number in range(12)]

    pages = [author.timeline(max_results=5)]
    while token := pages[-1]["meta"].get("next_token"):
        pages.append(author.timeline(max_results=5, pagination_token=token))

    assert [len(page["data"]) for page in pages] == [5, 5, 2]
    assert [tweet["id"] for page in pages for tweet in page["data"]] == ids[::-1]


def test_a_timeline_is_cut_by_ids_which_are_left_out(author: Author) -> None:
    ids = [author.tweet(text) for text in ("one", "two", "three")]

    answer = author.timeline(since_id=ids[0], until_id=ids[2])

    assert [tweet["text"] for tweet in answer["data"]] == ["two"]


def test_a_timeline_is_cut_by_times_from_the_first_to_before_the_second(x_with_clock: X, clock: Clock) -> None:
    author = x_with_clock.author()
    for text in ("midnight", "one second past", "two seconds past"):
        author.tweet(text)
        clock.advance(seconds=1)

    answer = author.timeline(start_time="2026-01-01T00:00:01Z", end_time="2026-01-01T01:00:02+01:00")

    assert [tweet["text"] for tweet in answer["data"]] == ["one second past"]


def test_replies_are_left_out_on_demand(author: Author) -> None:
    first = author.tweet("First")
    author.tweet("Second", reply={"in_reply_to_tweet_id": first})

    with_replies, without = author.timeline(), author.timeline(exclude="replies,retweets")

    assert [tweet["text"] for tweet in with_replies["data"]] == ["Second", "First"]
    assert [tweet["text"] for tweet in without["data"]] == ["First"]


@pytest.mark.parametrize("parameter", ["tweet.fields", "post.fields"])
def test_fields_are_returned_under_either_name_of_the_parameter(author: Author, parameter: str) -> None:
    first = author.tweet("First")
    second = author.tweet("Second", reply={"in_reply_to_tweet_id": first})

    fields = "created_at,author_id,entities,note_tweet,possibly_sensitive,public_metrics,referenced_tweets"
    answer = author.timeline(**{parameter: fields, "since_id": first})

    created_at = answer["data"][0].pop("created_at")
    assert set(answer["data"][0].pop("public_metrics").values()) == {0}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", created_at)
    assert abs(datetime.fromisoformat(created_at) - datetime.now(UTC)) < timedelta(seconds=30)
    assert answer["data"] == [
        {
            "id": second,
            "text": "Second",
            "edit_history_tweet_ids": [second],
            "author_id": author.id,
            "possibly_sensitive": False,
            "referenced_tweets": [{"type": "replied_to", "id": first}],
        }
    ]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("max_results", "4", "is not between 5 and 100"),
        ("max_results", "101", "is not between 5 and 100"),
        ("start_time", "yesterday", "is not a valid RFC 3339 date-time"),
        ("start_time", "2026-01-01T00:00:00", "is not a valid RFC 3339 date-time"),
        ("end_time", "2026-13-01T00:00:00Z", "is not a valid RFC 3339 date-time"),
        ("end_time", "2026-01-01T00:00:00+05:60", "is not a valid RFC 3339 date-time"),
        ("since_id", "abc", "does not match ^[0-9]{1,19}$"),
        ("pagination_token", "é", "is not valid"),
        ("pagination_token", "YWZ0ZXIgMQ==", "is not valid"),
        ("exclude", "cats", "is not one of [replies,retweets]"),
    ],
)
def test_an_invalid_query_is_rejected(author: Author, name: str, value: str, why: str) -> None:
    answer = author.call("GET", f"/2/users/{author.id}/tweets", params={name: value})

    message = f"The `{name}` query parameter value [{value}] {why}"
    assert (answer.status_code, answer.json()) == (400, invalid_request(message, {name: [value]}))


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ({"mood": "good"}, "The query parameter [mood] is not one of [max_results,"),
        ({"tweet.fields": "mood"}, "The `tweet.fields` query parameter value [mood] is not one of [article,"),
        ({"expansions": "author_id"}, "The query parameter [expansions] is not emulated"),
        ({"tweet.fields": "id,geo"}, "The `tweet.fields` query parameter value [geo] is not emulated"),
    ],
)
def test_the_rejection_of_a_query_says_what_is_allowed_or_not_emulated(
    author: Author, query: dict[str, str], why: str
) -> None:
    answer = author.call("GET", f"/2/users/{author.id}/tweets", params=query)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"].startswith(why)


@pytest.mark.parametrize(
    "query",
    [
        {"since_id": "9999999999999999999"},
        {"until_id": "0"},
        {"start_time": "9999-12-31T23:59:59Z"},
        {"end_time": "0001-01-01T00:00:00Z"},
    ],
)
def test_a_timeline_beyond_all_time_is_empty(author: Author, query: dict[str, str]) -> None:
    author.tweet("Now")

    assert author.timeline(**query) == {"meta": {"result_count": 0}}


def test_a_tweet_is_read_by_its_id(x: X, author: Author) -> None:
    tweet_id = author.tweet("Here I am")

    found = x.author().call("GET", f"/2/tweets/{tweet_id}", params={"tweet.fields": "author_id"}).json()

    assert found["data"]["text"] == "Here I am"
    assert found["data"]["author_id"] == author.id


@pytest.mark.parametrize(("path", "kind"), [("/2/tweets/{}", "tweet"), ("/2/users/{}/tweets", "user")])
@pytest.mark.parametrize("missing", ["123", "9999999999999999999"])
def test_a_missing_tweet_or_user_is_a_200_with_errors(author: Author, path: str, kind: str, missing: str) -> None:
    answer = author.call("GET", path.format(missing))

    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["detail"]) == (200, f"Could not find {kind} with id: [{missing}].")
    assert error["type"].endswith("/resource-not-found")
    assert "data" not in answer.json()
