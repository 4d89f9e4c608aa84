"""The page counts as the server counts: both must say the same of a text, or an author is told two things."""

import re
from collections.abc import Callable

import pytest
from golden_lengths import emoji_lengths, text_lengths
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from shared.x.text_length import LIMIT, one_line_end, text_fault, weighted_length

Count = Callable[[list[str]], list[int]]


@pytest.fixture(scope="module")
def page_counts(in_page: Page) -> Count:
    """What the page's counter says of each text, in the browser; the texts go there all at once."""

    def count(texts: list[str]) -> list[int]:
        lengths: list[int] = in_page.evaluate(
            """async (texts) => {
              const { weightedLength } = await import("/text/text_length.js");
              return texts.map(weightedLength);
            }""",
            texts,
        )
        return lengths

    return count


def server_counts(text: str) -> int:
    return weighted_length(one_line_end(text))


def assert_same(page_counts: Count, texts: list[str]) -> None:
    counted = zip(texts, page_counts(texts), strict=True)
    different = {text: (page, server) for text, page in counted if page != (server := server_counts(text))}
    assert different == {}


def test_the_page_has_the_limit_that_the_server_has(in_page: Page) -> None:
    assert in_page.evaluate("async () => (await import('/text/text_length.js')).LIMIT") == LIMIT


def test_the_page_and_the_server_say_the_same_of_every_emoji(page_counts: Count) -> None:
    emoji = emoji_lengths()

    assert page_counts(list(emoji)) == list(emoji.values())
    assert_same(page_counts, list(emoji))


def test_the_page_and_the_server_say_the_same_of_texts_with_links(page_counts: Count) -> None:
    lengths = text_lengths()

    assert page_counts(list(lengths)) == list(lengths.values())
    assert_same(page_counts, list(lengths))


def test_the_page_and_the_server_say_the_same_of_ends_of_lines(page_counts: Count) -> None:
    assert_same(page_counts, ["a\r\nb\rc", "\r\r\n", "a.com\r\nb.com"])


def test_the_page_finds_the_faults_that_the_server_finds(in_page: Page) -> None:
    texts = [*FAULTY, *(text for text in text_lengths() if len(text) < 100)]

    faults = in_page.evaluate(
        "async (texts) => texts.map((await import('/text/text_length.js')).textError)",
        texts,
    )

    expected = {text: text_fault(one_line_end(text)) for text in texts}
    assert dict(zip(texts, faults, strict=True)) == expected
    sentences = "\n".join(fault for fault in expected.values() if fault)
    assert all(word in sentences for word in ("empty", "does not accept", "characters;", "as X counts", "cashtags"))


FAULTY = [
    *(
        "",
        " \n",
        "\u200b\u2060",
        "\u3164",
        "\u2800",
        "a\u200b",
        "$AB $CD",
        "$AB\n$CD.E x",
        "$AB ($CD)",
        "\u200e$AB $CD",
    ),
    *("a\ufeffb", "a\ufffeb", "a\uffffb", "a\0b", "a" * 281, "漢" * 140 + "a", "a" * 4_001, "👩" * 4_001),
]


def test_the_page_and_the_server_take_the_same_characters_for_invisible(in_page: Page) -> None:
    sentence = "Write something: the text is empty."
    codes = [*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000)]

    invisible = in_page.evaluate(
        """async ([text, sentence]) => {
          const { textError } = await import("/text/text_length.js");
          return Array.from(text).filter((character) => textError(character) === sentence).join("");
        }""",
        ["".join(map(chr, codes)), sentence],
    )

    assert invisible == "".join(chr(code) for code in codes if text_fault(chr(code)) == sentence)


@pytest.mark.parametrize("part", ["lorem ipsum ", "漢", "漢.", "https://example.com/ ", "a.co/(a", "_a", "a.co._"])
def test_a_pasted_text_of_25000_characters_is_counted(page_counts: Count, part: str) -> None:
    assert_same(page_counts, [part * (25_000 // len(part))])


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


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(GLUED | ANY, min_size=60, max_size=60))
def test_the_page_and_the_server_say_the_same_of_texts_that_nobody_would_write(
    page_counts: Count, texts: list[str]
) -> None:
    assert_same(page_counts, [text for text in texts if not NOT_FOR_X.search(text)])
