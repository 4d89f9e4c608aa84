"""POST /api/postTweet: Hasura rings here; whatever is due is published on X."""

from http import HTTPStatus

import azure.functions as func

from shared import config
from shared.clock import SystemClock
from shared.core import deliver as ringing
from shared.hasura import events
from shared.hasura.client import WEBHOOK_SECRET_HEADER, Hasura
from shared.http import auth, endpoint
from shared.x.client import X

MAX_BODY_BYTES = 1024 * 1024


def main(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    return endpoint.answer(req, context, post_tweet)


def post_tweet(req: func.HttpRequest) -> func.HttpResponse:
    settings = config.load()
    auth.check_webhook_secret(req.headers.get(WEBHOOK_SECRET_HEADER), settings.webhook_secret)
    post_id = events.ringing_post_id(endpoint.json_object(req, MAX_BODY_BYTES))
    clock = SystemClock()
    rung = ringing.ring(post_id, Hasura(settings), X(settings, clock.now), clock)
    return endpoint.json_response(
        HTTPStatus.OK if rung.retry_after is None else HTTPStatus.SERVICE_UNAVAILABLE,
        {
            "post_id": rung.post_id,
            "state": rung.state,
            "reason": rung.reason,
            "tweet_id": rung.tweet_id,
            "claimed": rung.claimed,
        },
        rung.retry_after,
    )
