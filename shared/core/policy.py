"""What becomes of a post: `decide` is the table of that name in docs/architecture.md, row by row."""

from dataclasses import replace
from datetime import datetime, timedelta

from shared.core.model import (
    Accepted,
    Account,
    AttemptUpdate,
    CannotAsk,
    ClaimedPost,
    Decision,
    Found,
    NoConnection,
    NothingToAsk,
    NotShownYet,
    Outcome,
    Pause,
    PerhapsOfAnother,
    PublishResult,
    Refused,
    Rejected,
    Rejection,
    Skipped,
    State,
    SurelyAbsent,
    TimelineResult,
    TokensUnreadable,
    Unanswered,
)
from shared.limits import (
    BACKOFF,
    JITTER,
    LONGEST_SIGN_IN_PAUSE,
    MAX_REJECTED,
    MAX_UNANSWERED,
    MAX_UNSENT,
    RECONCILE_AFTER,
    RECONCILE_WAITS,
    REJECTED_GIVEN_UP,
    SIGN_IN_GIVEN_UP,
    SIGN_IN_PAUSE,
    SIGN_IN_WAIT,
    UNREADABLE_TOKENS_WAIT,
)
from shared.x.text_length import text_fault


def reason_not_to_send(post: ClaimedPost, account: Account) -> str | None:
    """Why X must not be asked to take a claimed post, in words for its author; None when it may be."""
    if not post.may_post:
        return f"You may no longer post as @{account.name}. Schedule it anew from another account."
    if post.unanswered_attempts >= MAX_UNANSWERED:
        return (
            f"It was sent {MAX_UNANSWERED} times without an answer, and was not on X afterwards. Move it to try again."
        )
    return text_fault(post.text)


def decide(post: ClaimedPost, result: PublishResult | TimelineResult, now: datetime, jitter: float) -> Decision:
    """What a claimed post becomes, given what X said or shows. `jitter` is a random number from 0 to 1."""
    match result:
        case Accepted(tweet_id, code):
            entry = AttemptUpdate(post.attempt_number, Outcome.TWEETED, "X accepted it.", code=code)
            return Decision(State.TWEETED, (entry,), tweet_id=tweet_id)
        case NoConnection(detail):
            return _not_sent(post, detail, now, jitter)
        case Skipped(detail):
            return _attempt_again(post, Outcome.SKIPPED, detail, at=now + _lengthened(BACKOFF[0], jitter))
        case Unanswered(detail, code):
            entry = AttemptUpdate(post.attempt_number, Outcome.UNKNOWN, detail, code=code)
            return Decision(State.UNKNOWN, (entry,), detail, reconcile_at=now + RECONCILE_AFTER)
        case Refused(reason):
            return Decision(State.FAILED, (AttemptUpdate(post.attempt_number, Outcome.REJECTED, reason),), reason)
        case TokensUnreadable(detail, operator) if post.state is State.SENDING:
            pause = Pause(Rejection.ACCOUNT, now + _lengthened(UNREADABLE_TOKENS_WAIT, jitter))
            entry = AttemptUpdate(post.attempt_number, Outcome.SKIPPED, detail)
            return Decision(State.SCHEDULED, (entry,), detail, pause=pause, operator_message=operator)
        case Rejected():
            return _rejected(post, result, now, jitter)
        case Found(number, tweet_id, absent):
            found = AttemptUpdate(number, Outcome.TWEETED, "It was found on X.")
            return Decision(State.TWEETED, (found, *_absent(absent)), tweet_id=tweet_id)
        case NotShownYet(sure_at):
            return Decision(State.UNKNOWN, reason="X does not show it so far.", reconcile_at=sure_at)
        case SurelyAbsent() if post.unresolved[0].outcome is Outcome.DUPLICATE:
            # The newest attempt: X rejected it as a duplicate, so sending the text again would be rejected again.
            return _author_decides(
                "X says that it has this text already, but does not show it. Check the account on X; change the text "
                "and move the post to have it published."
            )
        case SurelyAbsent(absent):
            reason = "X did not have it after an attempt without an answer."
            return Decision(State.SCHEDULED, _absent(absent), reason, next_attempt_at=now)
        case PerhapsOfAnother():
            why = "X shows a post with this text, and whether it is this one could not be found out"
            return _not_reconciled(post, why, None, None, now)
        case NothingToAsk(detail):
            return _author_decides(detail)
        case CannotAsk():
            return _could_not_ask(post, result, now)
        case TokensUnreadable(detail, operator):
            reason = f"It may or may not be on X. {detail}"
            return Decision(
                State.UNKNOWN, reason=reason, reconcile_at=now + UNREADABLE_TOKENS_WAIT, operator_message=operator
            )


def _rejected(post: ClaimedPost, rejected: Rejected, now: datetime, jitter: float) -> Decision:
    match rejected.what:
        case Rejection.POST:
            return _failed(post, rejected)
        case Rejection.DUPLICATE if any(attempt.text == post.text for attempt in post.unresolved):
            detail = "X has this text already. X is being asked whether that is this post."
            entry = AttemptUpdate(post.attempt_number, Outcome.DUPLICATE, detail, rejected.what, rejected.code)
            return Decision(State.UNKNOWN, (entry,), detail, reconcile_at=now + RECONCILE_AFTER)
        case Rejection.DUPLICATE:
            return _failed(post, rejected)
        case Rejection.SIGN_IN:
            return _sign_in_rejected(post, rejected, now, jitter)
        case Rejection.ACCOUNT if _is_given_up(post, now):
            words = (
                f"{rejected.detail} X has rejected the account in {post.account_rejections + 1} attempts, and the post "
                f"is {REJECTED_GIVEN_UP.days} days late; move it to try again."
            )
            return _failed(post, replace(rejected, detail=words))
        case Rejection.ACCOUNT:
            until = now + _lengthened(rejected.wait, jitter)
            return _paused(post, rejected, rejected.what, until, rejected.operator_message)
        case Rejection.APP:
            until = now + _lengthened(rejected.wait, jitter)
            operator = f"all posts wait until {until:%Y-%m-%d %H:%M:%S} UTC: {rejected.detail}"
            return _paused(post, rejected, rejected.what, until, operator)


def _is_given_up(post: ClaimedPost, now: datetime) -> bool:
    """Only a post whose author wants it published however late comes so far."""
    return post.account_rejections + 1 >= MAX_REJECTED and now - post.schedule_for >= REJECTED_GIVEN_UP


def _not_sent(post: ClaimedPost, detail: str, now: datetime, jitter: float) -> Decision:
    unsent = post.unsent_attempts + 1
    if unsent >= MAX_UNSENT:
        reason = f"It could not be sent in {unsent} attempts; the last time: {detail}"
        return Decision(State.FAILED, (AttemptUpdate(post.attempt_number, Outcome.NOT_SENT, detail),), reason)
    wait = BACKOFF[min(unsent, len(BACKOFF)) - 1]
    return _attempt_again(post, Outcome.NOT_SENT, detail, at=now + _lengthened(wait, jitter))


def _attempt_again(post: ClaimedPost, outcome: Outcome, detail: str, at: datetime) -> Decision:
    entry = AttemptUpdate(post.attempt_number, outcome, detail)
    return Decision(State.SCHEDULED, (entry,), detail, next_attempt_at=at)


def _failed(post: ClaimedPost, rejected: Rejected) -> Decision:
    entry = AttemptUpdate(post.attempt_number, Outcome.REJECTED, rejected.detail, rejected.what, rejected.code)
    return Decision(State.FAILED, (entry,), rejected.detail)


def _sign_in_rejected(post: ClaimedPost, rejected: Rejected, now: datetime, jitter: float) -> Decision:
    """A rejected sign-in can be a passing error, the account's fault or our app's, and looks the same each time.

    The first one is attempted again soon. Then the post fails only if X accepted another account meanwhile, or has
    rejected this one for days. Otherwise the account is paused, longer each time, because we cannot tell yet whether
    the account or our app is at fault.
    """
    if post.sign_in_rejected_at is None:
        entry = _not_taken_for_now(post, rejected)
        at = now + _lengthened(SIGN_IN_WAIT, jitter)
        return Decision(State.SCHEDULED, (entry,), rejected.detail, next_attempt_at=at)
    if post.others_accepted_since:
        return _failed(post, rejected)
    rejected_for = now - post.sign_in_rejected_at
    if rejected_for >= SIGN_IN_GIVEN_UP:
        days = SIGN_IN_GIVEN_UP.days
        words = f"{rejected.detail} X has rejected it for {days} days; move the post to try again."
        return _failed(post, replace(rejected, detail=words))
    operator = "X rejects several accounts: our app's keys, or our clock, may be wrong"
    pause = min(max(rejected_for, SIGN_IN_PAUSE), LONGEST_SIGN_IN_PAUSE)
    until = now + _lengthened(pause, jitter)
    return _paused(post, rejected, Rejection.ACCOUNT, until, operator if post.others_rejected_since else None)


def _paused(
    post: ClaimedPost, rejected: Rejected, of: Rejection, until: datetime, operator_message: str | None = None
) -> Decision:
    """The pause alone keeps the post: when it is ended early, nothing else is to delay the post."""
    return Decision(
        State.SCHEDULED,
        (_not_taken_for_now(post, rejected),),
        rejected.detail,
        pause=Pause(of, until),
        operator_message=operator_message,
    )


def _not_taken_for_now(post: ClaimedPost, rejected: Rejected) -> AttemptUpdate:
    return AttemptUpdate(post.attempt_number, Outcome.NOT_SENT, rejected.detail, rejected.what, rejected.code)


def _absent(numbers: tuple[int, ...]) -> tuple[AttemptUpdate, ...]:
    return tuple(AttemptUpdate(number, Outcome.ABSENT, "X does not have it.") for number in numbers)


def _could_not_ask(post: ClaimedPost, result: CannotAsk, now: datetime) -> Decision:
    why = f"It may or may not be on X. X could not be asked ({result.detail})"
    operator = result.operator_message
    if result.what is Rejection.APP:
        operator = f"outcomes cannot be reconciled: {result.detail}"
    return _not_reconciled(post, why, result.wait, operator, now)


def _not_reconciled(
    post: ClaimedPost, why: str, wait: timedelta | None, operator_message: str | None, now: datetime
) -> Decision:
    failed = post.failed_reconciliations
    if failed >= len(RECONCILE_WAITS):
        return _author_decides(
            f"{why}. Check the account on X; move the post to have it published again.", operator_message
        )
    return Decision(
        State.UNKNOWN,
        (AttemptUpdate(post.attempt_number, failed_reconciliations=failed + 1),),
        f"{why}.",
        reconcile_at=now + (wait or RECONCILE_WAITS[failed]),
        operator_message=operator_message,
    )


def _author_decides(reason: str, operator_message: str | None = None) -> Decision:
    return Decision(State.UNKNOWN, reason=reason, operator_message=operator_message)


def _lengthened(wait: timedelta, jitter: float) -> timedelta:
    return wait * (1 + JITTER * jitter)
