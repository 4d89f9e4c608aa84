"""What the local X makes of a text. It counts by code of its own, and must count as X does."""

from typing import Any

import pytest
from golden_lengths import cashtag_numbers, emoji_lengths, text_lengths
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st

from local.x_api.tweet_text import cashtags, fits, length, shown
from shared.x.text_length import one_line_end, text_fault, weighted_length


def test_every_emoji_has_the_length_that_the_library_of_x_says() -> None:
    expected = emoji_lengths()

    assert {emoji: length(emoji) for emoji in expected} == expected


def test_texts_with_links_have_the_length_that_the_library_of_x_says() -> None:
    expected = text_lengths()

    assert {text: length(text) for text in expected} == expected


def test_the_cashtags_are_those_that_the_library_of_x_finds() -> None:
    expected = cashtag_numbers()

    assert {text: len(cashtags(text)) for text in expected} == expected


SIGNS = [*".,:;!?@#$%&'()[]-_/|\"`~…。\uff20\uff03 \u3000\n\t\u200b\u200d\ufe0f\u20e3\u0301\u202e\xa0\x85\x1c"]
LETTERS = [*"aZ019éßж漢が한שמก👩👨👧❤🔥🤝🏽🏻🇦🇹♂©"]
PARTS = ["example.com", "t.co", ".com", ".jp", ".рф", "https://", "://", "www.", "xn--", "a_b", "/a_(b)", "?q=1", ":80"]
GLUED = st.lists(st.sampled_from([*SIGNS, *LETTERS, *PARTS, " $AB", "."]), min_size=1, max_size=14).map("".join)
ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@run(deadline=None, max_examples=400)
@given(text=GLUED | ANY)
def test_the_local_x_and_the_server_count_the_same(text: str) -> None:
    assert length(text) == weighted_length(one_line_end(text))


@run(deadline=None, max_examples=400)
@given(text=GLUED | ANY)
def test_what_the_server_accepts_the_local_x_takes(text: str) -> None:
    if text_fault(one_line_end(text)) is None:
        assert fits(one_line_end(text))
        assert len(cashtags(one_line_end(text))) <= 1


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see https://a.com/b, and a.de", ["https://a.com/b", "http://a.de"]),
        ("a.com? https://t.co/abc/d", ["http://a.com", "https://t.co/abc"]),
        ("a." * 400 + "com", ["http://" + "a." * 400 + "com"]),
    ],
)
def test_links_are_shown_shortened(text: str, links: list[str]) -> None:
    shown_text, entities = shown(text)

    def part(entity: dict[str, Any]) -> str:
        return shown_text[entity["start"] : entity["end"]]

    assert [entity["expanded_url"] for entity in entities] == links
    assert [part(entity) for entity in entities] == [entity["url"] for entity in entities]
