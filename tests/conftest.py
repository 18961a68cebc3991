"""What the tests share: real text that every machine has, and the judged collections where they are."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """One core for each process, and one folder of compiled files where Python is told to write none beside the sources.

    The folder is in pytest's cache. Without it each child process would compile all that it imports, and with a new one each run
    all packages.
    """
    # Threads of torch wait for each other by computing, and other tests have the other cores.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", "") and "PYTHONPYCACHEPREFIX" not in os.environ:
        if config.pluginmanager.has_plugin("cacheprovider"):
            folder = str(config.cache.mkdir("compiled"))
        else:
            folder = tempfile.mkdtemp(prefix="bookwheel-compiled-")
            config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = folder
        sys.dont_write_bytecode = False  # of which processes that read files are told


LONGEST = (
    "test_shapes_programs.py",
    "test_shapes_records.py",
    "test_shapes_formats.py",
    "test_durability.py",
    "test_budget_limit.py",
    "test_embed_crash.py",
    "test_power_cut.py",
    "test_memory_loop.py",
    "test_tune_laws.py",
    "test_docs_tutorials.py",
    "test_front_door.py",
    "test_any_folder.py",
)
"""Files that take longest begin first, so that no process works on one of them when the others have nothing left."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; within each the order stays."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """New folders: `mktemp` would look through those of all tests before for each."""
    place = tmp_path_factory.mktemp("homes")
    return (place / str(number) for number in count())


@pytest.fixture(autouse=True)
def own_home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches the libraries of the person who runs it."""
    home = next(homes)
    home.mkdir()
    monkeypatch.setenv("BOOKWHEEL_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def prose() -> list[tuple[str, str]]:
    """750 real texts with titles, the same under every Python: see tests/prose/README.md."""
    with gzip.open(Path(__file__).parent / "prose" / "docstrings.jsonl.gz", "rt", encoding="utf-8") as file:
        return [(title, text) for title, text in map(json.loads, file)]


@pytest.fixture(scope="session")
def judged() -> Path:
    """The folder of judged collections; skips where it is not there."""
    if not (DATA / "scifact").is_dir():
        pytest.skip("the judged collections (../shared/data) are not here")
    return DATA


@pytest.fixture(scope="session")
def child_environment() -> dict[str, str]:
    """The environment for a child process that imports this bookwheel."""
    source = str(Path(__file__).parents[1] / "src")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])}


@pytest.fixture(scope="session")
def python() -> str:
    """The running interpreter."""
    return sys.executable
