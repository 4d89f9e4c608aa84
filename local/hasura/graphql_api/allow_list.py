"""The allow list: the documents that everybody but the admin may send, where it is enforced.

A document is compared whole and as it was parsed, so white space and comments count for nothing; the order of its
parts, names and literals do. Fields called ``__typename`` are left out of both, but not within inline fragments
(Hasura's Allowlist.hs). Collections that are listed for some roles alone are ignored, as in the community edition.
"""

from collections.abc import Iterator
from typing import Any

from graphql import (
    REMOVE,
    SKIP,
    DocumentNode,
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    Visitor,
    VisitorAction,
    validate,
    visit,
)

from local.hasura.errors import HasuraError
from local.hasura.graphql_api.request import parsed
from local.hasura.inconsistencies import InconsistentObject


class AllowList:
    """The documents of the collections that are listed for all roles. Takes both as the metadata has them.

    Raises HasuraError ``parse-failed`` when one of the documents cannot be parsed, ``not-exists`` when a listed
    collection is missing.
    """

    def __init__(self, query_collections: list[dict[str, Any]], entries: list[dict[str, Any]]) -> None:
        collections = {one["name"]: one["definition"]["queries"] for one in query_collections}
        self._queries: dict[tuple[str, str], DocumentNode] = {}
        for entry in entries:
            name = entry["collection"]
            if name not in collections:
                raise HasuraError("not-exists", f'collection with name "{name}" does not exist')
            if entry.get("scope", {"global": True})["global"]:
                self._queries |= {(name, query["name"]): _document(query) for query in collections[name]}
        self._allowed = frozenset(_comparable(document) for document in self._queries.values())

    def check(self, document: DocumentNode) -> None:
        """Raises HasuraError ``validation-failed`` for a document that is not in the list."""
        if _comparable(document) not in self._allowed:
            raise HasuraError("validation-failed", "query is not allowed")

    def inconsistent_objects(self, schema: GraphQLSchema) -> Iterator[InconsistentObject]:
        """The documents that do not fit the admin's schema."""
        for (collection, name), document in self._queries.items():
            if errors := validate(schema, document):
                reasons = ", ".join(f'"{error.message}"' for error in errors)
                reason = (
                    f'In query collection "{collection}" the query "{name}" is invalid with the following error(s): '
                    f"{reasons}. This query is in allowlist."
                )
                yield InconsistentObject("query_collections", f"query_collections {name} in {collection}", reason)


def _document(query: dict[str, Any]) -> DocumentNode:
    try:
        return parsed(query["query"])
    except HasuraError as error:
        raise HasuraError("parse-failed", f"parsing the graphql query failed: {query['name']}") from error


def _comparable(document: DocumentNode) -> DocumentNode:
    comparable: DocumentNode = visit(document, _WithoutTypenames())
    return comparable


class _WithoutTypenames(Visitor):
    def enter_field(self, node: FieldNode, *_: Any) -> VisitorAction:
        return REMOVE if node.name.value == "__typename" else None

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> VisitorAction:  # noqa: ARG002
        return SKIP
