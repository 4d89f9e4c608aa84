"""docs/permissions.md, the metadata and the local Hasura say the same of each role, table, operation and column."""

import copy
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from local_hasura import PRODUCTION, HasuraServer, hasura_in_thread, new_database
from permissions import Page, Probe, conditions_in, permissions_in

from local.hasura.metadata import Metadata
from local.hasura.metadata_directory import load_metadata

pytest_plugins = ["local_hasura_fixtures"]

METADATA = load_metadata(PRODUCTION / "metadata")
PAGE = Page()


@pytest.fixture(scope="module")
def hasura(cluster: str) -> Iterator[HasuraServer]:
    environment = {"ACTIONS_BASE_URL": "http://127.0.0.1:1", "WEBHOOK_SECRET": "the-webhook-secret"}
    with hasura_in_thread(new_database(cluster), PRODUCTION, environment) as server:
        yield server


@pytest.fixture(scope="module")
def probe(hasura: HasuraServer) -> Iterator[Probe]:
    with closing(Probe(hasura)) as probe:
        yield probe


class TestThePage:
    def test_lists_every_column_of_the_database_or_its_table(self, probe: Probe) -> None:
        admins = {f"{table}.{column}" for table, column in probe.columns if table in PAGE.tables_of_the_admin()}

        assert {f"{table}.{column}" for table, column in probe.columns} == PAGE.listed_columns() | admins

    def test_lists_every_function_of_the_metadata(self) -> None:
        assert {entry["function"]["name"] for entry in METADATA.functions} == PAGE.listed_functions()

    def test_says_what_the_metadata_allows(self) -> None:
        assert permissions_in(METADATA.tables, METADATA.functions) == PAGE.permissions()

    def test_says_which_rows_the_metadata_means(self) -> None:
        assert conditions_in(METADATA.tables) == PAGE.conditions()

    def test_says_what_the_local_hasura_allows(self, probe: Probe) -> None:
        assert probe.permissions(PAGE.listed_functions()) == PAGE.permissions()


def loosened(table: str, kind: str, **changed: Any) -> Metadata:
    """The metadata with another permission of the role `user`; `more_columns` are added to its columns."""
    tables = copy.deepcopy(METADATA.tables)
    [entry] = [one for one in tables if one["table"]["name"] == table]
    permissions = entry.setdefault(f"{kind}_permissions", [])
    if not permissions:
        permissions.append({"role": "user", "permission": {}})
    permission = permissions[0]["permission"]
    permission["columns"] = [*permission.get("columns", []), *changed.pop("more_columns", [])]
    permission.update(changed)
    return METADATA.with_tables(tables)


def claim_for_authors() -> Metadata:
    functions = copy.deepcopy(METADATA.functions)
    [claim] = [one for one in functions if one["function"]["name"] == "claim_due_posts"]
    claim["permissions"] = [{"role": "user"}]
    return loosened("claimed_post", "select", more_columns=["post_id"], filter={}).with_functions(functions)


POST = "scheduled_post"
LOOSENED: list[Any] = [
    pytest.param(metadata, table, expected, id=name)
    for name, metadata, table, expected in [
        (
            "another-column-is-read",
            loosened("account", "select", more_columns=["sealed_tokens"]),
            "account",
            {("user", "read", "account.sealed_tokens")},
        ),
        (
            "another-column-is-inserted",
            loosened(POST, "insert", more_columns=["user_id"]),
            POST,
            {("user", "insert", "scheduled_post.user_id")},
        ),
        (
            "another-column-is-updated",
            loosened(POST, "update", more_columns=["tweet_id"]),
            POST,
            {("user", "update", "scheduled_post.tweet_id")},
        ),
        ("posts-of-others-are-read", loosened(POST, "select", filter={}), POST, {("user", "read", POST, "every")}),
        (
            "posts-of-others-are-updated",
            loosened(POST, "update", filter={}, check={}),  # either alone keeps others' posts as they are
            POST,
            {("user", "update", POST, "every"), ("user", "update to", POST, "every")},
        ),
        ("posts-of-others-are-deleted", loosened(POST, "delete", filter={}), POST, {("user", "delete", POST, "every")}),
        (
            "the-names-of-others-are-read",
            loosened("user", "select", filter={}),
            "user",
            {("user", "read", "user", "every")},
        ),
        (
            "the-accounts-of-others-are-read",
            loosened("account", "select", filter={}),
            "account",
            {("user", "read", "account", "every")},
        ),
        (
            "the-attempts-of-others-are-read",
            loosened("post_attempt", "select", filter={}),
            "post_attempt",
            {("user", "read", "post_attempt", "every")},
        ),
        (
            "somebody-signs-up-under-any-name",
            loosened("user", "insert", more_columns=["username"], check={}, set={}),
            "user",
            {("user", "insert", "user.username"), ("user", "insert", "user", "every")},
        ),
        (
            "authors-link-accounts",
            loosened("account_user", "insert", more_columns=["user_id", "account_id"], check={}),
            "account_user",
            {
                ("user", "insert", "account_user.user_id"),
                ("user", "insert", "account_user.account_id"),
                ("user", "insert", "account_user", "every"),
            },
        ),
        (
            "authors-claim-posts",
            claim_for_authors(),
            "claimed_post",
            {
                ("user", "claim_due_posts"),
                ("user", "read", "claimed_post.post_id"),
                ("user", "read", "claimed_post", "every"),
            },
        ),
    ]
]


class TestALooserPermission:
    @pytest.mark.parametrize(("metadata", "table", "expected"), LOOSENED)
    def test_is_found_in_the_metadata(self, metadata: Metadata, table: str, expected: set[Any]) -> None:
        assert permissions_in(metadata.tables, metadata.functions).beyond(PAGE.permissions()) == expected

    @pytest.mark.parametrize(("metadata", "table", "expected"), LOOSENED)
    def test_is_found_in_the_answers_of_the_local_hasura(
        self, hasura: HasuraServer, probe: Probe, metadata: Metadata, table: str, expected: set[Any]
    ) -> None:
        hasura.ask("replace_metadata", metadata=metadata.as_document())
        try:
            found = probe.permissions(PAGE.listed_functions(), ["user"], [table])
        finally:
            hasura.ask("replace_metadata", metadata=METADATA.as_document())

        assert found.beyond(PAGE.permissions()) == expected

    @pytest.mark.parametrize(
        "metadata",
        [
            loosened(POST, "insert", check={}),
            loosened(POST, "update", check={}),
            loosened(POST, "select", limit=5000),
            loosened("app", "select", allow_aggregations=True),
            loosened(POST, "select", filter={"user": {"username": {"_neq": "X-Hasura-User-Id"}}}),
            loosened(POST, "select", filter={"_or": [{"user": {"username": {"_eq": "X-Hasura-User-Id"}}}, {}]}),
        ],
        ids=["insert-check", "update-check", "limit", "counted", "another-operator", "or"],
    )
    def test_is_found_in_the_conditions(self, metadata: Metadata) -> None:
        assert conditions_in(metadata.tables) != PAGE.conditions()
