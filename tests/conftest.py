"""What all tests share: an environment without settings, a directory for each run, and the running stack."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from shared.config import SETTINGS

pytest_plugins = ["without_tools"]

if TYPE_CHECKING:
    from local.running_stack import RunningStack

LONGEST_FILES = (
    "test_page_oidc",
    "test_local_stack",
    "test_page_posts",
    "test_page_for_everyone",
    "test_page_composer",
    "test_doctor",
    "test_chaos_run",
    "test_page_calendar",
    "test_end_to_end",
    "test_model",
    "test_admin_accounts",
    "test_local_hasura_events",
    "test_tokens_at_rest",
    "test_rotation",
    "test_restore",
)
"""These start first, so that in a parallel run no worker is left alone with one of them. The longest comes first."""

_OWN_DIRECTORY = pytest.StashKey[Path]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Gives each run a temporary directory of its own, and Hypothesis all the time that it needs.

    pytest's default directory is shared by all runs of a user, and each start of pytest takes away others' access to
    it. A run as root would lose its databases then, because PostgreSQL runs as another user.
    """
    # A busy machine is no failure: no example of Hypothesis has to end in time. All runs try the same examples, or one
    # could fail without a change; CI tries more of them.
    hypothesis.settings.register_profile(
        "without-a-clock",
        deadline=None,
        derandomize=True,
        max_examples=100 if os.environ.get("CI") else 50,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("without-a-clock")
    gc.disable()
    if config.option.basetemp is None:
        config.stash[_OWN_DIRECTORY] = Path(tempfile.mkdtemp(prefix="scheduled-posts-tests-"))
        config.option.basetemp = config.stash[_OWN_DIRECTORY]


def pytest_collection_finish() -> None:
    """Lets the garbage collector pass over the thousands of tests, which it would go through again and again."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {name: place for place, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Removes what a run without failures has left; says where the rest is."""
    directory = config.stash.get(_OWN_DIRECTORY, None)
    if directory is None or not directory.exists():
        return
    if exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(directory, ignore_errors=True)
    else:
        terminalreporter.write_line(f"The files of this run are in {directory}.")


@pytest.fixture(autouse=True, scope="session")
def _clean_environment() -> Iterator[None]:
    """No test sees settings that the developer's shell has; a key to the real X must not come near a test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [*(setting.name for setting in SETTINGS), "PG_DATABASE_URL"]:
            patch.delenv(name, raising=False)
        # Nothing here is served by HTTPS, and each service would need 0.1 s to load the system's certificates.
        patch.setenv("SSL_CERT_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, _clean_environment: None) -> "Iterator[RunningStack]":
    """The whole stack. All tests of a run share it: each uses users of its own.

    Shorter pauses between Hasura's polls would take time from the tests: each poll costs 3 ms of a processor.
    """
    from local.running_stack import started  # the unit tests run without the packages that this needs

    data = tmp_path_factory.mktemp("stack")
    with started(data, "--poll-interval", "0.2", "--rate-limit", "off") as running:
        yield running
