"""What Hasura gets from us, and what its answers mean. Hasura is played by `responses`."""

import json
import socket
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import graphql
import pytest
import requests
import responses
from calling import SETTINGS

from shared import config
from shared.core.drafts import Draft
from shared.core.model import Account, Outcome, Post, Question
from shared.errors import (
    ConfigurationError,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    Problem,
    Unauthorized,
)
from shared.hasura.client import Hasura

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
    "account_id": 3,
    "text": "Hello",
    "schedule_for": "2026-05-04T12:00:00+00:00",
    "not_before": None,
    "state": "sending",
    "tries": 1,
    "attempt": 1,
    "looks": 0,
    "tweet_id": None,
    "reason": None,
    "account": ACCOUNT,
    "lease_until": "2026-05-04T12:02:00+00:00",
    "refused": [],
    "questions": [],
}
FOUND = {**ROW, "account": {"held_until": None}}
FREE_APP = [{"held_until": None}]
POST = Post(id=7, user_id=1, account_id=3, text="Hello", schedule_for=NOON, state="sending", tries=1, attempt=2)
TWEETED = Outcome(
    "tweeted", "tweeted", "X accepted it.", tweet_id="1445880548472328192", status_code=201, attempts=(2,)
)
REFUSED = Outcome("failed", "refused", "X refuses it.", reason="X refuses it.", status_code=403, attempts=(2,))
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
    "post_of_key": lambda hasura: hasura.post_of_key("key", TOKEN),
    "keep_alarm": lambda hasura: hasura.keep_alarm(7, {"message": "success"}),
    "published_elsewhere": lambda hasura: hasura.published_elsewhere(["1", "2"]),
    "record": lambda hasura: hasura.record(POST, TWEETED),
    "hold": lambda hasura: hasura.hold(NOON, "X limits @ada.", 3),
    "statuses_of_others": lambda hasura: hasura.statuses_of_others(3, NOON),
    "set_alarm": lambda hasura: hasura.set_alarm(NOON, {"id": 7, "schedule_for": "2026-05-04T12:00:00+00:00"}),
}
GRAPHQL_CALLS = [name for name in CALLS if name != "set_alarm"]
GRAPHQL_CALLS_AS_ADMIN = [name for name in GRAPHQL_CALLS if name not in ("insert_post", "post_of_key")]

UPDATED = {"affected_rows": 1}
DATA = {
    "insert_post": {"insert_scheduled_post_one": STORED},
    "claim_due_posts": {"claim_due_posts": [ROW]},
    "post_of_key": {"scheduled_post": [{**STORED, "request_draft": {}, "request_event": None}]},
    "keep_alarm": {"update_scheduled_post_by_pk": {"id": 7}},
    "published_elsewhere": {"scheduled_post": [{"tweet_id": "2"}]},
    "find_post": {"scheduled_post_by_pk": FOUND, "app": FREE_APP},
    "record": {"update_scheduled_post": UPDATED, "update_post_attempt": UPDATED},
    "hold": {"update_account": UPDATED},
    "statuses_of_others": {"post_attempt": [{"status_code": 201}, {"status_code": 401}]},
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
        assert sent(network)["variables"] == {"post": {**given, "when_late": "skip"}}

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
                account_id=3,
                text="Hello",
                schedule_for=NOON,
                state="sending",
                tries=1,
                attempt=1,
                is_leased=True,
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
            "account_id": "3",
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
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [{**ROW, "account_id": None, "account": None}]}})

        [post] = hasura.claim_due_posts(7)

        assert (post.account_id, post.account) == (None, None)

    def test_says_when_an_earlier_try_met_a_refused_sign_in(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        refused = {**ROW, "refused": [{"account_id": 3, "finished_at": "2026-05-04T12:00:00+00:00"}]}
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [refused, ROW, {**refused, "account_id": 4}]}})

        assert [post.sign_in_refused_at for post in hasura.claim_due_posts(7)] == [NOON, None, None]

    def test_shows_no_tokens_when_a_post_is_logged(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["claim_due_posts"]})

        assert "token-" not in repr(hasura.claim_due_posts(7))


class TestTheQuestionsOfAClaimedPost:
    def test_are_its_tries_that_ended_unknown(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        asked = {
            "number": 1,
            "account": ROW["account"],
            "text": "as it was sent",
            "started_at": "2026-05-04T12:00:00+00:00",
            "finished_at": "2026-05-04T12:00:30+00:00",
            "outcome": "unknown",
        }
        row = {**ROW, "state": "unknown", "looks": 2, "lease_until": None, "questions": [asked]}
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [row]}})

        [post] = hasura.claim_due_posts(7)

        assert (post.looks, post.is_leased) == (2, False)
        assert post.questions == (Question(1, post.account, "as it was sent", NOON, NOON + timedelta(seconds=30)),)
        assert post.account

    def test_may_be_from_an_account_that_was_removed(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        asked = {
            "number": 1,
            "account": None,
            "text": "a",
            "started_at": NOON.isoformat(),
            "finished_at": NOON.isoformat(),
            "outcome": "duplicate",
        }
        network.post(GRAPHQL, json={"data": {"claim_due_posts": [{**ROW, "questions": [asked]}]}})

        [post] = hasura.claim_due_posts(7)

        assert [(question.account, question.is_duplicate) for question in post.questions] == [(None, True)]


class TestAKey:
    def test_comes_with_its_draft_and_never_overwrites(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": None}})

        row = hasura.insert_post(DRAFT, TOKEN, "a-key")

        assert row is None
        assert "on_conflict: {constraint: one_post_per_request_key, update_columns: []}" in sent(network)["query"]
        post = sent(network)["variables"]["post"]
        assert (post["request_key"], post["request_draft"]) == ("a-key", DRAFT.as_json())

    def test_finds_the_author_s_post_as_the_author(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["post_of_key"]})

        row = hasura.post_of_key("a-key", TOKEN)

        assert row
        assert row["id"] == 7
        assert sent(network)["variables"] == {"key": "a-key"}
        assert network.calls[0].request.headers["Authorization"] == f"Bearer {TOKEN}"

    def test_finds_none_where_there_is_none(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"scheduled_post": []}})

        assert hasura.post_of_key("a-key", TOKEN) is None


def test_tweets_of_other_posts_are_told(hasura: Hasura, network: responses.RequestsMock) -> None:
    network.post(GRAPHQL, json={"data": DATA["published_elsewhere"]})

    assert hasura.published_elsewhere(["1", "2"]) == {"2"}


class TestFindPost:
    def test_gives_the_post_without_an_account(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        row = {**FOUND, "state": "tweeted", "tweet_id": "1445880548472328192", "reason": "It went out."}
        network.post(GRAPHQL, json={"data": {"scheduled_post_by_pk": row, "app": FREE_APP}})

        post = hasura.find_post(7)

        assert root_fields(network) == ["query", "scheduled_post_by_pk", "app"]
        assert sent(network)["variables"] == {"id": 7}
        assert post == Post(
            id=7,
            user_id=1,
            account_id=3,
            text="Hello",
            schedule_for=NOON,
            state="tweeted",
            tries=1,
            attempt=1,
            tweet_id="1445880548472328192",
            reason="It went out.",
        )

    @pytest.mark.parametrize(
        ("account", "app", "hour"),
        [(None, None, None), (13, None, 13), (None, 14, 14), (13, 14, 14), (15, 14, 15)],
        ids=["nothing", "account", "app", "app-longer", "account-longer"],
    )
    def test_says_until_when_it_is_held(
        self, hasura: Hasura, network: responses.RequestsMock, account: int | None, app: int | None, hour: int | None
    ) -> None:
        def until(hour: int | None) -> dict[str, str | None]:
            return {"held_until": hour and f"2026-05-04T{hour}:00:00+00:00"}

        row = {**FOUND, "account": until(account)}
        network.post(GRAPHQL, json={"data": {"scheduled_post_by_pk": row, "app": [until(app)]}})

        post = hasura.find_post(7)

        assert post
        assert post.held_until == (NOON.replace(hour=hour) if hour else None)
        assert post.due_at == (post.held_until or NOON)

    def test_of_a_removed_account_is_not_held(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        row = {**FOUND, "account_id": None, "account": None}
        network.post(GRAPHQL, json={"data": {"scheduled_post_by_pk": row, "app": []}})

        post = hasura.find_post(7)

        assert post
        assert post.held_until is None

    def test_gives_none_when_there_is_none(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"scheduled_post_by_pk": None, "app": FREE_APP}})

        assert hasura.find_post(7) is None


class TestRecord:
    def test_writes_post_and_attempt_in_one_mutation(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})

        hasura.record(POST, TWEETED)

        variables = sent(network)["variables"]
        assert root_fields(network) == [
            "mutation",
            "update_post_attempt",
            "update_post_attempt",
            "update_scheduled_post",
        ]
        assert variables["becomes"] == {
            "state": "tweeted",
            "reason": None,
            "tweet_id": "1445880548472328192",
            "not_before": None,
            "lease_until": None,
            "looks": 0,
        }
        assert variables["attempt"] == {"post_id": {"_eq": 7}, "number": {"_in": [2]}}
        assert variables["ended"] == {
            "outcome": "tweeted",
            "detail": "X accepted it.",
            "status_code": 201,
            "finished_at": "now",
            "sign_in_refused": False,
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

        still_ours = {"attempt": {"_eq": 2}, "looks": {"_eq": 0}, "state": {"_in": ["sending", "unknown"]}}
        assert sent(network)["variables"]["post"] == {"id": {"_eq": 7}, **still_ours}
        assert sent(network)["variables"]["attempt"]["scheduled_post"] == still_ours

    def test_of_a_look_leaves_the_times_of_the_try_as_they_are(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})
        looked_at = replace(POST, state="unknown", looks=1)

        hasura.record(looked_at, Outcome("scheduled", "absent", "It is not on X.", attempts=(1, 2)))

        variables = sent(network)["variables"]
        assert variables["post"]["looks"] == {"_eq": 1}
        assert variables["attempt"]["number"] == {"_in": [1, 2]}
        assert variables["ended"] == {"outcome": "absent", "detail": "It is not on X."}

    def test_writes_the_time_of_the_next_try_with_its_offset(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["record"]})

        hasura.record(POST, Outcome("scheduled", "not_sent", "X limits @ada.", not_before=NOON))

        assert sent(network)["variables"]["becomes"]["not_before"] == "2026-05-04T12:00:00+00:00"


UNTIL = "2026-05-04T12:00:00+00:00"
NOT_HELD_LONGER = {"_or": [{"held_until": {"_is_null": True}}, {"held_until": {"_lt": UNTIL}}]}


class TestHold:
    @pytest.mark.parametrize(
        ("account_id", "field", "held"),
        [
            pytest.param(3, "update_account", {"id": {"_eq": 3}, **NOT_HELD_LONGER}, id="one-account"),
            pytest.param(None, "update_app", NOT_HELD_LONGER, id="the-app"),
        ],
    )
    def test_holds_what_is_not_held_longer_already(
        self,
        hasura: Hasura,
        network: responses.RequestsMock,
        account_id: int | None,
        field: str,
        held: dict[str, Any],
    ) -> None:
        network.post(GRAPHQL, json={"data": {field: UPDATED}})

        hasura.hold(NOON, "X limits @ada.", account_id)

        assert root_fields(network) == ["mutation", field]
        assert sent(network)["variables"] == {
            "held": held,
            "hold": {"held_until": UNTIL, "held_because": "X limits @ada."},
        }


class TestStatusesOfOthers:
    def test_are_those_of_the_attempts_of_other_accounts_since_then(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": DATA["statuses_of_others"]})

        statuses = hasura.statuses_of_others(3, NOON - timedelta(hours=1))

        assert statuses == {201, 401}
        assert root_fields(network) == ["query", "post_attempt"]
        assert sent(network)["variables"] == {
            "attempts": {
                "finished_at": {"_gt": "2026-05-04T11:00:00+00:00"},
                "status_code": {"_is_null": False},
                "account_id": {"_neq": 3},
            }
        }

    def test_are_none_when_x_answered_nobody(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"post_attempt": []}})

        assert hasura.statuses_of_others(3, NOON) == set()


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


def test_a_row_that_stands_in_the_way_is_not_taken_for_a_wrong_secret(
    hasura: Hasura, network: responses.RequestsMock
) -> None:
    network.post(GRAPHQL, json=refusal("constraint-violation", "Uniqueness violation."))

    with pytest.raises(ConfigurationError, match="Some row stands in the way; `make doctor` names it"):
        hasura.claim_due_posts(7)


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
