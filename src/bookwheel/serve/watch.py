"""A folder pointed at once stays current: what changes in it is indexed, a moment later, and nothing else is looked at.

    watch = Watch(folder, update, all_gone)      update(only, prune) -> IndexReport, as `Library.index`
    watch.run(stop)                              until ``stop`` is set; in a thread of its own
    watch.state()                                for the page

Changes are gathered for a fifth of a second to a second, and while the ones before are being indexed. A disk that is not
mounted, or a folder that was emptied, removes nothing: it is told, and held, until one of its files is there again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .._errors import BookwheelError, LibraryLocked
from ..library.mounts import mount_points, mounted_below
from .changes import HEARTBEAT, Changed, by_events, by_looking, has_events, identity
from .concerned import Concerned

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..library.results import IndexReport
    from ..progress import Task
    from .route import Part
    from .service import Service

__all__ = ["Update", "Watch", "watch_part"]

logger = logging.getLogger("bookwheel.watch")

FLOOD = 5_000
"""Changed paths from which on the whole folder is looked at instead."""
AGAIN = 900.0
"""Seconds after which the whole folder is looked at in any case: no system promises to tell of every change."""
RETRY = 5.0
"""Seconds until what could not be indexed (another writer, a full disk) is tried again."""
ERRORS = 1_000
"""Errors that are kept."""
ENDS = 3
"""How often in `AGAIN` seconds the system may stop telling of changes until they are looked for."""


class Update(Protocol):
    """Brings the library up to date with a folder."""

    def __call__(self, only: Sequence[str] | None, prune: bool) -> IndexReport:
        """With ``only``, with these paths of it alone; ``prune``: what is gone is removed."""


class Watch:
    """One folder that is kept indexed."""

    def __init__(
        self,
        folder: str | Path,
        update: Update,
        all_gone: Callable[[], bool],
        *,
        ignored: Sequence[Path] = (),
        hidden: bool = False,
        polling: bool | None = None,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``all_gone``: as `Library.all_gone` of the folder. ``ignored``: folders in it whose changes are none, as the library's
        own, which each update writes to. ``hidden``: hidden files are indexed, too. ``polling``: look instead of being told;
        None: where it must be.

        ``told`` gets a sentence for whatever a person should know.
        """
        self.folder = Path(os.path.abspath(os.path.expanduser(folder)))  # noqa: PTH100, PTH111 - as `walk` names files
        self._concerned = Concerned(self.folder, ignored, hidden)
        self.update, self.all_gone, self.told = update, all_gone, told
        self.polling = not has_events() if polling is None else polling
        self.reports: Callable[[IndexReport], None] = lambda _: None
        """Gets the report of each update that changed something, or met failures or notes that are new: these only."""
        self._lock = threading.Lock()
        self._doing = "starting"
        self._problem = ""
        self._last: float | None = None
        self._updates = 0
        self._waiting: set[str] | None = set()
        """Paths that are still to be indexed; None: all."""
        self._errors: dict[str, tuple[float, str]] = {}
        self._notes: dict[str, None] = {}
        self._ends: list[float] = []
        """When the system stopped telling of changes."""
        self._share: float | None = None
        self._held = False
        self._away = ""
        """What the last look at the whole folder kept, in case a disk is not mounted."""
        self._looked = 0.0

    def state(self) -> dict[str, Any]:
        """How it is doing: ``doing`` is starting, watching, indexing, held (nothing is removed), waiting or missing."""
        with self._lock:
            waiting = self._waiting
            return {
                "folder": str(self.folder),
                "doing": self._doing,
                "how": "looking" if self.polling else "events",
                "problem": self._problem,
                "last": self._last,
                "updates": self._updates,
                "waiting": None if waiting is None else len(waiting),
                "share": self._share if self._doing == "indexing" else None,
                "errors": [{"when": when, "error": sentence} for when, sentence in sorted(self._errors.values())[-100:]],
            }

    def progress(self, label: str, total: int | None, unit: str) -> Task:
        """How far an update is, as `state` tells it (``share``, 0 to 1): for the `Library.index` of ``update``."""
        return _Share(self, total)

    # -- watching ------------------------------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Keep the folder indexed until ``stop`` is set. Raises nothing that concerns one file, one folder or one moment."""
        try:
            while not stop.is_set():
                try:
                    self._watch(stop)
                except BrokenPipeError:  # who was told has gone
                    raise
                except Exception as error:
                    if identity(self.folder) is not None:
                        self._go_on_after(error, stop)
        finally:
            with self._lock:
                self._doing = "stopped"

    def _watch(self, stop: threading.Event) -> None:
        """Keep the folder indexed as long as it is the same one, with the same disks below it."""
        known, mounts = identity(self.folder), self._mounts()
        if known is None:
            self._say(
                "missing", f"the folder {self.folder} is not there; nothing is removed, and it is watched again once it is"
            )
            stop.wait(1.0)
            return
        self._concerned.look()
        self._add(None)
        tried = -RETRY
        for changed in (by_looking if self.polling else by_events)(self.folder, stop):
            # Another disk was mounted there or below, or the folder was made anew: the system tells nothing of the new ones.
            if stop.is_set() or identity(self.folder) != known or self._mounts() != mounts:
                return
            if time.monotonic() - self._looked > AGAIN:
                self._concerned.look()
                self._add(None)
            self._add(changed)
            pending = self._waiting is None or self._waiting
            if pending and (changed or not self._problem or time.monotonic() - tried >= RETRY):
                tried = time.monotonic()
                self._bring_up_to_date()

    def _mounts(self) -> dict[str, str]:
        return mounted_below(str(self.folder), mount_points() or frozenset())

    def _go_on_after(self, error: Exception, stop: threading.Event) -> None:
        """Watch on where the system's events ended, or the folder cannot be looked at: all of it is looked at again in any case."""
        said = " ".join(str(error).split())
        if not isinstance(error, OSError):
            logger.error("watching a folder was interrupted", exc_info=error)
        if self.polling:
            self._say("waiting", f"{self.folder} cannot be watched ({said}); it is tried again")
            stop.wait(RETRY)
            return
        now = time.monotonic()
        self._ends = [*(then for then in self._ends if now - then < AGAIN), now]
        refused = isinstance(error, OSError) and not isinstance(error, FileNotFoundError)  # a folder may go at any moment
        if refused or len(self._ends) >= ENDS:
            self.polling = True
            self._tell(f"the system does not tell of changes in {self.folder} ({said}); it is looked at every few seconds")
        else:
            self._tell(f"the system lost track of changes in {self.folder} ({said}); all of it is looked at")
            stop.wait(HEARTBEAT)

    def _add(self, changed: Changed | None) -> None:
        """Put paths to those that wait; None: all."""
        concerned = set() if changed is None else self._concerned.paths(changed)
        with self._lock:
            if changed is None or self._waiting is None:
                self._waiting = None
                return
            self._waiting |= concerned
            # What is ignored changes with these files, for all others.
            if len(self._waiting) > FLOOD or any(path.endswith("/.gitignore") for path in concerned):
                self._waiting = None

    def _bring_up_to_date(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, set()
            held, self._doing, self._share = self._held, "indexing", None
        try:
            if problem := self._why_keep():
                # What is new or was edited is indexed all the same.
                some = None if taken is None else {path for path in taken if os.path.lexists(path)}
            else:
                some = taken = None if held else taken  # what went while it was held is looked for now
            if some is None:
                self._looked = time.monotonic()
            report = self.update(None if some is None else sorted(some), not problem)
        except (BookwheelError, OSError) as error:
            self._put_back(taken)
            waits = isinstance(error, LibraryLocked)
            said = " ".join(str(error).split())
            self._say("waiting", said if waits else f"{self.folder} could not be indexed: {said}")
        except Exception as error:
            logger.error("a watched folder could not be indexed", exc_info=error)
            self._put_back(taken)
            busy = getattr(error, "seconds", None) is not None
            self._say(
                "waiting", str(error) if busy else f"{self.folder} could not be indexed: unexpected {type(error).__name__}"
            )
        else:
            new = self._note(some, report)
            with self._lock:
                self._updates += 1
                self._last = time.time()
            self._held = bool(problem)
            if problem and not self._why_keep():  # its files were moved within it
                self._add(None)
            if some is None or report.kept:
                self._away = next((note for note in report.notes if report.kept and report.kept[0] in note), "")
            problem = problem or self._away
            self._say("held" if problem else "watching", problem)
            new.notes = [note for note in new.notes if note != problem]
            if report.added or report.updated or report.removed or report.moved or new.failures or new.notes:
                self.reports(new)

    def _why_keep(self) -> str:
        """Why nothing may be removed that seems to be gone; nothing where it may."""
        if self.all_gone():
            return (
                f"none of the files that the library has from {self.folder} is there any more; their documents are kept: mount it "
                f"again, or remove them with: bookwheel remove {self.folder}"
            )
        return ""

    def _put_back(self, taken: set[str] | None) -> None:
        self._add(None if taken is None else frozenset(taken))

    def know(self, report: IndexReport) -> None:
        """Take what ``report``, of an update of the whole folder, tells for known."""
        self._note(None, report)

    def _note(self, taken: set[str] | None, report: IndexReport) -> IndexReport:
        """Keep what is told; returns the report with the failures and notes alone that are new."""
        now = time.time()
        with self._lock:
            errors, notes = set(self._errors), set(self._notes)
            if taken is None:
                self._errors.clear()
                self._notes.clear()
            else:
                for name in [name for name in self._errors if any(_inside(name, path) for path in taken)]:
                    del self._errors[name]
            for failure in report.failures:
                self._errors.setdefault(failure, (now, failure))
            self._notes |= dict.fromkeys(report.notes)
            for kept in (self._errors, self._notes):
                while len(kept) > ERRORS:
                    del kept[next(iter(kept))]
        failures = [failure for failure in report.failures if failure not in errors]
        return replace(report, failures=failures, notes=[note for note in report.notes if note not in notes])

    def _say(self, doing: str, problem: str) -> None:
        with self._lock:
            new = problem != self._problem
            self._doing, self._problem = doing, problem
        if new and problem:
            self._tell(problem)

    def _tell(self, sentence: str) -> None:
        with suppress(Exception):  # that nobody hears it ends no watch
            self.told(sentence)


class _Share:
    """The task of one update."""

    def __init__(self, watch: Watch, total: int | None) -> None:
        self.watch, self.total, self.done = watch, total, 0

    def advance(self, n: int = 1, note: str = "") -> None:
        """So much more is read."""
        self.done += n
        if self.total:
            self.watch._share = min(1.0, self.done / self.total)

    def close(self) -> None:
        """Nothing more is to be told."""


def _inside(failure: str, path: str) -> bool:
    """Whether a sentence about a file (``PATH: …``) is about ``path`` or what is in it."""
    return failure.startswith(path) and failure[len(path) : len(path) + 1] in ("", ":", "/", ",", " ")


def watch_part(service: Service) -> Part | None:
    """The part of the server that keeps its first library current with the folders that it was started with."""
    from .route import Part

    config = service.config
    if not config.watch or config.read_only:
        return None
    served = service.served()

    def watched(folder: Path) -> Watch:
        def update(only: Sequence[str] | None, prune: bool) -> IndexReport:
            return served.write(
                lambda library: library.index(folder, only=only, prune=prune, distinct=None, progress=watch.progress)
            )

        def all_gone() -> bool:
            return served.exists and served.library().all_gone(folder)

        watch = Watch(folder, update, all_gone, ignored=[served.path], told=served.note)
        return watch

    watches = [watched(folder) for folder in config.watch]
    stop = threading.Event()

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        threads = [threading.Thread(target=one.run, args=(stop,), name="bookwheel-watch", daemon=True) for one in watches]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                await asyncio.to_thread(thread.join, 1.5)

    return Part("watch", running, state=lambda: {"folders": [one.state() for one in watches]})
