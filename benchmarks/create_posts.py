"""One contender of benchmarks.create and benchmarks.throughput, in a process of its own.

``create_posts.py UPSTREAM ours|ours-with-key|floor`` reads lines of ``POSTS CALLERS``, creates so many posts with so
many threads, and prints ``{"ms": [...], "cpu_ms": ..., "seconds": ...}`` for each: each create's time, the processor
time of one, and the time of all. It runs as a script, so that PYTHONPATH can name another checkout whose createPost is
to be compared.
"""

import argparse
import http.client
import importlib
import json
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import azure.functions as func
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


class Context:
    """As much of the worker's context as the functions use."""

    invocation_id = "5f9c1a9e-0000-4000-8000-000000000001"


def ours(upstream: str, *, with_key: bool) -> Callable[[int], None]:
    """createPost through its entry point, as the worker calls it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings = {
        "APP_BASE_API": upstream,
        "ACTIONS_BASE_URL": "http://localhost:7071",
        "HASURA_GRAPHQL_ADMIN_SECRET": "the-admin-secret",
        "HASURA_GRAPHQL_JWT_SECRET": json.dumps({"type": "RS256", "key": public.decode()}),
        "WEBHOOK_SECRET": "the-webhook-secret",
        "CONSUMER_API_KEY": "the-consumer-key",
        "CONSUMER_API_SECRET": "the-consumer-secret",
        "X_TOKEN_KEYS": "a-key:" + "k" * 42 + "A",
        "ALLOW_PLAIN_HTTP": "true",
    }
    os.environ.update(settings)
    main = importlib.import_module("createPost").main  # when the settings are there

    token = jwt.encode({"sub": "author", "exp": time.time() + 86400}, key, "RS256")

    def create(number: int) -> None:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        if with_key:
            headers["Idempotency-Key"] = f'"{uuid.uuid4()}"'
        request = func.HttpRequest(
            method="POST", url="http://localhost:7071/api/createPost", headers=headers, body=_draft(number)
        )
        answer = main(request, Context())
        assert answer.status_code == 201, answer.get_body()

    return create


def floor(upstream: str) -> Callable[[int], None]:
    """Two requests on one kept connection of each caller by Python's own http.client, and nothing else."""
    own = threading.local()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer " + "t" * 700}

    def post(path: str, body: bytes) -> None:
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPConnection(urlsplit(upstream).netloc)
        own.connection.request("POST", path, body, headers)
        json.loads(own.connection.getresponse().read())

    def create(number: int) -> None:
        post("/v1/graphql", b'{"query":"mutation insertPost { x }","variables":{"post":' + _draft(number) + b"}}")
        post("/v1/metadata", b'{"type":"create_scheduled_event","args":{"payload":' + _draft(number) + b"}}")

    return create


def _draft(number: int) -> bytes:
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    return json.dumps({"text": f"Post {number}: https://example.com/notes", "schedule_for": at}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.create_posts", description=__doc__)
    parser.add_argument("upstream", help="its address")
    parser.add_argument("contender", choices=("ours", "ours-with-key", "floor"))
    given = parser.parse_args()
    create = (
        floor(given.upstream)
        if given.contender == "floor"
        else ours(given.upstream, with_key=given.contender == "ours-with-key")
    )

    def timed(number: int) -> float:
        began = time.perf_counter()
        create(number)
        return (time.perf_counter() - began) * 1000

    for line in sys.stdin:
        posts, callers = map(int, line.split())
        cpu, began = time.process_time(), time.perf_counter()
        with ThreadPoolExecutor(callers) as threads:
            times = list(threads.map(timed, range(posts)))
        seconds = time.perf_counter() - began
        cpu = (time.process_time() - cpu) * 1000 / posts
        print(json.dumps({"ms": times, "cpu_ms": cpu, "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
