"""The one module that speaks HTTP outwards. It logs nothing, nor do the libraries: headers, bodies and addresses hold
tokens, texts and secrets.

Connections are kept for the whole process (Azure's advice against running out of outbound ports), and used again only
while they are young: a server that closes one just as a request leaves would make its outcome unknown. Nothing is sent
twice by itself, redirects are not followed, no cookie is kept, and every failure of the transport becomes a
TransportError:

    TransportError
    ├── RequestNotSent    the request surely did not arrive
    └── AnswerLost        the request may have arrived; no readable answer came back
"""

import functools
import http.client
import io
import json
import logging
import math
import os
import re
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters
import requests.utils
import urllib3
import urllib3.connection
import urllib3.exceptions

from shared.errors import ScheduledPostsError
from shared.limits import ANSWER_BYTES, CONNECT_TIMEOUT, KEEP_ALIVE

_PART_BYTES = 64 * 1024

Sign = Callable[[requests.PreparedRequest], requests.PreparedRequest]
"""Adds to a request, as it will leave, what proves who sends it; an AuthBase of requests is one."""


class TransportError(ScheduledPostsError):
    """There is no answer; the text says why, without address, header or body."""


class RequestNotSent(TransportError):
    """The request surely did not arrive."""


class AnswerLost(TransportError):
    """The request may have arrived; no readable answer came back."""


@dataclass(frozen=True)
class HttpAnswer:
    """What the other side said. `json` is None when the body is not JSON; header names are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    json: Any
    body: bytes = field(default=b"", repr=False)


def post(
    url: str,
    body: Any,
    *,
    timeout: timedelta,
    headers: Mapping[str, str] | None = None,
    auth: Sign | None = None,
    most_bytes: int = ANSWER_BYTES,
    keep_alive: timedelta = KEEP_ALIVE,
) -> HttpAnswer:
    """Sends `body` as JSON, once. All of it has `timeout`: connecting, sending, and the answer to its last byte.

    Raises RequestNotSent when the request surely did not arrive, and AnswerLost when it may have: an answer that is not
    complete in time, breaks off, or has more than `most_bytes`, as it arrives or when it is unpacked, is lost. Two
    waits are not in `timeout`: the system's own for finding the name's addresses, and, before anything is sent,
    CONNECT_TIMEOUT for each address that does not answer, when the name has several.

    The connection may be one that was used before, by a call with the same `keep_alive`, if that was less ago than
    `keep_alive`, and less than half of what its server says that it keeps it.
    """
    request = _Request("POST", url, headers, auth, json=body)
    return _answer(request, timeout, most_bytes, keep_alive)


def get(
    url: str,
    *,
    params: Mapping[str, str],
    timeout: timedelta,
    headers: Mapping[str, str] | None = None,
    auth: Sign | None = None,
    most_bytes: int = ANSWER_BYTES,
    keep_alive: timedelta = KEEP_ALIVE,
) -> HttpAnswer:
    """Asks with `params` as the query, once; the rest is as in `post`."""
    request = _Request("GET", url, headers, auth, params=params)
    return _answer(request, timeout, most_bytes, keep_alive)


@dataclass(frozen=True, repr=False)
class _Request:
    """Without a repr: it holds secrets."""

    method: str
    url: str
    headers: Mapping[str, str] | None
    auth: Sign | None
    json: Any = None
    params: Mapping[str, str] | None = None

    def prepared(self) -> requests.PreparedRequest:
        """As it will leave. Without an auth of our own, requests would read a .netrc, and send what stands there."""
        request = requests.PreparedRequest()
        request.prepare(
            self.method,
            self.url,
            {"Accept-Encoding": "gzip", **(self.headers or {})},
            json=self.json,
            params=self.params,
            auth=self.auth or _headers_as_given,
        )
        return request


def _answer(request: _Request, timeout: timedelta, most_bytes: int, keep_alive: timedelta) -> HttpAnswer:
    """Without a Session of requests, which would look for proxies and certificates anew for each request."""
    _silence_libraries()
    try:
        prepared = request.prepared()
        response = _adapter(keep_alive.total_seconds()).send(
            prepared,
            stream=True,
            timeout=urllib3.Timeout(timeout.total_seconds(), CONNECT_TIMEOUT.total_seconds()),  # type: ignore[arg-type]
            **_route(prepared.url or ""),
        )
        packed = b"".join(_parts(response, most_bytes))
        body = _unpacked(packed, response.headers.get("Content-Encoding", "identity"), most_bytes)
    except requests.RequestException as error:
        raise _translated(error) from error
    except (urllib3.exceptions.LocationParseError, UnicodeError) as error:
        raise RequestNotSent("the address or a header cannot be written") from error
    except urllib3.exceptions.ReadTimeoutError as error:
        raise AnswerLost(_TOO_LATE) from error
    except zlib.error as error:
        raise AnswerLost(_UNREADABLE) from error
    except urllib3.exceptions.HTTPError as error:  # requests does not translate what happens while a body is read
        raise AnswerLost(_BROKEN_OFF) from error
    return HttpAnswer(response.status_code, response.headers, _json_or_none(body), body)


@functools.cache
def _silence_libraries() -> None:
    """urllib3 logs addresses, at DEBUG and where headers are broken as a warning; oauthlib tokens and signatures."""
    for library in ("urllib3", "oauthlib"):
        logging.getLogger(library).setLevel(logging.ERROR)


def _parts(response: requests.Response, most_bytes: int) -> Iterator[bytes]:
    """The body as it arrives, so that one that is large without end has an end too.

    It is not unpacked here: urllib3 reads on by itself, beyond any time, while what arrives unpacks to nothing.
    """
    size = 0
    with response:
        while part := response.raw.read1(_PART_BYTES, decode_content=False):
            size += len(part)
            if size > most_bytes:
                raise AnswerLost(_TOO_LARGE)
            yield part


def _unpacked(body: bytes, encoding: str, most_bytes: int) -> bytes:
    """Never more than `most_bytes`, although some hundred bytes could unpack to a megabyte. May raise zlib.error."""
    if not body or encoding.lower() == "identity":
        return body
    if encoding.lower() not in ("gzip", "deflate"):
        raise AnswerLost(_UNREADABLE)
    unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)  # takes both formats
    unpacked = unpacking.decompress(body, most_bytes + 1)
    if len(unpacked) > most_bytes:
        raise AnswerLost(_TOO_LARGE)
    if not unpacking.eof:
        raise AnswerLost(_BROKEN_OFF)
    return unpacked


class _Answer(http.client.HTTPResponse):
    """Has until the end of the timeout that its socket has at first; a socket by itself has that for each read."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        until = time.monotonic() + (sock.gettimeout() or 0)
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BytesInTime(sock, self.fp.detach(), until))


class _BytesInTime(io.RawIOBase):
    """What comes from a socket until then; TimeoutError for what comes later."""

    def __init__(self, sock: socket.socket, received: io.RawIOBase, until: float) -> None:
        self._socket, self._received, self._until = sock, received, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._received.readinto(buffer)

    def close(self) -> None:
        self._received.close()
        super().close()


class _Connection(urllib3.connection.HTTPConnection):
    """Counts as broken when it was not used for `keep_alive` seconds; the pool opens another one then."""

    response_class = _Answer

    def __init__(self, *args: Any, keep_alive: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._keep_alive = keep_alive
        self._usable_until = -math.inf

    @property
    def is_connected(self) -> bool:
        return time.monotonic() < self._usable_until and super().is_connected

    def getresponse(self) -> Any:
        answer = super().getresponse()
        announced = _ANNOUNCED.search(answer.headers.get("Keep-Alive", ""))
        kept = min(self._keep_alive, int(announced[1]) / 2) if announced else self._keep_alive
        if answer.status < 200:  # what is said in advance: the answer follows, and the next request must not get it
            kept = -math.inf
        self._usable_until = time.monotonic() + kept
        return answer


_ANNOUNCED = re.compile(r"(?i)\btimeout=([0-9]{1,6})\b")


class _TlsConnection(_Connection, urllib3.connection.HTTPSConnection):
    pass


_CONNECTIONS = 150
"""So many to one host are kept: a delivery sends up to one and a half times PUBLISH_BATCH at the same time."""


class _Adapter(requests.adapters.HTTPAdapter):
    """Makes connections that are used again while they are young, and whose answers have an end."""

    def __init__(self, keep_alive: float) -> None:
        super().__init__(pool_maxsize=_CONNECTIONS, max_retries=0)
        self._keep_alive = keep_alive

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _TlsConnection if pool.scheme == "https" else _Connection
        pool.conn_kw["keep_alive"] = self._keep_alive
        return pool


@functools.cache
def _adapter(keep_alive: float) -> _Adapter:
    return _Adapter(keep_alive)


_OF_THE_ROUTE = (
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""The variables that say which proxy a request takes, and whose certificates it trusts."""


def _route(url: str) -> Mapping[str, Any]:
    """What the environment says of the way to this host. It is looked up anew when one of the variables has changed."""
    parts = urlsplit(url)
    return _route_to(f"{parts.scheme}://{parts.netloc}", tuple(map(os.environ.get, _OF_THE_ROUTE)))


@functools.lru_cache(maxsize=64)
def _route_to(origin: str, _variables: tuple[str | None, ...]) -> Mapping[str, Any]:
    certificates = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
    return {"proxies": requests.utils.get_environ_proxies(origin), "verify": certificates}


def _headers_as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


_TOO_LATE = "no answer came in time"
_BROKEN_OFF = "the connection broke before the answer was complete"
_TOO_LARGE = "the answer is too large"
_UNREADABLE = "the answer could not be read"

_NEVER_LEFT = (
    requests.ConnectTimeout,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
)


def _translated(error: requests.RequestException) -> RequestNotSent | AnswerLost:
    if isinstance(error, requests.exceptions.JSONDecodeError) or _is_about_an_answer(error):
        return AnswerLost(_UNREADABLE)
    if isinstance(error, _NEVER_LEFT) or _connection_never_stood(error):
        return RequestNotSent("no connection could be made")
    if isinstance(error, requests.Timeout):
        return AnswerLost(_TOO_LATE)
    return AnswerLost(_BROKEN_OFF)


def _is_about_an_answer(error: requests.RequestException) -> bool:
    """requests has one InvalidHeader for both directions; urllib3 has it for answers alone."""
    return bool(error.args) and isinstance(error.args[0], urllib3.exceptions.InvalidHeader)


def _connection_never_stood(error: requests.RequestException) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.SSLError):
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args)
    if isinstance(reason, urllib3.exceptions.ProxyError):
        # urllib3 says so, too, when a proxy breaks off that has the request; a plain OSError is a tunnel refused.
        reason = reason.original_error
        if type(reason) is OSError:
            return True
    return isinstance(reason, urllib3.exceptions.ConnectTimeoutError | urllib3.exceptions.NewConnectionError)


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
