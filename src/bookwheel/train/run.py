"""What every training run begins with, and needs on its way: the library, the time, the memory, held-out queries, and its folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from .._errors import ModelError, UsageError
from ..evaluate.collection import Collection
from ..evaluate.load import load_collection
from ..library.library import Library, open_library
from ..memory.plan import MemoryPlan
from ..memory.sizes import ram_of
from ..progress import Progress
from ..tune.made import MadeCollection
from .data.made import ASKED
from .data.material import Asking, Material
from .data.pairs import Pair, drawn
from .data.passages import Passages
from .data.sources import Source, pairs_of
from .finished import finished, restored
from .folder import require_new, require_outside, require_writable
from .held_out import digest, judged_part, made_part, shared
from .kept import Kept
from .result import MADE, Training

__all__ = ["EXTRA", "Job", "Run", "start", "torch_needed", "versions_of"]

ASKING = 0.2
"""The share of the minutes in which a language model may write queries."""
EXTRA = "pip install 'bookwheel[train]'"

Found = TypeVar("Found")
Result = TypeVar("Result", bound=Training)


@dataclass(frozen=True)
class Job:
    """What a run is given, whatever it trains. ``ram``: bytes, as text, or None for the library's own budget."""

    library: Library
    out: str | Path | None
    seconds: float
    ram: str | int | None
    seed: int
    progress: Progress
    compare: str | Path | None = None
    """The judged collection by whose queries models are compared; None for queries made of the library."""
    judgments: Collection | None = None
    """What it holds."""


def start(
    library: Library | str | Path,
    out: str | Path | None,
    minutes: float,
    ram: str | int | None,
    seed: int,
    progress: Progress,
    train: Callable[[Job], Found],
    compare: str | Path | None = None,
) -> Found:
    """``train``, once minutes, folder and judgments are checked, with the library, which is opened for as long where a name or path is
    given.

    Raises `UsageError`, `StorageError` where the folder cannot be written, and what opening a library and reading a judged collection
    raise.
    """
    if not 0 < minutes <= 24 * 60:
        raise UsageError(f"minutes must be a number above 0 and up to 1440, not {minutes!r}")
    if out is not None:
        require_writable(Path(out), "--out")
        require_new(Path(out))
    judgments = None if compare is None else load_collection(compare)

    def begin(opened: Library) -> Found:
        if out is not None:
            require_outside(Path(out), opened.path)
        return train(Job(opened, out, 60 * minutes, ram, seed, progress, compare, judgments))

    if isinstance(library, Library):
        return begin(library)
    with open_library(library, ram=ram) as opened:
        return begin(opened)


class Run:
    """One run. ``began``: of ``time.monotonic()``; ``memory``: the plan of its budget; ``kept``: what a stopped run goes on from."""

    kept: Kept
    target: Path
    """Where the model is written: the folder that the user named, or one of the library's."""
    sources: Sequence[Source] = ()

    def __init__(self, job: Job) -> None:
        self.compare, self.judgments = job.compare, job.judgments
        self.began = time.monotonic()
        self.library, self.out, self.seconds = job.library, job.out, job.seconds
        self.seed, self.progress = job.seed, job.progress
        self.notes: list[str] = []
        self.memory = MemoryPlan(ram_of(job.library.ram if job.ram is None else job.ram))

    def keep(self, kind: str, *facts: object, called: str) -> Kept:
        """The folder of this run: other passages, times or ``facts`` have another one. ``called``: what the model's folder is.

        Raises `UsageError` where the model could not be written in the end, since its folder is there.
        """
        version = str(self.library._snapshot.manifest.version)
        judged = () if self.judgments is None else (digest(self.judgments),)
        kept = Kept(self.library.path, kind, version, self.seconds, *facts, *judged)
        self.target = kept.model_folder(called) if self.out is None else Path(self.out)
        if self.out is None and finished(self.target, kept.folder.name) is None:
            try:
                require_new(self.target)
            except UsageError:
                if not kept.resumed:
                    kept.clear()
                raise UsageError(
                    f"{self.target} is there already, where this very run puts its model; use that one, or name a new folder with --out"
                ) from None
        return kept

    def done(self, kind: type[Result]) -> Result | None:
        """What this very run came to where it was finished before, and its model is where this one's would be.

        Raises `UsageError` where that folder is damaged.
        """
        known = finished(self.target, self.kept.folder.name)
        if known is None:
            return None
        if (found := restored(kind, known)) is None:
            require_new(self.target)
            return None
        return replace(found, folder=str(self.target), again=True)

    def held_out(self, count: int, least: int) -> MadeCollection:
        """At most ``count`` queries, judged by people or made of the library. Raises `InputError` for fewer than ``least``."""
        if self.judgments is None:
            return made_part(self.library, count, least, self.seed, self.progress)
        share = 0.5 if self.compare is not None and shared(self.sources, self.compare) else 1.0
        return judged_part(self.library, self.judgments, count, least, self.seed, share)

    @property
    def compared_by(self) -> str:
        """For a card: by which queries models are compared."""
        return MADE if self.judgments is None else f"judged queries of {self.judgments.name}"

    def asking(self) -> Asking:
        """How long a language model may be asked for texts: a share of the minutes, or as often as before this run was stopped."""
        names = [one.name for one in self.sources if one.name in ASKED]
        return Asking.shared(names, ASKING * self.seconds, self.kept.fact("written"))

    def pairs(self, copy: Library, made: MadeCollection, passages: int, most: int) -> list[Pair]:
        """At most ``most`` pairs of the sources, without the queries of ``made``; of ``copy`` at most ``passages`` are drawn.

        How often a language model was asked is kept, so that the run, taken up again, has the same ones. Raises `InputError`.
        """
        material = Material(self.library, copy, Passages.drawn(copy._snapshot, passages, self.seed), self.seed, self.asking())
        held_out = [made.queries[query] for query in made.judged]
        with self.shown("reading pairs", None, "pairs") as advance:
            pairs = drawn(pairs_of(material, self.sources, held_out), most, self.seed, advance)
        self.kept.note(written=material.asking.used)
        self.notes += material.notes
        return pairs

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

    def common(self) -> dict[str, Any]:
        """What every result says, before anything is written."""
        return {
            "library": str(self.library.path), "folder": None, "seconds": self.elapsed(), "seed": self.seed, "notes": tuple(self.notes),
            "compared_by": self.compared_by, "memory_plan": self.memory,
        }  # fmt: skip


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
