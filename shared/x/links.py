"""Where X finds links in a text: with ``http://`` or ``https://`` in front, or as bare host names (``example.com``).

The rules are those of X's twitter-text. Every part of a text is searched a fixed number of times, so that the time
grows with the length of the text, whatever the text is.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from shared.x.text_tables import TOP_LEVEL_DOMAINS

_SIGNS = r"!'#%&()*+,\\.\/:;<=>?@\[\]\^{|}~$"  # of ASCII, but for - and _, and for " and ` which X allows in a host
_SPACES = r"\t-\r \x85\xa0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_DIRECTIONS = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVALID = r"\ufffe\ufeff\uffff"
_NOT_IN_LABEL = _SIGNS + _SPACES + _DIRECTIONS + _INVALID
_LATIN = (
    r"\xc0-\xd6\xd8-\xf6\xf8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    r"\u0300-\u036f\u1e00-\u1eff"
)

_LABEL = re.compile(rf"([^{_NOT_IN_LABEL}]+)(\.|://)?")
_LETTER = re.compile(rf"[^{_NOT_IN_LABEL}_-]")
_START = re.compile(rf"(?<=[^A-Za-z0-9@＠$#＃{_INVALID}])[^{_NOT_IN_LABEL}_-]")  # noqa: RUF001
_SCHEME = re.compile("https?$", re.IGNORECASE | re.ASCII)
_NOT_BEFORE_BARE = "-_./"
_LATIN_LABELS = re.compile(rf"(?:[-A-Za-z0-9{_LATIN}]+\.)+")
_PUNYCODE_TOP_LEVEL = re.compile("xn--[-0-9a-z]+", re.IGNORECASE | re.ASCII)
_NOT_BEHIND_TOP_LEVEL = re.compile("[0-9A-Za-z@+-]")

_PATH_LETTER = rf"[A-Za-z0-9\u0400-\u04ff\u2013!*';:=+,.$/%#\[\]\-_~@|&{_LATIN}]"
_PARENTHESES = rf"\((?:{_PATH_LETTER}+|{_PATH_LETTER}*\({_PATH_LETTER}+\){_PATH_LETTER}*)\)"
_PATH_END = rf"(?:[A-Za-z0-9\u0400-\u04ff+\-=_#/{_LATIN}]|{_PARENTHESES})"
_QUERY = r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[A-Za-z0-9\-_&=#/]"
_PORT_PATH_QUERY = re.compile(
    rf"(?::[0-9]+)?(?P<path>/(?:(?:{_PATH_LETTER}|{_PARENTHESES})*{_PATH_END})?)?(?:{_QUERY})?"
)
_SHORT_LINK = re.compile(rf"https?://t\.co/(?P<slug>[A-Za-z0-9]+)(?:{_QUERY})?", re.IGNORECASE | re.ASCII)

_LONGEST_LINK = 4096  # X counts the scheme twice
_LONGEST_SHORT_LINK = 40
_LONGEST_LABEL = 63
_DOTS = re.compile("[.\u3002\uff0e\uff61]")  # the full stops of other scripts separate labels, too


def find_links(text: str) -> Iterator[tuple[int, int]]:
    """The start and the end of each link in `text`, which is in the form NFC."""
    if "." not in text:
        return
    labels = list(_LABEL.finditer(text))
    hosts = _hosts(text, labels)
    free = 0  # the text before it belongs to what was found
    for index, label in enumerate(labels):
        if label.end() <= free:
            continue
        find = _with_scheme if label[2] == "://" else _bare
        found = find(text, labels, hosts, index, free)
        if found is None:
            continue
        rest = _PORT_PATH_QUERY.match(text, found.host_end)
        assert rest  # it matches nothing, too
        free = rest.end()
        scheme = text[found.start : found.host_start] or "https://"
        if free - found.start + len(scheme) <= _LONGEST_LINK and _is_host(text[found.host_start : found.host_end]):
            yield from _links(text, found, rest)


class _Found(NamedTuple):
    """A host, with its scheme or without one."""

    start: int
    host_start: int
    host_end: int


class _Host(NamedTuple):
    """The longest host name that begins in a label."""

    last_label: int
    """The index of its label before the top-level domain. This one may have no underscore."""
    end: int


def _hosts(text: str, labels: Sequence[re.Match[str]]) -> list[_Host | None]:
    """For each label the host that begins in it, from its first letter or a later one on."""
    hosts: list[_Host | None] = [None] * len(labels)
    for index in reversed(range(len(labels))):
        label = labels[index]
        if label[2] != "." or label[1][-1] in "_-":
            continue
        if _begins_host(index + 1, labels, hosts):
            hosts[index] = hosts[index + 1]
        elif end := _top_level_end(text, label.end()):
            hosts[index] = _Host(index, end)
    return hosts


def _begins_host(index: int, labels: Sequence[re.Match[str]], hosts: Sequence[_Host | None]) -> bool:
    """Whether a label is as a whole the first of a host, and follows the label before it at once."""
    if index == len(labels) or labels[index].start() != labels[index - 1].end() or labels[index][0][0] in "_-":
        return False
    host = hosts[index]
    return host is not None and (host.last_label > index or "_" not in labels[index][1])


def _with_scheme(
    text: str, labels: Sequence[re.Match[str]], hosts: Sequence[_Host | None], index: int, free: int
) -> _Found | None:
    label = labels[index]
    scheme = _SCHEME.search(text, label.start(), label.end(1))
    host = hosts[index + 1] if _begins_host(index + 1, labels, hosts) else None
    if scheme is None or host is None:
        return None
    start = scheme.start()
    may_start = start == 0 or (start > free and _START.match(text, start))
    return _Found(start, label.end(), host.end) if may_start else None


def _bare(
    text: str, labels: Sequence[re.Match[str]], hosts: Sequence[_Host | None], index: int, free: int
) -> _Found | None:
    label, host = labels[index], hosts[index]
    if host is None:
        return None
    underscore = text.rfind("_", label.start(), label.end(1)) if host.last_label == index else -1
    begin = max(label.start(), underscore + 1)
    found = _START.search(text, max(begin, free + 1), label.end(1))
    if begin == free == 0 and not (found and found.start() == 1) and _LETTER.match(text):
        return _Found(0, 0, host.end)  # X tries the start of the text only after the place behind its first character
    return _Found(found.start(), found.start(), host.end) if found else None


def _top_level_end(text: str, start: int) -> int | None:
    if not _LETTER.match(text, start):
        return None
    if punycode := _PUNYCODE_TOP_LEVEL.match(text, start):
        return punycode.end()
    domains, longest = _top_level_domains()
    for end in range(min(start + longest, len(text)), start, -1):
        if text[start:end].lower() in domains and not _NOT_BEHIND_TOP_LEVEL.match(text, end):
            return end
    return None


def _is_host(name: str) -> bool:
    return all(_length_in_ascii(label) <= _LONGEST_LABEL for label in _DOTS.split(name))


def _length_in_ascii(label: str) -> int:
    if label.isascii() or len(label) > _LONGEST_LABEL:
        return len(label)
    return len("xn--") + len(label.encode("punycode"))


def _links(text: str, found: _Found, rest: re.Match[str]) -> Iterator[tuple[int, int]]:
    start = found.start
    if start < found.host_start:
        short = _SHORT_LINK.match(text, start, rest.end())
        if short is None:
            yield start, rest.end()
        elif len(short["slug"]) <= _LONGEST_SHORT_LINK:
            yield start, short.end()
    elif start == 0 or text[start - 1] not in _NOT_BEFORE_BARE:
        bare = [(start + first, start + end) for first, end in _latin_hosts(text[start : found.host_end])]
        if bare and rest["path"] is not None:
            bare[-1] = bare[-1][0], rest.end()
        yield from bare


def _latin_hosts(host: str) -> Iterator[tuple[int, int]]:
    """Without a scheme only the Latin parts of a host are links: `見てexample.com`, but not `例え.jp`."""
    for labels in _LATIN_LABELS.finditer(host):
        ends = (_top_level_end(host, at) for at in range(labels.end(), labels.start(), -1) if host[at - 1] == ".")
        if end := next(filter(None, ends), None):
            yield labels.start(), end


@cache
def _top_level_domains() -> tuple[frozenset[str], int]:
    """The domains, and the length of the longest."""
    domains = frozenset(TOP_LEVEL_DOMAINS.split())
    return domains, max(map(len, domains))
