"""Authors' tokens, the keys that verify them, and the keys that an issuer publishes.

What is accepted is what Hasura accepts: its docs, JWT configuration; row by row in test_auth.py.
"""

import base64
import contextlib
import datetime
import hashlib
import hmac
import json
import math
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_until

from shared.errors import KeysUnavailable, Unauthorized
from shared.http import jwt_tokens
from shared.http.jwt_tokens import ALGORITHMS, PublishedKeys, read_jwt_secret, verify
from shared.limits import KEYS_BYTES, KEYS_COOLDOWN, KEYS_LIFETIME, KEYS_WAITING, MOST_KEYS

SECRET = "a-secret-of-at-least-64-bytes-so-that-it-is-long-enough-for-HS512"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ANOTHER_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC_384_KEY = ec.generate_private_key(ec.SECP384R1())
ED_KEY = ed25519.Ed25519PrivateKey.generate()
SHORT_RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


def pem(key: PrivateKey) -> str:
    """The public half, as HASURA_GRAPHQL_JWT_SECRET holds it."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def private_pem(key: PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    now = datetime.datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=1)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def as_jwk(key: PrivateKey, kid: str) -> dict[str, Any]:
    """The public half, as an issuer publishes it."""
    public: Any = key.public_key()
    algorithms = jwt.algorithms
    if isinstance(key, rsa.RSAPrivateKey):
        published = algorithms.RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        published = algorithms.ECAlgorithm.to_jwk(public, as_dict=True)
    else:
        published = algorithms.OKPAlgorithm.to_jwk(public, as_dict=True)
    return {**published, "kid": kid, "use": "sig"}


def in_seconds(seconds: int) -> datetime.datetime:
    return datetime.datetime.now(UTC) + timedelta(seconds=seconds)


def token(key: Any = SECRET, algorithm: str = "HS256", kid: str | None = None, **claims: Any) -> str:
    """A token that is valid for five minutes unless `claims` say otherwise; None leaves a claim out."""
    all_claims = {"sub": "alice", "exp": in_seconds(86_400), **claims}
    payload = {name: value for name, value in all_claims.items() if value is not None}
    return jwt.encode(payload, key, algorithm, headers={"kid": kid} if kid else None)


def accept(its_token: str, **config: Any) -> None:
    """Verifies under HASURA_GRAPHQL_JWT_SECRET = `config`, by default the HMAC secret; raises when it is refused."""
    if not {"key", "jwk_url"} & config.keys():
        config |= {"type": "HS256", "key": SECRET}
    verify(its_token, read_jwt_secret(json.dumps(config)))


def refusal_of(its_token: str, **config: Any) -> str:
    with pytest.raises(Unauthorized) as caught:
        accept(its_token, **config)
    return caught.value.detail


SIGNING: list[Any] = [
    pytest.param("HS256", "HS256", SECRET, SECRET, id="HS256"),
    pytest.param("HS384", "HS384", SECRET, SECRET, id="HS384"),
    pytest.param("HS512", "HS512", SECRET, SECRET, id="HS512"),
    pytest.param("RS256", "RS256", RSA_KEY, pem(RSA_KEY), id="RS256"),
    pytest.param("RS384", "RS384", RSA_KEY, pem(RSA_KEY), id="RS384"),
    pytest.param("RS512", "RS512", RSA_KEY, pem(RSA_KEY), id="RS512"),
    pytest.param("RS256", "RS256", RSA_KEY, certificate(RSA_KEY), id="RS256-certificate"),
    pytest.param("ES256", "ES256", EC_KEY, pem(EC_KEY), id="ES256"),
    pytest.param("Ed25519", "EdDSA", ED_KEY, pem(ED_KEY), id="Ed25519"),
]


class TestAToken:
    @pytest.mark.parametrize(("kind", "algorithm", "private", "public"), SIGNING)
    def test_a_token_is_accepted_when_its_signature_is_right(
        self, kind: str, algorithm: str, private: Any, public: str
    ) -> None:
        signed = token(private, algorithm)

        accept(signed, type=kind, key=public)

    @pytest.mark.parametrize(("kind", "algorithm", "private", "public"), SIGNING)
    def test_a_token_is_refused_when_its_claims_were_changed(
        self, kind: str, algorithm: str, private: Any, public: str
    ) -> None:
        header, _, signature = token(private, algorithm).split(".")
        _, bobs_claims, _ = token(private, algorithm, sub="bob").split(".")

        assert refusal_of(f"{header}.{bobs_claims}.{signature}", type=kind, key=public) == (
            "The token's signature is wrong. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET."
        )

    @pytest.mark.parametrize(
        ("private", "algorithm", "config"),
        [
            pytest.param(SECRET[::-1], "HS256", {"type": "HS256", "key": SECRET}, id="HS256"),
            pytest.param(ANOTHER_RSA_KEY, "RS256", {"type": "RS256", "key": pem(RSA_KEY)}, id="RS256"),
        ],
    )
    def test_a_token_signed_with_another_key_is_refused(
        self, private: Any, algorithm: str, config: dict[str, str]
    ) -> None:
        assert (
            refusal_of(token(private, algorithm), **config)
            == "The token's signature is wrong. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET."
        )

    @pytest.mark.parametrize(
        ("signed", "config"),
        [
            pytest.param(token("", "none"), {"type": "HS256", "key": SECRET}, id="none"),
            pytest.param(token("", "none"), {"type": "RS256", "key": pem(RSA_KEY)}, id="none-for-RS256"),
            pytest.param(token(SECRET, "HS512"), {"type": "HS256", "key": SECRET}, id="HS512-for-HS256"),
            pytest.param(token(RSA_KEY, "RS512"), {"type": "RS256", "key": pem(RSA_KEY)}, id="RS512-for-RS256"),
            pytest.param(token(RSA_KEY, "PS256"), {"type": "RS256", "key": pem(RSA_KEY)}, id="PS256-for-RS256"),
        ],
    )
    def test_a_token_signed_with_another_algorithm_is_refused(self, signed: str, config: dict[str, str]) -> None:
        assert refusal_of(signed, **config) == (
            "The token is signed with an algorithm that is not accepted here. Check HASURA_GRAPHQL_JWT_SECRET."
        )

    @pytest.mark.parametrize(
        ("kind", "key"),
        [("RS256", pem(RSA_KEY)), ("ES256", pem(EC_KEY)), ("Ed25519", pem(ED_KEY))],
        ids=["RS256", "ES256", "Ed25519"],
    )
    def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(self, kind: str, key: str) -> None:
        forged = signed_by_hand({"alg": "HS256", "typ": "JWT"}, key.encode())

        assert "algorithm that is not accepted here" in refusal_of(forged, type=kind, key=key)

    @pytest.mark.parametrize(
        "nonsense",
        ["x", "a.b", "a.b.c", "a.b.c.d", "..", "é.é.é", "{}", token().replace(".", "")],
        ids=["word", "two-parts", "three-parts", "four-parts", "dots", "not-ascii", "json", "no-dots"],
    )
    def test_a_text_that_is_no_token_is_refused(self, nonsense: str) -> None:
        assert refusal_of(nonsense) == "The token cannot be read. Sign in again."

    def test_a_token_that_is_no_unicode_text_is_refused(self) -> None:
        assert (
            refusal_of("\udce9") == "The token cannot be read. Sign in again."
        )  # as servers keep a byte that is not UTF-8

    def test_a_token_is_never_part_of_its_refusal(self) -> None:
        signed = token(SECRET[::-1])

        with pytest.raises(Unauthorized) as caught:
            accept(signed)

        assert signed not in "".join(traceback.format_exception(caught.value))
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def signed_by_hand(header: dict[str, str], secret: bytes) -> str:
    """A token as an attacker makes it: libraries refuse to take a public key for a shared secret."""
    parts = [header, {"sub": "mallory", "exp": int(in_seconds(86_400).timestamp())}]
    signed = b".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return (signed + b"." + _base64url(hmac.digest(secret, signed, hashlib.sha256))).decode()


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


class TestNumbers:
    @pytest.mark.parametrize("never", ["NaN", "Infinity"])
    def test_a_number_that_json_does_not_know_is_no_end_of_a_token(self, never: str) -> None:
        signed = jwt.api_jws.encode(f'{{"exp": {never}}}'.encode(), SECRET, "HS256")

        assert refusal_of(signed) == "The token cannot be read. Sign in again."

    def test_a_time_may_have_any_number_of_digits(self) -> None:
        accept(jwt.api_jws.encode(b'{"exp": 1' + b"0" * 400 + b"}", SECRET, "HS256"), allowed_skew=0.5)


class TestTheClaims:
    @pytest.mark.parametrize(
        ("claims", "config"),
        [
            pytest.param({}, {}, id="no-condition"),
            pytest.param({"exp": None}, {}, id="no-end"),
            pytest.param({"aud": "app", "iss": "idp"}, {}, id="audience-and-issuer-without-condition"),
            pytest.param({"aud": "app"}, {"audience": "app"}, id="audience"),
            pytest.param({"aud": "app"}, {"audience": ["app", "admin"]}, id="one-of-several-audiences"),
            pytest.param({"aud": ["other", "app"]}, {"audience": "app"}, id="one-of-its-audiences"),
            pytest.param({"aud": ["other", "app"]}, {"audience": ["app", "admin"]}, id="audiences-overlap"),
            pytest.param({"iss": "idp"}, {"issuer": "idp"}, id="issuer"),
            pytest.param({"iss": None}, {"issuer": "idp"}, id="no-issuer"),
            pytest.param({"nbf": in_seconds(-60), "iat": in_seconds(-60)}, {}, id="begun"),
        ],
    )
    def test_claims_that_fit_are_accepted(self, claims: dict[str, Any], config: dict[str, Any]) -> None:
        signed = token(**claims)

        accept(signed, **config)

    @pytest.mark.parametrize(
        ("claims", "config", "words"),
        [
            pytest.param({"exp": in_seconds(-60)}, {}, "The token has expired. Sign in again.", id="expired"),
            pytest.param({"nbf": in_seconds(86_400)}, {}, "The token is not valid yet.", id="not-yet-valid"),
            pytest.param(
                {"aud": "x"},
                {"audience": "app"},
                "The token is for another audience. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET.",
                id="audience",
            ),
            pytest.param(
                {"aud": ["x", "y"]},
                {"audience": ["app", "admin"]},
                "The token is for another audience. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET.",
                id="audiences",
            ),
            pytest.param({"iat": in_seconds(86_400)}, {}, "The token was issued in the future.", id="issued-later"),
            pytest.param({"exp": "1"}, {}, "The token's claim exp must be a number.", id="end-is-a-string"),
            pytest.param({"sub": 7}, {}, "The token's claim sub must be a string", id="subject-is-a-number"),
            pytest.param({"aud": [7]}, {}, "The token's claim aud must be a string or a list", id="audience"),
            pytest.param(
                {"iss": "x"},
                {"issuer": "idp"},
                "The token is from another issuer. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET.",
                id="issuer",
            ),
        ],
    )
    def test_claims_that_do_not_fit_are_refused_with_the_reason(
        self, claims: dict[str, Any], config: dict[str, Any], words: str
    ) -> None:
        assert refusal_of(token(**claims), **config).startswith(words)

    def test_times_in_claims_may_be_off_by_the_allowed_skew(self) -> None:
        late, early = token(exp=in_seconds(-60)), token(nbf=in_seconds(60))

        accept(late, allowed_skew=120)
        accept(early, allowed_skew=120)
        assert "expired" in refusal_of(late, allowed_skew=10)
        assert "not valid yet" in refusal_of(early, allowed_skew=10)


def refused_setting(jwt_secret: str) -> str:
    """The message about a HASURA_GRAPHQL_JWT_SECRET that no token can be verified with."""
    with pytest.raises(ValueError, match=r"^cannot be used: ") as caught:
        read_jwt_secret(jwt_secret)
    return str(caught.value)


def refused_key(kind: str, key: Any) -> str:
    message = refused_setting(json.dumps({"type": kind, "key": key}))
    assert str(key) not in message or key == ""
    return message


class TestTheJwtSecret:
    @pytest.mark.parametrize(
        "jwt_secret",
        [
            pytest.param("a-plain-secret", id="no-json"),
            pytest.param("", id="empty"),
            pytest.param("[]", id="list"),
            pytest.param("null", id="null"),
            pytest.param("[" * 20_000, id="deep-nesting"),
            pytest.param("{}", id="neither-key-nor-address"),
            pytest.param('{"type": "HS256"}', id="no-key"),
            pytest.param(json.dumps({"key": SECRET}), id="no-type"),
            pytest.param(json.dumps({"type": "HS256", "key": SECRET, "jwk_url": "https://idp.test"}), id="both"),
            pytest.param('{"jwk_url": 7}', id="address-is-a-number"),
            pytest.param('{"jwk_url": "file:///etc/hosts"}', id="address-is-a-file"),
            pytest.param('{"jwk_url": "https://"}', id="address-without-host"),
            pytest.param('{"jwk_url": "https://idp.test:port/keys"}', id="address-with-a-word-for-a-port"),
            pytest.param('{"jwk_url": "https://idp.test:99999/keys"}', id="address-with-a-port-too-large"),
            pytest.param('{"jwk_url": "http://[::1/keys"}', id="address-with-half-a-bracket"),
            pytest.param('{"jwk_url": "http://127.0.0.1:80@idp.test/keys"}', id="address-with-a-user"),
            pytest.param('{"jwk_url": "https://@idp.test/keys"}', id="address-with-an-empty-user"),
            pytest.param('{"jwk_url": "http://127.0.0.1\\\\.idp.test/keys"}', id="address-with-a-backslash"),
            pytest.param('{"jwk_url": "https://idp.test/\\nkeys"}', id="address-with-a-line-end"),
            pytest.param('{"jwk_url": "https://<tenant>/keys"}', id="address-with-a-placeholder"),
        ],
    )
    def test_a_jwt_secret_without_a_usable_key_or_address_is_refused(self, jwt_secret: str) -> None:
        refused_setting(jwt_secret)

    @pytest.mark.parametrize("kind", ["HS1", "hs256", "none", "PS256", "EdDSA", ["HS256"], None], ids=str)
    def test_a_jwt_secret_with_a_type_that_hasura_does_not_know_is_refused(self, kind: Any) -> None:
        assert "needs a type" in refused_key(kind, SECRET)

    @pytest.mark.parametrize(
        ("kind", "key"),
        [
            pytest.param("HS256", "", id="HS256-empty"),
            pytest.param("HS256", "\ud800" * 32, id="HS256-no-unicode"),
            pytest.param("HS256", pem(RSA_KEY), id="HS256-public-key"),
            pytest.param("HS256", private_pem(RSA_KEY), id="HS256-private-key"),
            pytest.param("HS256", certificate(RSA_KEY), id="HS256-certificate"),
            pytest.param("HS256", json.dumps({"kty": "oct", "k": "c2VjcmV0" * 8}), id="HS256-jwk"),
            pytest.param("RS256", "no key", id="RS256-words"),
            pytest.param("RS256", SECRET, id="RS256-shared-secret"),
            pytest.param("RS256", "-----BEGIN CERTIFICATE-----\nx", id="RS256-half-a-certificate"),
            pytest.param("RS256", pem(RSA_KEY).replace("M", "?"), id="RS256-damaged"),
            pytest.param("RS256", pem(RSA_KEY)[:200] + "\n-----END PUBLIC KEY-----", id="RS256-cut-off"),
            pytest.param("RS256", "key: " + pem(RSA_KEY), id="RS256-words-in-front"),
            pytest.param("RS256", pem(RSA_KEY) + pem(ANOTHER_RSA_KEY), id="RS256-two-keys"),
            pytest.param("RS256", pem(EC_KEY), id="RS256-EC-key"),
            pytest.param("RS256", certificate(EC_KEY), id="RS256-EC-certificate"),
            pytest.param("ES256", pem(RSA_KEY), id="ES256-RSA-key"),
            pytest.param("ES256", certificate(RSA_KEY), id="ES256-RSA-certificate"),
            pytest.param("ES256", pem(EC_384_KEY), id="ES256-another-curve"),
            pytest.param("Ed25519", pem(RSA_KEY), id="Ed25519-RSA-key"),
            pytest.param("Ed25519", pem(ed448.Ed448PrivateKey.generate()), id="Ed25519-Ed448-key"),
            pytest.param("RS256", json.dumps(as_jwk(RSA_KEY, "this")), id="RS256-jwk"),
            pytest.param("Ed25519", json.dumps(as_jwk(ED_KEY, "this")), id="Ed25519-jwk"),
        ],
    )
    def test_a_jwt_secret_with_a_key_of_another_kind_is_refused(self, kind: str, key: str) -> None:
        assert f"its key is none for {kind}" in refused_key(kind, key)

    @pytest.mark.parametrize("key", [7, ["k"], {"kty": "oct"}, True], ids=str)
    def test_a_jwt_secret_with_a_key_that_is_no_string_is_refused(self, key: Any) -> None:
        assert "its key must be a string" in refused_key("HS256", key)

    @pytest.mark.parametrize(
        ("kind", "key"), [("RS256", RSA_KEY), ("ES256", EC_KEY), ("Ed25519", ED_KEY)], ids=["RS256", "ES256", "Ed25519"]
    )
    def test_a_jwt_secret_with_a_private_key_is_refused(self, kind: str, key: PrivateKey) -> None:
        assert "its key is a private key; give the public key" in refused_key(kind, private_pem(key))

    @pytest.mark.parametrize(
        ("kind", "key"),
        [
            pytest.param("HS256", "k" * 31, id="HS256"),
            pytest.param("HS384", "k" * 47, id="HS384"),
            pytest.param("HS512", "k" * 63, id="HS512"),
            pytest.param("RS256", pem(SHORT_RSA_KEY), id="RS256"),
            pytest.param("RS256", certificate(SHORT_RSA_KEY), id="RS256-certificate"),
        ],
    )
    def test_a_jwt_secret_with_a_key_that_is_too_short_is_refused(self, kind: str, key: str) -> None:
        assert f"its key is too short for {kind}" in refused_key(kind, key)

    @pytest.mark.parametrize(
        "config",
        [
            {"audience": 7},
            {"issuer": 7},
            {"allowed_skew": "1 m"},
            {"allowed_skew": True},
            {"allowed_skew": -1},
            {"allowed_skew": math.inf},
            {"allowed_skew": math.nan},
        ],
        ids=str,
    )
    def test_a_jwt_secret_with_claims_of_the_wrong_kind_is_refused(self, config: dict[str, Any]) -> None:
        message = refused_setting(json.dumps({"type": "HS256", "key": SECRET, **config}))

        assert SECRET not in message

    @given(st.sampled_from(list(ALGORITHMS)), st.text() | st.text().map(lambda text: text.join(pem(EC_KEY).split("M"))))
    def test_a_jwt_secret_verifies_or_is_refused_whatever_its_key_is(self, kind: str, key: str) -> None:
        with contextlib.suppress(ValueError, Unauthorized):
            verify(token(), read_jwt_secret(json.dumps({"type": kind, "key": key})))


class Issuer:
    """An identity provider on loopback that publishes keys at `jwk_url`."""

    def __init__(self) -> None:
        self.body = b'{"keys": []}'
        self.status = 200
        self.times_fetched = 0
        self._may_answer = threading.Event()
        self._may_answer.set()
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())
        self.jwk_url = f"http://127.0.0.1:{self._server.server_port}/keys"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def publish(self, **keys: PrivateKey) -> None:
        self.body = json.dumps({"keys": [as_jwk(key, kid) for kid, key in keys.items()]}).encode()

    @contextlib.contextmanager
    def holding_its_answers(self) -> Iterator[None]:
        """Whoever asks meanwhile is answered at the end."""
        self._may_answer.clear()
        try:
            yield
        finally:
            self._may_answer.set()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.times_fetched += 1
                issuer._may_answer.wait(60)  # less than the time in which the keys must come
                self.send_response(issuer.status)
                self.end_headers()
                self.wfile.write(issuer.body)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


class SettableClock:
    """Tells seconds; they pass when the test says so."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        return self._seconds

    def pass_time(self, time: timedelta) -> None:
        self._seconds += time.total_seconds() + 1


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def waiting_for_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no token stops waiting, and no fetch fails, because this machine is slow."""
    monkeypatch.setattr(jwt_tokens, "KEYS_WAIT", timedelta(minutes=2))
    monkeypatch.setattr(jwt_tokens, "KEYS_TIMEOUT", timedelta(minutes=2))


def raised_by(call: Callable[[], Any]) -> Exception | None:
    try:
        call()
    except Exception as error:
        return error
    return None


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    running = Issuer()
    yield running
    running.stop()


@pytest.mark.usefixtures("waiting_for_minutes")
class TestPublishedKeys:
    @pytest.mark.parametrize(
        ("key", "algorithm"),
        [(RSA_KEY, "RS256"), (RSA_KEY, "RS512"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")],
        ids=["RS256", "RS512", "ES256", "Ed25519"],
    )
    def test_published_keys_verify_tokens_that_were_signed_with_them(
        self, issuer: Issuer, key: PrivateKey, algorithm: str
    ) -> None:
        issuer.publish(another=ANOTHER_RSA_KEY, this=key)
        signed = token(key, algorithm, kid="this")

        accept(signed, jwk_url=issuer.jwk_url)

    def test_published_keys_are_fetched_once_for_many_tokens(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY)

        for _ in range(3):
            accept(token(RSA_KEY, "RS256", kid="this"), jwk_url=issuer.jwk_url)

        assert issuer.times_fetched == 1

    def test_published_keys_do_not_make_an_expired_token_good(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY)
        expired = token(RSA_KEY, "RS256", kid="this", exp=in_seconds(-60))

        assert "expired" in refusal_of(expired, jwk_url=issuer.jwk_url)

    def test_a_published_key_is_no_shared_secret(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY)
        forged = signed_by_hand({"alg": "HS256", "kid": "this"}, pem(RSA_KEY).encode())

        assert "algorithm that is not accepted here" in refusal_of(forged, jwk_url=issuer.jwk_url)

    def test_published_keys_do_not_accept_a_token_without_signature(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY)

        assert "algorithm that is not accepted" in refusal_of(token("", "none", kid="this"), jwk_url=issuer.jwk_url)
        assert issuer.times_fetched == 0

    def test_a_published_key_verifies_algorithms_of_its_own_type_alone(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY)

        refusal_of(token(EC_KEY, "ES256", kid="this"), jwk_url=issuer.jwk_url)

    def test_published_keys_without_the_one_of_the_token_refuse_it(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY, that=ANOTHER_RSA_KEY)

        assert refusal_of(token(RSA_KEY, "RS256", kid="unheard-of"), jwk_url=issuer.jwk_url) == (
            "The token is signed with a key that its issuer does not publish. Sign in again."
        )

    def test_any_published_key_verifies_a_token_that_names_none(self, issuer: Issuer) -> None:
        issuer.publish(this=ANOTHER_RSA_KEY, that=EC_KEY, the_right_one=RSA_KEY, last=ED_KEY)

        accept(token(RSA_KEY, "RS256"), jwk_url=issuer.jwk_url)

    def test_no_published_key_verifies_a_token_that_names_none_and_is_signed_with_another(self, issuer: Issuer) -> None:
        issuer.publish(this=ANOTHER_RSA_KEY)

        assert (
            refusal_of(token(RSA_KEY, "RS256"), jwk_url=issuer.jwk_url)
            == "The token's signature is wrong. Sign in again, or check HASURA_GRAPHQL_JWT_SECRET."
        )

    @pytest.mark.parametrize("nonsense", ["x", "a.b.c", "\udce9"])
    def test_published_keys_are_not_needed_to_refuse_what_is_no_token(self, issuer: Issuer, nonsense: str) -> None:
        assert refusal_of(nonsense, jwk_url=issuer.jwk_url) == "The token cannot be read. Sign in again."
        assert issuer.times_fetched == 0

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(500, b"", id="500"),
            pytest.param(404, b"Not Found", id="404"),
            pytest.param(302, b"", id="redirect"),
            pytest.param(200, b"", id="empty"),
            pytest.param(200, b"<html>", id="html"),
            pytest.param(200, b"\xff", id="not-utf-8"),
            pytest.param(200, b"[]", id="list"),
            pytest.param(200, b"{}", id="no-keys"),
            pytest.param(200, b'{"keys": []}', id="empty-keys"),
            pytest.param(200, b'{"keys": [{"kty": "?"}]}', id="unusable-keys"),
        ],
    )
    def test_published_keys_that_cannot_be_read_are_no_fault_of_the_token(
        self, issuer: Issuer, status: int, body: bytes
    ) -> None:
        issuer.status, issuer.body = status, body

        with pytest.raises(KeysUnavailable, match="keys that verify your token cannot be read"):
            accept(token(RSA_KEY, "RS256", kid="this"), jwk_url=issuer.jwk_url)

    @pytest.mark.parametrize(
        ("key", "algorithm"), [(RSA_KEY, "RS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")], ids=["RSA", "EC", "Ed25519"]
    )
    def test_published_keys_verify_even_when_their_private_halves_were_published(
        self, issuer: Issuer, key: Any, algorithm: str
    ) -> None:
        private = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
        issuer.body = json.dumps({"keys": [{**private, "kid": "this"}]}).encode()
        signed = token(key, algorithm, kid="this")

        accept(signed, jwk_url=issuer.jwk_url)

    def test_published_keys_whose_issuer_is_down_are_unavailable(self) -> None:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))  # and does not listen
            port = bound.getsockname()[1]

            with pytest.raises(KeysUnavailable, match="keys that verify your token cannot be read"):
                accept(token(RSA_KEY, "RS256", kid="this"), jwk_url=f"http://127.0.0.1:{port}/keys")

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(b'{"keys": [], "more": "' + b"x" * KEYS_BYTES + b'"}', id="bytes"),
            pytest.param(
                json.dumps({"keys": [as_jwk(EC_KEY, str(number)) for number in range(MOST_KEYS + 1)]}).encode(),
                id="keys",
            ),
        ],
    )
    def test_a_set_of_keys_that_is_larger_than_anybody_s_is_not_read(self, issuer: Issuer, body: bytes) -> None:
        issuer.body = body

        with pytest.raises(KeysUnavailable):
            PublishedKeys(issuer.jwk_url).keys_for(token(EC_KEY, "ES256"))

    def test_published_keys_are_fetched_again_when_a_token_names_a_new_one(
        self, issuer: Issuer, clock: SettableClock
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        issuer.publish(old=ANOTHER_RSA_KEY)
        keys.keys_for(token(ANOTHER_RSA_KEY, "RS256", kid="old"))
        issuer.publish(old=ANOTHER_RSA_KEY, new=RSA_KEY)
        clock.pass_time(KEYS_COOLDOWN)

        assert len(keys.keys_for(token(RSA_KEY, "RS256", kid="new"))) == 1

    def test_published_keys_are_fetched_once_in_a_cooldown_whatever_keys_tokens_invent(
        self, issuer: Issuer, clock: SettableClock
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        issuer.publish(this=RSA_KEY)

        for cooldown in range(1, 4):
            for number in range(5):
                with pytest.raises(jwt.PyJWKClientError):
                    keys.keys_for(token(RSA_KEY, "RS256", kid=f"made-up-{number}"))
            assert issuer.times_fetched == cooldown
            clock.pass_time(KEYS_COOLDOWN)

    def test_published_keys_that_cannot_be_fetched_again_are_no_fault_of_the_token(
        self, issuer: Issuer, clock: SettableClock
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        issuer.publish(old=ANOTHER_RSA_KEY)
        keys.keys_for(token(ANOTHER_RSA_KEY, "RS256", kid="old"))
        issuer.status = 500
        clock.pass_time(KEYS_COOLDOWN)

        for _ in range(3):
            with pytest.raises(KeysUnavailable):
                keys.keys_for(token(RSA_KEY, "RS256", kid="new"))
        assert issuer.times_fetched == 2

    def test_the_first_keys_are_fetched_again_after_their_issuer_was_down_but_not_for_each_token(
        self, issuer: Issuer, clock: SettableClock
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        signed = token(RSA_KEY, "RS256", kid="this")
        issuer.status = 503
        for _ in range(3):
            with pytest.raises(KeysUnavailable, match="keys that verify your token cannot be read"):
                keys.keys_for(signed)
        assert issuer.times_fetched == 1

        issuer.status = 200
        issuer.publish(this=RSA_KEY)
        clock.pass_time(KEYS_COOLDOWN)

        assert len(keys.keys_for(signed)) == 1
        assert issuer.times_fetched == 2

    def test_keys_are_fetched_after_the_cooldown_when_no_thread_could_be_started_for_them(
        self, issuer: Issuer, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_thread(_: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        keys, signed = PublishedKeys(issuer.jwk_url, clock), token(RSA_KEY, "RS256", kid="this")
        issuer.publish(this=RSA_KEY)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(KeysUnavailable):
                keys.keys_for(signed)

        clock.pass_time(KEYS_COOLDOWN)

        assert len(keys.keys_for(signed)) == 1

    def test_tokens_that_come_together_at_the_start_wait_for_one_fetch_of_the_keys(self, issuer: Issuer) -> None:
        issuer.publish(this=RSA_KEY)
        keys = PublishedKeys(issuer.jwk_url)
        signed = token(RSA_KEY, "RS256", kid="this")

        with ThreadPoolExecutor(KEYS_WAITING) as pool:
            with issuer.holding_its_answers():
                waiting = [pool.submit(keys.keys_for, signed) for _ in range(KEYS_WAITING)]
                wait_until(lambda: issuer.times_fetched, bool)
            found = [one.result() for one in waiting]

        assert [len(each) for each in found] == [1] * KEYS_WAITING
        assert issuer.times_fetched == 1

    def test_a_flood_of_tokens_with_unknown_keys_blocks_no_more_than_a_few_threads_while_the_issuer_is_slow(
        self, issuer: Issuer
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url)
        issuer.publish(this=RSA_KEY)
        signed = token(ANOTHER_RSA_KEY, "RS256", kid="made-up")

        with ThreadPoolExecutor(30) as pool, issuer.holding_its_answers():
            flood = [pool.submit(keys.keys_for, signed) for _ in range(30)]
            answered = wait_until(
                lambda: [one for one in flood if one.done()], lambda done: len(done) == 30 - KEYS_WAITING
            )

        assert {type(one.exception()) for one in answered} == {KeysUnavailable}
        assert issuer.times_fetched == 1

    def test_a_token_waits_for_the_first_keys_for_a_bounded_time(
        self, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(jwt_tokens, "KEYS_WAIT", timedelta())
        issuer.publish(this=RSA_KEY)
        keys = PublishedKeys(issuer.jwk_url)
        signed = token(RSA_KEY, "RS256", kid="this")

        with issuer.holding_its_answers(), pytest.raises(KeysUnavailable):
            keys.keys_for(signed)

        wait_until(lambda: raised_by(lambda: keys.keys_for(signed)), lambda error: error is None)
        assert issuer.times_fetched == 1

    def test_known_keys_are_used_at_once_while_they_are_fetched_again(
        self, issuer: Issuer, clock: SettableClock
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        issuer.publish(this=RSA_KEY)
        signed = token(RSA_KEY, "RS256", kid="this")
        known = keys.keys_for(signed)
        clock.pass_time(2 * KEYS_LIFETIME)

        with issuer.holding_its_answers():
            assert [keys.keys_for(signed) for _ in range(3)] == [known] * 3
            wait_until(lambda: issuer.times_fetched, lambda times: times == 2)

    def test_the_last_good_keys_stay_in_use_while_their_issuer_fails_and_the_next_token_s_thread_logs_it(
        self, issuer: Issuer, clock: SettableClock, caplog: pytest.LogCaptureFixture
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        issuer.publish(this=RSA_KEY)
        signed = token(RSA_KEY, "RS256", kid="this")
        known = keys.keys_for(signed)
        issuer.status = 503

        for times in range(2, 4):
            clock.pass_time(timedelta(days=30))
            caplog.clear()
            wait_until(lambda: (keys.keys_for(signed), caplog.text), lambda it: it == (known, it[1]) and it[1] != "")
            assert issuer.times_fetched == times

        [line] = caplog.records
        assert "the last good ones stay in use: their issuer answers 503" in line.getMessage()
        assert line.thread == threading.get_ident()

    def test_it_is_logged_when_there_are_no_keys_at_all(self, issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
        issuer.status = 503

        with pytest.raises(KeysUnavailable):
            PublishedKeys(issuer.jwk_url).keys_for(token(RSA_KEY, "RS256"))

        assert "no token can be verified: their issuer answers 503" in caplog.text

    def test_a_key_that_its_issuer_no_longer_publishes_is_forgotten_when_the_keys_are_old(
        self, issuer: Issuer, clock: SettableClock
    ) -> None:
        keys = PublishedKeys(issuer.jwk_url, clock)
        issuer.publish(this=RSA_KEY)
        signed = token(RSA_KEY, "RS256", kid="this")
        keys.keys_for(signed)
        issuer.publish(that=ANOTHER_RSA_KEY)
        clock.pass_time(2 * KEYS_LIFETIME)

        wait_until(
            lambda: raised_by(lambda: keys.keys_for(signed)), lambda error: isinstance(error, jwt.PyJWKClientError)
        )
