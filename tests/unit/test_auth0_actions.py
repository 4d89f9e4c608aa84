"""The Actions of Auth0: their own tests, which Node.js runs, and what is deployed with them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.node
@pytest.mark.parametrize("path", sorted((ROOT / "auth0/test").glob("*.test.js")), ids=lambda path: path.name)
def test_the_tests_of_an_action_pass(path: Path) -> None:
    run = subprocess.run(["node", "--test", str(path)], cwd=ROOT, capture_output=True, text=True, timeout=120)

    assert run.returncode == 0, run.stdout + run.stderr


def text_of(path: str) -> str:
    return (ROOT / path).read_text()


@pytest.mark.parametrize("action", ["post_login_action.js", "credentials_exchange_action.js"])
def test_an_action_is_deployed_and_documented_with_the_secrets_that_it_reads(action: str) -> None:
    read = set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", secrets_in(text_of(f"auth0/{action}"))))
    [deployed] = re.findall(rf"code: {action}\n(.*?)supported_triggers", text_of("auth0/tenant.yaml"), re.DOTALL)
    [documented] = re.findall(rf"^ *\| `{action}` \| (`[A-Z].*) \|$", text_of("docs/auth0.md"), re.MULTILINE)

    assert set(re.findall(r"- name: (\w+)", deployed)) == read
    assert set(re.findall(r"`([A-Z0-9_]+)`", documented)) == read


def secrets_in(code: str) -> str:
    """The statement in which an Action names its secrets."""
    [statement] = re.findall(r"const SECRETS = \[.*?\];|const \{.*?\} = event\.secrets;", code, re.DOTALL)
    return str(statement)


def test_the_docs_explain_each_value_that_the_tenant_needs() -> None:
    [table] = re.findall(r"^\| name \| example .*?\n\n", text_of("docs/auth0.md"), re.MULTILINE | re.DOTALL)
    explained = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split(" | ")[0])}

    assert set(re.findall(r"##(\w+)##", text_of("auth0/tenant.yaml"))) == explained
