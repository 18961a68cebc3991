"""What goes from a library because its file went: all of it, except where nothing of a whole folder is there any more."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..documents.seen_ids import SeenIds
from .moved import all_gone
from .storable import storable
from .store import Store

__all__ = ["Gone"]

_ROWS = 10_000


class Gone:
    """Finds the sources in the library that a run over ``paths`` did not meet."""

    def __init__(self, store: Store, generation: int, paths: Sequence[str | Path], met: SeenIds, unread: Sequence[str]) -> None:
        """``generation``: the committed one. ``met``: hashes of the paths that the run met. ``unread``: files and folders that
        could not be read in it; what came from there is not taken for gone.
        """
        self.store, self.generation, self.met, self.unread = store, generation, met, unread
        given = [Path(os.path.expanduser(path)) for path in paths]  # noqa: PTH111 - as `walk`
        whole = [os.path.abspath(path) for path in given if path.exists()]  # noqa: PTH100 - as `walk` names them, links kept
        self.places = [place for place in whole if storable(place) == place]  # the library holds nothing of any other
        self.notes: list[str] = []
        """What was kept although it seems to be gone, and what to do about it."""

    def sources(self, only: Sequence[str] | None) -> Iterator[int]:
        """Numbers of the sources that are gone from the folders and archives given; with ``only``, from these paths in them."""
        if only is None:
            for place in self.places:
                inside = place.rstrip(os.sep) + os.sep
                if os.path.isdir(place) and self._emptied(place, inside):  # noqa: PTH112
                    self.notes.append(
                        f"none of the files that the library has from {place} is there any more; their documents are kept, in case a "
                        f"disk is not mounted: mount it and index again, or remove them with: bookwheel remove {place}"
                    )
                else:
                    yield from (number for number, path in self._rows(*_below(inside)) if not self._unread(path))
        else:
            folders = tuple(place.rstrip(os.sep) + os.sep for place in self.places)
            for path in only:
                if storable(path) == path and path.startswith(folders):
                    chosen = "(path = ? OR (path > ? AND path < ?))", (path, f"{path}/", f"{path}0")  # '0' follows '/'
                    yield from (number for number, name in self._rows(*chosen) if not self._unread(name))

    def _rows(self, condition: str, values: tuple[object, ...], there: bool = False) -> Iterator[tuple[int, str]]:
        """Numbers and paths of the sources that were not met; with ``there``, of those that were."""
        last = 0
        while rows := self.store.execute(
            f"SELECT id, path FROM sources WHERE id > ? AND {condition} ORDER BY id LIMIT {_ROWS}", (last, *values)
        ):
            last = rows[-1][0]
            known = self.met.known(np.fromiter((hash(path) for _, path in rows), np.int64))
            yield from (row for row, one in zip(rows, known, strict=True) if bool(one) is there)

    def _emptied(self, place: str, inside: str) -> bool:
        """Whether nothing that the library has from the folder is there any more, and nothing new is, either."""
        return all_gone(self.store, self.generation, place) and next(self._rows(*_below(inside), there=True), None) is None

    def _unread(self, path: str) -> bool:
        return any(path == one or path.startswith(f"{one}/") for one in self.unread)


def _below(inside: str) -> tuple[str, tuple[object, ...]]:
    return "substr(path, 1, ?) = ?", (len(inside), inside)
