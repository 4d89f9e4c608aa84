"""Authentication at the local Hasura: the admin secret, JSON Web Tokens, and requests without either."""

import asyncio
import datetime
import json
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import make_mocked_request
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from local_hasura import (
    ADMIN_SECRET,
    JWT_KEY,
    HasuraServer,
    hasura_in_thread,
    new_database,
    write_project,
)
from token_rows import ROWS, published_keys, sent

from local.hasura.authentication import Authentication
from local.hasura.errors import HasuraError
from local.hasura.jwt_authentication import FetchedKeys
from local.hasura.session import Session

pytest_plugins = ["local_hasura_fixtures"]

NAMESPACE = "https://hasura.io/jwt/claims"
ROLES = {"x-hasura-allowed-roles": ["user", "editor"], "x-hasura-default-role": "user"}
ALICE = {**ROLES, "x-hasura-user-id": "alice"}
ALICE_AS_USER = Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "alice"})


def token(claims: Any = ALICE, key: Any = JWT_KEY, algorithm: str = "HS256", **payload: Any) -> str:
    """A token with Hasura's claims under the default namespace; without any if `claims` is None."""
    named = {} if claims is None else {NAMESPACE: claims}
    signed_bytes = json.dumps({**named, **payload}).encode()  # whatever it is; jwt.encode refuses some claims
    return jwt.PyJWS().encode(signed_bytes, key, algorithm=algorithm)


def bearer(given: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {given}"}


def without(claims: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in claims.items() if key != name}


@pytest.fixture(scope="module")
def hasura(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HasuraServer]:
    project = write_project(tmp_path_factory.mktemp("project"), [], [])
    with hasura_in_thread(new_database(cluster), project) as server:
        yield server


UNAUTHORIZED = [
    # request headers, status of the metadata API, code, message
    ({"x-hasura-admin-secret": "wrong"}, 401, "access-denied", 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"'),
    ({"x-hasura-access-key": "wrong"}, 401, "access-denied", 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"'),
    ({"x-hasura-admin-secret": ""}, 401, "access-denied", 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"'),
    (
        {"x-hasura-admin-secret": "wrong", **bearer(token())},  # the token is not even tried
        401,
        "access-denied",
        'invalid "x-hasura-admin-secret"/"x-hasura-access-key"',
    ),
    ({}, 400, "invalid-headers", "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"),
    ({"Authorization": token()}, 400, "invalid-headers", "Malformed Authorization header"),
    ({"Authorization": f"bearer {token()}"}, 400, "invalid-headers", "Malformed Authorization header"),
    ({"Authorization": "Bearer "}, 400, "invalid-headers", "Malformed Authorization header"),
    ({"Authorization": "Basic YTpi"}, 400, "invalid-headers", "Malformed Authorization header"),
    (
        bearer("nonsense"),
        400,
        "invalid-jwt",
        "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 1)",
    ),
    (bearer(token(exp=time.time() - 1)), 400, "invalid-jwt", "Could not verify JWT: JWTExpired"),
    (bearer(token(nbf=time.time() + 86_400)), 400, "invalid-jwt", "Could not verify JWT: JWTNotYetValid"),
    (bearer(token(key="another key of at least 32 chars!")), 400, "invalid-jwt",
     "Could not verify JWT: JWSError JWSInvalidSignature"),
    (bearer(token(key="", algorithm="none")), 400, "invalid-jwt",
     "Could not verify JWT: JWSError JWSNoSignatures"),
    (bearer(token(None)), 400, "jwt-invalid-claims", "claims key: 'https://hasura.io/jwt/claims' not found"),
    (
        bearer(token(without(ALICE, "x-hasura-allowed-roles"))),
        400,
        "jwt-missing-role-claims",
        "JWT claim does not contain x-hasura-allowed-roles",
    ),
    (
        bearer(token(without(ALICE, "x-hasura-default-role"))),
        400,
        "jwt-missing-role-claims",
        "JWT claim does not contain x-hasura-default-role",
    ),
    (
        bearer(token({**ALICE, "x-hasura-allowed-roles": "user"})),
        400,
        "jwt-invalid-claims",
        "invalid x-hasura-allowed-roles; should be a list of roles: "
        "parsing [] failed, expected Array, but encountered String",
    ),
    (
        bearer(token({**ALICE, "x-hasura-user-id": 7})),
        400,
        "jwt-invalid-claims",
        "x-hasura-* claims: parsing Text failed, expected String, but encountered Number",
    ),
    (
        {**bearer(token()), "x-hasura-role": "admin"},
        400,
        "access-denied",
        "Your requested role is not in allowed roles",
    ),
]  # fmt: skip


class TestUnauthorizedRequests:
    @pytest.mark.parametrize(("headers", "status", "code", "message"), UNAUTHORIZED)
    @pytest.mark.parametrize("path", ["/v1/query", "/v1/metadata", "/v2/query"])
    def test_the_metadata_api_answers_with_a_status(
        self, hasura: HasuraServer, path: str, headers: dict[str, str], status: int, code: str, message: str
    ) -> None:
        response = hasura.post(path, {"type": "create_scheduled_event", "args": {}}, **headers)

        assert response.status_code == status
        assert response.json() == {"path": "$", "error": message, "code": code}

    @pytest.mark.parametrize(("headers", "status", "code", "message"), UNAUTHORIZED)
    def test_graphql_answers_200_with_the_same_message(
        self, hasura: HasuraServer, headers: dict[str, str], status: int, code: str, message: str
    ) -> None:
        response = hasura.post("/v1/graphql", {"query": "{ __typename }"}, **headers)

        assert response.status_code == 200
        assert response.json() == {"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]}
        assert "x-request-id" not in response.headers

    @pytest.mark.parametrize(
        "headers", [bearer(token()), {"x-hasura-admin-secret": ADMIN_SECRET, "x-hasura-role": "user"}]
    )
    @pytest.mark.parametrize("path", ["/v1/query", "/v1/metadata"])
    def test_a_user_may_not_change_metadata(self, hasura: HasuraServer, path: str, headers: dict[str, str]) -> None:
        event = {"webhook": "http://127.0.0.1:1/", "schedule_at": "2099-01-01T00:00:00Z"}

        response = hasura.post(path, {"type": "create_scheduled_event", "args": event}, **headers)

        assert response.status_code == 400
        assert response.json() == {"path": "$.args", "error": "restricted access : admin only", "code": "access-denied"}

    @pytest.mark.parametrize("header", ["x-hasura-admin-secret", "X-Hasura-Admin-Secret", "x-hasura-access-key"])
    def test_the_right_secret_is_accepted(self, hasura: HasuraServer, header: str) -> None:
        response = hasura.post("/v1/metadata", {"type": "get_cron_triggers", "args": {}}, **{header: ADMIN_SECRET})

        assert response.status_code == 200

    def test_the_log_contains_no_token(self, hasura: HasuraServer, caplog: pytest.LogCaptureFixture) -> None:
        given = token(key="another key of at least 32 chars!")

        hasura.post("/v1/graphql", {"query": "{ __typename }"}, **bearer(given))

        assert given not in caplog.text


def authentication(jwt_secret: Mapping[str, Any] | None = None, **environment: str) -> Authentication:
    settings = {"HASURA_GRAPHQL_ADMIN_SECRET": ADMIN_SECRET, **environment}
    if jwt_secret is not None:
        settings["HASURA_GRAPHQL_JWT_SECRET"] = json.dumps(jwt_secret)
    return Authentication.from_environment(settings)


def session(by: Authentication, headers: Mapping[str, str]) -> Session:
    request = make_mocked_request("POST", "/v1/graphql", headers=headers)
    return asyncio.run(by.session(request.headers, request.cookies))


def refusal(by: Authentication, headers: Mapping[str, str]) -> tuple[str, str]:
    with pytest.raises(HasuraError) as refused:
        session(by, headers)
    return refused.value.code, refused.value.message


HS256 = {"type": "HS256", "key": JWT_KEY}


class TestSessions:
    def test_the_session_variables_of_the_admin_come_from_headers_without_the_secret(self) -> None:
        headers = {
            "x-hasura-admin-secret": ADMIN_SECRET,
            "X-Hasura-Role": "user",
            "X-Hasura-User-Id": "7",
            "x-other": "-",
        }

        assert session(authentication(), headers) == Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "7"})

    def test_without_a_role_the_admin_is_admin(self) -> None:
        found = session(authentication(HS256), {"x-hasura-admin-secret": ADMIN_SECRET})

        assert found == Session("admin", {"x-hasura-role": "admin"})

    def test_a_token_alone_makes_the_session_variables(self) -> None:
        headers = {
            **bearer(token({**ALICE, "X-Hasura-Org": "o"})),
            "x-hasura-user-id": "mallory",
            "x-hasura-extra": "x",
        }

        found = session(authentication(HS256), headers)

        assert found == Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "alice", "x-hasura-org": "o"})

    def test_a_role_that_the_token_allows_can_be_requested(self) -> None:
        found = session(authentication(HS256), {**bearer(token()), "x-hasura-role": "editor"})

        assert found.role == found.variables["x-hasura-role"] == "editor"

    def test_without_any_secret_everybody_is_admin(self) -> None:
        assert session(Authentication(None), {}).role == "admin"

    def test_without_jwt_mode_the_secret_is_required(self) -> None:
        code, message = refusal(authentication(), bearer(token()))

        assert (code, "required, but not found" in message) == ("access-denied", True)

    def test_a_request_without_a_token_has_the_unauthorized_role(self) -> None:
        by = authentication(HS256, HASURA_GRAPHQL_UNAUTHORIZED_ROLE="anonymous")

        assert session(by, {}).role == "anonymous"
        assert session(by, bearer(token())) == ALICE_AS_USER
        assert refusal(by, bearer("nonsense"))[0] == "invalid-jwt"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with published_keys() as url:
        yield url


class TestDecisionsOfHasura:
    """The table that the functions are held to as well."""

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
    def test_a_token_is_decided_on_as_hasura_does(self, row: dict[str, Any], issuer: str) -> None:
        given = sent(row, issuer)
        by = authentication(json.loads(given.jwt_secret))
        headers = {given.header_name: given.header_value}

        if row["accepted"]:
            assert session(by, headers) == ALICE_AS_USER
        else:
            code, message = refusal(by, headers)
            assert code == row["code"]
            assert message.startswith(row["message"])


class TestTheJwtSetting:
    def test_claims_are_read_from_a_configured_namespace(self) -> None:
        by = authentication({**HS256, "claims_namespace": "mine"})

        assert session(by, bearer(token(None, mine=ALICE))) == ALICE_AS_USER
        assert refusal(by, bearer(token())) == ("jwt-invalid-claims", "claims key: 'mine' not found")

    @pytest.mark.parametrize(
        ("path", "payload"),
        [
            ("$.hasura.claims", {"hasura": {"claims": ALICE}}),
            ("$", ALICE),
            ("$.list[1]['the claims']", {"list": [0, {"the claims": ALICE}]}),
        ],
    )
    def test_claims_are_read_from_a_configured_path(self, path: str, payload: dict[str, Any]) -> None:
        by = authentication({**HS256, "claims_namespace_path": path})

        assert session(by, bearer(token(None, **payload))) == ALICE_AS_USER
        assert refusal(by, bearer(token(None)))[0] in ("jwt-invalid-claims", "jwt-missing-role-claims")

    def test_claims_are_read_from_a_text(self) -> None:
        by = authentication({**HS256, "claims_format": "stringified_json"})

        assert session(by, bearer(token(json.dumps(ALICE)))) == ALICE_AS_USER
        assert refusal(by, bearer(token(ALICE)))[0] == "jwt-invalid-claims"
        assert refusal(by, bearer(token("{")))[0] == "jwt-invalid-claims"

    def test_claims_are_read_by_a_map_of_literals_paths_and_defaults(self) -> None:
        claims_map = {
            "x-hasura-allowed-roles": ["user", "editor"],
            "x-hasura-default-role": {"path": "$.role", "default": "user"},
            "X-Hasura-User-Id": {"path": "$.user.name"},
        }
        by = authentication({**HS256, "claims_map": claims_map})

        assert session(by, bearer(token(None, user={"name": "alice"}))) == ALICE_AS_USER
        assert session(by, bearer(token(None, user={"name": "alice"}, role="editor"))).role == "editor"

    @pytest.mark.parametrize(
        ("audience", "given", "accepted"),
        [
            ("app", {"aud": "app"}, True),
            ("app", {"aud": ["other", "app"]}, True),
            (["app", "site"], {"aud": "site"}, True),
            ("app", {}, True),
            ("app", {"aud": "other"}, False),
            (None, {"aud": "anything"}, True),
        ],
    )
    def test_a_token_for_another_audience_is_refused(
        self, audience: Any, given: dict[str, Any], accepted: bool
    ) -> None:
        by = authentication(HS256 | ({} if audience is None else {"audience": audience}))

        if accepted:
            assert session(by, bearer(token(**given))) == ALICE_AS_USER
        else:
            assert refusal(by, bearer(token(**given))) == ("invalid-jwt", "Could not verify JWT: JWTNotInAudience")

    def test_a_token_of_another_issuer_is_refused(self) -> None:
        by = authentication({**HS256, "issuer": "us"})

        assert session(by, bearer(token(iss="us"))) == session(by, bearer(token())) == ALICE_AS_USER
        assert refusal(by, bearer(token(iss="them"))) == ("invalid-jwt", "Could not verify JWT: JWTNotInIssuer")

    def test_an_expired_token_is_accepted_within_the_allowed_skew(self) -> None:
        expired = bearer(token(exp=time.time() - 5))

        assert session(authentication({**HS256, "allowed_skew": 60}), expired) == ALICE_AS_USER
        assert refusal(authentication({**HS256, "allowed_skew": 1}), expired)[1] == "Could not verify JWT: JWTExpired"

    def test_the_token_is_read_from_a_configured_cookie(self) -> None:
        by = authentication({**HS256, "header": {"type": "Cookie", "name": "login"}})

        assert session(by, {"Cookie": f"login={token()}"}) == ALICE_AS_USER
        assert refusal(by, bearer(token()))[0] == "invalid-headers"

    def test_a_public_key_verifies_but_does_not_sign(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        by = authentication({"type": "RS256", "key": pem.decode()})

        assert session(by, bearer(token(key=private, algorithm="RS256"))) == ALICE_AS_USER
        assert refusal(by, bearer(forged_with_the_public_key(pem)))[0] == "invalid-jwt"

    @pytest.mark.parametrize(
        ("kind", "algorithm", "private"),
        [
            ("ES256", "ES256", ec.generate_private_key(ec.SECP256R1())),
            ("Ed25519", "EdDSA", ed25519.Ed25519PrivateKey.generate()),
        ],
    )
    def test_a_token_signed_on_an_elliptic_curve_is_verified(self, kind: str, algorithm: str, private: Any) -> None:
        pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

        by = authentication({"type": kind, "key": pem.decode()})

        assert session(by, bearer(token(key=private, algorithm=algorithm))) == ALICE_AS_USER

    def test_a_token_is_verified_by_a_certificate(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)

        by = authentication({"type": "RS256", "key": certificate(private)})

        assert session(by, bearer(token(key=private, algorithm="RS256"))) == ALICE_AS_USER

    def test_keys_are_fetched_from_a_jwk_url(self) -> None:
        private, stranger = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        published = {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "one", "alg": "RS256"}
        with key_server({"keys": [published]}) as url:
            by = authentication({"jwk_url": url})

            assert session(by, bearer(signed(private, "one"))) == ALICE_AS_USER
            assert session(by, bearer(signed(private, None))) == ALICE_AS_USER
            assert session(by, bearer(signed(private, "two"))) == ALICE_AS_USER  # Hasura does not look at the name
            assert refusal(by, bearer(signed(stranger, "one")))[0] == "invalid-jwt"

    def test_the_last_keys_stay_in_use_while_the_jwk_url_does_not_answer(self) -> None:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        published = {**RSAAlgorithm.to_jwk(private.public_key(), as_dict=True), "kid": "one", "alg": "RS256"}
        with key_server({"keys": [published]}) as url:
            keys = FetchedKeys(url, seconds_kept=1e-9)
            before = asyncio.run(keys.all())

        after = asyncio.run(keys.all())

        assert [one.public_numbers() for one in after] == [one.public_numbers() for one in before]
        assert len(after) == 1

    @pytest.mark.parametrize(
        ("secret", "message"),
        [
            ("not json", "not JSON"),
            ("[]", "not a JSON object"),
            ("{}", "exactly one of key and jwk_url"),
            ('{"type": "HS256", "key": "hunter2"}', "at least 32 characters"),
            ('{"type": "HS256", "key": 7}', "key must be a string"),
            ('{"jwk_url": "file:///x"}', "jwk_url must be an http or https address"),
            ('{"type": "PS256", "key": "hunter2"}', "type must be one of"),
            ('{"key": "hunter2"}', "type must be one of"),
            ('{"type": "RS256", "key": "hunter2"}', "neither a PEM public key nor an X509 certificate"),
            ('{"type": "HS256", "key": "hunter2", "jwk_url": "http://x"}', "exactly one of key and jwk_url"),
            ('{"jwk_url": "http://x", "claims_namespace": "a", "claims_namespace_path": "$"}', "exclude each other"),
            ('{"jwk_url": "http://x", "claims_namespace_path": "a.b"}', "not a JSON path"),
            ('{"jwk_url": "http://x", "claims_map": {}}', "claims_map must have"),
            (
                '{"jwk_url": "http://x", "claims_map": {"x-hasura-allowed-roles": [], "x-hasura-default-role": {}}}',
                "a literal or have a path",
            ),
            ('{"jwk_url": "http://x", "claims_format": "yaml"}', "claims_format must be"),
            ('{"jwk_url": "http://x", "header": {"type": "Query"}}', "header must be"),
            ('{"jwk_url": "http://x", "allowed_skews": 1}', "unknown keys allowed_skews"),
        ],
    )
    def test_a_wrong_setting_is_refused_without_showing_the_key(self, secret: str, message: str) -> None:
        settings = {"HASURA_GRAPHQL_ADMIN_SECRET": ADMIN_SECRET, "HASURA_GRAPHQL_JWT_SECRET": secret}

        with pytest.raises(ValueError, match="HASURA_GRAPHQL_JWT_SECRET: ") as refused:
            Authentication.from_environment(settings)

        assert message in str(refused.value)
        assert "hunter2" not in str(refused.value)

    def test_jwt_mode_needs_an_admin_secret(self) -> None:
        with pytest.raises(ValueError, match="needs HASURA_GRAPHQL_ADMIN_SECRET"):
            authentication(HS256, HASURA_GRAPHQL_ADMIN_SECRET="")


def signed(private: Any, key_id: str | None) -> str:
    return jwt.encode({NAMESPACE: ALICE}, private, "RS256", headers={"kid": key_id} if key_id else None)


def forged_with_the_public_key(pem: bytes) -> str:
    """A token signed with HMAC, whose key is the public key's text: the classic confusion of algorithms."""
    import base64
    import hmac

    def part(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    head = part(b'{"alg":"HS256","typ":"JWT"}') + b"." + part(json.dumps({NAMESPACE: ALICE}).encode())
    return (head + b"." + part(hmac.digest(pem, head, "sha256"))).decode()


def certificate(private: rsa.RSAPrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number(), now, now)
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


class key_server:
    """Publishes a JSON document while the context is open."""

    def __init__(self, document: Any) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *args: Any) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
