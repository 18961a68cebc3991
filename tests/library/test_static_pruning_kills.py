"""A kill before any call that changes a file leaves a library pruned or not, never in part, and a second try finishes it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from system_calls import calls, compiled, recording
from test_static_pruning import OUT, documents

import bookwheel

CHILD = "import sys, bookwheel; getattr(bookwheel.open(sys.argv[1]), sys.argv[2])()"


def left_out(path: Path) -> dict[str, str]:
    """What is left out of the library, which is sound."""
    with bookwheel.open(path) as library:
        assert library.check() == []
        found = {one.id: one.reason for one in library.pruned()}
        assert library.passage_count == 10 - len(found)
        assert len(library) == 8
        assert [one.id for one in library.search("redistribution")] == ([] if found else ["licence"])
        return found


@pytest.mark.parametrize("kills", [3, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("step", ["prune", "restore"])
def test_killed_while_pruning(step: str, kills: int, tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    recorder = compiled(tmp_path)
    start, root = tmp_path / "start", tmp_path / "root"
    root.mkdir()
    with bookwheel.open(start, create=True, encoder=None, words=70, language="english") as library:
        library.add(documents())
        if step == "restore":
            library.prune()
    before, after = ({}, OUT) if step == "prune" else (OUT, {})

    def run(log: Path | None = None, kill: int = 0) -> Path:
        path = root / "library"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(start, path)
        environment = {**child_environment, **recording(recorder, root, log, kill)}
        done = subprocess.run([python, "-c", CHILD, str(path), step], env=environment, check=False)
        assert (done.returncode != 0) == bool(kill)
        return path

    assert left_out(run(tmp_path / "log")) == after
    count = sum(1 for _ in calls(tmp_path / "log"))
    assert count > 3
    for kill in range(1, count + 1) if kills >= count else sorted({1 + at * (count - 1) // (kills - 1) for at in range(kills)}):
        path = run(kill=kill)
        assert left_out(path) in (before, after), kill
        with bookwheel.open(path) as library:
            getattr(library, step)()
        assert left_out(path) == after, kill
