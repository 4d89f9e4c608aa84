"""Metadata and the live catalog: what is told when they do not fit, and what follows when they do."""

import json
from pathlib import Path

import psycopg
import pytest
import yaml
from local_graphql import ADMIN, Ask, ask_anew, data, inconsistencies, refusal, role
from local_hasura import new_database

from local import postgres
from local.hasura.graphql_api import GraphQLApi
from local.hasura.session import Session

METADATA = Path(__file__).parents[2] / "hasura" / "metadata" / "databases" / "default"

pytest_plugins = ["local_graphql_fixtures"]


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ("[{table: gone}]", 'table gone in source default: no such table/view exists in source: "gone"'),
        (
            "[{table: author, computed_fields: [{name: x}]}]",
            "table author in source default: computed_fields is not emulated",
        ),
        (
            """[{table: author, array_relationships: [
                {name: a, using: {foreign_key_constraint_on: {column: author_id, table: article}}}]}]""",
            'array_relation a in table author in source default: table "article" is not tracked',
        ),
        (
            "[{table: article, object_relationships: [{name: a, using: {foreign_key_constraint_on: body}}]}]",
            'object_relation a in table article in source default: "article" has no such foreign key on body',
        ),
        (
            "[{table: author, select_permissions: [{role: r, permission: {columns: [gone], filter: {}}}]}]",
            'select_permission r in table author in source default: there is no column "gone"',
        ),
        (
            "[{table: author, select_permissions: [{role: r, permission: {columns: '*', filter: {gone: {_eq: 1}}}}]}]",
            "select_permission r in table author in source default: "
            '"gone" is neither a column nor a relationship of "author"',
        ),
        (
            "[{table: author, delete_permissions: [{role: r, permission: {filter: {id: {_near: 1}}}}]}]",
            'delete_permission r in table author in source default: column "id" has no operator _near',
        ),
        (
            """[{table: author, insert_permissions: [
                {role: r, permission: {columns: '*', check: {}, backend_only: true}}]}]""",
            "insert_permission r in table author in source default: backend_only is not emulated",
        ),
        (
            "[{table: author, array_relationships: [{name: a}]}]",
            "array_relation a in table author in source default: 'using' is missing",
        ),
        (
            "[{table: {schema: shelf, name: book}}, {table: shelf_book}]",
            "table shelf_book in source default: another table has the same name in GraphQL",
        ),
        (
            "[{table: author, delete_permissions: [{role: admin, permission: {filter: {id: {_eq: 1}}}}]}]",
            "delete_permission admin in table author in source default: the admin has all permissions, and needs none",
        ),
        (
            "[{table: author, select_permissions: [{role: r, permission: {columns: '*'}}]}]",
            "select_permission r in table author in source default: filter is missing",
        ),
    ],
)
def test_metadata_that_does_not_fit_the_database_is_inconsistent(graphql_url: str, tables: str, sentence: str) -> None:
    assert inconsistencies(graphql_url, tables) == [sentence]


@pytest.mark.parametrize(
    ("function", "end"),
    [
        ("{function: gone}", 'no such function exists: "gone"'),
        ("{function: overloaded}", 'function "overloaded" is overloaded. Overloaded functions are not supported'),
        ("{function: scalar_result}", 'the function does not return a "COMPOSITE" type'),
        (
            "{function: search_articles, configuration: {exposed_as: mutation}}",
            "the function was requested to be exposed as a mutation, but is not marked VOLATILE",
        ),
        (
            "{function: search_articles, configuration: {session_argument: term}}",
            'given session argument "term" is not of type json',
        ),
        ("{function: of_row}", "an argument of the type article is not emulated"),
        ("{function: of_any}", "an argument of the type anyelement is not emulated"),
        ("{function: of_odd_type}", "an argument of the type odd type is not emulated"),
    ],
)
def test_a_function_that_may_not_be_tracked_is_inconsistent(graphql_url: str, function: str, end: str) -> None:
    [sentence] = inconsistencies(graphql_url, "[{table: article}]", f"[{function}]")

    assert sentence.startswith("function ")
    assert sentence.endswith(end)


def test_the_empty_parts_of_exported_metadata_are_accepted(graphql_url: str) -> None:
    exported = """[{table: {schema: public, name: author},
      configuration: {column_config: {}, custom_column_names: {}, custom_root_fields: {}}, is_enum: false,
      insert_permissions: [{role: r, permission: {columns: ['name'], check: {}, backend_only: false}, comment: x}]}]"""

    assert inconsistencies(graphql_url, exported) == []


def test_permissions_compare_columns_and_query_other_tables(ask: Ask, graphql_url: str) -> None:
    tables = yaml.safe_load("""
    - table: author
      select_permissions:
        - role: own_article
          permission: {columns: [name], filter: {articles: {author_id: {_ceq: ['$', id]}, title: Ann open}}}
        - role: any_book
          permission:
            columns: [name]
            filter: {_exists: {_table: {schema: shelf, name: book}, _where: {title: {_eq: Sea}}}}
        - {role: listed, permission: {columns: [name], filter: {id: {_in: X-Hasura-Allowed}}}}
        - {role: not_null, permission: {columns: [name], filter: {_not: {email: {_eq: null}}, karma: {_in: [0, 1]}}}}
      array_relationships:
        - {name: articles, using: {foreign_key_constraint_on: {column: author_id, table: article}}}
    - table: article
    - table: {schema: shelf, name: book}
    """)
    api = GraphQLApi(tables, [])

    def names(session: Session) -> list[str]:
        answer = ask_anew(api, graphql_url, session, "{ author(order_by: {name: asc}) { name } }")
        return [row["name"] for row in data(answer)["author"]]

    assert names(role("own_article")) == ["ann"]
    assert names(role("any_book")) == ["ann", "bob"]
    assert names(Session("listed", {"x-hasura-allowed": "{2,3}"})) == ["bob"]
    assert names(role("not_null")) == ["bob"]


def test_every_load_reads_the_catalog_again(ask: Ask, graphql_url: str, graphql_database: psycopg.Connection) -> None:
    api = GraphQLApi([{"table": "author"}], [])
    graphql_database.execute("alter table author add column nickname text default 'n'")
    try:
        with_column = ask_anew(api, graphql_url, ADMIN, "{ author_by_pk(id: 1) { nickname } }")
    finally:
        graphql_database.execute("alter table author drop column nickname")
    without = ask_anew(api, graphql_url, ADMIN, "{ author_by_pk(id: 1) { nickname } }")

    assert data(with_column) == {"author_by_pk": {"nickname": "n"}}
    assert refusal(without)[2] == "field 'nickname' not found in type: 'author'"


def test_a_table_without_a_legal_graphql_name_is_inconsistent(graphql_url: str) -> None:
    [sentence] = inconsistencies(graphql_url, """[{table: 'odd "name'}]""")

    assert sentence.endswith("its name is not a legal GraphQL name")


def test_the_schema_of_the_product_fits_its_metadata(cluster: str) -> None:
    url = new_database(cluster)
    postgres.migrate(url)

    assert inconsistencies(url, files_in("tables"), files_in("functions")) == []


def files_in(folder: str) -> str:
    """The metadata files of the product in a folder, as one list."""
    files = (METADATA / folder).glob("public_*.yaml")
    return json.dumps([yaml.safe_load(file.read_text()) for file in files])
