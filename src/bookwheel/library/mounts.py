"""Disks mounted at, above or below a folder that is indexed: noted in the library, so that one that is away is not taken for
emptied.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .moved import all_gone
from .store import Store

__all__ = ["Mounts", "mount_points", "mounted_below"]

_STATE = "mounts"
_SYSTEM = Path("/proc/self/mounts")


def mount_points() -> frozenset[str] | None:
    """The places where disks are mounted; None where the system has no list of them."""
    try:
        lines = _SYSTEM.read_bytes().splitlines()
    except OSError:
        return None
    rows = [os.fsdecode(line).split(" ") for line in lines]
    # Where something would be mounted automatically, nothing is yet.
    return frozenset(_unescaped(row[1]) for row in rows if len(row) > 2 and row[2] != "autofs")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)


def mounted_below(folder: str, points: frozenset[str]) -> dict[str, str]:
    """Those of ``points`` that are below ``folder``, by their paths as files in it are named: links that lead to it are kept."""
    real = os.path.realpath(folder).rstrip(os.sep)
    folder = folder.rstrip(os.sep)
    return {folder + point.removeprefix(real): point for point in points if point.startswith(real + os.sep) and point != os.sep}


class Mounts:
    """What the library has noted: folders by their paths as its files are named, and where the disk of each is mounted."""

    def __init__(self, store: Store, generation: int) -> None:
        self.store, self.generation = store, generation
        self._points = mount_points()
        self._noted: dict[str, str] = {}
        with suppress(ValueError):
            noted = json.loads(store.state(_STATE) or "{}")
            if isinstance(noted, Mapping):
                self._noted = {str(folder): str(point) for folder, point in noted.items()}

    def away(self) -> tuple[str, ...]:
        """The folders whose disks are not mounted now, where not one of the files is there that the library has from them."""
        return tuple(
            folder
            for folder, point in self._noted.items()
            if not self._mounted(point) and all_gone(self.store, self.generation, folder)
        )

    def note(self, places: Sequence[str], away: Sequence[str]) -> None:
        """Note what is mounted now for the folders ``places``, beside what is ``away``."""
        stays = {folder: point for folder, point in self._noted.items() if folder in away or not _in(folder, places)}
        found = dict(sorted((self._of(places) | stays).items()))
        if found != self._noted:
            self.store.set_state(_STATE, json.dumps(found))
            self._noted = found

    def _mounted(self, point: str) -> bool:
        return os.path.ismount(point) if self._points is None else point in self._points

    def _of(self, places: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for place in places:
            points = self._points
            if points is None:
                points = frozenset(filter(os.path.ismount, self._folders(place)))
            found |= {folder: point for folder, point in mounted_below(place, points).items() if self._holds(folder)}
            above = os.path.realpath(place)
            while not self._mounted(above) and above != os.path.dirname(above):  # noqa: PTH120
                above = os.path.dirname(above)  # noqa: PTH120
            if above != os.path.dirname(above):  # noqa: PTH120 - the system's own disk is never away
                found[place] = above
        return found

    def _holds(self, folder: str) -> bool:
        below = f"{folder}/", f"{folder}0"
        return bool(self.store.execute("SELECT EXISTS (SELECT 1 FROM sources WHERE path > ? AND path < ?)", below)[0][0])

    def _folders(self, place: str) -> set[str]:
        """The folders below ``place`` that the library has files from, by where they really are."""
        real = os.path.realpath(place)
        found: set[str] = set()
        below = f"{place.rstrip(os.sep)}/", f"{place.rstrip(os.sep)}0"
        for (path,) in self.store.execute("SELECT path FROM sources WHERE path > ? AND path < ?", below):
            folder = os.path.dirname(path)  # noqa: PTH120
            while len(folder) > len(place) and (inner := real + folder[len(place) :]) not in found:
                found.add(inner)
                folder = os.path.dirname(folder)  # noqa: PTH120
        return found


def _in(path: str, places: Sequence[str]) -> bool:
    return any(path == place or path.startswith(f"{place.rstrip(os.sep)}{os.sep}") for place in places)
