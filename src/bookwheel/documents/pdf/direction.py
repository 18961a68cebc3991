"""The direction in which a page is written, and its lines in order where they are drawn from the last to the first."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Direction", "along", "direction_of", "is_backwards", "runs_leftwards"]

Direction = Literal["right", "left", "up", "down"]
Box = tuple[float, float, float, float]

_LEAST = 8
"""Words behind others that show a direction other than to the right."""
_SHARE = 0.6
"""Part of a page's words that go in its direction."""
_ROWS = 4
"""Lines that have to agree that a page is drawn from its foot."""


def direction_of(boxes: NDArray[np.float32], lines: NDArray[np.int64]) -> Direction:
    """Where most words stand from the word before them in their line: left of it in Arabic, above or below it on a page that is
    turned. ``boxes``: left, bottom, right, top of words; ``lines``: the numbers of their lines.
    """
    together = lines[1:] == lines[:-1]
    across, upwards = (np.diff(boxes[:, side] + boxes[:, side + 2])[together] for side in (0, 1))
    level = np.abs(across) >= np.abs(upwards)
    ways: tuple[tuple[Direction, NDArray[np.bool_]], ...] = (
        ("left", level & (across < 0)), ("up", ~level & (upwards > 0)), ("down", ~level & (upwards < 0)),
    )  # fmt: skip
    for way, seen in ways:
        if int(np.count_nonzero(seen)) > max(_LEAST, _SHARE * len(level)):
            return way
    return "right"


def along(boxes: NDArray[np.float32], direction: Direction) -> NDArray[np.float32]:
    """Boxes as they were if the page were turned or mirrored, so that its lines run to the right and follow each other down."""
    left, bottom, right, top = boxes.T
    if direction == "left":
        return np.stack((-right, bottom, -left, top), axis=1)
    if direction == "up":
        return np.stack((bottom, -right, top, -left), axis=1)
    if direction == "down":
        return np.stack((-top, left, -bottom, right), axis=1)
    return boxes


def is_backwards(boxes: list[Box]) -> bool:
    """Whether lines follow each other from the foot of the page to its head, each right above the one before."""
    return len(boxes) >= _ROWS and all(
        here[3] - (here[3] - here[1]) * 0.3 < there[1] + (there[3] - there[1]) * 0.3
        and there[1] - here[3] < 2 * (here[3] - here[1])
        and min(here[2], there[2]) > max(here[0], there[0])
        for here, there in pairwise(boxes)
    )


def runs_leftwards(boxes: list[Box], falls: list[bool]) -> list[tuple[int, int]]:
    """Runs of lines that are written from the top down and given from the left, though such lines are read from the right: the
    first, and the one after the last.
    """
    found: list[tuple[int, int]] = []
    begin = 0
    for at in range(1, len(boxes) + 1):
        if at == len(boxes) or not (
            falls[at - 1]
            and falls[at]
            and boxes[at][0] + boxes[at][2] > boxes[at - 1][0] + boxes[at - 1][2]
            and min(boxes[at][3], boxes[at - 1][3]) > max(boxes[at][1], boxes[at - 1][1])
        ):
            if at - begin > 1:
                found.append((begin, at))
            begin = at
    return found
