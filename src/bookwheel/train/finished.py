"""A run that was finished before: what its model's folder says of it, so that the same call takes the model instead of training anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from .._errors import LibraryDamaged
from ..index.plain_files import read_plain
from .result import Training

__all__ = ["FILE", "finished", "recorded", "restored"]

FILE = "training.json"
LARGEST = 1 << 27
"""Bytes of it that are read."""

Result = TypeVar("Result", bound=Training)


def recorded(found: Training, run: str) -> str:
    """What goes into `FILE` of the model's folder; ``run``: the name of what was kept of the run, which tells it from every other."""
    return json.dumps({**found.to_dict(), "run": run}, indent=1)


def finished(folder: Path, run: str) -> dict[str, Any] | None:
    """What ``folder`` says of this ``run``; None where it holds something else, or nothing that can be read."""
    try:
        known = json.loads(read_plain(folder / FILE, LARGEST))
    except (LibraryDamaged, OSError, ValueError, RecursionError):
        return None
    return known if isinstance(known, dict) and known.get("run") == run else None


def restored(kind: type[Result], known: Mapping[str, Any]) -> Result | None:
    """The result of which ``known`` is what `recorded` wrote; None where it is not one of this ``kind``."""
    try:
        found: Result = _typed(kind, known)
    except (KeyError, TypeError, ValueError):
        return None
    return found


def _typed(kind: Any, value: Any) -> Any:
    """``value``, as JSON has it, as what an annotation says. Raises `KeyError`, `TypeError`, `ValueError`."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints, names = get_type_hints(kind), [one.name for one in fields(kind) if one.name != "memory_plan"]
        return kind(**{name: _typed(hints[name], value[name]) for name in names})
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return None if value is None else _typed(next(one for one in inner if one is not type(None)), value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(value)
        each = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(_typed(one, part) for one, part in zip(each, value, strict=True))
    if origin is dict:
        return {str(name): _typed(inner[1], one) for name, one in value.items()}
    if not isinstance(value, (int, float) if kind is float else kind):
        raise TypeError(value)
    return value
