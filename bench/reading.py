"""How well files are read, each table by one command that gets its data by itself; see README.md.

    python bench/reading.py encodings
    python bench/reading.py pdf
    python bench/reading.py encodings --json encodings.json
    python bench/reading.py html
    python bench/reading.py manuals

Debian's packages are fetched with `apt-get download`, as any user may, into `.bench/reading`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

from common import ROOT, SCRATCH

sys.path.insert(0, str(ROOT / "src"))

TABLES = {"encodings": "reading_encodings", "html": "reading_html", "manuals": "reading_manuals", "pdf": "reading_pdf"}
"""Name of each table and its module, whose ``table()`` returns rows, the first of them the heads."""

FOLDER = SCRATCH / "reading"


def unpacked(package: str) -> Path:
    """The folder with the files of one of Debian's packages, fetched where it is not there."""
    folder = FOLDER / "packages" / package
    if not folder.is_dir():
        folder.mkdir(parents=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, capture_output=True)
        (archive,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
        archive.unlink()
    return folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    given = parser.parse_args()
    heads, *rows = importlib.import_module(TABLES[given.table]).table()
    widths = [max(len(str(row[at])) for row in (heads, *rows)) for at in range(len(heads))]
    for row in (heads, *rows):
        first, *others = (str(cell) for cell in row)
        print(first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)), sep="  ")
    if given.json:
        given.json.write_text(json.dumps([dict(zip(heads, row, strict=True)) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
