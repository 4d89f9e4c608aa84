"""POST /api/postTweet: Hasura delivers its events here; whatever is due is published on X."""

from http import HTTPStatus

import azure.functions as func

from shared import config
from shared.clock import SystemClock
from shared.core.deliver import handle_delivery
from shared.hasura import events
from shared.hasura.client import WEBHOOK_SECRET_HEADER, Hasura
from shared.http import auth, endpoint
from shared.x.client import X

MAX_BODY_BYTES = 1024 * 1024


def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return endpoint.answer(req, context, post_tweet)


def post_tweet(req: func.HttpRequest) -> func.HttpResponse:
    settings = config.load()
    auth.check_webhook_secret(req.headers.get(WEBHOOK_SECRET_HEADER), *settings.webhook_secrets)
    delivery = events.delivery_of(endpoint.json_object(req, MAX_BODY_BYTES))
    clock = SystemClock()
    result = handle_delivery(delivery, Hasura(settings), X(settings, clock.now), clock)
    return endpoint.json_response(
        HTTPStatus.OK if result.retry_after is None else HTTPStatus.SERVICE_UNAVAILABLE,
        {
            "post_id": result.post_id,
            "state": result.state,
            "reason": result.reason,
            "tweet_id": result.tweet_id,
            "claimed": result.claimed,
        },
        result.retry_after,
    )
