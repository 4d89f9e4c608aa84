"""What X makes of a text: whether it fits, what it is compared by, and how it comes back.

Lengths follow X's own rules (twitter-text, configuration v3).
"""

import re
import secrets
import string
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

from local.x_api.links import find_links

_LONGEST = 280
_LONGEST_MEASURED = 4000
_LINK_LENGTH = 23
_NOT_ALLOWED = re.compile("[\0\ud800-\udfff\ufffe\ufeff\uffff]")
_SPACES = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SIGNS = re.escape("!#$%&'()*+,-./:;<=>?@[\\]^_{|}~")
_CASHTAG = re.compile(
    rf"(?:^|(?<=[{_SPACES}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]))"
    rf"\$[A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?(?=\Z|[{_SPACES}{_SIGNS}])"
)
_LIGHT = ((0, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))
"""The code points that count 1. All others count 2."""

_EMOJI_FILE = Path(__file__).with_name("emoji.txt")
_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def fits(text: str) -> bool:
    """Whether the text may be a tweet: 1 to 280 by X's weights, not blank, and of characters that X allows."""
    if len(text) > _LONGEST_MEASURED or not text.strip() or _NOT_ALLOWED.search(text):
        return False
    return length(text) <= _LONGEST


def length(text: str) -> int:
    """The text's length by X's weights: a link 23, an emoji 2, other characters 1 or 2."""
    source = _normalised(text)
    counted, done = 0, 0
    for start, end in [*find_links(source), (len(source), len(source))]:
        letters, emoji = _emoji().subn("", source[done:start])
        counted += 2 * emoji + sum(_weight(letter) for letter in letters)
        counted += _LINK_LENGTH if end > start else 0
        done = end
    return counted


def cashtags(text: str) -> list[str]:
    """The stock symbols in the text, as ``$AAPL``: behind a space or a mark of direction, before a space or a sign."""
    return _CASHTAG.findall(text)


def mentions(text: str, username: str) -> bool:
    """Whether the text addresses ``@username``."""
    return re.search(rf"(?<!\w)@{username}(?!\w)", text, re.IGNORECASE) is not None


def compared(text: str) -> str:
    """What two texts have in common when they are duplicates. X's rule is not known; NFC and trimmed is our choice."""
    return unicodedata.normalize("NFC", text).strip()


def shown(text: str) -> tuple[str, list[dict[str, Any]]]:
    """The text as X gives it back, and its url entities.

    Each link became ``https://t.co/`` and ten characters; ``&``, ``<`` and ``>`` are escaped. The entities' ``start``
    and ``end`` count the code points of the shown text.
    """
    source, pieces, entities, done = _normalised(text), [], [], 0
    for start, end in find_links(source):
        pieces.append(_escaped(source[done:start]))
        entities.append(_entity(source[start:end], start=sum(map(len, pieces))))
        pieces.append(entities[-1]["url"])
        done = end
    return "".join(pieces) + _escaped(source[done:]), entities


def _entity(link: str, start: int) -> dict[str, Any]:
    short = "https://t.co/" + "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(10))
    has_scheme = re.match("https?://", link, re.IGNORECASE)
    return {
        "start": start,
        "end": start + len(short),
        "url": short,
        "expanded_url": link if has_scheme else f"http://{link}",
        "display_url": re.sub(r"^(https?://)?(www\.)?", "", link, flags=re.IGNORECASE),
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _weight(letter: str) -> int:
    return 1 if any(first <= ord(letter) <= last for first, last in _LIGHT) else 2


@cache
def _emoji() -> re.Pattern[str]:
    """Finds one emoji of several code points. The longest alternatives come first."""
    entries = " ".join(line for line in _EMOJI_FILE.read_text().splitlines() if not line.startswith("#")).split()
    alternatives = sorted((entry.split("-") for entry in entries), key=len, reverse=True)
    patterns = [[_in_pattern(code_point) for code_point in code_points] for code_points in alternatives]
    second = "|".join(sorted({pattern[1] for pattern in patterns}))  # few characters have one of these behind them
    return re.compile(f"(?=.(?:{second}))(?:{'|'.join(map(''.join, patterns))})")


def _in_pattern(code_point: str) -> str:
    return "[\U0001f3fb-\U0001f3ff]" if code_point == "tone" else re.escape(chr(int(code_point, 16)))


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFC", re.sub("\r\n?", "\n", text))
