"""Logs how claimed posts ended, and returns it to the delivery. Only the function's own thread may call this."""

from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from shared import log
from shared.core.clock import Clock
from shared.core.model import ClaimedPost, Decision, MissedPost, Recorded, State
from shared.core.publish import Conclusion
from shared.log import LogEvent


@dataclass(frozen=True)
class AfterClaim:
    """A claimed post as it is after its claim. `come_back_at`: when it is next due, as far as this delivery knows."""

    id: int
    state: State
    reason: str | None = None
    tweet_id: str | None = None
    come_back_at: datetime | None = None


def log_end(post: ClaimedPost, end: Future[Conclusion], clock: Clock) -> AfterClaim:
    """Logs how a claimed post ended, and returns what it is now. A fault of ours must not hide how the others ended."""
    try:
        conclusion = end.result()
    except Exception:
        log.exception(
            LogEvent.UNEXPECTED_ERROR, f"post {post.id}: a fault of ours interrupted its publishing", post_id=post.id
        )
        return AfterClaim(post.id, post.state, "A fault of ours interrupted its publishing; the log has it.")
    decision, recorded = conclusion.decision, conclusion.recorded
    if decision.operator_message:
        message = f"the operator must act, {decision.operator_message}"
        log.error(LogEvent.OPERATOR_MUST_ACT, message, post_id=post.id)
    if recorded is None:
        log.error(
            LogEvent.OUTCOME_NOT_RECORDED,
            f"post {post.id} is {decision.state} (tweet {decision.tweet_id}), which could not be recorded: "
            f"{conclusion.record_failure}",
            post_id=post.id,
            state=decision.state,
            tweet_id=decision.tweet_id,
        )
        reason = "What became of it could not be written down; that is reconciled when its lease has run out."
        return AfterClaim(post.id, post.state, reason, come_back_at=post.lease_until)
    if not recorded.done:
        reason = _why_not_recorded(decision, recorded)
        log.warning(
            LogEvent.OUTCOME_TOO_LATE,
            f"post {post.id} is {recorded.state or 'deleted'} by now; that it is {decision.state} "
            f"(tweet {decision.tweet_id}) is not recorded: {reason}",
            post_id=post.id,
            state=recorded.state,
            tweet_id=decision.tweet_id,
        )
        return AfterClaim(post.id, recorded.state or post.state, reason)
    _log_state(conclusion, clock)
    return AfterClaim(post.id, decision.state, decision.reason, decision.tweet_id, decision.come_back_at)


def log_missed(post: MissedPost) -> AfterClaim:
    """Logs that a claim ended a post, and returns what it is now."""
    log.info(
        LogEvent.POST_STATE_CHANGED,
        f"post {post.id} is missed: {post.reason}",
        post_id=post.id,
        state=State.MISSED,
    )
    return AfterClaim(post.id, State.MISSED, post.reason)


def _why_not_recorded(decision: Decision, recorded: Recorded) -> str:
    if recorded.state is None:
        return "It was deleted meanwhile."
    if decision.state is State.TWEETED and recorded.state is not State.TWEETED:
        return "Its tweet is recorded as another post's."
    return "Another delivery has taken it over."


def _log_state(conclusion: Conclusion, clock: Clock) -> None:
    decision, post = conclusion.decision, conclusion.post
    lateness, details = None, f": {decision.reason}"
    latest = decision.attempts[0] if decision.state is State.FAILED and decision.attempts else None
    if decision.state is State.FAILED:
        details = ", its row says why"  # a rule of the text, or X, may quote the text
    if decision.state is State.TWEETED:
        details = f" as {decision.tweet_id}"
        if post.state is State.SENDING:  # when X took what a reconciliation found is not known here
            lateness = round((clock.now() - post.schedule_for).total_seconds(), 3)
            details += f", {lateness:.3f} s after its time"
    log.info(
        LogEvent.POST_STATE_CHANGED,
        f"post {post.id} is {decision.state}{details}",
        post_id=post.id,
        state=decision.state,
        tweet_id=decision.tweet_id,
        lateness_seconds=lateness,
        outcome=latest and latest.outcome,
        rejection=latest and latest.rejection,
        status_code=latest and latest.code,
    )
