"""As whom Hasura is asked, and what its answers and errors mean. Hasura is played by `responses`.

That it understands what it is sent is shown by tests/stack/test_contract.py.
"""

import json
import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses
from calling import SETTINGS, settings

from shared.core.drafts import Draft
from shared.core.model import Claim, ClaimedPost, Decision, Recorded, State, TurnToWait
from shared.core.schedule import EarlierPost
from shared.errors import (
    ConfigurationError,
    Forbidden,
    HasuraUnavailable,
    InvalidDraft,
    Problem,
    TooManyPosts,
    Unauthorized,
)
from shared.hasura import documents
from shared.hasura.client import Hasura

GRAPHQL = "http://hasura.test/v1/graphql"
METADATA = "http://hasura.test/v1/metadata"
QUERY = "http://hasura.test/v1/query"

TOKEN = "the-token-of-the-author"
ADMIN_SECRET = SETTINGS["HASURA_GRAPHQL_ADMIN_SECRET"]

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DRAFT = Draft(text="Hello", schedule_for=NOON)
STORED = {"id": 7, "text": "Hello", "schedule_for": "2026-05-04T12:00:00+00:00", "state": "scheduled"}
POST = ClaimedPost(7, "Hello", NOON, State.SENDING, NOON, 1, None, True)
TWEETED = Decision(State.TWEETED, tweet_id="1445880548472328192")
EVENT = {"message": "success", "event_id": "b918cd10-8853-4e66-91b8-81b5cd16e44b"}
HTML = "<html><h1>502 Bad Gateway</h1></html>"

AS_AUTHOR: dict[str, tuple[Callable[[Hasura], Any], Any]] = {
    "insert_post": (lambda hasura: hasura.insert_post(DRAFT, TOKEN, None), {"insert_scheduled_post_one": STORED}),
    "insert_post with a key": (
        lambda hasura: hasura.insert_post(DRAFT, TOKEN, "a-key"),
        {"insert_scheduled_post_one": STORED},
    ),
    "post_of_key": (lambda hasura: hasura.post_of_key("a-key", TOKEN), {"scheduled_post": []}),
}
AS_ADMIN: dict[str, tuple[Callable[[Hasura], Any], Any]] = {
    "claim_due_posts": (lambda hasura: hasura.claim_due_posts(7), {"claim_due_posts": []}),
    "find_post": (lambda hasura: hasura.find_post(7), {"scheduled_post_by_pk": None, "app": []}),
    "record": (lambda hasura: hasura.record(POST, TWEETED), {"record_outcome": []}),
    "published_elsewhere": (lambda hasura: hasura.published_elsewhere(["1", "2"]), {"scheduled_post": []}),
    "record_event": (
        lambda hasura: hasura.record_event(7, "new", NOON, instead_of="old"),
        {"update_scheduled_post": {"affected_rows": 1}},
    ),
    "wait_for_due_posts": (
        lambda hasura: hasura.wait_for_due_posts("a-delivery", timedelta(), timedelta(seconds=60)),
        {"wait_for_due_posts": [{"is_needed": False, "is_callers": False, "due_in_seconds": None}]},
    ),
    "request_follow_up": (lambda hasura: hasura.request_follow_up(), {"request_follow_up": []}),
    "release_follow_up": (lambda hasura: hasura.release_follow_up(), {"update_app": {"affected_rows": 1}}),
}
GRAPHQL_CALLS = AS_AUTHOR | AS_ADMIN
"""Each call, and the data that Hasura answers to it when there is nothing special."""

METADATA_CALLS: dict[str, Callable[[Hasura], Any]] = {
    "create_event": lambda hasura: hasura.create_event(NOON, {"id": 7}),
    "delete_event": lambda hasura: hasura.delete_event("an-event"),
}
CALLS = {name: call for name, (call, _) in GRAPHQL_CALLS.items()} | METADATA_CALLS


@pytest.fixture
def network() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def hasura() -> Hasura:
    return Hasura(settings())


def url_of(name: str) -> str:
    return METADATA if name in METADATA_CALLS else GRAPHQL


def answering(network: responses.RequestsMock, name: str) -> None:
    """Hasura answers this call well."""
    network.post(url_of(name), json=EVENT if name in METADATA_CALLS else {"data": GRAPHQL_CALLS[name][1]})


def body_of(call: Any) -> Any:
    return json.loads(call.request.body)


def refusal(code: Any, message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "extensions": {"path": "$", "code": code}}]}


def as_answer(body: Any) -> dict[str, Any]:
    """`body` as `responses` wants it: JSON unless it is a string."""
    return {"body": body} if isinstance(body, str) else {"json": body}


class TestEveryRequest:
    @pytest.mark.parametrize("name", [*AS_ADMIN, *METADATA_CALLS])
    def test_that_no_author_makes_is_made_as_admin_without_a_token(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
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

        CALLS[name](Hasura(settings(HASURA_AUTHOR_ROLE="editor")))

        headers = network.calls[0].request.headers
        assert headers["Authorization"] == f"Bearer {TOKEN}"
        assert headers["X-Hasura-Role"] == "editor"
        assert [header for header in headers if header.lower().startswith("x-hasura")] == ["X-Hasura-Role"]
        assert ADMIN_SECRET not in str(headers)

    @pytest.mark.parametrize("name", CALLS)
    def test_is_sent_once_with_eight_seconds_in_all(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
    ) -> None:
        answering(network, name)

        CALLS[name](hasura)

        [call] = network.calls
        assert vars(call.request)["req_kwargs"]["timeout"].total == 8.0

    @pytest.mark.parametrize("name", GRAPHQL_CALLS)
    def test_sends_exactly_the_variables_that_its_document_declares_and_uses(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
    ) -> None:
        answering(network, name)

        CALLS[name](hasura)

        body = body_of(network.calls[0])
        head, _, selection = body["query"].strip().partition("{")
        assert set(re.findall(r"\$(\w+):", head)) == set(re.findall(r"\$(\w+)", selection)) == body["variables"].keys()


class TestInsertPost:
    def test_gives_the_stored_row(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        answering(network, "insert_post")

        assert hasura.insert_post(DRAFT, TOKEN, None) == STORED

    def test_leaves_out_what_the_author_left_out(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        answering(network, "insert_post")

        hasura.insert_post(DRAFT, TOKEN, None)

        assert body_of(network.calls[0])["variables"]["post"].keys() == {"text", "schedule_for", "when_late"}

    @pytest.mark.parametrize("own", [7, "7"], ids=["a number", "a number as text"])
    def test_of_one_s_own_user_id_is_stored_without_it(
        self, hasura: Hasura, network: responses.RequestsMock, own: int | str
    ) -> None:
        network.post(GRAPHQL, json={"data": {"user": [{"id": own}]}})
        answering(network, "insert_post")

        assert hasura.insert_post(replace(DRAFT, user_id=7), TOKEN, "a-key") == STORED

        asked, inserted = (body_of(call) for call in network.calls)
        assert (asked["query"], asked["variables"]) == (documents.AUTHOR, {})
        assert inserted["variables"]["post"].keys() == {
            "text", "schedule_for", "when_late", "request_key", "request_draft",
        }  # fmt: skip
        assert inserted["variables"]["post"]["request_draft"]["user_id"] == 7

    def test_of_the_user_id_of_anybody_else_is_refused_and_not_inserted(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"user": [{"id": 7}]}})

        with pytest.raises(Forbidden) as refused:
            hasura.insert_post(replace(DRAFT, user_id=8), TOKEN, None)

        assert refused.value.detail == "user_id must be your own."
        assert len(network.calls) == 1

    def test_with_a_user_id_by_somebody_who_never_signed_up_says_to_sign_up(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        network.post(GRAPHQL, json={"data": {"user": []}})
        network.post(GRAPHQL, json=refusal("constraint-violation", 'Not-NULL violation. null value in "user_id"'))

        with pytest.raises(Forbidden, match="Sign up first"):
            hasura.insert_post(replace(DRAFT, user_id=8), TOKEN, None)

    def test_of_a_key_that_is_used_already_gives_none(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        network.post(GRAPHQL, json={"data": {"insert_scheduled_post_one": None}})

        assert hasura.insert_post(DRAFT, TOKEN, "a-key") is None


class TestPostOfKey:
    def test_gives_the_post_with_the_draft_and_the_event_of_its_first_request(
        self, hasura: Hasura, network: responses.RequestsMock
    ) -> None:
        row = {**STORED, "request_draft": {"text": "Hello"}, "event_id": "an-event"}
        network.post(GRAPHQL, json={"data": {"scheduled_post": [row]}})

        assert hasura.post_of_key("a-key", TOKEN) == EarlierPost(STORED, {"text": "Hello"}, "an-event")

    def test_gives_none_where_there_is_none(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        answering(network, "post_of_key")

        assert hasura.post_of_key("a-key", TOKEN) is None


class TestClaimAndRecord:
    def test_a_claim_may_be_empty(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        answering(network, "claim_due_posts")

        assert hasura.claim_due_posts(None) == Claim()

    def test_a_claim_follows_the_settings(self, network: responses.RequestsMock) -> None:
        answering(network, "claim_due_posts")
        hasura = Hasura(settings(PUBLISH_BATCH="3", MAX_LATENESS_SECONDS="600"))

        hasura.claim_due_posts(None)

        args = body_of(network.calls[0])["variables"]["args"]
        assert (args["batch_size"], args["max_lateness_seconds"]) == (hasura.batch_size, 600) == (3, 600)

    @pytest.mark.parametrize(
        ("answer", "recorded"),
        [
            pytest.param([{"recorded": True, "state": "tweeted"}], Recorded(True, State.TWEETED), id="written"),
            pytest.param([{"recorded": False, "state": "sending"}], Recorded(False, State.SENDING), id="too late"),
            pytest.param([], Recorded(False, None), id="the post was deleted"),
        ],
    )
    def test_a_record_says_whether_it_was_written_and_what_the_post_is_now(
        self, hasura: Hasura, network: responses.RequestsMock, answer: Any, recorded: Recorded
    ) -> None:
        network.post(GRAPHQL, json={"data": {"record_outcome": answer}})

        assert hasura.record(POST, TWEETED) == recorded


class TestFindPost:
    def test_gives_none_when_there_is_none(self, hasura: Hasura, network: responses.RequestsMock) -> None:
        answering(network, "find_post")

        assert hasura.find_post(7) is None


def test_tweets_of_other_posts_are_known(hasura: Hasura, network: responses.RequestsMock) -> None:
    network.post(GRAPHQL, json={"data": {"scheduled_post": [{"tweet_id": "2"}]}})

    assert hasura.published_elsewhere(["1", "2"]) == {"2"}


@pytest.mark.parametrize(("affected_rows", "is_kept"), [(1, True), (0, False)])
def test_an_event_is_kept_unless_another_delivery_has_kept_one_meanwhile(
    hasura: Hasura, network: responses.RequestsMock, affected_rows: int, is_kept: bool
) -> None:
    network.post(GRAPHQL, json={"data": {"update_scheduled_post": {"affected_rows": affected_rows}}})

    assert hasura.record_event(7, "new", NOON, instead_of="old") is is_kept


class TestTheTurnToWait:
    def asked(self, network: responses.RequestsMock, **settings_given: str) -> Any:
        """The arguments."""
        answering(network, "wait_for_due_posts")
        stay, wait = timedelta(seconds=20), timedelta(seconds=59.5)
        Hasura(settings(**settings_given)).wait_for_due_posts("a-delivery", stay, wait)
        return body_of(network.calls[-1])["variables"]["args"]

    def test_is_asked_for_posts_that_are_due_a_little_later_than_events_are_early(
        self, network: responses.RequestsMock
    ) -> None:
        args = self.asked(network, EARLY_SECONDS="15")

        assert args == {"caller": "a-delivery", "ahead_seconds": 17, "stay_seconds": 20, "wait_seconds": 59.5}

    def test_is_asked_for_no_posts_when_events_are_not_early(self, network: responses.RequestsMock) -> None:
        assert self.asked(network, EARLY_SECONDS="0")["ahead_seconds"] == 0

    @pytest.mark.parametrize(
        ("due_in", "is_in"), [(1.5, timedelta(seconds=1.5)), ("1.5", timedelta(seconds=1.5)), (None, None)]
    )
    def test_comes_with_the_time_until_the_next_post(
        self, hasura: Hasura, network: responses.RequestsMock, due_in: Any, is_in: timedelta | None
    ) -> None:
        row = {"is_needed": True, "is_callers": False, "due_in_seconds": due_in}
        network.post(GRAPHQL, json={"data": {"wait_for_due_posts": [row]}})

        turn = hasura.wait_for_due_posts("a-delivery", timedelta(), timedelta(seconds=60))

        assert turn == TurnToWait(is_needed=True, is_callers=False, due_in=is_in)


class TestCreateEvent:
    def created(self, network: responses.RequestsMock, payload: dict[str, Any], **changed: str) -> Any:
        """What Hasura is asked to create."""
        network.post(METADATA, json=EVENT)
        Hasura(settings(**changed)).create_event(NOON, payload)
        return body_of(network.calls[-1])["args"]

    @pytest.mark.parametrize("answer", [EVENT, {"message": "success"}], ids=["since v2.1", "v1.3 and v2.0"])
    def test_gives_what_hasura_says(self, hasura: Hasura, network: responses.RequestsMock, answer: Any) -> None:
        network.post(METADATA, json=answer)

        assert hasura.create_event(NOON, {"id": 7}) == answer

    def test_names_the_secret_of_the_webhook_and_does_not_hold_it(self, network: responses.RequestsMock) -> None:
        event = self.created(network, {"id": 7})

        assert event["headers"] == [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}]
        assert SETTINGS["WEBHOOK_SECRET"] not in json.dumps(event)

    @pytest.mark.parametrize("address", ["http://functions.test", "{{ACTIONS_BASE_URL}}"])
    def test_leaves_a_template_in_the_address_for_hasura_to_fill_in(
        self, network: responses.RequestsMock, address: str
    ) -> None:
        event = self.created(network, {"id": 7}, ACTIONS_BASE_URL=address)

        assert event["webhook"] == f"{address}/api/postTweet"

    def test_keeps_the_event_deliverable_longer_than_its_post_is_publishable(
        self, network: responses.RequestsMock
    ) -> None:
        event = self.created(network, {"id": 7}, MAX_LATENESS_SECONDS="600")

        assert event["retry_conf"]["tolerance_seconds"] > 600

    def test_says_in_the_console_of_hasura_what_the_event_is_for(self, network: responses.RequestsMock) -> None:
        assert self.created(network, {"id": 7})["comment"] == "publishes post 7"


class TestTheMetadataApi:
    @pytest.mark.parametrize("name", METADATA_CALLS)
    def test_of_an_older_hasura_is_used_where_the_newer_one_is_absent(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
    ) -> None:
        network.post(METADATA, status=404, body="404 Not Found")
        network.post(QUERY, json={"message": "success"})

        CALLS[name](hasura)

        first, second = (call.request for call in network.calls)
        assert first.body == second.body
        assert second.headers["x-hasura-admin-secret"] == ADMIN_SECRET

    def test_that_is_absent_in_both_forms_is_unavailable(self, hasura: Hasura, network: responses.RequestsMock) -> None:
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
        self, hasura: Hasura, network: responses.RequestsMock, status: int, code: str, message: str
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
        self, hasura: Hasura, network: responses.RequestsMock, status: int, body: Any
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
        hasura: Hasura,
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
        self, hasura: Hasura, network: responses.RequestsMock, code: str, message: str, field: str, words: str
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
        self, hasura: Hasura, network: responses.RequestsMock, message: str, retry_after: int
    ) -> None:
        network.post(GRAPHQL, json=refusal("data-exception", message))

        with pytest.raises(TooManyPosts) as caught:
            hasura.insert_post(DRAFT, TOKEN, None)

        assert (caught.value.detail, caught.value.retry_after) == (message, retry_after)

    @pytest.mark.parametrize("code", ["unexpected", "postgres-error", "a-code-of-tomorrow", None, 7])
    def test_that_is_no_fault_of_the_author_is_unavailable_and_does_not_say_why(
        self, hasura: Hasura, network: responses.RequestsMock, code: Any
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
    def test_is_for_the_operator_to_mend(self, hasura: Hasura, network: responses.RequestsMock, name: str) -> None:
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
        self, hasura: Hasura, network: responses.RequestsMock, code: str, error: type[Problem], words: str
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
        self, hasura: Hasura, network: responses.RequestsMock, name: str, status: int, body: Any
    ) -> None:
        network.post(GRAPHQL, status=status, **as_answer(body))

        with pytest.raises(HasuraUnavailable, match=f"Hasura answered {status} without data"):
            CALLS[name](hasura)

    @pytest.mark.parametrize("name", GRAPHQL_CALLS)
    def test_when_data_comes_with_a_status_that_is_no_success(
        self, hasura: Hasura, network: responses.RequestsMock, name: str
    ) -> None:
        network.post(GRAPHQL, status=502, json={"data": GRAPHQL_CALLS[name][1]})

        with pytest.raises(HasuraUnavailable, match="502"):
            CALLS[name](hasura)

    @pytest.mark.parametrize("error", [requests.ConnectTimeout(), requests.ReadTimeout()], ids=repr)
    @pytest.mark.parametrize("name", CALLS)
    def test_when_it_does_not_answer_and_it_is_not_asked_twice(
        self, hasura: Hasura, network: responses.RequestsMock, name: str, error: Exception
    ) -> None:
        network.post(url_of(name), body=error)

        with pytest.raises(HasuraUnavailable, match="could not be asked"):
            CALLS[name](hasura)

        assert len(network.calls) == 1


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "body", [refusal("access-denied", "no"), refusal("unexpected", "no"), HTML], ids=["refusal", "trouble", "HTML"]
)
def test_no_error_tells_a_secret(hasura: Hasura, network: responses.RequestsMock, name: str, body: Any) -> None:
    network.post(url_of(name), status=500, **as_answer(body))

    with pytest.raises(Problem) as caught:
        CALLS[name](hasura)

    told = repr(caught.value) + "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in (ADMIN_SECRET, TOKEN) if secret in told]
