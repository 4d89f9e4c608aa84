"""How long a text is for X (its docs, Counting characters; twitter-text 3), and which texts X cannot take at all."""

import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from golden_lengths import cashtag_numbers, emoji_lengths, text_lengths
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from work_done import lines_run

from shared.x.text_length import one_line_end, text_fault, weighted_length
from shared.x.text_tables import EMOJI, TOP_LEVEL_DOMAINS

REPOSITORY = Path(__file__).parents[2]

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
LINK = "https://example.com/"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("a" * 280, 280, id="280-letters"),
        pytest.param("a" * 281, 281, id="281-letters"),
        pytest.param("漢" * 140, 280, id="140-han"),
        pytest.param("漢" * 141, 282, id="141-han"),
        pytest.param("Привет", 6, id="cyrillic"),
        pytest.param("สวัสดี", 6, id="thai"),
        pytest.param("नमस्ते", 6, id="devanagari"),
        pytest.param("cafe\u0301", 4, id="decomposed-accent"),
        pytest.param("caf\u00e9", 4, id="composed-accent"),
        pytest.param("x\u0301", 2, id="accent-that-does-not-compose"),
        pytest.param("“quoted”", 8, id="quotation-marks"),
        pytest.param("wait…", 6, id="ellipsis"),
        pytest.param("€5", 3, id="euro"),
        pytest.param("a \u2013 b \u2014 c", 9, id="dashes"),
        pytest.param("a\nb", 3, id="line-feed"),
        pytest.param("a\u200bb", 3, id="zero-width-space"),
    ],
)
def test_letters_weigh_one_or_two(text: str, length: int) -> None:
    assert weighted_length(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param(FAMILY, 2, id="family"),
        pytest.param(FAMILY * 70, 140, id="70-families"),
        pytest.param("\U0001f64b\U0001f3fd", 2, id="skin-tone"),
        pytest.param("\U0001f1fa\U0001f1f8", 2, id="flag"),
        pytest.param("1\ufe0f\u20e3", 2, id="keycap"),
        pytest.param("\u2764\ufe0f", 2, id="heart-as-emoji"),
        pytest.param("\u2764", 2, id="heart"),
        pytest.param("\u2b50\ufe0f", 2, id="star-with-a-needless-selector"),
        pytest.param("\u26c4\ufe0f", 2, id="snowman-with-a-needless-selector"),
        pytest.param("\u267e\ufe0f", 4, id="infinity-that-x-knows-without-a-selector-alone"),
        pytest.param("\U0001f6b4\u200d\u2642\ufe0f", 2, id="man-biking"),
        pytest.param("\U0001f6b4\u200d\u2642", 5, id="man-biking-without-its-selector"),
        pytest.param("\U0001f9d1\u200d\U0001f527", 2, id="mechanic"),
        pytest.param("\U0001f935\u200d\u2642\ufe0f", 2, id="man-in-a-tuxedo"),
        pytest.param("\xa9 \xae", 3, id="signs-in-text-style"),
        pytest.param("\xa9\ufe0f", 2, id="sign-as-emoji"),
        pytest.param("\U0001f1e6\U0001f1e6", 4, id="no-flag"),
        pytest.param("\u2764\ufe0f\u200d\U0001f525", 5, id="newer-than-the-data"),
    ],
)
def test_an_emoji_that_x_knows_weighs_two_and_any_other_as_its_parts(text: str, length: int) -> None:
    assert weighted_length(text) == length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param(LINK + "a" * 200, 23, id="long-link"),
        pytest.param("https://t.co", 23, id="short-link"),
        pytest.param("see example.com now", 31, id="bare-domain"),
        pytest.param("main.py", 23, id="main.py"),
        pytest.param("README.md", 23, id="README.md"),
        pytest.param("t.co", 23, id="t.co"),
        pytest.param("node.js", 7, id="node.js"),
        pytest.param("v1.2.3", 6, id="v1.2.3"),
        pytest.param("a.b", 3, id="a.b"),
        pytest.param("me@example.com", 14, id="mail-address"),
        pytest.param("@example.com", 12, id="mention"),
        pytest.param("https://example.com.", 24, id="full-stop-behind"),
        pytest.param("(https://example.com/a_(b))", 25, id="parentheses"),
        pytest.param("https://例え.jp/パス", 27, id="link-with-kana"),
        pytest.param("例え.jp", 7, id="bare-domain-with-kana"),
        pytest.param("a" * 256 + " " + LINK, 280, id="256-and-a-link"),
        pytest.param("a" * 257 + " " + LINK, 281, id="257-and-a-link"),
    ],
)
def test_a_link_weighs_23_and_what_looks_like_one_may_be_one(text: str, length: int) -> None:
    assert weighted_length(text) == length


@pytest.mark.parametrize(
    "text", ["a", "a" * 280, "漢" * 140, FAMILY * 140, "a" * 256 + " " + LINK + "b" * 1000, "a\nb"]
)
def test_a_text_up_to_280_is_accepted(text: str) -> None:
    assert text_fault(text) is None


@pytest.mark.parametrize(
    ("text", "length"), [("a" * 281, 281), ("漢" * 141, 282), (FAMILY * 141, 282), ("a" * 257 + " " + LINK, 281)]
)
def test_a_text_over_280_is_refused_with_its_length_as_x_counts(text: str, length: int) -> None:
    assert text_fault(text) == f"The text is {length} long as X counts; X allows 280."


INVISIBLE = {
    "": "nothing",
    " \t\n ": "white space",
    "\u3000\x85": "white space of other scripts",
    "\x1b\x7f": "control characters",
    "\u200b\u200b": "zero-width spaces",
    "\u200d\u2060": "joiners",
    "\xad": "a soft hyphen",
    "\u034f": "a grapheme joiner",
    "\u115f\u1160\u3164\uffa0": "fillers of Hangul",
    "\u17b4\u180e": "inherent vowels and separators",
    "\u200e\u202e\u2069": "marks of direction",
    "\ufe0f\U000e0100": "variation selectors",
    "\U000e0067\U000e007f": "tags",
    "\u2800": "braille without dots",
    "\ufffb": "marks of annotation",
    "\U0001d159\U0001d173": "musical notation without a glyph",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for text, name in INVISIBLE.items()])
def test_a_text_in_which_nothing_can_be_seen_is_refused_as_empty(text: str) -> None:
    assert text_fault(text) == "Write something: the text is empty."


@pytest.mark.parametrize("text", INVISIBLE.values())
def test_invisible_characters_beside_visible_ones_are_accepted(text: str) -> None:
    assert text_fault("\u200b" + text + "\u2800") is None


def test_letters_signs_and_numbers_can_be_seen() -> None:
    seen = [character for code in range(0x20000) if unicodedata.category(character := chr(code))[0] in "NPS"]
    seen += [character for code in range(0x3000) if unicodedata.category(character := chr(code))[0] == "L"]

    refused = {text for text in seen if text_fault(text) is not None}

    assert refused == {"\u2800", "\U0001d159", "\u115f", "\u1160"}  # blank, and called letters or symbols all the same


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("$AAPL or $MSFT?", "2 cashtags, $AAPL and $MSFT", id="two"),
        pytest.param("$A\n$b\u3000$BRK.B", "3 cashtags, $A and $b", id="three-behind-white-space"),
        pytest.param("$AAPL $AAPL", "2 cashtags, $AAPL and $AAPL", id="twice-the-same"),
        pytest.param("$A_bc $D_e", "2 cashtags, $A_bc and $D_e", id="with-an-underscore"),
    ],
)
def test_a_text_with_several_cashtags_is_refused(text: str, found: str) -> None:
    assert text_fault(text) == f"The text has {found}; X allows one."


@pytest.mark.parametrize(
    "text",
    ["$AAPL is up", "$5 or $6", "US$AB x$CD $EF", "($AB) ($CD)", "$ABCDEFG $ABCDEFG", "$AB漢 $CDé", "$AB$CD", "$ $"],
)
def test_a_text_with_one_cashtag_or_with_what_is_none_is_accepted(text: str) -> None:
    assert text_fault(text) is None


@pytest.mark.parametrize(
    ("character", "name"),
    [
        ("\x00", "U+0000"),
        ("\ufffe", "U+FFFE"),
        ("\ufeff", "U+FEFF"),
        ("\uffff", "U+FFFF"),
        ("\ud83d", "U+D83D"),
        ("\udc00", "U+DC00"),
    ],
    ids=lambda value: value if value.startswith("U+") else "",
)
def test_a_character_that_x_does_not_accept_is_named(character: str, name: str) -> None:
    assert text_fault(f"a{character}b") == f"The text contains the character {name}, which X does not accept."


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        pytest.param("a\r\nb", "a\nb", id="CRLF"),
        pytest.param("a\rb", "a\nb", id="CR"),
        pytest.param("a\nb", "a\nb", id="LF"),
        pytest.param("a\r\n\r\nb\r\rc\n\rd", "a\n\nb\n\nc\n\nd", id="mixed"),
        pytest.param(" a \n", " a \n", id="spaces-stay"),
    ],
)
def test_every_line_end_becomes_one_line_feed(text: str, stored: str) -> None:
    assert one_line_end(text) == stored


def test_an_endless_text_is_refused_even_if_it_is_one_link() -> None:
    assert text_fault(LINK + "a" * 3_980) is None
    assert text_fault(LINK + "a" * 3_981) == "The text has 4001 characters; X allows 280."


def test_140_of_the_longest_emoji_are_accepted() -> None:
    kiss = "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f469"

    assert text_fault(kiss * 140) is None
    assert text_fault(kiss * 141) == "The text is 282 long as X counts; X allows 280."


def test_every_emoji_has_the_length_that_the_library_of_x_says() -> None:
    expected = emoji_lengths()

    assert len(expected) > 7_000
    assert {emoji: weighted_length(emoji) for emoji in expected} == expected


def test_texts_with_links_have_the_length_that_the_library_of_x_says() -> None:
    expected = text_lengths()

    assert len(expected) > 2_000
    assert {text: weighted_length(text) for text in expected} == expected


def test_the_cashtags_are_those_that_the_library_of_x_finds() -> None:
    lengths = text_lengths()
    numbers = {text: number for text, number in cashtag_numbers().items() if lengths[text] <= 280}

    refused = {text for text in numbers if "cashtags" in (text_fault(text) or "")}

    assert refused
    assert refused == {text for text, number in numbers.items() if number > 1}


PIECES = st.sampled_from(
    ["漢", "é", "a", ".", "/", "example.com", "https://", "👩🏽\u200d💻", "⭐\ufe0f", "1\u20e3", "@", "_", " "]
)


@run(deadline=None)
@given(pieces=st.lists(PIECES, max_size=20), other=st.lists(PIECES, max_size=20))
def test_the_length_of_two_lines_is_the_sum_of_both(pieces: list[str], other: list[str]) -> None:
    one, two = "".join(pieces), "".join(other)

    assert weighted_length(f"{one}\n{two}") == weighted_length(f"{one}\n") + weighted_length(f"\n{two}") - 1


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("漢", id="a-word"),
        pytest.param("漢.", id="labels"),
        pytest.param("é.", id="labels-of-latin-letters"),
        pytest.param("漢漢漢a.co", id="hosts-in-a-word"),
        pytest.param("\U0001f1e9\U0001f1ea", id="flags"),
        pytest.param(FAMILY, id="families"),
        pytest.param("a.co/(" + "é-" * 20, id="words-behind-links"),
        pytest.param("_a", id="underscores"),
        pytest.param("漢." * 18 + "_.co ", id="labels-and-no-host"),
        pytest.param("a." * 20 + "/", id="labels-and-slashes"),
        pytest.param("a.co._", id="hosts-in-a-run"),
        pytest.param("_a.co ", id="what-looks-like-links"),
        pytest.param("a.co/(a", id="parentheses"),
        pytest.param("http://", id="schemes"),
        pytest.param("$A ", id="cashtags"),
    ],
)
def test_twice_the_text_is_twice_the_work(part: str) -> None:
    once = part * (600 // len(part))
    weighted_length(once)  # the tables are read

    assert lines_run(lambda: weighted_length(once * 2)) < 2.2 * lines_run(lambda: weighted_length(once))
    assert lines_run(lambda: weighted_length(once * 2)) < 100 * len(once * 2)


def test_the_page_has_the_same_tables() -> None:
    page = (REPOSITORY / "web/text/text_tables.js").read_text(encoding="utf-8")

    assert re.findall("`([^`]+)`;", page) == [EMOJI, TOP_LEVEL_DOMAINS]


def test_the_local_x_has_the_same_tables() -> None:
    def entries(name: str) -> list[str]:
        lines = (REPOSITORY / "local/x_api" / name).read_text(encoding="utf-8").splitlines()
        return " ".join(line for line in lines if not line.startswith("#")).split()

    assert entries("emoji.txt") == EMOJI.split()
    assert entries("top_level_domains.txt") == TOP_LEVEL_DOMAINS.split()


def test_the_functions_read_no_table_before_the_first_draft() -> None:
    code = (
        "import createPost, postTweet; from shared.x import links, text_length;"
        "print(text_length._emoji.cache_info(), links._top_level_domains.cache_info())"
    )

    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )

    assert finished.stdout.count("currsize=0") == 2
