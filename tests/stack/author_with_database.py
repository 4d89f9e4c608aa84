"""For tests: a signed-in user, and the database past every permission."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import psycopg

from local.running_stack import RunningStack


class AuthorWithDatabase:
    """A signed-in user with an account of the same name."""

    def __init__(self, stack: RunningStack, database: psycopg.Connection) -> None:
        self.stack = stack
        self.database = database
        self.name = "u" + uuid.uuid4().hex[:12]
        self.token = stack.token(self.name)

    @classmethod
    @contextmanager
    def signed_in(cls, stack: RunningStack) -> Iterator[Self]:
        """A new one, whose connection to the database is open meanwhile."""
        with psycopg.connect(stack.settings["PG_DATABASE_URL"], autocommit=True) as database:
            yield cls(stack, database)

    def graphql(self, document: str, **variables: Any) -> Any:
        """What Hasura answers to the author."""
        return self.stack.graphql(document, variables, token=self.token)

    def account(self) -> int:
        """The id of the author's account."""
        account_id: int = self.graphql("{ account { id } }")["account"][0]["id"]
        return account_id

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """The rows of a statement; its ``%(name)s`` is the author."""
        cursor = self.database.execute(statement.encode(), {"name": self.name, **values})
        return cursor.fetchall() if cursor.description else []
