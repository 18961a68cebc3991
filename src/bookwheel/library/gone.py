"""What goes from a library because its file went: all of it, except what may lie on a disk that is not mounted.

That is taken for possible where nothing of a whole folder given is there any more, nothing from where a disk was mounted, and
nothing behind a link that leads nowhere.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..documents.seen_ids import SeenIds
from .mounts import Mounts
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
        self.mounts = Mounts(store, generation)
        self.away = self.mounts.away()
        self._looked_at = "", ""
        """The folder of the last file that was not met, and the broken link that it is behind."""
        self.kept: dict[str, str] = {}
        """Folders of which documents were kept although their files seem to be gone, and of each why, and what to do about it."""

    def sources(self, only: Sequence[str] | None) -> Iterator[int]:
        """Numbers of the sources that are gone from the folders and archives given; with ``only``, from these paths in them."""
        if only is None:
            for place in self.places:
                inside = place.rstrip(os.sep) + os.sep
                if os.path.isdir(place) and self._emptied(place, inside):  # noqa: PTH112
                    self.kept[place] = (
                        f"none of the files that the library has from {place} is there any more; their documents are kept, in case a "
                        f"disk is not mounted: mount it and index again, or remove them with: bookwheel remove {place}"
                    )
                else:
                    yield from self._gone(*_below(inside))
        else:
            folders = tuple(place.rstrip(os.sep) + os.sep for place in self.places)
            for path in only:
                if storable(path) == path and path.startswith(folders):
                    yield from self._gone(
                        "(path = ? OR (path > ? AND path < ?))", (path, f"{path}/", f"{path}0")
                    )  # '0' follows '/'

    def note_mounts(self) -> None:
        """Note in the library what is mounted now where the folders given are."""
        self.mounts.note([place for place in self.places if os.path.isdir(place)], self.away)  # noqa: PTH112

    def _gone(self, condition: str, values: tuple[object, ...]) -> Iterator[int]:
        return (number for number, path in self._rows(condition, values) if not self._unread(path) and not self._keep(path))

    def _keep(self, path: str) -> bool:
        """Whether the file may be on a disk that is not mounted; that is noted."""
        for folder in self.away:
            if path.startswith(f"{folder}/"):
                self.kept[folder] = (
                    f"{folder} is not mounted any more; the documents of its files are kept: mount it and index again, or remove "
                    f"them with: bookwheel remove {folder}"
                )
                return True
        above = os.path.dirname(path)  # noqa: PTH120 - as `walk` names files
        if above != self._looked_at[0]:
            self._looked_at = above, _broken_link(above)
        if link := self._looked_at[1]:
            self.kept[link] = (
                f"{link} is a link that leads nowhere; the documents of the files behind it are kept, in case a disk is not "
                f"mounted: mount it and index again, or remove them with: bookwheel remove {link}"
            )
            return True
        return False

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
        return any(path == one or path.startswith(f"{one}/") for one in self.unread) or _out_of_reach(path)


def _out_of_reach(path: str) -> bool:
    """Whether the system does not tell if there is a file, as with a server that does not answer."""
    try:
        os.stat(path)  # noqa: PTH116
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
    return False


def _broken_link(folder: str) -> str:
    """The nearest folder from ``folder`` up that is a link which leads nowhere; nothing where there is none."""
    while not os.path.exists(folder):  # noqa: PTH110
        if os.path.islink(folder):  # noqa: PTH114
            return folder
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120
        if folder == below:
            break
    return ""


def _below(inside: str) -> tuple[str, tuple[object, ...]]:
    return "substr(path, 1, ?) = ?", (len(inside), inside)
