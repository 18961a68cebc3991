"""Floor 1: the compiled loops. Importing this package compiles nothing and does not import numba.

Each module holds the kernels of one concept and compiles them when it is imported, from then on out of a cache.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

__all__ = ["announce", "discard_stale", "on_compile", "prepare", "warm"]

_FOLDER = Path(__file__).parent
_STALE, _COMPILED = _FOLDER / "__pycache__" / "sources.txt", _FOLDER / "__pycache__" / "compiled.txt"
_ENOUGH = 120
"""MB of anonymous memory at which a process that compiles leaves the rest to the next."""

_listeners: list[Callable[[], None]] = []


def announce(say: Callable[[], None]) -> None:
    """Call ``say`` once, when a kernel really has to be compiled (not when it comes from the cache)."""
    _listeners[:] = [say]


def on_compile() -> None:
    """What the kernels' modules call when a compilation starts."""
    while _listeners:
        _listeners.pop()()


def discard_stale() -> None:
    """Delete cached machine code that was compiled from other sources than these.

    numba looks only at the file of the cached kernel, not at those of the kernels that it calls, and would go on running the
    old code of a function that was changed in another file.
    """
    now = _sources()
    # What cannot be written is no cache of numba's either: it then keeps its files elsewhere, by their full path.
    with suppress(OSError):
        if (_STALE.read_text() if _STALE.is_file() else "") != now:
            for path in [*_FOLDER.rglob("__pycache__/*.nbi"), *_FOLDER.rglob("__pycache__/*.nbc")]:
                path.unlink(missing_ok=True)
            _STALE.parent.mkdir(exist_ok=True)
            _STALE.write_text(now)


def _sources() -> str:
    sources = ((path.relative_to(_FOLDER), path.stat()) for path in sorted(_FOLDER.rglob("*.py")))
    return "".join(f"{name} {found.st_size} {found.st_mtime_ns}\n" for name, found in sources)


def _modules() -> list[str]:
    return [module.name for module in pkgutil.walk_packages(__path__, f"{__name__}.")]


def _note_compiled() -> None:
    with suppress(OSError):
        _COMPILED.write_text(f"{sys.version}\n{_sources()}")


def warm(processes: int = 1) -> None:
    """Compile every kernel, or load it from the cache; in ``processes`` at once where there is more than one."""
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
    """The size of a module's source: the longest takes the longest to compile, and should start first."""
    path = _FOLDER.joinpath(*module.removeprefix(f"{__name__}.").split(".")).with_suffix(".py")
    return path.stat().st_size if path.is_file() else 0


def prepare() -> None:
    """Compile what the cache does not have in processes of their own, each of bounded memory; next to nothing once that is done.

    LLVM keeps some 200 MB while it compiles all kernels and gives none of it back: more than the smallest budget has to spare.
    Where no such process can be started nothing happens, and a kernel is compiled when it is imported.
    """
    with suppress(OSError):
        if _COMPILED.is_file() and _COMPILED.read_text() == f"{sys.version}\n{_sources()}":
            return
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
