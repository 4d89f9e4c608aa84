"""The files of the page: which are loaded, how many bytes they are, and what all style sheets keep to."""

import gzip
import re
from pathlib import Path

import pytest

from scripts.page_files import INDEX, WEB, files_at_start, files_loaded_later, modules_from, with_preloads

MOST_BYTES = 155_000
MOST_BYTES_AT_THE_START = 130_000
BY_NAME = "sign_in/sign_in_by_name.js"
WITH_A_PROVIDER = "sign_in/sign_in_with_oidc.js"
VIEWS = {"calendar/calendar.js", "calendar/calendar.css", "settings/settings.js", "settings/settings.css"}
DEVELOPER_TOOLS = {"developer/developer_tools.js", "developer/timeline.js", "developer/developer.css"}
ON_A_HOST = {WITH_A_PROVIDER, *VIEWS}
ON_THE_LOCAL_STACK = {BY_NAME, *VIEWS, *DEVELOPER_TOOLS}

STYLE_SHEETS = sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.css"))


def bytes_of(files: set[str]) -> int:
    """As a host sends them that compresses each by itself."""
    return sum(len(gzip.compress((WEB / file).read_bytes(), 6)) for file in files)


def bytes_with(later: set[str]) -> int:
    """What is loaded at the start, and these files with what they import."""
    return bytes_of(files_at_start() | later | modules_from(*(file for file in later if file.endswith(".js"))))


def test_index_html_lists_the_modules_that_are_loaded_at_the_start() -> None:
    assert INDEX.read_text() == with_preloads(INDEX.read_text()), "Run python -m scripts.page_files"


def test_every_module_is_loaded_at_the_start_or_later() -> None:
    loaded = {file for file in files_at_start() if file.endswith(".js")} | modules_from(*files_loaded_later())

    assert sorted(loaded) == sorted(path.relative_to(WEB).as_posix() for path in WEB.rglob("*.js"))


def test_what_is_loaded_later_is_the_way_to_sign_in_and_all_views_but_the_posts() -> None:
    later = {BY_NAME, WITH_A_PROVIDER, *VIEWS, *DEVELOPER_TOOLS}

    assert files_loaded_later() == {file for file in later if file.endswith(".js")}


@pytest.mark.parametrize(
    "later",
    [ON_A_HOST, ON_THE_LOCAL_STACK],
    ids=["on a host, all views opened", "on the local stack, all views opened"],
)
def test_the_page_is_less_than_155_kilobytes_compressed(later: set[str]) -> None:
    assert bytes_with(later) < MOST_BYTES


@pytest.mark.parametrize("way_to_sign_in", [BY_NAME, WITH_A_PROVIDER])
def test_what_is_loaded_at_the_start_is_less_than_130_kilobytes_compressed(way_to_sign_in: str) -> None:
    assert bytes_with({way_to_sign_in}) < MOST_BYTES_AT_THE_START


def test_the_document_tells_how_large_the_page_is() -> None:
    """To within 5 kB, so that not every change of the page is one of the document."""
    document = (WEB.parent / "docs/page.md").read_text()
    told = re.findall(r"^\| .* \| ([0-9]+) kB \| ([0-9]+) kB \|$", document, re.MULTILINE)

    later_by_row = [({WITH_A_PROVIDER}, ON_A_HOST), ({BY_NAME}, ON_THE_LOCAL_STACK)]
    measured = [[bytes_with(later) / 1000 for later in row] for row in later_by_row]
    assert [[int(number) for number in row] for row in told] == [pytest.approx(row, abs=5) for row in measured]


def test_the_browser_paints_before_the_style_sheets_of_the_views_have_come() -> None:
    head, body = INDEX.read_text().split("<body>")

    assert re.findall(r'rel="stylesheet" href="([^"]+)"', head) == ["style.css", "page.css"]
    sheets = set(re.findall(r'rel="stylesheet" href="([^"]+)"', head + body))
    later = {file for file in VIEWS | DEVELOPER_TOOLS if file.endswith(".css")}
    assert sorted(sheets | later) == STYLE_SHEETS
    assert sheets & later == set()
    assert body.index('rel="stylesheet"') > body.index('id="sign-in"')


@pytest.mark.parametrize("sheet", STYLE_SHEETS)
def test_what_a_pointer_hovers_over_is_marked_only_where_there_is_a_pointer(sheet: str) -> None:
    """On a touch screen the mark would stay after a tap, as if the thing were selected."""
    text = (WEB / sheet).read_text()

    elsewhere = without_blocks(text, "@media (hover: hover)")

    assert re.findall(r"^.*:hover.*$", elsewhere, re.MULTILINE) == []


def without_blocks(text: str, name: str) -> str:
    """The text of a style sheet, whose blocks end with a brace at the start of a line, without the blocks of a name."""
    return re.sub(rf"^{re.escape(name)} {{\n.*?^}}\n", "", text, flags=re.MULTILINE | re.DOTALL)


def test_no_file_of_the_page_names_what_does_not_exist() -> None:
    assert [file for file in files_at_start() | files_loaded_later() if not Path(WEB / file).is_file()] == []
