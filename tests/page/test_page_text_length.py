"""The page counts as the server counts: both must say the same of a text, or an author is told two things."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route
from twitter_text.regexp.emoji import emoji_list

from local import REPOSITORY
from shared.x.text_length import LIMIT, one_line_end, weighted_length

WEB = REPOSITORY / "web"
A_PAGE = "http://page.test/"

Count = Callable[[list[str]], list[int]]


@pytest.fixture(scope="module")
def in_page(browser: Browser) -> Iterator[Page]:
    """An empty page that can import the modules of `web/`."""
    with browser.new_context() as context, context.new_page() as page:
        page.route(f"{A_PAGE}**", _answer)
        page.goto(A_PAGE)
        yield page


@pytest.fixture(scope="module")
def page_counts(in_page: Page) -> Count:
    """What the page's counter says of each text, in the browser; the texts go there all at once."""

    def count(texts: list[str]) -> list[int]:
        lengths: list[int] = in_page.evaluate(
            """async (texts) => {
              const { weightedLength } = await import("/tweet_length.js");
              return texts.map(weightedLength);
            }""",
            texts,
        )
        return lengths

    return count


def _answer(route: Route) -> None:
    name = Path(urlsplit(route.request.url).path).name
    if name:
        route.fulfill(path=WEB / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>A page</title>", content_type="text/html")


def server_counts(text: str) -> int:
    return weighted_length(one_line_end(text))


def assert_same(page_counts: Count, texts: list[str]) -> None:
    counted = zip(texts, page_counts(texts), strict=True)
    told_two_things = {text: (page, server) for text, page in counted if page != (server := server_counts(text))}
    assert told_two_things == {}


def test_the_page_has_the_limit_that_the_server_has(in_page: Page) -> None:
    assert in_page.evaluate("async () => (await import('/tweet_length.js')).MAX") == LIMIT


LETTERS = [
    *("a" * 280, "漢" * 140, "Привет", "สวัสดี", "नमस्ते", "cafe\u0301", "caf\u00e9", "x\u0301", "\u0344", "각", "ﬁ"),
    *("“quoted”", "wait…", "€5", "a \u2013 b \u2014 c", "a\nb", "a\r\nb\rc", "a\u200bb", "\u202f", "\u200e", "", " "),
    *(
        "\u10ff\u1100",
        "\u2031\u2032\u2037\u2038",
        "\u1fff\u2000\u200d\u200e\u200f\u2010\u201f\u2020",
        "\U0001d4b3",
        "1²⁠",
    ),
]
ADDRESSES = [
    *("https://example.com/" + "a" * 200, "http://t.co", "HTTPS://Example.COM/", "https://example.com:8080/a?b=c#d"),
    *("see example.com now", "main.py", "README.md", "node.js", "v1.2.3", "a.b", "example.com:80", "example.com/"),
    *("me@example.com", "@example.com", "#example.com", "$example.com", "\uff20example.com", "a@b.example.com/c"),
    *("https://example.com.", "example.com,", "(example.com)", "(https://example.com/a_(b))", "<https://example.com>"),
    *("https://example.com/a_(b(c)d)e)", "https://example.com/(", "https://example.com/a.!", "example.com/@me/x"),
    *(
        "https://例え.jp/パス",
        "例え.jp",
        "見てexample.com",
        "見てexample.comです",
        "です。example.com",
        "。example.com",
    ),
    *("https://example.comです", "example.com中国example.org/a", "例え.example.com", "https://пример.рф/путь", "ж.рф"),
    *("étude.com", " étude.com", "é-foo.com", "é_foo.com", "a_b.com", "a_b.c.com", "-a.com", "_a.com", "a-.com"),
    *("http://www.example.co.uk/x", "www.http://x.com", "xhttp://x.com", "見http://x.com", "見てhttps://x.com/見"),
    *("ftp://example.com", "//example.com", "a/example.com", "a.example.com_b", "example.com-b", "example.com@b"),
    *("127.0.0.1", "http://127.0.0.1/", "localhost:3000", "http://localhost", "xn--a.xn--p1ai", "https://a.xn--b"),
    *("https://t.co/" + "a" * 40, "https://t.co/" + "a" * 41, "https://t.co/abc/def?x=1", "t.co/abc/def", "t.co/a?b"),
    *("a" * 63 + ".com", "a" * 64 + ".com", "https://" + "a" * 64 + ".com/x", "漢" * 60 + ".com", "漢" * 20 + "a.com"),
    *("example.com example.org", "example.com,example.org", "example.com/a,example.org", "a.com/b/c.org", "a.com.org"),
    *("https://example.com/" + "a" * 4068, "https://example.com/" + "a" * 4069, "example.com?x=1", "example.com/?x=1!"),
    *(
        '"example.com"',
        "`example.com`",
        "example.com…",
        "example.com—x",
        "\u017f.com",
        "example.\u0441\u043e\u043c",
        "example.amazon",
    ),
]
DOTS = [
    *(
        "...",
        "a" + ".b" * 20 + ".com",
        "a" + ".b" * 19 + ".com",
        "." * 21,
        "a." * 500,
        "漢." * 500,
        "https://" + "a." * 900,
    ),
    *("a.com " + "a." * 30, "a.com/" + "a." * 30, "\x1c".join(["a." * 15] * 3), "\u200b".join(["a.com"] * 21)),
]


@pytest.mark.parametrize("texts", [LETTERS, ADDRESSES, DOTS], ids=["letters", "addresses", "dots"])
def test_the_page_and_the_server_say_the_same(page_counts: Count, texts: list[str]) -> None:
    assert_same(page_counts, texts)


def test_they_say_the_same_of_every_emoji_that_x_knows(page_counts: Count) -> None:
    emoji = ["".join(chr(int(code, 16)) for code in entry.codepoint.split()) for entry in emoji_list]

    assert len(emoji) > 3_000
    assert_same(page_counts, emoji)


def test_they_say_the_same_of_what_only_looks_like_an_emoji_or_is_newer(page_counts: Count) -> None:
    newer = [
        "❤️\u200d🔥",
        "🧑\u200d🍼",
        "🐦\u200d🔥",
        "🫱🏻\u200d🫲🏿",
        "🤝🏽",
        "🫶🏽",
        "🐈\u200d⬛",
        "🏳️\u200d⚧️",
        "🧔\u200d♂️",
        "🇨🇶",
    ]
    odd = [
        "🇦🇦",
        "🇦",
        "🇦🇹🇦",
        "👩🏻\u200d🤝\u200d👩🏿",
        "👨\u200d❤️\u200d👩",
        "😀\ufe0f",
        "1\ufe0f",
        "👍🏽🏽",
        "🏻",
        "⚧️",
        "☝️🏽",
        "🏴\U000e0067",
    ]

    assert_same(page_counts, newer + odd)


SIGNS = ".,:;!?@#$%&'()[]-_/|\"`~…。\uff20\uff03"
SPACES = " \u3000\n\t\u200b\u200d\ufe0f\u20e3\u0301\u202e\xa0\x85"
LETTERS_OF_ALL_KINDS = "aZ019éßж漢が한שمก👩👨👧❤🔥🤝🏽🏻🇦🇹♂©"
PARTS = ["example.com", "t.co", "README.md", ".com", ".jp", ".рф", "com", "org", "https://", "http://", "://", "www."]
TAILS = ["xn--", "a_b", "a-b", "例え", "1️⃣", "👨\u200d👩\u200d👧", "$x", "@x", "#x", "/a_(b)", "?q=1", "&x=y", " "]
GLUED = st.lists(
    st.sampled_from([*SIGNS, *SPACES, *LETTERS_OF_ALL_KINDS, *PARTS, *TAILS, *PARTS]), min_size=1, max_size=14
).map("".join)
ANY = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=40)
NOT_FOR_X = re.compile("[\x00\ufeff]")


# The same texts each time: of some hundred thousand glued like these, a few are counted differently. They have a host
# that no one could register, or a bare domain of two scripts with a path behind it.
@settings(
    max_examples=20,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(GLUED | ANY, min_size=60, max_size=60))
def test_they_say_the_same_of_texts_that_nobody_would_write(page_counts: Count, texts: list[str]) -> None:
    assert_same(page_counts, [text for text in texts if not NOT_FOR_X.search(text)])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("lorem ipsum " * 2_083, id="words"),
        pytest.param("漢" * 12_500 + "." + "漢" * 12_500, id="one-dot"),
        pytest.param("a." * 12_500, id="dots"),
        pytest.param(("漢." * 20 + " ") * 600, id="as-many-dots-as-are-looked-at"),
        pytest.param("https://example.com/ " * 1_190, id="links"),
        pytest.param("a.co/" + "(a" * 12_500, id="parentheses"),
        pytest.param("_a" * 12_500 + ".com", id="underscores"),
    ],
)
def test_25000_characters_are_counted_without_a_stop(page_counts: Count, text: str) -> None:
    started = time.monotonic()

    page_counts([text])

    assert time.monotonic() - started < 3  # the square of 25,000 would be minutes
