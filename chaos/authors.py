"""The authors: they create posts with createPost, and edit, move and delete them with Hasura's GraphQL."""

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from chaos.checker import Expectation, Write
from chaos.plan import Action, PlannedPost
from local.running_stack import GraphQLFailed, RunningStack

PATIENCE = timedelta(seconds=45)
"""How long an author repeats what got no answer."""

SOON = timedelta(seconds=1)
"""An author whose time has passed before he asks, because the machine is slow, wants the post this much later."""

TOO_LATE = timedelta(hours=7)

_CHANGE = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  changed: update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) {
    state post_attempts(order_by: [{number: desc}], limit: 1) { number }
  }
}"""
_DELETE = "mutation ($id: bigint!) { changed: delete_scheduled_post_by_pk(id: $id) { state } }"

_NO_ANSWER = (requests.RequestException, ValueError)  # ValueError: what answered was not JSON


class Authors:
    """What they do to the stack; `expectations` is what they know of it. May be called from many threads."""

    def __init__(self, stack: RunningStack, names: Sequence[str], posts: Sequence[PlannedPost]) -> None:
        self.expectations = {post.mark: Expectation(post) for post in posts}
        self.did: Counter[str] = Counter()
        self._stack = stack
        self._tokens = {name: stack.token(name) for name in names}
        self._one_at_a_time = {post.mark: threading.Lock() for post in posts}

    def create(self, post: PlannedPost, began: datetime) -> None:
        """Creates it, times being counted from `began`; with a key until there is an answer, without one just once."""
        expectation = self.expectations[post.mark]
        with self._one_at_a_time[post.mark]:
            schedule_for = max(began + timedelta(seconds=post.due), datetime.now(UTC) + SOON)
            draft = {
                "text": post.text(0),
                "schedule_for": schedule_for.isoformat(),
                "when_late": post.when_late,
            }
            expectation.created = "perhaps"
            expectation.texts.append(Write(post.text(0)))
            expectation.times.append(Write(schedule_for))
            headers = {"Idempotency-Key": str(uuid.uuid4())} if post.has_key else {}
            with ThreadPoolExecutor(post.creates) as pool:
                creates = [pool.submit(self._create, expectation, draft, headers) for _ in range(post.creates)]
            for create in creates:
                create.result()

    def _create(self, expectation: Expectation, draft: dict[str, Any], headers: dict[str, str]) -> None:
        token = self._tokens[expectation.plan.author]

        def create() -> requests.Response:
            answer = self._stack.create_post(token, draft, headers)
            if answer.status_code >= 500:
                raise requests.HTTPError(f"{answer.status_code}: {answer.text}")
            return answer

        try:
            answer = _answered(create) if headers else create()
        except _NO_ANSWER:
            self.did["creates without an answer"] += 1
            return
        if answer.status_code != 201:
            self.did[f"creates that were refused: {answer.json()['detail']}"] += 1
            return
        self.did["creates"] += 1
        expectation.created = "yes"
        expectation.post_id = answer.json()["insert_scheduled_post_one"]["id"]

    def act(self, mark: str, action: Action, revision: int, began: datetime) -> None:
        """Does what is planned, unless the post is not known to be stored, or is deleted already."""
        expectation = self.expectations[mark]
        with self._one_at_a_time[mark]:
            if expectation.post_id is None or expectation.deleted != "no":
                self.did["actions without a post"] += 1
            elif action.kind == "delete":
                self._delete(expectation)
            elif action.kind == "draft":
                self._make_a_draft(expectation)
            elif action.kind == "edit":
                self._change(expectation, "edits", expectation.texts, expectation.plan.text(revision), "text")
            else:
                new_time = self._new_time(expectation, action, began)
                self._change(expectation, f"{action.kind}s", expectation.times, new_time, "schedule_for")

    def _new_time(self, expectation: Expectation, action: Action, began: datetime) -> datetime:
        if action.kind == "postpone":
            return datetime.now(UTC) + timedelta(days=1)
        if action.kind == "backdate":
            expectation.was_backdated = True
            return datetime.now(UTC) - TOO_LATE
        return began + timedelta(seconds=action.to)

    def _change(self, expectation: Expectation, what: str, writes: list[Write[Any]], value: Any, column: str) -> None:
        shown = value.isoformat() if isinstance(value, datetime) else value
        before = len(writes)

        def perhaps() -> None:
            writes.append(Write(value, is_acknowledged=False))

        try:
            changed = self._graphql(expectation, _CHANGE, perhaps, {column: shown})
        except GraphQLFailed:
            self.did[f"{what} that were refused"] += 1
            return
        except _NO_ANSWER:
            self.did[f"{what} without an answer"] += 1
            return
        if changed is None:
            return  # the row is gone, though nobody deleted it: the checker will say so
        attempts = changed["post_attempts"]
        if len(writes) == before:  # else it is not known which of several requests was the one that changed it
            writes.append(Write(value, after_attempt=attempts[0]["number"] if attempts else 0))
        self.did[what] += 1

    def _make_a_draft(self, expectation: Expectation) -> None:
        def perhaps() -> None:
            expectation.drafted = "perhaps"

        try:
            changed = self._graphql(expectation, _CHANGE, perhaps, {"state": "draft"})
        except GraphQLFailed:
            self.did["drafts that were refused"] += 1
            return
        except _NO_ANSWER:
            self.did["drafts without an answer"] += 1
            return
        if changed:
            expectation.drafted = "yes"
        self.did["drafts"] += 1

    def _delete(self, expectation: Expectation) -> None:
        def perhaps() -> None:
            expectation.deleted = "perhaps"

        try:
            deleted = self._graphql(expectation, _DELETE, perhaps)
        except GraphQLFailed:
            self.did["deletes that were refused"] += 1
            return
        except _NO_ANSWER:
            self.did["deletes without an answer"] += 1
            return
        if deleted:
            expectation.deleted, expectation.deleted_when = "yes", deleted["state"]
        self.did["deletes"] += 1

    def _graphql(
        self,
        expectation: Expectation,
        document: str,
        no_answer_came: Callable[[], None],
        changes: dict[str, Any] | None = None,
    ) -> Any:
        """What changed. Raises GraphQLFailed with a sentence for the author."""
        variables = {"id": expectation.post_id, **({"changes": changes} if changes else {})}
        token = self._tokens[expectation.plan.author]

        def ask() -> Any:
            try:
                return self._stack.graphql(document, variables, token)["changed"]
            except GraphQLFailed as failed:
                if failed.errors[0]["extensions"]["code"] == "data-exception":
                    raise
                raise requests.HTTPError(str(failed)) from failed

        return _answered(ask, no_answer_came)


def _answered(ask: Callable[[], Any], no_answer_came: Callable[[], None] = lambda: None) -> Any:
    """Asks until there is an answer, at most for PATIENCE."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            return ask()
        except _NO_ANSWER:
            no_answer_came()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
