"""The process that embeds in the background: it works only where nothing else wants a core, and says how far it is.

    python -m bookwheel.serve.embedder LIBRARY RAM CPU [NAME ...]

Lines of JSON on its stdout: ``{"name", "embedded", "passages"}`` as it goes, ``{"error"}``, and ``{"done"}`` at the end. When
its stdin ends, because it is to stop or because whoever started it is gone, it ends after the batch that it is at; killed at any
moment it loses that batch at most (`library.vectors.embedding`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

__all__ = ["give_way", "main"]

EVERY = 0.5
"""Seconds between two lines."""


def give_way() -> None:
    """Let every other process of this machine go first, for good.

    Linux has a class for that, whose processes get what is left over and are interrupted as soon as another one wakes up; elsewhere
    the least priority has to do.
    """
    if hasattr(os, "nice"):
        os.nice(19)
    if hasattr(os, "sched_setscheduler") and hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(OSError):  # not allowed in this container: nice is
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class _Told:
    """A task that writes lines."""

    def __init__(self, label: str, total: int | None, unit: str) -> None:
        self.name, self.total, self.done = label.partition(" ")[2], total, 0
        self._said = 0.0

    def advance(self, n: int = 1, note: str = "") -> None:
        """So many more passages are embedded."""
        self.done += n
        if (now := time.monotonic()) - self._said >= EVERY:
            self._said = now
            self.say()

    def close(self) -> None:
        """Say how far it came."""
        self.say()

    def say(self) -> None:
        """One line."""
        _say({"name": self.name, "embedded": self.done, "passages": self.total})


def _say(told: dict[str, Any]) -> None:
    try:
        print(json.dumps(told), flush=True)
    except (BrokenPipeError, ValueError):
        os._exit(0)  # nobody is there any more


def main(arguments: list[str] | None = None) -> None:
    """See the module."""
    path, ram, cpu, *names = sys.argv[1:] if arguments is None else arguments
    from .._errors import BookwheelError

    try:
        give_way()
        threading.Thread(target=_wait_for_the_end, daemon=True).start()
        from ..library.library import open_library

        with open_library(Path(path), ram=int(ram) or None) as library:
            for one in library.embed(names or None, cpu=float(cpu), progress=_Told):
                _say({"name": one.name, "embedded": one.embedded, "passages": one.passages, "complete": one.complete})
        _say({"done": True})
    except KeyboardInterrupt:
        _say({"done": False})
    except BookwheelError as error:
        _say({"error": " ".join(str(error).split())})
    except Exception as error:
        import traceback

        traceback.print_exc()
        _say({"error": f"embedding failed unexpectedly ({type(error).__name__}), as the server's log tells"})
    sys.stdout.flush()
    os._exit(0)  # nothing here needs to be tidied up


def _wait_for_the_end() -> None:
    """Stop after the present batch when stdin ends: as Ctrl-C would."""
    with contextlib.suppress(OSError):
        sys.stdin.buffer.read()
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        import _thread

        _thread.interrupt_main()


if __name__ == "__main__":
    main()
