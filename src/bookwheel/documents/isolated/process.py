"""A reading process as its parent holds it: started, told what to read, listened to with patience that ends, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..._system import anonymous_bytes
from .frames import HEAD, HELLO, FrameError, frame
from .limits import OUT_OF_MEMORY

__all__ = ["Died", "Ending", "Process", "can_start"]

_BOOT = """
import json, sys
given = json.loads(sys.argv[1])
sys.path += given["path"]
from importlib import import_module
import_module(given["module"]).main(given["memory"], given["life"], given["parent"])
"""
_ENVIRONMENT = frozenset(
    "PATH LD_LIBRARY_PATH DYLD_LIBRARY_PATH SYSTEMROOT WINDIR TEMP TMP TMPDIR HOME USERPROFILE LANG LC_ALL LC_CTYPE TZ "  # noqa: SIM905
    "NUMBA_CACHE_DIR".split()
)
"""What the process sees of the environment: no keys and no tokens."""
READER = "bookwheel.documents.isolated.child"
"""The module whose ``main`` reads files."""
_START = 60.0
"""Seconds that it may take to start."""
_TICK = 0.2
_READ, _MOST_READ = 1 << 16, 1 << 20
_BEYOND = 1.5
"""A process that holds this many times what it may is ended, should the system not have refused it that."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended."""

    late: bool = False
    """It took too long, computing or silent."""
    memory: bool = False
    """It was ended for its memory."""
    code: int | None = None
    """Its exit code, or the negative number of the signal that ended it."""
    nonsense: str = ""
    """What it sent that no reader sends."""

    @property
    def shown(self) -> str:
        """What to call it in a message."""
        if self.nonsense:
            return f"its reader sent what cannot be: {self.nonsense}"
        if self.code is not None and self.code < 0:
            with suppress(ValueError):
                return f"its reader was ended by {signal.Signals(-self.code).name}"
        return f"its reader ended with exit code {self.code}"


class Died(Exception):
    """A process ended before it had finished."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


def can_start() -> bool:
    """Whether this program can start another Python: not where it is frozen, or embeds Python under another name."""
    name = Path(sys.executable or "").name.lower()
    return not getattr(sys, "frozen", False) and ("python" in name or "pypy" in name)


class Process:
    """One process that may hold ``memory`` bytes. Raises `OSError` or `Died` where none can be started."""

    def __init__(self, memory: int, waiting: Callable[[], None], module: str = READER) -> None:
        """``waiting`` is called some times a second while the process lets its parent wait; ``module`` is what it runs."""
        self.memory = memory
        self.owner = os.getpid()
        self._waiting = waiting
        self._received = bytearray()
        self._life = -1
        theirs = -1
        extra: dict[str, Any] = {}
        if os.name == "posix":
            theirs, self._life = os.pipe()
            # A process group of its own: Ctrl-C is its parent's to act on.
            extra = {"pass_fds": (theirs,), "process_group": 0}
        elif os.name == "nt":
            extra = {"creationflags": 0x08000200}  # CREATE_NO_WINDOW, CREATE_NEW_PROCESS_GROUP
        try:
            self._child = subprocess.Popen(
                [sys.executable, *_flags(), "-c", _BOOT, _given(memory, theirs, module)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd=os.path.abspath(os.sep),  # noqa: PTH100
                env=_environment(),
                **extra,
            )
        except BaseException:
            self._close_life()
            raise
        finally:
            if theirs >= 0:
                os.close(theirs)
        try:
            kind, _, _ = self.receive(_START, 0)
            if kind != HELLO:
                raise FrameError("no greeting")
        except FrameError:
            self.kill()
            raise Died(Ending(nonsense="no greeting")) from None
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def usable(self) -> bool:
        """Whether it lives, and is this process's own: after a fork it is the other one's."""
        return self.owner == os.getpid() and self._child.poll() is None

    def send(self, kind: bytes, head: Any, data: bytes = b"") -> None:
        """Tell it something. Raises `Died`."""
        assert self._child.stdin is not None
        left = memoryview(frame(kind, head, data))
        try:
            while left:
                left = left[self._child.stdin.write(left) :]
        except OSError:
            raise Died(self._ended()) from None

    def receive(self, patience: float, most: int) -> tuple[bytes, bytearray, bytearray]:
        """Its next frame: kind, head, text; each of at most ``most`` bytes beside a few. Raises `Died`.

        It is ended where nothing comes for ``patience`` seconds.
        """
        deadline = time.monotonic() + patience
        kind, head, text = HEAD.unpack(self._take(HEAD.size, deadline))
        if head > most + (1 << 20) or text > most:
            self.kill()
            raise Died(Ending(nonsense=f"{max(head, text):,} bytes at a time"))
        return kind, self._take(head, deadline), self._take(text, deadline)

    def _take(self, count: int, deadline: float) -> bytearray:
        while len(self._received) < count:
            data = self._read(min(max(count - len(self._received), _READ), _MOST_READ), deadline)
            if not data:
                raise Died(self._ended())
            self._received += data
        if len(self._received) == count:
            taken, self._received = self._received, bytearray()
            return taken
        taken = self._received[:count]
        del self._received[:count]
        return taken

    def _read(self, most: int, deadline: float) -> bytes:
        assert self._child.stdout is not None
        number = self._child.stdout.fileno()
        if os.name != "posix":  # pipes cannot be waited for
            late = threading.Timer(max(deadline - time.monotonic(), 0), self._child.kill)
            late.start()
            try:
                data = os.read(number, most)
            finally:
                late.cancel()
            if not data and time.monotonic() >= deadline:
                raise Died(Ending(late=True))
            return data
        import select

        waiter = select.poll()
        waiter.register(number, select.POLLIN)
        while not waiter.poll(1000 * _TICK):
            self._waiting()
            if time.monotonic() > deadline:
                self.kill()
                raise Died(Ending(late=True))
            if (anonymous_bytes(self.pid) or 0) > _BEYOND * self.memory:
                self.kill()
                raise Died(Ending(memory=True))
        return os.read(number, most)

    def _ended(self) -> Ending:
        """How it ended, once it closed its pipe."""
        try:
            code = self._child.wait(10)
        except subprocess.TimeoutExpired:
            code = None
        self.kill()
        late = hasattr(signal, "SIGXCPU") and code == -signal.SIGXCPU
        # Of those with a signal some are crashes. Parsers in C abort where they are refused memory, or use what they did
        # not get; and the system itself kills.
        memory = code == OUT_OF_MEMORY or (code is not None and code < 0 and -code in _FOR_WANT_OF_MEMORY)
        return Ending(late=late, memory=memory, code=code)

    def kill(self) -> None:
        """End it at once."""
        if self.owner != os.getpid():
            return
        with suppress(OSError):
            self._child.kill()
        self._close()

    def close(self) -> None:
        """Have it end by itself, soon."""
        if self.owner != os.getpid():
            return
        assert self._child.stdin is not None
        with suppress(OSError):
            self._child.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(1)
        self.kill()

    def _close(self) -> None:
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._close_life()
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(10)

    def _close_life(self) -> None:
        if self._life >= 0:
            os.close(self._life)
            self._life = -1


_FOR_WANT_OF_MEMORY = frozenset(
    getattr(signal, name) for name in ("SIGABRT", "SIGKILL", "SIGTRAP", "SIGILL") if hasattr(signal, name)
)


def _flags() -> list[str]:
    """Options of the interpreter: no environment, no site packages but those named, the parent's modes."""
    flags = ["-I", "-S"]
    if sys.flags.utf8_mode or sys.getfilesystemencoding() == "utf-8":
        flags += ["-X", "utf8"]
    if sys.dont_write_bytecode:
        flags += ["-B"]
    if sys.pycache_prefix is not None:
        flags += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    return [*flags, "-X", f"int_max_str_digits={sys.get_int_max_str_digits()}"]


def _given(memory: int, life: int, module: str) -> str:
    # The standard library, which it finds by itself, comes before the parent's folders: they may hold a program's own files,
    # of any name.
    root = Path(__file__).parents[3]
    path = [os.path.abspath(folder) for folder in (str(root), *sys.path) if folder]  # noqa: PTH100 - links kept
    return json.dumps({"path": path, "module": module, "memory": memory, "life": life, "parent": os.getpid()})


def _environment() -> dict[str, str]:
    found = {name: value for name, value in os.environ.items() if name.upper() in _ENVIRONMENT}
    return {**found, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
