"""How well the text of web pages is told from menus and the like, and whether manuals lose any of theirs.

    python bench/reading_html.py                    judged pages: bookwheel beside trafilatura, readability, jusText, resiliparse
    python bench/reading_html.py --manuals          the HTML of some of Debian's documentation packages
    python bench/reading_html.py --data FOLDER      a checkout of trafilatura that lies there already

The 990 pages and their judgments are those of trafilatura's own evaluation (``tests/`` of github.com/adbar/trafilatura, fetched by
git). A judgment is a text that must be extracted, or one that must not; white space and soft hyphens do not count. The numbers in
`bookwheel.documents.page` were chosen on the pages whose CRC-32 is even ("tuned"); the others are "held out".
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH
from peers import run_peer

sys.path.insert(0, str(ROOT / "src"))

FOLDER = SCRATCH / "reading"
SOURCE = "https://github.com/adbar/trafilatura"
PEERS = {
    "trafilatura": "extractors",
    "trafilatura fast": "extractors",
    "readability-lxml": "readability",
    "jusText": "extractors",
    "resiliparse": "extractors",
}
"""The tools and their environments."""
MANUALS = """apache2-doc bash-doc cmake-doc debian-policy debian-reference-en developers-reference erlang-doc exim4-doc-html
ghc-doc git-doc gnuplot-doc libboost1.74-doc libgtk-3-doc libsdl2-doc libxml2-doc octave-doc openjdk-17-doc postgresql-doc-15
python-django-doc python3.11-doc rust-doc sbcl-doc sqlite3-doc valgrind zsh-doc""".split()  # noqa: SIM905
NAVIGATION = re.compile(r"\b(?:footer|navigation|nav|mobile-nav|related|sphinxsidebar)\b")
"""Classes of navigation in these manuals."""
PAGES = 30
"""Of each manual, chosen at random (seed 1)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a checkout of trafilatura")
    parser.add_argument("--manuals", action="store_true", help="the table of manuals instead")
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    given = parser.parse_args()
    heads, *rows = manuals() if given.manuals else table(given.data)
    widths = [max(len(str(row[at])) for row in (heads, *rows)) for at in range(len(heads))]
    for row in (heads, *rows):
        first, *others = (str(cell) for cell in row)
        print(first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)), sep="  ")
    if given.json:
        given.json.write_text(json.dumps([dict(zip(heads, row, strict=True)) for row in rows], indent=1) + "\n")


def table(data: Path | None = None) -> list[tuple[Any, ...]]:
    """The judged pages: F1 of both halves; of all pages F1, precision, recall, accuracy, and seconds of one processor."""
    tests = (data or _cloned()) / "tests"
    judged = json.loads((tests / "evaldata.json").read_text(encoding="utf-8"))
    places = {item["file"]: _place(tests, item["file"]) for item in judged.values()}
    files = FOLDER / "html.json"
    files.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(json.dumps(list(places.values())))
    rows: list[tuple[Any, ...]] = [("tool", "tuned F1", "held out F1", "F1", "precision", "recall", "accuracy", "seconds")]
    for name, texts, seconds in _results(tests, list(places.values()), files):
        halves = [[0, 0, 0, 0], [0, 0, 0, 0]]
        for url, item in judged.items():
            text = _plain(texts[places[item["file"]]])
            right = sum(_plain(wanted) in text for wanted in item["with"])
            wrong = sum(_plain(unwanted) in text for unwanted in item["without"])
            counts = (right, wrong, len(item["with"]) - right, len(item["without"]) - wrong)
            half = halves[zlib.crc32(url.encode()) & 1]
            half[:] = (one + other for one, other in zip(half, counts, strict=True))
        both = [one + other for one, other in zip(*halves, strict=True)]
        right, wrong, missed, avoided = both
        precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
        accuracy = (right + avoided) / sum(both)
        cells = (f"{value:.3f}" for value in (_f1(halves[0]), _f1(halves[1]), _f1(both), precision, recall, accuracy))
        rows.append((name, *cells, f"{seconds:.1f}"))
    return rows


def _results(tests: Path, files: list[str], listed: Path) -> Iterator[tuple[str, dict[str, str], float]]:
    from bookwheel.documents.readers.html import page_text, parse_html, visible_text

    for name, extract in (
        ("bookwheel", lambda data: page_text(parse_html(data))[0]),
        ("bookwheel, all that is shown", lambda data: visible_text(parse_html(data).body)),
    ):
        texts: dict[str, str] = {}
        seconds = 0.0
        for file in files:
            data = (tests / file).read_bytes()
            began = time.process_time()
            texts[file] = extract(data)
            seconds += time.process_time() - began
        yield name, texts, seconds
    for name, environment in PEERS.items():
        result = run_peer(environment, "peer_extractors.py", name, str(tests), str(listed))
        yield f"{name} {result['version']}", result["texts"], result["seconds"]


def _cloned() -> Path:
    folder = FOLDER / "trafilatura"
    if not folder.is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["git", "clone", "-q", "--depth", "1", SOURCE, folder], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            sys.exit(f"{SOURCE} cannot be fetched ({error}); give a checkout with --data FOLDER")
    return folder


def _place(tests: Path, file: str) -> str:
    return next(f"{folder}/{file}" for folder in ("cache", "eval") if (tests / folder / file).is_file())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\xad", "")).strip()


def _f1(counts: list[int]) -> float:
    right, wrong, missed, _ = counts
    return 2 * right / max(2 * right + wrong + missed, 1)


def manuals() -> list[tuple[Any, ...]]:
    """For each manual the words shown and kept, and the share kept of the text that is no link and in no navigation element."""
    from bookwheel._errors import InputError
    from bookwheel.documents.page.blocks import blocks_of
    from bookwheel.documents.page.main import left_out, not_shown
    from bookwheel.documents.page.site import is_of_site
    from bookwheel.documents.page.text import text_of
    from bookwheel.documents.readers.html import parse_html

    rows: list[tuple[Any, ...]] = [("manual", "pages", "words shown", "words kept", "of text kept")]
    everything = [0, 0, 0, 0]
    for package in MANUALS:
        files = sorted(file for file in _unpacked(package).rglob("*.htm*") if file.suffix in (".html", ".htm"))
        files = [file for file in files if file.is_file() and not file.is_symlink() and file.stat().st_size < 400_000]
        random.Random(1).shuffle(files)
        counts = [0, 0, 0, 0]
        for file in files[:PAGES]:
            try:
                tree = parse_html(file.read_bytes())
            except InputError:
                continue
            if tree.body is None:
                continue
            page = blocks_of(tree.body)
            shown, out = not_shown(page), left_out(page, is_of_site(tree, page))
            text, lost = _of_text(page, shown, out)
            counts[0] += len(text_of(page, shown)[0].split())
            counts[1] += len(text_of(page, out)[0].split())
            counts[2] += text
            counts[3] += lost
        everything = [one + other for one, other in zip(everything, counts, strict=True)]
        rows.append((package, min(len(files), PAGES), counts[0], counts[1], f"{1 - counts[3] / max(counts[2], 1):.4f}"))
    rows.append(("all", "", everything[0], everything[1], f"{1 - everything[3] / max(everything[2], 1):.4f}"))
    return rows


def _of_text(page: Any, shown: list[bool], out: list[bool]) -> tuple[int, int]:
    """Bytes of text outside links, navigation, footers, forms and buttons, and how many of them are left out."""
    text = lost = 0
    inside = [False] * len(out)
    for block in range(len(out)):
        parent = page.parent[block]
        beside = page.tag[block] in ("nav", "footer", "form", "button") or NAVIGATION.search(page.names[block]) is not None
        inside[block] = shown[block] or beside or (parent >= 0 and inside[parent])
        if inside[block]:
            continue
        own = page.chars[block] - page.linked[block]
        child = block + 1
        while child < page.last[block]:
            own -= page.chars[child] - page.linked[child]
            child = page.last[child]
        text += own
        lost += own if out[block] else 0
    return text, lost


def _unpacked(package: str) -> Path:
    folder = FOLDER / "packages" / package
    if not folder.is_dir():
        folder.mkdir(parents=True)
        subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, capture_output=True)
        (archive,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
        archive.unlink()
    return folder


if __name__ == "__main__":
    main()
