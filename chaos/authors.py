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

from chaos.asked import Asked, Said
from chaos.plan import Act, PlannedPost
from local.running_stack import GraphQLFailed, RunningStack

WRITERS = 8
"""How many write at once before the storm."""

REHEARSALS = 3 * WRITERS

PATIENCE = timedelta(seconds=45)
"""How long an author repeats what got no answer."""

TOO_LATE = timedelta(hours=7)

_CHANGE = """mutation ($id: bigint!, $changes: scheduled_post_set_input!) {
  changed: update_scheduled_post_by_pk(pk_columns: {id: $id}, _set: $changes) {
    state post_attempts(order_by: [{number: desc}], limit: 1) { number }
  }
}"""
_DELETE = "mutation ($id: bigint!) { changed: delete_scheduled_post_by_pk(id: $id) { state } }"

_NO_ANSWER = (requests.RequestException, ValueError)  # ValueError: what answered was not JSON


class Authors:
    """What they do to the stack; `asked` is what they know of it. May be called from many threads."""

    def __init__(self, stack: RunningStack, names: Sequence[str], posts: Sequence[PlannedPost]) -> None:
        self.asked = {post.mark: Asked(post) for post in posts}
        self.did: Counter[str] = Counter()
        self._stack = stack
        self._tokens = {name: stack.token(name) for name in names}
        self._one_at_a_time = {post.mark: threading.Lock() for post in posts}

    def seconds_to_write_one(self) -> float:
        """How long WRITERS take for a post just now. What they write to find out is deleted again."""
        token = next(iter(self._tokens.values()))
        tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()

        def write_and_delete(number: int) -> None:
            answer = self._stack.create_post(token, {"text": f"rehearsal {number}", "schedule_for": tomorrow})
            post_id = answer.json()["insert_scheduled_post_one"]["id"]
            self._stack.graphql(_DELETE, {"id": post_id}, token)

        write_and_delete(0)  # the first one takes longer
        began = time.monotonic()
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(write_and_delete, range(REHEARSALS)))
        return (time.monotonic() - began) / REHEARSALS

    def create(self, post: PlannedPost, began: datetime) -> None:
        """Creates it, times being counted from `began`; with a key until there is an answer, without one just once."""
        asked = self.asked[post.mark]
        schedule_for = began + timedelta(seconds=post.due)
        draft = {
            "text": post.text(0),
            "schedule_for": schedule_for.isoformat(),
            "when_late": post.when_late,
        }
        with self._one_at_a_time[post.mark]:
            asked.created = "perhaps"
            asked.texts.append(Said(post.text(0)))
            asked.times.append(Said(schedule_for))
            headers = {"Idempotency-Key": str(uuid.uuid4())} if post.has_key else {}
            with ThreadPoolExecutor(post.creates) as pool:
                creates = [pool.submit(self._create, asked, draft, headers) for _ in range(post.creates)]
            for create in creates:
                create.result()

    def _create(self, asked: Asked, draft: dict[str, Any], headers: dict[str, str]) -> None:
        token = self._tokens[asked.plan.author]

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
        asked.created = "yes"
        asked.post_id = answer.json()["insert_scheduled_post_one"]["id"]

    def act(self, mark: str, act: Act, revision: int, began: datetime) -> None:
        """Does what is planned, unless the post is not known to be stored, or is deleted already."""
        asked = self.asked[mark]
        with self._one_at_a_time[mark]:
            if asked.post_id is None or asked.deleted != "no":
                self.did["acts that came to nothing"] += 1
            elif act.kind == "delete":
                self._delete(asked)
            elif act.kind == "edit":
                self._change(asked, "edits", asked.texts, asked.plan.text(revision), "text")
            else:
                self._change(asked, f"{act.kind}s", asked.times, self._new_time(asked, act, began), "schedule_for")

    def _new_time(self, asked: Asked, act: Act, began: datetime) -> datetime:
        if act.kind == "postpone":
            return datetime.now(UTC) + timedelta(days=1)
        if act.kind == "backdate":
            asked.was_backdated = True
            return datetime.now(UTC) - TOO_LATE
        return began + timedelta(seconds=act.to)

    def _change(self, asked: Asked, what: str, said: list[Said[Any]], value: Any, column: str) -> None:
        shown = value.isoformat() if isinstance(value, datetime) else value
        before = len(said)
        try:
            changed = self._graphql(asked, _CHANGE, lambda: said.append(Said(value, is_sure=False)), {column: shown})
        except GraphQLFailed:
            self.did[f"{what} that were refused"] += 1
            return
        except _NO_ANSWER:
            self.did[f"{what} without an answer"] += 1
            return
        if changed is None:
            return  # the row is gone, though nobody deleted it: the judge will say so
        attempts = changed["post_attempts"]
        if len(said) == before:  # else it is not known which of several requests was the one that changed it
            said.append(Said(value, after_attempt=attempts[0]["number"] if attempts else 0))
        self.did[what] += 1

    def _delete(self, asked: Asked) -> None:
        def perhaps() -> None:
            asked.deleted = "perhaps"

        try:
            deleted = self._graphql(asked, _DELETE, perhaps)
        except GraphQLFailed:
            self.did["deletes that were refused"] += 1
            return
        except _NO_ANSWER:
            self.did["deletes without an answer"] += 1
            return
        if deleted:
            asked.deleted, asked.deleted_when = "yes", deleted["state"]
        self.did["deletes"] += 1

    def _graphql(
        self, asked: Asked, document: str, no_answer_came: Callable[[], None], changes: dict[str, Any] | None = None
    ) -> Any:
        """What changed. Raises GraphQLFailed with a sentence for the author."""
        variables = {"id": asked.post_id, **({"changes": changes} if changes else {})}
        token = self._tokens[asked.plan.author]

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
