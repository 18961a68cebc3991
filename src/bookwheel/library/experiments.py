"""A library's experiments, in a file beside its manifest: what recipes reached on judged queries, and what the library was then.

What an experiment says is the business of `evaluate`; here it is a JSON object with a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from .._errors import LibraryDamaged, UsageError
from .._printable import finite
from ..index.plain_files import read_plain
from ..index.sealed import unseal, with_checksum
from ..index.storage import readable, replace_file, storage
from .lock import briefly_locked

__all__ = ["FILE", "LARGEST", "MOST", "Experiments"]

FILE = "experiments.json"
LOCK = FILE + ".lock"
"""Not empty once an experiment was kept, so that it is told when they are gone."""
MOST = 1000
LARGEST = 32 << 20
"""Bytes of all experiments: some 250 of 1,000 queries by six recipes."""


class Experiments(Sequence[Mapping[str, Any]]):
    """The experiments that a library keeps, oldest first; each has a ``number`` of its own, which no other will have.

    Read anew whenever they are asked for. Raises `LibraryDamaged` if the file cannot be read.
    """

    def __init__(self, library: Path) -> None:
        self.path = library / FILE

    def keep(self, experiment: Mapping[str, Any]) -> int:
        """Keep ``experiment`` (a JSON object; numbers that are not finite become None) and return its number.

        It is on the disk when this returns. Raises `UsageError` where there are too many, `StorageError`, `LibraryLocked`.
        """
        with self._changed() as table:
            number = table["next"]
            kept = {"number": number, **{key: finite(value) for key, value in experiment.items() if key != "number"}}
            if len(table["experiments"]) >= MOST:
                raise UsageError(
                    f"a library keeps at most {MOST:,} experiments; remove some: bookwheel experiments remove NUMBER"
                )
            table["experiments"].append(kept)
            table["next"] = number + 1
        return int(number)

    def remove(self, numbers: Iterable[int]) -> None:
        """Remove the experiments with these numbers. Raises `UsageError`, removing nothing, where one is not there."""
        gone = set(numbers)
        with self._changed() as table:
            there = {one["number"] for one in table["experiments"]}
            if missing := sorted(gone - there):
                raise UsageError(_none(missing, there))
            table["experiments"] = [one for one in table["experiments"] if one["number"] not in gone]

    def numbered(self, number: int) -> Mapping[str, Any]:
        """The experiment with this number. Raises `UsageError` where there is none."""
        found = self._table()["experiments"]
        for one in found:
            if one["number"] == number:
                return dict(one)
        raise UsageError(_none([number], {one["number"] for one in found}))

    def problems(self) -> list[str]:
        """One sentence if the file is damaged or missing."""
        try:
            self._table()
        except LibraryDamaged as error:
            return [str(error)]
        try:
            missing = self._lock.lstat().st_size > 0 and not self.path.exists()
        except OSError:
            missing = False
        return [f"{self.path} is missing, and with it the experiments that were kept; put the file back"] if missing else []

    def __len__(self) -> int:
        return len(self._table()["experiments"])

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self._table()["experiments"])

    def __getitem__(self, at: Any) -> Any:
        return self._table()["experiments"][at]

    @property
    def _lock(self) -> Path:
        return self.path.with_name(LOCK)

    def _table(self) -> dict[str, Any]:
        try:
            with readable(self.path):
                table = unseal(read_plain(self.path))[0]
            if not _sound(table):
                raise TypeError
        except FileNotFoundError:
            return {"next": 1, "experiments": []}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            reason = "" if isinstance(error, KeyError | AttributeError | TypeError) else f" ({error})"
            raise LibraryDamaged(
                f"the experiments in {self.path} cannot be read{reason}; put back a copy of the file, or delete it"
            ) from None
        return table

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        """The table, to be changed in place: nobody else changes it meanwhile, and it is saved at the end."""
        with storage(self.path), briefly_locked(self._lock):
            table = self._table()
            had = self.path.exists()
            yield table
            data = json.dumps(table, ensure_ascii=False, allow_nan=False).encode("utf-8", "surrogatepass")
            if len(data) > LARGEST and (not had or len(data) > self.path.stat().st_size):
                raise UsageError(
                    f"the experiments would take {len(data):,} bytes, more than the {LARGEST:,} that a library keeps; "
                    "remove some: bookwheel experiments remove NUMBER"
                )
            replace_file(self.path, with_checksum(data[1:]))
            if not self._lock.stat().st_size:
                self._lock.write_bytes(b"saved")


def _sound(table: Any) -> bool:
    if not isinstance(table["experiments"], list):
        return False
    numbers = [table["next"], *(one["number"] for one in reversed(table["experiments"]))]
    whole = all(isinstance(number, int) and not isinstance(number, bool) and number > 0 for number in numbers)
    return whole and all(later > earlier for later, earlier in pairwise(numbers))


def _none(numbers: Sequence[int], there: Iterable[int]) -> str:
    known = ", ".join(map(str, sorted(there)[-20:])) or "none"
    return f"the library keeps no experiment {', '.join(map(str, numbers))}; it has: {known}"
