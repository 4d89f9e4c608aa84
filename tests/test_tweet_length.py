"""How long a text is for X (its docs, Counting characters; twitter-text 3), and which texts X cannot take at all."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import twitter_text

from shared.tweet_length import one_line_end, text_fault, weighted_length

REPOSITORY = Path(__file__).parent.parent

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


class TestTheLibraryIsSlowOnDotsSoIt:
    """twitter-text-parser takes time with the square of the dots between two spaces or slashes, seconds for 1,000."""

    BETWEEN_SPACES_AND_SLASHES = re.compile(r"(?:[^\s/]|[\x1c-\x1f])+")
    """As the library sees it: Python's four separators U+001C to U+001F are no spaces to it."""

    @pytest.fixture
    def counted(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The texts that the library is asked to count; it does not, for that could take minutes."""
        texts: list[str] = []

        def parse_tweet(text: str) -> SimpleNamespace:
            texts.append(text)
            return SimpleNamespace(weightedLength=len(text))

        monkeypatch.setattr(twitter_text, "parse_tweet", parse_tweet)
        return texts

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("a." * 21, id="21-dots"),
            pytest.param("a." * 2000, id="one-run"),
            pytest.param("a." * 900 + " " + "b." * 900, id="two-runs"),
            pytest.param("https://" + "a." * 1900, id="link"),
            pytest.param("/".join(["a." * 30] * 60), id="path"),
            pytest.param("." * 4000, id="dots-alone"),
            pytest.param("漢." * 2000, id="han"),
            pytest.param("\u200b".join(["a." * 20] * 90), id="zero-width-spaces"),
            pytest.param("\x1c".join(["a." * 20] * 90), id="file-separators"),
            pytest.param("\x1d".join(["a." * 20] * 90), id="group-separators"),
            pytest.param("\x1e".join(["a." * 20] * 90), id="record-separators"),
            pytest.param("\x1f".join(["a." * 20] * 90), id="unit-separators"),
        ],
    )
    def test_never_sees_a_run_with_more_than_20_dots(self, counted: list[str], text: str) -> None:
        text_fault(text)

        [seen] = counted
        assert len(seen) == len(text)
        assert max(run.count(".") for run in self.BETWEEN_SPACES_AND_SLASHES.findall(seen)) <= 20

    def test_never_sees_a_text_too_long_to_fit_anyway(self, counted: list[str]) -> None:
        assert text_fault("a" * 4001) == "The text has 4001 characters; X allows 280."
        assert counted == []

    def test_sees_ordinary_texts_as_they_are(self, counted: list[str]) -> None:
        text = "At 9.30 a.m.: https://" + "a." * 17 + "example.com/x, and so on ..."

        text_fault(text)

        assert counted == [text]


def test_the_slow_library_is_not_imported_before_the_first_draft() -> None:
    code = "import createPost, postTweet, sys; print('twitter_text' in sys.modules)"

    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True, timeout=60
    )

    assert finished.stdout.strip() == "False"
