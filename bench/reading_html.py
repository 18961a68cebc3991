"""How well the text of web pages is told from menus and the like, beside trafilatura, readability-lxml, jusText and resiliparse.

    python bench/reading.py html

The 990 pages and their judgments are those of trafilatura's own evaluation (``tests/`` of github.com/adbar/trafilatura, fetched by
git into ``.bench/reading/trafilatura``, where a checkout may also be put). A judgment is a text that must be extracted, or one that
must not; white space and soft hyphens do not count. The numbers in `bookwheel.documents.page` were chosen on the pages whose CRC-32
is even ("tuned"); the others are "held out".
"""

from __future__ import annotations

import json
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


def table() -> list[tuple[Any, ...]]:
    """The judged pages: F1 of both halves; of all pages F1, precision, recall, accuracy, and seconds of one processor."""
    tests = _cloned() / "tests"
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
            sys.exit(f"{SOURCE} cannot be fetched ({error}); put a checkout at {folder}")
    return folder


def _place(tests: Path, file: str) -> str:
    return next(f"{folder}/{file}" for folder in ("cache", "eval") if (tests / folder / file).is_file())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\xad", "")).strip()


def _f1(counts: list[int]) -> float:
    right, wrong, missed, _ = counts
    return 2 * right / max(2 * right + wrong + missed, 1)
