"""What X's own library says of texts; scripts/text_length_golden.py tells how it was asked."""

import json
from pathlib import Path
from typing import Any

GOLDEN = Path(__file__).with_name("text_length_golden.json")


def emoji_lengths() -> dict[str, int]:
    """The length of every emoji, of newer ones and of those without their U+FE0F, too."""
    return {emoji: int(length) for length, all_of_it in _golden()["emoji"].items() for emoji in all_of_it.split(" ")}


def text_lengths() -> dict[str, int]:
    """The length of texts with links, letters of all scripts, and signs."""
    return {text: length for text, length, _ in _golden()["texts"]}


def cashtag_numbers() -> dict[str, int]:
    """How many cashtags the same texts have, but for those that our counters count and this library does not.

    X's Java library takes a mark of direction before a cashtag as a boundary; this one, for JavaScript, does not.
    """
    return {text: number for text, _, number in _golden()["texts"] if "\u202e$" not in text}


def _golden() -> dict[str, Any]:
    golden: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return golden
