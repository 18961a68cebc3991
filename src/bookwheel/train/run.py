"""What every training run begins with, and needs on its way: the library, the time, the memory, held-out queries, and its folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .._errors import InputError, ModelError, UsageError
from ..library.library import Library, open_library
from ..memory.plan import MemoryPlan
from ..memory.sizes import ram_of
from ..progress import Progress
from ..tune.made import MadeCollection, made_collection
from .data.material import Asking
from .folder import require_new
from .kept import Kept

__all__ = ["EXTRA", "Job", "Run", "start", "torch_needed", "versions_of"]

ASKED = 0.2
"""The share of the minutes in which a language model may write queries."""
EXTRA = "pip install 'bookwheel[train]'"

Found = TypeVar("Found")


@dataclass(frozen=True)
class Job:
    """What a run is given, whatever it trains. ``ram``: bytes, as text, or None for the library's own budget."""

    library: Library
    out: str | Path | None
    seconds: float
    ram: str | int | None
    seed: int
    progress: Progress


def start(
    library: Library | str | Path,
    out: str | Path | None,
    minutes: float,
    ram: str | int | None,
    seed: int,
    progress: Progress,
    train: Callable[[Job], Found],
) -> Found:
    """``train``, once minutes and folder are checked, with the library, which is opened for as long where a name or path is given.

    Raises `UsageError`, and what opening a library raises.
    """
    if not 0 < minutes <= 24 * 60:
        raise UsageError(f"minutes must be a number above 0 and up to 1440, not {minutes!r}")
    if out is not None:
        require_new(Path(out))
    if isinstance(library, Library):
        return train(Job(library, out, 60 * minutes, ram, seed, progress))
    with open_library(library, ram=ram) as opened:
        return train(Job(opened, out, 60 * minutes, ram, seed, progress))


class Run:
    """One run. ``began``: of ``time.monotonic()``; ``memory``: the plan of its budget; ``kept``: what a stopped run goes on from."""

    kept: Kept

    def __init__(self, job: Job) -> None:
        self.began = time.monotonic()
        self.library, self.out, self.seconds = job.library, job.out, job.seconds
        self.seed, self.progress = job.seed, job.progress
        self.memory = MemoryPlan(ram_of(job.library.ram if job.ram is None else job.ram))

    def keep(self, kind: str, *facts: object) -> Kept:
        """The folder of this run: other passages, times or ``facts`` have another one."""
        version = str(self.library._snapshot.manifest.version)
        return Kept(self.library.path, kind, version, self.seconds, *facts)

    def held_out(self, count: int, least: int) -> MadeCollection:
        """At most ``count`` queries made of the library. Raises `InputError` for fewer than ``least``."""
        made = made_collection(self.library, count, seed=self.seed, progress=self.progress)
        if (count_made := len(made.judged)) < least:
            some = f"{count_made} {'query' if count_made == 1 else 'queries'}"
            raise InputError(
                f"only {some} could be made of {self.library.path} to tell a better model from a worse one, and {least} are needed "
                f"({'; '.join(made.notes)}); index more documents, or longer ones"
            )
        return made

    def asking(self) -> Asking:
        """How long a language model may be asked for queries: a share of the minutes, or as often as before this run was stopped."""
        known = self.kept.fact("written")
        return Asking(self.began + ASKED * self.seconds, None if known is None else int(known))

    def elapsed(self) -> float:
        """Seconds since the run, or this piece of it, began."""
        return time.monotonic() - self.began

    def left(self, share: float) -> float:
        """Seconds until so much of the minutes is over; below 0 afterwards."""
        return share * self.seconds - self.elapsed()

    @contextmanager
    def shown(self, what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
        """Progress while a part of the run lasts; gives what it is told by."""
        task = self.progress(what, total, unit)
        try:
            yield task.advance
        finally:
            task.close()

    def target(self, kind: str) -> Path:
        """Where the model is written: the folder that the user named, or one of the library's."""
        return self.kept.model_folder(kind) if self.out is None else Path(self.out)


@contextmanager
def torch_needed(what: str) -> Iterator[None]:
    """Turn a missing package into a `ModelError` that says what to install; ``what``: such as ``a reranker``."""
    try:
        yield
    except ImportError as error:
        raise ModelError(f"training {what} needs {error.name}, which is not installed; type: {EXTRA}") from error


def versions_of(*modules: str) -> str:
    """The versions of packages that were used, for a card."""
    from importlib.metadata import version

    return ", ".join(version(name) for name in modules)
