"""Files are let go as soon as nothing uses them, whether or not Python's garbage collector ever runs."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bookwheel
from bookwheel.library.library import Library

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts open files as Linux tells them")

TIMES = 6
READS: dict[str, Callable[[Library], object]] = {
    "search": lambda library: library.search("heron"),
    "filter": lambda library: library.search("heron", where="suffix = '.txt'"),
    "read": lambda library: library["d1"],
    "iterate": list,
    "iterate in part": lambda library: next(iter(library)),
    "facets": lambda library: library.facets("suffix"),
    "check": lambda library: library.check(),
    "ask": lambda library: library.ask("Where does the heron stand?"),
    "embed": lambda library: library.embed(),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with bookwheel.open(tmp_path / "library", create=True) as library:
        library.add(
            [{"id": f"d{number}", "text": f"The heron number {number} stands in shallow water."} for number in range(30)]
        )
    return tmp_path / "library"


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def files_in(folder: Path) -> int:
    """How many files in ``folder`` this process has open."""
    count = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        try:
            count += os.readlink(f"/proc/self/fd/{name}").startswith(str(folder))  # noqa: PTH115
        except FileNotFoundError:  # that of the listing
            continue
    return count


@pytest.mark.parametrize("what", READS)
def test_a_generation_that_was_left_holds_no_file(path: Path, what: str) -> None:
    with bookwheel.open(path) as library:
        counts = []
        for number in range(TIMES):
            library.add([{"id": "new", "text": f"The egret number {number} walks along the shore."}])
            READS[what](library)
            counts.append(files_in(path))
        assert counts[-1] <= counts[1], counts
    assert files_in(path) == 0


@pytest.mark.parametrize("what", READS)
def test_a_library_that_was_dropped_holds_no_file(path: Path, what: str) -> None:
    for _ in range(TIMES):
        library = bookwheel.open(path)
        READS[what](library)
        del library
    assert files_in(path) <= 1, "the sketches of the last one may still be mapped"


def test_conversations_and_removals_hold_no_file(path: Path) -> None:
    with bookwheel.open(path) as library:
        counts = []
        for number in range(TIMES):
            library.add([{"id": f"more{number}", "text": f"A grebe number {number}."}])
            library.remove([f"more{number}"])
            library.compact()
            library.configure(k1=1.0 + number / 10)
            counts.append(files_in(path))
        assert counts[-1] <= counts[1], counts
    assert files_in(path) == 0
