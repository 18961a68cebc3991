"""Finds a stage by its name: the module of that name in one of the four folders here, imported when
it is first needed.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from .base import Feedback, Rerank, Rewrite, Search, Stage

__all__ = ["find_stage", "stage_names"]

_KINDS: dict[str, type[Stage]] = {"fuse": Search, "rewrite": Rewrite, "feedback": Feedback, "rerank": Rerank}
"""Each folder with the kind of its stages."""


@cache
def _folders() -> dict[str, str]:
    """The name of each stage with its folder."""
    found = {}
    for folder in _KINDS:
        for place in import_module(f".{folder}", __package__).__path__:
            found.update({file.stem: folder for file in Path(place).glob("[a-z]*.py")})
    return found


@cache
def stage_names() -> tuple[str, ...]:
    """The names of all stages, sorted."""
    return tuple(sorted(_folders()))


@cache
def find_stage(name: str) -> type[Stage] | None:
    """The class of the stage called ``name``; None if there is no such stage."""
    if name not in _folders():
        return None
    folder = _folders()[name]
    kind, module = _KINDS[folder], import_module(f".{folder}.{name}", __package__)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, kind) and value.name == name and value.__module__ == module.__name__:
            return value
    return None
