"""POST /api/createPost: stores a post and sets its scheduled event."""

import functools
from http import HTTPStatus

import azure.functions as func

from shared import config
from shared.clock import SystemClock
from shared.core import schedule
from shared.core.event_recorder import EventRecorder
from shared.hasura.draft_store import HasuraDraftStore
from shared.http import auth, endpoint

MAX_BODY_BYTES = 64 * 1024


def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return endpoint.answer(req, context, create_post)


def create_post(req: func.HttpRequest) -> func.HttpResponse:
    settings = config.settings()
    token = auth.bearer_token(req.headers.get("authorization"), settings.hasura_graphql_jwt_secret)
    draft = endpoint.json_object(req, MAX_BODY_BYTES)
    key = endpoint.idempotency_key(req.headers.get("idempotency-key"))
    created = schedule.create(draft, token, key, HasuraDraftStore(settings), SystemClock(), _event_recorder())
    return endpoint.json_response(
        HTTPStatus.CREATED, {"insert_scheduled_post_one": created.post, "scheduled_event": created.event}
    )


@functools.cache
def _event_recorder() -> EventRecorder:
    """One for the process."""
    return EventRecorder()
