"""Writes Hasura's allow list for authors: query_collections.yaml and allow_list.yaml in hasura/metadata.

In it are the GraphQL documents of the page (web/posts/documents.js), those that createPost sends with an author's
token, in this version and in each release, and that of the Auth0 Action. Collections of other names stay as they are.

``python -m scripts.allow_list``
"""

import argparse
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from graphql import OperationDefinitionNode, parse, print_ast

ROOT = Path(__file__).parents[1]
METADATA = ROOT / "hasura" / "metadata"
PAGE = ROOT / "web" / "posts" / "documents.js"
ACTION = ROOT / "auth0" / "post_login_action.js"
RELEASES = ROOT / "tests" / "releases"

COLLECTION = "scheduled-posts"

_HEAD = (
    "# The collection scheduled-posts is written by: python -m scripts.allow_list. Add your own under another name.\n"
)

_CONSTANT = re.compile(r"^(?:export )?const (\w+) =\s*(?:`([^`]*)`|\"([^\"]*)\"|(\d+));$", re.MULTILINE)

Collections = list[dict[str, Any]]


def main() -> None:
    argparse.ArgumentParser(prog="python -m scripts.allow_list", description=__doc__).parse_args()
    for name, text in files(METADATA).items():
        (METADATA / name).write_text(text)
        print(f"wrote {(METADATA / name).relative_to(ROOT)}")


def files(metadata: Path) -> dict[str, str]:
    """The text of each of the two files, by its name; `metadata` has them as they were, with other collections."""
    queries = [{"name": name, "query": document} for name, document in documents().items()]
    collection = {"name": COLLECTION, "definition": {"queries": queries}}
    entry = {"collection": COLLECTION, "scope": {"global": True}}
    return {
        "query_collections.yaml": _as_text([collection, *_others(metadata / "query_collections.yaml", "name")]),
        "allow_list.yaml": _as_text([entry, *_others(metadata / "allow_list.yaml", "collection")]),
    }


def documents() -> dict[str, str]:
    """Each document by a name of its own: that of its operation, with a release's version if this one has another."""
    found: dict[str, str] = {}
    for document in (*documents_of_page(), document_of_action()):
        found[_operation_of(document)] = document
    for release, document in documents_of_create_post():
        name = _operation_of(document)
        if found.setdefault(name, document) != document:
            found[f"{name} of {release}"] = document
    return found


def documents_of_page() -> list[str]:
    """The exported constants of documents.js that are documents."""
    values: dict[str, str] = {}
    for name, template, text, number in _CONSTANT.findall(PAGE.read_text()):
        values[name] = re.sub(r"\$\{(\w+)\}", lambda used: values[used[1]], template) or text or number
    exported = re.findall(r"^export const (\w+)", PAGE.read_text(), re.MULTILINE)
    return [_normal(values[name]) for name in exported if not values[name].isdecimal()]


def document_of_action() -> str:
    """What the Action sends as the role ``linker``."""
    return _normal(next(text for name, text, *_ in _CONSTANT.findall(ACTION.read_text()) if name == "LINK_ACCOUNT"))


def documents_of_create_post() -> Iterator[tuple[str, str]]:
    """The version, and a document that it sends with an author's token; the latest version first.

    While a release is replaced, its functions run beside the new allow list.
    """
    for file in sorted(RELEASES.glob("*/hasura_requests.json"), key=_version_of, reverse=True):
        for request in json.loads(file.read_text()):
            if request["sent_as"] == "author":
                yield file.parent.name, _normal(request["body"]["query"])


def _version_of(file: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", file.parent.name)]


def _normal(document: str) -> str:
    """With the white space that reads best; Hasura compares documents without it."""
    return print_ast(parse(document))


def _operation_of(document: str) -> str:
    [operation] = [one for one in parse(document).definitions if isinstance(one, OperationDefinitionNode)]
    assert operation.name
    return operation.name.value


def _others(file: Path, key: str) -> Collections:
    return [one for one in yaml.safe_load(file.read_text()) if one[key] != COLLECTION]


class _Dumper(yaml.SafeDumper):
    """Writes a text of several lines as such."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _as_text(content: Collections) -> str:
    return _HEAD + yaml.dump(content, Dumper=_Dumper, sort_keys=False, width=1000)


if __name__ == "__main__":
    main()
