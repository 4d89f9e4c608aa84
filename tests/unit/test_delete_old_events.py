"""Deleting old events where Hasura keeps its metadata elsewhere, or the database refuses a step."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from calling import settings

from admin.connection import CommandRefused, Connection
from admin.delete_old_events import MOST_STEPS, delete_old_events
from admin.hasura_api import HasuraApi, HasuraUnusable


class Database(HasuraApi):
    """Has the tables that it is given, with so many old events."""

    def __init__(self, **old_events: int) -> None:
        self.old_events = old_events
        self.statements: list[str] = []

    def select(self, statement: str) -> dict[str, Any]:
        return {"exists": any(f"'hdb_catalog.{table}'" in statement for table in self.old_events)}

    def change(self, statement: str) -> dict[str, Any]:
        self.statements.append(statement)
        [table] = [table for table in self.old_events if f"from hdb_catalog.{table}\n" in statement]
        deleted = min(2, self.old_events[table])
        self.old_events[table] -= deleted
        return {"deleted": deleted}


def run(database: HasuraApi) -> None:
    delete_old_events(Connection(settings(), database), timedelta(days=7), step=2)


def test_steps_are_repeated_until_one_finds_less_than_it_may_delete() -> None:
    database = Database(hdb_cron_events=5, hdb_scheduled_events=2, event_log=0)

    run(database)

    assert database.old_events == {"hdb_cron_events": 0, "hdb_scheduled_events": 0, "event_log": 0}
    assert len(database.statements) == 3 + 2 + 1


def test_a_run_ends_after_its_most_steps(capsys: pytest.CaptureFixture[str]) -> None:
    database = Database(hdb_cron_events=10 * MOST_STEPS, hdb_scheduled_events=0, event_log=0)

    run(database)

    assert database.old_events["hdb_cron_events"] == 8 * MOST_STEPS
    assert "There are more cron trigger events than one run deletes: run it again." in capsys.readouterr().out


def test_where_hasura_keeps_its_metadata_in_another_database_that_is_said() -> None:
    database = Database(event_log=1)

    with pytest.raises(
        CommandRefused, match=r"no hdb_catalog\.hdb_cron_events, hdb_catalog\.hdb_scheduled_events"
    ) as said:
        run(database)

    assert "Run there with psql what --sql prints." in str(said.value)
    assert database.old_events == {"event_log": 0}


def test_a_step_that_takes_too_long_is_to_be_made_smaller() -> None:
    class Slow(Database):
        def change(self, statement: str) -> dict[str, Any]:
            raise HasuraUnusable("Hasura", "Hasura refused run_sql.", "", code="postgres-error")

    with pytest.raises(CommandRefused, match="try again with a smaller --step than 2"):
        run(Slow(hdb_cron_events=1))


def test_a_reader_that_wants_no_more_of_the_sql_ends_the_command_without_a_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "wb") as to_nobody:
        ended = subprocess.run(
            [sys.executable, "-m", "admin.delete_old_events", "--older-than", "7d", "--sql"],
            cwd=Path(__file__).parents[2], stdout=to_nobody, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip

    assert (ended.returncode, ended.stderr) == (1, "")
