"""X's endpoints. Each call passes the signature, the pending faults and the rate limit before it is answered."""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aiohttp import web

from local.x_api import problems
from local.x_api.drafts import draft_from, publish
from local.x_api.faults import Call, Faults
from local.x_api.fields import refuse_other_parameters
from local.x_api.oauth import Refused, Signatures
from local.x_api.problems import Problem
from local.x_api.rate_limits import RateLimits
from local.x_api.snowflakes import first_id_at, in_range
from local.x_api.storage import Storage
from local.x_api.timeline import (
    FIELDS_PARAMETERS,
    PAGE_PARAMETERS,
    fields_from,
    page_from,
    rendered,
    timeline,
)
from local.x_api.user_fields import PARAMETER as USER_FIELDS
from local.x_api.user_fields import rendered_user, user_fields_from

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Endpoint:
    """A path of the API. `per_window` is how many calls X grants each user in 15 minutes (X's docs, "Rate limits")."""

    name: str
    method: str
    path: str
    per_window: int
    status: int = 200


_ID = "{id:[0-9]{1,19}}"

ENDPOINTS = {
    endpoint.name: endpoint
    for endpoint in (
        Endpoint("tweets", "POST", "/2/tweets", 100, status=201),
        Endpoint("tweet", "GET", f"/2/tweets/{_ID}", 900),
        Endpoint("delete", "DELETE", f"/2/tweets/{_ID}", 50),
        Endpoint("users/me", "GET", "/2/users/me", 75),
        Endpoint("timeline", "GET", f"/2/users/{_ID}/tweets", 900),
    )
}


class Api:
    """Answers as X does. An author may not repeat a text within `duplicate_window`."""

    def __init__(
        self,
        storage: Storage,
        signatures: Signatures,
        limits: RateLimits,
        faults: Faults,
        duplicate_window: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._storage = storage
        self._signatures = signatures
        self._limits = limits
        self._faults = faults
        self._duplicate_window = duplicate_window
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        answers = {
            "tweets": self._create_tweet,
            "tweet": self._look_up_tweet,
            "delete": self._delete_tweet,
            "users/me": self._look_up_me,
            "timeline": self._read_timeline,
        }
        return [
            *(
                web.route(endpoint.method, endpoint.path, partial(self._serve, endpoint, answers[name]))
                for name, endpoint in ENDPOINTS.items()
            ),
            web.route("*", "/{path:.*}", _refuse_unknown_endpoint),
        ]

    async def _serve(
        self, endpoint: Endpoint, answer: Callable[[Call], dict[str, Any]], request: web.Request
    ) -> web.StreamResponse:
        body = await request.read()
        try:
            user = self._signatures.signer_of(request, body)
        except Refused as refused:
            log.info("rejected %s: %s", _one_line(f"{request.method} {request.path}"), refused)
            return refused.problem.response()
        call = Call(request, body, user, self._now())
        try:
            return await self._faults.answer(endpoint.name, call, partial(self._work, endpoint, answer))
        except Problem as problem:
            log.info("rejected @%s %s %s: %s", user.username, request.method, request.path, _one_line(str(problem)))
            response = problem.response()
            if not problem.is_from_the_edge:
                self._add_headers(response, endpoint, call)
            return response

    def _work(self, endpoint: Endpoint, answer: Callable[[Call], dict[str, Any]], call: Call) -> web.Response:
        if call.user.suspended:
            raise problems.user_suspended()
        self._limits.spend(endpoint.name, call.user.id)
        response = web.json_response(answer(call), status=endpoint.status)
        self._add_headers(response, endpoint, call)
        return response

    def _add_headers(self, response: web.Response, endpoint: Endpoint, call: Call) -> None:
        """X's usual headers, where the answer does not bring its own."""
        for name, value in {
            **self._limits.headers(endpoint.name, call.user.id),
            "api-version": "2.167",
            "x-access-level": "read-write",
            "x-transaction-id": secrets.token_hex(8),
        }.items():
            response.headers.setdefault(name, value)

    def _create_tweet(self, call: Call) -> dict[str, Any]:
        draft = draft_from(call.request.content_type, call.body)
        tweet = publish(draft, call.user, self._storage, self._now() - self._duplicate_window)
        log.info("@%s: tweeted %s", tweet.username, tweet.id)
        return {"data": rendered(tweet, [])}

    def _look_up_tweet(self, call: Call) -> dict[str, Any]:
        refuse_other_parameters(call.request.query, FIELDS_PARAMETERS)
        fields = fields_from(call.request.query)
        tweet = self._storage.tweet(_id_in_path(call))
        return {"data": rendered(tweet, fields)} if tweet else _not_found("tweet", call)

    def _delete_tweet(self, call: Call) -> dict[str, Any]:
        tweet = self._storage.tweet(_id_in_path(call))
        if not tweet:
            return _not_found("tweet", call)  # X's real answer is not known
        if tweet.user_id != call.user.id:
            raise problems.not_permitted()
        self._storage.delete_tweet(tweet.id)
        log.info("@%s: deleted %s", tweet.username, tweet.id)
        return {"data": {"deleted": True}}

    def _look_up_me(self, call: Call) -> dict[str, Any]:
        refuse_other_parameters(call.request.query, [USER_FIELDS])
        return {"data": rendered_user(call.user, user_fields_from(call.request.query))}

    def _read_timeline(self, call: Call) -> dict[str, Any]:
        refuse_other_parameters(call.request.query, (*PAGE_PARAMETERS, *FIELDS_PARAMETERS))
        page, fields = page_from(call.request.query), fields_from(call.request.query)
        user = self._storage.user(_id_in_path(call))
        if not user:
            return _not_found("user", call)
        if call.lag:
            page = page.older_than(first_id_at(call.at - call.lag))
        return timeline(self._storage, user.id, page, fields)


async def _refuse_unknown_endpoint(request: web.Request) -> web.Response:
    problem = problems.not_emulated(request.method, request.path)
    log.info("rejected: %s", _one_line(str(problem)))
    return problem.response()


def _id_in_path(call: Call) -> int:
    return in_range(int(call.request.match_info["id"]))


def _not_found(resource: str, call: Call) -> dict[str, Any]:
    """X's 200 for a read that finds nothing."""
    wanted = call.request.match_info["id"]
    error = {
        "value": wanted,
        "detail": f"Could not find {resource} with id: [{wanted}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": "id",
        "resource_id": wanted,
        "type": "https://api.x.com/2/problems/resource-not-found",
    }
    return {"errors": [error]}


def _one_line(text: str, most: int = 200) -> str:
    """The text for the log: its beginning, without any character that would disturb a terminal."""
    line = "".join(character if character.isprintable() else " " for character in text[: most + 1])
    return line if len(line) <= most else line[: most - 1] + "…"
