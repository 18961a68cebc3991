"""Progress of long work: a bar on a terminal or in a notebook, nothing in a pipe. Drawn by tqdm.

Long work gets a `Progress` and opens a `Task` with it: ``task = progress("indexing", 1200, "files")``,
then calls ``task.advance()`` as it goes and ``task.close()`` at the end. `silent` shows nothing,
`auto` a bar where someone can see it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

__all__ = ["Progress", "Task", "auto", "silent"]

REDRAW = 0.1
"""Seconds between two drawings."""
NARROW = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
"""A bar with a note where the terminal has no room for the speed too: of both, the note and the time left say more."""
NOTE = 40
"""Characters shown of a note; of a longer one the end, which is the file name of a path."""


class Task(Protocol):
    """A piece of long work in progress."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Report that ``n`` more units are done; ``note`` names the current one."""

    def close(self) -> None:
        """Report that the work has ended, successfully or not."""


Progress = Callable[[str, "int | None", str], Task]
"""Makes a task from a label, a total (None if unknown) and the name of its unit ("B" for bytes)."""


class _Silent:
    def advance(self, n: int = 1, note: str = "") -> None:
        """Show nothing."""

    def close(self) -> None:
        """Show nothing."""


def silent(label: str, total: int | None = None, unit: str = "") -> Task:
    """A task that shows nothing."""
    return _Silent()


def auto(label: str, total: int | None = None, unit: str = "") -> Task:
    """A task shown as a bar on stderr if that is a terminal, or in a notebook; else as `silent`.

    The bar has the rate and the time left, and disappears at the end.
    """
    if _in_notebook():
        from tqdm.auto import tqdm

        return _Bar(tqdm, label, total, unit)
    if sys.stderr is None or not sys.stderr.isatty():
        return _Silent()
    return _Bar(_terminal_bar(), label, total, unit)


class _Bar:
    """A task drawn by a class of tqdm."""

    def __init__(self, kind: Any, label: str, total: int | None, unit: str) -> None:
        size = unit == "B"
        self._bar = kind(
            desc=label,
            total=total,
            unit=unit if size or not unit else f" {unit}",
            unit_scale=size,
            leave=False,
            dynamic_ncols=True,
            mininterval=REDRAW,
            miniters=1,
            file=sys.stderr,
        )

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count ``n`` more, and redraw the bar if it is time."""
        if note:
            self._bar.set_postfix_str(_tail(_plain(note), NOTE), refresh=False)
        self._bar.update(n)

    def close(self) -> None:
        """Remove the bar, so that what is printed next begins on an empty line."""
        self._bar.close()


@cache
def _terminal_bar() -> Any:
    """tqdm's bar for terminals, never wider than the terminal and without
    threads and processes of its own.
    """
    # Not tqdm.auto, which also imports asyncio: every megabyte counts within a small memory budget.
    from tqdm import tqdm
    from tqdm.utils import disp_trim

    class Bar(tqdm):  # type: ignore[misc]  # tqdm is not typed
        monitor_interval = 0

        @staticmethod
        def format_meter(*args: Any, ncols: int | None = None, **values: Any) -> str:
            text: str = tqdm.format_meter(*args, ncols=ncols, **values)
            if ncols is not None and values.get("postfix") and values.get("total") and not text.endswith("]"):  # it was cut
                text = tqdm.format_meter(*args, ncols=ncols, **{**values, "bar_format": NARROW})
            return text if ncols is None else disp_trim(text, ncols)  # tqdm does not trim without a total

    Bar.set_lock(threading.RLock())
    return Bar


def _in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; IPython is not imported to find out."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and "IPKernelApp" in shell.config


def _plain(text: str) -> str:
    """A file's name without the characters that would move the cursor."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _tail(text: str, most: int) -> str:
    """The last ``most`` characters of ``text``, with a sign that something was cut."""
    return text if len(text) <= most else "…" + text[1 - most :]
