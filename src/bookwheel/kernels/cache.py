"""The cache of compiled kernels: filling it, and discarding what was compiled from other sources.

numba keeps machine code in files of its own: in the ``__pycache__`` beside each source, in ``NUMBA_CACHE_DIR`` where that is
set, or in the user's cache folder where the package cannot be written. It compares only the source file of a kernel, not those
of the functions that the kernel calls, and would go on running the old code of a function changed in another file. So a stamp
of all sources is kept beside the machine code, and everything is compiled anew when it no longer matches.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["announce", "discard_stale", "on_compile", "prepare", "warm"]

_FOLDER = Path(__file__).parent
_PACKAGE = __name__.rpartition(".")[0]
_SOURCES, _COMPILED = "sources.txt", "compiled.txt"
"""Stamps in the cache folder of `_FOLDER`: what the machine code there was compiled from, and that none is missing."""
_ENOUGH = 120
"""MB of anonymous memory at which a compiling process leaves the remaining modules to the next one."""

_listeners: list[Callable[[], None]] = []


def announce(say: Callable[[], None]) -> None:
    """Call ``say`` once, when a kernel really has to be compiled (not when it comes from the cache)."""
    _listeners[:] = [say]


def on_compile() -> None:
    """Tell the listener of `announce`; called when numba starts a compilation."""
    while _listeners:
        _listeners.pop()()


def discard_stale() -> None:
    """Delete cached machine code that was compiled from other sources than the present ones."""
    folders = _cache_folders()
    stamp, now = folders[0] / _SOURCES, _sources()
    with suppress(OSError):
        if (stamp.read_text() if stamp.is_file() else "") != now:
            for folder in folders:
                for path in [*folder.glob("*.nbi"), *folder.glob("*.nbc")]:
                    path.unlink(missing_ok=True)
            stamp.parent.mkdir(parents=True, exist_ok=True)
            stamp.write_text(now)


def warm(processes: int = 1) -> None:
    """Compile every kernel, or load it from the cache; ``processes`` compile at the same time if more than one."""
    modules = _modules()
    if processes > 1:
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context

        discard_stale()
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            list(pool.map(_compile, sorted(modules, key=_length, reverse=True)))
    for module in modules:
        importlib.import_module(module)
    _note_compiled()


def _compile(module: str) -> None:
    """Compile the kernels of ``module`` into the cache."""
    importlib.import_module(module)


def _length(module: str) -> int:
    """The size of a module's source: the longest takes longest to compile, and should start first."""
    return _FOLDER.joinpath(*module.removeprefix(f"{_PACKAGE}.").split(".")).with_suffix(".py").stat().st_size


def prepare() -> None:
    """Compile what the cache lacks, in processes of their own with limited memory; returns at once if nothing is missing.

    LLVM holds about 200 MB once it has compiled all kernels and never gives them back: more than the smallest budget can spare.
    If no such process can be started nothing happens, and a kernel is compiled when it is imported.
    """
    with suppress(OSError):
        if (_cache_folders()[0] / _COMPILED).read_text() == _complete():
            return
    import subprocess

    modules = _modules()
    while modules:
        command = [sys.executable, "-c", _CHILD, str(_FOLDER.parents[1]), str(_ENOUGH), *modules]
        done = 0
        try:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as child:
                assert child.stdout is not None
                for line in child.stdout:
                    if line == "compiling\n":
                        on_compile()
                    done += line == "done\n"
        except OSError:
            return
        if not done:
            return
        modules = modules[done:]
    _note_compiled()


_CHILD = """
import importlib, sys
sys.path.insert(0, sys.argv[1])
from bookwheel import kernels
from bookwheel._system import anonymous_bytes
kernels.announce(lambda: print("compiling", flush=True))
for module in sys.argv[3:]:
    importlib.import_module(module)
    print("done", flush=True)
    if (anonymous_bytes() or 0) >> 20 > int(sys.argv[2]):
        break
"""


def _tree() -> list[tuple[Path, list[str]]]:
    """The folders of kernels, this one first, each with the names of its sources."""
    found = []
    for folder, inside, names in os.walk(_FOLDER):
        inside[:] = sorted(name for name in inside if name != "__pycache__")
        found.append((Path(folder), sorted(name for name in names if name.endswith(".py"))))
    return found


def _modules() -> list[str]:
    """The modules that may have kernels."""
    files = [folder.relative_to(_FOLDER) / name for folder, names in _tree() for name in names if name != "__init__.py"]
    return [".".join((_PACKAGE, *file.with_suffix("").parts)) for file in files]


def _cache_folders() -> list[Path]:
    """Where numba keeps the machine code of each folder of kernels (the rules of `numba.core.caching`)."""
    given = os.environ.get("NUMBA_CACHE_DIR")
    return [_elsewhere(Path(given), folder) if given else _cache_folder(folder) for folder, _ in _tree()]


def _cache_folder(folder: Path) -> Path:
    beside = folder / "__pycache__"
    with suppress(OSError):
        beside.mkdir(exist_ok=True)
        if os.access(beside, os.W_OK):
            return beside
    from platformdirs import user_cache_path

    return _elsewhere(user_cache_path("numba", appauthor=False), folder)


def _elsewhere(root: Path, folder: Path) -> Path:
    return root / f"{folder.name}_{hashlib.sha1(str(folder.absolute()).encode()).hexdigest()}"


def _sources() -> str:
    lines = []
    for folder, names in _tree():
        for name in names:
            found = (folder / name).stat()
            lines.append(f"{folder.name}/{name} {found.st_size} {found.st_mtime_ns}\n")
    return "".join(lines)


def _complete() -> str:
    """The stamp of a cache that lacks nothing: numba discards code of another version of its own."""
    from importlib.metadata import version

    return f"{sys.version}\nnumba {version('numba')}\n{_sources()}"


def _note_compiled() -> None:
    with suppress(OSError):
        stamp = _cache_folders()[0] / _COMPILED
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(_complete())
