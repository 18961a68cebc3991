"""The cache of compiled kernels, on a package of two small kernels of its own: one calls a function of a sub-package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "bookwheel"
TOP = """
from numba import njit, types
from .signatures import f64
from .deep.low import answer

@njit(types.int64(f64), cache=True)
def ask(values):
    return answer() + len(values)
"""
LOW = """
from numba import njit, types
from ..signatures import f64

@njit
def answer():
    return {answer}

@njit(types.int64(f64), cache=True)
def count(values):
    return len(values)
"""
RUN = """
from bookwheel import kernels
kernels.announce(lambda: print("compiling"))
from bookwheel.kernels import top
import numpy as np
print("answer", top.ask(np.empty(0)))
"""
WHERE = """
from bookwheel.kernels import cache, top
from bookwheel.kernels.deep import low
print(top.ask.stats.cache_path, low.count.stats.cache_path, sep="\\n")
print(*cache._cache_folders(), sep="\\n")
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The folder of the small package's kernels."""
    kernels = tmp_path / "src" / "bookwheel" / "kernels"
    (kernels / "deep").mkdir(parents=True)
    for name in ("_system.py", "kernels/__init__.py", "kernels/cache.py", "kernels/signatures.py"):
        shutil.copy(SOURCE / name, kernels.parent / name)
    for folder in (kernels.parent, kernels / "deep"):
        (folder / "__init__.py").touch()
    (kernels / "top.py").write_text(TOP)
    (kernels / "deep" / "low.py").write_text(LOW.format(answer=1))
    return kernels


def run(package: Path, code: str, **environment: str) -> list[str]:
    """What ``code`` prints in a process of its own, line by line."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA")}
    path = os.pathsep.join([str(package.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    variables |= {"PYTHONPATH": path, "XDG_CACHE_HOME": str(package.parents[2] / "cache")} | environment
    done = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def unwritable(package: Path) -> None:
    """No cache beside the sources, not even for the superuser."""
    for folder in (package, package / "deep"):
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        (folder / "__pycache__").touch()


@pytest.mark.parametrize("where", ["beside the sources", "given folder", "user's folder"])
def test_a_change_in_a_sub_package_discards_all_cached_code(package: Path, tmp_path: Path, where: str) -> None:
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "given")} if where == "given folder" else {}
    if where == "user's folder":
        pytest.importorskip("platformdirs")
        unwritable(package)
    assert run(package, RUN, **environment) == ["compiling", "answer 1"]
    assert run(package, RUN, **environment) == ["answer 1"], "the second process finds the code in the cache"
    (package / "deep" / "low.py").write_text(LOW.format(answer=2))
    assert run(package, RUN, **environment) == ["compiling", "answer 2"]
    assert run(package, RUN, **environment) == ["answer 2"]
    if where != "beside the sources":
        assert not list(package.rglob("*.nbi"))


@pytest.mark.parametrize("where", ["beside the sources", "given folder", "user's folder"])
def test_the_cache_is_looked_for_where_numba_keeps_it(package: Path, tmp_path: Path, where: str) -> None:
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "given")} if where == "given folder" else {}
    if where == "user's folder":
        pytest.importorskip("platformdirs")
        unwritable(package)
    top, low, *found = run(package, WHERE, **environment)
    assert found == [top, low]


def test_code_of_an_old_layout_is_discarded(package: Path) -> None:
    old = package / "__pycache__" / "deep_low.count-9.py311.nbi"
    old.parent.mkdir()
    old.write_bytes(b"old")
    (old.parent / "sources.txt").write_text("deep_low.py 10 10\n")
    (old.parent / "compiled.txt").write_text("deep_low.py 10 10\n")
    assert run(package, RUN) == ["compiling", "answer 1"]
    assert not old.exists()


def test_prepare_compiles_each_module_once(package: Path) -> None:
    prepare = "from bookwheel import kernels\nkernels.announce(lambda: print('compiling'))\nkernels.prepare()"
    assert run(package, prepare) == ["compiling"]
    assert sorted(path.name.split("-")[0] for path in package.rglob("*.nbi")) == ["low.count", "top.ask"]
    assert run(package, RUN) == ["answer 1"], "nothing is left to compile"
    no_process = "import subprocess\ndel subprocess.Popen\n"
    assert run(package, no_process + prepare) == [], "the second time no process is started"
    (package / "deep" / "low.py").write_text(LOW.format(answer=3))
    assert run(package, prepare) == ["compiling"]
    assert run(package, RUN) == ["answer 3"]


def test_every_module_and_no_package_is_prepared(package: Path) -> None:
    listed = run(package, "from bookwheel.kernels import cache\nprint(*cache._modules(), sep='\\n')")
    expected = ["cache", "signatures", "top", "deep.low"]
    assert listed == [f"bookwheel.kernels.{name}" for name in expected]
