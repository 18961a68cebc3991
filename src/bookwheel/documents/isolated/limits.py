"""What bounds a reading process from inside: its memory, its time, and its life, which ends with its parent's."""

from __future__ import annotations

import gc
import os
import re
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ..._system import anonymous_bytes
from ...memory.heap import limit_heap, trim_heap

__all__ = ["OUT_OF_MEMORY", "Limits", "die_with_parent", "own_streams", "watch_parent"]

OUT_OF_MEMORY = 97
"""Exit code of a process that ended itself for its memory, where the system does not refuse it any."""
_LOOK = 0.05


class Limits:
    """The limits of this process. Where the system can, it enforces them; else a thread looks at what is held.

    Linux counts private writable memory (``RLIMIT_DATA``) and refuses what exceeds the limit: Python then raises `MemoryError`, and
    libraries in C return an error or abort. ``RLIMIT_AS`` would count files and reserved addresses too, which are no memory.
    """

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self._enforced = sys.platform.startswith("linux") and _data_bytes() is not None
        self._watched = False
        self._most = self._held = 0
        limit_heap()
        with suppress(ImportError, OSError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a parser that aborts must not fill the disk
        with suppress(OSError):  # where the system itself runs out of memory, this process goes before its parent
            Path("/proc/self/oom_score_adj").write_text("1000")

    def begin(self, seconds: float) -> None:
        """Bound what is held and what is computed from now on, for one file."""
        self.more_time(seconds)
        self._most = _status("VmPeak") or 0
        data, held = _data_bytes(), anonymous_bytes()
        self._held = held or 0
        if self._enforced and data is not None and held is not None:
            import resource

            # Memory that was asked for and never touched does not count (numpy has 32 MB of it); what is still free inside
            # the heap does.
            allowed = data + max(self.memory - held, 0)
            resource.setrlimit(resource.RLIMIT_DATA, (allowed, resource.getrlimit(resource.RLIMIT_DATA)[1]))
        elif not self._watched:
            self._watched = True
            threading.Thread(target=self._watch, daemon=True).start()

    def more_time(self, seconds: float) -> None:
        """Allow ``seconds`` of processor time from now on; the system ends the process that takes more (``SIGXCPU``)."""
        with suppress(ImportError, OSError, ValueError):
            import resource

            used = time.process_time()
            resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, resource.getrlimit(resource.RLIMIT_CPU)[1]))

    def most(self) -> int:
        """The most memory that this process has held since `begin`, about, in bytes; 0 where the system does not say."""
        return self._held + max((_status("VmPeak") or 0) - self._most, 0)

    def strained(self) -> bool:
        """Whether that came near what is allowed; what fails then may fail for want of memory."""
        return 2 * self.most() > self._held + self.memory

    def end(self) -> int:
        """Give back what the last file took; returns what is held, in bytes (0 where the system does not say)."""
        if self._enforced:
            import resource

            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))
        held = _held()
        if held > self.memory // 2:
            gc.collect()
            trim_heap()
            held = _held()
        return held

    def _watch(self) -> None:
        while True:
            if _held() > self.memory:
                os._exit(OUT_OF_MEMORY)
            time.sleep(_LOOK)


def own_streams(reading: int, writing: int) -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for frames alone, with buffers of so many bytes (0: none); Ctrl-C is left to the parent.

    What a library prints must not get between the frames: the streams themselves become the null device.
    """
    with suppress(ValueError, OSError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to act on
    requests = open(os.dup(0), "rb", buffering=reading)  # noqa: PTH123, SIM115 - open as long as this process lives
    replies = open(os.dup(1), "wb", buffering=writing)  # noqa: PTH123, SIM115 - open as long as this process lives
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return requests, replies


def die_with_parent(life: int) -> None:
    """Have the system end this process when the other end of the pipe ``life`` closes, even while it computes.

    A thread would have to wait for a parser that holds the interpreter's lock; a signal, whose default is to end the process,
    need not.
    """
    try:
        import fcntl

        fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(life, fcntl.F_GETFL)
        fcntl.fcntl(life, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
        signal.signal(signal.SIGIO, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGIO, signal.SIGXCPU})
        with suppress(BlockingIOError):
            if os.read(life, 1) == b"":  # it closed before
                os._exit(0)
    except (ImportError, AttributeError, OSError):
        return


def watch_parent(parent: int) -> None:
    """End this process once its parent is another: it is gone, though a copy of it may hold the pipes open."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.stack_size(1 << 18)
    threading.Thread(target=watch, daemon=True).start()


def _status(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    except OSError:
        return None
    return int(found[1]) << 10 if found else None


def _data_bytes() -> int | None:
    """Private writable memory, as ``RLIMIT_DATA`` counts it."""
    return _status("VmData")


def _held() -> int:
    """Memory that this process holds, in bytes; 0 where the system does not say."""
    if (found := anonymous_bytes()) is not None:
        return found
    if sys.platform == "win32":
        return _windows_bytes()
    with suppress(ImportError, OSError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most << 10
    return 0


def _windows_bytes() -> int:
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("most", "now", "a", "b", "c", "d", "pagefile", "most_pagefile")),
        ]

    counters: Any = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel: Any = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(kernel.GetCurrentProcess())
    return int(counters.pagefile) if kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb) else 0
