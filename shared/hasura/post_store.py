"""The posts in Hasura, as admin: what is due is claimed, and what became of it is written down."""

from datetime import timedelta

from shared.config import Settings
from shared.core.model import (
    Claim,
    ClaimedPost,
    Decision,
    FoundDraft,
    FoundPost,
    PostOfAuthor,
    Recorded,
    State,
    TurnToWait,
)
from shared.hasura import documents, rows
from shared.hasura.event_store import HasuraEventStore
from shared.limits import EARLY_MARGIN, FOLLOW_UP_TIME, LEASE


class HasuraPostStore(HasuraEventStore):
    """A PostStore, and the AuthorStore of shared/notifications.py."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.batch_size = settings.publish_batch
        self.sweep_wait = timedelta(seconds=settings.sweep_wait_seconds)

    def claim_due_posts(self, delivered_post_id: int | None) -> Claim:
        """What is due, by the database's clock, and is ours for the time of a LEASE."""
        args = {
            "delivered_post_id": delivered_post_id,
            "batch_size": self._settings.publish_batch,
            "lease_seconds": int(LEASE.total_seconds()),
            "max_lateness_seconds": self._settings.max_lateness_seconds,
            "max_posts_per_day": self._settings.max_posts_per_day,
        }
        return rows.claim(self._client.as_admin(documents.CLAIM_DUE_POSTS, {"args": args})["claim_due_posts"])

    def find_post(self, post_id: int) -> FoundPost | FoundDraft | None:
        """The post as it is now, and when it is due; None when there is none."""
        data = self._client.as_admin(documents.FIND_POST, {"id": post_id})
        row = data["scheduled_post_by_pk"]
        return rows.found_post(row, data["app"], data["database_clock"][0]) if row else None

    def post_of_author(self, post_id: int) -> PostOfAuthor | None:
        """The post as it is now, with its author's and its account's names; None when there is none."""
        row = self._client.as_admin(documents.POST_OF_AUTHOR, {"id": post_id})["scheduled_post_by_pk"]
        return rows.post_of_author(row) if row else None

    def record(self, post: ClaimedPost, decision: Decision) -> Recorded:
        """Writes the decision down in one transaction, as record_outcome in hasura/migrations allows it."""
        args = rows.outcome_args(post, decision)
        recorded = self._client.as_admin(documents.RECORD_OUTCOME, {"args": args})["record_outcome"]
        return Recorded(recorded[0]["recorded"], State(recorded[0]["state"])) if recorded else Recorded(False, None)

    def published_elsewhere(self, tweet_ids: list[str]) -> set[str]:
        """Which of these tweets are known to be of other posts."""
        found = self._client.as_admin(documents.TWEETS_OF_POSTS, {"ids": tweet_ids})["scheduled_post"]
        return {row["tweet_id"] for row in found}

    def wait_for_due_posts(self, caller: str, stay: timedelta, wait: timedelta) -> TurnToWait:
        """Whether the caller waits for posts that are due within EARLY_SECONDS, or stays for `stay` in any case."""
        args = {
            "caller": caller,
            "ahead_seconds": (self.early + EARLY_MARGIN).total_seconds() if self.early else 0,
            "stay_seconds": stay.total_seconds(),
            "wait_seconds": wait.total_seconds(),
        }
        data = self._client.as_admin(documents.WAIT_FOR_DUE_POSTS, {"args": args})
        return rows.turn_to_wait(data["wait_for_due_posts"][0])

    def request_follow_up(self) -> None:
        """A delivery within a second or so; nothing happens while another one is outstanding."""
        args = {"outstanding_seconds": int(FOLLOW_UP_TIME.total_seconds())}
        self._client.as_admin(documents.REQUEST_FOLLOW_UP, {"args": args})

    def release_follow_up(self) -> None:
        """The follow-up delivery has come; the next one may be asked for."""
        self._client.as_admin(documents.RELEASE_FOLLOW_UP, {})
