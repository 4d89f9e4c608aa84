"""Forgetting a user: what comes while the command works goes, too."""

import argparse
from collections.abc import Mapping
from typing import Any, cast

from calling import settings

from admin.connection import Connection
from admin.forget_user import FORGET, forget
from admin.hasura_api import HasuraApi

USER = {"id": 7, "username": "alice", "account_users": []}


class PostCreatedMeanwhile:
    """As much of Hasura as the command uses. Just before the rows are deleted, the user creates post 71."""

    def __init__(self) -> None:
        self.posts = [70]
        self.events = [{"id": "event of 70", "payload": {"id": 70, "user_id": 7, "text": "the first"}}]

    def graphql(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        if document == FORGET:
            self.posts.append(71)
            self.events.append({"id": "event of 71", "payload": {"id": 71, "schedule_for": "2026-05-04T09:30:00Z"}})
            return {"forget_user": [{"user_id": 7, "post_ids": self.posts, "tweets": 0, "accounts": []}]}
        return {"user": [USER], "scheduled_post": [{"id": post, "state": "scheduled"} for post in self.posts]}

    def metadata(self, operation: str, args: Mapping[str, Any]) -> Any:
        if operation == "get_scheduled_events":
            return {"events": self.events[args["offset"] :]}
        self.events = [event for event in self.events if event["id"] != args["event_id"]]
        return {"message": "success"}

    def change(self, statement: str) -> dict[str, Any]:
        return {"deleted": 0, "locked": 0}


def test_the_event_of_a_post_that_was_created_meanwhile_is_deleted() -> None:
    hasura = PostCreatedMeanwhile()

    forget(Connection(settings(), cast(HasuraApi, hasura)), argparse.Namespace(user="alice", yes=True))

    assert hasura.events == []
