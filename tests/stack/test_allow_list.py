"""The allow list in hasura/metadata: it has all that authors send, and where it is enforced nothing else passes."""

import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import yaml

from local.running_stack import GraphQLFailed, RunningStack, started
from scripts import allow_list

SEALED = "v1.local." + "A" * 60
ROOT = Path(__file__).parents[2]
DOCUMENT = re.compile(r"[\"'`]\s*(query|mutation|subscription|fragment)\s+\w+")
OPERATIONS_OF_PAGE = [
    "LatestPost",
    "Accounts",
    "App",
    "Everything",
    "SignUp",
    "Changes",
    "Some",
    "Ids",
    "EditText",
    "Move",
    "Remove",
    "AddDraft",
    "ChangeDraft",
    "ScheduleDraft",
    "MakeDraft",
    "EndPause",
    "SetPreferences",
    "AddSlot",
    "RemoveSlot",
]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> Iterator[RunningStack]:
    """One whose Hasura enforces the list."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HASURA_GRAPHQL_ENABLE_ALLOWLIST", "true")
        with started(tmp_path_factory.mktemp("stack"), "--poll-interval", "0.05") as running:
            yield running


@pytest.fixture
def token(stack: RunningStack) -> str:
    return stack.token(new_name())


def new_name() -> str:
    return "u" + uuid.uuid4().hex[:12]


def in_a_day() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def signed(stack: RunningStack, username: str, role: str) -> str:
    """A token of somebody of whom there need be no row."""
    secret = json.loads(stack.settings["HASURA_GRAPHQL_JWT_SECRET"])
    session = {"x-hasura-user-id": username, "x-hasura-default-role": role, "x-hasura-allowed-roles": [role]}
    return jwt.encode({"https://hasura.io/jwt/claims": session}, secret["key"], secret["type"])


class TestTheFiles:
    def test_are_as_the_script_writes_them(self) -> None:
        kept = {name: (allow_list.METADATA / name).read_text() for name in allow_list.files(allow_list.METADATA)}

        assert kept == allow_list.files(allow_list.METADATA), "Run python -m scripts.allow_list"

    def test_list_the_collection_for_all_roles_because_hasura_ignores_one_for_some(self) -> None:
        listed = yaml.safe_load((allow_list.METADATA / "allow_list.yaml").read_text())

        assert listed == [{"collection": "scheduled-posts", "scope": {"global": True}}]

    def test_keep_the_collections_of_others(self, tmp_path: Path) -> None:
        mine = {"name": "mine", "definition": {"queries": [{"name": "all", "query": "{ user { id } }"}]}}
        entry = {"collection": "mine", "scope": {"global": True}}
        (tmp_path / "query_collections.yaml").write_text(yaml.safe_dump([{"name": "scheduled-posts"}, mine]))
        (tmp_path / "allow_list.yaml").write_text(yaml.safe_dump([entry]))

        written = {name: yaml.safe_load(text) for name, text in allow_list.files(tmp_path).items()}

        assert written["query_collections.yaml"][1:] == [mine]
        assert [one["collection"] for one in written["allow_list.yaml"]] == ["scheduled-posts", "mine"]

    def test_have_every_document_of_the_page_of_create_post_and_of_the_action(self) -> None:
        assert [*allow_list.documents()] == [
            *OPERATIONS_OF_PAGE,
            "LinkAccount",
            "author",
            "insertPost",
            "postOfKey",
            "insertPostOfKey",
        ]


def test_the_page_has_its_documents_in_one_file_and_sends_no_other() -> None:
    others = {file.name: file.read_text() for file in (ROOT / "web").rglob("*.js") if file.name != "documents.js"}

    written = (ROOT / "web" / "posts" / "documents.js").read_text()
    constants = re.findall(r"^export const (\w+) =(?! \d)", written, re.MULTILINE)
    sent = {name for text in others.values() for name in re.findall(r"\b(?:asUser|update)\(\s*([A-Z_]+)\b", text)}
    watched = re.findall(r"const DOCUMENTS = \[(.*)\];", others["watch.js"])[0].split(", ")

    assert [name for name, text in others.items() if DOCUMENT.search(text)] == []
    assert sent | set(watched) == set(constants)
    assert len(constants) == len(OPERATIONS_OF_PAGE)


class TestWhereItIsEnforced:
    def test_an_author_creates_a_post_and_the_same_again_by_its_key(self, stack: RunningStack, token: str) -> None:
        draft = {"text": "Hello", "schedule_for": in_a_day()}
        key = {"Idempotency-Key": f'"{uuid.uuid4()}"'}

        answers = [stack.create_post(token, draft, key) for _ in range(2)] + [stack.create_post(token, draft)]

        created, again, other = (answer.json()["insert_scheduled_post_one"]["id"] for answer in answers)
        assert created == again != other

    def test_an_author_may_give_their_own_user_id_and_no_other(self, stack: RunningStack, token: str) -> None:
        draft = {"text": "Hello", "schedule_for": in_a_day()}
        [own] = stack.graphql(allow_list.documents()["author"], token=token)["user"]

        assert stack.create_post(token, {**draft, "user_id": own["id"]}).status_code == 201
        assert stack.create_post(token, {**draft, "user_id": 2**40}).status_code == 403

    @pytest.mark.parametrize(
        "document",
        [
            "{ scheduled_post { id } }",
            "query Ids { scheduled_post { id } }",
            "query Changes { scheduled_post { id post_attempts { text } } }",
            "{ __schema { types { name } } }",
            'mutation { update_scheduled_post(where: {}, _set: {text: "x"}) { returning { post_attempts { text } } } }',
            "{ a: scheduled_post { text } b: scheduled_post { text } }",
        ],
    )
    def test_an_author_can_send_nothing_else(self, stack: RunningStack, token: str, document: str) -> None:
        with pytest.raises(GraphQLFailed) as refused:
            stack.graphql(document, token=token)

        [error] = refused.value.errors
        assert (error["message"], error["extensions"]["code"]) == ("query is not allowed", "validation-failed")

    def test_the_admin_can_send_anything(self, stack: RunningStack) -> None:
        assert "scheduled_post" in stack.graphql("{ scheduled_post { id } }")

    def test_an_author_signs_up_as_the_page_does_it(self, stack: RunningStack) -> None:
        name = new_name()

        signed_up = stack.graphql(allow_list.documents()["SignUp"], token=signed(stack, name, "user"))

        assert signed_up["insert_user_one"]["username"] == name

    def test_the_action_links_an_account(self, stack: RunningStack) -> None:
        [document] = re.findall(r"const LINK_ACCOUNT = `([^`]*)`", allow_list.ACTION.read_text())
        account = {"username": new_name(), "x_user_id": "4711", "account_name": "ada", "sealed_tokens": SEALED}

        linked = stack.graphql(document, {"account": account}, token=signed(stack, "the Action", "linker"))

        assert linked == {"link_account": [{"also_linked_to": []}]}
