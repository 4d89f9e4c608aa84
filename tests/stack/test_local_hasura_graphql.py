"""Reading through the emulated /v1/graphql: rows, relationships, aggregates, and what a request may look like."""

import json

import pytest
from graphql import build_client_schema, get_introspection_query, print_schema
from local_graphql import ADMIN, ANN, Ask, data, refusal, role

pytest_plugins = ["local_graphql_fixtures"]


def test_a_query_answers_rows_with_their_keys_in_request_order(ask: Ask) -> None:
    answer = ask(ADMIN, "{ article(order_by: {id: asc}, limit: 2) { title id __typename } }")

    assert json.dumps(data(answer)["article"][0]) == '{"title": "Ann open", "id": 1, "__typename": "article"}'
    assert [row["id"] for row in data(answer)["article"]] == [1, 2]


def test_relationships_are_followed_to_any_depth_with_arguments(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """{ author(where: {name: {_eq: "bob"}}) { name
             articles(where: {is_public: {_eq: true}}) { title comments(order_by: {number: desc}, limit: 1) {
               text commenter { name articles_aggregate { aggregate { count } } } } } } }""",
    )

    commenter = {"name": "ann", "articles_aggregate": {"aggregate": {"count": 2}}}
    articles = [{"title": "Bob open", "comments": [{"text": "more", "commenter": commenter}]}]
    assert data(answer) == {"author": [{"name": "bob", "articles": articles}]}


def test_a_row_is_found_by_its_primary_key_or_is_null(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """query ($missing: bigint!) { found: comment_by_pk(article_id: 3, number: 2) { text }
           missing: article_by_pk(id: $missing) { id } }""",
        missing="77",
    )

    assert data(answer) == {"found": {"text": "more"}, "missing": None}


def test_a_table_outside_public_carries_its_schema_in_its_name(ask: Ask) -> None:
    answer = ask(ADMIN, "{ shelf_book { title } shelf_book_by_pk(id: 1) { __typename } }")

    assert data(answer) == {"shelf_book": [{"title": "Sea"}], "shelf_book_by_pk": {"__typename": "shelf_book"}}


def test_a_view_is_read_and_has_no_mutations_by_primary_key(ask: Ask) -> None:
    read = ask(ADMIN, "{ loud_article(where: {id: {_eq: 1}}) { title } }")
    by_key = ask(ADMIN, "{ loud_article_by_pk(id: 1) { title } }")

    assert data(read) == {"loud_article": [{"title": "ANN OPEN"}]}
    assert refusal(by_key)[2] == "field 'loud_article_by_pk' not found in type: 'query_root'"


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ("{}", [1, 2, 3, 4]),
        ("{id: {_gt: 1, _lt: 4}}", [2, 3]),
        ('{id: {_in: ["1", 4]}}', [1, 4]),
        ("{id: {_in: 3}}", [3]),
        ("{id: {_in: []}}", []),
        ("{id: {_nin: [1, 2]}}", [3, 4]),
        ("{score: {_is_null: true}}", [4]),
        ("{score: {_gte: 2.0}}", [1, 3]),
        ('{title: {_like: "Ann%"}, is_public: {_neq: true}}', [2]),
        ('{title: {_ilike: "%OPEN"}}', [1, 3]),
        ('{title: {_nlike: "Ann%", _nilike: "%open"}}', [4]),
        ('{title: {_similar: "(Ann|Bob) open", _nsimilar: "Bob%"}}', [1]),
        ('{title: {_regex: "^A", _niregex: "DRAFT"}}', [1]),
        ('{title: {_iregex: "^a", _nregex: "open"}}', [2]),
        ("{_and: []}", [1, 2, 3, 4]),
        ("{_or: []}", []),
        ("{_or: [{id: {_eq: 1}}, {id: {_eq: 2}}], _not: {id: {_eq: 1}}}", [2]),
        ("{_or: {id: {_eq: 1}}}", [1]),
        ('{author: {name: {_eq: "bob"}}}', [3, 4]),
        ('{comments: {commenter: {name: {_eq: "ann"}}}}', [3]),
        ("{_not: {comments: {}}}", [2, 4]),
        ('{author: {articles: {comments: {text: {_eq: "more"}}}}}', [3, 4]),
    ],
)
def test_a_where_finds_its_rows(ask: Ask, where: str, ids: list[int]) -> None:
    answer = ask(ADMIN, f"{{ article(where: {where}, order_by: {{id: asc}}) {{ id }} }}")

    assert [row["id"] for row in data(answer)["article"]] == ids


@pytest.mark.parametrize(
    ("where", "is_found"),
    [
        ("{_contains: {a: 1}}", True),
        ("{_contains: {a: 2}}", False),
        ("{_contained_in: {a: 1, b: [true], c: null}}", True),
        ('{_has_key: "b"}', True),
        ('{_has_keys_all: ["a", "x"]}', False),
        ('{_has_keys_any: ["a", "x"]}', True),
        ('{_cast: {String: {_like: "%true%"}}}', True),
        ("{_eq: {b: [true], a: 1}}", True),
    ],
)
def test_jsonb_is_compared_as_json(ask: Ask, where: str, is_found: bool) -> None:
    ask(ADMIN, "mutation { insert_sample_one(object: {id: 1, doc: {a: 1, b: [true]}}) { id } }")

    answer = ask(ADMIN, f"{{ sample(where: {{doc: {where}}}) {{ id }} }}")

    assert bool(data(answer)["sample"]) is is_found


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        ("order_by: {title: desc}", [3, 4, 1, 2]),
        ("order_by: [{is_public: desc}, {id: desc}]", [3, 1, 4, 2]),
        ("order_by: {score: asc}", [2, 3, 1, 4]),
        ("order_by: {score: desc}", [4, 1, 3, 2]),
        ("order_by: {score: desc_nulls_last}", [1, 3, 2, 4]),
        ("order_by: {score: asc_nulls_first}", [4, 2, 3, 1]),
        ("order_by: [{author: {name: desc}}, {id: asc}]", [3, 4, 1, 2]),
        ("order_by: {id: null}, limit: 0", []),
        ("order_by: {id: asc}, limit: 2, offset: 1", [2, 3]),
        ('order_by: {id: asc}, offset: "3"', [4]),
        ("order_by: {id: asc}, limit: null, offset: null, where: null, distinct_on: null", [1, 2, 3, 4]),
        ("distinct_on: author_id, order_by: [{author_id: asc}, {id: desc}]", [2, 4]),
    ],
)
def test_rows_are_ordered_and_cut(ask: Ask, arguments: str, ids: list[int]) -> None:
    answer = ask(ADMIN, f"{{ article({arguments}) {{ id }} }}")

    assert [row["id"] for row in data(answer)["article"]] == ids


def test_an_aggregate_counts_sums_and_shows_its_rows(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """{ article_aggregate(where: {score: {_is_null: false}}, order_by: {id: asc}) {
             aggregate { count authors: count(columns: author_id, distinct: true)
               pairs: count(columns: [author_id, is_public])
               sum { score } avg { score } min { title } max { id score } }
             nodes { id } } }""",
    )

    aggregate = {"count": 3, "authors": 2, "pairs": 3, "sum": {"score": 7.5}, "avg": {"score": 2.5}}
    aggregate |= {"min": {"title": "Ann draft"}, "max": {"id": 3, "score": 4.5}}
    assert data(answer)["article_aggregate"] == {"aggregate": aggregate, "nodes": [{"id": 1}, {"id": 2}, {"id": 3}]}


def test_a_selection_may_be_a_type_name_alone(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """query ($no: Boolean!) { author { id @include(if: $no) }
             article_aggregate { __typename aggregate { __typename } }
             author_aggregate { __typename @include(if: $no) } }""",
        no=False,
    )

    aggregate = {"__typename": "article_aggregate", "aggregate": {"__typename": "article_aggregate_fields"}}
    assert data(answer) == {"author": [{}, {}], "article_aggregate": aggregate, "author_aggregate": {}}


def test_a_value_of_every_type_is_stored_and_printed_as_by_hasura(ask: Ask) -> None:
    given = {
        "id": 1,
        "small": 3,
        "big": "9007199254740993",
        "ratio": 0.25,
        "amount": 12,
        "flag": True,
        "token": "C0FFEE00-0000-4000-8000-00000000000A",
        "doc": {"b": [1, None]},
        "raw": "a string",
        "at": "2024-01-15 13:34:56.5+01",
        "wall": "2024-01-15T12:34:56",
        "day": "2024-01-15",
        "words": '{one,"two words"}',
        "fixed": "ab",
        "short": "five5",
    }

    answer = ask(
        ADMIN,
        f"mutation ($row: sample_insert_input!) {{ insert_sample_one(object: $row) {{ {' '.join(given)} }} }}",
        row=given,
    )

    assert data(answer)["insert_sample_one"] == given | {
        "big": 9007199254740993,
        "token": "c0ffee00-0000-4000-8000-00000000000a",
        "at": "2024-01-15T12:34:56.5+00:00",
        "words": ["one", "two words"],
        "fixed": "ab ",
    }


def test_a_selection_may_have_more_than_fifty_keys_and_long_aliases(ask: Ask) -> None:
    aliases = [f"{'x' * 80}_{number}" for number in range(60)]

    answer = ask(ADMIN, f"{{ author_by_pk(id: 1) {{ {' '.join(f'{alias}: id' for alias in aliases)} }} }}")

    assert data(answer)["author_by_pk"] == dict.fromkeys(aliases, 1)


def test_fragments_aliases_and_directives_shape_the_answer(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """query ($yes: Boolean!, $no: Boolean = false) {
             __typename
             ann: author_by_pk(id: 1) {
               ...named ... on author { key: id } ... on article { slug } id @include(if: $no) }
             author_by_pk(id: 2) @skip(if: $yes) { id } }
           fragment named on author { name first: articles_aggregate { nodes { id } } ...more }
           fragment more on author { first: articles_aggregate { aggregate { count } } }""",
        yes=True,
    )

    ann = {"name": "ann", "first": {"nodes": [{"id": 1}, {"id": 2}], "aggregate": {"count": 2}}, "key": 1}
    assert data(answer) == {"__typename": "query_root", "ann": ann}


def test_an_operation_is_chosen_by_name(send_graphql: Ask, ask: Ask) -> None:
    document = "query a { author_by_pk(id: 1) { id } } query b { author_by_pk(id: 2) { id } }"

    chosen = send_graphql(ADMIN, {"query": document, "operationName": "b", "extensions": "ignored"})
    unnamed = send_graphql(ADMIN, {"query": document})
    unknown = send_graphql(ADMIN, {"query": document, "operationName": "c"})

    assert data(chosen) == {"author_by_pk": {"id": 2}}
    message = "exactly one operation has to be present in the document when operationName is not specified"
    assert refusal(unnamed) == ("validation-failed", "$", message)
    assert refusal(unknown) == ("validation-failed", "$", 'no such operation found in the document: "c"')


def test_a_list_of_requests_gets_a_list_of_answers(send_graphql: Ask, ask: Ask) -> None:
    answers = send_graphql(ADMIN, [{"query": "{ author_by_pk(id: 1) { id } }"}, {"query": "{ nobody }"}])

    assert data(answers[0]) == {"author_by_pk": {"id": 1}}
    assert refusal(answers[1])[0] == "validation-failed"
    assert send_graphql(ADMIN, []) == []


def test_an_omitted_variable_is_as_if_its_argument_were_not_written(ask: Ask) -> None:
    query = """query ($limit: Int, $public: Boolean) {
      article(limit: $limit, where: {id: {_eq: 2}, is_public: {_eq: $public}}) { id } }"""

    assert data(ask(ADMIN, query)) == {"article": [{"id": 2}]}
    assert data(ask(ADMIN, query, public=True)) == {"article": []}


def test_a_variable_has_its_default_unless_a_value_is_sent(ask: Ask) -> None:
    query = "query ($where: author_bool_exp! = {id: {_eq: 2}}) { author(where: $where) { id } }"

    assert data(ask(ADMIN, query)) == {"author": [{"id": 2}]}
    assert data(ask(ADMIN, query, where={"id": {"_eq": 1}})) == {"author": [{"id": 1}]}


def test_a_variable_may_stand_inside_a_json_literal(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        "mutation ($name: String!) { insert_sample_one(object: {id: 1, doc: {who: $name, n: 1.50}}) { doc } }",
        name="ann",
    )

    assert data(answer) == {"insert_sample_one": {"doc": {"who": "ann", "n": 1.5}}}


def test_code_generators_and_graphiql_can_read_the_schema(ask: Ask) -> None:
    schema = build_client_schema(data(ask(ANN, get_introspection_query())))

    printed = print_schema(schema)
    assert "article(distinct_on: [article_select_column!], limit: Int, offset: Int" in printed
    assert "update_article_by_pk(_set: article_set_input, pk_columns: article_pk_columns_input!): article" in printed
    assert "email" not in printed
    assert "score" not in printed


def test_a_type_is_introspected_by_variable_beside_data(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        "query ($name: String!) { author_by_pk(id: 1) { id } t: __type(name: $name) { name fields { name } } }",
        name="shelf_book",
    )

    assert data(answer)["t"] == {"name": "shelf_book", "fields": [{"name": "id"}, {"name": "title"}]}
    assert data(answer)["author_by_pk"] == {"id": 1}


def test_a_role_unknown_to_the_metadata_has_an_empty_schema(ask: Ask) -> None:
    read = ask(role("stranger"), "{ author { id } }")
    write = ask(role("stranger"), "mutation { delete_author(where: {}) { affected_rows } }")

    assert refusal(read)[2] == "field 'author' not found in type: 'query_root'"
    assert refusal(write) == ("validation-failed", "$", "no mutations exist")
    assert "no_queries_available" in json.dumps(data(ask(role("stranger"), get_introspection_query())))
