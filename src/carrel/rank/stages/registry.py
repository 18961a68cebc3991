"""Finds a stage by its name: the module of that name in this folder. Nothing is imported before a recipe asks for it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from .base import Feedback, Rerank, Rewrite, Search, Stage

__all__ = ["find_stage", "stage_names"]

_OTHERS = ("__init__", "base", "making", "registry")
_KINDS = (Rewrite, Feedback, Rerank, Search)


@cache
def stage_names() -> tuple[str, ...]:
    """The names of all stages, sorted."""
    return tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.py") if _names(file.stem)))


@cache
def find_stage(name: str) -> type[Stage] | None:
    """The stage called ``name``; None where there is none."""
    if name not in stage_names():
        return None
    module = import_module(f".{name}", __package__)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, _KINDS) and value.__module__ == module.__name__ and value.name == name:
            return value
    return None


def _names(stem: str) -> bool:
    return not stem.startswith("_") and stem not in _OTHERS
