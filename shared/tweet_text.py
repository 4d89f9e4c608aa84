"""Whether a text that X shows is the one that was sent: X rewrites what it takes.

Links become t.co links, whose targets come beside the text; the target of a bare domain gets a scheme; ``&``, ``<`` and
``>`` are escaped. What more X changes is not documented, so both texts are reduced by the same rules, which would
rather take two almost equal texts for the same than miss the one that was sent.
"""

import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import unquote

_T_CO = re.compile(r"https?://t\.co/[0-9A-Za-z]+")


def is_same_text(sent: str, shown: str, targets: Mapping[str, str]) -> bool:
    """Whether `shown` is `sent` as X shows it; `targets` are where its t.co links lead."""
    return _reduced(_with_targets(shown, targets, sent)) == _reduced(sent)


def _with_targets(shown: str, targets: Mapping[str, str], sent: str) -> str:
    """X keeps a t.co link that was sent; one that was not, and has no target, stands for media."""
    return _T_CO.sub(lambda link: link[0] if link[0] in sent else targets.get(link[0], ""), shown)


def _reduced(text: str) -> str:
    text = re.sub("&(?:amp;)+", "&", text).replace("&lt;", "<").replace("&gt;", ">")
    text = unicodedata.normalize("NFC", unquote(text))  # a path may come back percent-encoded
    text = re.sub("https?://", "", text, flags=re.IGNORECASE)
    text = re.sub(r"[^\s/]+", _host_in_lower_case, text)
    text = re.sub("/(?![0-9A-Za-z])", "", text)  # the slash that ends a link, or stands before its ? or #
    return " ".join(text.split())


def _host_in_lower_case(run: re.Match[str]) -> str:
    return run[0].lower() if "." in run[0] else run[0]
