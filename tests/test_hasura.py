"""What Hasura gets from us, and what its answers mean. Hasura is played by `responses`."""

import json
import socket
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import graphql
import pytest
import requests
import responses
from calling import SETTINGS
from hypothesis import given
from hypothesis import strategies as st

from shared import config
from shared.drafts import Draft
from shared.errors import (
    ConfigurationError,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    MalformedRequest,
    Problem,
    Unauthorized,
)
from shared.hasura import Hasura, ringing_post_id
from shared.posts import Account, Outcome, Post

GRAPHQL = "http://hasura.test/v1/graphql"
METADATA = "http://hasura.test/v1/metadata"
QUERY = "http://hasura.test/v1/query"

TOKEN = "the-token-of-the-author"
ADMIN_SECRET = SETTINGS["HASURA_GRAPHQL_ADMIN_SECRET"]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DRAFT = Draft(text="Hello", schedule_for=NOON)
STORED = {"id": 7, "text": "Hello", "schedule_for": "2026-05-04T12:00:00+00:00", "state": "scheduled"}
ACCOUNT = {
    "id": 3,
    "account_name": "ada",
    "access_token": "token-of-ada",
    "access_token_secret": "token-secret-of-ada",
    "account_users": [{"user_id": 1}, {"user_id": 2}],
}
ROW = {
    "id": 7,
    "user_id": 1,
    "text": "Hello",
    "schedule_for": "2026-05-04T12:00:00+00:00",
    "not_before": None,
    "state": "sending",
    "tries": 1,
    "tweet_id": None,
    "reason": None,
    "account": ACCOUNT,
}
POST = Post(id=7, user_id=1, text="Hello", schedule_for=NOON, state="sending", tries=2)
TWEETED = Outcome("tweeted", "tweeted", "X accepted it.", tweet_id="1445880548472328192", status_code=201)
REFUSED = Outcome("failed", "refused", "X refuses it.", reason="X refuses it.", status_code=403)
HTML = "<html><h1>502 Bad Gateway</h1></html>"


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def hasura() -> Hasura:
    return Hasura(config.load(SETTINGS))


CALLS: dict[str, Callable[[Hasura], Any]] = {
    "insert_post": lambda hasura: hasura.insert_post(DRAFT, TOKEN),
    "claim_due_posts": lambda hasura: hasura.claim_due_posts(7),
    "find_post": lambda hasura: hasura.find_post(7),
    "record": lambda hasura: hasura.record(POST, TWEETED),
    "hold": lambda hasura: hasura.hold(NOON, "X limits @ada.", 3),
    "last_status_of_others": lambda hasura: hasura.last_status_of_others(3, NOON),
    "set_alarm": lambda hasura: hasura.set_alarm(NOON, {"id": 7, "schedule_for": "2026-05-04T12:00:00+00:00"}),
}
GRAPHQL_CALLS = [name for name in CALLS if name != "set_alarm"]
GRAPHQL_CALLS_AS_ADMIN = [name for name in GRAPHQL_CALLS if name != "insert_post"]

UPDATED = {"affected_rows": 1}
DATA = {
    "insert_post": {"insert_scheduled_post_one": STORED},
    "claim_due_posts": {"claim_due_posts": [ROW]},
    "find_post": {"scheduled_post_by_pk": ROW},
    "record": {"update_scheduled_post": UPDATED, "update_post_attempt": UPDATED},
    "hold": {"update_scheduled_post": UPDATED},
    "last_status_of_others": {"post_attempt": [{"status_code": 401}]},
}
"""What Hasura answers to each GraphQL call when all is well."""


def url_of(name: str) -> str:
    return METADATA if name == "set_alarm" else GRAPHQL


def sent(network: responses.RequestsMock) -> Any:
    return json.loads(network.calls[-1].request.body)


def refusal(code: Any, message: str, path: str = "$") -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"path": path, "code": code}}]}


class TestEveryGraphQLRequest:
    @pytest.mark.parametrize("name", GRAPHQL_CALLS)
    def test_declares_and_uses_exactly_the_variables_it_sends(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA[name]})

        CALLS[name](hasura)

        document = graphql.parse(sent(network)["query"])
        assert declared_variables(document) == used_variables(document) == sent(network)["variables"].keys()

    @pytest.mark.parametrize("name", GRAPHQL_CALLS_AS_ADMIN)
    def test_but_the_insert_is_made_as_admin_and_never_with_a_token(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA[name]})

        CALLS[name](hasura)

        headers = network.calls[0].request.headers
        assert headers["x-hasura-admin-secret"] == ADMIN_SECRET
        assert "Authorization" not in headers


def declared_variables(document: graphql.DocumentNode) -> set[str]:
    [operation] = document.definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    return {definition.variable.name.value for definition in operation.variable_definitions}


def used_variables(document: graphql.DocumentNode) -> set[str]:
    [operation] = document.definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    used: set[str] = set()

    class Collector(graphql.Visitor):
        def enter_variable(self, node: graphql.VariableNode, *_: Any) -> None:
            used.add(node.name.value)

    graphql.visit(operation.selection_set, Collector())
    return used


def root_fields(network: responses.RequestsMock) -> list[str]:
    """The operation's kind and its root fields, in order."""
    [operation] = graphql.parse(sent(network)["query"]).definitions
    assert isinstance(operation, graphql.OperationDefinitionNode)
    fields = [field.name.value for field in operation.selection_set.selections if isinstance(field, graphql.FieldNode)]
    return [operation.operation.value, *fields]


class TestInsertPost:
    def test_is_made_as_the_author_and_never_as_admin(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["insert_post"]})

        hasura.insert_post(DRAFT, TOKEN)

        headers = network.calls[0].request.headers
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert not [name for name in headers if name.lower().startswith("x-hasura")]
        assert ADMIN_SECRET not in str(headers)

    @pytest.mark.parametrize(
        ("draft", "given"),
        [
            pytest.param(DRAFT, {"text": "Hello", "schedule_for": "2026-05-04T12:00:00+00:00"}, id="least"),
            pytest.param(
                Draft(text="Grüße 🎉", schedule_for=NOON, account_id=3, user_id=1),
                {"text": "Grüße 🎉", "schedule_for": "2026-05-04T12:00:00+00:00", "account_id": 3, "user_id": 1},
                id="most",
            ),
        ],
    )
    def test_sends_what_the_author_gave_and_no_nulls(
        self, hasura: Hasura, network: responses.RequestsMock, draft: Draft, given: dict[str, Any]
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["insert_post"]})

        hasura.insert_post(draft, TOKEN)

        assert root_fields(network) == ["mutation", "insert_scheduled_post_one"]
        assert sent(network)["variables"] == {"post": given}

    def test_gives_the_stored_row(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["insert_post"]})

        assert hasura.insert_post(DRAFT, TOKEN) == STORED

    @pytest.mark.parametrize(
        ("code", "message", "error", "words"),
        [
            pytest.param(
                "invalid-jwt", "Could not verify JWT: JWTExpired", Unauthorized, "JWTExpired", id="expired-token"
            ),
            pytest.param(
                "invalid-headers", "Malformed Authorization header", Unauthorized, "Malformed", id="malformed-header"
            ),
            pytest.param(
                "jwt-invalid-claims",
                "claims key: 'https://hasura.io/jwt/claims' not found",
                Unauthorized,
                "claims key",
                id="no-claims",
            ),
            pytest.param(
                "jwt-missing-role-claims",
                "JWT claim does not contain x-hasura-default-role",
                Unauthorized,
                "x-hasura-default-role",
                id="no-role",
            ),
            pytest.param(
                "access-denied",
                "Your requested role is not in allowed roles",
                Unauthorized,
                "role is not in allowed roles",
                id="role-not-allowed",
            ),
            pytest.param(
                "not-found",
                'missing session variable: "x-hasura-user-id"',
                Unauthorized,
                "x-hasura-user-id",
                id="no-user-id",
            ),
            pytest.param(
                "permission-error",
                "check constraint of an insert/update permission has failed",
                Forbidden,
                "must be your own",
                id="permission-check",
            ),
            pytest.param("validation-failed", "no mutations exist", Forbidden, "may not schedule", id="no-mutations"),
            pytest.param(
                "validation-failed",
                "field 'insert_scheduled_post_one' not found in type: 'mutation_root'",
                Forbidden,
                "may not schedule",
                id="no-insert",
            ),
            pytest.param(
                "constraint-violation",
                'Not-NULL violation. null value in column "user_id" violates not-null constraint',
                Forbidden,
                "Sign up first",
                id="unknown-to-us",
            ),
            pytest.param(
                "constraint-violation",
                'Foreign key violation. insert or update on table "scheduled_post" violates foreign key constraint '
                '"scheduled_post_user_id_fkey"',
                Forbidden,
                "Sign up first",
                id="no-such-user",
            ),
        ],
    )
    def test_refused_to_somebody_says_why(
        self,
        hasura: Hasura,
        network: responses.RequestsMock,
        code: str,
        message: str,
        error: type[Problem],
        words: str,
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, message))

        with pytest.raises(error) as caught:
            hasura.insert_post(DRAFT, TOKEN)

        assert words in caught.value.detail

    @pytest.mark.parametrize(
        ("code", "message", "field", "words"),
        [
            pytest.param(
                "constraint-violation",
                'Foreign key violation. insert or update on table "scheduled_post" violates foreign key constraint '
                '"scheduled_post_account_id_fkey"',
                "account_id",
                "no such account",
                id="no-such-account",
            ),
            pytest.param(
                "data-exception",
                "No X account is linked to you yet. Link one, then schedule the post.",
                "account_id",
                "No X account is linked to you yet.",
                id="no-linked-account",
            ),
            pytest.param(
                "data-exception",
                "You have several X accounts. Say in account_id which one posts.",
                "account_id",
                "several X accounts",
                id="several-accounts",
            ),
            pytest.param(
                "permission-error",
                'Check constraint violation. new row for relation "scheduled_post" violates check constraint '
                '"text_is_not_blank"',
                "text",
                "text_is_not_blank",
                id="sql-check",
            ),
        ],
    )
    def test_refused_for_what_the_draft_says_names_the_field(
        self, hasura: Hasura, network: responses.RequestsMock, code: str, message: str, field: str, words: str
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, message, "$.selectionSet.insert_scheduled_post_one.args.object[0]"))

        with pytest.raises(InvalidDraft) as caught:
            hasura.insert_post(DRAFT, TOKEN)

        [fault] = caught.value.faults
        assert fault.field == field
        assert words in fault.detail

    @pytest.mark.parametrize("code", ["unexpected", "postgres-error", "a-code-of-tomorrow", None, 7])
    def test_refused_for_no_fault_of_the_author_is_unavailable_and_keeps_the_reason_to_itself(
        self, hasura: Hasura, network: responses.RequestsMock, code: Any
    ) -> None:
        network.post(GRAPHQL, json=refusal(code, "database query error"))

        with pytest.raises(HasuraUnavailable) as caught:
            hasura.insert_post(DRAFT, TOKEN)

        assert "database query error" not in caught.value.detail


class TestSetAlarm:
    def test_asks_for_a_ring_with_the_post_as_payload_and_the_secret_from_hasuras_environment(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(METADATA, json={"message": "success", "event_id": "b918cd10-8853-4e66-91b8-81b5cd16e44b"})

        CALLS["set_alarm"](hasura)

        assert network.calls[0].request.headers["x-hasura-admin-secret"] == ADMIN_SECRET
        assert "Authorization" not in network.calls[0].request.headers
        assert sent(network) == {
            "type": "create_scheduled_event",
            "args": {
                "webhook": "http://functions.test/api/postTweet",
                "schedule_at": "2026-05-04T12:00:00+00:00",
                "payload": {"id": 7, "schedule_for": "2026-05-04T12:00:00+00:00"},
                "headers": [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}],
                "retry_conf": {
                    "num_retries": 5,
                    "retry_interval_seconds": 15,
                    "timeout_seconds": 60,
                    "tolerance_seconds": 7 * 3600,
                },
                "comment": "publishes post 7",
            },
        }

    def test_names_the_time_with_its_offset(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(METADATA, json={"message": "success"})
        at = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)

        hasura.set_alarm(at, {"id": 7})

        assert sent(network)["args"]["schedule_at"] == "2026-05-04T12:00:00.123456+00:00"

    def test_leaves_a_template_of_hasuras_for_hasura_to_fill_in(self, network: responses.RequestsMock) -> None:
        network.post(METADATA, json={"message": "success"})
        hasura = Hasura(config.load({**SETTINGS, "ACTIONS_BASE_URL": "{{ACTIONS_BASE_URL}}"}))

        CALLS["set_alarm"](hasura)

        assert sent(network)["args"]["webhook"] == "{{ACTIONS_BASE_URL}}/api/postTweet"

    def test_lets_an_alarm_outlive_the_welcome_of_its_post(self, network: responses.RequestsMock) -> None:
        network.post(METADATA, json={"message": "success"})
        hasura = Hasura(config.load({**SETTINGS, "MAX_LATENESS_SECONDS": "600"}))

        CALLS["set_alarm"](hasura)

        assert sent(network)["args"]["retry_conf"]["tolerance_seconds"] > 600

    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param({"message": "success", "event_id": "b918cd10-8853-4e66-91b8-81b5cd16e44b"}, id="since-v2.1"),
            pytest.param({"message": "success"}, id="v1.3-and-v2.0"),
        ],
    )
    def test_gives_what_hasura_says(
        self, hasura: Hasura, network: responses.RequestsMock, answer: dict[str, Any]
    ) -> None:
        network.post(METADATA, json=answer)

        assert CALLS["set_alarm"](hasura) == answer

    def test_uses_the_older_endpoint_where_the_newer_one_is_absent(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(METADATA, status=404, body="404 Not Found")
        network.post(QUERY, json={"message": "success"})

        alarm = CALLS["set_alarm"](hasura)

        first, second = (call.request for call in network.calls)
        assert alarm == {"message": "success"}
        assert first.body == second.body
        assert second.headers["x-hasura-admin-secret"] == ADMIN_SECRET

    @pytest.mark.parametrize(
        ("status", "code", "message"),
        [
            (401, "access-denied", 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"'),
            (400, "access-denied", "restricted access : admin only"),
            (400, "invalid-headers", "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"),
            (400, "parse-failed", 'key "webhook" not found'),
            (400, "not-supported", "a message"),
        ],
        ids=["wrong-secret", "not-admin", "no-secret", "parse-failed", "another-code"],
    )
    def test_refused_is_for_the_operator_to_mend(
        self, hasura: Hasura, network: responses.RequestsMock, status: int, code: str, message: str
    ) -> None:
        network.post(METADATA, status=status, json={"path": "$", "error": message, "code": code})

        with pytest.raises(ConfigurationError) as caught:
            CALLS["set_alarm"](hasura)

        assert message in str(caught.value)
        assert "HASURA_GRAPHQL_ADMIN_SECRET" in str(caught.value)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            pytest.param(500, {"path": "$", "error": "database query error", "code": "unexpected"}, id="database"),
            pytest.param(500, {"path": "$", "error": "connection error", "code": "postgres-error"}, id="database-away"),
            pytest.param(502, HTML, id="html"),
            pytest.param(503, "", id="empty"),
            pytest.param(200, HTML, id="html-as-success"),
            pytest.param(200, [], id="list"),
            pytest.param(200, {}, id="empty-object"),
            pytest.param(200, {"message": "later"}, id="another-message"),
            pytest.param(302, "", id="redirect"),
            pytest.param(403, HTML, id="html-of-a-proxy"),
            pytest.param(429, "Too many requests", id="limit-of-a-proxy"),
            pytest.param(400, ["no", "object"], id="refusal-as-list"),
        ],
    )
    def test_answered_with_trouble_or_nonsense_is_unavailable(
        self, hasura: Hasura, network: responses.RequestsMock, status: int, body: Any
    ) -> None:
        network.post(METADATA, status=status, **as_answer(body))

        with pytest.raises(HasuraUnavailable, match=str(status)):
            CALLS["set_alarm"](hasura)

    def test_answered_404_by_both_endpoints_is_unavailable(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(METADATA, status=404)
        network.post(QUERY, status=404)

        with pytest.raises(HasuraUnavailable, match="404"):
            CALLS["set_alarm"](hasura)


def as_answer(body: Any) -> dict[str, Any]:
    """`body` as `responses` wants it: JSON unless it is a string."""
    return {"body": body} if isinstance(body, str) else {"json": body}


class TestClaimDuePosts:
    def test_asks_for_a_batch_on_a_lease_with_the_ringing_post_first(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"claim_due_posts": []}})

        hasura.claim_due_posts(7)

        assert root_fields(network) == ["mutation", "claim_due_posts"]
        assert sent(network)["variables"] == {
            "args": {"ringing_post_id": 7, "batch_size": 10, "lease_seconds": 120, "max_lateness_seconds": 21600}
        }

    def test_of_the_sweep_names_no_post(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"claim_due_posts": []}})

        hasura.claim_due_posts(None)

        assert sent(network)["variables"]["args"]["ringing_post_id"] is None

    def test_follows_the_settings(self, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"claim_due_posts": []}})
        hasura = Hasura(config.load({**SETTINGS, "PUBLISH_BATCH": "3", "MAX_LATENESS_SECONDS": "600"}))

        hasura.claim_due_posts(None)

        args = sent(network)["variables"]["args"]
        assert (args["batch_size"], args["max_lateness_seconds"]) == (3, 600)

    def test_gives_the_posts_with_their_accounts(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["claim_due_posts"]})

        assert hasura.claim_due_posts(7) == [
            Post(
                id=7,
                user_id=1,
                text="Hello",
                schedule_for=NOON,
                state="sending",
                tries=1,
                account=Account(3, "ada", frozenset({1, 2}), "token-of-ada", "token-secret-of-ada"),
            )
        ]

    def test_gives_all_of_them_in_hasuras_order(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [{**ROW, "id": n} for n in (9, 7, 8)]}})

        assert [post.id for post in hasura.claim_due_posts(9)] == [9, 7, 8]

    def test_understands_big_numbers_as_strings(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        stringified = {
            **ROW,
            "id": "7",
            "user_id": "1",
            "account": {**ACCOUNT, "id": "3", "account_users": [{"user_id": "1"}, {"user_id": "2"}]},
        }
        network.post(GRAPHQL, json={"data": DATA["claim_due_posts"]})
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [stringified]}})

        assert hasura.claim_due_posts(7) == hasura.claim_due_posts(7)

    @pytest.mark.parametrize(
        ("text", "time"),
        [
            ("2026-05-04T12:00:00.12+00:00", datetime(2026, 5, 4, 12, 0, 0, 120_000, tzinfo=UTC)),
            ("2026-05-04T12:00:00.123456+00:00", datetime(2026, 5, 4, 12, 0, 0, 123_456, tzinfo=UTC)),
            ("2026-05-04T14:00:00+02:00", NOON),
        ],
        ids=["two-digits", "six-digits", "another-zone"],
    )
    def test_understands_times_as_hasura_writes_them(
        self, hasura: Hasura, network: responses.RequestsMock, text: str, time: datetime
    ) -> None:
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [{**ROW, "schedule_for": text, "not_before": text}]}})

        [post] = hasura.claim_due_posts(7)

        assert post.schedule_for == post.not_before == time

    def test_gives_a_post_whose_account_was_removed_without_one(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [{**ROW, "account": None}]}})

        [post] = hasura.claim_due_posts(7)

        assert post.account is None

    def test_shows_no_tokens_when_a_post_is_logged(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["claim_due_posts"]})

        assert "token-" not in repr(hasura.claim_due_posts(7))


class TestFindPost:
    def test_gives_the_post_without_an_account(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        row = {**ROW, "state": "tweeted", "tweet_id": "1445880548472328192", "reason": "It went out."}
        network.post(GRAPHQL, json={"data": {"scheduled_post_by_pk": {k: row[k] for k in row.keys() - {"account"}}}})

        post = hasura.find_post(7)

        assert root_fields(network) == ["query", "scheduled_post_by_pk"]
        assert sent(network)["variables"] == {"id": 7}
        assert post == Post(7, 1, "Hello", NOON, "tweeted", 1, None, "1445880548472328192", "It went out.")

    def test_gives_none_when_there_is_none(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"scheduled_post_by_pk": None}})

        assert hasura.find_post(7) is None


class TestRecord:
    def test_writes_post_and_attempt_in_one_mutation(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})

        hasura.record(POST, TWEETED)

        variables = sent(network)["variables"]
        assert root_fields(network) == ["mutation", "update_scheduled_post", "update_post_attempt"]
        assert variables["becomes"] == {
            "state": "tweeted",
            "reason": None,
            "tweet_id": "1445880548472328192",
            "not_before": None,
            "lease_until": None,
        }
        assert variables["attempt"] == {"post_id": {"_eq": 7}, "number": {"_eq": 2}}
        assert variables["ended"] == {
            "outcome": "tweeted",
            "detail": "X accepted it.",
            "status_code": 201,
            "finished_at": "now",
        }

    def test_writes_a_tweet_whatever_happened_to_the_row_meanwhile(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})

        hasura.record(POST, TWEETED)

        assert sent(network)["variables"]["post"] == {"id": {"_eq": 7}, "state": {"_neq": "tweeted"}}

    def test_writes_any_other_outcome_only_while_no_later_try_began(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})

        hasura.record(POST, REFUSED)

        assert sent(network)["variables"]["post"] == {
            "id": {"_eq": 7},
            "tries": {"_eq": 2},
            "state": {"_in": ["sending", "unknown"]},
        }

    def test_writes_the_time_of_the_next_try_with_its_offset(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})

        hasura.record(POST, Outcome("scheduled", "not_sent", "X limits @ada.", not_before=NOON))

        assert sent(network)["variables"]["becomes"]["not_before"] == "2026-05-04T12:00:00+00:00"


UNTIL = "2026-05-04T12:00:00+00:00"
SCHEDULED_BEFORE_THEN = {
    "state": {"_eq": "scheduled"},
    "schedule_for": {"_lt": UNTIL},
    "_or": [{"not_before": {"_is_null": True}}, {"not_before": {"_lt": UNTIL}}],
}


class TestHold:
    @pytest.mark.parametrize(
        ("account_id", "posts"),
        [
            pytest.param(3, {**SCHEDULED_BEFORE_THEN, "account_id": {"_eq": 3}}, id="one-account"),
            pytest.param(None, SCHEDULED_BEFORE_THEN, id="all"),
        ],
    )
    def test_lets_the_posts_wait_that_would_go_out_earlier(
        self, hasura: Hasura, network: responses.RequestsMock, account_id: int | None, posts: dict[str, Any]
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["hold"]})

        hasura.hold(NOON, "X limits @ada.", account_id)

        assert root_fields(network) == ["mutation", "update_scheduled_post"]
        assert sent(network)["variables"] == {
            "posts": posts,
            "becomes": {"not_before": UNTIL, "reason": "X limits @ada."},
        }


class TestLastStatusOfOthers:
    def test_looks_at_the_attempts_of_other_accounts_since_then(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["last_status_of_others"]})

        status = hasura.last_status_of_others(3, NOON - timedelta(hours=1))

        assert status == 401
        assert root_fields(network) == ["query", "post_attempt"]
        assert sent(network)["variables"] == {
            "attempts": {
                "finished_at": {"_gt": "2026-05-04T11:00:00+00:00"},
                "status_code": {"_is_null": False},
                "scheduled_post": {"account_id": {"_neq": 3}},
            }
        }

    def test_is_none_when_x_answered_nobody(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"post_attempt": []}})

        assert hasura.last_status_of_others(3, NOON) is None


@pytest.mark.parametrize("name", GRAPHQL_CALLS_AS_ADMIN)
@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("access-denied", 'invalid "x-hasura-admin-secret"/"x-hasura-access-key"', id="wrong-secret"),
        pytest.param(
            "validation-failed", "field 'claim_due_posts' not found in type: 'mutation_root'", id="not-tracked"
        ),
        pytest.param("parse-failed", "parsing Text failed, expected String", id="wrong-type"),
        pytest.param("data-exception", "invalid input syntax for type bigint", id="wrong-text"),
        pytest.param("constraint-violation", "Uniqueness violation.", id="constraint"),
        pytest.param("permission-error", "Check constraint violation.", id="sql-check"),
        pytest.param("a-code-of-tomorrow", "Something new.", id="unknown-code"),
    ],
)
def test_a_refusal_to_the_admin_is_for_the_operator_to_mend(
    hasura: Hasura, network: responses.RequestsMock, name: str, code: str, message: str
) -> None:
    network.post(GRAPHQL, json=refusal(code, message))

    with pytest.raises(ConfigurationError) as caught:
        CALLS[name](hasura)

    assert message in str(caught.value)
    assert code in str(caught.value)
    assert "Check HASURA_GRAPHQL_ADMIN_SECRET, and that hasura/ is applied." in str(caught.value)


@pytest.mark.parametrize("name", GRAPHQL_CALLS_AS_ADMIN)
@pytest.mark.parametrize("code", ["unexpected", "postgres-error"])
def test_trouble_of_the_database_makes_hasura_unavailable(
    hasura: Hasura, network: responses.RequestsMock, name: str, code: str
) -> None:
    network.post(GRAPHQL, json=refusal(code, "database query error"))

    with pytest.raises(HasuraUnavailable, match="database query error"):
        CALLS[name](hasura)


@pytest.mark.parametrize("name", GRAPHQL_CALLS)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(200, HTML, id="html"),
        pytest.param(200, "", id="empty"),
        pytest.param(200, "[" * 100_000 + "]" * 100_000, id="deep-nesting"),
        pytest.param(200, [], id="list"),
        pytest.param(200, None, id="null"),
        pytest.param(200, {}, id="empty-object"),
        pytest.param(200, {"data": None}, id="null-data"),
        pytest.param(200, {"data": []}, id="list-as-data"),
        pytest.param(200, {"data": {}}, id="data-without-the-field"),
        pytest.param(200, {"errors": []}, id="no-errors"),
        pytest.param(200, {"errors": "boom"}, id="errors-as-string"),
        pytest.param(200, {"errors": ["boom"]}, id="errors-as-strings"),
        pytest.param(200, {"errors": [{"message": "boom", "extensions": None}]}, id="error-without-code"),
        pytest.param(302, "", id="redirect"),
        pytest.param(404, "404 Not Found", id="404"),
        pytest.param(500, HTML, id="500"),
    ],
)
def test_an_answer_that_makes_no_sense_makes_hasura_unavailable(
    hasura: Hasura, network: responses.RequestsMock, name: str, status: int, body: Any
) -> None:
    network.post(GRAPHQL, status=status, **as_answer(body))

    with pytest.raises(HasuraUnavailable):
        CALLS[name](hasura)


@pytest.mark.parametrize("name", GRAPHQL_CALLS)
def test_data_beside_a_status_that_is_no_success_is_not_believed(
    hasura: Hasura, network: responses.RequestsMock, name: str
) -> None:
    network.post(GRAPHQL, status=502, json={"data": DATA[name]})

    with pytest.raises(HasuraUnavailable, match="502"):
        CALLS[name](hasura)


@pytest.mark.parametrize(
    "errors",
    [
        pytest.param("boom", id="string"),
        pytest.param(["boom"], id="strings"),
        pytest.param([{}], id="no-words-and-no-code"),
        pytest.param([{"message": "boom"}], id="no-code"),
    ],
)
def test_a_refusal_without_words_or_code_is_not_told_as_none(
    hasura: Hasura, network: responses.RequestsMock, errors: Any
) -> None:
    network.post(GRAPHQL, json={"errors": errors})

    with pytest.raises(HasuraUnavailable) as caught:
        hasura.find_post(7)

    assert "None" not in caught.value.detail


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "error", [requests.ConnectTimeout(), requests.ReadTimeout(), requests.ConnectionError()], ids=repr
)
def test_no_answer_makes_hasura_unavailable_and_is_not_asked_for_twice(
    hasura: Hasura, network: responses.RequestsMock, name: str, error: Exception
) -> None:
    network.post(url_of(name), body=error)

    with pytest.raises(HasuraUnavailable, match="could not be asked"):
        CALLS[name](hasura)

    assert len(network.calls) == 1


@pytest.mark.parametrize("name", CALLS)
def test_a_refused_connection_makes_hasura_unavailable(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    hasura = Hasura(config.load({**SETTINGS, "APP_BASE_API": f"http://127.0.0.1:{port}"}))

    with pytest.raises(HasuraUnavailable, match="no connection could be made"):
        CALLS[name](hasura)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body", [refusal("access-denied", "no"), refusal("unexpected", "no"), HTML], ids=["refused", "trouble", "html"]
)
def test_no_error_tells_a_secret(hasura: Hasura, network: responses.RequestsMock, name: str, body: Any) -> None:
    network.post(url_of(name), status=500, **as_answer(body))

    with pytest.raises(Problem) as caught:
        CALLS[name](hasura)

    told = repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in (ADMIN_SECRET, TOKEN) if secret in told]


def scheduled_event(payload: Any) -> dict[str, Any]:
    return {
        "id": "b918cd10-8853-4e66-91b8-81b5cd16e44b",
        "scheduled_time": "2026-05-04T12:00:00Z",
        "payload": payload,
        "created_at": "2026-05-04T09:12:33.123456Z",
        "comment": "publishes post 7",
    }


def cron_event(payload: Any) -> dict[str, Any]:
    return {
        "id": "5f0c7c2e-8853-4e66-91b8-81b5cd16e44b",
        "name": "publish_due_posts",
        "scheduled_time": "2026-05-04T12:00:00Z",
        "payload": payload,
    }


def table_event(new: Any, old: Any = None) -> dict[str, Any]:
    return {
        "id": "8e2f6c1a-0c55-4a3e-9f0b-6f5f3d1c7a10",
        "created_at": "2026-05-04T10:11:12.123456",
        "trigger": {"name": "post_moved"},
        "table": {"schema": "public", "name": "scheduled_post"},
        "event": {"op": "UPDATE", "data": {"old": old, "new": new}, "session_variables": None},
        "delivery_info": {"current_retry": 0, "max_retries": 5},
    }


def bare_post(post_id: Any) -> dict[str, Any]:
    return {"id": post_id, "schedule_for": "2026-05-04T12:00:00+00:00", "text": "Hello"}


class TestTheRingingPost:
    @pytest.mark.parametrize(
        ("body", "post_id"),
        [
            pytest.param(scheduled_event(bare_post(7)), 7, id="scheduled-event"),
            pytest.param(scheduled_event({"id": 7}), 7, id="least-payload"),
            pytest.param(table_event({"id": 7, "state": "scheduled"}, {"id": 7}), 7, id="table-event"),
            pytest.param(bare_post(7), 7, id="bare-post"),
            pytest.param(scheduled_event(bare_post("7")), 7, id="stringified-id"),
            pytest.param(table_event({"id": "7"}), 7, id="stringified-id-in-a-table-event"),
            pytest.param(bare_post(2**63 - 1), 2**63 - 1, id="largest-id"),
            pytest.param(bare_post(str(2**63 - 1)), 2**63 - 1, id="largest-id-stringified"),
        ],
    )
    def test_is_the_one_in_the_event(self, body: Any, post_id: int) -> None:
        assert ringing_post_id(body) == post_id

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(cron_event({}), id="cron"),
            pytest.param(cron_event(None), id="cron-without-payload"),
            pytest.param(scheduled_event(None), id="scheduled-event-without-payload"),
        ],
    )
    def test_is_none_for_the_sweep(self, body: Any) -> None:
        assert ringing_post_id(body) is None

    @pytest.mark.parametrize(
        "post_id",
        [
            pytest.param(None, id="null"),
            pytest.param(True, id="bool"),
            pytest.param(7.0, id="float"),
            pytest.param(0, id="zero"),
            pytest.param(-7, id="negative"),
            pytest.param(2**63, id="beyond-bigint"),
            pytest.param("", id="empty"),
            pytest.param("-7", id="negative-string"),
            pytest.param("7.0", id="float-string"),
            pytest.param("²", id="superscript"),
            pytest.param("b918cd10-8853-4e66-91b8-81b5cd16e44b", id="uuid"),
            pytest.param(str(2**63), id="beyond-bigint-string"),
            pytest.param("9" * 5000, id="endless-string"),
            pytest.param([7], id="list"),
            pytest.param({"id": 7}, id="object"),
        ],
    )
    @pytest.mark.parametrize(
        "wrapped",
        [
            pytest.param(lambda post_id: scheduled_event({"id": post_id}), id="scheduled-event"),
            pytest.param(lambda post_id: table_event({"id": post_id}), id="table-event"),
            pytest.param(bare_post, id="bare-post"),
        ],
    )
    def test_whose_id_is_none_is_malformed(self, wrapped: Callable[[Any], Any], post_id: Any) -> None:
        with pytest.raises(MalformedRequest, match="no id"):
            ringing_post_id(wrapped(post_id))

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param({}, id="empty-object"),
            pytest.param([], id="list"),
            pytest.param(None, id="null"),
            pytest.param("7", id="string"),
            pytest.param(7, id="number"),
            pytest.param({"id": 7}, id="id-alone"),
            pytest.param({"payload": {"id": 7}}, id="payload-alone"),
            pytest.param({"event": {"data": {"new": {"id": 7}}}}, id="event-alone"),
            pytest.param(scheduled_event([{"id": 7}]), id="payload-is-a-list"),
            pytest.param(scheduled_event("7"), id="payload-is-a-string"),
            pytest.param(scheduled_event({"post": {"id": 7}}), id="payload-is-no-post"),
            pytest.param(table_event(None, {"id": 7}), id="deleted-row"),
            pytest.param({**table_event(None), "event": None}, id="null-event"),
            pytest.param({**table_event(None), "event": {"data": [7]}}, id="event-data-is-a-list"),
            pytest.param({**table_event(None), "event": {}}, id="event-without-data"),
        ],
    )
    def test_of_anything_else_is_malformed(self, body: Any) -> None:
        with pytest.raises(MalformedRequest):
            ringing_post_id(body)


KEYS = ["id", "scheduled_time", "payload", "trigger", "table", "event", "data", "new", "old", "schedule_for"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.integers().map(str),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
        | inner.map(scheduled_event)
        | inner.map(table_event)
        | inner.map(bare_post)
    ),
    max_leaves=8,
)


@given(body=JSON)
def test_any_json_names_a_post_or_the_sweep_or_is_malformed(body: Any) -> None:
    try:
        post_id = ringing_post_id(body)
    except MalformedRequest:
        return
    assert post_id is None or (type(post_id) is int and 0 < post_id < 2**63)
