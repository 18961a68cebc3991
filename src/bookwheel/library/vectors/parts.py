"""A part: one representation of some of a segment's passages. Like segments, parts are immutable and merged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryDamaged
from ...index.plain_files import refuse_link
from ...index.storage import REMEDY, ArrayFolder, FolderWriter
from ..manifest import PartEntry
from ..settings import Representation
from .kinds import kind_of
from .kinds.base import Kind, Payload

__all__ = ["POSITIONS", "Part", "Piece", "part_folders", "part_name", "to_rewrite", "write_part"]

POSITIONS = "positions"


def part_name(representation: Representation, generation: int) -> str:
    """The name of the folder, inside a segment's, of the part written for ``generation``."""
    return f"{representation.kind}-{representation.key}-g{generation:06d}"


def part_folders(folder: Path, kind: str) -> list[Path]:
    """All array folders of the part in ``folder``."""
    return [folder / POSITIONS, *kind_of(kind).folders(folder)]


class Part:
    """A finished part, opened for reading. Raises `LibraryDamaged`."""

    def __init__(self, segment: Path, entry: PartEntry) -> None:
        self.entry = entry
        self.folder = segment / entry.folder
        refuse_link(self.folder)
        self.kind: Kind = kind_of(entry.folder.split("-", 1)[0])
        self._folders = ArrayFolder(self.folder / POSITIONS), ArrayFolder(self.folder)
        self.positions: NDArray[np.int32] = self._folders[0].array("positions")
        """Local positions in the segment of its rows, rising: int32 of shape (rows,)."""
        self.index: Any = self.kind.open(self._folders[1])
        if self.positions.dtype != np.int32 or not len(self.positions) == len(self.index) == entry.passages:
            raise LibraryDamaged(f"the arrays of {self.folder} do not fit each other; {REMEDY}")
        self._mask: tuple[NDArray[np.uint64], NDArray[np.uint64]] | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def folders(self) -> list[ArrayFolder]:
        """Its array folders."""
        return list(self._folders)

    def locate(self, local: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of the segment's positions are in this part: their places in ``local``, and their rows."""
        if not len(self.positions) or not len(local):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        rows = np.minimum(np.searchsorted(self.positions, local), len(self.positions) - 1)
        (here,) = np.nonzero(self.positions[rows] == local)
        return here, rows[here]

    def mask(self, mask: NDArray[np.uint64] | None, passages: int) -> NDArray[np.uint64] | None:
        """The bits of a segment's ``mask`` for the rows of this part."""
        if mask is None or len(self.positions) == passages:
            return mask
        remembered = self._mask
        if remembered is not None and remembered[0] is mask:
            return remembered[1]
        flags = np.zeros(-(-len(self.positions) // 64) * 64, np.bool_)
        flags[: len(self.positions)] = np.unpackbits(mask.view(np.uint8), bitorder="little").view(np.bool_)[self.positions]
        bits = np.packbits(flags, bitorder="little").view(np.uint64)
        self._mask = (mask, bits)
        return bits


Piece = tuple[NDArray[np.int32], "Part | Payload"]
"""Positions in the new part's segment of each row of a part (-1: left out), or of each row of a payload."""


def write_part(
    segment: Path, representation: Representation, generation: int, seed: int, pieces: Sequence[Piece], bits: int | None = None
) -> PartEntry | None:
    """Write the rows of ``pieces`` as one part, in the order of their positions; None where none is left.

    ``bits`` a dimension for the sketches of dense vectors.
    """
    kind = kind_of(representation.kind)
    positions = np.concatenate([at for at, _ in pieces])
    owner = np.repeat(np.arange(len(pieces)), [len(at) for at, _ in pieces])
    row = np.concatenate([np.arange(len(at)) for at, _ in pieces])
    order = np.argsort(positions, kind="stable")
    order = order[np.searchsorted(positions[order], 0) :]
    if not len(order):
        return None
    name = part_name(representation, generation)
    builder = kind.build(segment / name, representation, seed, bits)
    try:
        for start in range(0, len(order), kind.piece):
            some = order[start : start + kind.piece]
            gathered, sources = [], np.unique(owner[some])
            for number in sources:
                source, wanted = pieces[number][1], row[some[owner[some] == number]]
                gathered.append(kind.gather(source.index, wanted) if isinstance(source, Part) else kind.take(source, wanted))
            if len(sources) == 1:
                builder.append(gathered[0])
            else:
                # They lie owner by owner; the stable sort by owner says where each belongs.
                back = np.empty(len(some), np.int64)
                back[np.argsort(owner[some], kind="stable")] = np.arange(len(some))
                builder.append(kind.take(kind.join(gathered), back))
        builder.close()
    except BaseException:
        builder.abandon()
        raise
    with FolderWriter(segment / name / POSITIONS) as writer:
        writer.write("positions", positions[order].astype(np.int32))
    return PartEntry(representation.key, name, len(order))


def to_rewrite(parts: Sequence[PartEntry], added: int) -> list[PartEntry]:
    """Those of one key's ``parts`` to rewrite together with ``added`` new rows.

    The smaller ones, as long as they are not much larger than what is rewritten anyway. So each row is rewritten
    a logarithmic number of times, and a segment has a logarithmic number of parts.
    """
    chosen: list[PartEntry] = []
    size = added
    for part in sorted(parts, key=lambda entry: entry.passages):
        if part.passages > 2 * size:
            break
        chosen.append(part)
        size += part.passages
    return chosen
