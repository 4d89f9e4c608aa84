"""POST /api/postTweet: Hasura delivers its events here; whatever is due is published on X."""

from http import HTTPStatus

import azure.functions as func

from shared import config, log
from shared.clock import SystemClock
from shared.core.deliver import handle_delivery
from shared.hasura import events
from shared.hasura.event_store import WEBHOOK_SECRET_HEADER
from shared.hasura.post_store import HasuraPostStore
from shared.http import auth, endpoint
from shared.notifications import notify
from shared.x.client import X

MAX_BODY_BYTES = 1024 * 1024


def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return endpoint.answer(req, context, post_tweet)


def post_tweet(req: func.HttpRequest) -> func.HttpResponse:
    settings, clock = config.settings(), SystemClock()
    auth.check_webhook_secret(req.headers.get(WEBHOOK_SECRET_HEADER), *settings.webhook_secrets)
    body = endpoint.json_object(req, MAX_BODY_BYTES)
    store = HasuraPostStore(settings)
    with log.bound(event_id=events.event_id_of(body)):
        if change := events.state_change_of(body):
            notified = notify(change, store, settings, clock)
            status = HTTPStatus.OK if notified.is_settled else HTTPStatus.SERVICE_UNAVAILABLE
            return endpoint.json_response(status, notified.as_json(), notified.retry_after)
        result = handle_delivery(events.delivery_of(body), store, X(settings, clock.now), clock)
        status = HTTPStatus.OK if result.retry_after is None else HTTPStatus.SERVICE_UNAVAILABLE
        return endpoint.json_response(status, result.as_json(), result.retry_after)
