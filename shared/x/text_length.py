"""How long a text is for X, and which texts X cannot take at all.

X counts weighted characters: most Latin letters 1, most other characters and every emoji 2, every link 23 (X's docs,
Counting characters; twitter-text configuration v3). The page counts in the same way (web/text/text_length.js).
"""

import re
import unicodedata
from functools import cache

from shared.x.links import find_links
from shared.x.text_tables import EMOJI

LIMIT = 280
"""The weighted length that X accepts from every account."""

_LONGEST_COUNTED = 4_000
"""No text that long has a length of 280 or less, unless it is one endless link; longer ones are refused uncounted."""

_LINK_LENGTH = 23
_EMOJI_LENGTH = 2
_WEIGHS_TWO = re.compile("[^\0-\u10ff\u2000-\u200d\u2010-\u201f\u2032-\u2037]")

_NOT_FOR_X = re.compile("[\ufffe\ufeff\uffff\0\ud800-\udfff]")
_INVISIBLE = re.compile(
    r"[\s\0-\x1f\x7f-\x9f"  # white space and control characters
    # Unicode's property Default_Ignorable_Code_Point
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    # characters with an empty glyph: braille, musical, Egyptian, Khitan; marks of interlinear annotation
    r"\u2800\U0001d159\U00013441\U00013442\U00016fe4\ufff9-\ufffb]*"
)
_SPACES = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"  # \s has other members
_DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CASHTAG = re.compile(
    rf"(?:^|[{_SPACES}{_DIRECTIONS}])(\$[A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)(?![^{_SPACES}!'#%&()*+,\\\-./:;<=>?@\[\]^_{{|}}~$])"
)


def text_fault(text: str) -> str | None:
    """What keeps X from accepting `text`, as a sentence for its author; None when nothing does.

    Expects the line ends that `one_line_end` makes. X's answer is final: a text that passes here can still be refused.
    """
    if found := _NOT_FOR_X.search(text):
        return f"The text contains the character U+{ord(found.group()):04X}, which X does not accept."
    if _INVISIBLE.fullmatch(text):
        return "Write something: the text is empty."
    if len(text) > _LONGEST_COUNTED:
        return f"The text has {len(text)} characters; X allows {LIMIT}."
    length = weighted_length(text)
    if length > LIMIT:
        return f"The text is {length} long as X counts; X allows {LIMIT}."
    cashtags = _CASHTAG.findall(text)
    if len(cashtags) > 1:
        return f"The text has {len(cashtags)} cashtags, {cashtags[0]} and {cashtags[1]}; X allows one."
    return None


def one_line_end(text: str) -> str:
    """`text` with every line end as one LF, as it is stored and sent."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def weighted_length(text: str) -> int:
    """The length as X counts it, of a text without characters that X does not accept."""
    text = unicodedata.normalize("NFC", text)
    length = done = 0
    for start, end in find_links(text):
        length += _length_without_links(text[done:start]) + _LINK_LENGTH
        done = end
    return length + _length_without_links(text[done:])


def _length_without_links(text: str) -> int:
    if text.isascii():
        return len(text)
    sequences, second, longest = _emoji()
    length, done = _sum_of_weights(text), 0
    for found in second.finditer(text):
        start = found.start() - 1
        if start < done:
            continue
        for end in range(min(start + longest, len(text)), start + 1, -1):
            if text[start:end] in sequences:
                length -= _sum_of_weights(text[start:end]) - _EMOJI_LENGTH
                done = end
                break
    return length


def _sum_of_weights(text: str) -> int:
    return len(text) + len(_WEIGHS_TWO.findall(text))


@cache
def _emoji() -> tuple[frozenset[str], re.Pattern[str], int]:
    """The sequences that are one emoji, what can be the second character of one, and the length of the longest."""
    tones = [f"{tone:x}" for tone in range(0x1F3FB, 0x1F400)]
    sequences = frozenset(
        "".join(chr(int(code_point, 16)) for code_point in entry.replace("tone", tone).split("-"))
        for entry in EMOJI.split()
        for tone in (tones if "tone" in entry else [""])
    )
    second = "".join(sorted({sequence[1] for sequence in sequences}))
    return sequences, re.compile(f"[{second}]"), max(map(len, sequences))
