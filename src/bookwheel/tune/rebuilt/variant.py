"""What a variant of a library is: how it is built, what it is searched by, and what a person types to have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..design import Design

__all__ = ["Built", "Variant", "folder_bytes"]

Left = Callable[[], float]
"""Seconds that are left."""


@dataclass(frozen=True, slots=True)
class Built:
    """A library that was built, or went on being built."""

    path: Path
    share: float
    """Of its passages that are embedded with the model that is tried; 1 where none is."""
    seconds: float
    """That building it took, from the beginning."""


class Variant(Protocol):
    """One way to rebuild a library."""

    label: str
    """What is different, in a few words."""
    key: str
    """The same for the journal, with whatever else its scores and recipes depend on."""

    def estimate(self) -> float:
        """Seconds that building the first `Built` will take, roughly."""

    def build(self, folder: Path, left: Left) -> Iterator[Built]:
        """Build it in ``folder``, empty, and give it each time when it can be judged; within the seconds that are left.

        Raises what indexing and embedding raise.
        """

    def designs(self, own: Design) -> Sequence[Design]:
        """What it is searched by, made from the best design of the library as it is."""

    def commands(self, library: str, recipe: str, share: float) -> tuple[str, ...]:
        """What to type to have it."""


def folder_bytes(folder: Path) -> int:
    """Of all files in it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
