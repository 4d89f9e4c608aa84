"""Writing through the emulated /v1/graphql: inserts, upserts, updates, deletes, and the transaction around them."""

import json

import psycopg
from local_graphql import ADMIN, BOB, Ask, data, refusal

pytest_plugins = ["local_graphql_fixtures"]


def test_an_insert_answers_with_defaults_and_generated_columns(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { insert_article(objects: [
             {title: "New", author_id: 1, is_public: true}, {title: "Bare", author_id: 2}]) {
             affected_rows returning { id title slug is_public author { name } } } }""",
    )

    rows = [
        {"id": 5, "title": "New", "slug": "new", "is_public": True, "author": {"name": "ann"}},
        {"id": 6, "title": "Bare", "slug": "bare", "is_public": False, "author": {"name": "bob"}},
    ]
    assert data(answer)["insert_article"] == {"affected_rows": 2, "returning": rows}


def test_an_empty_list_of_objects_inserts_nothing(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation { insert_author(objects: []) { affected_rows returning { id } } }")

    assert data(answer) == {"insert_author": {"affected_rows": 0, "returning": []}}


def test_returning_shows_relationships_as_they_are_after_the_change(ask: Ask) -> None:
    inserted = ask(
        ADMIN,
        """mutation { insert_article_one(object: {title: "x", author_id: 1}) {
             author { articles_aggregate { aggregate { count } } } } }""",
    )
    deleted = ask(ADMIN, "mutation { delete_article_by_pk(id: 5) { author { articles { id } } } }")

    assert data(inserted)["insert_article_one"]["author"]["articles_aggregate"]["aggregate"]["count"] == 3
    assert data(deleted)["delete_article_by_pk"]["author"]["articles"] == [{"id": 1}, {"id": 2}]


def test_parents_are_inserted_before_and_children_after_their_row(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { insert_article_one(object: {title: "Nested",
             author: {data: {name: "cat"}}, comments: {data: [{number: 1, text: "a"}, {number: 2, text: "b"}]}}) {
             author { id name } comments(order_by: {number: asc}) { text article { title } } } }""",
    )

    comments = [{"text": text, "article": {"title": "Nested"}} for text in "ab"]
    assert data(answer)["insert_article_one"] == {"author": {"id": 3, "name": "cat"}, "comments": comments}


def test_a_nested_insert_counts_all_rows_and_fails_as_a_whole(ask: Ask) -> None:
    query = """mutation ($objects: [author_insert_input!]!) { insert_author(objects: $objects) { affected_rows } }"""
    good = {"name": "cat", "articles": {"data": [{"title": "x"}, {"title": "y"}]}}
    bad = {"name": "dan", "articles": {"data": [{"title": ""}]}}

    counted = ask(ADMIN, query, objects=[good])
    failed = ask(ADMIN, query, objects=[{"name": "eve"}, bad])
    left = ask(ADMIN, '{ author(where: {name: {_in: ["dan", "eve"]}}) { id } }')

    assert data(counted) == {"insert_author": {"affected_rows": 3}}
    assert refusal(failed)[1] == "$.selectionSet.insert_author.args.objects[1].articles.data"
    assert data(left) == {"author": []}


def test_a_key_column_that_the_parent_fixes_may_not_be_given_as_well(ask: Ask) -> None:
    child = ask(
        ADMIN,
        'mutation { insert_author_one(object: {name: "x", articles: {data: {title: "y", author_id: 1}}}) { id } }',
    )
    parent = ask(
        ADMIN,
        'mutation { insert_article_one(object: {title: "y", author_id: 1, author: {data: {name: "z"}}}) { id } }',
    )

    assert refusal(child)[2].startswith('cannot insert "author_id" columns')
    assert refusal(parent)[2].startswith('cannot insert object relationship "author"')


def test_a_conflict_updates_the_columns_it_names(ask: Ask) -> None:
    query = """mutation ($columns: [author_update_column!]!, $where: author_bool_exp) {
      insert_author(objects: [{name: "ann", karma: 9, email: "new"}, {name: "new", karma: 1}],
        on_conflict: {constraint: author_name_key, update_columns: $columns, where: $where}) {
          affected_rows returning { name karma email } } }"""

    updated = ask(ADMIN, query, columns=["karma"])
    ignored = ask(ADMIN, query, columns=[])
    filtered = ask(ADMIN, query, columns=["karma"], where={"name": {"_eq": "new"}})

    rows = [{"name": "ann", "karma": 9, "email": "ann@example.org"}, {"name": "new", "karma": 1, "email": None}]
    assert data(updated)["insert_author"] == {"affected_rows": 2, "returning": rows}
    assert data(ignored)["insert_author"] == {"affected_rows": 0, "returning": []}
    assert data(filtered)["insert_author"]["affected_rows"] == 1


def test_insert_one_is_null_when_a_conflict_is_ignored(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        'mutation { insert_author_one(object: {name: "ann"}, on_conflict: {constraint: author_name_key}) { id } }',
    )

    assert data(answer) == {"insert_author_one": None}


def test_an_update_sets_and_increments(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { update_author(where: {id: {_gte: 1}}, _set: {email: null}, _inc: {karma: 2}) {
             affected_rows returning { email karma __typename } __typename } }""",
    )

    rows = [{"email": None, "karma": karma, "__typename": "author"} for karma in (7, 2)]
    assert data(answer)["update_author"] == {
        "affected_rows": 2,
        "returning": rows,
        "__typename": "author_mutation_response",
    }


def test_an_update_without_anything_to_set_changes_nothing(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation { update_author(where: {}, _set: {}) { affected_rows returning { id } } }")

    assert data(answer) == {"update_author": {"affected_rows": 0, "returning": []}}


def test_an_update_finds_rows_by_null_or_by_a_time_before_now(ask: Ask, graphql_database: psycopg.Connection) -> None:
    graphql_database.execute(
        "insert into sample (id, at) values (1, null), (2, now() - interval '1 hour'), (3, now() + interval '1 hour')"
    )

    answer = ask(
        ADMIN,
        """mutation ($until: timestamptz!, $now: timestamptz!) {
             update_sample(
               where: {_or: [{at: {_is_null: true}}, {at: {_lt: $now}}]}, _set: {at: $until}
             ) { affected_rows returning { id at } } }""",
        until="2099-01-01T00:00:00Z",
        now="now",
    )

    at = "2099-01-01T00:00:00+00:00"
    assert data(answer)["update_sample"] == {
        "affected_rows": 2,
        "returning": [{"id": 1, "at": at}, {"id": 2, "at": at}],
    }


def test_updates_and_deletes_by_primary_key_answer_the_row_or_null(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation {
             changed: update_comment_by_pk(pk_columns: {article_id: 3, number: 1}, _set: {text: "new"}) { text }
             nothing: update_comment_by_pk(pk_columns: {article_id: 3, number: 9}, _set: {text: "new"}) { text }
             deleted: delete_comment_by_pk(article_id: 3, number: 2) { text }
             gone: delete_comment_by_pk(article_id: 3, number: 2) { text } }""",
    )

    assert data(answer) == {"changed": {"text": "new"}, "nothing": None, "deleted": {"text": "more"}, "gone": None}


def test_many_updates_run_in_order_and_answer_one_by_one(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { update_author_many(updates: [
             {where: {name: {_eq: "ann"}}, _set: {name: "anna"}}, {where: {name: {_eq: "anna"}}, _inc: {karma: 1}}]) {
             affected_rows returning { name karma } } }""",
    )

    expected = [{"name": "anna", "karma": 5}, {"name": "anna", "karma": 6}]
    assert data(answer)["update_author_many"] == [{"affected_rows": 1, "returning": [row]} for row in expected]


def test_a_delete_deletes_the_rows_of_its_condition(ask: Ask) -> None:
    answer = ask(ADMIN, 'mutation { delete_comment(where: {article: {title: {_eq: "Bob open"}}}) { affected_rows } }')

    assert data(answer) == {"delete_comment": {"affected_rows": 2}}
    assert data(ask(ADMIN, "{ comment { text } }")) == {"comment": [{"text": "on ann"}]}


def test_all_mutations_of_a_request_see_each_other_and_are_rolled_back_together(ask: Ask) -> None:
    answer = ask(
        ADMIN,
        """mutation { first: insert_author_one(object: {name: "cat"}) { id }
             second: update_author(where: {name: {_eq: "cat"}}, _set: {karma: 3}) { affected_rows } }""",
    )
    failed = ask(
        ADMIN,
        """mutation { first: insert_author_one(object: {name: "dan"}) { id }
             second: insert_author_one(object: {name: "cat"}) { id } }""",
    )

    assert data(answer)["second"] == {"affected_rows": 1}
    assert refusal(failed)[0] == "constraint-violation"
    assert data(ask(ADMIN, '{ author(where: {name: {_eq: "dan"}}) { id } }')) == {"author": []}


def test_a_constraint_that_is_deferred_to_the_end_undoes_the_request(ask: Ask) -> None:
    answer = ask(ADMIN, "mutation { insert_chapter(objects: {id: 1, after_id: 7}) { affected_rows } }")

    assert refusal(answer)[:2] == ("constraint-violation", "$")
    assert refusal(answer)[2].startswith("Foreign key violation. ")
    assert data(ask(ADMIN, "{ chapter { id } }")) == {"chapter": []}


def test_more_objects_than_a_statement_takes_parameters_are_inserted(ask: Ask) -> None:
    objects = [{"name": f"n{number}", "email": "", "id": number + 10, "karma": number} for number in range(17_000)]

    answer = ask(
        ADMIN,
        "mutation ($objects: [author_insert_input!]!) { insert_author(objects: $objects) { affected_rows } }",
        objects=objects,
    )

    assert data(answer) == {"insert_author": {"affected_rows": 17_000}}


def test_a_connection_that_breaks_fails_its_request_alone(ask: Ask) -> None:
    broken = ask(ADMIN, "mutation { insert_chapter_one(object: {id: 1}) { id } hang_up { id } }")
    after = ask(ADMIN, "{ chapter { id } }")

    assert refusal(broken) == ("unexpected", "$", "database query error")
    assert data(after) == {"chapter": []}


def test_a_wrong_field_stops_the_request_before_anything_runs(ask: Ask, graphql_database: psycopg.Connection) -> None:
    answer = ask(ADMIN, "mutation { publish_drafts(args: {}) { id } nobody { id } }")

    assert refusal(answer)[0] == "validation-failed"
    assert graphql_database.execute("select count(*) from call_log").fetchone() == (0,)


def test_a_mutation_passes_its_session_variables_to_the_database(
    ask: Ask, graphql_database: psycopg.Connection
) -> None:
    ask(BOB, "mutation { publish_drafts(args: {}) { id } }")
    ask(ADMIN, "mutation { publish_drafts(args: {}) { id } }")

    told = [json.loads(who) for (who,) in graphql_database.execute("select who from call_log order by id")]
    assert told == [{"x-hasura-role": "writer", "x-hasura-user-id": "2"}, {"x-hasura-role": "admin"}]
