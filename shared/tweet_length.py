"""How long a text is for X, and which texts X cannot take at all.

X counts weighted characters: most Latin letters 1, most other characters and every emoji 2, every link 23 (X's docs,
Counting characters; twitter-text configuration v3). The counting is done by twitter-text-parser, which agrees with X's
own library; no longer maintained, slow to import and quadratic on dotted texts, it is imported late and guarded.
"""

import re

LIMIT = 280
"""The weighted length that X accepts from every account."""

_RAW_LIMIT = 4_000
"""No text that long can weigh 280 or less, unless it is one endless link; longer ones are refused without counting."""

_RUN = re.compile(r"(?:[^\s/]|[\x1c-\x1f])+")  # four separators are spaces to Python, but not to the library
_MOST_DOTS = 20
"""A run with more dots is no address; its dots are what makes the library's link search quadratic."""

_NOT_FOR_X = re.compile("[\ufffe\ufeff\uffff\x00\ud800-\udfff]")


def text_fault(text: str) -> str | None:
    """What keeps X from accepting `text`, as a sentence for its author; None when nothing does.

    Expects the line ends that `one_line_end` makes. X's answer is final: a text that passes here can still be refused.
    """
    if not text.strip():
        return "Write something: the text is empty."
    if found := _NOT_FOR_X.search(text):
        return f"The text contains the character U+{ord(found.group()):04X}, which X does not accept."
    if len(text) > _RAW_LIMIT:
        return f"The text has {len(text)} characters; X allows {LIMIT}."
    length = weighted_length(text)
    if length > LIMIT:
        return f"The text is {length} long as X counts; X allows {LIMIT}."
    return None


def one_line_end(text: str) -> str:
    """`text` with every line end as one LF, as it is stored and sent."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def weighted_length(text: str) -> int:
    """The length as X counts it. `text` has at most 4,000 characters and none that X does not accept."""
    from twitter_text import parse_tweet  # 0.3 s to import: paid by the first draft, not by the start

    counted: int = parse_tweet(_RUN.sub(_without_needless_dots, text)).weightedLength
    return counted


def _without_needless_dots(run: re.Match[str]) -> str:
    found = run.group()
    return found.replace(".", ",") if found.count(".") > _MOST_DOTS else found
