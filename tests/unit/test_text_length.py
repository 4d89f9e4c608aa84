"""How long a text is for X (its docs, Counting characters; twitter-text 3), and which texts X cannot take at all."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import settings as run
from hypothesis import strategies as st
from twitter_text import parse_tweet
from twitter_text.regexp.emoji import emoji_list

from shared.x.text_length import one_line_end, text_fault, weighted_length

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
        pytest.param("\u2764\ufe0f\u200d\U0001f525", 5, id="newer-than-the-data"),
    ],
)
def test_an_emoji_weighs_two_however_many_characters_it_has(text: str, length: int) -> None:
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


@pytest.mark.parametrize("text", ["", " ", "\n", " \t\n "])
def test_a_text_without_a_word_is_refused(text: str) -> None:
    assert text_fault(text) == "Write something: the text is empty."


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


@pytest.mark.parametrize("text", ["a" * 1_121, "漢" * 1_121, FAMILY * 225, "漢." * 1_000, "a.co " * 60 + "a" * 700])
def test_a_text_far_too_long_is_refused_without_counting(text: str) -> None:
    assert text_fault(text) == f"The text has {len(text)} characters; X allows 280."


def test_an_endless_text_is_refused_even_if_it_is_one_link() -> None:
    assert text_fault(LINK + "a" * 3_980) is None
    assert text_fault(LINK + "a" * 3_981) == "The text has 4001 characters; X allows 280."


def test_no_emoji_has_more_than_four_characters_for_each_that_it_weighs() -> None:
    assert max(len(entry.codepoint.split()) for entry in emoji_list) == 4 * 2


def test_140_of_the_longest_emoji_are_accepted() -> None:
    kiss = "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f469"

    assert text_fault(kiss * 140) is None
    assert text_fault(kiss * 141) == "The text has 1128 characters; X allows 280."


SIGNS = ".,:;!?@#$%&'()[]-_/|\"`~…。\uff20\uff03"
SPACES = " \u3000\n\t\u200b\u200d\ufe0f\u20e3\u0301\u0338\u202e\xa0\x85\x1c"
LETTERS = "aZ019éßж漢が한שמก👩👨👧❤🔥🤝🏽🏻🇦🇹♂©\u017f"
PARTS = ["example.com", "t.co", "README.md", ".com", ".jp", ".рф", "com", "https://", "http://", "://", "www.", "_.co"]
TAILS = ["xn--", "a_b", "a-b", "例え", "1️⃣", "👨\u200d👩\u200d👧", "/a_(b)", "?q=1", ":80", "@x", "a" * 64, "a." * 19]
GLUED = st.lists(st.sampled_from([*SIGNS, *SPACES, *LETTERS, *PARTS, *TAILS, *PARTS]), min_size=1, max_size=14)
BETWEEN_SPACES_AND_SLASHES = re.compile(r"(?:[^\s/]|[\x1c-\x1f])+")


@run(deadline=None, max_examples=500)
@given(text=GLUED.map("".join) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
@example("$漢.example.com a_b.co_.jp _a-.co a@b.co")
@example("漢漢a_漢.漢_.co_a.co_a.co://http://t.co")
@example(":80a-ba_b :80a-b\uff03t.coREADME.md\u20e3.com/a_(b)xn--.jp-")
def test_the_length_is_what_the_library_says_of_the_whole_text(text: str) -> None:
    few_dots = BETWEEN_SPACES_AND_SLASHES.sub(lambda run: run[0] if run[0].count(".") <= 20 else "", text)

    assert weighted_length(few_dots) == parse_tweet(few_dots).weightedLength


@pytest.mark.parametrize("text", ["a." * 21, "漢." * 20 + "漢.com", "https://" + "a." * 30 + "com", "." * 280])
def test_what_has_more_than_20_dots_is_no_link(text: str) -> None:
    assert weighted_length(text) == len(text) + text.count("漢")


class TestTheLibraryTakesSecondsForSomeTextsSoThat:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("a.co " + "漢" * 3_995, id="a-word"),
            pytest.param("漢" * 3_990 + ".x a.co", id="a-word-with-a-dot"),
            pytest.param("漢" * 2_000 + "a.co" + "漢" * 1_996, id="a-word-with-a-link-in-it"),
            pytest.param("a.co " + "\U0001f1e9\U0001f1ea" * 1_997, id="flags"),
            pytest.param("a.co " + FAMILY * 570, id="families"),
            pytest.param("a.co/(" + "é-" * 1_990, id="a-word-behind-a-link"),
            pytest.param("_a" * 1_990 + ".com", id="underscores"),
            pytest.param(("漢." * 20 + " ") * 97, id="dots"),
            pytest.param(("a." * 20 + "/") * 97, id="dots-and-slashes"),
            pytest.param(("漢." * 18 + "_.co ") * 95, id="dots-and-no-host"),
            pytest.param("a." * 2_000, id="dots-alone"),
            pytest.param("a.co " * 800, id="links"),
            pytest.param("_a.co " * 660, id="what-looks-like-links"),
            pytest.param("a.co/" + "(a" * 1_990, id="parentheses"),
        ],
    )
    def test_no_text_takes_long(self, text: str) -> None:
        started = time.process_time()

        text_fault(text)

        assert time.process_time() - started < 0.25  # half a second to three, were the library asked


def test_the_slow_library_is_not_imported_before_the_first_draft() -> None:
    code = "import createPost, postTweet, sys; print('twitter_text' in sys.modules)"

    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )

    assert finished.stdout.strip() == "False"
