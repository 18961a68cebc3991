"""What was committed before an interruption is not done again. See test_durability for what a kill must leave."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

import bookwheel

# Small batches and a commit after each, so that few seconds hold many commits, merges and sweeps.
CHILD = """
import sys, bookwheel, bookwheel.library.intake as i, bookwheel.library.writer as w
i.BATCH_PASSAGES, w.COMMIT_SECONDS = 40, 0.0
command, path, folder = sys.argv[1:4]
library = bookwheel.open(path)
library.encoder, library._snapshot
from bookwheel.kernels import warm
print("ready", flush=True)
if command == "index":
    library.index(folder)
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    records = [json.dumps({"_id": f"d{n}", "title": title, "text": text}) for n, (title, text) in enumerate(prose[:400])]
    (folder / "all.jsonl").write_text("\n".join(records) + "\n")
    return folder


def start(command: str, library: Path, corpus: Path, python: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [python, "-c", CHILD, command, str(library), str(corpus)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def generation(path: Path) -> int:
    return int(json.loads((path / "manifest.json").read_text())["generation"])


def test_interrupted_index_does_not_redo_finished_work(
    tmp_path: Path, corpus: Path, python: str, child_environment: dict[str, str]
) -> None:
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, language="english", words=40)
    with start("index", path, corpus, python, child_environment) as child:
        while generation(path) < 4:
            time.sleep(0.01)
        child.kill()
    with bookwheel.open(path) as library:
        kept = library.document_count
        assert kept > 0
        report = library.index(corpus)
    assert report.unchanged == kept
    assert report.added == 400 - kept


def test_ctrl_c_keeps_what_is_done(tmp_path: Path, corpus: Path, python: str, child_environment: dict[str, str]) -> None:
    path = tmp_path / "lib"
    bookwheel.open(path, create=True, language="english", words=40)
    with start("index", path, corpus, python, child_environment) as child:
        while generation(path) < 3:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
    with bookwheel.open(path) as library:
        assert library.check() == []
        report = library.index(corpus)
        assert report.added + report.unchanged == 400
        assert library.document_count == 400
