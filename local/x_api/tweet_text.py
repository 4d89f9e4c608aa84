"""What X makes of a text: whether it fits, what it is compared by, and how it comes back.

Lengths and links follow X's own rules (twitter-text, configuration v3), in their Python port twitter-text-parser.
"""

import re
import secrets
import string
import unicodedata
from typing import Any

_LONGEST_MEASURED = 4000
_MOST_DOTS_IN_A_WORD = 20

_WORD = re.compile(r"(?:[^\s/]|[\x1c-\x1f])+")  # four separators are spaces to Python, but not to the parser
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CASHTAG = re.compile(r"(?<![\w$])\$[a-z]{1,6}(?:[._][a-z]{1,2})?(?!\w)", re.IGNORECASE)
_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


def fits(text: str) -> bool:
    """Whether the text may be a tweet: 1 to 280 by X's weights, not blank, and of characters that X allows."""
    if len(text) > _LONGEST_MEASURED or not text.strip() or _UNSTORABLE.search(text):
        return False
    from twitter_text import parse_tweet  # here, because importing it takes a third of a second

    return bool(parse_tweet(_measurable(text)).valid)


def cashtags(text: str) -> list[str]:
    """The stock symbols in the text, as ``$AAPL``."""
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
    from twitter_text import extract_urls_with_indices

    source, pieces, entities, done = _normalised(text), [], [], 0
    for link in extract_urls_with_indices(_without_dotted_words(source)):
        start, end = link["indices"]
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


def _measurable(text: str) -> str:
    return _without_dotted_words(_normalised(text))


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFC", re.sub("\r\n?", "\n", text))


def _without_dotted_words(text: str) -> str:
    """Commas for the dots of words with very many: the parser's time grows with the square of the dots in a word."""
    return _WORD.sub(
        lambda word: word[0].replace(".", ",") if word[0].count(".") > _MOST_DOTS_IN_A_WORD else word[0], text
    )
