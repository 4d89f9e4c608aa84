"""The development container has the versions that the rest of the repository names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTAINER = (ROOT / ".devcontainer/devcontainer.json").read_text()
AFTERWARDS = (ROOT / ".devcontainer/post_create.sh").read_text()


def test_its_python_is_the_one_of_azure() -> None:
    [python] = re.findall(r"devcontainers/python:1-([0-9.]+)-", CONTAINER)

    assert f"pythonVersion string = '{python}'" in (ROOT / "infra/functions.bicep").read_text()


def test_core_tools_are_of_the_version_that_the_document_names() -> None:
    [version] = re.findall(r"azure-functions-core-tools@(\S+)", AFTERWARDS)

    assert f"Core Tools {version} " in (ROOT / "docs/deploying.md").read_text()


def test_the_image_whose_hasura_cli_it_takes_is_found_in_docker_compose() -> None:
    [expression] = re.findall(r"sed -n 's/\^ \*image: \*(.*)\$/\\1/p' docker-compose.yml", AFTERWARDS)
    expression = re.sub(r"\\([(/)])", r"\1", expression)

    assert re.search(rf"^ *image: *{expression}$", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
