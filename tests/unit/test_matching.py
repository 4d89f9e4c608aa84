"""Which texts that X shows are the one that was sent. What X makes of a text is played by the local X."""

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from local.x_api.tweet_text import shown as shown_by_x
from shared.x.matching import is_same_text

LINK = "https://t.co/0123456789"


def shows(sent: str, original: str) -> bool:
    """Whether `sent` is found in what X shows of `original`."""
    text, links = shown_by_x(original)
    return is_same_text(sent, text, {link["url"]: link["expanded_url"] for link in links})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("50% off / all day", "50% off all day", id="slash"),
        pytest.param("and/ or", "and or", id="slash-and-space"),
        pytest.param("Goal.", "GOAL.", id="case-of-a-word-with-a-dot"),
        pytest.param("Q&amp;A", "Q&A", id="sent-as-an-escape"),
        pytest.param("Q&amp;amp;A", "Q&amp;A", id="sent-as-an-escape-of-an-escape"),
        pytest.param("a%20b", "a b", id="percent-encoded-space"),
        pytest.param("100%25", "100%", id="percent-encoded-percent"),
        pytest.param("http://", "https://", id="scheme-alone"),
        pytest.param("one\ntwo", "one two", id="line-end"),
        pytest.param("https://a.com/x", "http://a.com/x", id="scheme-of-a-link"),
        pytest.param("https://a.com/x", "https://a.com/X", id="path-in-other-case"),
        pytest.param("https://a.com/?q=a%26b", "https://a.com/?q=a&b", id="encoded-sign-with-a-meaning"),
        pytest.param("https://a.com/%FF", "https://a.com/%FE", id="encoded-bytes-that-are-no-text"),
        pytest.param("see a.com.", "see a.com", id="full-stop-behind-a-link"),
        pytest.param("see a.com now", "see a.com Now", id="word-behind-a-link"),
        pytest.param("a.com b.com", "b.com a.com", id="order-of-links"),
        pytest.param("a.com", "a.com a.com", id="number-of-links"),
        pytest.param("a.co/m", "a.com", id="longer-host"),
    ],
)
def test_texts_that_are_almost_equal_are_not_the_same(one: str, other: str) -> None:
    assert shows(one, one)
    assert shows(other, other)
    assert not shows(one, other)
    assert not shows(other, one)


@pytest.mark.parametrize(
    ("piece", "target"),
    [
        ("example.com", "http://example.com"),
        ("example.com", "https://example.com/"),
        ("HTTPS://EXAMPLE.com/Path", "https://example.com/Path"),
        ("example.com/a/", "http://example.com/a"),
        ("example.com/a", "http://example.com/a/"),
        ("example.com?q=1", "http://example.com/?q=1"),
        ("example.com/?q=1", "http://example.com?q=1"),
        ("example.com/#top", "http://example.com#top"),
        ("https://example.com:8080/a", "https://example.com:8080/a"),
        ("https://例え.jp/パス", "https://xn--r8jz45g.jp/%E3%83%91%E3%82%B9"),
        ("https://xn--r8jz45g.jp/", "https://例え.jp"),
        ("https://straße.de/a", "https://xn--strae-oqa.de/a"),
        ("https://straße.de/a", "https://strasse.de/a"),
        ("https://example.com/Köln", "https://example.com/K%c3%b6ln"),
        ("https://example.com/K%C3%B6ln", "https://example.com/Köln"),
        ("https://example.com/Köln", "https://example.com/Ko%CC%88ln"),
        ("https://example.com/a|b", "https://example.com/a%7Cb"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://example.com/?a=1&b=2", "https://example.com/?a=1&b=2"),
        ("https://example.com/?a=1&b=2", "https://example.com/?a=1&amp;b=2"),
        ("https://t.co/mine", "https://t.co/mine"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "({}).", "見て {} です", "。{}。", "{}\n100% & more / all"])
def test_a_link_may_come_back_written_in_another_way(piece: str, target: str, around: str) -> None:
    shown = around.replace("&", "&amp;").format(LINK)

    assert is_same_text(around.format(piece), shown, {LINK: target})


@pytest.mark.parametrize(
    "sent", ["Save 50%deals.com today", "%1e\u0301", "a.com/? b", "a.com:80b", "a.com// /", "a.com\n&amp; é.com/é"]
)
def test_a_link_ends_where_x_ends_it(sent: str) -> None:
    assert shows(sent, sent)


def test_a_link_to_media_stands_at_the_end() -> None:
    assert is_same_text("Look", f"Look\n{LINK}", {})
    assert not is_same_text("Look here", f"Look {LINK} here", {})
    assert not is_same_text("Look", f"{LINK} Look", {})


PARTS = [
    *(" ", "\n", "&", "<", ">", "&amp;", "lt;", "%", "%20", "%C3%A9", "/", "//", ".", "?q=1&b=2", "#h", "?"),
    *("-", "_", ":80", "é", "e\u0301", "\u0338", "\u200d", "\x1c", "\x85", "ß", "İ", "です", "例え.jp", "@bob", "$A"),
    *("(", ")", "1", "a.com", "x.de/", "https://a.com", "HTTP://A.COM", "http://B.com/Path", "t.co/x", "Goal."),
    *("https://t.co/abcDEF1234", "http://a.com/%E3%81%82", "https://例え.jp/パス", "https://", "://", "xn--"),
]
TEXTS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8).map("".join) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=30
)


@run(deadline=None, max_examples=200)
@given(text=TEXTS)
def test_whatever_was_sent_is_found_again(text: str) -> None:
    assert shows(text, text)


WORDS = st.lists(st.sampled_from([part for part in PARTS if not re.search("[.:]", part)]), min_size=1, max_size=6).map(
    "".join
)


@run(deadline=None, max_examples=200)
@given(one=WORDS, other=WORDS)
def test_without_links_only_what_is_equal_but_for_white_space_is_the_same(one: str, other: str) -> None:
    def words(text: str) -> list[list[str]]:
        lines = re.split(r"\n", unicodedata.normalize("NFC", text))
        return [line for line in (re.split(r"[^\S\x1c-\x1f]+", line.strip(" \x85")) for line in lines) if line != [""]]

    assert shows(one, other) == (words(one) == words(other))


def test_long_texts_and_many_links_are_compared_at_once() -> None:
    shorts = {f"https://t.co/{number:010}": "http://a.co" for number in range(200)}
    sent = "漢".join(["a.co"] * len(shorts))
    path = "https://a.co/" + "é" * 3_900
    started = time.process_time()

    assert is_same_text(sent, "漢".join(shorts), shorts)
    assert not is_same_text(sent + "!", "漢".join(shorts), shorts)
    assert is_same_text(path, LINK, {LINK: "https://a.co/" + "%C3%A9" * 3_900})
    assert not is_same_text(path, LINK, {LINK: "https://a.co/" + "%C3%A9" * 3_899})
    assert time.process_time() - started < 1
