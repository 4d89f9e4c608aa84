"""The table "What becomes of a post" in docs/architecture.md: each of its rows is what `decide` decides."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from core_fakes import ALICE, NOW, sending, unknown, unresolved

from shared.core.model import (
    Accepted,
    CannotAsk,
    ClaimedPost,
    Decision,
    Found,
    NoConnection,
    NothingToAsk,
    NotShownYet,
    Outcome,
    Refused,
    Rejected,
    Rejection,
    Skipped,
    SurelyAbsent,
    TokensUnreadable,
    Unanswered,
)
from shared.core.policy import decide, reason_not_to_send
from shared.limits import MAX_REJECTED, MAX_UNANSWERED, MAX_UNSENT, RECONCILE_WAITS

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def rejected(what: Rejection, wait: timedelta = timedelta()) -> Rejected:
    return Rejected(what, "why", 403, wait)


UNANSWERED = sending(unanswered_attempts=MAX_UNANSWERED)
AGAIN = {"sign_in_rejected_at": NOW - MINUTE}

# What happened, as the document tells it: (the claimed post, what X said or shows, how long until it is next due).
ROWS: dict[str, tuple[ClaimedPost, Any, timedelta | None]] = {
    "X accepted it": (sending(), Accepted("77"), None),
    "no connection to X, up to nine times": (sending(unsent_attempts=0), NoConnection("why"), 5 * SECOND),
    "no connection to X, the tenth time": (sending(unsent_attempts=MAX_UNSENT - 1), NoConnection("why"), None),
    "the publisher was held up, X was not asked": (sending(), Skipped("why"), 5 * SECOND),
    "no readable answer: none in time, a reset, 5xx": (sending(), Unanswered("why"), 30 * SECOND),
    "the account's tokens do not open with our keys, X was not asked": (
        sending(),
        TokensUnreadable("why", "what to do"),
        HOUR,
    ),
    "X, or a rule of ours, rejects the post for good": (sending(), rejected(Rejection.POST), None),
    "ten attempts without an answer, each absent afterwards": (
        UNANSWERED,
        Refused(str(reason_not_to_send(UNANSWERED, ALICE))),
        None,
    ),
    "X rejects the text as a duplicate, no attempt is unresolved": (sending(), rejected(Rejection.DUPLICATE), None),
    "X rejects the text as a duplicate, an earlier attempt is unresolved": (
        sending(attempt_number=2, unresolved=(unresolved(1),)),
        rejected(Rejection.DUPLICATE),
        30 * SECOND,
    ),
    "X rejects the sign-in, the first time": (sending(), rejected(Rejection.SIGN_IN), MINUTE),
    "X rejects the sign-in again, and accepted another account meanwhile": (
        sending(**AGAIN, others_accepted_since=True),
        rejected(Rejection.SIGN_IN),
        None,
    ),
    "X rejects the sign-in again, otherwise": (sending(**AGAIN), rejected(Rejection.SIGN_IN), 5 * MINUTE),
    "X has rejected the sign-in for three days": (
        sending(sign_in_rejected_at=NOW - 72 * HOUR),
        rejected(Rejection.SIGN_IN),
        None,
    ),
    "X rejects the account for a while: a limit, a suspension": (
        sending(),
        rejected(Rejection.ACCOUNT, 15 * MINUTE),
        15 * MINUTE,
    ),
    "X has rejected the account in ten attempts, and the post is three days late": (
        sending(schedule_for=NOW - 72 * HOUR, account_rejections=MAX_REJECTED - 1),
        rejected(Rejection.ACCOUNT, HOUR),
        None,
    ),
    "X answers 404, 405 or a redirect": (
        sending(),
        Rejected(Rejection.ACCOUNT, "why", 404, HOUR, "is the address right?"),
        HOUR,
    ),
    "X rejects our app: credits, keys, access level": (sending(), rejected(Rejection.APP, HOUR), HOUR),
    "reconciled: X shows it": (unknown(unresolved()), Found(1, "77"), None),
    "reconciled: X does not show it, less than 3 min after the attempt": (
        unknown(unresolved()),
        NotShownYet(NOW + MINUTE),
        MINUTE,
    ),
    "reconciled: X does not show it, 3 min or more after the attempt": (
        unknown(unresolved()),
        SurelyAbsent((1,)),
        timedelta(),
    ),
    "reconciled: X does not show what it called a duplicate": (
        unknown(unresolved(2, outcome=Outcome.DUPLICATE), unresolved(1)),
        SurelyAbsent(),
        None,
    ),
    "X cannot be asked, up to five times": (unknown(unresolved()), CannotAsk("why"), 30 * SECOND),
    "X cannot be asked, the sixth time": (
        unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS)),
        CannotAsk("why"),
        None,
    ),
    "X cannot be asked, because the account's tokens do not open": (
        unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS)),
        TokensUnreadable("why", "what to do"),
        HOUR,
    ),
    "nothing to ask for: the account was removed": (unknown(), NothingToAsk("why"), None),
    "six reconciliations failed: they did not come to their end, or X could not be asked": (
        unknown(unresolved(), failed_reconciliations=len(RECONCILE_WAITS) + 1),
        NothingToAsk("why"),
        None,
    ),
}


def table() -> list[list[str]]:
    text = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\|(.*)\|$", text.split("\n| what happened |", 1)[1].split("\n\n")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[1:]]


def decided(row: str) -> tuple[Decision, timedelta | None]:
    post, result, wait = ROWS[row]
    return decide(post, result, NOW, jitter=0), wait


def test_the_document_tells_of_everything_that_can_happen() -> None:
    assert [row[0] for row in table()] == list(ROWS)


@pytest.mark.parametrize("row", table(), ids=lambda row: row[0])
def test_a_post_becomes_what_the_document_says(row: list[str]) -> None:
    decision, wait = decided(row[0])

    assert f"`{decision.state}`" == row[1]
    assert [f"`{entry.outcome}`" for entry in decision.attempts if entry.outcome] == (
        [row[2]] if row[2] != "unchanged" else []
    )
    assert decision.come_back_at == (None if wait is None else NOW + wait)


@pytest.mark.parametrize("row", table(), ids=lambda row: row[0])
def test_the_document_says_what_comes_next(row: list[str]) -> None:
    decision, _ = decided(row[0])

    assert row[3].startswith("next attempt") == (decision.state == "scheduled" and decision.pause is None)
    assert row[3].startswith("reconciled") == (decision.reconcile_at is not None)
    assert row[3].startswith("the author decides") == (decision.state == "unknown" and decision.come_back_at is None)
    assert (" paused " in row[3]) == (decision.pause is not None)
    assert ("the operator is told" in row[3]) == (decision.operator_message is not None)
