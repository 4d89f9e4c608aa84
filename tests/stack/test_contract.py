"""What `shared/hasura.py` and `shared/x.py` rely on, asked of the systems themselves.

By default these are the local stack's. Environment variables alone point the same tests at real ones:

    CONTRACT_DOTENV=real.env     the settings of shared/config.py; a Hasura for tests only, whose bells reach nobody
    CONTRACT_ACCESS_TOKEN=... CONTRACT_ACCESS_TOKEN_SECRET=...     an account on X for tests only: it really posts
    CONTRACT_USER_TOKEN=... CONTRACT_USERNAME=...                  needed unless HASURA_GRAPHQL_JWT_SECRET is HS256
"""

import json
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from waiting import wait_until

from local.running_stack import RunningStack, started
from shared.clock import SystemClock
from shared.config import Settings, load
from shared.core.drafts import Draft
from shared.core.model import Account, Outcome, Post
from shared.errors import Forbidden, InvalidDraft, Refused, SignInRefused, Unauthorized
from shared.hasura.client import Hasura
from shared.x.client import X


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def quiet_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The local stack without the functions, so that no bell claims what a test is about to claim."""
    with started(tmp_path_factory.mktemp("quiet_stack"), "--without", "functions") as running:
        yield running


@pytest.fixture(scope="module")
def settings(request: pytest.FixtureRequest) -> Settings:
    if dotenv := os.environ.get("CONTRACT_DOTENV"):
        return load({}, dotenv=Path(dotenv))
    return load(request.getfixturevalue("quiet_stack").settings, dotenv=Path(os.devnull))


@dataclass(frozen=True)
class Author:
    """A user of the Hasura under test, with an account nobody can post from."""

    user_id: int
    account_id: int
    token: str


@pytest.fixture
def hasura(settings: Settings) -> Hasura:
    return Hasura(settings)


@pytest.fixture
def author(settings: Settings) -> Iterator[Author]:
    yield from new_author(settings)


@pytest.fixture
def other_author(settings: Settings) -> Iterator[Author]:
    if "CONTRACT_USER_TOKEN" in os.environ:
        pytest.skip("needs tokens for two users, so a HASURA_GRAPHQL_JWT_SECRET of type HS256")
    yield from new_author(settings)


def new_author(settings: Settings) -> Iterator[Author]:
    """Made by the admin, and removed with all that is theirs."""
    username = os.environ.get("CONTRACT_USERNAME") or f"contract-{uuid.uuid4()}"
    user = as_admin(
        settings,
        """mutation ($username: String!) { insert_user_one(object: {username: $username},
        on_conflict: {constraint: user_username_key, update_columns: [username]}) { id } }""",
        username=username,
    )["insert_user_one"]
    account = as_admin(
        settings,
        """mutation ($name: String!) { insert_account_one(object: {account_name: $name, access_token: "t",
        access_token_secret: "s"}) { id } }""",
        name=username,
    )["insert_account_one"]
    as_admin(
        settings,
        """mutation ($u: bigint!, $a: bigint!) {
        insert_account_user_one(object: {user_id: $u, account_id: $a}) { user_id } }""",
        u=user["id"],
        a=account["id"],
    )
    yield Author(int(user["id"]), int(account["id"]), os.environ.get("CONTRACT_USER_TOKEN") or sign(settings, username))
    as_admin(
        settings,
        """mutation ($u: bigint!, $a: bigint!) {
        delete_user_by_pk(id: $u) { id } delete_account_by_pk(id: $a) { id } }""",
        u=user["id"],
        a=account["id"],
    )


def sign(settings: Settings, username: str) -> str:
    secret = json.loads(settings.hasura_graphql_jwt_secret)
    claims = {
        "x-hasura-default-role": "user",
        "x-hasura-allowed-roles": ["user"],
        "x-hasura-user-id": username,
    }
    namespace = secret.get("claims_namespace", "https://hasura.io/jwt/claims")
    payload = {namespace: claims, "exp": now() + timedelta(minutes=10)}
    payload |= {claim: secret[key] for claim, key in (("aud", "audience"), ("iss", "issuer")) if key in secret}
    return jwt.encode(payload, secret["key"], secret["type"])


def as_admin(settings: Settings, document: str, **variables: Any) -> Any:
    answer = requests.post(
        f"{settings.app_base_api}/v1/graphql",
        json={"query": document, "variables": variables},
        headers={"x-hasura-admin-secret": settings.hasura_graphql_admin_secret},
        timeout=10,
    ).json()
    assert "errors" not in answer, answer
    return answer["data"]


def metadata(settings: Settings, operation: str, args: dict[str, Any]) -> Any:
    answer = requests.post(
        f"{settings.app_base_api}/v1/metadata",
        json={"type": operation, "args": args},
        headers={"x-hasura-admin-secret": settings.hasura_graphql_admin_secret},
        timeout=10,
    )
    assert answer.ok, answer.text
    return answer.json()


def due_post(hasura: Hasura, author: Author, text: str = "contract", seconds_late: int = 30) -> int:
    row = hasura.insert_post(Draft(text, now() - timedelta(seconds=seconds_late)), author.token)
    assert row
    return int(row["id"])


def claimed(hasura: Hasura, post_id: int) -> Post:
    [post] = [post for post in hasura.claim_due_posts(post_id) if post.id == post_id]
    return post


def found(hasura: Hasura, post_id: int) -> Post:
    post = hasura.find_post(post_id)
    assert post is not None
    return post


def attempts_of(settings: Settings, post_id: int) -> list[dict[str, Any]]:
    attempts: list[dict[str, Any]] = as_admin(
        settings,
        """query ($id: bigint!) { post_attempt(where: {post_id: {_eq: $id}}, order_by: {number: asc})
        { number text outcome status_code detail finished_at } }""",
        id=post_id,
    )["post_attempt"]
    return attempts


def tweeted() -> Outcome:
    tweet_id = str(uuid.uuid4().int)[:19]
    return Outcome("tweeted", "tweeted", "X accepted it.", tweet_id=tweet_id, status_code=201, attempts=(1,))


FAILED = Outcome("failed", "refused", "X refused it.", reason="X refused it.", status_code=403, attempts=(1,))
UNKNOWN = Outcome("unknown", "unknown", "no answer", reason="no answer", attempts=(1,))


def not_sent(until: datetime) -> Outcome:
    return Outcome("scheduled", "not_sent", "no connection", reason="no connection", not_before=until, attempts=(1,))


class TestInsert:
    def test_stores_the_draft_with_the_author_s_only_account(self, hasura: Hasura, author: Author) -> None:
        at = now() + timedelta(days=1)

        row = hasura.insert_post(Draft("hello", at), author.token)

        assert row
        assert (row["text"], row["state"], row["is_pending"]) == ("hello", "scheduled", True)
        assert (int(row["user_id"]), int(row["account_id"])) == (author.user_id, author.account_id)
        assert datetime.fromisoformat(row["schedule_for"]) == at

    def test_refuses_a_user_who_is_not_the_caller(self, hasura: Hasura, author: Author, other_author: Author) -> None:
        with pytest.raises(Forbidden):
            hasura.insert_post(Draft("hello", now(), user_id=other_author.user_id), author.token)

    def test_refuses_an_account_of_somebody_else(self, hasura: Hasura, author: Author, other_author: Author) -> None:
        with pytest.raises(Forbidden):
            hasura.insert_post(Draft("hello", now(), account_id=other_author.account_id), author.token)

    def test_refuses_an_account_that_is_none(self, hasura: Hasura, author: Author) -> None:
        with pytest.raises(InvalidDraft) as refused:
            hasura.insert_post(Draft("hello", now(), account_id=2**40), author.token)

        assert [fault.field for fault in refused.value.faults] == ["account_id"]

    def test_refuses_to_guess_among_several_accounts(
        self, settings: Settings, hasura: Hasura, author: Author, other_author: Author
    ) -> None:
        as_admin(
            settings,
            """mutation ($u: bigint!, $a: bigint!) {
            insert_account_user_one(object: {user_id: $u, account_id: $a}) { user_id } }""",
            u=author.user_id,
            a=other_author.account_id,
        )

        with pytest.raises(InvalidDraft, match="several X accounts"):
            hasura.insert_post(Draft("hello", now()), author.token)

    def test_refuses_a_forged_token(self, hasura: Hasura) -> None:
        with pytest.raises(Unauthorized):
            hasura.insert_post(Draft("hello", now()), jwt.encode({"sub": "x"}, "k" * 32, "HS256"))


class TestClaim:
    def test_hands_over_a_due_post_with_its_account_and_opens_its_attempt(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        post_id = due_post(hasura, author, "due")

        post = claimed(hasura, post_id)

        assert (post.state, post.text, post.tries, post.user_id) == ("sending", "due", 1, author.user_id)
        assert post.account == Account(
            author.account_id, post.account.name if post.account else "", frozenset({author.user_id}), "t", "s"
        )
        [attempt] = attempts_of(settings, post_id)
        assert (attempt["number"], attempt["text"], attempt["outcome"]) == (1, "due", None)

    def test_hands_it_over_once(self, hasura: Hasura, author: Author) -> None:
        post_id = due_post(hasura, author)
        claimed(hasura, post_id)

        again = hasura.claim_due_posts(post_id)

        assert post_id not in [post.id for post in again]
        assert found(hasura, post_id).state == "sending"

    def test_at_the_same_time_never_hands_over_the_same_post_twice(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        posts = {due_post(hasura, author, f"post {number}", seconds_late=60 + number) for number in range(40)}

        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda _: Hasura(settings).claim_due_posts(None), range(16)))

        ours = [post.id for claim in claims for post in claim if post.id in posts]
        assert sorted(ours) == sorted(posts)

    def test_leaves_what_is_not_due(self, hasura: Hasura, author: Author) -> None:
        row = hasura.insert_post(Draft("later", now() + timedelta(hours=1)), author.token)
        assert row

        assert int(row["id"]) not in [post.id for post in hasura.claim_due_posts(int(row["id"]))]

    def test_takes_the_ringing_post_before_older_ones(self, settings: Settings, author: Author, hasura: Hasura) -> None:
        older = [due_post(hasura, author, f"older {number}", seconds_late=90) for number in range(3)]
        ringing = due_post(hasura, author, "ringing", seconds_late=1)

        first = Hasura(replace(settings, publish_batch=1)).claim_due_posts(ringing)

        assert [post.id for post in first] == [ringing]
        assert {found(hasura, post_id).state for post_id in older} == {"scheduled"}

    def test_marks_what_is_too_late_as_missed(self, settings: Settings, hasura: Hasura, author: Author) -> None:
        post_id = due_post(hasura, author, seconds_late=settings.max_lateness_seconds + 60)

        post = claimed(hasura, post_id)

        assert (post.state, post.tries) == ("missed", 0)
        assert attempts_of(settings, post_id) == []

    def test_never_hands_over_what_may_have_been_sent(self, settings: Settings, hasura: Hasura, author: Author) -> None:
        post_id = due_post(hasura, author)
        claimed(hasura, post_id)
        as_admin(
            settings,
            """mutation ($id: bigint!, $past: timestamptz!) {
            update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {lease_until: $past}) { id } }""",
            id=post_id,
            past=(now() - timedelta(seconds=1)).isoformat(),
        )

        post = claimed(hasura, post_id)

        assert (post.state, post.is_leased) == ("unknown", False)
        assert [attempt["outcome"] for attempt in attempts_of(settings, post_id)] == ["unknown"]

    def test_hands_over_what_is_to_be_looked_up_once_with_what_was_sent(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        first = claimed(hasura, due_post(hasura, author, "as it was sent"))
        hasura.record(first, replace(UNKNOWN, not_before=now() - timedelta(seconds=1)))

        post = claimed(hasura, first.id)

        assert (post.state, post.is_leased, post.tries, post.attempt) == ("unknown", True, 1, 1)
        assert [(question.number, question.text) for question in post.questions] == [(1, "as it was sent")]
        assert first.id not in [other.id for other in hasura.claim_due_posts(first.id)]

    def test_hands_over_what_is_too_late_when_its_author_wants_it_all_the_same(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        late = Draft("late", now() - timedelta(seconds=settings.max_lateness_seconds + 60), when_late="publish")
        row = hasura.insert_post(late, author.token)
        assert row

        assert claimed(hasura, int(row["id"])).state == "sending"


class TestRecord:
    def test_ends_the_post_and_its_attempt_together(self, settings: Settings, hasura: Hasura, author: Author) -> None:
        post = claimed(hasura, due_post(hasura, author))

        outcome = tweeted()
        hasura.record(post, outcome)

        assert (found(hasura, post.id).state, found(hasura, post.id).tweet_id) == ("tweeted", outcome.tweet_id)
        [attempt] = attempts_of(settings, post.id)
        assert (attempt["outcome"], attempt["status_code"], attempt["detail"]) == ("tweeted", 201, "X accepted it.")
        assert attempt["finished_at"]

    def test_makes_a_post_that_was_not_sent_wait(self, hasura: Hasura, author: Author) -> None:
        post = claimed(hasura, due_post(hasura, author))
        later = now() + timedelta(hours=1)

        hasura.record(post, not_sent(later))

        waiting = found(hasura, post.id)
        assert (waiting.state, waiting.due_at, waiting.reason) == ("scheduled", later, "no connection")
        assert post.id not in [due.id for due in hasura.claim_due_posts(post.id)]

    def test_of_a_tweet_is_final(self, hasura: Hasura, author: Author) -> None:
        post = claimed(hasura, due_post(hasura, author))
        hasura.record(post, tweeted())

        hasura.record(post, FAILED)

        assert found(hasura, post.id).state == "tweeted"

    def test_of_a_tweet_comes_through_whatever_happened_to_the_row(self, hasura: Hasura, author: Author) -> None:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, not_sent(now() - timedelta(seconds=1)))
        claimed(hasura, first.id)

        hasura.record(first, tweeted())

        assert found(hasura, first.id).state == "tweeted"

    def test_of_an_older_try_does_not_disturb_a_later_one(self, hasura: Hasura, author: Author) -> None:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, not_sent(now() - timedelta(seconds=1)))
        claimed(hasura, first.id)

        hasura.record(first, FAILED)

        assert found(hasura, first.id).state == "sending"

    def test_of_a_try_that_was_looked_up_meanwhile_leaves_its_attempt_unknown(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, replace(UNKNOWN, not_before=now() - timedelta(seconds=1)))
        look = claimed(hasura, first.id)
        hasura.record(look, replace(UNKNOWN, not_before=now() - timedelta(seconds=1), looks=1, attempts=()))

        hasura.record(first, not_sent(now()))

        assert found(hasura, first.id).state == "unknown"
        assert [attempt["outcome"] for attempt in attempts_of(settings, first.id)] == ["unknown"]


class TestRecordingALook:
    def looked_at(self, hasura: Hasura, author: Author) -> Post:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, replace(UNKNOWN, not_before=now() - timedelta(seconds=1)))
        return claimed(hasura, first.id)

    def test_that_found_it_answers_the_attempt(self, settings: Settings, hasura: Hasura, author: Author) -> None:
        post = self.looked_at(hasura, author)

        hasura.record(post, tweeted())

        assert found(hasura, post.id).state == "tweeted"
        assert [attempt["outcome"] for attempt in attempts_of(settings, post.id)] == ["tweeted"]

    def test_that_found_an_earlier_try_answers_the_later_ones_too(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        post = self.looked_at(hasura, author)
        hasura.record(post, Outcome("scheduled", "absent", "It is not on X.", attempts=(1,)))
        again = claimed(hasura, post.id)
        hasura.record(again, replace(UNKNOWN, not_before=now() - timedelta(seconds=1), attempts=(2,)))

        hasura.record(claimed(hasura, post.id), replace(tweeted(), attempts=(1,), absent=(2,)))

        assert [attempt["outcome"] for attempt in attempts_of(settings, post.id)] == ["tweeted", "absent"]

    def test_that_found_nothing_makes_it_due_again(self, settings: Settings, hasura: Hasura, author: Author) -> None:
        post = self.looked_at(hasura, author)

        hasura.record(post, Outcome("scheduled", "absent", "It is not on X.", attempts=(1,)))

        again = claimed(hasura, post.id)
        assert (again.state, again.attempt, len(again.questions)) == ("sending", 2, 1)
        assert [attempt["outcome"] for attempt in attempts_of(settings, post.id)] == ["absent", None]

    def test_that_could_not_be_made_waits_for_the_next(self, hasura: Hasura, author: Author) -> None:
        post = self.looked_at(hasura, author)
        later = now() + timedelta(minutes=2)

        hasura.record(post, Outcome("unknown", "unknown", "no", reason="no", not_before=later, looks=1))

        waiting = found(hasura, post.id)
        assert (waiting.state, waiting.looks, waiting.not_before) == ("unknown", 1, later)
        assert post.id not in [other.id for other in hasura.claim_due_posts(post.id)]


class TestAKey:
    def test_makes_one_post_of_many_creates_at_once(self, hasura: Hasura, author: Author) -> None:
        draft, key = Draft("once", now() + timedelta(hours=1)), str(uuid.uuid4())

        with ThreadPoolExecutor(8) as pool:
            rows = list(pool.map(lambda _: hasura.insert_post(draft, author.token, key), range(8)))

        [stored] = [row for row in rows if row]
        first = hasura.post_of_key(key, author.token)
        assert first
        assert first["id"] == stored["id"]
        assert first["request_draft"] == draft.as_json()

    def test_is_one_author_s_own(self, hasura: Hasura, author: Author, other_author: Author) -> None:
        draft, key = Draft("mine", now() + timedelta(hours=1)), str(uuid.uuid4())

        assert hasura.insert_post(draft, author.token, key)
        assert hasura.insert_post(draft, other_author.token, key)

    def test_keeps_the_alarm_of_the_first_create(self, hasura: Hasura, author: Author) -> None:
        draft, key = Draft("kept", now() + timedelta(hours=1)), str(uuid.uuid4())
        row = hasura.insert_post(draft, author.token, key)
        assert row

        hasura.keep_alarm(row["id"], {"message": "success", "event_id": "e"})

        first = hasura.post_of_key(key, author.token)
        assert first
        assert first["request_event"] == {"message": "success", "event_id": "e"}


def test_tweets_of_other_posts_are_known(hasura: Hasura, author: Author) -> None:
    post, outcome = claimed(hasura, due_post(hasura, author)), tweeted()
    hasura.record(post, outcome)

    assert hasura.published_elsewhere([str(outcome.tweet_id), "1"]) == {outcome.tweet_id}


class TestHold:
    def test_keeps_the_posts_of_an_account_from_being_claimed(
        self, hasura: Hasura, author: Author, other_author: Author
    ) -> None:
        held, free = due_post(hasura, author), due_post(hasura, other_author)
        until = now() + timedelta(minutes=5)

        hasura.hold(until, "limited", author.account_id)

        due = [post.id for post in hasura.claim_due_posts(held)]
        assert held not in due
        assert free in due
        assert (found(hasura, held).due_at, found(hasura, held).reason) == (until, None)

    def test_is_never_shortened(self, hasura: Hasura, author: Author) -> None:
        post_id = due_post(hasura, author)
        long = now() + timedelta(hours=1)
        hasura.hold(long, "suspended", author.account_id)

        hasura.hold(now() + timedelta(minutes=5), "limited", author.account_id)

        assert found(hasura, post_id).due_at == long

    def test_of_the_app_keeps_everything_from_being_claimed(
        self, settings: Settings, hasura: Hasura, author: Author
    ) -> None:
        post_id = due_post(hasura, author)

        hasura.hold(now() + timedelta(hours=1), "no credits", None)
        try:
            assert hasura.claim_due_posts(post_id) == []
            assert found(hasura, post_id).due_at > now()
        finally:
            as_admin(settings, "mutation { update_app(where: {}, _set: {held_until: null}) { affected_rows } }")


def test_the_statuses_of_others_are_those_of_other_accounts(
    hasura: Hasura, author: Author, other_author: Author
) -> None:
    start = now() - timedelta(seconds=1)
    hasura.record(claimed(hasura, due_post(hasura, other_author)), FAILED)

    assert 403 in hasura.statuses_of_others(author.account_id, start)
    assert hasura.statuses_of_others(author.account_id, now() + timedelta(hours=1)) == set()


def test_a_claimed_post_says_when_its_sign_in_was_refused(hasura: Hasura, author: Author) -> None:
    first = claimed(hasura, due_post(hasura, author))
    refused = Outcome(
        "scheduled",
        "not_sent",
        "401",
        reason="401",
        status_code=401,
        not_before=now() - timedelta(seconds=1),
        attempts=(1,),
        sign_in_refused=True,
    )
    hasura.record(first, refused)

    second = claimed(hasura, first.id)

    assert first.sign_in_refused_at is None
    assert second.sign_in_refused_at is not None


def test_an_alarm_is_stored_with_its_payload_and_the_secret_s_name(settings: Settings, hasura: Hasura) -> None:
    at = now() + timedelta(days=30)
    mark = str(uuid.uuid4())

    answer = hasura.set_alarm(at, {"id": 0, "mark": mark})

    events = metadata(settings, "get_scheduled_events", {"type": "one_off", "status": ["scheduled"]})["events"]
    [event] = [event for event in events if (event["payload"] or {}).get("mark") == mark]
    metadata(settings, "delete_scheduled_event", {"type": "one_off", "event_id": event["id"]})
    assert answer["message"] == "success"
    assert answer.get("event_id", event["id"]) == event["id"]
    assert datetime.fromisoformat(event["scheduled_time"]) == at
    assert event["header_conf"] == [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}]


def test_no_post_is_found_where_there_is_none(hasura: Hasura) -> None:
    assert hasura.find_post(2**40) is None


@pytest.fixture
def account(request: pytest.FixtureRequest) -> Account:
    """An account that really posts."""
    if token := os.environ.get("CONTRACT_ACCESS_TOKEN"):
        return Account(1, "contract", frozenset(), token, os.environ["CONTRACT_ACCESS_TOKEN_SECRET"])
    if "CONTRACT_DOTENV" in os.environ:
        pytest.skip("needs CONTRACT_ACCESS_TOKEN and CONTRACT_ACCESS_TOKEN_SECRET of an account on the real X")
    stack: RunningStack = request.getfixturevalue("quiet_stack")
    user = requests.post(f"{stack.urls['x']}/_local/users", json={"username": "contract"}, timeout=10).json()
    return Account(1, "contract", frozenset(), user["access_token"], user["access_token_secret"])


@pytest.fixture
def x(settings: Settings) -> X:
    return X(settings, SystemClock().now)


class TestX:
    def test_takes_a_text_and_gives_its_id(self, x: X, account: Account) -> None:
        assert x.publish(account, f"Contract test {uuid.uuid4()} & more: <é 漢 👍>\nsecond line").isdecimal()

    def test_refuses_the_same_text_twice(self, x: X, account: Account) -> None:
        text = f"Contract test {uuid.uuid4()}"
        x.publish(account, text)

        with pytest.raises(Refused, match="already"):
            x.publish(account, text)

    def test_refuses_a_wrong_token(self, x: X, account: Account) -> None:
        with pytest.raises(SignInRefused):
            x.publish(replace(account, access_token_secret="wrong"), "never out")

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(
                "See https://example.com/a?b=1&c=2#d, (https://example.com) and https://example.org/.", id="links"
            ),
            pytest.param("Read main.py on example.com. Or Example.ORG/Path/", id="bare-domains"),
            pytest.param("1 < 2 & 3 > 2, AT&amp;T <é e\u0301 漢 👩\u200d🔬 👍🏽>", id="escapes-and-emoji"),
            pytest.param("  first  line\nsecond\n\n  fourth ", id="white-space"),
        ],
    )
    def test_shows_a_text_so_that_it_is_found_again(self, x: X, account: Account, text: str) -> None:
        text, since = f"{text}{uuid.uuid4()}{text}", now() - timedelta(minutes=1)

        tweet_id = x.publish(account, text)

        assert x.find(account, text, since) == [tweet_id]
        assert x.find(account, f"Another {text}", since) == []

    def test_does_not_show_what_was_published_before(self, x: X, account: Account) -> None:
        text, since = f"Contract test {uuid.uuid4()}", now()
        x.publish(account, text)
        published_by = now()
        later = wait_until(now, lambda time: time > published_by)

        assert x.find(account, text, since)
        assert x.find(account, text, later) == []

    def test_shows_nothing_for_a_wrong_token(self, x: X, account: Account) -> None:
        with pytest.raises(SignInRefused):
            x.find(replace(account, access_token_secret="wrong"), "never out", now() - timedelta(minutes=1))
