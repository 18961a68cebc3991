"""What the page starts and need not wait for: a folder that is indexed, passages that are embedded. One job a library.

A job works in a thread of its own, embedding in a process of its own that gives way to queries (`background`), and ends soon after
it is told to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import BookwheelError, UsageError
from .background import Embedding
from .work import Busy

if TYPE_CHECKING:
    from .service import Served

__all__ = ["Job", "Jobs"]

_LOOK = 0.2
"""Seconds between two looks at how embedding is doing."""
_END = 1.5
"""Seconds that it gets to end."""


@dataclass(slots=True)
class Job:
    """Something under way, or done."""

    what: str
    """``index`` or ``embed``."""
    told: str
    """How it is doing, one sentence."""
    started: float = field(default_factory=time.time)
    ended: float | None = None
    failed: bool = False
    wanted: bool = True
    """False once it is to end."""

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.ended is None


class Jobs:
    """The jobs of one server."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def of(self, served: Served) -> Job | None:
        """The job of a library, or its last one."""
        return self._jobs.get(served.name)

    def index(self, served: Served, path: Path) -> Job:
        """Bring the library up to date with a file or folder. Raises `UsageError` where a job is under way."""

        def work(job: Job) -> None:
            report = served.write(lambda library: library.index(path, distinct=None))
            for failure in report.failures[:20]:
                served.note(failure)
            counts = {
                "added": report.added,
                "updated": report.updated,
                "unchanged": report.unchanged,
                "removed": report.removed,
            }
            job.told = f"{path}: " + ", ".join(
                f"{count:,} {name}" for name, count in counts.items() if count or name == "added"
            )
            if report.failures:
                job.told += f"; {len(report.failures):,} could not be read (below)"

        return self._start(served, Job("index", f"indexing {path}"), work)

    def embed(self, served: Served) -> Job:
        """Embed the passages with the encoders of the library. Raises `UsageError` where a job is under way."""

        def work(job: Job) -> None:
            running = Embedding(served.path, ram=served.ram)
            try:
                while not running.wait(_LOOK):
                    job.told = _embedded(running) or job.told
                    if not job.wanted:
                        running.pause()
            finally:
                running.close(_END)
            if running.error:
                raise UsageError(running.error)
            job.told = _embedded(running) + ("" if running.done else " (paused)")

        return self._start(served, Job("embed", "embedding"), work)

    def stop(self, served: Served) -> None:
        """Have the job of a library end after the piece that it is at."""
        if (job := self._jobs.get(served.name)) is not None:
            job.wanted = False

    def close(self, seconds: float = 2.0) -> None:
        """End all of them."""
        for job in self._jobs.values():
            job.wanted = False
        until = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _start(self, served: Served, job: Job, work: Callable[[Job], None]) -> Job:
        with self._lock:
            there = self._jobs.get(served.name)
            if there is not None and there.running:
                raise UsageError(f"the library {served.name} is busy ({there.told}); wait, or pause that first")
            self._jobs[served.name] = job
            self._threads = [thread for thread in self._threads if thread.is_alive()]

            def run() -> None:
                try:
                    work(job)
                except (BookwheelError, Busy) as error:
                    job.failed, job.told = True, str(error)
                    served.note(str(error))
                except Exception as error:
                    job.failed, job.told = True, f"it failed unexpectedly ({type(error).__name__})"
                    served.note(job.told)
                finally:
                    job.ended = time.time()

            thread = threading.Thread(target=run, name=f"bookwheel-job-{served.name}", daemon=True)
            self._threads.append(thread)
            thread.start()
        return job


def _embedded(running: Embedding) -> str:
    encoders = running.state()["encoders"]
    return "; ".join(f"{one['name']}: {one['embedded']:,} of {one['passages']:,}" for one in encoders)
