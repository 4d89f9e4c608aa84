"""docs/openapi.yaml describes what the running functions answer, to right requests and to wrong ones.

Each operation is called with what its description allows, and with what it does not: by Schemathesis, which also knows
what to expect of the answer. OPENAPI_EXAMPLES says how many random requests there are, besides those at the limits of
the description, which are always the same.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from local import REPOSITORY
from local.running_stack import RunningStack

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "30"))
REQUESTS_OF_AN_AUTHOR = 40
"""Of these the fewest create a post, so that no author is refused for too many."""

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
]

description = schemathesis.openapi.from_path(REPOSITORY / "docs" / "openapi.yaml")


@pytest.fixture(scope="module")
def credentials(stack: RunningStack) -> Callable[[str], dict[str, str]]:
    """The header of whoever may call an operation; after some requests it is another author."""

    def tokens() -> Iterator[str]:
        while True:
            token = stack.token(f"u{uuid.uuid4().hex[:12]}")
            yield from [token] * REQUESTS_OF_AN_AUTHOR

    of_authors = tokens()

    def header(path: str) -> dict[str, str]:
        if path == "/api/postTweet":
            return {"x-webhook-secret": stack.settings["WEBHOOK_SECRET"]}
        return {"Authorization": f"Bearer {next(of_authors)}"}

    return header


@description.parametrize()
@settings(max_examples=EXAMPLES)
def test_an_answer_is_as_described_whatever_was_sent(
    case: "schemathesis.Case[Any]", stack: RunningStack, credentials: Callable[[str], dict[str, str]]
) -> None:
    answer = case.call_and_validate(stack.urls["functions"], headers=credentials(case.path), checks=CHECKS, timeout=150)

    assert answer.status_code < 500 or answer.status_code == 503
