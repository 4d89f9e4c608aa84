"""Writes into web/index.html which modules the browser is to load at once: ``python -m scripts.page_files``.

Without that list it learns of a module when it has loaded the one that imports it, one level after the other. The list
is at the end, because in the head it would hold up the first paint. Run it after a change of imports in web/; a test
says so.
"""

import argparse
import re
from collections.abc import Iterable
from pathlib import Path

WEB = Path(__file__).parents[1] / "web"
INDEX = WEB / "index.html"

_PRELOAD = '    <link rel="modulepreload" href="{}">\n'
_PRELOADS = re.compile(r'(?: *<link rel="modulepreload" href="[^"]+">\n)*(?= *</body>)')
_SCRIPT = re.compile(r'<script type="module" src="([^"]+)"')
_LINKED = re.compile(r'<link rel="(?:icon|stylesheet)" href="([^"]+)"')
_IMPORT = re.compile(r"""^(?:import\s+|(?:import|export)\s[^;]*?\bfrom\s+)["'](\.[^"']+)["']""", re.MULTILINE)
_LATER_IMPORT = re.compile(r"""^(?!\s*/?\*).*\bimport\(["'](\.[^"']+)["']\)""", re.MULTILINE)


def main() -> None:
    argparse.ArgumentParser(prog="python -m scripts.page_files", description=__doc__).parse_args()
    INDEX.write_text(with_preloads(INDEX.read_text()))
    print(f"wrote {INDEX.relative_to(WEB.parent)}")


def with_preloads(index: str) -> str:
    """The text of index.html with the modules that its script needs, and those need, in place of the list before."""
    [script] = _SCRIPT.findall(index)
    modules = sorted(modules_from(script) - {script})
    return _PRELOADS.sub("".join(map(_PRELOAD.format, modules)), index, count=1)


def files_at_start() -> set[str]:
    """What a browser loads to show the page, whichever way to sign in config.json names."""
    index = INDEX.read_text()
    return {"index.html", "config.json", *_LINKED.findall(index), *modules_from(*_SCRIPT.findall(index))}


def files_loaded_later() -> set[str]:
    """The modules that others load when they are needed."""
    at_start = modules_from(*_SCRIPT.findall(INDEX.read_text()))
    return {later for module in at_start for later in _imports(module, _LATER_IMPORT)}


def modules_from(*modules: str) -> set[str]:
    """These modules of web/ and all that they import, not what they load later."""
    found = set(modules)
    new: Iterable[str] = modules
    while new:
        new = {imported for module in new for imported in _imports(module, _IMPORT)} - found
        found |= new
    return found


def _imports(module: str, kind: re.Pattern[str]) -> set[str]:
    path = WEB / module
    return {
        (path.parent / imported).resolve().relative_to(WEB).as_posix() for imported in kind.findall(path.read_text())
    }


if __name__ == "__main__":
    main()
