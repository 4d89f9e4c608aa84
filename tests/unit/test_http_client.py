"""What becomes of a request: an answer, not sent, or an answer that is lost. A real server misbehaves, path by path."""

import contextlib
import functools
import inspect
import json
import logging
import socket
import ssl
import struct
import threading
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import urllib3.exceptions
from requests.auth import AuthBase

from benchmarks.certificate import self_signed_certificate
from shared.http import client as http_client
from shared.http.client import AnswerLost, HttpAnswer, RequestNotSent, TransportError
from shared.limits import ANSWER_BYTES
from shared.x.signature import signature

BODY = {"text": "What the author wrote"}
TOKEN = {"Authorization": "Bearer a-token-of-the-author"}
A_WHILE = 10
"""Seconds after which a server that hangs or drips gives up, so that a client that waits for it fails the test."""

Behaviour = Callable[[socket.socket], None]


def answers(body: bytes, status: str = "200 OK", **headers: str) -> Behaviour:
    headers = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return lambda connection: connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def sends(raw: bytes) -> Behaviour:
    """These bytes and nothing more: the connection is closed behind them."""
    return lambda connection: connection.sendall(raw)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


LARGE = json.dumps({"text": "large " * 200_000}).encode()
LARGEST = b'"' + b"x" * (ANSWER_BYTES - 2) + b'"'


@functools.cache
def zipped(text: bytes, times: int = 1) -> bytes:
    packing = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    return b"".join([*(packing.compress(text) for _ in range(times)), packing.flush()])


class MisbehavingServer:
    """A server on loopback whose paths are named by what they do. It notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.end = threading.Event()
        self._behaviours: dict[str, Behaviour] = {
            "/echoes_headers": lambda connection: answers(json.dumps(self.asked[-1][1]).encode())(connection),
            "/created": answers(b'{"data": {"id": "1"}}', "201 Created", **{"X-Rate-Limit-Reset": "17"}),
            "/broken_header": sends(b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\n{}"),
            "/sets_cookie": answers(b"{}", **{"Set-Cookie": "session=of-another-user; Path=/"}),
            "/redirect": answers(b"", "302 Found", Location="/created"),
            "/redirect_to_nowhere": answers(b"", "302 Found", Location="http://["),
            "/redirect_not_utf_8": sends(b"HTTP/1.1 302 Found\r\nLocation: /\xff\r\nContent-Length: 0\r\n\r\n"),
            "/unavailable": answers(b"{}", "503 Service Unavailable", **{"Retry-After": "1"}),
            "/not_json": answers(b"<html>Bad gateway</html>", "502 Bad Gateway", **{"Content-Type": "text/html"}),
            "/empty": answers(b""),
            "/not_utf_8": answers(b'{"text": "\xff"}', **{"Content-Type": "application/json"}),
            "/endless_number": answers(b'{"id": ' + b"9" * 5000 + b"}"),
            "/deep_nesting": answers(b"[" * 100_000 + b"]" * 100_000),
            "/compressed": answers(zlib.compress(LARGE), **{"Content-Encoding": "deflate"}),
            "/zipped": answers(zipped(LARGE), **{"Content-Encoding": "gzip"}),
            "/zipped_and_empty": answers(b"", **{"Content-Encoding": "gzip"}),
            "/largest": answers(LARGEST),
            "/largest_zipped": answers(zipped(LARGEST), **{"Content-Encoding": "gzip"}),
            "/too_large": answers(LARGEST + b" "),
            "/too_large_zipped": answers(zipped(LARGEST + b" "), **{"Content-Encoding": "gzip"}),
            "/far_too_large_zipped": answers(zipped(b" " * 2**20, 64), **{"Content-Encoding": "gzip"}),
            "/large_without_end": self._send_without_end,
            "/zipped_nothing_without_end": functools.partial(self._drip_zipped, zipped(b"")),
            "/zipped_twice": answers(zipped(zipped(b"{}")), **{"Content-Encoding": "gzip, gzip"}),
            "/zipped_in_part": answers(zipped(LARGE)[:-9], **{"Content-Encoding": "gzip"}),
            "/hangs": self._hang,
            "/hangs_in_the_body": self._hang_in_the_body,
            "/drips_its_first_line": functools.partial(self._drip, b"HTTP/1.1 201 "),
            "/drips_its_headers": functools.partial(self._drip, b"HTTP/1.1 201 Created\r\nX-Slow: "),
            "/drips_its_body": functools.partial(self._drip, b"HTTP/1.1 201 Created\r\nContent-Length: 1000\r\n\r\n"),
            "/drips_a_chunk_s_size": functools.partial(
                self._drip, b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1;"
            ),
            "/drips_trailers": functools.partial(
                self._drip, b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Slow: "
            ),
            "/redirect_that_drips": functools.partial(
                self._drip, b"HTTP/1.1 302 Found\r\nLocation: /created\r\nContent-Length: 1000\r\n\r\n"
            ),
            "/continues_without_end": self._continue_without_end,
            "/answers_once_and_then_drips": self._answer_once_and_then_drip,
            "/answers_twice": functools.partial(self._answer_twice, b""),
            "/answers_twice_and_says_for_how_long": functools.partial(self._answer_twice, b"Keep-Alive: timeout=0\r\n"),
            "/answers_once_and_then_closes": self._answer_once_and_then_close,
            "/hints_and_answers_when_it_is_asked_again": self._hint_and_answer_when_asked_again,
            "/resets_before_answering": resets,
            "/closes_before_answering": sends(b""),
            "/truncated": sends(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"),
            "/truncated_chunk": sends(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{"),
            "/not_the_promised_gzip": answers(b"no gzip", "201 Created", **{"Content-Encoding": "gzip"}),
            "/two_lengths": sends(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
            "/not_http": sends(b"220 mail.example.com ESMTP\r\n"),
        }
        self._kept: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, path: str) -> str:
        return f"http://{self.address}{path}"

    def connections(self) -> int:
        return len(self._threads) - 1

    def times_asked(self, path: str) -> int:
        return [asked.partition("?")[0] for asked, _, _ in self.asked].count(path)

    def wait_until_connections_are_closed(self) -> None:
        for thread in self._threads[1:]:
            thread.join()

    def stop(self) -> None:
        self.end.set()
        socket.create_connection(self._listener.getsockname()).close()  # wakes up the thread that accepts
        for connection in self._kept:
            with contextlib.suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self.end.is_set():
                connection.close()
                return
            self._threads.append(threading.Thread(target=self._serve, args=[connection]))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            path, headers, body = _read_request(connection)
            self.asked.append((path, headers, body))
            self._behaviours[path.partition("?")[0]](connection)

    def _hang(self, connection: socket.socket) -> None:
        self.end.wait(A_WHILE)

    def _hang_in_the_body(self, connection: socket.socket) -> None:
        sends(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{")(connection)
        self._hang(connection)

    def _drip(self, head: bytes, connection: socket.socket) -> None:
        sends(head)(connection)
        self._repeat(b"1", connection)

    def _continue_without_end(self, connection: socket.socket) -> None:
        self._repeat(b"HTTP/1.1 100 Continue\r\n\r\n", connection)

    def _answer_once_and_then_drip(self, connection: socket.socket) -> None:
        sends(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}")(connection)
        _read_request(connection)
        self._drip(b"HTTP/1.1 201 Created\r\nX-Slow: ", connection)

    def _answer_twice(self, header: bytes, connection: socket.socket) -> None:
        self._answer_and_keep(header, connection)
        with contextlib.suppress(IndexError):  # the client does not use the connection again
            self.asked.append(_read_request(connection))
            self._answer_and_keep(header, connection)

    def _answer_once_and_then_close(self, connection: socket.socket) -> None:
        self._answer_and_keep(b"", connection)
        self.asked.append(_read_request(connection))

    def _hint_and_answer_when_asked_again(self, connection: socket.socket) -> None:
        self._kept.append(connection)
        sends(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")(connection)
        with contextlib.suppress(IndexError):  # the client does not use the connection again
            self.asked.append(_read_request(connection))
            self._answer_and_keep(b"", connection)

    def _answer_and_keep(self, header: bytes, connection: socket.socket) -> None:
        self._kept.append(connection)
        sends(b"HTTP/1.1 201 Created\r\n" + header + b"Content-Length: 2\r\n\r\n{}")(connection)

    def _repeat(self, part: bytes, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the client hangs up, as it should
            for _ in range(A_WHILE * 20):
                if not self.end.wait(0.05):
                    connection.sendall(part)

    def _send_without_end(self, connection: socket.socket) -> None:
        sends(b"HTTP/1.1 201 Created\r\n\r\n")(connection)
        with contextlib.suppress(OSError):
            while not self.end.is_set():
                connection.sendall(b" " * 65536)

    def _drip_zipped(self, part: bytes, connection: socket.socket) -> None:
        sends(b"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\n\r\n")(connection)
        self._repeat(part, connection)


def _read_request(connection: socket.socket) -> tuple[str, dict[str, str], bytes]:
    with connection.makefile("rb") as stream:
        path = stream.readline().split()[1].decode()
        lines = [line.decode().strip() for line in iter(stream.readline, b"\r\n")]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return path, headers, stream.read(int(headers.get("content-length", 0)))


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    serving = MisbehavingServer()
    yield serving
    serving.stop()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port where nobody listens, nor can as long as this socket has it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def port_with_a_certificate_nobody_vouches_for(tmp_path: Path) -> Iterator[int]:
    """A TLS server that signed its certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed_certificate(tmp_path / "server.pem"))

    def shake_hands() -> None:
        try:
            connection, _ = listener.accept()
            with connection:
                context.wrap_socket(connection, server_side=True).close()
        except OSError:
            pass  # The client hangs up, as it should.

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=shake_hands)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


@pytest.fixture
def tls_server_that_drips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], int]]:
    """Starts a TLS server that the client trusts, and that sends a head and then a byte from time to time."""
    certificate = self_signed_certificate(tmp_path / "server.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    end = threading.Event()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(A_WHILE)

        def serve(head: bytes) -> None:
            with contextlib.suppress(OSError):  # the client hangs up, as it should
                connection, _ = listener.accept()
                with connection, context.wrap_socket(connection, server_side=True) as encrypted:
                    _read_request(encrypted)
                    encrypted.sendall(head)
                    for _ in range(A_WHILE * 20):
                        if not end.wait(0.05):
                            encrypted.sendall(b"1")

        threads: list[threading.Thread] = []

        def start(head: bytes) -> int:
            threads.append(threading.Thread(target=serve, args=[head]))
            threads[0].start()
            return int(listener.getsockname()[1])

        yield start
        end.set()
        for thread in threads:
            thread.join()


Ask = Callable[..., HttpAnswer]

post = functools.partial(http_client.post, body=BODY, headers=TOKEN, timeout=timedelta(seconds=60))
get = functools.partial(http_client.get, params={"q": "a query"}, headers=TOKEN, timeout=timedelta(seconds=60))


@pytest.fixture(params=[post, get], ids=["post", "get"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Each verb in turn: what becomes of a request is the same for both."""
    verb: Ask = request.param
    return verb


@pytest.mark.parametrize("path", ["/created", "/broken_header"])
def test_no_address_header_or_signature_reaches_a_log_at_any_level(
    server: MisbehavingServer, ask: Ask, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.DEBUG)

    ask(server.url(f"{path}?secret-path"), headers={"x-secret": "secret-header"}, auth=signature(("app", "secret")))

    assert caplog.text == ""


def test_a_request_shows_nothing_of_itself_in_a_traceback() -> None:
    request = http_client._Request(
        "POST", "https://secret.test", {"x-hasura-admin-secret": "secret"}, None, json={"text": "secret"}
    )

    assert "secret" not in repr(request)


class TestAnAnswer:
    def test_has_the_status_the_headers_in_any_case_and_the_json(self, server: MisbehavingServer, ask: Ask) -> None:
        answer = ask(server.url("/created"))

        assert (answer.status, answer.json) == (201, {"data": {"id": "1"}})
        assert answer.headers["x-rate-limit-reset"] == "17"

    @pytest.mark.parametrize(
        "path", ["/not_json", "/empty", "/endless_number", "/deep_nesting"], ids=lambda path: path.strip("/")
    )
    def test_that_holds_no_readable_json_has_none(self, server: MisbehavingServer, path: str, ask: Ask) -> None:
        assert ask(server.url(path)).json is None

    def test_has_the_body_as_it_came_and_does_not_show_it(self, server: MisbehavingServer, ask: Ask) -> None:
        answer = ask(server.url("/created"))

        assert json.loads(answer.body) == answer.json
        assert "body" not in repr(answer)

    def test_that_is_not_utf_8_is_no_error(self, server: MisbehavingServer, ask: Ask) -> None:
        assert ask(server.url("/not_utf_8")).status == 200

    @pytest.mark.parametrize("path", ["/compressed", "/zipped"], ids=lambda path: path.strip("/"))
    def test_that_is_compressed_is_read_as_a_whole(self, server: MisbehavingServer, path: str, ask: Ask) -> None:
        assert ask(server.url(path)).json == json.loads(LARGE)

    def test_that_is_empty_needs_not_be_compressed_as_it_says(self, server: MisbehavingServer, ask: Ask) -> None:
        assert ask(server.url("/zipped_and_empty")).body == b""

    @pytest.mark.parametrize("path", ["/largest", "/largest_zipped"], ids=lambda path: path.strip("/"))
    def test_that_is_as_large_as_it_may_be_is_read_as_a_whole(
        self, server: MisbehavingServer, path: str, ask: Ask
    ) -> None:
        assert ask(server.url(path)).body == LARGEST

    @pytest.mark.parametrize(
        "path", ["/redirect", "/redirect_to_nowhere", "/redirect_not_utf_8"], ids=lambda path: path.strip("/")
    )
    def test_that_is_a_redirect_is_not_followed(self, server: MisbehavingServer, path: str, ask: Ask) -> None:
        assert ask(server.url(path)).status == 302
        assert server.times_asked("/created") == 0


class TestARequest:
    def test_of_post_carries_the_body_as_json_and_the_headers_as_given(self, server: MisbehavingServer) -> None:
        post(server.url("/created"))

        [(_, headers, body)] = server.asked
        assert json.loads(body) == BODY
        assert headers["content-type"] == "application/json"
        assert headers["authorization"] == TOKEN["Authorization"]

    def test_of_get_carries_its_query_and_the_headers_as_given_and_no_body(self, server: MisbehavingServer) -> None:
        get(server.url("/created"), params={"fields": "id,text", "from": "a&b c"})

        [(path, headers, body)] = server.asked
        assert path == "/created?fields=id%2Ctext&from=a%26b+c"
        assert headers["authorization"] == TOKEN["Authorization"]
        assert "content-type" not in headers
        assert body == b""

    @pytest.mark.parametrize(
        "path",
        [
            "/unavailable",
            "/not_json",
            "/redirect",
            "/resets_before_answering",
            "/closes_before_answering",
            "/truncated",
        ],
        ids=lambda path: path.strip("/"),
    )
    def test_is_sent_once_only(self, server: MisbehavingServer, path: str, ask: Ask) -> None:
        outcome_or_answer(lambda: ask(server.url(path)))

        assert len(server.asked) == 1

    def test_does_not_let_a_netrc_file_replace_its_authorization(
        self, server: MisbehavingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ask: Ask
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("default login somebody password something\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))

        answer = ask(server.url("/echoes_headers"))

        assert answer.json["authorization"] == TOKEN["Authorization"]

    def test_asks_for_the_one_compression_that_is_unpacked(self, server: MisbehavingServer, ask: Ask) -> None:
        assert ask(server.url("/echoes_headers")).json["accept-encoding"] == "gzip"

    def test_is_signed_by_the_auth_it_is_given(self, server: MisbehavingServer, ask: Ask) -> None:
        class Signature(AuthBase):
            def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
                request.headers["Authorization"] = "OAuth signed"
                return request

        answer = ask(server.url("/echoes_headers"), headers=None, auth=Signature())

        assert answer.json["authorization"] == "OAuth signed"

    def test_never_carries_a_cookie_from_an_earlier_answer(self, server: MisbehavingServer, ask: Ask) -> None:
        ask(server.url("/sets_cookie"))

        answer = ask(server.url("/echoes_headers"))

        assert "cookie" not in answer.json

    def test_gets_a_new_connection_when_the_server_has_closed_the_old_one(
        self, server: MisbehavingServer, ask: Ask
    ) -> None:
        ask(server.url("/created"))
        server.wait_until_connections_are_closed()

        answer = ask(server.url("/created"))

        assert answer.status == 201
        assert server.times_asked("/created") == 2


class TestAConnection:
    def test_is_used_again_while_it_is_young(self, server: MisbehavingServer, ask: Ask) -> None:
        for _ in range(2):
            ask(server.url("/answers_twice"))

        assert (server.connections(), len(server.asked)) == (1, 2)

    def test_is_not_used_again_when_it_was_not_used_for_as_long_as_it_is_kept(
        self, server: MisbehavingServer, ask: Ask
    ) -> None:
        for _ in range(2):
            ask(server.url("/answers_twice"), keep_alive=timedelta())

        assert (server.connections(), len(server.asked)) == (2, 2)

    def test_is_not_used_again_after_half_the_time_that_its_server_says(
        self, server: MisbehavingServer, ask: Ask
    ) -> None:
        for _ in range(2):
            ask(server.url("/answers_twice_and_says_for_how_long"))

        assert (server.connections(), len(server.asked)) == (2, 2)

    def test_whose_answer_is_still_to_come_is_not_used_again_so_that_no_other_request_gets_it(
        self, server: MisbehavingServer, ask: Ask
    ) -> None:
        answers = [ask(server.url("/hints_and_answers_when_it_is_asked_again")) for _ in range(2)]

        assert [answer.status for answer in answers] == [103, 103]
        assert server.connections() == 2

    def test_is_not_used_again_by_a_call_that_keeps_them_for_another_time(
        self, server: MisbehavingServer, ask: Ask
    ) -> None:
        for seconds in (5, 6):
            ask(server.url("/answers_twice"), keep_alive=timedelta(seconds=seconds))

        assert (server.connections(), len(server.asked)) == (2, 2)

    def test_that_breaks_when_it_is_used_again_loses_the_answer_and_the_request_is_not_repeated(
        self, server: MisbehavingServer, ask: Ask
    ) -> None:
        ask(server.url("/answers_once_and_then_closes"))

        with pytest.raises(AnswerLost):
            ask(server.url("/answers_once_and_then_closes"))

        assert (server.connections(), len(server.asked)) == (1, 2)


class TestARequestIsNotSent:
    def test_to_a_closed_port(self, closed_port: int, ask: Ask) -> None:
        with pytest.raises(RequestNotSent, match="no connection could be made"):
            ask(f"http://127.0.0.1:{closed_port}/")

    def test_to_a_server_whose_certificate_nobody_vouches_for(
        self, port_with_a_certificate_nobody_vouches_for: int, ask: Ask
    ) -> None:
        with pytest.raises(RequestNotSent, match="no connection could be made"):
            ask(f"https://localhost:{port_with_a_certificate_nobody_vouches_for}/")

    @pytest.mark.parametrize(
        "url",
        [
            pytest.param("http://nowhere.invalid/", id="unknown name"),
            pytest.param("localhost/v1/graphql", id="no scheme"),
            pytest.param("ftp://localhost/", id="other scheme"),
            pytest.param("http:///v1/graphql", id="no host"),
            pytest.param("http://localhost:99999/", id="no such port"),
            pytest.param("http://two..dots/", id="empty label"),
            pytest.param(f"http://{'a' * 64}.invalid/", id="endless label"),
        ],
    )
    def test_to_an_address_that_leads_nowhere(self, url: str, ask: Ask) -> None:
        with pytest.raises(RequestNotSent):
            ask(url)

    @pytest.mark.parametrize(
        "value", [pytest.param("two\nlines", id="line break"), pytest.param("✓", id="not Latin-1")]
    )
    def test_with_a_header_that_http_cannot_carry(self, server: MisbehavingServer, value: str, ask: Ask) -> None:
        with pytest.raises(RequestNotSent):
            ask(server.url("/created"), headers={"x-hasura-admin-secret": value})

        assert server.asked == []

    def test_with_a_body_that_json_cannot_carry(self, server: MisbehavingServer) -> None:
        with pytest.raises(RequestNotSent):
            post(server.url("/created"), body={"number": float("nan")})

        assert server.asked == []


class TestAnAnswerIsLost:
    @pytest.mark.parametrize(
        "path",
        [
            "/resets_before_answering",
            "/closes_before_answering",
            "/truncated",
            "/truncated_chunk",
            "/not_the_promised_gzip",
            "/zipped_twice",
            "/zipped_in_part",
            "/two_lengths",
            "/not_http",
        ],
        ids=lambda path: path.strip("/"),
    )
    def test_that_breaks_off_or_makes_no_sense(self, server: MisbehavingServer, path: str, ask: Ask) -> None:
        with pytest.raises(AnswerLost):
            ask(server.url(path))

        assert len(server.asked) == 1

    @pytest.mark.parametrize(
        "path",
        [
            "/hangs",
            "/hangs_in_the_body",
            "/drips_its_first_line",
            "/drips_its_headers",
            "/drips_its_body",
            "/drips_a_chunk_s_size",
            "/drips_trailers",
            "/redirect_that_drips",
            "/continues_without_end",
            "/zipped_nothing_without_end",
        ],
        ids=lambda path: path.strip("/"),
    )
    def test_that_is_not_complete_in_time(self, server: MisbehavingServer, path: str, ask: Ask) -> None:
        with pytest.raises(AnswerLost, match="no answer came in time"):
            ask(server.url(path), timeout=timedelta(seconds=0.2))

    def test_that_drips_on_a_connection_that_was_used_before(self, server: MisbehavingServer, ask: Ask) -> None:
        ask(server.url("/answers_once_and_then_drips"))

        with pytest.raises(AnswerLost, match="no answer came in time"):
            ask(server.url("/on_the_same_connection"), timeout=timedelta(seconds=0.2))

        assert len(server.asked) == 1

    @pytest.mark.parametrize("head", [b"", b"HTTP/1.1 201 Created\r\nX-Slow: "], ids=["first-line", "headers"])
    def test_that_drips_through_tls(self, tls_server_that_drips: Callable[[bytes], int], head: bytes) -> None:
        port = tls_server_that_drips(head)

        with pytest.raises(AnswerLost, match="no answer came in time"):
            post(f"https://localhost:{port}/", timeout=timedelta(seconds=3))  # which the handshake is part of

    @pytest.mark.parametrize(
        "path",
        ["/too_large", "/too_large_zipped", "/far_too_large_zipped", "/large_without_end"],
        ids=lambda path: path.strip("/"),
    )
    def test_that_is_too_large_and_it_never_takes_much_memory(
        self, server: MisbehavingServer, path: str, ask: Ask
    ) -> None:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerLost, match="the answer is too large"):
                ask(server.url(path))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert peak < 4 * ANSWER_BYTES

    def test_that_is_larger_than_its_caller_allows(self, server: MisbehavingServer) -> None:
        with pytest.raises(AnswerLost, match="the answer is too large"):
            post(server.url("/created"), most_bytes=10)


def exceptions_of(module: Any, base: type[Exception]) -> list[type[Exception]]:
    return [kind for kind in vars(module).values() if inspect.isclass(kind) and issubclass(kind, base)]


def outcome_of(error: Exception) -> type[TransportError]:
    """What the client makes of an exception from below."""
    with responses.RequestsMock() as network:
        network.post("http://x.test/2/tweets", body=error)
        with pytest.raises(TransportError) as caught:
            post("http://x.test/2/tweets")
    return caught.type


BEFORE_ANYTHING_LEFT = {
    "ConnectTimeout",
    "InvalidHeader",
    "InvalidJSONError",
    "InvalidProxyURL",
    "InvalidSchema",
    "InvalidURL",
    "MissingSchema",
}
PERHAPS_AFTER_IT_LEFT = {
    "ChunkedEncodingError",
    "ConnectionError",
    "ContentDecodingError",
    "HTTPError",
    "JSONDecodeError",  # a subclass of InvalidJSONError, but an answer came
    "ProxyError",
    "ReadTimeout",
    "RequestException",
    "RetryError",
    "SSLError",
    "StreamConsumedError",
    "Timeout",
    "TooManyRedirects",
    "URLRequired",
    "UnrewindableBodyError",
}


@pytest.mark.parametrize(
    "kind", exceptions_of(requests.exceptions, requests.RequestException), ids=lambda kind: kind.__name__
)
def test_it_is_known_of_every_exception_of_requests_whether_the_request_left(kind: type[Exception]) -> None:
    error = kind("cut short", "{", 0) if issubclass(kind, json.JSONDecodeError) else kind()

    assert kind.__name__ in BEFORE_ANYTHING_LEFT | PERHAPS_AFTER_IT_LEFT
    assert outcome_of(error) is (RequestNotSent if kind.__name__ in BEFORE_ANYTHING_LEFT else AnswerLost)


CONNECTION_NEVER_STOOD = {"ConnectTimeoutError", "NewConnectionError", "NameResolutionError"}
CONNECTION_MAY_HAVE_STOOD = {
    "BodyNotHttplibCompatible",
    "ClosedPoolError",
    "ConnectionError",
    "DecodeError",
    "EmptyPoolError",
    "FullPoolError",
    "HTTPError",
    "HeaderParsingError",
    "HostChangedError",
    "IncompleteRead",
    "InvalidChunkLength",
    "InvalidHeader",
    "LocationParseError",
    "LocationValueError",
    "MaxRetryError",
    "PoolError",
    "ProtocolError",
    "ProxyError",
    "ProxySchemeUnknown",
    "ReadTimeoutError",
    "RequestError",
    "ResponseError",
    "ResponseNotChunked",
    "SSLError",
    "TimeoutError",
    "TimeoutStateError",
    "URLSchemeUnknown",
    "UnrewindableBodyError",
}


@pytest.mark.parametrize(
    "kind", exceptions_of(urllib3.exceptions, urllib3.exceptions.HTTPError), ids=lambda kind: kind.__name__
)
def test_it_is_known_of_every_exception_of_urllib3_whether_the_connection_stood(kind: type[Exception]) -> None:
    reason = kind.__new__(kind)  # each takes other arguments, and none of them tells them apart
    if isinstance(reason, urllib3.exceptions.ProxyError):
        reason.original_error = ConnectionResetError()
    given_up = urllib3.exceptions.MaxRetryError.__new__(urllib3.exceptions.MaxRetryError)
    given_up.reason = reason

    assert kind.__name__ in CONNECTION_NEVER_STOOD | CONNECTION_MAY_HAVE_STOOD
    expected = RequestNotSent if kind.__name__ in CONNECTION_NEVER_STOOD else AnswerLost
    assert outcome_of(requests.ConnectionError(given_up)) is expected


@pytest.mark.parametrize(
    "kind", exceptions_of(urllib3.exceptions, urllib3.exceptions.HTTPError), ids=lambda kind: kind.__name__
)
def test_an_exception_that_requests_does_not_translate_is_a_lost_answer(kind: type[Exception]) -> None:
    cannot_be_written = kind is urllib3.exceptions.LocationParseError

    assert outcome_of(kind.__new__(kind)) is (RequestNotSent if cannot_be_written else AnswerLost)


class TestThroughAProxy:
    @pytest.fixture(autouse=True)
    def _no_proxy_of_the_developer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("no_proxy", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)

    @pytest.mark.parametrize("behaviour", [sends(b""), resets], ids=["closes", "resets"])
    def test_that_has_the_request_and_breaks_off_the_answer_is_lost(
        self, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
    ) -> None:
        with a_proxy(behaviour) as (address, asked):
            monkeypatch.setenv("HTTP_PROXY", f"http://{address}")

            with pytest.raises(AnswerLost):
                post("http://x.test/2/tweets")

        assert asked[0].startswith(b"POST http://x.test/2/tweets")

    @pytest.mark.parametrize("scheme", ["http", "ftp"])
    def test_that_is_not_there_nothing_is_sent(
        self, monkeypatch: pytest.MonkeyPatch, closed_port: int, scheme: str
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"{scheme}://127.0.0.1:{closed_port}")

        with pytest.raises(RequestNotSent):
            post("http://x.test/2/tweets")

    def test_that_is_set_after_an_earlier_request_goes_the_next_one(
        self, monkeypatch: pytest.MonkeyPatch, server: MisbehavingServer
    ) -> None:
        post(server.url("/created"))

        with a_proxy(answers(b"{}")) as (address, asked):
            monkeypatch.setenv("http_proxy", f"http://{address}")
            post(server.url("/created"))

        assert asked[0].startswith(f"POST {server.url('/created')}".encode())

    def test_goes_no_request_to_a_host_that_needs_none(
        self, monkeypatch: pytest.MonkeyPatch, server: MisbehavingServer, closed_port: int
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")

        assert post(server.url("/created")).status == 201

    def test_that_refuses_the_tunnel_nothing_is_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with a_proxy(sends(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")) as (address, _):
            monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")

            with pytest.raises(RequestNotSent):
                post("https://x.test/2/tweets")


@contextlib.contextmanager
def a_proxy(behaviour: Behaviour) -> Iterator[tuple[str, list[bytes]]]:
    """Takes one request whole and then behaves; gives its address and what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(65536))
                behaviour(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join()


@pytest.mark.parametrize(
    "path",
    ["/created", "/unavailable", "/not_json", "/truncated", "/resets_before_answering", "/not_http"],
    ids=lambda path: path.strip("/"),
)
def test_neither_secrets_nor_bodies_are_logged_or_told(
    server: MisbehavingServer, caplog: pytest.LogCaptureFixture, path: str, ask: Ask
) -> None:
    caplog.set_level(logging.DEBUG)

    outcome = outcome_or_answer(lambda: ask(server.url(path)))

    told = caplog.text + ("".join(traceback.format_exception(outcome)) if isinstance(outcome, Exception) else "")
    assert "a-token-of-the-author" not in told
    assert "What the author wrote" not in told


def outcome_or_answer(call: Callable[[], HttpAnswer]) -> Any:
    try:
        return call()
    except TransportError as error:
        return error
