"""What Hasura's rows are to the core, and what the core's decisions are to Hasura."""

from datetime import datetime, timedelta
from typing import Any

from shared.core.event_store import Row
from shared.core.model import (
    Account,
    AttemptUpdate,
    Claim,
    ClaimedPost,
    Decision,
    FoundDraft,
    FoundPost,
    MissedPost,
    Outcome,
    PostOfAuthor,
    State,
    TurnToWait,
    UnresolvedAttempt,
)


def claim(rows: list[Row]) -> Claim:
    """The rows of claim_due_posts."""
    return Claim(
        posts=tuple(_claimed_post(row) for row in rows if row["state"] in (State.SENDING, State.UNKNOWN)),
        missed=tuple(MissedPost(int(row["post_id"]), row["reason"]) for row in rows if row["state"] == State.MISSED),
        ceiling_reached=next((row["reason"] for row in rows if row["state"] == State.SCHEDULED), None),
    )


def found_post(row: Row, app: list[Row], clock: Row) -> FoundPost | FoundDraft:
    """A row of scheduled_post with its account, the rows of app, and the database's time."""
    if row["state"] == State.DRAFT:
        return FoundDraft(int(row["id"]))
    schedule_for = datetime.fromisoformat(row["schedule_for"])
    pauses = [_time(pausable["paused_until"]) for pausable in (row["account"], *app) if pausable]
    return FoundPost(
        id=int(row["id"]),
        state=State(row["state"]),
        schedule_for=schedule_for,
        found_at=datetime.fromisoformat(clock["now"]),
        due_at=max(schedule_for, _time(row["next_attempt_at"]) or schedule_for),
        paused_until=max((pause for pause in pauses if pause), default=None),
        reason=row["reason"],
        tweet_id=row["tweet_id"],
        event_id=row["event_id"],
        event_at=_time(row["event_at"]),
        has_open_attempt=bool(row["open_attempts"]),
    )


def turn_to_wait(row: Row) -> TurnToWait:
    """The row of wait_for_due_posts."""
    seconds = row["due_in_seconds"]
    due_in = None if seconds is None else timedelta(seconds=float(seconds))
    return TurnToWait(row["is_needed"], row["is_callers"], due_in)


def post_of_author(row: Row) -> PostOfAuthor:
    """A row of scheduled_post with its user and its account."""
    return PostOfAuthor(
        id=int(row["id"]),
        user_id=int(row["user_id"]),
        username=row["user"]["username"],
        account_name=row["account"]["account_name"] if row["account"] else None,
        state=State(row["state"]),
        is_open=is_open(row),
        reason=row["reason"],
        schedule_for=datetime.fromisoformat(row["schedule_for"]),
        updated_at=datetime.fromisoformat(row["updated_at"]),
    )


def is_open(row: Row) -> bool:
    """Whether a post will be attempted or reconciled again without its author."""
    return row["state"] in (State.SCHEDULED, State.SENDING) or row.get("reconcile_at") is not None


def outcome_args(post: ClaimedPost, decision: Decision) -> Row:
    """The arguments of record_outcome."""
    pause = decision.pause
    return {
        "post_id": post.id,
        "attempt_number": post.attempt_number,
        "lease": post.lease_until.isoformat(),
        "state": decision.state,
        "attempts": [_attempt_update(attempt) for attempt in decision.attempts],
        "reason": decision.reason,
        "tweet_id": decision.tweet_id,
        "next_attempt_at": _text(decision.next_attempt_at),
        "reconcile_at": _text(decision.reconcile_at),
        "pause": pause.of if pause else None,
        "pause_until": _text(pause.until) if pause else None,
    }


def _claimed_post(row: Row) -> ClaimedPost:
    return ClaimedPost(
        id=int(row["post_id"]),
        text=row["text"],
        schedule_for=datetime.fromisoformat(row["schedule_for"]),
        state=State(row["state"]),
        lease_until=datetime.fromisoformat(row["lease_until"]),
        attempt_number=row["attempt_number"],
        account=_account(row["account"]),
        may_post=row["may_post"],
        unanswered_attempts=row["unanswered_attempts"],
        unsent_attempts=row["unsent_attempts"],
        account_rejections=row["account_rejections"],
        failed_reconciliations=row["failed_reconciliations"],
        sign_in_rejected_at=_time(row["sign_in_rejected_at"]),
        others_accepted_since=row["others_accepted_since"],
        others_rejected_since=row["others_rejected_since"],
        unresolved=tuple(_unresolved_attempt(attempt) for attempt in row["unresolved_attempts"]),
        event_id=row["event_id"],
        event_at=_time(row["event_at"]),
    )


def _unresolved_attempt(attempt: Row) -> UnresolvedAttempt:
    return UnresolvedAttempt(
        number=attempt["number"],
        account=_account(attempt["account"]),
        text=attempt["text"],
        outcome=Outcome(attempt["outcome"]),
        started_at=datetime.fromisoformat(attempt["started_at"]),
        finished_at=datetime.fromisoformat(attempt["finished_at"]),
    )


def _account(account: Row | None) -> Account | None:
    if account is None:
        return None
    return Account(int(account["id"]), account["name"], account["x_user_id"], account["sealed_tokens"])


def _attempt_update(attempt: AttemptUpdate) -> Row:
    said: dict[str, Any] = {
        "number": attempt.number,
        "outcome": attempt.outcome,
        "detail": attempt.detail,
        "rejection": attempt.rejection,
        "status_code": attempt.code,
        "failed_reconciliations": attempt.failed_reconciliations,
    }
    return {name: value for name, value in said.items() if value is not None}


def _time(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
