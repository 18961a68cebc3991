"""How a training went, as a picture: the loss by step, and the learning rate below it, in one SVG file without scripts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from .._errors import UsageError
from ..evaluate.plots.canvas import LINE, TOP, WIDTH, Axis, drawing, horizontal, shorten, standalone, vertical
from ..index.storage import replace_file, storage
from .folder import require_writable

__all__ = ["FILE", "Trained", "require_svg", "training_svg", "write_plot"]

FILE = "training.svg"
"""In a model's folder."""
LEFT, LOSS, RATE, GAP = 46.0, 180.0, 90.0, 46.0
"""The left edge, the heights of both parts, and what is between them."""
WINDOWS = 80
"""Points of a line, at most: of more steps so many windows are drawn, by their mean, with a band from their least to their greatest."""


class Trained(Protocol):
    """What a training came to, as far as it is drawn."""

    @property
    def base(self) -> str:
        """The model that it started from."""

    @property
    def losses(self) -> Sequence[float]:
        """Of each step."""

    @property
    def rates(self) -> Sequence[float]:
        """The learning rate of each step."""


def training_svg(found: Trained) -> str:
    """The picture of ``found``: one ``rates`` for each of the ``losses``; losses that are not finite are left out."""
    losses, rates = list(found.losses), list(found.rates)
    steps = len(losses)
    title = f"Training {found.base}: loss and learning rate by step"
    across = _Steps(0.0 if steps < 2 else 1.0, float(max(steps, 2)), LEFT + 8, WIDTH - 12)
    windows = _windows(losses)
    up = Axis.over([value for window in windows for value in window[1:]], TOP + LOSS, TOP + 2, room=0.04)
    told = f"loss, training {found.base}, {steps:,} step{'s' if steps != 1 else ''}"
    marks = vertical(up, LEFT, WIDTH - 4, shorten(told, WIDTH - LEFT - 8))
    around = [f"{across.at(x):.1f} {up.at(high):.1f}" for x, _, _, high in windows]
    around += [f"{across.at(x):.1f} {up.at(low):.1f}" for x, _, low, _ in windows[::-1]]
    if len(windows) > 1:
        marks.append(f'<path class="band" d="M{"L".join(around)}Z"/>')
    marks.append(_line("line", [(across.at(x), up.at(mean)) for x, mean, _, _ in windows]))
    top = TOP + LOSS + GAP
    unit = 10.0 ** math.floor(math.log10(max([*rates, 0.0]) or 1.0))
    rise = Axis.over([0.0, *(rate / unit for rate in rates)], top + RATE, top + 2, room=0.04)
    marks += vertical(rise, LEFT, WIDTH - 4, f"learning rate, in units of {unit:g}")
    marks += horizontal(across, top, top + RATE, "step")
    marks.append(_line("line2", [(across.at(step), rise.at(rate / unit)) for step, rate in enumerate(rates, 1)]))
    return standalone(drawing("training", title, top + RATE + 2 * LINE + 6, marks))


def require_svg(path: Path | None) -> None:
    """Raise `UsageError` for a plot's file with another suffix, or in no folder, `StorageError` where it cannot be written.

    Before hours of training rather than after.
    """
    if path is None:
        return
    if path.suffix.lower() != ".svg":
        raise UsageError(f"the plot is written as SVG; give a file that ends in .svg, not {path.name!r:.60}")
    if not path.parent.is_dir():
        raise UsageError(f"the plot cannot be written: there is no folder {path.parent}; make it, or name another file")
    require_writable(path, "--plot")


def write_plot(found: Trained, path: Path) -> None:
    """Write the picture. Raises `UsageError` as `require_svg`, `StorageError`."""
    require_svg(path)
    with storage(path):
        replace_file(path, training_svg(found).encode())


class _Steps(Axis):
    def ticks(self, about: int = 6) -> list[float]:
        """Whole numbers."""
        return [tick for tick in super().ticks(about) if tick == int(tick)]


def _windows(losses: Sequence[float]) -> list[tuple[float, float, float, float]]:
    """Step, mean, least and greatest of at most `WINDOWS` runs of steps; those without a finite loss are left out."""
    count = min(WINDOWS, len(losses))
    found = []
    for start, end in pairwise(round(at * len(losses) / max(1, count)) for at in range(count + 1)):
        some = [loss for loss in losses[start:end] if math.isfinite(loss)]
        if some:
            found.append(((start + 1 + end) / 2, sum(some) / len(some), min(some), max(some)))
    return found


def _line(kind: str, points: Sequence[tuple[float, float]]) -> str:
    """A line through ``points``; a dot where there is only one."""
    if len(points) == 1:
        ((x, y),) = points
        return f'<circle class="{"b" if kind.endswith("2") else "a"}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    return f'<path class="{kind}" d="M{"L".join(f"{x:.1f} {y:.1f}" for x, y in points)}"/>' if points else ""
