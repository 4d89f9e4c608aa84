"""Finds the links in a text as X's twitter-text does: with a scheme, or a bare host under a known top-level domain."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

_TOP_LEVEL_FILE = Path(__file__).with_name("top_level_domains.txt")

_LATIN = (
    "\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    "\u0300-\u036f\u1e00-\u1eff"
)
_SPACES = "\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_MARKS_OF_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVALID = "\ufffe\ufeff\uffff"
_SIGNS = re.escape("!#$%&'()*+,./:;<=>?@[\\]^{|}~")
_NOT_OF_A_HOST = (
    _SIGNS + _SPACES + _MARKS_OF_DIRECTION + _INVALID
)  # beside these, "_" and "-" stand only inside a label

_LABEL = re.compile(rf"(?<![^{_NOT_OF_A_HOST}])[^{_NOT_OF_A_HOST}]++(?=\.)")
_LABELS = re.compile(rf"(?:(?![_-])[^{_NOT_OF_A_HOST}]++(?<![_-])\.)++")
_FIRST_LETTER = re.compile(rf"(?<![A-Za-z0-9@\uff20$#\uff03{_INVALID}])[^{_NOT_OF_A_HOST}_-]")
_SCHEME_BEFORE = re.compile(rf"(?<![A-Za-z0-9@\uff20$#\uff03{_INVALID}])[Hh][Tt][Tt][Pp][Ss]?://\Z")
_LATIN_LABELS = re.compile(rf"(?:[-0-9A-Za-z{_LATIN}]++\.)++")

_PUNYCODE = re.compile("xn--[-0-9a-z]+", re.IGNORECASE | re.ASCII)

_OF_A_PATH = rf"[0-9A-Za-z\u0400-\u04ff\u2013!*';:=+,.$/%#\[\]\-_~@|&{_LATIN}]"
_IN_PARENTHESES = rf"\((?:{_OF_A_PATH}++|{_OF_A_PATH}*+\({_OF_A_PATH}++\){_OF_A_PATH}*+)\)"
_BEHIND_HOST = re.compile(
    r"(?::[0-9]+)?"
    rf"(?P<path>/(?:(?:{_OF_A_PATH}|{_IN_PARENTHESES})*(?:[0-9A-Za-z\u0400-\u04ff+\-=_#/{_LATIN}]|{_IN_PARENTHESES}))?)?"
    r"(?:\?[0-9A-Za-z!?*'@();:&=+$/%#\[\]\-_.,~|]*[0-9A-Za-z\-_&=#/])?"
)
_SHORT_LINK = re.compile(
    r"https?://t\.co/([0-9A-Za-z]+)(?:\?[0-9A-Za-z!?*'@();:&=+$/%#\[\]\-_.,~|]*[\w\-&=#/])?", re.I | re.A
)

_LONGEST_LABEL = 63
_LONGEST_LINK = 4096
_LONGEST_SHORT_LINK = 40


def find_links(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each link in a text in NFC, in order."""
    ends = list(_host_ends(text))
    done = 0
    for label in _LABEL.finditer(text) if ends else ():
        for start, host_start in _starts(text, label, done) if label.end() >= done else ():
            if host_end := _host_end(text, host_start, ends):
                behind = _BEHIND_HOST.match(text, host_end)
                assert behind  # it matches nothing, too
                yield from _links(text, start, host_start, behind)
                done = behind.end()
                break


class _HostEnd(NamedTuple):
    """A dot with a top-level domain behind it."""

    dot: int
    end: int
    earliest_start: int
    """A host has no underscore in its last label before the top-level domain."""


def _host_ends(text: str) -> Iterator[_HostEnd]:
    for label in _LABEL.finditer(text):
        if end := _top_level_end(text, label.end() + 1):
            yield _HostEnd(label.end(), end, text.rfind("_", label.start(), label.end()) + 1)


def _host_end(text: str, start: int, ends: list[_HostEnd]) -> int | None:
    """Where the longest host that starts at `start` ends."""
    labels = _LABELS.match(text, start)
    if not labels:
        return None
    first, behind = bisect_left(ends, (start,)), bisect_left(ends, (labels.end(),))
    return next((each.end for each in reversed(ends[first:behind]) if each.earliest_start <= start), None)


def _starts(text: str, label: re.Match[str], done: int) -> Iterator[tuple[int, int]]:
    """Where a link may start in a label, with the start of its host: the first letter, or the first behind a ``_``."""
    scheme = _SCHEME_BEFORE.search(text, max(0, label.start() - len("xhttps://")), label.start())
    if scheme and (scheme.start() > done or scheme.start() == 0):
        yield scheme.start(), label.start()
    if done == label.start() == 0:
        if _FIRST_LETTER.match(text, 1):
            yield 1, 1  # X's pattern looks behind the first character first
        if _FIRST_LETTER.match(text):
            yield 0, 0
    for begin in (label.start(), text.rfind("_", label.start(), label.end()) + 1):
        if first := _FIRST_LETTER.search(text, max(begin, label.start(), done + 1), label.end()):
            yield first.start(), first.start()


def _links(text: str, start: int, host_start: int, behind: re.Match[str]) -> Iterator[tuple[int, int]]:
    host, link = text[host_start : behind.start()], text[start : behind.end()]
    scheme = text[start:host_start] or "https://"
    if len(scheme) + len(link) > _LONGEST_LINK or not all(map(_fits_into_dns, re.split("[.\u3002\uff0e\uff61]", host))):
        return
    if host_start > start:
        short = _SHORT_LINK.match(link)
        if not short:
            yield start, behind.end()
        elif len(short[1]) <= _LONGEST_SHORT_LINK:
            yield start, start + short.end()
    elif not text[:start].endswith(("-", "_", ".", "/")):
        bare = [(start + first, start + end) for first, end in _latin_hosts(host)]
        if bare and behind["path"] is not None:
            bare[-1] = (bare[-1][0], behind.end())
        yield from bare


def _latin_hosts(host: str) -> Iterator[tuple[int, int]]:
    """Of a bare host only what is written in Latin letters is a link."""
    for labels in _LATIN_LABELS.finditer(host):
        dots = [dot.end() for dot in re.finditer(r"\.", labels[0])]
        if end := next(filter(None, (_top_level_end(host, labels.start() + dot) for dot in reversed(dots))), None):
            yield labels.start(), end


def _fits_into_dns(label: str) -> bool:
    if len(label) > _LONGEST_LABEL:
        return False
    return label.isascii() or len(b"xn--" + label.encode("punycode")) <= _LONGEST_LABEL


def _top_level_end(text: str, start: int) -> int | None:
    if in_ascii := _PUNYCODE.match(text, start):
        return in_ascii.end()
    behind = [*text[start : start + 30], "."]
    ends = [length for length in range(1, len(behind)) if not re.match("[0-9A-Za-z@+-]", behind[length])]
    names = _top_level_domains()
    return max((start + length for length in ends if text[start : start + length].lower() in names), default=None)


@cache
def _top_level_domains() -> frozenset[str]:
    lines = _TOP_LEVEL_FILE.read_text().splitlines()
    return frozenset(" ".join(line for line in lines if not line.startswith("#")).split())
