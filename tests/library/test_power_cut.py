"""A power cut at any instant loses nothing that a command had finished, with readers at work and without.

Every call that changes a file is recorded, and the disk is rebuilt as it may be when the record ends anywhere: with what was
synced only, with all names but only synced contents, or with some of what was not synced.
"""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from crash_kit import State, assert_sound, change, child, fill, ranked, state
from system_calls import Call, Disk, calls, compiled, laid_out, recording

import bookwheel

STEPS = ("index", "remove", "change", "index", "compact", "configure")


@pytest.mark.parametrize("reading", [False, True], ids=["alone", "beside a reader"])
@pytest.mark.parametrize("cuts", [8, pytest.param(1000, marks=pytest.mark.slow)])
def test_power_cuts(
    cuts: int,
    reading: bool,
    tmp_path: Path,
    prose: list[tuple[str, str]],
    python: str,
    child_environment: dict[str, str],
) -> None:
    recorder = compiled(tmp_path)
    root, folder = tmp_path / "root", tmp_path / "folder"
    root.mkdir()
    library = root / "library"
    fill(folder, prose, 60)
    steps: list[tuple[list[Call], State, State]] = []
    before: State = {}
    for number, step in enumerate(STEPS):
        if step == "change":
            change(folder)
            continue
        log = tmp_path / f"log{number}"
        environment = {**child_environment, **recording(recorder, root, log)}
        beside = ["read", step] if reading and before else [step]
        with child(python, environment, library, folder, tmp_path / "marks", *beside) as process:
            assert process.stdout is not None
            assert process.stdout.read() == "done\n"
        shutil.copytree(library, tmp_path / "copy")  # reading may tidy up, which is not in the record
        after = state(tmp_path / "copy")
        shutil.rmtree(tmp_path / "copy")
        steps.append((list(calls(log)), before, after))
        before = after

    dice = random.Random(f"{cuts} {reading}")
    disk, done = Disk(), 0
    promised = _Promise(library)
    for every, before, after in steps:
        commits = [n for n, call in enumerate(every) if promised.is_commit(call)]
        assert commits, "every step commits"
        here = -(-cuts // len(steps))
        places = [dice.randrange(len(every)) for _ in range(here // 3)]
        places += [min(max(dice.choice(commits) + dice.randint(-3, 3), 0), len(every)) for _ in range(here - here // 3)]
        at = 0
        for place in [*sorted(places), len(every)]:
            while at < place:
                disk.apply(every[at])
                promised.apply(every[at])
                at += 1
            ways = ("synced", "names", "some")
            for how in ways if cuts > 100 else (ways[done % 3],):
                target = tmp_path / "cut"
                laid_out(disk.cut(how, done), root, target)
                _assert_whole(target / "library", before, after, promised.generation)
                shutil.rmtree(target)
                done += 1


class _Promise:
    """The generation that must survive: that of the last manifest whose name was synced."""

    def __init__(self, library: Path) -> None:
        self.manifest = str(library / "manifest.json")
        self.folder = str(library)
        self.generation = -1
        self._content = b""
        self._renamed = -1

    def is_commit(self, call: Call) -> bool:
        return call.what == "r" and call.other == self.manifest

    def apply(self, call: Call) -> None:
        if call.path == self.manifest + ".new":
            self._content = self._content + call.data if call.what == "w" else self._content if call.what == "f" else b""
        if call.what == "w" and call.path == self.manifest + ".new":
            self._newest = json.loads(self._content)["generation"]
        if self.is_commit(call):
            self._renamed = self._newest
        if call.what == "f" and call.path == self.folder:
            self.generation = max(self.generation, self._renamed)


def _assert_whole(library: Path, before: State, after: State, promised: int) -> None:
    if promised < 0 and not (library / "manifest.json").exists():
        bookwheel.open(library, create=True).close()  # what was being made can be made
        return
    assert json.loads((library / "manifest.json").read_text())["generation"] >= promised
    assert_sound(library, before, after)
    if state(library):
        ranked(library)
    with bookwheel.open(library) as opened:
        opened.configure(k1=1.4)  # and a writer can go on
        assert opened.check() == []
