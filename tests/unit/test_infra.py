"""infra/ gives the functions what the table of settings asks for, and its parts fit together.

No Bicep compiler runs here: pycep reads the files, and these tests check what a compiler would notice first.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pycep import BicepParser

import createPost
import postTweet
from local.settings import BODY_SIZE_LIMIT
from shared.config import SETTINGS

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
FILES = sorted(path.name for path in INFRA.glob("*.bicep"))


def text_of(name: str) -> str:
    return (INFRA / name).read_text()


@cache
def parser() -> BicepParser:
    return BicepParser(add_line_numbers=False)


@cache
def parsed(name: str) -> Any:
    """What is in the file; a part that it has not, as an empty one."""
    return {"parameters": {}, "variables": {}, "modules": {}, "outputs": {}, **parser().parse(text=text_of(name))}


def variable(name: str) -> Any:
    return parsed("main.bicep")["variables"][name]["value"]


def secret_name(setting: str) -> str:
    return setting.lower().replace("_", "-")


def test_the_functions_get_every_setting_that_is_no_secret() -> None:
    given = {one["name"] for one in variable("plainSettings")}

    assert given == {one.name for one in SETTINGS if not one.secret}


def test_the_functions_get_every_secret_and_nothing_else_by_a_reference_to_the_vault() -> None:
    optional = [*in_either_case("previousWebhookSecret"), *in_either_case("notifySecrets")]

    assert [*variable("requiredSecrets"), *optional] == sorted(
        (one.name for one in SETTINGS if one.secret), key=lambda name: name in optional
    )
    assert [one.name for one in SETTINGS if one.name in optional and not one.optional] == []


def in_either_case(name: str) -> list[str]:
    cases = variable(name)["operator"]["operands"]
    return [*cases["true_value"], *cases["false_value"]]


def test_a_reference_names_the_secret_like_the_setting_in_lower_case_with_dashes() -> None:
    [reference] = re.findall(r"'(@Microsoft\.KeyVault\(.*)'\n", text_of("functions.bicep"))

    assert reference == "@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${replace(toLower(setting), '_', '-')})"


def test_hasura_reads_its_own_secrets_and_never_those_that_open_the_tokens() -> None:
    known = {secret_name(one.name) for one in SETTINGS if one.secret}
    own = set(variable("hasuraSecrets"))

    assert own - known == {"pg-database-url"}
    assert own & {"x-token-keys", "consumer-api-key", "consumer-api-secret", "notify-url", "notify-secret"} == set()
    assert own == set(parsed("hasura.bicep")["variables"]["ownSecrets"]["value"])


@pytest.mark.parametrize("name", FILES)
def test_what_is_a_secret_is_a_secure_parameter_without_a_default(name: str) -> None:
    open_secrets = [
        parameter
        for parameter, detail in parsed(name)["parameters"].items()
        if re.search(r"(password|secret|keys?)$", parameter, re.IGNORECASE)
        and detail["type"] == "string"
        and ({"type": "secure"} not in detail["decorators"] or detail["default"] is not None)
    ]

    assert open_secrets == []


@pytest.mark.parametrize("name", FILES)
def test_a_module_is_given_the_parameters_that_it_has_and_all_that_it_needs(name: str) -> None:
    for module, detail in parsed(name)["modules"].items():
        has = parsed(detail["detail"]["path"])["parameters"]
        given = set((detail["config"].get("config") or detail["config"])["params"])

        assert given <= set(has), module
        assert {one for one, parameter in has.items() if parameter["default"] is None} <= given, module


@pytest.mark.parametrize("name", FILES)
def test_an_output_that_is_read_is_one_that_the_module_has(name: str) -> None:
    modules = parsed(name)["modules"]

    for module, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", text_of(name)):
        assert output in parsed(modules[module]["detail"]["path"])["outputs"], f"{module}.outputs.{output}"


def test_the_workspace_is_put_out_by_the_id_that_queries_are_asked_with() -> None:
    """`az monitor log-analytics query --workspace` takes the workspace's GUID, and not its resource id."""
    assert "output workspaceCustomerId string = workspace.properties.customerId\n" in text_of("monitoring.bicep")
    assert "output AZURE_LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId\n" in text_of(
        "main.bicep"
    )


def test_every_name_of_azure_that_operating_it_needs_is_put_out_or_asked_for() -> None:
    named = set(re.findall(r"<(AZURE_\w+)", (ROOT / "docs/operating.md").read_text()))

    assert named - {"AZURE_KEY_VAULT_NAME"} <= set(parsed("main.bicep")["outputs"])


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_loads_is_there(name: str) -> None:
    loaded = re.findall(r"load\w+Content\('([^']+)'\)", text_of(name))

    assert [path for path in loaded if not (INFRA / path).exists()] == []


def test_azd_is_asked_for_each_parameter_that_has_no_default_and_for_none_that_is_not_there() -> None:
    asked = json.loads(text_of("main.parameters.json"))["parameters"]
    has = parsed("main.bicep")["parameters"]

    assert set(asked) <= set(has)
    assert {name for name, parameter in has.items() if parameter["default"] is None} <= set(asked)


def test_every_parameter_of_main_is_described_where_its_name_does_not_say_it() -> None:
    undescribed = {
        name
        for name, parameter in parsed("main.bicep")["parameters"].items()
        if "description" not in {one["type"] for one in parameter["decorators"]}
    }

    assert undescribed == {"location", "xBaseUrl", "maxLatenessSeconds", "publishBatch"}


def test_the_defaults_are_those_of_the_settings() -> None:
    defaults = {one.name: one.default for one in SETTINGS}
    parameters = parsed("main.bicep")["parameters"]

    assert parameters["xBaseUrl"]["default"] == defaults["X_BASE_URL"]
    assert parameters["hasuraAuthorRole"]["default"] == defaults["HASURA_AUTHOR_ROLE"]
    assert str(parameters["maxLatenessSeconds"]["default"]) == defaults["MAX_LATENESS_SECONDS"]
    assert str(parameters["publishBatch"]["default"]) == defaults["PUBLISH_BATCH"]


def test_the_host_takes_the_same_bodies_everywhere_and_at_least_those_that_the_functions_read() -> None:
    [in_azure] = re.findall(
        r"'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT', value: '([0-9]+)'", (ROOT / "infra/functions.bicep").read_text()
    )
    example = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]

    assert int(in_azure) == int(example["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]) == BODY_SIZE_LIMIT
    assert max(createPost.MAX_BODY_BYTES, postTweet.MAX_BODY_BYTES) < BODY_SIZE_LIMIT


def test_hasura_is_of_the_same_version_as_in_docker_compose() -> None:
    [composed] = set(re.findall(r"hasura/graphql-engine:(v[0-9.]+[0-9])", (ROOT / "docker-compose.yml").read_text()))

    assert parsed("main.bicep")["parameters"]["hasuraImage"]["default"] == f"docker.io/hasura/graphql-engine:{composed}"


def test_hasura_executes_only_the_documents_of_the_allow_list_for_authors() -> None:
    assert "{ name: 'HASURA_GRAPHQL_ENABLE_ALLOWLIST', value: 'true' }" in text_of("hasura.bicep")


def test_hasura_always_runs() -> None:
    assert "minReplicas: 1\n" in text_of("hasura.bicep")


def test_the_python_of_azure_is_one_that_the_tests_run_on() -> None:
    [tested] = re.findall(r'^PYTHONS="(.*)"$', (ROOT / ".ci/run").read_text(), re.MULTILINE)

    assert parsed("functions.bicep")["parameters"]["pythonVersion"]["default"] in tested.split()
