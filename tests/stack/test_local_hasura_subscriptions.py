"""GraphQL over WebSocket at the local Hasura: live queries, both subprotocols, and how connections end."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import aiohttp
import jwt
import psutil
import pytest
import yaml
from graphql_socket import Closed, GraphQLSocket, graphql_socket
from local_hasura import (
    ADMIN_SECRET,
    DEADLINE,
    JWT_KEY,
    HasuraServer,
    eventually,
    hasura_in_thread,
    new_database,
    write_project,
)

from local.hasura.session import Session
from local.hasura.subscriptions import connection
from local.hasura.subscriptions.live_queries import Answer, LiveQueries

pytest_plugins = ["local_hasura_fixtures"]

NOTES = "subscription { note(order_by: {id: asc}) { id body } }"
NOTES_AFTER = "subscription After($id: Int!) { note(where: {id: {_gt: $id}}, order_by: {id: asc}) { id } }"
QUICK = {
    "HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL": "50",
    "HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT": "60",  # a busy machine is no failure
}
OTHER_PAGE = "https://other.example"
PAGE = "https://posts.example"


def token(user: str, **claims: Any) -> str:
    roles = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user", "x-hasura-user-id": user}
    return jwt.encode({"https://hasura.io/jwt/claims": roles, **claims}, JWT_KEY, "HS256")


def project_with_role(folder: Path) -> Path:
    """The project of `write_project`, whose notes the role ``user`` sees when `extra` is the user's id."""
    project = write_project(folder, [], [])
    table = project / "metadata" / "databases" / "default" / "tables" / "public_note.yaml"
    permission = {"columns": ["id", "body"], "filter": {"extra": {"_eq": "X-Hasura-User-Id"}}}
    content = yaml.safe_load(table.read_text()) | {"select_permissions": [{"role": "user", "permission": permission}]}
    table.write_text(yaml.safe_dump(content))
    return project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_with_role(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def running(cluster: str, project: Path) -> Iterator[HasuraServer]:
    with hasura_in_thread(new_database(cluster), project, QUICK) as server:
        yield server


@pytest.fixture
def hasura(running: HasuraServer) -> HasuraServer:
    """Without notes."""
    running.sql("truncate note")
    return running


@pytest.fixture
def socket(hasura: HasuraServer) -> Iterator[GraphQLSocket]:
    """The admin's."""
    with graphql_socket(hasura.url) as socket:
        socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)
        yield socket


def open_connections() -> list[Any]:
    """Of this process, to which the server belongs."""
    return [each for each in psutil.Process().net_connections("tcp") if each.status == psutil.CONN_ESTABLISHED]


def note(hasura: HasuraServer, number: int, body: str, owner: str = "alice") -> None:
    hasura.sql("insert into note (id, body, extra) values (%s, %s, %s)", number, body, owner)


class TestLiveQueries:
    def test_the_answer_comes_at_once_and_again_when_it_has_changed(
        self, hasura: HasuraServer, socket: GraphQLSocket
    ) -> None:
        socket.subscribe("1", NOTES)
        assert socket.receive() == {"type": "next", "id": "1", "payload": {"data": {"note": []}}}

        note(hasura, 1, "one")
        assert socket.receive()["payload"] == {"data": {"note": [{"id": 1, "body": "one"}]}}

        hasura.sql("update note set body = 'two'")
        assert socket.receive()["payload"] == {"data": {"note": [{"id": 1, "body": "two"}]}}

    def test_a_change_that_the_answer_does_not_show_is_not_sent(
        self, hasura: HasuraServer, socket: GraphQLSocket
    ) -> None:
        note(hasura, 1, "one")
        socket.subscribe("1", NOTES_AFTER, id=0)
        socket.receive()

        hasura.sql("update note set body = 'two'")
        note(hasura, 2, "three")

        assert socket.receive()["payload"]["data"] == {"note": [{"id": 1}, {"id": 2}]}

    def test_one_connection_carries_several_operations(self, hasura: HasuraServer, socket: GraphQLSocket) -> None:
        note(hasura, 1, "one")
        socket.subscribe("all", NOTES_AFTER, id=0)
        assert socket.receive() == {"type": "next", "id": "all", "payload": {"data": {"note": [{"id": 1}]}}}
        socket.subscribe("none", NOTES_AFTER, id=1)
        assert socket.receive() == {"type": "next", "id": "none", "payload": {"data": {"note": []}}}

    def test_a_completed_subscription_sends_no_more(self, hasura: HasuraServer, socket: GraphQLSocket) -> None:
        socket.subscribe("ended", NOTES)
        socket.subscribe("goes-on", NOTES)
        socket.receive()
        socket.receive()
        socket.send("complete", id="ended")
        assert socket.is_open()

        note(hasura, 1, "one")

        assert socket.receive()["id"] == "goes-on"
        socket.subscribe("ended", NOTES)
        assert socket.receive()["id"] == "ended"

    def test_a_role_sees_its_rows_alone(self, hasura: HasuraServer) -> None:
        note(hasura, 1, "of alice")
        note(hasura, 2, "of bob", "bob")
        with graphql_socket(hasura.url) as socket:
            socket.initialise(Authorization=f"Bearer {token('bob')}")
            socket.subscribe("1", NOTES)

            assert socket.receive()["payload"] == {"data": {"note": [{"id": 2, "body": "of bob"}]}}

    def test_a_role_cannot_subscribe_to_what_it_may_not_read(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url) as socket:
            socket.initialise(Authorization=f"Bearer {token('bob')}")
            socket.subscribe("1", "subscription { note { doc } }")

            extensions = {"path": "$.selectionSet.note.selectionSet.doc", "code": "validation-failed"}
            error = {"message": "field 'doc' not found in type: 'note'", "extensions": extensions}
            assert socket.receive() == {"type": "error", "id": "1", "payload": [error]}
            assert socket.receive() == {"type": "complete", "id": "1"}
            assert socket.is_open()

    def test_one_row_by_its_key_and_aggregates_can_be_subscribed_to(
        self, hasura: HasuraServer, socket: GraphQLSocket
    ) -> None:
        note(hasura, 1, "one")
        socket.subscribe("1", "subscription { note_by_pk(id: 1) { body } }")
        assert socket.receive()["payload"] == {"data": {"note_by_pk": {"body": "one"}}}
        socket.subscribe("2", "subscription { note_aggregate { aggregate { count } } }")
        assert socket.receive()["payload"] == {"data": {"note_aggregate": {"aggregate": {"count": 1}}}}

    def test_a_value_that_its_type_does_not_take_ends_the_subscription(self, socket: GraphQLSocket) -> None:
        socket.subscribe("1", 'subscription { note(where: {moved_at: {_gt: "yesteryear"}}) { id } }')

        [error] = socket.receive()["payload"]
        assert error["extensions"]["code"] == "data-exception"
        assert socket.receive() == {"type": "complete", "id": "1"}
        assert socket.is_open()

    def test_a_failing_poll_is_reported_and_the_subscription_goes_on(
        self, hasura: HasuraServer, socket: GraphQLSocket
    ) -> None:
        socket.subscribe("1", NOTES)
        socket.receive()

        hasura.sql("alter table note rename to hidden_note")
        error = {"message": "database query error", "extensions": {"path": "$", "code": "unexpected"}}
        assert socket.receive() == {"type": "next", "id": "1", "payload": {"data": None, "errors": [error]}}
        hasura.sql("alter table hidden_note rename to note")

        assert eventually(lambda: socket.receive()["payload"].get("data")) == {"note": []}

    @pytest.mark.parametrize(
        ("query", "code", "message"),
        [
            (
                "subscription { a: note { id } b: note { id } }",
                "validation-failed",
                "subscriptions must select one top level field",
            ),
            (
                "subscription { __typename }",
                "not-supported",
                "Introspection at root field level is not supported over subscriptions",
            ),
            (
                "subscription { note_stream { id } }",
                "not-supported",
                "'note_stream': streaming subscriptions are not emulated",
            ),
            (
                "subscription { other_stream { id } }",
                "validation-failed",
                "field 'other_stream' not found in type: 'subscription_root'",
            ),
            ("subscription {", "validation-failed", "not a valid graphql query"),
        ],
    )
    def test_what_cannot_be_subscribed_to_is_refused(
        self, socket: GraphQLSocket, query: str, code: str, message: str
    ) -> None:
        socket.subscribe("1", query)

        [error] = socket.receive()["payload"]
        assert (error["extensions"]["code"], error["message"]) == (code, message)
        assert socket.receive() == {"type": "complete", "id": "1"}

    def test_a_connection_has_a_hundred_subscriptions_at_most(self, socket: GraphQLSocket) -> None:
        for number in range(101):
            socket.subscribe(str(number), NOTES)

        [error] = eventually(lambda: [each for each in [socket.receive()] if each["type"] == "error"])
        assert error["id"] == "100"
        assert "100 subscriptions" in error["payload"][0]["message"]


@dataclass
class CountedOperation:
    """An operation that counts how often it is run; every run gives another answer."""

    session: Session
    source: str = "subscription { note { id } }"
    runs: int = 0

    async def data(self, _: object) -> dict[str, int]:
        self.runs += 1
        return {"runs": self.runs}


class Subscriber:
    """Takes answers; `takes_more` is cleared: it takes for ever."""

    def __init__(self) -> None:
        self.answers: list[str] = []
        self.takes_more = asyncio.Event()
        self.takes_more.set()

    async def receive(self, answer: Answer) -> None:
        self.answers.append(answer.text)
        await self.takes_more.wait()


async def until(happened: Callable[[], bool]) -> None:
    """Lets the polls of this loop run until this is true."""
    async with asyncio.timeout(DEADLINE):
        while not happened():
            await asyncio.sleep(0.001)


ALICE = Session("user", {"x-hasura-user-id": "alice"})


class TestPolls:
    def test_all_subscribers_of_the_same_query_in_the_same_session_share_one_poll(self) -> None:
        async def run() -> None:
            live_queries = LiveQueries(cast(Any, None), 0.001)
            operations = [CountedOperation(ALICE) for _ in range(10)]
            subscribers = [Subscriber() for _ in operations]
            for operation, subscriber in zip(operations, subscribers, strict=True):
                live_queries.subscribe(cast(Any, operation), subscriber.receive)
            await until(lambda: all(len(subscriber.answers) >= 3 for subscriber in subscribers))
            assert [operation.runs for operation in operations[1:]] == [0] * 9

        asyncio.run(run())

    @pytest.mark.parametrize(
        "other",
        [
            CountedOperation(ALICE, "subscription { note { body } }"),
            CountedOperation(Session("user", {"x-hasura-user-id": "bob"})),
            CountedOperation(Session("editor", {"x-hasura-user-id": "alice"})),
        ],
        ids=["document", "session variables", "role"],
    )
    def test_another_document_or_session_is_polled_by_itself(self, other: CountedOperation) -> None:
        async def run() -> None:
            live_queries = LiveQueries(cast(Any, None), 0.001)
            operations, subscribers = [CountedOperation(ALICE), other], [Subscriber(), Subscriber()]
            for operation, subscriber in zip(operations, subscribers, strict=True):
                live_queries.subscribe(cast(Any, operation), subscriber.receive)
            await until(lambda: all(subscriber.answers for subscriber in subscribers))
            assert all(operation.runs for operation in operations)

        asyncio.run(run())

    def test_nothing_is_polled_once_the_last_subscriber_has_left(self) -> None:
        async def run() -> None:
            live_queries = LiveQueries(cast(Any, None), 0.001)
            operation, subscriber = CountedOperation(ALICE), Subscriber()
            unsubscribe = live_queries.subscribe(cast(Any, operation), subscriber.receive)
            await until(lambda: bool(subscriber.answers))
            unsubscribe()
            assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == [
                task for task in asyncio.all_tasks() if task.cancelling()
            ]

        asyncio.run(run())

    def test_a_slow_subscriber_gets_the_newest_answer_next_and_holds_up_nobody(self) -> None:
        async def run() -> None:
            live_queries = LiveQueries(cast(Any, None), 0.001)
            slow, quick = Subscriber(), Subscriber()
            slow.takes_more.clear()
            for subscriber in (slow, quick):
                live_queries.subscribe(cast(Any, CountedOperation(ALICE)), subscriber.receive)
            await until(lambda: len(quick.answers) >= 5)
            assert len(slow.answers) == 1
            slow.takes_more.set()
            await until(lambda: len(slow.answers) >= 2)
            assert json.loads(slow.answers[1])["data"]["runs"] > 5

        asyncio.run(run())


class TestQueriesAndMutations:
    def test_a_mutation_and_a_query_are_answered_and_completed(
        self, hasura: HasuraServer, socket: GraphQLSocket
    ) -> None:
        socket.subscribe("1", 'mutation { insert_note_one(object: {id: 7, body: "new"}) { id } }')
        assert socket.receive() == {"type": "next", "id": "1", "payload": {"data": {"insert_note_one": {"id": 7}}}}
        assert socket.receive() == {"type": "complete", "id": "1"}

        socket.subscribe("1", "query ($id: Int!) { note_by_pk(id: $id) { body } }", id=7)
        assert socket.receive()["payload"] == {"data": {"note_by_pk": {"body": "new"}}}
        assert socket.receive() == {"type": "complete", "id": "1"}
        assert hasura.sql("select body from note") == [("new",)]

    def test_a_failed_mutation_is_an_error(self, hasura: HasuraServer, socket: GraphQLSocket) -> None:
        note(hasura, 1, "one")
        socket.subscribe("1", "mutation { insert_note_one(object: {id: 1}) { id } }")

        message = socket.receive()
        assert message["type"] == "error"
        assert message["payload"][0]["extensions"]["code"] == "constraint-violation"
        assert "internal" not in message["payload"][0]["extensions"]
        assert socket.receive() == {"type": "complete", "id": "1"}


class TestIntrospection:
    def test_each_role_has_what_it_may_subscribe_to(self, hasura: HasuraServer) -> None:
        query = "{ __schema { subscriptionType { name fields { name } } } }"
        of_user = hasura.graphql(query, Authorization=f"Bearer {token('alice')}")["data"]["__schema"]
        of_admin = hasura.graphql(query)["data"]["__schema"]["subscriptionType"]

        assert of_user["subscriptionType"]["name"] == "subscription_root"
        assert [field["name"] for field in of_user["subscriptionType"]["fields"]] == ["note", "note_by_pk"]
        assert [field["name"] for field in of_admin["fields"]] == ["note", "note_aggregate", "note_by_pk"]

    def test_a_subscription_over_http_is_refused_after_it_is_checked(self, hasura: HasuraServer) -> None:
        [valid] = hasura.graphql(NOTES)["errors"]
        [invalid] = hasura.graphql("subscription { note { nothing } }")["errors"]

        assert valid["message"] == "subscriptions are not supported over HTTP, use websockets instead"
        assert invalid["extensions"]["code"] == "validation-failed"


class TestAllowList:
    def test_authors_can_subscribe_to_what_is_listed_alone(self, cluster: str, tmp_path: Path) -> None:
        project = project_with_role(tmp_path)
        listed = [{"name": "listed", "definition": {"queries": [{"name": "notes", "query": NOTES}]}}]
        (project / "metadata" / "query_collections.yaml").write_text(yaml.safe_dump(listed))
        entries = [{"collection": "listed", "scope": {"global": True}}]
        (project / "metadata" / "allow_list.yaml").write_text(yaml.safe_dump(entries))
        environment = QUICK | {"HASURA_GRAPHQL_ENABLE_ALLOWLIST": "true"}

        with hasura_in_thread(new_database(cluster), project, environment) as server, graphql_socket(server.url) as own:
            own.initialise(Authorization=f"Bearer {token('alice')}")
            own.subscribe("1", NOTES)
            assert own.receive()["payload"] == {"data": {"note": []}}
            own.subscribe("2", NOTES_AFTER, id=0)
            [error] = own.receive()["payload"]
            assert error["message"] == "query is not allowed"


class TestInitialisation:
    def test_a_socket_is_told_that_hasura_is_there_and_that_it_is_known(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url) as socket:
            ping = {"type": "ping", "payload": {"message": "keepalive"}}
            assert socket.receive_any() == ping
            socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)
            assert socket.receive_any() == ping
            assert socket.subprotocol == "graphql-transport-ws"

    def test_headers_of_the_upgrade_count_too(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url, headers={"Authorization": f"Bearer {token('alice')}"}) as socket:
            socket.send("connection_init")
            assert socket.receive() == {"type": "connection_ack"}

    def test_headers_of_the_message_win(self, hasura: HasuraServer) -> None:
        note(hasura, 1, "of alice")
        with graphql_socket(hasura.url, headers={"Authorization": f"Bearer {token('bob')}"}) as socket:
            socket.initialise(Authorization=f"Bearer {token('alice')}")
            socket.subscribe("1", NOTES)
            assert socket.receive()["payload"]["data"]["note"] == [{"id": 1, "body": "of alice"}]

    def test_the_admin_can_act_as_a_user(self, hasura: HasuraServer) -> None:
        note(hasura, 1, "of alice")
        with graphql_socket(hasura.url) as socket:
            variables = {"x_hasura_role": "user", "x_hasura_user_id": "alice"}
            socket.initialise(x_hasura_admin_secret=ADMIN_SECRET, **variables)
            socket.subscribe("1", NOTES)
            assert socket.receive()["payload"]["data"]["note"] == [{"id": 1, "body": "of alice"}]

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Authorization": "Bearer nonsense"}, {"x-hasura-admin-secret": "wrong"}],
        ids=["no token", "no JSON Web Token", "wrong secret"],
    )
    def test_a_stranger_is_closed_as_forbidden(self, hasura: HasuraServer, headers: dict[str, str]) -> None:
        with graphql_socket(hasura.url) as socket:
            socket.send("connection_init", payload={"headers": headers})
            assert socket.receive() == Closed(4403, '{"server_error_msg":"4403: Forbidden"}')

    def test_an_expired_token_is_closed_as_forbidden(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url) as socket:
            expired = {"Authorization": f"Bearer {token('alice', exp=int(time.time()) - 1)}"}
            socket.send("connection_init", payload={"headers": expired})
            assert socket.receive().code == 4403

    def test_a_socket_that_says_nothing_is_closed(self, cluster: str, project: Path) -> None:
        quick = {"HASURA_GRAPHQL_WEBSOCKET_CONNECTION_INIT_TIMEOUT": "1"}
        with hasura_in_thread(new_database(cluster), project, quick) as server, graphql_socket(server.url) as socket:
            assert socket.receive() == Closed(4408, "Connection initialisation timed out")

    def test_a_connection_ends_with_its_token_without_a_close_frame(
        self, hasura: HasuraServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The token is valid for an hour, in case that the machine stalls; the connection's clock is almost there."""
        expires_at = int(time.time()) + 3600
        monkeypatch.setattr(connection, "time", SimpleNamespace(time=lambda: expires_at - 0.1))
        with graphql_socket(hasura.url) as socket:
            socket.initialise(Authorization=f"Bearer {token('alice', exp=expires_at)}")
            assert socket.receive() == Closed(1006)

    def test_a_second_initialisation_changes_who_asks(self, hasura: HasuraServer, socket: GraphQLSocket) -> None:
        note(hasura, 1, "of alice")
        socket.initialise(Authorization=f"Bearer {token('bob')}")
        socket.subscribe("1", NOTES)
        assert socket.receive()["payload"]["data"] == {"note": []}


class TestProtocol:
    def test_a_ping_is_answered_with_what_hasura_keeps_of_its_payload(self, socket: GraphQLSocket) -> None:
        socket.send("ping")
        assert socket.receive() == {"type": "pong"}
        socket.send("ping", payload={"message": "hello", "other": 1})
        assert socket.receive() == {"type": "pong", "payload": {"message": "hello"}}
        socket.send("pong")
        assert socket.is_open()

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "not JSON"),
            ('{"type": "connection_init", "payload": {"headers": {"Authorization": null}}}', "expected String"),
            ('{"type": "subscribe", "payload": {"query": "{ note { id } }"}}', 'key \\"id\\" not found'),
            ('{"type": "connection_init", "payload": {"headers": {"x-hasura-admin-secret": "\\ud800"}}}', "half"),
            ('{"type": "ping", "payload": {"message": NaN}}', "not JSON"),
            ('{"type": "hello"}', "unexpected"),
            ("[]", "expected Object"),
        ],
    )
    def test_what_is_no_message_ends_the_connection(self, hasura: HasuraServer, text: str, words: str) -> None:
        with graphql_socket(hasura.url) as socket:
            socket.send_text(text)
            closed = socket.receive()

            start = '{"server_error_msg":"4400: Parsing client message failed: parsing ClientMessage failed: '
            assert (closed.code, closed.reason.startswith(start)) == (4400, True)
            assert words[:10] in closed.reason or len(closed.reason) == 123

    def test_an_operation_before_the_initialisation_ends_the_connection(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url) as socket:
            socket.subscribe("1", NOTES)
            message = "start received before the connection is initialised"
            error = {"message": message, "extensions": {"path": "$", "code": "start-failed"}}
            assert socket.receive() == {"type": "error", "id": "1", "payload": error}
            assert socket.receive() == Closed(1000, f'{{"server_error_msg":"4400: {message}"}}')

    def test_a_second_operation_of_one_id_ends_the_connection(self, socket: GraphQLSocket) -> None:
        socket.subscribe("1", NOTES)
        socket.receive()
        socket.subscribe("1", NOTES)
        assert socket.receive()["payload"]["message"] == "an operation already exists with this id: 1"
        assert socket.receive().code == 1000

    def test_a_message_of_more_than_four_mebibytes_ends_the_connection(self, socket: GraphQLSocket) -> None:
        with suppress(ConnectionError):  # Hasura may have gone while the rest was still being sent
            socket.subscribe("1", "#" * (4 * 2**20) + NOTES)
        assert socket.receive().code in (1009, 1006)

    def test_a_client_that_takes_no_more_loses_its_connection(
        self, hasura: HasuraServer, socket: GraphQLSocket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "SECONDS_TO_TAKE_A_MESSAGE", 0.2)
        hasura.sql("insert into note (id, body) values (1, repeat('long', 5000000))")  # more than sockets hold
        for number in range(3):
            socket.subscribe(str(number), NOTES)

        port = urlsplit(hasura.url).port
        eventually(lambda: not any(each.laddr.port == port and each.raddr for each in open_connections()))

    def test_the_older_subprotocol_is_served(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url, "graphql-ws") as socket:
            assert socket.receive_any() == {"type": "ka"}
            socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)
            socket.send("start", id="1", payload={"query": NOTES})
            assert socket.receive() == {"type": "data", "id": "1", "payload": {"data": {"note": []}}}
            socket.send("start", id="2", payload={"query": "{ nothing }"})
            [error] = socket.receive()["payload"]["errors"]
            assert error["message"] == "field 'nothing' not found in type: 'query_root'"
            assert socket.receive() == {"type": "complete", "id": "2"}
            socket.send("stop", id="1")
            socket.send("connection_terminate")
            assert socket.receive() == Closed(1000, "GQL_CONNECTION_TERMINATE received")

    def test_the_older_subprotocol_survives_nonsense_and_tells_strangers_why(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url, "graphql-ws") as socket:
            socket.send("hello")
            assert "unexpected type" in socket.receive()["payload"]
            socket.send("connection_init")
            assert "Missing 'Authorization'" in socket.receive()["payload"]
            assert socket.receive().code == 4400


class TestUpgrades:
    def test_pages_of_other_origins_are_refused_where_origins_are_set(
        self, cluster: str, project: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        origins = {"HASURA_GRAPHQL_CORS_DOMAIN": f"{PAGE}, https://*.posts.example"}
        with hasura_in_thread(new_database(cluster), project, origins) as server:
            with (
                pytest.raises(aiohttp.WSServerHandshakeError) as refused,
                graphql_socket(server.url, headers={"Origin": OTHER_PAGE}),
            ):
                pass
            assert refused.value.status == 400
            assert f"GET /v1/graphql is blocked: pages of {OTHER_PAGE} may not call Hasura" in caplog.text
            for allowed in (PAGE, "https://beta.posts.example"):
                with graphql_socket(server.url, headers={"Origin": allowed}) as socket:
                    socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)

    def test_all_pages_may_connect_where_no_origins_are_set(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url, headers={"Origin": OTHER_PAGE}) as socket:
            socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)

    def test_a_get_that_is_no_upgrade_is_answered_as_ever(self, hasura: HasuraServer) -> None:
        with graphql_socket(hasura.url) as socket:
            assert socket.receive_any()["type"] == "ping"
        assert hasura.graphql("{ note { id } }") == {"data": {"note": []}}


class TestChangesOfTheServer:
    def test_changed_metadata_closes_all_connections_so_that_clients_come_again(
        self, cluster: str, project: Path
    ) -> None:
        with hasura_in_thread(new_database(cluster), project, QUICK) as server, graphql_socket(server.url) as socket:
            socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)
            server.ask("reload_metadata")
            assert socket.receive() == Closed(1012, "Server state changed, restarting the server")
            with graphql_socket(server.url) as another:
                another.initialise(x_hasura_admin_secret=ADMIN_SECRET)

    def test_a_stopping_server_closes_its_connections(self, cluster: str, project: Path) -> None:
        with ExitStack() as stack:
            with hasura_in_thread(new_database(cluster), project, QUICK) as server:
                socket = stack.enter_context(graphql_socket(server.url))
                socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)
            assert socket.receive() == Closed(1012, "shutting server down")

    def test_a_client_that_takes_no_more_does_not_hold_up_the_end(
        self, cluster: str, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connection, "SECONDS_TO_TAKE_A_MESSAGE", 10 * DEADLINE)
        with ExitStack() as stack:
            with hasura_in_thread(new_database(cluster), project, QUICK) as server:  # which fails when it does not end
                socket = stack.enter_context(graphql_socket(server.url))
                socket.initialise(x_hasura_admin_secret=ADMIN_SECRET)
                server.sql("insert into note (id, body) values (1, repeat('long', 5000000))")  # more than sockets hold
                socket.subscribe("1", NOTES)
                eventually(lambda: socket.unread_bytes() > 2**16)
            assert isinstance(socket.receive(), Closed)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("HASURA_GRAPHQL_LIVE_QUERIES_MULTIPLEXED_REFETCH_INTERVAL", "soon", "soon is not a whole number"),
            ("HASURA_GRAPHQL_CORS_DOMAIN", "https://a, posts.example", "posts.example is not an origin"),
        ],
    )
    def test_wrong_settings_are_refused(self, cluster: str, project: Path, name: str, value: str, message: str) -> None:
        wrong = {name: value}
        with (
            pytest.raises(ValueError, match=message),
            hasura_in_thread(new_database(cluster), project, wrong),
        ):
            pass
