"""A watched folder, its library, and a `Watch` in a thread as in the server."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import bookwheel
from bookwheel.library.results import IndexReport
from bookwheel.serve.watch import Watch


class Watched:
    """A folder, its library, and a `Watch` in a thread."""

    def __init__(self, base: Path, files: int, polling: bool, where: Path | None = None) -> None:
        self.folder, self.base = base / "files", base
        (self.folder / "sub").mkdir(parents=True)
        for number in range(files):
            (self.folder / f"note {number}.txt").write_text(f"Note {number} is about herons in the reeds.")
        self.library = bookwheel.open(base / "library" if where is None else where, create=True, encoder=None)
        self.reports: list[IndexReport] = []
        self.told: list[str] = []
        self.fail: BaseException | None = None
        self.asked: list[list[str] | None] = []
        self.watch = Watch(
            self.folder,
            self.update,
            lambda: self.library.all_gone(self.folder),
            ignored=[self.library.path],
            polling=polling,
            told=self.told.append,
        )
        self.watch.reports = self.reports.append
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch.run, args=(self.stop,))
        self.thread.start()

    def update(self, only, prune: bool) -> IndexReport:
        if (fail := self.fail) is not None:
            self.fail = None
            raise fail
        self.asked.append(only)
        return self.library.index(self.folder, only=only, prune=prune)

    def until(self, true: Callable[[], object], seconds: float = 30) -> float:
        began = time.monotonic()
        while not true():
            assert time.monotonic() - began < seconds, (self.watch.state(), self.told)
            time.sleep(0.02)
        return time.monotonic() - began

    def after(self, change: Callable[[], object]) -> IndexReport:
        count = len(self.reports)
        change()
        self.until(lambda: len(self.reports) > count)
        return self.reports[-1]

    def close(self) -> None:
        self.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()
