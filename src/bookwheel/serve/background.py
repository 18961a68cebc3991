"""Embedding in the background, in a process of its own that gives way to every query: started, paused, and asked how it is doing.

A process, not a thread: a thread that encodes holds Python's lock, and the cores, while a query waits. It has its own share of the
memory budget: what the server does not hold at the moment it is started.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import BudgetError
from .._system import anonymous_bytes
from ..memory.sizes import MINIMUM, format_size

if TYPE_CHECKING:
    from .route import Part
    from .service import Served, Service

__all__ = ["CPU", "Embedding", "embed_part", "memory_left"]

CPU = 0.5
"""Share of all cores."""
ENDING = 10.0
"""Seconds that the process gets for the batch that it is at; then it is killed, which loses that batch."""


def memory_left(ram: int | None) -> int:
    """Bytes of the budget ``ram`` for embedding beside this process; 0 (the default) without a budget. Raises `BudgetError`."""
    if ram is None:
        return 0
    held = anonymous_bytes() or MINIMUM
    if (left := ram - held) < MINIMUM:
        raise BudgetError(
            f"embedding in the background takes at least {format_size(MINIMUM)} beside the {format_size(held)} that the server holds, "
            f"more than {format_size(ram)} together; start the server with a larger --ram, or stop it and run: bookwheel embed"
        )
    return left


class Embedding:
    """One run of the process that embeds a library. Thread-safe."""

    def __init__(
        self,
        library: Path,
        *,
        ram: int | None = None,
        cpu: float = CPU,
        names: Sequence[str] = (),
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Start it. ``ram``: the budget of both processes together. ``told`` gets the sentence of an error.

        Raises `BudgetError` where there is no room.
        """
        self.told = told
        self.error = ""
        self._stopping = False
        self.done = False
        """Whether every passage was embedded that could be."""
        self._encoders: dict[str, dict[str, Any]] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bookwheel.serve.embedder", str(library), str(memory_left(ram)), str(cpu), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._thread = threading.Thread(target=self._read, name="bookwheel-embedding", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:  # something else was printed
                    continue
                if "error" in said:
                    self.error = str(said["error"])
                    self.told(self.error)
                elif "done" in said:
                    self.done = bool(said["done"])
                elif "name" in said:
                    self._encoders[said["name"]] = said
        code = self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if code and not self.error and not self._stopping:
            self.error = f"the process that embeds ended ({code}); start it again to go on where it was"
            self.told(self.error)

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._thread.is_alive()

    @property
    def process(self) -> int:
        """Its process id."""
        return self._process.pid

    def state(self) -> dict[str, Any]:
        """How it is doing: ``doing`` is embedding, pausing, paused, done or failed; by encoder how many passages are embedded."""
        doing = "pausing" if self._stopping else "embedding"
        if not self.running:
            doing = "failed" if self.error else "done" if self.done else "paused"
        return {"doing": doing, "error": self.error, "encoders": list(self._encoders.values())}

    def pause(self) -> None:
        """Have it end after the batch that it is at; another run goes on from there."""
        self._stopping = True
        if self._process.stdin is not None:
            self._process.stdin.close()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is done, or so long; returns whether it is."""
        self._thread.join(seconds)
        return not self.running

    def close(self, seconds: float = ENDING) -> None:
        """End it, in so many seconds."""
        self.pause()
        if not self.wait(seconds):
            self._process.kill()
            self.wait(5)


LOOK = 3.0
"""Seconds between two looks at whether there is something to embed."""


def embed_part(service: Service) -> Part | None:
    """The part of the server that embeds what is not embedded yet, now and whenever something was added."""
    from .route import Part

    if not service.config.embed or service.config.read_only:
        return None
    stop = threading.Event()
    tried: dict[str, Any] = {}

    def look() -> None:
        while not stop.wait(LOOK):
            for name, served in service.libraries.items():
                try:
                    _start_where_needed(service, served, tried)
                except Exception as error:  # the next look may be better
                    if tried.get(name) != repr(error):
                        tried[name] = repr(error)
                        served.note(f"embedding in the background could not be started: {' '.join(str(error).split())}")

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        thread = threading.Thread(target=look, name="bookwheel-embed", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()

    def state() -> dict[str, Any]:
        jobs = {name: service.jobs.of(served) for name, served in service.libraries.items()}
        return {name: job.told for name, job in jobs.items() if job is not None and job.what == "embed"}

    return Part("embedding", running, state=state)


def _start_where_needed(service: Service, served: Served, tried: dict[str, Any]) -> None:
    """Start a run where passages are not embedded, once a generation: what failed or was paused is not begun again by itself."""
    if not served.exists or ((job := service.jobs.of(served)) is not None and job.running):
        return
    library = served.library()
    if tried.get(served.name) == library.version:
        return
    tried[served.name] = library.version
    if any(not one.complete for one in library.encoders()):
        service.jobs.embed(served)
