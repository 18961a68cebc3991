"""Killed at any instant, embedding leaves a sound library, loses at most a batch, and continues to the same end."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.library.vectors.cache import CACHE, VectorCache

QUERIES = ["open file", "thread lock", "iterator", "parse arguments", "base class", "queue heap", "encode bytes"]

CHILD = """
import sys, time, bookwheel, bookwheel.library.vectors.embedding as r
from vectors_encoders import Rotated, Weighted
r.CHUNK, r.BATCH = 40, 16
library = bookwheel.open(sys.argv[1])
library.add_encoder("other", Rotated() if sys.argv[2] == "dense" else Weighted(), kind=sys.argv[2])
library._snapshot
from bookwheel.kernels import warm
warm()
print("ready", flush=True)
library.embed()
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def start_library(tmp_path_factory: pytest.TempPathFactory, prose: list[tuple[str, str]]) -> Path:
    path = tmp_path_factory.mktemp("start") / "lib"
    library = bookwheel.open(path, create=True, language="english", words=60)
    docs = [Document(f"d{n}", text, title) for n, (title, text) in enumerate(prose[:200])]
    library.add(docs[:120])
    library.add(docs[120:])
    library.close()
    return path


def start(library: Path, python: str, environment: dict[str, str], kind: str = "dense") -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    environment = {**environment, "PYTHONPATH": f"{environment['PYTHONPATH']}:{here}"}
    child = subprocess.Popen([python, "-c", CHILD, str(library), kind], stdout=subprocess.PIPE, text=True, env=environment)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def rankings(path: Path) -> tuple[list[list[int]], list[list[float]]]:
    from vectors_encoders import Rotated, Weighted

    with bookwheel.open(path) as library:
        library._encoders.give(Rotated())
        library._encoders.give(Weighted())
        found = [library.rank(query, 10, recipe="other") for query in QUERIES]
        return [hits.ids.tolist() for hits in found], [hits.scores.tolist() for hits in found]


def killed(
    start_library: Path, tmp_path: Path, python: str, environment: dict[str, str], kills: int, seed: int, kind: str = "dense"
) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(start_library, whole)
    began = time.monotonic()
    with start(whole, python, environment, kind) as child:
        assert child.stdout is not None
        working = time.monotonic()
        assert child.stdout.readline() == "done\n"
    took = time.monotonic() - working
    assert took < time.monotonic() - began
    wanted = rankings(whole)
    path = tmp_path / "killed"
    shutil.copytree(start_library, path)
    moments = random.Random(seed)
    for _ in range(kills):
        with start(path, python, environment, kind) as child:
            time.sleep(moments.uniform(0, took / 2))
            child.send_signal(signal.SIGKILL)
        with bookwheel.open(path) as library:
            assert library.check() == []
            assert library.search("open a file", recipe="bm25")
            before = sum(entry.embedded("other") for entry in library._snapshot.manifest.segments)
    with start(path, python, environment, kind) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "done\n"
    numbers, scores = rankings(path)
    assert sum(map(sum, scores)) == pytest.approx(sum(map(sum, wanted[1])), rel=1e-3)
    if kind == "dense":  # the weights of a sparse one are rounded to steps that depend on how it was merged
        assert numbers == wanted[0]
    with bookwheel.open(path) as library:
        report = library.encoders()[0]
        assert report.complete
        assert report.embedded >= before
        assert library.check() == []


@pytest.mark.parametrize("kind", ["dense", pytest.param("sparse", marks=pytest.mark.slow)])
def test_killed_twice(start_library: Path, tmp_path: Path, python: str, child_environment: dict[str, str], kind: str) -> None:
    killed(start_library, tmp_path, python, child_environment, 2, 1, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_killed_often(start_library: Path, tmp_path: Path, python: str, child_environment: dict[str, str], kind: str) -> None:
    killed(start_library, tmp_path, python, child_environment, 40, 2, kind)


def test_ctrl_c_keeps_what_is_done(start_library: Path, tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    path = tmp_path / "lib"
    shutil.copytree(start_library, path)
    with start(path, python, child_environment) as child:
        while not list((path / "segments").glob("*/dense-other-g*")):
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
    with bookwheel.open(path) as library:
        assert library.check() == []
        assert library.encoders()[0].embedded > 0


def test_indexing_goes_on_beside_refining(
    start_library: Path, tmp_path: Path, python: str, child_environment: dict[str, str]
) -> None:
    path = tmp_path / "lib"
    shutil.copytree(start_library, path)
    with start(path, python, child_environment) as child, bookwheel.open(path) as library:
        added = 0
        while child.poll() is None and added < 5:
            try:
                library.add([Document(f"new{added}", f"a quokka number {added} opens a file")])
                added += 1
            except bookwheel.LibraryLocked:
                time.sleep(0.01)
        child.wait()
        assert child.returncode == 0
        library.refresh()
        assert library.check() == []
        assert len(library.search("quokka", recipe="bm25")) == added


@pytest.mark.parametrize("damage", ["garbage", "cut", "missing", "folder"])
def test_a_damaged_side_cache_is_begun_anew(start_library: Path, tmp_path: Path, damage: str) -> None:
    from vectors_encoders import Rotated

    path = tmp_path / "lib"
    shutil.copytree(start_library, path)
    with bookwheel.open(path) as library:
        library.add_encoder("other", Rotated())
        assert library.search("open a file", recipe="other")
    cache = path / CACHE
    assert cache.is_file()
    VectorCache(path).close()
    for ending in ("-wal", "-shm"):
        (path / (CACHE + ending)).unlink(missing_ok=True)
    if damage == "garbage":
        cache.write_bytes(b"not a database " * 1000)
    elif damage == "cut":
        cache.write_bytes(cache.read_bytes()[:5000])
    else:
        cache.unlink()
        if damage == "folder":
            cache.mkdir()
    with bookwheel.open(path) as library:
        library.add_encoder("other", Rotated())
        assert library.search("open a file", recipe="other")
        assert library.embed()[0].complete
        assert library.check() == []


def test_vectors_of_a_wrong_size_in_the_cache_are_not_used(start_library: Path, tmp_path: Path) -> None:
    from vectors_encoders import Rotated

    path = tmp_path / "lib"
    shutil.copytree(start_library, path)
    with bookwheel.open(path) as library:
        library.add_encoder("other", Rotated())
        (representation,) = library._snapshot.manifest.representations
        from bookwheel.library.vectors.cache import cache_key

        library._encoders.cache.put(cache_key(representation), dict.fromkeys(range(1, 50), b"short"))
        assert library.search("open a file", recipe="other")
        assert library.embed()[0].complete
        assert library.check() == []
