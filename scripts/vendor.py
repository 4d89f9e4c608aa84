"""Copies the page's one library from its npm package into web/vendor: ``make vendor``, after ``npm ci``.

package-lock.json pins the package by its checksum, which `npm ci` verifies. SHA256SUMS has the checksums of the copies,
which a test verifies without npm.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
VENDOR = REPOSITORY / "web/vendor"
PACKAGE = "oauth4webapi"
FILES = ("LICENSE.md", "build/index.d.ts", "build/index.js")


def main() -> None:
    """Writes the copies and their checksums."""
    argparse.ArgumentParser(prog="python -m scripts.vendor", description=__doc__).parse_args()
    folder = VENDOR / PACKAGE
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(REPOSITORY / "node_modules" / PACKAGE / name, folder / Path(name).name)
    (VENDOR / "SHA256SUMS").write_text(checksums())


def checksums() -> str:
    """The checksums of all copies as they are now, as `sha256sum` writes them."""
    copies = sorted(path for path in VENDOR.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(VENDOR).as_posix()}\n" for path in copies
    )


if __name__ == "__main__":
    main()
