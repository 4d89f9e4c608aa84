"""How long a text is for X, and which texts X cannot take at all.

X counts weighted characters: most Latin letters 1, most other characters and every emoji 2, every link 23 (X's docs,
Counting characters; twitter-text configuration v3). The counting is done by twitter-text-parser, which agrees with X's
own library; no longer maintained and slow to import, it is imported late. Its search for links takes seconds for some
texts, so it is only let search where a link can begin.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

LIMIT = 280
"""The weighted length that X accepts from every account."""

_RAW_LIMIT = 4_000
"""No text that long can weigh 280 or less, unless it is one endless link; longer ones are refused without counting."""

_RUN = re.compile(r"(?:[^\s/]|[\x1c-\x1f])+")  # four separators are spaces to Python, but not to the library
_MOST_DOTS = 20
"""A run with more dots is no address; in one of many dots the time of a search grows with their square."""

_NOT_FOR_X = re.compile("[\ufffe\ufeff\uffff\x00\ud800-\udfff]")
_SHORT_LINK = "-" * 23
_MOST_CHARACTERS = 4 * LIMIT
"""No text with short links that weighs 280 or less has more: an emoji weighs 2 and has 8 characters at most."""


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
    shortened = ""
    for piece in _with_short_links(text):
        shortened += piece
        if len(shortened) > _MOST_CHARACTERS:
            return f"The text has {len(text)} characters; X allows {LIMIT}."
    length = _weight(shortened)
    if length > LIMIT:
        return f"The text is {length} long as X counts; X allows {LIMIT}."
    return None


def one_line_end(text: str) -> str:
    """`text` with every line end as one LF, as it is stored and sent."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def weighted_length(text: str) -> int:
    """The length as X counts it, of a text without characters that X does not accept."""
    return _weight("".join(_with_short_links(text)))


def _weight(shortened: str) -> int:
    from twitter_text import parse_tweet  # 0.3 s to import: paid by the first draft, not by the start

    counted: int = parse_tweet(shortened.replace(".", ",")).weightedLength  # without a dot, it searches for no link
    return counted


def _with_short_links(text: str) -> Iterator[str]:
    """`text` in pieces, of which each link is one, as long as X's short links are.

    The library finds a link, from one character before it on, in a part of the text as well as in the whole.
    """
    from twitter_text import extract_urls_with_indices

    text = _RUN.sub(_without_needless_dots, unicodedata.normalize("NFC", text))
    hosts, done = _hosts(text), 0
    while found := next(_like_links(text, done, hosts), None):
        for link in extract_urls_with_indices(found.group()):
            start = found.start() + link["indices"][0]
            yield text[done:start]
            yield _SHORT_LINK
            done = start + len(link["url"])  # so much is counted as the link, though a few end later
        yield text[done : found.end()]
        done = found.end()
    yield text[done:]


def _without_needless_dots(run: re.Match[str]) -> str:
    found = run.group()
    return found.replace(".", ",") if found.count(".") > _MOST_DOTS else found


def _like_links(text: str, done: int, hosts: Mapping[int, bool]) -> Iterator[re.Match[str]]:
    """What the library looks at more closely. It would try every letter of a label, though each does as the first."""
    patterns = _patterns()
    for label in patterns.label.finditer(text, done):
        first, dot = max(label.start() - 1, done), label.end() - 1
        if dot in hosts:
            after_line = first if hosts[dot] else max(first, text.rfind("_", label.start(), dot))
            begin = patterns.beginning.search(text, after_line, dot)
        else:
            begin = patterns.scheme.search(text, first, label.end())
        if begin and (found := patterns.link.match(text, begin.start())):
            yield found


def _hosts(text: str) -> dict[int, bool]:
    """The dots behind which a host goes on to its top-level domain, each with whether a ``_`` may stand before it.

    A host has none in the label before the top-level domain.
    """
    patterns, hosts = _patterns(), {}
    top_levels = {dot.start() for dot in patterns.top_level.finditer(text)}
    begins_host, behind = False, len(text)
    for label in reversed(list(patterns.label.finditer(text))):
        goes_on, dot = begins_host and label.end() == behind, label.end() - 1
        if label[1] == "." and text[dot - 1] not in "_-" and (goes_on or dot in top_levels):
            hosts[dot] = goes_on
        begins_host = dot in hosts and text[label.start()] not in "_-" and (goes_on or "_" not in label[0])
        behind = label.start()
    return hosts


class _Patterns(NamedTuple):
    """Made of the library's own: what may be a link, and what of it can be found without trying all."""

    link: re.Pattern[str]
    beginning: re.Pattern[str]
    scheme: re.Pattern[str]
    label: re.Pattern[str]
    top_level: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    from twitter_text.regexp.extract_url import extract_url
    from twitter_text.regexp.valid_cctld import valid_cctld
    from twitter_text.regexp.valid_domain_chars import valid_domain_chars
    from twitter_text.regexp.valid_gtld import valid_gtld
    from twitter_text.regexp.valid_punycode import valid_punycode
    from twitter_text.regexp.valid_url_preceding_chars import valid_url_preceding_chars

    letter, before = valid_domain_chars.pattern, valid_url_preceding_chars.pattern
    top_level = "|".join(pattern.pattern for pattern in (valid_gtld, valid_cctld, valid_punycode))
    return _Patterns(
        link=extract_url,
        beginning=re.compile(rf"{before}(?={letter})", re.IGNORECASE),
        scheme=re.compile(rf"{before}https?://", re.IGNORECASE),
        label=re.compile(rf"(?:[_-]|{letter})+(\.|://)?"),
        top_level=re.compile(rf"\.(?={top_level})", re.IGNORECASE),
    )
