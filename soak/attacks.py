"""The attacks of docs/security.md, each on a stack of its own on this machine; prints what they do today.

Every attack is bounded in time and in how much it sends. What they did before there were limits stands beside it.
"""

import argparse
import base64
import json
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa

from local.ports import LOOPBACK
from local.running_stack import GraphQLFailed, RunningStack, started
from shared.limits import KEYS_COOLDOWN

INSERT = """mutation ($posts: [scheduled_post_insert_input!]!) {
  insert_scheduled_post(objects: $posts) { affected_rows }
}"""

ROWS, ROWS_AT_ONCE = 20_000, 1_000
ONE_BY_ONE = 40
LINKS = 100
DOLLARS_FOR_A_LINK = 0.2
CEILING = 100
"""MAX_POSTS_PER_DAY in the attack on the operator's bill."""

SECONDS_TO_PUBLISH = 90.0
"""What is inserted by GraphQL has no scheduled event; what its delivery leaves, the sweep of each minute publishes."""
HONEST_POSTS, HONEST_PAUSE = 20, 0.5

CONNECTIONS = 20
"""On each, unsigned tokens are sent one after the other, for as long as an author schedules posts beside them."""

NO_PAGE = ("--without", "web")
"""Its server signs tokens itself, and does not start where an issuer does."""

SLOW_KEYS = 20.0
"""How long the slow endpoint of keys takes."""


@dataclass(frozen=True)
class Attack:
    """What is tried, what it did before, and a function that tries it in a folder and says what it does today."""

    name: str
    before: str
    run: Callable[[Path], str]


def main() -> None:
    given = _options()
    print("| attack | before | now |\n| --- | --- | --- |")
    for name, attack in ATTACKS.items():
        if given.only in (None, name):
            with tempfile.TemporaryDirectory(prefix="scheduled-posts-attack-") as data:
                print(f"| {attack.name} | {attack.before} | {attack.run(Path(data))} |", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m soak.attacks", description=__doc__)
    parser.add_argument("--only", choices=list(ATTACKS), help="this one alone (all)")
    return parser.parse_args()


def due_rows(data: Path) -> str:
    """Many rows that are due at once, while somebody else schedules posts."""
    with started(data) as stack:
        alice, mallory = stack.token("alice"), stack.token("mallory")
        with ThreadPoolExecutor(1) as beside:
            honest = beside.submit(_honest_posts, stack, alice)
            stored = sum(_insert(stack, mallory, ROWS_AT_ONCE, "now") for _ in range(ROWS // ROWS_AT_ONCE))
            stored += sum(_insert(stack, mallory, 1, "now") for _ in range(ONE_BY_ONE))
            answers, late = honest.result()
    return (
        f"{stored} of {ROWS:,} rows are stored; the slowest `createPost` of another author takes {max(answers):.2f} s, "
        f"the latest of their posts is {max(late):.1f} s late"
    )


def links(data: Path) -> str:
    """Two requests with as many posts with links as before, then as many as one author may create, in two requests."""
    with started(data / "limits") as stack:
        published, seconds = _publish_links(stack)
    with started(data / "ceiling", settings={"MAX_POSTS_PER_DAY": str(CEILING)}) as stack:
        under_ceiling, _ = _publish_links(stack)
    return (
        f"the two requests are refused; {published} posts go out within {seconds:.0f} s "
        f"(${published * DOLLARS_FOR_A_LINK:.2f}), and no more in 15 minutes nor than 100 for a day ($20.00); "
        f"with `MAX_POSTS_PER_DAY={CEILING}`, {under_ceiling} (${under_ceiling * DOLLARS_FOR_A_LINK:.2f})"
    )


def nested_query(data: Path) -> str:
    """The query that led from each post back to all posts."""
    nested = "id text"
    for _ in range(5):
        nested = f"id text user {{ scheduled_posts {{ {nested} }} }}"
    with started(data) as stack:
        token = stack.token("mallory")
        began = time.monotonic()
        try:
            size = f"{len(json.dumps(stack.graphql(f'{{ scheduled_post {{ {nested} }} }}', token=token)))} bytes"
        except GraphQLFailed as failed:
            size = f"refused: {failed}"
        return f"{size}, in {1000 * (time.monotonic() - began):.0f} ms"


def slow_keys(data: Path) -> str:
    """Tokens of keys that nobody knows, while the issuer's keys come slowly, and somebody else schedules posts."""
    with started(data) as stack:
        stack.token("alice")  # her row, and her account on X
    with (
        _Issuer() as issuer,
        started(data, *NO_PAGE, settings={"HASURA_GRAPHQL_JWT_SECRET": issuer.hasura_setting}) as stack,
    ):
        alice = issuer.token("alice")
        stack.create_post(alice, _draft("now")).raise_for_status()
        issuer.is_slow.set()
        time.sleep(KEYS_COOLDOWN.total_seconds())  # an unknown key has the keys fetched again
        with ThreadPoolExecutor(CONNECTIONS + 1) as pool:
            honest = pool.submit(_honest_posts, stack, alice)
            floods = [pool.submit(_send_unsigned_tokens, stack, until=honest) for _ in range(CONNECTIONS)]
            answers, _ = honest.result()
            refused = sum((flood.result() for flood in floods), Counter[str]())
    statuses = ", ".join(f"{count} times {status}" for status, count in sorted(refused.items()))
    return (
        f"{sum(refused.values())} tokens on {CONNECTIONS} connections are answered: {statuses}; "
        f"the slowest `createPost` of an author takes {max(answers):.2f} s"
    )


ATTACKS = {
    "due-rows": Attack(
        f"one account puts {ROWS:,} due rows in by GraphQL",
        "all are stored; everybody's `createPost` takes 21 s, and their posts are 29 s late",
        due_rows,
    ),
    "links": Attack(
        f"two requests with {LINKS} posts with links",
        "on X after 1.6 s, for $20; $1,920 a day",
        links,
    ),
    "nested-query": Attack(
        "a query that goes back to all posts from each post, five times",
        "more than 4 min of the database, an answer of 392 MB",
        nested_query,
    ),
    "slow-keys": Attack(
        "unsigned tokens while the issuer's keys come slowly",
        "all threads wait for keys, and nobody is answered",
        slow_keys,
    ),
}


def _honest_posts(stack: RunningStack, token: str) -> tuple[list[float], list[float]]:
    """How long the answers took to an author who schedules posts a second ahead, and how late these went out."""
    due: dict[str, datetime] = {}
    answers = []
    for number in range(HONEST_POSTS):
        draft = _draft(f"honest {number}", ahead=timedelta(seconds=1))
        began = time.monotonic()
        stack.create_post(token, draft).raise_for_status()
        answers.append(time.monotonic() - began)
        due[draft["text"]] = datetime.fromisoformat(draft["schedule_for"])
        time.sleep(HONEST_PAUSE)
    published = _published(stack, due.keys().__contains__, len(due))
    return answers, [(at - due[text]).total_seconds() for text, at in published]


def _publish_links(stack: RunningStack) -> tuple[int, float]:
    """How many posts with links are on X in the end, and how long after the first request."""
    mallory = stack.token("mallory")
    began = datetime.now(UTC)
    for count in (LINKS // 2, LINKS // 2, 15, 15):
        _insert(stack, mallory, count, "https://example.com")
    published = _published(stack, lambda text: "example.com" in text, at_least=30)
    return len(published), max(((at - began).total_seconds() for _, at in published), default=0.0)


def _published(stack: RunningStack, is_meant: Callable[[str], bool], at_least: int) -> list[tuple[str, datetime]]:
    """What is on X, when there is so much of it, or when that took too long."""
    deadline = time.monotonic() + SECONDS_TO_PUBLISH
    while True:
        tweets = [
            (tweet["text"], datetime.fromisoformat(tweet["created_at"]))
            for tweet in stack.tweets()
            if is_meant(tweet["text"])
        ]
        if len(tweets) >= at_least or time.monotonic() > deadline:
            return tweets
        time.sleep(0.2)


def _insert(stack: RunningStack, token: str, count: int, text: str) -> int:
    """How many of the posts are stored; all are due now."""
    posts = [_draft(f"{text} {uuid.uuid4()}") for _ in range(count)]
    try:
        stored: int = stack.graphql(INSERT, {"posts": posts}, token)["insert_scheduled_post"]["affected_rows"]
    except GraphQLFailed:
        return 0
    return stored


def _draft(text: str, ahead: timedelta = timedelta()) -> dict[str, str]:
    return {"text": text, "schedule_for": (datetime.now(UTC) + ahead).isoformat()}


def _send_unsigned_tokens(stack: RunningStack, until: Future[Any]) -> Counter[str]:
    """What createPost answers to them, by status."""
    statuses: Counter[str] = Counter()
    with requests.Session() as http:
        while not until.done():
            statuses[_answer_to(http, stack.urls["functions"], _unsigned_token())] += 1
    return statuses


def _answer_to(http: requests.Session, url: str, token: str) -> str:
    try:
        answer = http.post(
            f"{url}/api/createPost", data=b"{}", headers={"Authorization": f"Bearer {token}"}, timeout=60
        )
    except requests.RequestException as error:
        return type(error).__name__
    return str(answer.status_code)


def _unsigned_token() -> str:
    """Of a key that nobody has; its algorithm is one for which published keys are needed."""
    parts: tuple[dict[str, str], ...] = ({"alg": "RS256", "kid": uuid.uuid4().hex}, {"sub": "alice"}, {})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


class _Issuer:
    """Signs tokens, and publishes its key; slowly, when `is_slow` is set."""

    def __init__(self) -> None:
        self.is_slow = threading.Event()
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        self._server = ThreadingHTTPServer(
            (LOOPBACK, 0), self._handler({"keys": [{**public, "kid": "known", "use": "sig"}]})
        )
        self._server.daemon_threads = True
        self.hasura_setting = json.dumps({"jwk_url": f"http://{LOOPBACK}:{self._server.server_port}/keys"})

    def __enter__(self) -> "_Issuer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token(self, username: str) -> str:
        """An author's, for ten minutes."""
        claims = {
            "sub": username,
            "exp": int(time.time()) + 600,
            "https://hasura.io/jwt/claims": {
                "x-hasura-user-id": username,
                "x-hasura-default-role": "user",
                "x-hasura-allowed-roles": ["user"],
            },
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": "known"})

    def _handler(self, keys: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
        is_slow = self.is_slow

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if is_slow.is_set():
                    time.sleep(SLOW_KEYS)
                body = json.dumps(keys).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(BrokenPipeError):  # who asked has stopped waiting
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


if __name__ == "__main__":
    main()
