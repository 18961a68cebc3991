"""The budget under a real limit: a process that builds, searches and compacts within 256 MB, or is killed by the kernel."""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from limits import run_within

MB = 1 << 20

BUILD = """
import json, sys, time
from pathlib import Path
import bookwheel
started = time.perf_counter()
texts, place, ram = sys.argv[1:4]
with bookwheel.open(Path(place), create=True, language="english", ram=ram) as library:
    report = library.index(texts)
    memory = {line.part: [line.planned, line.measured] for line in report.memory_plan}
    print(json.dumps({"documents": report.added, "passages": report.passages, "segments": library.info().segments,
                      "failures": report.failures, "memory": memory, "seconds": time.perf_counter() - started}))
"""

SEARCH = """
import json, sys, threading
from pathlib import Path
import bookwheel
place, ram = sys.argv[1:3]
queries = json.loads(sys.argv[3])
with bookwheel.open(Path(place), ram=ram) as library:
    found = {
        recipe: [library.rank(query, 10, recipe=recipe).ids.tolist() for query in queries]
        for recipe in ("bm25", "dense", "hybrid")
    }
    deep = [len(library.rank(query, 1000)) for query in queries[:5]]
    filtered = [[r.metadata["tenth"] for r in library.search(query, 10, where="tenth = 3")] for query in queries[:5]]
    again = [None] * 4
    def work(number):
        again[number] = [library.rank(query, 10, recipe="hybrid").ids.tolist() for query in queries]
    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    [thread.start() for thread in threads], [thread.join() for thread in threads]
    print(json.dumps({"found": found, "deep": deep, "filtered": filtered, "threads": all(a == found["hybrid"] for a in again)}))
"""

COMPACT = """
import json, sys
from pathlib import Path
import bookwheel
place, ram = sys.argv[1:3]
queries = json.loads(sys.argv[3])
def ranked(library):
    return [library.rank(query, 20, recipe="bm25") for query in queries]
with bookwheel.open(Path(place), ram=ram) as library:
    library.remove([f"s{number}" for number in range(0, 20000, 7)])
    before = ranked(library)
    library.compact()
    assert library.info().segments == 1 and not library.info().removed_passages
    for old, new in zip(before, ranked(library), strict=True):
        assert old.ids.tolist() == new.ids.tolist() and abs(old.scores - new.scores).max() < 1e-4, (old, new)
print(json.dumps({"passages": sum(map(len, before))}))
"""


def synthetic() -> ModuleType:
    """bench/synthetic.py."""
    spec = spec_from_file_location("synthetic", Path(__file__).parents[2] / "bench" / "synthetic.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_limit_is_a_limit(python: str, child_environment: dict[str, str]) -> None:
    """A process that takes what it was not given is seen, so that the tests below can fail."""
    take = "import sys, time; held = bytearray(int(sys.argv[1])); time.sleep(0.2)"
    # The pages of the interpreter itself come on top.
    over = run_within(64 * MB, [python, "-c", take, str(64 * MB + 4096)], child_environment)
    assert not over.within
    with pytest.raises(AssertionError, match="64 MB"):
        over.check()
    under = run_within(64 * MB, [python, "-c", take, str(32 * MB)], child_environment)
    under.check()
    assert 32 * MB < under.peak < 64 * MB


def within(
    tmp_path: Path, python: str, environment: dict[str, str], *, passages: int, length: int, ram: int, seconds: float
) -> None:
    made = synthetic()
    texts, library, limit = tmp_path / "texts.jsonl", tmp_path / "library", f"{ram // MB}MB"
    made.write_text(texts, passages, length=length)

    built = run_within(ram, [python, "-c", BUILD, str(texts), str(library), limit], environment, timeout=seconds)
    built.check()
    report = json.loads(built.output)
    assert report["failures"] == []
    assert report["documents"] == passages
    assert report["segments"] > 2, "nothing was spilled, so that nothing is tested"
    planned = sum(line[0] or 0 for line in report["memory"].values())
    assert planned <= ram
    measured = report["memory"]["all anonymous memory"][1]
    assert measured <= planned, "what was used is within what was planned"

    queries = json.dumps(made.ZipfText(seed=1, length=length).queries(20))
    searched = run_within(ram, [python, "-c", SEARCH, str(library), limit, queries], environment, timeout=seconds)
    searched.check()
    found = json.loads(searched.output)
    assert found["threads"]
    assert set(found["deep"]) == {1000}
    assert all(set(values) <= {3} for values in found["filtered"])
    assert any(found["filtered"])

    compacted = run_within(ram, [python, "-c", COMPACT, str(library), limit, queries], environment, timeout=seconds)
    compacted.check()
    assert json.loads(compacted.output)["passages"] > 20 * 10, "rankings to compare"
    print(
        f"{passages:,} passages in {ram // MB} MB ({built.how}): built in {report['seconds']:.0f} s, anonymous peaks "
        f"{built.peak >> 20} MB building, {searched.peak >> 20} MB searching, {compacted.peak >> 20} MB compacting",
        file=sys.stderr,
    )


def test_60_000_passages_in_256_mb(tmp_path: Path, compiled: None, python: str, child_environment: dict[str, str]) -> None:
    """Of so many new words that postings fill their share four times: segments are spilled, and merged by compaction."""
    within(tmp_path, python, child_environment, passages=60_000, length=25, ram=256 * MB, seconds=600)


@pytest.mark.slow
def test_1_million_passages_in_256_mb(tmp_path: Path, compiled: None, python: str, child_environment: dict[str, str]) -> None:
    within(tmp_path, python, child_environment, passages=1_000_000, length=100, ram=256 * MB, seconds=3600)


@pytest.mark.slow
def test_10_million_passages_in_2_gb(tmp_path: Path, compiled: None, python: str, child_environment: dict[str, str]) -> None:
    within(tmp_path, python, child_environment, passages=10_000_000, length=100, ram=2048 * MB, seconds=6 * 3600)


WORKERS = """
import json, sys
from pathlib import Path
import bookwheel
texts, place, ram = sys.argv[1:4]
with bookwheel.open(Path(place), create=True, ram=ram) as library:
    report = library.index(texts, workers=2)
    print(json.dumps([report.workers, report.added, report.failures]))
"""


@pytest.mark.slow
def test_workers_are_within_the_budget(tmp_path: Path, compiled: None, python: str, child_environment: dict[str, str]) -> None:
    """All processes together: two workers, which know as many words as they may, and the one that writes."""
    ram, texts = 1024 * MB, tmp_path / "texts.jsonl"
    synthetic().write_text(texts, 60_000, length=60)
    built = run_within(
        ram, [python, "-c", WORKERS, str(texts), str(tmp_path / "library"), "1GB"], child_environment, timeout=900
    )
    built.check()
    assert json.loads(built.output) == [2, 60_000, []]
    print(f"two workers: {built.told()}", file=sys.stderr)
