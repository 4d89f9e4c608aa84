"""Copies the page's libraries from their npm packages into web/vendor: ``make vendor``, after ``npm ci``.

package-lock.json pins each package by its checksum, which `npm ci` verifies. SHA256SUMS has the checksums of the
copies, which a test verifies without npm.
"""

import argparse
import hashlib
import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
VENDOR = REPOSITORY / "web/vendor"
PACKAGES = {
    "graphql-ws": ("LICENSE.md", "dist/client.d.ts", "dist/client.js", "dist/common-*.d.ts", "dist/common-*.js"),
    "oauth4webapi": ("LICENSE.md", "build/index.d.ts", "build/index.js"),
}
"""The files of each that the page loads, with their types and the licence."""


def main() -> None:
    """Writes the copies and their checksums."""
    argparse.ArgumentParser(prog="python -m scripts.vendor", description=__doc__).parse_args()
    for package, patterns in PACKAGES.items():
        folder = VENDOR / package
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for pattern in patterns:
            for file in (REPOSITORY / "node_modules" / package).glob(pattern):
                shutil.copyfile(file, folder / file.name)
    (VENDOR / "SHA256SUMS").write_text(checksums())


def checksums() -> str:
    """The checksums of all copies as they are now, as `sha256sum` writes them."""
    copies = sorted(path for path in VENDOR.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(VENDOR).as_posix()}\n" for path in copies
    )


if __name__ == "__main__":
    main()
