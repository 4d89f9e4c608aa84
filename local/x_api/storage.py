"""What X keeps over a restart: its users with their tokens for our app, and their tweets."""

import json
import secrets
import sqlite3
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from local.x_api.snowflakes import Snowflakes, first_id_at, moment_of

_SCHEMA = """
    create table if not exists user (
        id integer primary key,
        username text not null unique collate nocase,
        access_token text unique,
        access_token_secret text,
        suspended integer not null default 0
    );
    create table if not exists tweet (
        id integer primary key,
        user_id integer not null references user,
        sent_text text not null,
        compared_text text not null,
        text text not null,
        urls text not null,
        reply_to integer
    );
    create index if not exists tweet_of_user on tweet (user_id, id);
    create index if not exists tweet_by_text on tweet (user_id, compared_text, id);
"""

_TWEETS = """
    select tweet.id, user_id, username, sent_text, text, urls, reply_to
    from tweet join user on user.id = user_id
"""

_TIMELINE_DEPTH = 3200

_LETTERS_AND_DIGITS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class User:
    """A user of X. The token and its secret are None after the user has revoked our app."""

    id: int
    username: str
    access_token: str | None
    access_token_secret: str | None = field(repr=False)
    suspended: bool


@dataclass(frozen=True)
class Tweet:
    """A published tweet. `sent_text` is what the client sent, `text` what X shows, with `urls` as X's url entities."""

    id: int
    user_id: int
    username: str
    sent_text: str
    text: str
    urls: list[dict[str, Any]]
    reply_to: int | None

    @property
    def created_at(self) -> datetime:
        """To the millisecond, in UTC."""
        return moment_of(self.id)


class Storage:
    """The users and tweets in the SQLite file at `path`, created when missing. `now` gives the time, in UTC."""

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        path.touch(mode=0o600)  # SQLite would let everybody read the tokens; its -wal and -shm get the same mode
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute(
            "pragma synchronous = normal"
        )  # survives the end of the process; only a power cut loses tweets
        self._db.executescript(_SCHEMA)
        (greatest,) = self._db.execute(
            "select max(id) from (select id from tweet union all select id from user)"
        ).fetchone()
        self._ids = Snowflakes(now, greatest or 0)

    def close(self) -> None:
        self._db.close()

    def user(self, user_id: int) -> User | None:
        return self._user_where("id = ?", user_id)

    def user_named(self, username: str) -> User | None:
        """As at X, ``Alice`` is ``alice``."""
        return self._user_where("username = ?", username)

    def usernames(self) -> list[str]:
        """The first hundred, in the order of the alphabet."""
        return [name for (name,) in self._db.execute("select username from user order by username limit 100")]

    def user_with_token(self, access_token: str) -> User | None:
        return self._user_where("access_token = ?", access_token)

    def add_user(self, username: str) -> User:
        """A new user, who has authorised our app."""
        user_id = self._ids.new()
        self._db.execute("insert into user (id, username) values (?, ?)", (user_id, username))
        return self.authorise(user_id)

    def authorise(self, user_id: int) -> User:
        """Gives the user new tokens for our app; the old ones stop working."""
        self._db.execute(
            "update user set access_token = ?, access_token_secret = ? where id = ?",
            (f"{user_id}-{_random_word(40)}", _random_word(45), user_id),
        )
        return self._known_user(user_id)

    def revoke(self, user_id: int) -> None:
        self._db.execute("update user set access_token = null, access_token_secret = null where id = ?", (user_id,))

    def suspend(self, user_id: int) -> None:
        self._db.execute("update user set suspended = 1 where id = ?", (user_id,))

    def reset(self) -> None:
        """Deletes the tweets and the suspensions; users and tokens stay."""
        self._db.execute("delete from tweet")
        self._db.execute("update user set suspended = 0")

    def add_tweet(
        self,
        author: User,
        sent_text: str,
        compared_text: str,
        text: str,
        urls: list[dict[str, Any]],
        reply_to: int | None,
    ) -> Tweet:
        tweet = Tweet(self._ids.new(), author.id, author.username, sent_text, text, urls, reply_to)
        self._db.execute(
            """insert into tweet (id, user_id, sent_text, compared_text, text, urls, reply_to)
               values (?, ?, ?, ?, ?, ?, ?)""",
            (tweet.id, author.id, sent_text, compared_text, text, json.dumps(urls), reply_to),
        )
        return tweet

    def tweet(self, tweet_id: int) -> Tweet | None:
        return next(self._tweets("where tweet.id = ?", tweet_id), None)

    def delete_tweet(self, tweet_id: int) -> None:
        self._db.execute("delete from tweet where id = ?", (tweet_id,))

    def has_tweeted(self, user_id: int, compared_text: str, since: datetime) -> bool:
        """Whether the user has a tweet with that text which was published since then."""
        found = self._db.execute(
            "select 1 from tweet where user_id = ? and compared_text = ? and id >= ? limit 1",
            (user_id, compared_text, first_id_at(since)),
        )
        return found.fetchone() is not None

    def tweets(self, username: str | None, limit: int | None) -> list[Tweet]:
        """Everybody's tweets or one user's, all or the latest `limit` of them, oldest first."""
        latest = "where ? is null or username = ? order by tweet.id desc limit ifnull(?, -1)"
        return list(self._tweets(latest, username, username, limit))[::-1]

    def timeline(self, user_id: int, after: int, before: int, limit: int, *, with_replies: bool) -> list[Tweet]:
        """The newest tweets of the user with `after` < id < `before`, newest first; X shows the latest 3,200."""
        return list(
            self._tweets(
                f"""where tweet.id in (select id from tweet where user_id = ? order by id desc limit {_TIMELINE_DEPTH})
                    and tweet.id > ? and tweet.id < ? and (? or reply_to is null)
                    order by tweet.id desc limit ?""",
                user_id, after, before, with_replies, limit,
            )
        )  # fmt: skip

    def _tweets(self, clauses: str, *values: Any) -> Iterator[Tweet]:
        for row in self._db.execute(_TWEETS + clauses, values):
            tweet_id, user_id, username, sent_text, text, urls, reply_to = row
            yield Tweet(tweet_id, user_id, username, sent_text, text, json.loads(urls), reply_to)

    def _user_where(self, condition: str, value: int | str) -> User | None:
        row = self._db.execute(
            f"select id, username, access_token, access_token_secret, suspended from user where {condition}", (value,)
        ).fetchone()
        if not row:
            return None
        user_id, username, access_token, access_token_secret, suspended = row
        return User(user_id, username, access_token, access_token_secret, bool(suspended))

    def _known_user(self, user_id: int) -> User:
        user = self.user(user_id)
        assert user
        return user


def _random_word(length: int) -> str:
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))
