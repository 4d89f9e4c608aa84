"""Which texts that X shows are the one that was sent. What X makes of a text is played by the local X."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import settings as run
from hypothesis import strategies as st
from work_done import lines_run

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
@example(text="https://xn--https://t.co/abcDEF1234")
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


HOSTS = st.sampled_from(
    ["müller.de", "MÜLLER.de", "mu\u0308ller.de", "straße.de", "sub.例え.jp", "пример.рф", "ひ。jp"]
)
SCHEMES = st.sampled_from(["", "http://", "HTTP://"])
PATHS = st.sampled_from(["", "/", "/a", "/ü?q=1"])
BESIDE = st.sampled_from(
    [
        "",
        " ",
        "„",
        "“",
        "»",
        "\u2019s",
        "…",
        "—",
        "。",
        "、",
        "\uff01",
        "\uff09",
        "」",
        "です",
        "漢字",
        "한",
        "я",
        "\u200b",
        "\ufe0f",
    ]
)


def in_punycode(host: str) -> str:
    return "xn--strae-oqa.de" if host == "straße.de" else host.lower().encode("idna").decode()


@run(deadline=None, max_examples=500)
@given(host=HOSTS, scheme=SCHEMES, path=PATHS, before=BESIDE, behind=BESIDE, is_literal=st.booleans())
def test_a_host_that_x_shows_in_punycode_is_found_beside_any_script(
    host: str, scheme: str, path: str, before: str, behind: str, is_literal: bool
) -> None:
    target = f"http://{in_punycode(host)}"
    sent = f"{before}{scheme}{host}{path}{behind}"
    shown = f"{before}{target}{path or '/'}{behind}" if is_literal else f"{before}{LINK}{behind}"

    assert is_same_text(sent, shown, {LINK: target + (path or "/")})


@run(deadline=None, max_examples=500)
@given(host=HOSTS, other=HOSTS, before=BESIDE, behind=BESIDE, other_behind=BESIDE)
def test_another_host_or_other_text_behind_it_is_not_the_same(
    host: str, other: str, before: str, behind: str, other_behind: str
) -> None:
    same = (in_punycode(host), visible(behind)) == (in_punycode(other), visible(other_behind))
    shown = f"{before}{LINK}{other_behind}"

    assert is_same_text(f"{before}{host}{behind}", shown, {LINK: f"http://{in_punycode(other)}/"}) <= same


def visible(text: str) -> str:
    """Without what DNS leaves out of names, so that X can take it for a part of the link; and without spaces."""
    return text.strip("\u200b\ufe0f ")


@pytest.mark.parametrize(
    "target", ["http://xn--mller-kva.de/", "https://xn--mller-kva.de", "http://müller.de", "http://MU\u0308LLER.DE/"]
)
@pytest.mark.parametrize(
    "sent", ["„müller.de“", "„müller.de/“", "見てmüller.deです", "müller.de。", "müller.de\u2019s", "müller。de\uff01"]
)
def test_a_link_to_an_international_host_is_found_beside_typographic_signs(sent: str, target: str) -> None:
    shown = re.sub("müller.de/?", LINK, sent)

    assert is_same_text(sent, shown, {LINK: target})
    assert not is_same_text(sent.replace("ü", "u"), shown, {LINK: target})
    assert not is_same_text(sent + "!", shown, {LINK: target})


def test_an_international_host_can_be_shown_in_punycode_without_a_short_link() -> None:
    assert is_same_text("„müller.de“", "„http://xn--mller-kva.de/“", {})
    assert is_same_text("„müller.de/a“", "„http://xn--mller-kva.de/a“", {})
    assert is_same_text("„http://xn--mller-kva.de/“", "„http://xn--mller-kva.de/“", {})
    assert not is_same_text("„muller.de“", "„http://xn--mller-kva.de/“", {})
    assert not is_same_text("„https://müller.de“", "„http://xn--mller-kva.de/“", {})
    assert not is_same_text("„müller.de/a“", "„http://xn--mller-kva.de/A“", {})


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        pytest.param("漢a.co", "a.co", id="links"),
        pytest.param("漢müller.de。", "müller.de", id="international-links"),
        pytest.param("漢müller.den", "müller.de", id="other-international-links"),
    ],
)
def test_twice_as_many_links_are_twice_the_work(sent: str, part: str) -> None:
    def work(links: int) -> int:
        shorts = {f"https://t.co/{number:010}": "http://xn--mller-kva.de/" for number in range(links)}
        shown = "".join(sent.replace(part, short) for short in shorts)
        return lines_run(lambda: is_same_text(sent * links, shown, shorts))

    assert work(80) < 2.5 * work(40)


@pytest.mark.parametrize("target", ["%C3%A9" * 390, "%C3%A9" * 389])
def test_twice_the_path_is_twice_the_work(target: str) -> None:
    def work(times: int) -> int:
        sent = "https://a.co/" + "é" * 390 * times
        return lines_run(lambda: is_same_text(sent, LINK, {LINK: "https://a.co/" + target * times}))

    assert work(2) < 2.5 * work(1)
