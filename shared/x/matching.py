"""Whether a text that X shows is the one that was sent: X rewrites what it takes.

Links become t.co links, whose targets come beside the text; host names in other scripts can come back in punycode;
``&``, ``<`` and ``>`` are escaped. White space may be trimmed and drawn together, and links to media may be added at
the end. All the rest must be equal: who takes an almost equal text for the one that was sent loses a post, and who
misses the one that was sent publishes it twice.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

_T_CO = re.compile(r"https?://t\.co/[0-9A-Za-z]+")
_LABEL = r"(?:(?!https?://t\.co/)[0-9a-z-])+"  # a t.co link can follow a host at once
_IN_PUNYCODE = re.compile(rf"https?://(?:[0-9a-z-]+\.)*xn--{_LABEL}(?:\.{_LABEL})*/?", re.IGNORECASE)
_LINK = re.compile(f"(?P<short>{_T_CO.pattern})|(?i:{_IN_PUNYCODE.pattern})")
_LAST_T_CO = re.compile(rf"\s({_T_CO.pattern})\Z")
_NOT_ESCAPED = re.compile("[<>]|&(?!(?:amp|lt|gt);)")
_ESCAPES = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}

_WHITE_SPACE = re.compile(r"[^\S\x1c-\x1f]+")  # four separators are spaces to Python, but may be in a link

_SCHEME = re.compile("https?://", re.IGNORECASE)
_LONGEST_HOST = 253
_IGNORED_IN_HOST = re.compile("[\xad\u034f\u180b-\u180d\u200b-\u200d\u2060\ufe00-\ufe0f\ufeff]+")
_BEHIND_HOST = re.compile(r"[\s!-,/:-@\[-^`{-\x7f]")
_CHARACTER = re.compile("(?:%[0-9A-F]{2})+|.", re.DOTALL | re.IGNORECASE)
_ENCODED_FOR_A_REASON = re.compile("%(?=2[3-6BCF]|3[ABDF]|40)")  # #$%&+,/:;=?@ have another meaning as they are


def is_same_text(sent: str, shown: str, targets: Mapping[str, str]) -> bool:
    """Whether `shown` is `sent` as X shows it; `targets` are where its t.co links lead, except to media."""
    sent, shown = _reduced(sent), _reduced(_unescaped(shown))
    while not _leads_through(sent, shown, targets):
        media = _LAST_T_CO.search(shown)
        if not media or media[1] in targets:
            return False
        shown = shown[: media.start()]
    return True


def _unescaped(shown: str) -> str:
    """Undone once, for ``&amp;`` may have been sent; and not where something shows that nothing was escaped."""
    return shown if _NOT_ESCAPED.search(shown) else re.sub("&[a-z]+;", lambda escape: _ESCAPES[escape[0]], shown)


def _reduced(text: str) -> str:
    """A line end remains where there is one or more, and one space where there is other white space."""
    text = unicodedata.normalize("NFC", text)
    return _WHITE_SPACE.sub(lambda space: "\n" if re.search("[\r\n]", space[0]) else " ", text).strip(" \n")


def _leads_through(sent: str, shown: str, targets: Mapping[str, str]) -> bool:
    """Goes through both from link to link, with the places in `sent` where a link that is shown can have ended."""
    places, done = {0}, 0
    for link in _LINK.finditer(shown):
        beginnings = (link[0][:length] for length in range(len(link[0]), 0, -1))  # letters can follow it at once
        short = next((beginning for beginning in beginnings if beginning in targets), link[0])
        target = targets.get(short) if link["short"] else short
        between = shown[done : link.start()]
        starts = [place + len(between) for place in places if sent.startswith(between, place)]
        places = {end for start in starts for end in _link_ends(sent, start, short, target)}
        if not places:
            return False
        done = link.start() + len(short)
    return any(sent[place:] == shown[done:] for place in places)


def _link_ends(sent: str, start: int, short: str, target: str | None) -> Iterator[int]:
    """Where, in `sent`, a link can end that begins at `start`: the author's own t.co link, or one to the target."""
    if sent.startswith(short, start):
        yield start + len(short)
    for leads_to in set() if target is None else {target, _unescaped(target)}:  # whether X escapes it is not documented
        yield from _target_ends(sent, start, leads_to)


def _target_ends(sent: str, start: int, target: str) -> Iterator[int]:
    """As the author may have written it: without a scheme, with a host in any case or in punycode, and so on."""
    written, meant = _SCHEME.match(sent, start), _SCHEME.match(target)
    if written and meant and written[0].lower() != meant[0].lower():
        return
    target = target[meant.end() :] if meant else target
    host = _BEHIND_HOST.split(target, maxsplit=1)[0]
    for end in _host_ends(sent, written.end() if written else start, host):
        yield from _path_ends(sent, end, target[len(host) :])


def _host_ends(sent: str, start: int, host: str) -> Iterator[int]:
    """Text of another script, or its punctuation, may follow the host at once: so every end is tried."""
    if sent[start : start + len(host)].casefold() == host.casefold():
        rest = _IGNORED_IN_HOST.match(sent, start + len(host))
        yield from range(start + len(host), (rest.end() if rest else start + len(host)) + 1)
        return
    written = _BEHIND_HOST.split(sent[start : start + _LONGEST_HOST], maxsplit=1)[0]
    meant = _host_in_unicode(host)
    for length in range(1, len(written) + 1):
        name = _host_in_unicode(written[:length])
        if name == meant:
            yield start + length
        if name.count(".") > meant.count("."):
            return


def _host_in_unicode(host: str) -> str:
    return ".".join(map(_label_in_unicode, _comparable(host).split(".")))


def _label_in_unicode(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return _comparable(label.removeprefix("xn--").encode("ascii").decode("punycode"))
    except UnicodeError:
        return label


def _comparable(host: str) -> str:
    """As names are prepared for DNS, and a little more: what differs after this is another host."""
    visible = _IGNORED_IN_HOST.sub("", unicodedata.normalize("NFKC", host))
    return unicodedata.normalize("NFKC", visible.casefold()).replace("\u3002", ".")


def _path_ends(sent: str, start: int, path: str) -> Iterator[int]:
    """With or without a slash at the end, or before ``?`` and ``#``, and percent-encoded or not."""
    meant = re.sub(r"/(?=[?#]|\Z)", "", "".join(_decoded(character[0]) for character in _CHARACTER.finditer(path)))
    same, end = 0, start
    for character in _CHARACTER.finditer(sent, start):
        if same == len(meant):
            break
        decoded = _decoded(character[0])
        if meant.startswith(decoded, same):
            same += len(decoded)
        elif decoded != "/" or not sent.startswith(("?", "#"), character.end()):
            return
        end = character.end()
    if same == len(meant):
        yield from (end, end + 1) if sent.startswith("/", end) else (end,)


def _decoded(character: str) -> str:
    """Decomposed, since what is composed may be encoded in part."""
    if character == "%":
        return "%25"
    if character[0] == "%":
        character = unquote(_ENCODED_FOR_A_REASON.sub("%25", character.upper()), errors="surrogateescape")
    return unicodedata.normalize("NFD", character)
