"""The documents tell the truth: what they list is what there is."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from local.oidc_settings import oidc_settings
from shared import errors
from shared.config import SETTINGS, Setting
from shared.errors import Problem
from shared.http.endpoint import problem_type
from shared.limits import DELIVERY_TIMEOUT

ROOT = Path(__file__).parents[2]


def text_of(path: str) -> str:
    return (ROOT / path).read_text()


def table_in(path: str, first_column: str) -> list[list[str]]:
    """The rows of the Markdown table whose first column is headed so."""
    rows = re.findall(r"^\|(.*)\|$", text_of(path).split(f"\n| {first_column} |", 1)[1].split("\n\n")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[1:]]


def test_the_readme_lists_every_setting_with_its_default_and_its_help() -> None:
    listed = table_in("README.md", "setting")

    assert listed == [[f"`{one.name}`", default_of(one), one.help] for one in SETTINGS]


def default_of(setting: Setting) -> str:
    if setting.optional:
        return "optional"
    return f"`{setting.default}`" if setting.default else "required"


def test_the_example_of_dotenv_sets_every_setting_and_what_docker_compose_needs() -> None:
    for_compose = set(re.findall(r"\$\{(\w+)", text_of("docker-compose.yml") + text_of("compose.production.yml")))
    of_functions = [one.name for one in SETTINGS]

    example = list(dotenv_values(ROOT / ".env.example"))

    assert example[: len(of_functions)] == of_functions
    assert set(example[len(of_functions) :]) == for_compose - set(of_functions)


def test_the_example_of_local_settings_sets_every_setting() -> None:
    values = json.loads(text_of("local.settings.json.example"))["Values"]

    of_the_host = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]

    assert list(values) == of_the_host + [one.name for one in SETTINGS]
    assert all(isinstance(value, str) for value in values.values())


@pytest.mark.parametrize("path", [".env.example", "local.settings.json.example"])
def test_an_example_repeats_the_defaults_of_the_table(path: str) -> None:
    values = json.loads(text_of(path))["Values"] if path.endswith("json.example") else dotenv_values(ROOT / path)

    differing = {one.name for one in SETTINGS if one.default and values[one.name] != one.default}

    assert differing <= {"ACTIONS_BASE_URL"}


def problems() -> list[type[Problem]]:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Problem)]
    return [kind for kind in kinds if kind not in (Problem, errors.Unavailable)]


def test_every_problem_is_explained_with_its_status() -> None:
    explained = {(row[0].strip("`"), int(row[1])) for row in table_in("docs/errors.md", "type")}

    assert explained == {(problem_type(kind), kind.status) for kind in problems()}


def test_every_error_is_in_the_tree_that_opens_its_module() -> None:
    kinds = [name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)]

    assert [name for name in kinds if not re.search(rf"\b{name}\b", errors.__doc__ or "")] == []


def test_every_module_of_shared_is_in_the_tree_of_the_architecture() -> None:
    modules = {path.relative_to(ROOT / "shared").as_posix() for path in (ROOT / "shared").rglob("*.py")}

    assert {path for path in modules if not path.endswith("__init__.py")} == set(shown_tree_of_shared())


def shown_tree_of_shared() -> Iterator[str]:
    """The modules in the tree of docs/architecture.md; those that stand deeper below ``core/`` are in that folder."""
    [tree] = re.findall(r"^shared/.*\n((?:  .*\n)+)", text_of("docs/architecture.md"), re.MULTILINE)
    folder = ""
    for indent, name in re.findall(r"^( +)(\w+(?:\.py|/))", tree, re.MULTILINE):
        if name.endswith("/"):
            folder = name
        else:
            yield name if len(indent) == 2 else folder + name


def test_the_readme_lists_every_make_target_with_its_help() -> None:
    targets = re.findall(r"^([a-z-]+):.* ## (.*)$", text_of("Makefile"), re.MULTILINE)

    assert table_in("README.md", "target") == [
        [f"`make {target}`", f"{words[0].upper()}{words[1:]}."] for target, words in targets if target != "help"
    ]


def test_what_waiting_costs_is_told_for_the_memory_that_is_deployed() -> None:
    [memory] = re.findall(r"param instanceMemoryMB int = ([0-9]+)", text_of("infra/functions.bicep"))
    gigabytes = int(memory) / 1024
    costs = {row[0]: row[2] for row in table_in("docs/architecture.md", "choice")}

    assert f"{10 * gigabytes:.0f} GB-s at the {int(memory):,} MB" in costs["`EARLY_SECONDS=15` (default)"]
    a_month = 30 * 86_400 * gigabytes / 1e6
    assert f"{a_month:.1f} million GB-s a month at {int(memory):,} MB" in costs["`SWEEP_WAIT_SECONDS=60`"]


def test_a_hasura_elsewhere_is_told_every_variable_that_the_one_on_azure_has() -> None:
    [of_azure] = re.findall(r"name: 'hasura'\n.*?env: \[(.*?)\n          \]", text_of("infra/hasura.bicep"), re.DOTALL)
    listed = " ".join(row[0] for row in table_in("docs/hasura.md", "variable of Hasura"))

    assert set(re.findall(r"name: '(\w+)'", of_azure)) == set(re.findall(r"`(\w+)`", listed))


def test_hasura_has_the_same_time_to_end_everywhere() -> None:
    of_hasura = [
        *re.findall(r"GRACEFUL_SHUTDOWN_TIMEOUT: \"([0-9]+)\"", text_of("docker-compose.yml")),
        *re.findall(r"GRACEFUL_SHUTDOWN_TIMEOUT', value: '([0-9]+)'", text_of("infra/hasura.bicep")),
        *re.findall(r"Stopping takes up to ([0-9]+) s", text_of("docs/hasura.md")),
        *re.findall(r"GRACEFUL_SHUTDOWN_TIMEOUT` \| `([0-9]+)`", text_of("docs/hasura.md")),
    ]
    of_the_platform = [
        *re.findall(r"stop_grace_period: ([0-9]+)s # Hasura", text_of("docker-compose.yml")),
        *re.findall(r"terminationGracePeriodSeconds: ([0-9]+)", text_of("infra/hasura.bicep")),
        *re.findall(r"give it ([0-9]+) s", text_of("docs/hasura.md")),
    ]

    assert of_hasura == [f"{DELIVERY_TIMEOUT.total_seconds():.0f}"] * 4
    assert len(of_the_platform) == 3
    assert len(set(of_the_platform)) == 1


DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_names_only_make_targets_that_there_are(path: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make (?:[A-Z_]+=\S+ )?([a-z][a-z-]*)", text_of(path), re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_command_of_this_repository_can_be_typed_after_make_install(path: str) -> None:
    """The packages are in ``.venv`` alone, unless the same block activates it or installs them."""
    text = re.sub(
        r"^```(?:(?!```).)*?(?:pip install|activate\b).*?^```", "", text_of(path), flags=re.DOTALL | re.MULTILINE
    )
    ours = "|".join(sorted({file.parent.relative_to(ROOT).parts[0] for file in ROOT.glob("*/__init__.py")}))

    assert re.findall(rf"(?<!\.venv/bin/)\bpython3? -m (?:{ours})\b.*", text) == []


def test_the_path_to_the_first_post_names_every_setting_that_has_no_default() -> None:
    missing = [
        one.name for one in SETTINGS if one.default is None and f"`{one.name}`" not in text_of("docs/deploying.md")
    ]

    assert set(missing) <= {"WEBHOOK_SECRET_PREVIOUS"}


def test_the_path_to_the_first_post_names_every_variable_that_azd_is_asked_for() -> None:
    asked = set(re.findall(r"\$\{(\w+)", text_of("infra/main.parameters.json")))

    assert {name for name in asked if name not in text_of("docs/deploying.md")} <= {"AZURE_ENV_NAME"}


def test_each_step_of_the_path_to_the_first_post_says_whether_it_was_run() -> None:
    steps = table_in("docs/deploying.md", "no.")

    assert [row for row in steps if len(row) != 4 or not row[3]] == []
    assert list(dict.fromkeys(row[0] for row in steps)) == re.findall(
        r"^## (\d+)\. ", text_of("docs/deploying.md"), re.MULTILINE
    )


def test_the_path_to_the_first_post_has_the_doctor_ask_the_functions() -> None:
    """There `ACTIONS_BASE_URL` is a template, and without an address the doctor passes over them."""
    commands = re.findall(r"^make doctor.*$", text_of("docs/deploying.md"), re.MULTILINE)

    assert commands != []
    assert [command for command in commands if "--functions" not in command] == []


@pytest.mark.parametrize("path", ["docs/operating.md", "docs/doctor.md"])
def test_a_job_has_the_doctor_ask_the_functions(path: str) -> None:
    [command] = re.findall(r"doctor --json --\S+", text_of(path))

    assert command == "doctor --json --functions"


def test_the_policy_of_the_page_is_the_same_wherever_it_is_told() -> None:
    policies = [re.findall(r"default-src [^`\"]+", text_of(path)) for path in ("docs/page.md", "docs/deploying.md")]

    assert policies[0] == policies[1]
    assert len(policies[0]) == 1


def test_the_policy_in_the_page_names_the_origins_of_its_config() -> None:
    config = json.loads(text_of("web/config.json"))
    addresses = [config["createPost"], config["graphql"], config["oidc"]["issuer"]]
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text_of("web/index.html"))
    [connections] = re.findall(r"connect-src ([^;]+);", policy)

    function, hasura, provider = [f"https://{urlsplit(address).netloc}" for address in addresses]
    assert connections.split() == ["'self'", function, hasura, hasura.replace("https:", "wss:"), provider]


def test_the_example_of_a_provider_s_file_is_one_that_the_local_stack_takes(tmp_path: Path) -> None:
    [example] = re.findall(r"^```json\n(.*?)```", text_of("docs/local-stack.md"), re.MULTILINE | re.DOTALL)
    file = tmp_path / "oidc.json"
    file.write_text(example)

    assert oidc_settings(file) == json.loads(example)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_link_to_a_file_leads_somewhere(path: str) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", text_of(path))

    assert [target for target in targets if not (ROOT / path).parent.joinpath(target).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_link_to_a_heading_leads_to_one(path: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text_of(path))

    assert [
        f"{file}#{anchor}"
        for file, anchor in targets
        if anchor not in anchors_of((ROOT / path).parent / file if file else ROOT / path)
    ] == []


def anchors_of(document: Path) -> set[str]:
    """The anchors that GitHub gives the headings: in lower case, without punctuation, with dashes for spaces."""
    without_code = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.*)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_says_of_every_folder_what_is_in_it() -> None:
    in_git = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {path.split("/")[0] for path in in_git.splitlines() if "/" in path}
    named = " ".join(row[0] + row[1] for row in table_in("README.md", "path"))

    assert {folder for folder in folders if f"`{folder}/" not in named} == set()
