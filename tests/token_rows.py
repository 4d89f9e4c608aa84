"""Makes the tokens of tests/jwt_decisions.json, and the settings that they meet."""

import base64
import functools
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DECISIONS = json.loads((Path(__file__).parent / "jwt_decisions.json").read_text())
ROWS: list[dict[str, Any]] = [*DECISIONS["tokens"], *DECISIONS["authorization_headers"]]
NAMESPACE = "https://hasura.io/jwt/claims"
CLAIMS = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user", "x-hasura-user-id": "alice"}
_MISSING = object()
_LONG_KEY = "a-key-of-at-least-sixty-four-bytes-for-tests-so-that-HS512-takes-it"
_KEYS_OF_TYPES = {
    **{f"RS{size}": "rsa" for size in (256, 384, 512)},
    "ES256": "ec256",
    "ES384": "ec384",
    "ES512": "ec512",
    "Ed25519": "ed25519",
}
_ALGORITHMS = {
    "rsa": "RS256",
    "another_rsa": "RS256",
    "ec256": "ES256",
    "ec384": "ES384",
    "ec512": "ES512",
    "ed25519": "EdDSA",
}


@dataclass(frozen=True)
class SentToken:
    """What a row of the table sends, and the HASURA_GRAPHQL_JWT_SECRET that decides about it."""

    jwt_secret: str
    header_name: str
    header_value: str


def sent(row: Mapping[str, Any], issuer: str) -> SentToken:
    """The token of a row, made now. `issuer` is the address that `published_keys` gives."""
    return SentToken(
        json.dumps({**_setting(row, issuer), **row.get("config", {})}),
        row.get("sent_in", "Authorization"),
        authorization(row, _hmac_key(row)),
    )


def authorization(row: Mapping[str, Any], hmac_key: str) -> str:
    """The Authorization header of a row, whose token is signed with `hmac_key` unless it names another key."""
    return _written(row.get("written", "Bearer {token}"), _token(row, hmac_key))


def meets_any_setting(row: Mapping[str, Any]) -> bool:
    """Whether the decision about a row is the same under every setting that is a key for HS256 and no more."""
    return not row.keys() & {"secret", "config", "published", "sent_in"}


@contextmanager
def published_keys() -> Iterator[str]:
    """An issuer whose keys are at its address and the number of a row."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            published = ROWS[int(self.path.strip("/"))]["published"]
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [{**as_jwk(key), "kid": kid} for key, kid in published]}).encode())

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _setting(row: Mapping[str, Any], issuer: str) -> dict[str, Any]:
    if "published" in row:
        return {"jwk_url": f"{issuer}/{ROWS.index(dict(row))}"}
    kind = row.get("secret", "HS256")
    if kind.startswith("HS"):
        return {"type": kind, "key": _hmac_key(row)}
    return {"type": kind, "key": _public(_KEYS_OF_TYPES[kind], row.get("key_as", "pem"))}


def _hmac_key(row: Mapping[str, Any]) -> str:
    is_long = row.get("hmac_key") == "long" or row.get("secret") in ("HS384", "HS512")
    return _LONG_KEY if is_long else DECISIONS["key"]


def _token(row: Mapping[str, Any], hmac_key: str) -> str:
    alg, sign = _signer(row, hmac_key)
    header = {**({} if alg is _MISSING else {"alg": alg}), **row.get("header", {})}
    if "embedded" in row:
        header["jwk"] = as_jwk(row["embedded"])
    if "embedded_certificate" in row:
        lines = _public(row["embedded_certificate"], "certificate").splitlines()
        header["x5c"] = ["".join(lines[1:-1])]
    signed = f"{_base64url(json.dumps(header).encode())}.{_base64url(_payload(row, hmac_key))}"
    return f"{signed}.{_base64url(sign(signed.encode()))}"


def _signer(row: Mapping[str, Any], hmac_key: str) -> tuple[Any, Any]:
    """What the header says of the algorithm, and the function that signs."""
    kind = row.get("secret", "HS256")
    signed = row.get("signed", _KEYS_OF_TYPES.get(kind, {"alg": kind}))
    if isinstance(signed, str):  # the name of a key
        alg = kind if kind.startswith("RS") else _ALGORITHMS[signed]
        return alg, functools.partial(_sign, alg, key(signed))
    alg = signed.get("alg", _MISSING)
    if "with_public" in signed:
        return alg, functools.partial(_hmac, alg, _public(signed["with_public"], "pem"))
    if "with_text" in signed:
        return alg, functools.partial(_hmac, alg, signed["with_text"])
    really = signed.get("really", alg)
    if str(really).startswith("HS"):
        return alg, functools.partial(_hmac, really, hmac_key)
    if str(really) in jwt.algorithms.get_default_algorithms() and really != "none":
        return alg, functools.partial(_sign, really, key(signed.get("with") or _KEYS_OF_TYPES[kind]))
    return alg, lambda _: b""


def _hmac(algorithm: str, secret: str, signed: bytes) -> bytes:
    """As an attacker does it: libraries refuse to take a public key, or none, for a shared secret."""
    return hmac.digest(secret.encode(), signed, f"sha{algorithm[2:]}")


def _sign(algorithm: str, private: Any, signed: bytes) -> bytes:
    signature: bytes = jwt.get_algorithm_by_name(algorithm).sign(signed, private)  # type: ignore[no-untyped-call]
    return signature


def _payload(row: Mapping[str, Any], hmac_key: str) -> bytes:
    if "repeated" in row:
        return b'{"a":' + b"[" * row["repeated"] + b"]" * row["repeated"] + b"}"
    if "nested" in row:
        return _token({}, hmac_key).encode()
    if "payload" in row:
        claims = json.dumps({NAMESPACE: CLAIMS})[1:-1]
        text: str = row["payload"].replace("%CLAIMS%", claims)
        return text.encode(row.get("encoding", "utf-8"))
    claims_of_row = {"sub": "alice", "exp": time.time() + 3600, NAMESPACE: CLAIMS, **_with_times(row.get("claims", {}))}
    return json.dumps(claims_of_row).encode()


def _with_times(value: Any) -> Any:
    """The claims of the table, with each `seconds_from_now` as the time that it is."""
    match value:
        case {"seconds_from_now": seconds, **written}:
            at = time.time() + seconds
            return str(int(at)) if written.get("as_string") else at
        case dict():
            return {name: _with_times(one) for name, one in value.items()}
        case list():
            return [_with_times(one) for one in value]
        case _:
            return value


def _written(template: str, token: str) -> str:
    header, payload, signature = token.split(".")
    return template.format(token=token, header=header, payload=payload, signature=signature)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@functools.cache
def key(name: str) -> Any:
    """The private key of that name, made once per process."""
    match name:
        case "rsa" | "another_rsa":
            return rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case _:
            return ec.generate_private_key(
                {"ec256": ec.SECP256R1(), "ec384": ec.SECP384R1(), "ec512": ec.SECP521R1()}[name]
            )


def as_jwk(name: str) -> dict[str, Any]:
    """The public half of that key, as an issuer publishes it."""
    algorithm: Any = jwt.get_algorithm_by_name(_ALGORITHMS[name])
    published: dict[str, Any] = algorithm.to_jwk(key(name).public_key(), as_dict=True)
    return published


@functools.cache
def _public(name: str, form: str) -> str:
    """The public half of that key, as HASURA_GRAPHQL_JWT_SECRET holds it."""
    if form == "certificate":
        return _certificate(name)
    as_format = PublicFormat.PKCS1 if form == "pkcs1" else PublicFormat.SubjectPublicKeyInfo
    pem: bytes = key(name).public_key().public_bytes(Encoding.PEM, as_format)
    return pem.decode()


def _certificate(name: str) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp")])
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder(
        subject, subject, key(name).public_key(), x509.random_serial_number(), now - day, now + day
    )
    return builder.sign(key(name), hashes.SHA256()).public_bytes(Encoding.PEM).decode()
