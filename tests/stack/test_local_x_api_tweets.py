"""The rules by which X of the development stack takes a tweet, limits its author, and gives it an id and a text."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from local_x import DUPLICATE, NOT_PERMITTED, SUSPENDED, TOO_MANY_REQUESTS, Author, Clock, X, invalid_request, process

pytest_plugins = ["local_x_fixtures"]


def test_a_tweets_id_carries_the_time_of_its_creation(author: Author) -> None:
    begin = time.time()

    tweet_id = int(author.tweet("When?"))

    assert begin - 0.001 <= ((tweet_id >> 22) + 1288834974657) / 1000 <= time.time()


def test_links_come_back_shortened_and_signs_escaped(author: Author) -> None:
    sent = "1 < 2 & see https://Example.com/a?b=1&c=2, README.md > cafe\u0301"

    text = author.post(sent).json()["data"]["text"]
    tweet = author.timeline(**{"tweet.fields": "entities"})["data"][0]

    urls = tweet["entities"]["urls"]
    assert re.fullmatch(r"1 &lt; 2 &amp; see https://t\.co/\w{10}, https://t\.co/\w{10} &gt; caf\u00e9", text, re.ASCII)
    assert tweet["text"] == text
    assert [url["expanded_url"] for url in urls] == ["https://Example.com/a?b=1&c=2", "http://README.md"]
    assert [text[url["start"] : url["end"]] for url in urls] == [url["url"] for url in urls]
    assert author.published() == [sent]


# What a tweet may consist of


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_is_not_declared_as_json_is_refused(author: Author, content_type: str | None) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    answer = author.call("POST", "/2/tweets", data=b"text=Hello", headers=headers)

    message = "Requests with bodies must have content-type of application/json."
    assert (answer.status_code, answer.json()) == (400, invalid_request(message))


@pytest.mark.parametrize("body", [b"", b"{", b'{"text": "\xff"}', b"[" * 100_000], ids=repr)
def test_a_body_that_is_not_json_is_refused(author: Author, body: bytes) -> None:
    answer = author.call("POST", "/2/tweets", data=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()) == (400, invalid_request("The request body is not valid JSON."))


NOT_DEFINED = "is not defined in the schema and the schema does not allow additional properties"


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"text": "a", "colour": 1}, f"$.colour: {NOT_DEFINED}"),
        ({"text": "a", "reply": {"in_reply_to_tweet_id": "1", "to": 1}}, f"$.reply.to: {NOT_DEFINED}"),
        ({"text": 1}, "$.text: integer found, string expected"),
        ({"text": None}, "$.text: null found, string expected"),
        ({"text": "a", "made_with_ai": 1}, "$.made_with_ai: integer found, boolean expected"),
        ([], "$: array found, object expected"),
        ({"quote_tweet_id": "12a"}, "$.quote_tweet_id: does not match the regex pattern ^[0-9]{1,19}$"),
        ({"quote_tweet_id": 12}, "$.quote_tweet_id: integer found, string expected"),
        ({"reply": {}}, "$.reply.in_reply_to_tweet_id: is missing but it is required"),
        ({"media": {"media_ids": []}}, "$.media.media_ids: there must be a minimum of 1 items in the array"),
        ({"media": {"media_ids": ["1"] * 5}}, "$.media.media_ids: there must be a maximum of 4 items in the array"),
        (
            {"text": "a", "reply_settings": "everyone"},
            "$.reply_settings: does not have a value in the enumeration "
            "[following, mentionedUsers, subscribers, verified]",
        ),
        (
            {"poll": {"options": ["a", "b" * 26], "duration_minutes": 5}},
            "$.poll.options[1]: may only be 25 characters long",
        ),
        (
            {"poll": {"options": ["a", "b"], "duration_minutes": 4}},
            "$.poll.duration_minutes: must have a minimum value of 5",
        ),
        (
            {"text": "a", "card_uri": "card", "quote_tweet_id": "1"},
            "You can only provide one of poll or quote_tweet_id or direct_message_deep_link or media or card_uri.",
        ),
        ({"text": "a", "community_id": "1"}, "$.community_id: is not emulated by the development stack"),
    ],
    ids=str,
)
def test_a_wish_outside_of_the_schema_is_refused(author: Author, wish: Any, message: str) -> None:
    answer = author.call("POST", "/2/tweets", json=wish)

    assert (answer.status_code, answer.json()) == (400, invalid_request(message))


@pytest.mark.parametrize(
    ("reference", "message", "parameters"),
    [
        ({"media": {"media_ids": ["123"]}}, "Your media IDs are invalid.", {"media.media_ids": ["123"]}),
        (
            {"reply": {"in_reply_to_tweet_id": "9999999999999999999"}},
            "Your reply tweet ID is invalid.",
            {"reply.in_reply_to_tweet_id": ["9999999999999999999"]},
        ),
        ({"quote_tweet_id": "123"}, "Your quote tweet ID is invalid.", {"quote_tweet_id": ["123"]}),
    ],
)
def test_a_reference_to_nothing_is_refused(
    author: Author, reference: dict[str, Any], message: str, parameters: dict[str, list[str]]
) -> None:
    answer = author.post("Look", **reference)

    assert (answer.status_code, answer.json()) == (400, invalid_request(message, parameters))


def test_a_quote_is_forbidden_to_self_serve_apps(author: Author) -> None:
    answer = author.post("Look", quote_tweet_id=author.tweet("First"))

    assert (answer.status_code, answer.json()) == (403, NOT_PERMITTED)


def test_a_reply_is_allowed_to_own_tweets_and_to_those_that_mention_the_author(x: X, author: Author) -> None:
    own = author.tweet("First")
    mention = x.author().tweet(f"What do you think, @{author.username}?")

    statuses = [
        author.post(f"About {tweet}", reply={"in_reply_to_tweet_id": tweet}).status_code for tweet in (own, mention)
    ]

    assert statuses == [201, 201]


def test_a_reply_to_someone_who_did_not_mention_the_author_is_refused(x: X, author: Author) -> None:
    answer = author.post("Hey", reply={"in_reply_to_tweet_id": x.author().tweet("Talking to myself")})

    assert answer.status_code == 403
    assert "Reply to this conversation is not allowed because you have not been mentioned" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("text", "status"), [("$AAPL is up", 201), ("$AAPL and $MSFT", 403), ("costs $5 or $6, US$AB x$CD", 201)]
)
def test_one_cashtag_is_allowed(author: Author, text: str, status: int) -> None:
    answer = author.post(text)

    assert answer.status_code == status
    assert status == 201 or "limited to a maximum of one cashtag" in answer.json()["detail"]


# How long it may be


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"


WEIGHTS = [
    ("a" * 280, 280),
    ("漢" * 140, 280),
    (FAMILY, 2),
    ("\U0001f64b\U0001f3fd", 2),
    ("\U0001f1fa\U0001f1f8", 2),
    ("1\ufe0f\u20e3", 2),
    ("\u2764\ufe0f", 2),
    ("\u2764", 2),
    ("\u2764\ufe0f\u200d\U0001f525", 5),
    ("\u2b50\ufe0f", 2),
    ("\U0001f6b4\u200d\u2642", 5),
    ("\u267e\ufe0f", 4),
    ("\xa9", 1),
    ("\U0001f9d1\u200d\U0001f527", 2),
    ("\U0001f935\u200d\u2642\ufe0f", 2),
    ("cafe\u0301", 4),
    ("caf\u00e9", 4),
    ("x\u0301", 2),
    ("“quoted”", 8),
    ("wait…", 6),
    ("€5", 3),
    ("a – b — c", 9),  # noqa: RUF001
    ("Привет", 6),
    ("สวัสดี", 6),
    ("नमस्ते", 6),
    ("a\nb", 3),
    ("a\u200bb", 3),
    ("https://example.com/" + 200 * "a", 23),
    ("see example.com now", 31),
    ("main.py", 23),
    ("README.md", 23),
    ("t.co", 23),
    ("node.js", 7),
    ("v1.2.3", 6),
    ("a.b", 3),
    ("me@example.com", 14),
    ("@example.com", 12),
    ("https://example.com.", 24),
    ("(https://example.com/a_(b))", 25),
    ("https://例え.jp/パス", 27),
    ("例え.jp", 7),
    ("a" * 256 + " https://example.com/path", 280),
    (FAMILY * 70, 140),
]


@pytest.mark.parametrize(("text", "weight"), WEIGHTS)
def test_a_text_of_280_fits_and_one_of_281_does_not(author: Author, text: str, weight: int) -> None:
    room = 280 - weight
    full = text + " " + "a" * (room - 1) if room else text
    too_long = text + " " + "a" * room

    statuses = [author.post(text).status_code for text in (too_long, full)]

    assert statuses == [403, 201]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  \n ",
        "a\ufeffb",
        "a\ufffeb",
        "a\uffffb",
        "a\0b",
        "a\ud800b",
        "漢" * 141,
        "a" * 5000,
        "https://a.com/" + "a" * 5000,
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_a_text_that_cannot_be_a_tweet_is_not_permitted(author: Author, text: str) -> None:
    answer = author.post(text)

    assert (answer.status_code, answer.json()) == (403, NOT_PERMITTED)


# Duplicates


def test_a_text_that_stands_may_not_be_repeated(author: Author) -> None:
    author.tweet("Good morning")

    answer = author.post("Good morning")

    assert (answer.status_code, answer.json()) == (403, DUPLICATE)
    assert author.published() == ["Good morning"]


def test_spaces_around_and_composition_make_no_new_text(author: Author) -> None:
    author.tweet("caf\u00e9")

    answer = author.post("  cafe\u0301\n")

    assert answer.json() == DUPLICATE


def test_another_author_may_say_the_same(x: X, author: Author) -> None:
    author.tweet("Good morning")

    assert x.author().post("Good morning").status_code == 201


def test_a_deleted_text_may_be_said_again(author: Author) -> None:
    tweet_id = author.tweet("Oops")

    deleted = author.call("DELETE", f"/2/tweets/{tweet_id}")

    assert (deleted.status_code, deleted.json()) == (200, {"data": {"deleted": True}})
    assert author.post("Oops").status_code == 201


def test_a_text_may_be_repeated_after_a_day(x_with_clock: X, clock: Clock) -> None:
    author = x_with_clock.author()
    author.tweet("Good morning")

    clock.advance(hours=23, minutes=59)
    refused = author.post("Good morning")
    clock.advance(minutes=2)
    accepted = author.post("Good morning")

    assert (refused.status_code, accepted.status_code) == (403, 201)


def test_of_many_equal_tweets_at_once_one_is_published(author: Author) -> None:
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda _: author.post("Me first").status_code, range(20)))

    assert sorted(statuses) == [201] + 19 * [403]
    assert author.published() == ["Me first"]


def test_somebody_elses_tweet_cannot_be_deleted(x: X, author: Author) -> None:
    tweet_id = author.tweet("Mine")

    answer = x.author().call("DELETE", f"/2/tweets/{tweet_id}")

    assert (answer.status_code, answer.json()) == (403, NOT_PERMITTED)
    assert author.published() == ["Mine"]


# Limits


def test_every_answer_tells_what_is_left_of_the_window(author: Author) -> None:
    begin = int(time.time())

    accepted, refused = author.post("Hello"), author.post("Hello")

    assert accepted.headers["x-rate-limit-limit"] == "100"
    assert [answer.headers["x-rate-limit-remaining"] for answer in (accepted, refused)] == ["99", "98"]
    assert begin + 900 <= int(accepted.headers["x-rate-limit-reset"]) <= begin + 905
    assert accepted.headers["x-access-level"] == "read-write"


def test_the_101st_tweet_of_a_window_has_to_wait_for_the_next_one(x_with_clock: X, clock: Clock) -> None:
    author = x_with_clock.author()
    for number in range(100):
        author.tweet(f"Number {number}")

    refused = author.post("One too many")
    of_somebody_else = x_with_clock.author().post("My first")
    clock.now = datetime.fromtimestamp(int(refused.headers["x-rate-limit-reset"]), UTC)
    in_the_next_window = author.post("One too many")

    assert (refused.status_code, refused.json()) == (429, TOO_MANY_REQUESTS)
    assert refused.headers["x-rate-limit-remaining"] == "0"
    assert of_somebody_else.status_code == 201
    assert (in_the_next_window.status_code, in_the_next_window.headers["x-rate-limit-remaining"]) == (201, "99")


def test_the_limit_can_be_set(tmp_path: Path) -> None:
    with process(tmp_path, "--rate-limit", "1") as x:
        author = x.author()

        statuses = [author.post(text).status_code for text in ("a", "b")]

    assert statuses == [201, 429]


def test_the_limit_can_be_lifted(tmp_path: Path) -> None:
    with process(tmp_path, "--rate-limit", "off", "--duplicate-window", "0") as x:
        answer = x.author().post("Hello")

    assert answer.status_code == 201
    assert [name for name in answer.headers if "limit" in name] == []


def test_a_suspended_author_is_refused_until_the_reset(x: X, author: Author) -> None:
    x.control("suspend", username=author.username)
    refused = author.post("Hello")
    x.control("reset")

    assert (refused.status_code, refused.json()) == (403, SUSPENDED)
    assert author.post("Hello").status_code == 201


def test_twenty_clients_at_once_lose_nothing(author: Author) -> None:
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda number: author.tweet(f"Number {number}"), range(80)))

    assert len(set(ids)) == 80
    assert sorted(author.published()) == sorted(f"Number {number}" for number in range(80))
