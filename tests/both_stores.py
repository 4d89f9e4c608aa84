"""What the two functions ask of Hasura, in one class."""

from shared.hasura.draft_store import HasuraDraftStore
from shared.hasura.post_store import HasuraPostStore


class BothStores(HasuraDraftStore, HasuraPostStore):
    """Stores drafts as their authors, and publishes posts as admin."""
