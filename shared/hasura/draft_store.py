"""Drafts become rows in Hasura, with the rights of their authors.

Imports neither rows.py nor core/model.py, so that createPost starts faster (docs/performance.md).
"""

from shared.core.drafts import Draft
from shared.core.event_store import Row
from shared.core.schedule import EarlierPost
from shared.errors import Forbidden
from shared.hasura import documents
from shared.hasura.event_store import HasuraEventStore


class HasuraDraftStore(HasuraEventStore):
    """A DraftStore. The rows are written with the author's own token, the events as admin."""

    def insert_post(self, draft: Draft, token: str, key: str | None) -> Row | None:
        """The stored row, inserted with the author's own token, so that Hasura's permissions decide.

        None when the author has a post of this key already. Raises Unauthorized, Forbidden, InvalidDraft or
        TooManyPosts with what Hasura objects to, in words.
        """
        if draft.user_id is not None:
            self._require_own(draft.user_id, token)
        post = {name: value for name, value in draft.as_json().items() if value is not None and name != "user_id"}
        if key is not None:
            post |= {"request_key": key, "request_draft": draft.as_json()}
        document = documents.INSERT_POST if key is None else documents.INSERT_POST_OF_KEY
        row: Row | None = self._client.as_author(document, {"post": post}, token)["insert_scheduled_post_one"]
        return row

    def post_of_key(self, key: str, token: str) -> EarlierPost | None:
        """The author's post of this key, if there is one."""
        found = self._client.as_author(documents.POST_OF_KEY, {"key": key}, token)["scheduled_post"]
        return _earlier_post(found[0]) if found else None

    def _require_own(self, user_id: int, token: str) -> None:
        """Raises Forbidden for any other id, whether somebody has it or not. Who has no row yet fails to insert."""
        found = self._client.as_author(documents.AUTHOR, {}, token)["user"]
        if found and int(found[0]["id"]) != user_id:
            raise Forbidden("user_id must be your own.")


def _earlier_post(row: Row) -> EarlierPost:
    post = {name: value for name, value in row.items() if name not in ("request_draft", "event_id")}
    return EarlierPost(post, row["request_draft"], row["event_id"])
