"""Keeps the result of each question in a file as soon as it is there, so that a test that was interrupted goes on where it was."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from ..._errors import InputError
from ...index.storage import storage

__all__ = ["Kept", "Outcome", "key_of"]

VERSION = 1
"""Changes with the sentences, the prompt or the scoring, so that older results are not taken for today's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one question."""

    key: str
    kind: str
    length: int
    """In tokens: text, question and answer."""
    depth: float
    """Where the main needle stands: 0 first, 1 last."""
    repeat: int
    held: float | None = None
    """The share of the needed sentences that the recipe's selection holds."""
    found: float | None = None
    """The share of what is wanted that stands in the answer; None without a model, and where it failed."""
    right: bool | None = None
    """All that is wanted stands in the answer, and nothing that is not; without a model: the selection holds every sentence."""
    answer: str | None = None
    wanted: tuple[str, ...] = ()
    tokens: int = 0
    """Of the prompt, or of the selection."""
    seconds: float = 0.0
    error: str = ""
    """Why there is no result."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def key_of(**given: Any) -> str:
    """Under what a result is kept: everything that it depends on."""
    return hashlib.sha256(json.dumps({"version": VERSION, **given}, sort_keys=True).encode()).hexdigest()[:24]


class Kept:
    """The results in ``path``, one line of JSON each; without a path they are only held in memory."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known: dict[str, Outcome] = {} if path is None else _read(path)

    def get(self, key: str) -> Outcome | None:
        """The result kept under ``key``; failures are tried again."""
        return self._known.get(key)

    def put(self, outcome: Outcome) -> None:
        """Keep it. Raises `StorageError`."""
        self._known[outcome.key] = outcome
        if self._path is not None and not outcome.error:
            with storage(self._path), self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(outcome.to_dict(), ensure_ascii=True) + "\n")


def _read(path: Path) -> dict[str, Outcome]:
    if not path.exists():
        with storage(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        return {}
    names = {one.name for one in fields(Outcome)}
    found: dict[str, Outcome] = {}
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"the results in {path} cannot be read ({error}); name another file") from None
    whole = data.rfind(b"\n") + 1
    if whole < len(data):  # half a line, where the machine stopped: what is added must begin on a line of its own
        with storage(path), path.open("r+b") as file:
            file.truncate(whole)
    for number, line in enumerate(data[:whole].split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            one = Outcome(**{name: record[name] for name in names & record.keys()})
        except (ValueError, RecursionError, TypeError, AttributeError):
            raise InputError(f"{path}:{number} is no result of a needle test; name another file, or delete this one") from None
        found[one.key] = one
    return found
