"""Finds a stage by its name: the module of that name in one of the folders here, imported when first asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from .base import Feedback, Rerank, Rewrite, Search, Stage

__all__ = ["find_stage", "stage_names"]

FOLDERS = ("fuse", "rewrite", "feedback", "rerank")
_KINDS = (Rewrite, Feedback, Rerank, Search)


@cache
def _places() -> dict[str, str]:
    """Name of each stage to its folder."""
    here = Path(__file__).parent
    return {file.stem: folder for folder in FOLDERS for file in (here / folder).glob("[a-z]*.py")}


@cache
def stage_names() -> tuple[str, ...]:
    """The names of all stages, sorted."""
    return tuple(sorted(_places()))


@cache
def find_stage(name: str) -> type[Stage] | None:
    """The stage called ``name``; None where there is none."""
    if name not in _places():
        return None
    module = import_module(f".{_places()[name]}.{name}", __package__)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, _KINDS) and value.__module__ == module.__name__ and value.name == name:
            return value
    return None
