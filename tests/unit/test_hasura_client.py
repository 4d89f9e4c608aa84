"""As whom Hasura is asked, and what its refusals and errors mean, for each call of ours."""

import re
import traceback
from typing import Any

import pytest
import requests
import responses
from answering_hasura import GRAPHQL, METADATA
from both_stores import BothStores
from calling import settings
from hasura_calls import (
    ADMIN_SECRET,
    AS_ADMIN,
    AS_AUTHOR,
    CALLS,
    DRAFT,
    GRAPHQL_CALLS,
    HTML,
    METADATA_CALLS,
    NOON,
    QUERY,
    TOKEN,
    answering,
    as_answer,
    body_of,
    refusal,
    url_of,
)

from shared.errors import (
    ConfigurationError,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    Problem,
    TooManyPosts,
    Unauthorized,
)


@pytest.fixture
def hasura() -> BothStores:
    return BothStores(settings())


def test_these_are_all_calls_that_the_stores_make() -> None:
    public = {name for name in dir(BothStores) if not name.startswith("_")}

    assert {name.split()[0] for name in CALLS} == public


class TestEveryRequest:
    @pytest.mark.parametrize("name", [*AS_ADMIN, *METADATA_CALLS])
    def test_that_no_author_makes_is_made_as_admin_without_a_token(
        self, hasura: BothStores, network: responses.RequestsMock, name: str
    ) -> None:
        answering(network, name)

        CALLS[name](hasura)

        headers = network.calls[0].request.headers
        assert headers["x-hasura-admin-secret"] == ADMIN_SECRET
        assert "Authorization" not in headers

    @pytest.mark.parametrize("name", AS_AUTHOR)
    def test_of_an_author_is_made_with_the_author_s_token_and_role_and_without_the_admin_secret(
        self, network: responses.RequestsMock, name: str
    ) -> None:
        answering(network, name)

        CALLS[name](BothStores(settings(HASURA_AUTHOR_ROLE="editor")))

        headers = network.calls[0].request.headers
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["X-Hasura-Role"] == "editor"
        assert [header for header in headers if header.lower().startswith("x-hasura")] == ["X-Hasura-Role"]
        assert ADMIN_SECRET not in str(headers)

    @pytest.mark.parametrize("name", CALLS)
    def test_is_sent_once_with_eight_seconds_in_all(
        self, hasura: BothStores, network: responses.RequestsMock, name: str
    ) -> None:
        answering(network, name)

        CALLS[name](hasura)

        [call] = network.calls
        assert vars(call.request)["req_kwargs"]["timeout"].total == 8.0

    @pytest.mark.parametrize("name", GRAPHQL_CALLS)
    def test_sends_exactly_the_variables_that_its_document_declares_and_uses(
        self, hasura: BothStores, network: responses.RequestsMock, name: str
    ) -> None:
        answering(network, name)

        CALLS[name](hasura)

        body = body_of(network.calls[0])
        head, _, selection = body["query"].strip().partition("{")
        assert set(re.findall(r"\$(\w+):", head)) == set(re.findall(r"\$(\w+)", selection)) == body["variables"].keys()


class TestTheMetadataApi:
    @pytest.mark.parametrize("name", METADATA_CALLS)
    def test_of_an_older_hasura_is_used_where_the_newer_one_is_absent(
        self, hasura: BothStores, network: responses.RequestsMock, name: str
    ) -> None:
        network.post(METADATA, status=404, body="404 Not Found")
        network.post(QUERY, json={"message": "success"})

        CALLS[name](hasura)

        first, second = (call.request for call in network.calls)
        assert first.body == second.body
        assert second.headers["x-hasura-admin-secret"] == ADMIN_SECRET

    def test_that_is_absent_in_both_forms_is_unavailable(
        self, hasura: BothStores, network: responses.RequestsMock
    ) -> None:
        network.post(METADATA, status=404)
        network.post(QUERY, status=404)

        with pytest.raises(HasuraUnavailable, match="404"):
            hasura.create_event(NOON, {"id": 7})

    @pytest.mark.parametrize(
        ("status", "code", "message"),
        [
            pytest.param(401, "access-denied", 'invalid "x-hasura-admin-secret"', id="wrong secret"),
            pytest.param(400, "access-denied", "restricted access : admin only", id="not admin"),
            pytest.param(400, "invalid-headers", "Missing 'Authorization' or 'Cookie' header", id="no secret"),
            pytest.param(400, "parse-failed", 'key "webhook" not found', id="parse failed"),
            pytest.param(400, "a-code-of-tomorrow", "a message", id="another code"),
        ],
    )
    def test_that_refuses_is_for_the_operator_to_mend(
        self, hasura: BothStores, network: responses.RequestsMock, status: int, code: str, message: str
    ) -> None:
        network.post(METADATA, status=status, json={"path": "$", "error": message, "code": code})

        with pytest.raises(ConfigurationError, match="Check HASURA_GRAPHQL_ADMIN_SECRET") as caught:
            hasura.create_event(NOON, {"id": 7})

        assert f"{message} ({code})" in str(caught.value)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(500, {"path": "$", "error": "database query error", "code": "unexpected"}, id="database"),
            pytest.param(500, {"path": "$", "error": "connection error", "code": "postgres-error"}, id="no database"),
            pytest.param(502, HTML, id="HTML of a proxy"),
            pytest.param(503, "", id="empty"),
            pytest.param(200, HTML, id="HTML as a success"),
            pytest.param(200, [], id="a list"),
            pytest.param(200, {}, id="an empty object"),
            pytest.param(200, {"message": "later"}, id="another message"),
            pytest.param(302, "", id="a redirect"),
            pytest.param(403, HTML, id="a proxy refuses"),
            pytest.param(429, "Too many requests", id="a proxy limits"),
            pytest.param(400, ["no", "object"], id="a refusal that is a list"),
        ],
    )
    def test_that_answers_with_trouble_or_nonsense_is_unavailable(
        self, hasura: BothStores, network: responses.RequestsMock, status: int, body: Any
    ) -> None:
        network.post(METADATA, status=status, **as_answer(body))

        with pytest.raises(HasuraUnavailable, match=str(status)):
            hasura.create_event(NOON, {"id": 7})


FOREIGN_KEY = (
    'Foreign key violation. insert or update on table "scheduled_post" violates foreign key constraint '
    '"scheduled_post_{}_fkey"'
)


class TestARefusalToAnAuthor:
    @pytest.mark.parametrize(
        ("code", "message", "error", "words"),
        [
            # Hasura does not accept the token.
            ("invalid-jwt", "Could not verify JWT: JWTExpired", Unauthorized, "JWTExpired"),
            ("invalid-headers", "Malformed Authorization header", Unauthorized, "Malformed Authorization"),
            ("jwt-invalid-claims", "claims key: 'https://hasura.io/jwt/claims' not found", Unauthorized, "claims key"),
            ("jwt-missing-role-claims", "JWT claim does not contain x-hasura-default-role", Unauthorized, "role"),
            ("access-denied", "Your requested role is not in allowed roles", Forbidden, "role of authors"),
            ("not-found", 'missing session variable: "x-hasura-user-id"', Unauthorized, "x-hasura-user-id"),
            # user_id or account_id is somebody else's.
            (
                "permission-error",
                "check constraint of an insert/update permission has failed",
                Forbidden,
                "account_id must be an X account that is linked to you",
            ),
            # The role of authors may not insert posts, or change anything.
            ("validation-failed", "no mutations exist", ConfigurationError, "no mutations exist (validation-failed)"),
            ("validation-failed", "field 'x' not found", ConfigurationError, "HASURA_AUTHOR_ROLE, and that hasura/ is"),
            # There is no user of this name.
            ("constraint-violation", 'Not-NULL violation. null value in column "user_id"', Forbidden, "Sign up first"),
            ("constraint-violation", FOREIGN_KEY.format("user_id"), Forbidden, "Sign up first"),
        ],
    )
    def test_says_why_the_author_may_not(
        self,
        hasura: BothStores,
        network: responses.RequestsMock,
        code: str,
        message: str,
        error: type[Problem],
        words: str,
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, message))

        with pytest.raises(error, match=re.escape(words)):
            hasura.insert_post(DRAFT, TOKEN, None)

    @pytest.mark.parametrize(
        ("code", "message", "field", "words"),
        [
            # account_id is left out, and the author has no account, or several.
            ("data-exception", "No X account is linked to you yet.", "account_id", "No X account is linked"),
            ("data-exception", "You have several X accounts.", "account_id", "several X accounts"),
            # A rule of the table.
            ("permission-error", 'Check constraint violation. "text_is_not_blank"', "text", "text_is_not_blank"),
        ],
    )
    def test_names_the_field_that_is_wrong(
        self, hasura: BothStores, network: responses.RequestsMock, code: str, message: str, field: str, words: str
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, message))

        with pytest.raises(InvalidDraft) as caught:
            hasura.insert_post(DRAFT, TOKEN, None)

        [fault] = caught.value.faults
        assert fault.field == field
        assert words in fault.detail

    @pytest.mark.parametrize(
        ("message", "retry_after"),
        [
            ("At most 30 posts may be created or moved in 15 minutes. Try again in 412 seconds.", 412),
            (
                "At most 100 posts may be scheduled from @alice for one day (UTC). Choose another day than 2026-05-04.",
                3600,
            ),
        ],
    )
    def test_a_limit_of_the_author_says_when_to_try_again(
        self, hasura: BothStores, network: responses.RequestsMock, message: str, retry_after: int
    ) -> None:
        network.post(GRAPHQL, json=refusal("data-exception", message))

        with pytest.raises(TooManyPosts) as caught:
            hasura.insert_post(DRAFT, TOKEN, None)

        assert (caught.value.detail, caught.value.retry_after) == (message, retry_after)

    @pytest.mark.parametrize("code", ["unexpected", "postgres-error", "a-code-of-tomorrow", None, 7])
    def test_that_is_no_fault_of_the_author_is_unavailable_and_does_not_say_why(
        self, hasura: BothStores, network: responses.RequestsMock, code: Any
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, "database query error"))

        with pytest.raises(HasuraUnavailable) as caught:
            hasura.insert_post(DRAFT, TOKEN, None)

        assert "database query error" not in caught.value.detail
        if isinstance(code, str):
            assert caught.value.detail == f"Hasura could not do this ({code}). Try again soon."
            assert str(caught.value.__cause__) == f"Hasura refused: database query error ({code})"


class TestARefusalToTheAdmin:
    @pytest.mark.parametrize("name", AS_ADMIN)
    def test_is_for_the_operator_to_mend(self, hasura: BothStores, network: responses.RequestsMock, name: str) -> None:
        network.post(GRAPHQL, json=refusal("validation-failed", "field 'claim_due_posts' not found"))

        with pytest.raises(ConfigurationError) as caught:
            CALLS[name](hasura)

        assert str(caught.value) == (
            "Hasura refused: field 'claim_due_posts' not found (validation-failed). "
            "Check HASURA_GRAPHQL_ADMIN_SECRET, and that hasura/ is applied."
        )

    @pytest.mark.parametrize(
        ("code", "error", "words"),
        [
            # Our secret, or our metadata, is wrong.
            ("access-denied", ConfigurationError, "Check HASURA_GRAPHQL_ADMIN_SECRET"),
            ("parse-failed", ConfigurationError, "Check HASURA_GRAPHQL_ADMIN_SECRET"),
            ("data-exception", ConfigurationError, "Check HASURA_GRAPHQL_ADMIN_SECRET"),
            ("permission-error", ConfigurationError, "Check HASURA_GRAPHQL_ADMIN_SECRET"),
            ("a-code-of-tomorrow", ConfigurationError, "Check HASURA_GRAPHQL_ADMIN_SECRET"),
            # A row stands in the way, which no setting mends.
            ("constraint-violation", ConfigurationError, "Some row stands in the way; `make doctor` names it"),
            # The database has trouble, which passes.
            ("unexpected", HasuraUnavailable, "Try again soon"),
            ("postgres-error", HasuraUnavailable, "Try again soon"),
        ],
    )
    def test_says_what_there_is_to_do(
        self, hasura: BothStores, network: responses.RequestsMock, code: str, error: type[Problem], words: str
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, "what Hasura says"))

        with pytest.raises(error, match=rf"what Hasura says \({code}\)\. {re.escape(words)}"):
            hasura.claim_due_posts(7)


class TestHasuraIsUnavailable:
    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(200, HTML, id="HTML"),
            pytest.param(200, "", id="empty"),
            pytest.param(200, [], id="a list"),
            pytest.param(200, None, id="null"),
            pytest.param(200, {}, id="an empty object"),
            pytest.param(200, {"data": None}, id="data is null"),
            pytest.param(200, {"data": []}, id="data is a list"),
            pytest.param(200, {"data": {}}, id="data is empty"),
            pytest.param(200, {"errors": []}, id="no errors"),
            pytest.param(200, {"errors": "boom"}, id="errors are a text"),
            pytest.param(200, {"errors": ["boom"]}, id="errors are texts"),
            pytest.param(200, {"errors": [{}]}, id="error is empty"),
            pytest.param(200, {"errors": [{"message": "boom", "extensions": None}]}, id="error without a code"),
            pytest.param(302, "", id="a redirect"),
            pytest.param(404, "404 Not Found", id="404"),
            pytest.param(500, HTML, id="500"),
        ],
    )
    @pytest.mark.parametrize("name", ["insert_post", "find_post"])
    def test_when_an_answer_makes_no_sense(
        self, hasura: BothStores, network: responses.RequestsMock, name: str, status: int, body: Any
    ) -> None:
        network.post(GRAPHQL, status=status, **as_answer(body))

        with pytest.raises(HasuraUnavailable, match=f"Hasura answered {status} without data"):
            CALLS[name](hasura)

    @pytest.mark.parametrize("name", GRAPHQL_CALLS)
    def test_when_data_comes_with_a_status_that_is_no_success(
        self, hasura: BothStores, network: responses.RequestsMock, name: str
    ) -> None:
        network.post(GRAPHQL, status=502, json={"data": GRAPHQL_CALLS[name][1]})

        with pytest.raises(HasuraUnavailable, match="502"):
            CALLS[name](hasura)

    @pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.ReadTimeout()], ids=repr)
    @pytest.mark.parametrize("name", CALLS)
    def test_when_it_does_not_answer_and_it_is_not_asked_twice(
        self, hasura: BothStores, network: responses.RequestsMock, name: str, error: Exception
    ) -> None:
        network.post(url_of(name), body=error)

        with pytest.raises(HasuraUnavailable, match="could not be asked"):
            CALLS[name](hasura)

        assert len(network.calls) == 1


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body", [refusal("access-denied", "no"), refusal("unexpected", "no"), HTML], ids=["refusal", "trouble", "HTML"]
)
def test_no_error_tells_a_secret(hasura: BothStores, network: responses.RequestsMock, name: str, body: Any) -> None:
    network.post(url_of(name), status=500, **as_answer(body))

    with pytest.raises(Problem) as caught:
        CALLS[name](hasura)

    told = repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in (ADMIN_SECRET, TOKEN) if secret in told]
