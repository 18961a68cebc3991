"""What a tuning run has found so far, in a file of the library: an interrupted run goes on from it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._version import __version__
from ..index.storage import storage

__all__ = ["FOLDER", "KEY", "Journal", "journal_key"]

FOLDER = "tuning"
KEY = re.compile(r"[0-9a-f]{24}")
"""What `journal_key` gives."""
KEPT = 4
"""Files of earlier runs that are kept; of other names nothing is touched."""
LARGEST = 1 << 29
"""Bytes of a file that are read."""


def journal_key(*facts: object) -> str:
    """The name of the file for a run: another library, generation, version, query or judgment gives another one."""
    text = json.dumps([__version__, *facts], sort_keys=True, default=str)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class Journal:
    """Lines of JSON, each written whole; a last line that was torn is left out. ``folder`` None keeps nothing."""

    def __init__(self, folder: Path | None, key: str) -> None:
        self.path = None if folder is None else folder / f"{key}.jsonl"
        self._lines: list[dict[str, Any]] = []
        self.resumed = False
        """Whether an earlier run left something."""
        if folder is None or self.path is None:
            return
        with storage(folder):
            folder.mkdir(exist_ok=True)
            runs = [file for file in folder.glob("*.jsonl") if KEY.fullmatch(file.stem)]
            old = sorted(runs, key=lambda file: file.stat().st_mtime, reverse=True)
            for file in [file for file in old if file != self.path][KEPT:]:
                file.unlink(missing_ok=True)
            if self.path.is_file() and self.path.stat().st_size <= LARGEST:
                whole = self.path.read_bytes()
                self._lines = [line for text in whole.split(b"\n") if (line := _read(text)) is not None]
                if whole and not whole.endswith(b"\n"):
                    self.path.write_bytes(whole[: whole.rfind(b"\n") + 1])
        self.resumed = bool(self._lines)

    def scores(self) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float64]]]:
        """The scores that were kept: trial, places of queries, values."""
        for line in self._lines:
            if isinstance(line.get("trial"), str):
                yield line["trial"], np.array(line["at"], np.int64), np.array(line["scores"], np.float64)

    def add_scores(self, key: str, places: Sequence[int], values: NDArray[np.float64]) -> None:
        """Keep the scores of a trial at some queries."""
        if len(places):
            self.add({"trial": key, "at": list(places), "scores": values.tolist()})

    def facts(self, kind: str) -> dict[str, Any]:
        """What was kept of a kind, by its key."""
        return {line["key"]: line["value"] for line in self._lines if line.get("kind") == kind}

    def add_fact(self, kind: str, key: str, value: Any) -> None:
        """Keep a value."""
        self.add({"kind": kind, "key": key, "value": value})

    def add(self, line: Mapping[str, Any]) -> None:
        """Append one line."""
        self._lines.append(dict(line))
        if self.path is not None:
            with storage(self.path), self.path.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")


def _read(text: bytes) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
