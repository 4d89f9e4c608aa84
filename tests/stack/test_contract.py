"""What `shared/hasura` and `shared/x` rely on, asked of the systems themselves.

By default these are the local stack's. Environment variables alone point the same tests at real ones:

    CONTRACT_DOTENV=real.env     the settings of shared/config.py; a Hasura for tests only, whose events reach nobody
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
from both_stores import BothStores
from sealed_value import DOES_NOT_OPEN
from waiting import wait_until

from local.running_stack import RunningStack, started
from shared.clock import SystemClock
from shared.config import Settings, load
from shared.core.drafts import Draft
from shared.core.model import (
    Accepted,
    Account,
    AttemptUpdate,
    Claim,
    ClaimedPost,
    Decision,
    FoundPost,
    Outcome,
    Pause,
    Recorded,
    Rejected,
    Rejection,
    State,
    TimelineUnavailable,
    TurnToWait,
)
from shared.errors import Forbidden, InvalidDraft, Unauthorized
from shared.x.client import X
from shared.x.sealed_tokens import AccessTokens


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def quiet_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """The local stack without the page, and without the functions: no delivery claims what a test is about to claim."""
    nobody = "functions=1"  # and not the default, where a developer's stack may run
    options = ("--without", "functions", "--without", "web", "--port", nobody, "--author-limits", "off")
    with started(tmp_path_factory.mktemp("quiet_stack"), *options) as running:
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
    x_user_id: str
    token: str


@pytest.fixture
def hasura(settings: Settings) -> BothStores:
    return BothStores(settings)


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
    x_user_id = str(uuid.uuid4().int)[:18]
    user = as_admin(
        settings,
        """mutation ($username: String!) { insert_user_one(object: {username: $username},
        on_conflict: {constraint: user_username_key, update_columns: [username]}) { id } }""",
        username=username,
    )["insert_user_one"]
    account = as_admin(
        settings,
        """mutation ($name: String!, $x_user: String!, $sealed: String!) { insert_account_one(
        object: {account_name: $name, x_user_id: $x_user, sealed_tokens: $sealed}) { id } }""",
        name=username,
        x_user=x_user_id,
        sealed=DOES_NOT_OPEN,
    )["insert_account_one"]
    as_admin(
        settings,
        """mutation ($u: bigint!, $a: bigint!) {
        insert_account_user_one(object: {user_id: $u, account_id: $a}) { user_id } }""",
        u=user["id"],
        a=account["id"],
    )
    token = os.environ.get("CONTRACT_USER_TOKEN") or sign(settings, username)
    yield Author(int(user["id"]), int(account["id"]), x_user_id, token)
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
        timeout=60,
    ).json()
    assert "errors" not in answer, answer
    return answer["data"]


def metadata(settings: Settings, operation: str, args: dict[str, Any]) -> Any:
    answer = requests.post(
        f"{settings.app_base_api}/v1/metadata",
        json={"type": operation, "args": args},
        headers={"x-hasura-admin-secret": settings.hasura_graphql_admin_secret},
        timeout=60,
    )
    assert answer.ok, answer.text
    return answer.json()


def due_post(hasura: BothStores, author: Author, text: str = "contract", seconds_late: int = 30) -> int:
    row = hasura.insert_post(Draft(text, now() - timedelta(seconds=seconds_late)), author.token, None)
    assert row
    return int(row["id"])


def ids(claim: Claim) -> list[int]:
    return [post.id for post in claim.posts] + [post.id for post in claim.missed]


def claimed(hasura: BothStores, post_id: int) -> ClaimedPost:
    [post] = [post for post in hasura.claim_due_posts(post_id).posts if post.id == post_id]
    return post


def found(hasura: BothStores, post_id: int) -> FoundPost:
    post = hasura.find_post(post_id)
    assert isinstance(post, FoundPost)
    return post


def log_of(settings: Settings, post_id: int) -> list[dict[str, Any]]:
    attempts: list[dict[str, Any]] = as_admin(
        settings,
        """query ($id: bigint!) { post_attempt(where: {post_id: {_eq: $id}}, order_by: {number: asc})
        { number text outcome rejection status_code detail finished_at } }""",
        id=post_id,
    )["post_attempt"]
    return attempts


def outcomes(settings: Settings, post_id: int) -> list[str | None]:
    return [attempt["outcome"] for attempt in log_of(settings, post_id)]


def let_lease_end(settings: Settings, post_id: int) -> None:
    as_admin(
        settings,
        """mutation ($id: bigint!, $past: timestamptz!) {
        update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: {lease_until: $past}) { id } }""",
        id=post_id,
        past=(now() - timedelta(seconds=1)).isoformat(),
    )


A_MOMENT_AGO = timedelta(seconds=-1)


def tweeted(number: int = 1, *absent: int) -> Decision:
    log = [AttemptUpdate(number, Outcome.TWEETED, "X accepted it.", code=201)]
    log += [AttemptUpdate(other, Outcome.ABSENT, "X does not have it.") for other in absent]
    return Decision(State.TWEETED, tuple(log), tweet_id=str(uuid.uuid4().int)[:19])


def failed(number: int = 1) -> Decision:
    log = (AttemptUpdate(number, Outcome.REJECTED, "X rejects it.", Rejection.POST, 403),)
    return Decision(State.FAILED, log, "X rejects it.")


def not_sent(wait: timedelta, number: int = 1) -> Decision:
    log = (AttemptUpdate(number, Outcome.NOT_SENT, "no connection"),)
    return Decision(State.SCHEDULED, log, "no connection", next_attempt_at=now() + wait)


def unknown(wait: timedelta, number: int = 1) -> Decision:
    log = (AttemptUpdate(number, Outcome.UNKNOWN, "no answer"),)
    return Decision(State.UNKNOWN, log, "no answer", reconcile_at=now() + wait)


def absent(number: int = 1) -> Decision:
    return Decision(
        State.SCHEDULED, (AttemptUpdate(number, Outcome.ABSENT, "X does not have it."),), "It was not on X."
    )


class TestInsert:
    def test_stores_the_draft_with_the_author_s_only_account(self, hasura: BothStores, author: Author) -> None:
        at = now() + timedelta(days=1)

        row = hasura.insert_post(Draft("hello", at), author.token, None)

        assert row
        assert (row["text"], row["state"], row["is_pending"]) == ("hello", "scheduled", True)
        assert (int(row["user_id"]), int(row["account_id"])) == (author.user_id, author.account_id)
        assert datetime.fromisoformat(row["schedule_for"]) == at

    def test_refuses_a_user_who_is_not_the_caller(
        self, hasura: BothStores, author: Author, other_author: Author
    ) -> None:
        with pytest.raises(Forbidden):
            hasura.insert_post(Draft("hello", now(), user_id=other_author.user_id), author.token, None)

    def test_refuses_an_account_of_somebody_else(
        self, hasura: BothStores, author: Author, other_author: Author
    ) -> None:
        with pytest.raises(Forbidden):
            hasura.insert_post(Draft("hello", now(), account_id=other_author.account_id), author.token, None)

    def test_refuses_an_account_that_is_none(self, hasura: BothStores, author: Author) -> None:
        with pytest.raises(Forbidden, match="linked to you"):
            hasura.insert_post(Draft("hello", now(), account_id=2**40), author.token, None)

    def test_refuses_to_guess_among_several_accounts(
        self, settings: Settings, hasura: BothStores, author: Author, other_author: Author
    ) -> None:
        as_admin(
            settings,
            """mutation ($u: bigint!, $a: bigint!) {
            insert_account_user_one(object: {user_id: $u, account_id: $a}) { user_id } }""",
            u=author.user_id,
            a=other_author.account_id,
        )

        with pytest.raises(InvalidDraft, match="several X accounts"):
            hasura.insert_post(Draft("hello", now()), author.token, None)

    def test_refuses_a_forged_token(self, hasura: BothStores) -> None:
        with pytest.raises(Unauthorized):
            hasura.insert_post(Draft("hello", now()), jwt.encode({"sub": "x"}, "k" * 32, "HS256"), None)


class TestClaim:
    def test_hands_over_a_due_post_with_its_account_and_opens_its_attempt(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post_id = due_post(hasura, author, "due")

        post = claimed(hasura, post_id)

        assert (post.state, post.text, post.attempt_number) == ("sending", "due", 1)
        assert post.account
        assert post.account == Account(author.account_id, post.account.name, author.x_user_id, DOES_NOT_OPEN)
        assert post.may_post
        [attempt] = log_of(settings, post_id)
        assert (attempt["number"], attempt["text"], attempt["outcome"]) == (1, "due", None)

    def test_hands_it_over_once(self, hasura: BothStores, author: Author) -> None:
        post_id = due_post(hasura, author)
        claimed(hasura, post_id)

        again = hasura.claim_due_posts(post_id)

        assert post_id not in ids(again)
        assert found(hasura, post_id).state == "sending"

    def test_at_the_same_time_never_hands_over_the_same_post_twice(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        posts = {due_post(hasura, author, f"post {number}", seconds_late=60 + number) for number in range(40)}

        with ThreadPoolExecutor(8) as pool:
            claims = list(pool.map(lambda _: BothStores(settings).claim_due_posts(None), range(16)))

        ours = [post_id for claim in claims for post_id in ids(claim) if post_id in posts]
        assert sorted(ours) == sorted(posts)

    def test_leaves_what_is_not_due(self, hasura: BothStores, author: Author) -> None:
        row = hasura.insert_post(Draft("later", now() + timedelta(hours=1)), author.token, None)
        assert row

        assert int(row["id"]) not in ids(hasura.claim_due_posts(int(row["id"])))

    def test_takes_the_delivered_post_before_older_ones(
        self, settings: Settings, author: Author, hasura: BothStores
    ) -> None:
        older = [due_post(hasura, author, f"older {number}", seconds_late=90) for number in range(3)]
        delivered = due_post(hasura, author, "delivered", seconds_late=1)

        first = BothStores(replace(settings, publish_batch=1)).claim_due_posts(delivered)

        assert ids(first) == [delivered]
        assert {found(hasura, post_id).state for post_id in older} == {"scheduled"}

    def test_marks_what_is_too_late_as_missed(self, settings: Settings, hasura: BothStores, author: Author) -> None:
        post_id = due_post(hasura, author, seconds_late=settings.max_lateness_seconds + 60)

        [missed] = [post for post in hasura.claim_due_posts(post_id).missed if post.id == post_id]

        assert missed.reason.startswith("Not published: more than 360 minutes past its time.")
        assert log_of(settings, post_id) == []

    def test_hands_over_what_is_too_late_when_its_author_wants_it_all_the_same(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        late = Draft("late", now() - timedelta(seconds=settings.max_lateness_seconds + 60), when_late="publish")
        row = hasura.insert_post(late, author.token, None)
        assert row

        assert claimed(hasura, int(row["id"])).state == "sending"

    def test_hands_over_what_may_have_been_sent_to_be_reconciled_and_never_to_be_sent(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        first = claimed(hasura, due_post(hasura, author, "as it was sent"))
        let_lease_end(settings, first.id)

        post = claimed(hasura, first.id)

        assert (post.state, post.attempt_number, post.unanswered_attempts) == ("unknown", 1, 1)
        assert [(one.number, one.text, one.account) for one in post.unresolved] == [
            (1, "as it was sent", first.account)
        ]
        assert first.id not in ids(hasura.claim_due_posts(first.id))

    def test_hands_over_what_is_to_be_reconciled_when_it_is_time(self, hasura: BothStores, author: Author) -> None:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, unknown(timedelta(minutes=5)))
        second = claimed(hasura, due_post(hasura, author))
        hasura.record(second, unknown(A_MOMENT_AGO))

        claim = hasura.claim_due_posts(None)

        assert second.id in ids(claim)
        assert first.id not in ids(claim)

    def test_says_when_the_sign_in_was_first_rejected(self, hasura: BothStores, author: Author) -> None:
        first = claimed(hasura, due_post(hasura, author))
        log = (AttemptUpdate(1, Outcome.NOT_SENT, "401", Rejection.SIGN_IN, 401),)
        hasura.record(first, Decision(State.SCHEDULED, log, "401"))

        second = claimed(hasura, first.id)

        assert first.sign_in_rejected_at is None
        assert second.sign_in_rejected_at is not None


class TestRecord:
    def test_ends_the_post_and_its_attempt_together(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post, decision = claimed(hasura, due_post(hasura, author)), tweeted()

        assert hasura.record(post, decision) == Recorded(True, State.TWEETED)

        assert (found(hasura, post.id).state, found(hasura, post.id).tweet_id) == ("tweeted", decision.tweet_id)
        [attempt] = log_of(settings, post.id)
        assert (attempt["outcome"], attempt["status_code"], attempt["detail"]) == ("tweeted", 201, "X accepted it.")
        assert attempt["finished_at"]

    def test_makes_a_post_that_was_not_sent_wait(self, hasura: BothStores, author: Author) -> None:
        post, decision = claimed(hasura, due_post(hasura, author)), not_sent(timedelta(hours=1))

        hasura.record(post, decision)

        waiting = found(hasura, post.id)
        assert (waiting.state, waiting.due_at, waiting.reason) == (
            "scheduled",
            decision.next_attempt_at,
            "no connection",
        )
        assert post.id not in ids(hasura.claim_due_posts(post.id))

    def test_of_a_tweet_is_final(self, hasura: BothStores, author: Author) -> None:
        post = claimed(hasura, due_post(hasura, author))
        hasura.record(post, tweeted())

        assert hasura.record(post, failed()) == Recorded(False, State.TWEETED)
        assert hasura.record(post, tweeted()) == Recorded(False, State.TWEETED)

    def test_of_a_tweet_is_written_whatever_happened_to_the_post(self, hasura: BothStores, author: Author) -> None:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, not_sent(A_MOMENT_AGO))
        claimed(hasura, first.id)

        assert hasura.record(first, tweeted()) == Recorded(True, State.TWEETED)

    def test_of_an_older_attempt_writes_nothing_and_says_so(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, not_sent(A_MOMENT_AGO))
        claimed(hasura, first.id)

        assert hasura.record(first, failed()) == Recorded(False, State.SENDING)
        assert outcomes(settings, first.id) == ["not_sent", None]

    def test_of_a_publisher_whose_lease_ended_is_written_as_long_as_nobody_else_took_the_post(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post = claimed(hasura, due_post(hasura, author))
        let_lease_end(settings, post.id)
        hasura.record(claimed(hasura, post.id), unknown(timedelta(minutes=5)))

        assert hasura.record(post, failed()) == Recorded(True, State.FAILED)
        assert outcomes(settings, post.id) == ["rejected"]

    def test_of_a_publisher_whose_post_is_being_reconciled_writes_nothing_and_says_so(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post = claimed(hasura, due_post(hasura, author))
        let_lease_end(settings, post.id)
        reconciling = claimed(hasura, post.id)

        assert hasura.record(post, not_sent(A_MOMENT_AGO)) == Recorded(False, State.UNKNOWN)
        assert hasura.record(reconciling, absent()) == Recorded(True, State.SCHEDULED)

    def test_of_a_tweet_that_another_post_has_takes_the_post_from_no_other_publisher(
        self, hasura: BothStores, author: Author
    ) -> None:
        first, other = claimed(hasura, due_post(hasura, author)), claimed(hasura, due_post(hasura, author))
        decision = tweeted()
        hasura.record(other, decision)
        hasura.record(first, not_sent(A_MOMENT_AGO))
        claimed(hasura, first.id)  # by another delivery, which is sending it

        assert hasura.record(first, decision) == Recorded(False, State.SENDING)

    def test_of_a_deleted_post_says_that_there_is_none(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post = claimed(hasura, due_post(hasura, author))
        as_admin(settings, "mutation ($id: bigint!) { delete_scheduled_post_by_pk(id: $id) { id } }", id=post.id)

        assert hasura.record(post, tweeted()) == Recorded(False, None)


class TestReconciliation:
    def to_reconcile(self, hasura: BothStores, author: Author) -> ClaimedPost:
        first = claimed(hasura, due_post(hasura, author))
        hasura.record(first, unknown(A_MOMENT_AGO))
        return claimed(hasura, first.id)

    def test_that_found_it_answers_the_attempt(self, settings: Settings, hasura: BothStores, author: Author) -> None:
        post = self.to_reconcile(hasura, author)

        assert hasura.record(post, tweeted()).done
        assert outcomes(settings, post.id) == ["tweeted"]

    def test_that_found_an_earlier_attempt_answers_the_later_ones_too(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post = self.to_reconcile(hasura, author)
        hasura.record(post, absent())
        hasura.record(claimed(hasura, post.id), unknown(A_MOMENT_AGO, number=2))

        hasura.record(claimed(hasura, post.id), tweeted(1, 2))

        assert outcomes(settings, post.id) == ["tweeted", "absent"]

    def test_that_found_nothing_makes_it_due_again(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post = self.to_reconcile(hasura, author)

        hasura.record(post, absent())

        again = claimed(hasura, post.id)
        assert (again.state, again.attempt_number, len(again.unresolved)) == ("sending", 2, 1)
        assert outcomes(settings, post.id) == ["absent", None]

    def test_that_could_not_be_made_is_counted_and_waits_for_the_next(self, hasura: BothStores, author: Author) -> None:
        post = self.to_reconcile(hasura, author)
        again_soon = replace(unknown(A_MOMENT_AGO), attempts=(AttemptUpdate(1, failed_reconciliations=1),))

        hasura.record(post, again_soon)

        again = claimed(hasura, post.id)
        assert (again.failed_reconciliations, again.unresolved[0].outcome) == (1, "unknown")

    def test_that_did_not_come_to_its_end_is_counted_by_the_next_claim(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        post = self.to_reconcile(hasura, author)
        assert post.failed_reconciliations == 0

        for broken_off in (1, 2):
            let_lease_end(settings, post.id)
            assert claimed(hasura, post.id).failed_reconciliations == broken_off

    def test_that_is_the_last_leaves_the_post_to_its_author(self, hasura: BothStores, author: Author) -> None:
        post = self.to_reconcile(hasura, author)

        hasura.record(post, Decision(State.UNKNOWN, reason="Check the account on X."))

        assert post.id not in ids(hasura.claim_due_posts(post.id))
        assert found(hasura, post.id).state == "unknown"


class TestAKey:
    def test_makes_one_post_of_many_creates_at_once(self, hasura: BothStores, author: Author) -> None:
        draft, key = Draft("once", now() + timedelta(hours=1)), str(uuid.uuid4())

        with ThreadPoolExecutor(8) as pool:
            rows = list(pool.map(lambda _: hasura.insert_post(draft, author.token, key), range(8)))

        [stored] = [row for row in rows if row]
        first = hasura.post_of_key(key, author.token)
        assert first
        assert first.post == stored
        assert first.draft == draft.as_json()

    def test_is_one_author_s_own(self, hasura: BothStores, author: Author, other_author: Author) -> None:
        draft, key = Draft("mine", now() + timedelta(hours=1)), str(uuid.uuid4())

        assert hasura.insert_post(draft, author.token, key)
        assert hasura.insert_post(draft, other_author.token, key)

    def test_is_answered_with_the_event_that_is_kept_on_its_post(self, hasura: BothStores, author: Author) -> None:
        draft, key = Draft("kept", now() + timedelta(hours=1)), str(uuid.uuid4())
        row = hasura.insert_post(draft, author.token, key)
        assert row

        hasura.record_event(row["id"], "e", draft.schedule_for, instead_of=None)

        first = hasura.post_of_key(key, author.token)
        assert first
        assert first.event_id == "e"


def test_tweets_of_other_posts_are_known(hasura: BothStores, author: Author) -> None:
    post, decision = claimed(hasura, due_post(hasura, author)), tweeted()
    hasura.record(post, decision)

    assert hasura.published_elsewhere([str(decision.tweet_id), "1"]) == {decision.tweet_id}


class TestPause:
    def pausing(self, of: Rejection, wait: timedelta) -> Decision:
        log = (AttemptUpdate(1, Outcome.NOT_SENT, "limited", of, 429),)
        return Decision(State.SCHEDULED, log, "limited", pause=Pause(of, now() + wait))

    def test_of_an_account_keeps_its_posts_from_being_claimed(
        self, hasura: BothStores, author: Author, other_author: Author
    ) -> None:
        first, paused, free = (
            claimed(hasura, due_post(hasura, author)),
            due_post(hasura, author),
            due_post(hasura, other_author),
        )
        pausing = self.pausing(Rejection.ACCOUNT, timedelta(minutes=5))

        hasura.record(first, pausing)

        due = ids(hasura.claim_due_posts(paused))
        assert (paused in due, first.id in due, free in due) == (False, False, True)
        assert pausing.pause
        assert found(hasura, paused).paused_until == found(hasura, first.id).paused_until == pausing.pause.until

    def test_is_never_shortened_and_holds_though_the_post_was_taken_over(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        first, second = claimed(hasura, due_post(hasura, author)), claimed(hasura, due_post(hasura, author))
        long = self.pausing(Rejection.ACCOUNT, timedelta(hours=1))
        let_lease_end(settings, first.id)
        claimed(hasura, first.id)

        assert not hasura.record(first, long).done
        hasura.record(second, self.pausing(Rejection.ACCOUNT, timedelta(minutes=5)))

        assert long.pause
        assert found(hasura, second.id).paused_until == long.pause.until

    def test_of_the_app_keeps_everything_from_being_claimed(
        self, settings: Settings, hasura: BothStores, author: Author
    ) -> None:
        first, post_id = claimed(hasura, due_post(hasura, author)), due_post(hasura, author)

        hasura.record(first, self.pausing(Rejection.APP, timedelta(hours=1)))
        try:
            assert hasura.claim_due_posts(post_id) == Claim()
            assert (found(hasura, post_id).paused_until or now()) > now()
        finally:
            as_admin(settings, "mutation { update_app(where: {}, _set: {paused_until: null}) { affected_rows } }")


def follow_ups(settings: Settings) -> list[str]:
    """The ids of the events of follow-up deliveries, delivered ones among them."""
    events = metadata(settings, "pg_get_event_logs", {"name": "delivery_requested", "limit": 1000})
    return [event["id"] for event in events if event["payload"]["data"]["new"]["is_follow_up"]]


class TestTheTurnToWait:
    def test_is_given_to_one_delivery_alone_while_posts_are_due_soon(self, hasura: BothStores, author: Author) -> None:
        due_post(hasura, author)

        def ask() -> list[TurnToWait]:
            """Two deliveries. Both get the turn only when the second asks 5 seconds after the first, or later."""
            return [hasura.wait_for_due_posts(str(uuid.uuid4()), timedelta(), timedelta(hours=1)) for _ in range(2)]

        first, second = wait_until(ask, lambda turns: [turn.is_callers for turn in turns] == [True, False])

        assert (first.is_needed, second.is_needed) == (True, True)
        assert first.due_in is not None
        assert first.due_in < timedelta(seconds=1)


class TestEvents:
    def test_an_event_is_kept_on_its_post_unless_another_one_is(self, hasura: BothStores, author: Author) -> None:
        post_id, at = due_post(hasura, author), now() + timedelta(hours=1)

        assert hasura.record_event(post_id, "first", at, instead_of=None)
        assert not hasura.record_event(post_id, "second", at, instead_of=None)
        assert hasura.record_event(post_id, "third", at, instead_of="first")

        assert (found(hasura, post_id).event_id, found(hasura, post_id).event_at) == ("third", at)

    def test_a_deleted_event_is_gone_and_may_be_deleted_again(self, settings: Settings, hasura: BothStores) -> None:
        event = hasura.create_event(now() + timedelta(days=30), {"id": 0})

        hasura.delete_event(event["event_id"])
        hasura.delete_event(event["event_id"])

        events = metadata(settings, "get_scheduled_events", {"type": "one_off", "status": ["scheduled"]})["events"]
        assert event["event_id"] not in [one["id"] for one in events]

    def test_one_follow_up_delivery_is_outstanding_until_it_comes(self, settings: Settings, hasura: BothStores) -> None:
        requests = len(follow_ups(settings))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: hasura.request_follow_up(), range(8)))
        assert len(follow_ups(settings)) == requests + 1

        hasura.release_follow_up()
        hasura.request_follow_up()
        assert len(follow_ups(settings)) == requests + 2
        hasura.release_follow_up()


def test_an_event_is_stored_with_its_payload_and_the_secret_s_name(settings: Settings, hasura: BothStores) -> None:
    at = now() + timedelta(days=30)
    mark = str(uuid.uuid4())

    answer = hasura.create_event(at, {"id": 0, "mark": mark})

    events = metadata(settings, "get_scheduled_events", {"type": "one_off", "status": ["scheduled"]})["events"]
    [event] = [event for event in events if (event["payload"] or {}).get("mark") == mark]
    metadata(settings, "delete_scheduled_event", {"type": "one_off", "event_id": event["id"]})
    assert answer["message"] == "success"
    assert answer.get("event_id", event["id"]) == event["id"]
    assert datetime.fromisoformat(event["scheduled_time"]) == at
    assert event["header_conf"] == [{"name": "x-webhook-secret", "value_from_env": "WEBHOOK_SECRET"}]


def test_no_post_is_found_where_there_is_none(hasura: BothStores) -> None:
    assert hasura.find_post(2**40) is None


@pytest.fixture
def account(settings: Settings, request: pytest.FixtureRequest) -> Account:
    """An account that really posts."""
    if token := os.environ.get("CONTRACT_ACCESS_TOKEN"):
        tokens = AccessTokens(token, os.environ["CONTRACT_ACCESS_TOKEN_SECRET"])
        return account_with(settings, token.partition("-")[0], tokens)  # X's tokens begin with the id of their user
    if "CONTRACT_DOTENV" in os.environ:
        pytest.skip("needs CONTRACT_ACCESS_TOKEN and CONTRACT_ACCESS_TOKEN_SECRET of an account on the real X")
    stack: RunningStack = request.getfixturevalue("quiet_stack")
    user = requests.post(f"{stack.urls['x']}/_local/users", json={"username": "contract"}, timeout=60).json()
    return account_with(settings, user["id"], AccessTokens(user["access_token"], user["access_token_secret"]))


def account_with(settings: Settings, x_user_id: str, tokens: AccessTokens) -> Account:
    return Account(1, "contract", x_user_id, settings.x_token_keys.seal(x_user_id, tokens))


@pytest.fixture
def wrong_account(settings: Settings, account: Account) -> Account:
    """The account with another secret than X gave it."""
    tokens = settings.x_token_keys.open(account.x_user_id, account.sealed_tokens)
    return account_with(settings, account.x_user_id, replace(tokens, access_token_secret="wrong"))


@pytest.fixture
def x(settings: Settings) -> X:
    return X(settings, SystemClock().now)


def published(x: X, account: Account, text: str) -> str:
    result = x.publish(account, text)
    assert isinstance(result, Accepted), result
    return result.tweet_id


def found_tweets(x: X, account: Account, text: str, since: datetime) -> list[str]:
    return x.timeline(account, since, now() + timedelta(minutes=1)).find(text, since)


class TestX:
    def test_takes_a_text_and_gives_its_id(self, x: X, account: Account) -> None:
        assert published(x, account, f"Contract test {uuid.uuid4()} & more: <é 漢 👍>\nsecond line").isdecimal()

    def test_rejects_the_same_text_twice(self, x: X, account: Account) -> None:
        text = f"Contract test {uuid.uuid4()}"
        published(x, account, text)

        again = x.publish(account, text)

        assert isinstance(again, Rejected)
        assert again.what is Rejection.DUPLICATE

    def test_rejects_a_wrong_token(self, x: X, wrong_account: Account) -> None:
        result = x.publish(wrong_account, "never out")

        assert isinstance(result, Rejected)
        assert result.what is Rejection.SIGN_IN

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

        tweet_id = published(x, account, text)

        assert found_tweets(x, account, text, since) == [tweet_id]
        assert found_tweets(x, account, f"Another {text}", since) == []

    def test_does_not_show_what_was_published_before(self, x: X, account: Account) -> None:
        text, since = f"Contract test {uuid.uuid4()}", now()
        published(x, account, text)
        published_by = now()
        later = wait_until(now, lambda time: time > published_by)

        assert found_tweets(x, account, text, since)
        assert found_tweets(x, account, text, later) == []

    def test_shows_nothing_for_a_wrong_token(self, x: X, wrong_account: Account) -> None:
        with pytest.raises(TimelineUnavailable, match="no longer accepts our sign-in"):
            found_tweets(x, wrong_account, "never out", now() - timedelta(minutes=1))
