"""The files for Docker Compose, which we cannot run: what must hold of them is read from them."""

import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values

from shared.limits import DELIVERY_TIMEOUT

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r'(?:\{\{|from_env"?: "?)(\w+)')


def file_of(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return content


BASE = file_of("docker-compose.yml")
PRODUCTION = file_of("compose.production.yml")
BOTH = [BASE, PRODUCTION]


def services() -> list[tuple[str, dict[str, Any]]]:
    return [(name, service) for file in BOTH for name, service in file["services"].items()]


def test_every_image_has_a_tag_with_a_whole_version() -> None:
    images = [service["image"] for _, service in services() if "image" in service]

    assert [image for image in images if not re.search(r":v?\d+\.\d+(\.\d+)?([.-][\w.-]+)?$", image)] == []
    assert len(images) == 5


def test_hasura_has_the_security_fix_and_can_apply_an_event_trigger_to_a_new_database() -> None:
    [version] = re.findall(r":v(\d+)\.(\d+)\.(\d+)\.cli-migrations-v3$", BASE["services"]["hasura"]["image"])
    major, minor, patch = map(int, version)

    assert (major, minor, patch) >= (2, 49, 3) or ((major, minor) == (2, 45) and patch >= 5)


def test_hasura_connects_as_a_role_that_is_no_superuser() -> None:
    environment = BASE["services"]["hasura"]["environment"]

    urls = {environment["PG_DATABASE_URL"], environment["HASURA_GRAPHQL_METADATA_DATABASE_URL"]}

    assert urls == {"postgres://hasura:${HASURA_DATABASE_PASSWORD}@postgres:5432/scheduled_posts"}
    script = (ROOT / "hasura/postgres/create_database.sql").read_text()
    statements = re.sub(r"--.*", "", script)
    assert "create role hasura login" in statements
    assert not re.search(r"(?<!is_)superuser", statements)


def test_the_script_that_creates_the_role_runs_on_a_new_server() -> None:
    postgres = BASE["services"]["postgres"]

    assert "./hasura/postgres:/docker-entrypoint-initdb.d:ro" in postgres["volumes"]
    assert [path.name for path in (ROOT / "hasura/postgres").iterdir()] == ["create_database.sql"]
    assert "HASURA_DATABASE_PASSWORD" in postgres["environment"]


def test_hasura_has_every_variable_that_its_metadata_names() -> None:
    files = [path for path in (ROOT / "hasura").rglob("*") if path.suffix in (".yaml", ".json")]
    named = {name for path in files for name in VARIABLE.findall(path.read_text())}

    assert {"PG_DATABASE_URL", "ACTIONS_BASE_URL", "WEBHOOK_SECRET"} <= named
    assert named <= BASE["services"]["hasura"]["environment"].keys()


def test_no_secret_has_a_default_and_a_missing_one_is_named() -> None:
    for name, service in services():
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("SECRET", "PASSWORD")):
                assert re.fullmatch(r"\$\{" + variable + r":\?.+\}", value), (name, variable)


def test_every_service_that_another_waits_for_has_a_health_check() -> None:
    waited_for = {
        other
        for _, service in services()
        if isinstance(service.get("depends_on"), dict)
        for other, how in service["depends_on"].items()
        if how == {"condition": "service_healthy"}
    }

    assert waited_for == {"postgres", "hasura"}
    assert all("healthcheck" in BASE["services"][name] for name in waited_for)


def secrets_of(service: str) -> dict[str, str]:
    environment = BASE["services"][service]["environment"]
    return {name: value for name, value in environment.items() if re.search("SECRET|PASSWORD", name)}


def check(**environment: str) -> "subprocess.CompletedProcess[str]":
    """What the service ``no_placeholders`` does with these variables."""
    [script] = BASE["services"]["no_placeholders"]["command"]
    given = {"PATH": os.environ["PATH"], **environment}
    command = ["sh", "-c", script.replace("$$", "$")]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)


def test_nothing_starts_before_every_secret_is_seen_to_be_no_placeholder() -> None:
    assert BASE["services"]["postgres"]["depends_on"] == {
        "no_placeholders": {"condition": "service_completed_successfully"}
    }
    assert BASE["services"]["no_placeholders"]["restart"] == "no"
    assert secrets_of("no_placeholders") == {**secrets_of("postgres"), **secrets_of("hasura")}


@pytest.mark.parametrize("name", sorted(secrets_of("no_placeholders")))
def test_a_placeholder_that_is_left_is_refused_by_name(name: str) -> None:
    example = dotenv_values(ROOT / ".env.example", interpolate=False)
    made = dict.fromkeys(secrets_of("no_placeholders"), "a-secret-of-a-test")

    done = check(**{**made, name: example[name] or ""})

    assert done.returncode == 1
    assert done.stderr == f"{name} is still the placeholder of .env.example: make dotenv makes secrets.\n"


def test_secrets_that_are_no_placeholders_pass_without_a_word() -> None:
    made = {one: f"{one} of a test" for one in secrets_of("no_placeholders")}

    done = check(**made)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_event_triggers_are_recreated_once_hasura_is_healthy() -> None:
    step = BASE["services"]["event_triggers"]

    assert step["depends_on"] == {"hasura": {"condition": "service_healthy"}}
    assert step["entrypoint"] == ["sh", "/hasura/event_triggers.sh"]
    assert step["environment"]["APP_BASE_API"] == "http://hasura:8080"


def test_the_event_trigger_of_the_notifications_is_created_where_dotenv_switches_them_on() -> None:
    step = BASE["services"]["event_triggers"]

    assert step["environment"]["NOTIFY_URL"] == "${NOTIFY_URL:-}"
    assert "./hasura/optional:/hasura/optional:ro" in step["volumes"]


def test_no_secret_is_an_argument_of_a_program() -> None:
    lines = (ROOT / "hasura/event_triggers.sh").read_text().splitlines()

    with_secret = [line.strip() for line in lines if "$HASURA_GRAPHQL_ADMIN_SECRET" in line]
    assert with_secret == ["printf 'x-hasura-admin-secret: %s\\n' \"$HASURA_GRAPHQL_ADMIN_SECRET\" |"]


@pytest.mark.parametrize("file", BOTH, ids=["docker-compose.yml", "compose.production.yml"])
def test_the_database_has_no_port_outside_and_hasura_only_one_on_loopback(file: dict[str, Any]) -> None:
    assert "ports" not in file["services"]["postgres"]
    assert all(port.startswith("127.0.0.1:") for port in file["services"]["hasura"].get("ports", []))


def test_hasura_has_longer_to_stop_than_it_waits_for_deliveries() -> None:
    waits = BASE["services"]["hasura"]["environment"]["HASURA_GRAPHQL_GRACEFUL_SHUTDOWN_TIMEOUT"]

    assert timedelta(seconds=int(waits)) == DELIVERY_TIMEOUT
    assert BASE["services"]["hasura"]["stop_grace_period"] == "160s"


def test_in_production_there_is_no_console_and_what_is_open_is_named() -> None:
    environment = {**BASE["services"]["hasura"]["environment"], **PRODUCTION["services"]["hasura"]["environment"]}

    assert environment["HASURA_GRAPHQL_ENABLE_CONSOLE"] == "false"
    assert environment["HASURA_GRAPHQL_DEV_MODE"] == "false"
    assert environment["HASURA_GRAPHQL_ENABLE_TELEMETRY"] == "false"
    assert environment["HASURA_GRAPHQL_ENABLED_APIS"] == "graphql,metadata"
    assert environment["HASURA_GRAPHQL_ENABLE_ALLOWLIST"] == "true"
    assert environment["HASURA_GRAPHQL_CORS_DOMAIN"].startswith("${PAGE_ORIGIN:?")
    assert environment["ACTIONS_BASE_URL"].startswith("${FUNCTIONS_URL:?")


def test_in_production_everything_that_serves_is_started_again() -> None:
    assert {name: service["restart"] for name, service in PRODUCTION["services"].items()} == {
        "postgres": "always",
        "hasura": "always",
        "caddy": "always",
    }


def test_what_is_mounted_is_there() -> None:
    sources = [volume.split(":")[0] for _, service in services() for volume in service.get("volumes", [])]
    named = {name for file in BOTH for name in file["volumes"]}

    assert [source for source in sources if source not in named and not (ROOT / source).exists()] == []


def test_caddy_lets_through_what_the_functions_call_and_nothing_else() -> None:
    caddyfile = (ROOT / "deploy/Caddyfile").read_text()
    [paths] = re.findall(r"@used path (.*)", caddyfile)
    called = set(re.findall(r'"(/v[12]/\w+)"', "".join(path.read_text() for path in (ROOT / "shared").rglob("*.py"))))

    assert called <= set(paths.split())
    assert "respond 404" in caddyfile


def test_caddy_logs_no_header_because_one_of_them_is_the_admin_secret() -> None:
    directives = re.sub(r"#.*", "", (ROOT / "deploy/Caddyfile").read_text())

    assert re.findall(r"\blog\b.*", directives) == ["log default {"]
    assert "request>headers delete" in directives
