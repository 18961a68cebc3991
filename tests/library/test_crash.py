"""Killed at any instant, a library opens at a commit, is sound, and the finished command ranks as if never disturbed."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import bookwheel

QUERIES = ["open file", "thread lock", "iterator", "parse arguments", "base class", "queue heap", "encode bytes"]

# Small batches and a commit after each, so that few seconds hold many commits, merges and sweeps.
CHILD = """
import sys, bookwheel, bookwheel.library.writer as w
w.BATCH_PASSAGES, w.COMMIT_SECONDS = 40, 0.0
command, path, folder = sys.argv[1:4]
library = bookwheel.open(path)
library.encoder, library._snapshot
from bookwheel.kernels import warm
print("ready", flush=True)
if command == "index":
    library.index(folder)
elif command == "remove":
    for part in range(0, 60, 6):
        names = [f"d{n}" for n in range(part, part + 6) if library.get(f"d{n}")]
        if names:
            library.remove(names)
elif command == "compact":
    library.compact()
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


def finish(command: str, library: Path, corpus: Path, python: str, environment: dict[str, str]) -> float:
    with start(command, library, corpus, python, environment) as child:
        assert child.stdout is not None
        ready = time.monotonic()
        assert child.stdout.read() == "done\n"
        seconds = time.monotonic() - ready
    assert child.returncode == 0
    return seconds


def generation(path: Path) -> int:
    return int(json.loads((path / "manifest.json").read_text())["generation"])


def ranked(path: Path) -> list[list[tuple[str, int, float]]]:
    with bookwheel.open(path) as library:
        return [
            [(r.id, r.start, round(r.score, 4)) for r in library.search(q, 30, recipe=recipe)]
            for q in QUERIES
            for recipe in ("bm25", "dense")
        ]


@pytest.mark.parametrize("command", ["index", "remove", "compact"])
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_kill_9(command: str, kills: int, tmp_path: Path, corpus: Path, python: str, child_environment: dict[str, str]) -> None:
    start_point = tmp_path / "start"
    bookwheel.open(start_point, create=True, language="english", words=40)
    if command != "index":
        finish("index", start_point, corpus, python, child_environment)
    if command == "compact":
        with bookwheel.open(start_point) as library:
            library.remove([f"d{n}" for n in range(0, 100, 3)])
    undisturbed = tmp_path / "undisturbed"
    shutil.copytree(start_point, undisturbed)
    seconds = finish(command, undisturbed, corpus, python, child_environment)
    expected = ranked(undisturbed)

    dice = random.Random(f"{command} {kills}")
    killed = 0
    for n in range(kills):
        path = tmp_path / f"killed{n}"
        shutil.copytree(start_point, path)
        child = start(command, path, corpus, python, child_environment)
        with child:
            time.sleep(dice.uniform(0, 0.8 * seconds))
            child.send_signal(signal.SIGKILL)
        killed += child.returncode == -signal.SIGKILL
        with bookwheel.open(path) as library:
            assert library.check() == []
            assert library.passage_count == sum(len(d.passages) for d in library), "documents and segments agree"
        finish(command, path, corpus, python, child_environment)
        with bookwheel.open(path) as library:
            assert library.check() == []
        assert ranked(path) == expected
        shutil.rmtree(path)
    assert killed >= kills // 3, "the kills came too late to mean anything"


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
