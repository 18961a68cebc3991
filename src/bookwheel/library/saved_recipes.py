"""A library's saved recipes, in a file beside its manifest."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .._errors import LibraryDamaged, RecipeError
from ..index.plain_files import read_plain
from ..index.sealed import seal, unseal
from ..index.storage import readable, replace_file, storage
from ..rank.named import RECIPES
from ..rank.parse import parse_recipe
from ..rank.recipe import Recipe, Retrieve
from ..rank.stages.registry import stage_names
from .lock import briefly_locked

__all__ = [
    "FILE",
    "names_saved",
    "read_evidence",
    "read_recipes",
    "recipes_are_missing",
    "refuse_name",
    "remove_recipe",
    "save_recipe",
]

FILE = "recipes.json"
LOCK = FILE + ".lock"
"""Not empty once recipes were saved, so that it is told when they are gone."""
MOST = 1000
_NAMES = re.compile(r"[^\W\d]\w*")
_NONE: Mapping[str, str] = MappingProxyType({})


def read_recipes(library: Path) -> Mapping[str, str]:
    """Name and text of each recipe saved in ``library``. Raises
    `LibraryDamaged` if the file cannot be read.
    """
    path = library / FILE
    try:
        state = path.lstat()
    except OSError:
        return _NONE
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> Mapping[str, str]:
    return MappingProxyType(_table(path))


def _table(path: Path) -> dict[str, str]:
    try:
        with readable(path):
            table = unseal(read_plain(path))[0]["recipes"]
        if not all(isinstance(key, str) and isinstance(value, str) for key, value in table.items()):
            raise TypeError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        reason = "" if isinstance(error, KeyError | AttributeError | TypeError) else f" ({error})"
        raise LibraryDamaged(f"the recipes in {path} cannot be read{reason}; delete the file and save them again") from None
    return dict(table)


def read_evidence(library: Path) -> dict[str, dict[str, Any]]:
    """What a saved recipe was chosen by, by its name: only where that recipe is still the one saved."""
    try:
        found = unseal(read_plain(library / FILE))[0].get("evidence", {})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}  # `read_recipes` tells of damage
    table = read_recipes(library)
    kept = found.items() if isinstance(found, dict) else ()
    return {name: one["facts"] for name, one in kept if isinstance(one, dict) and one.get("recipe") == table.get(name, "")}


def recipes_are_missing(library: Path) -> bool:
    """Whether recipes were saved in ``library`` and their file is gone."""
    try:
        return (library / LOCK).lstat().st_size > 0 and not (library / FILE).exists()
    except OSError:
        return False


def names_saved(text: str, saved: Mapping[str, str]) -> bool:
    """Whether a recipe's ``text`` names one of the ``saved`` recipes."""
    return not saved.keys().isdisjoint(_NAMES.findall(text))


def uses_saved(text: str, name: str, saved: Mapping[str, str]) -> bool:
    """Whether ``text`` is another recipe, or none, without the saved one called ``name``; a word of a path is no name."""
    if name not in saved or not names_saved(text, {name: saved[name]}):
        return False
    try:
        return parse_recipe(text, {key: one for key, one in saved.items() if key != name}) != parse_recipe(text, saved)
    except RecipeError:
        return True


def refuse_name(name: str, taken: Collection[str]) -> None:
    """Raise `RecipeError` for a name under which no recipe can be saved; ``taken``: names of the library's encoders."""
    Retrieve(name)  # refuses what is not a plain name
    if name in RECIPES or name in taken or name in stage_names():
        raise RecipeError(f"{name!r} is already the name of a recipe, retriever or stage; choose another name")


def save_recipe(
    library: Path, name: str, recipe: Recipe, taken: Mapping[str, str], evidence: Mapping[str, Any] | None = None
) -> None:
    """Save ``recipe`` under ``name``, with the ``evidence`` for it (plain values, as JSON has them).

    ``taken``: names of the library's encoders. The recipe is saved in full, with the names in it
    replaced, so that it does not change when another recipe does. Raises `RecipeError` for an
    unusable name.
    """
    refuse_name(name, taken)
    with _changed(library, name, evidence) as table:
        if len(table) >= MOST and name not in table:
            raise RecipeError(f"a library can have at most {MOST} saved recipes; remove one first")
        table[name] = str(recipe)


def remove_recipe(library: Path, name: str) -> None:
    """Remove the recipe saved under ``name``. Raises `RecipeError` if there is none."""
    with _changed(library) as table:
        if name not in table:
            raise RecipeError(f"the library has no saved recipe {name!r}; its saved recipes are: {', '.join(table) or 'none'}")
        del table[name]


@contextmanager
def _changed(library: Path, name: str = "", evidence: Mapping[str, Any] | None = None) -> Iterator[dict[str, str]]:
    """The recipes, to be changed in place: nobody else changes them meanwhile, and they are saved at the end.

    ``evidence`` is that of the recipe ``name``, as it is at the end.
    """
    path = library / FILE
    lock = path.with_name(LOCK)
    with storage(library), briefly_locked(lock):
        table = _table(path)
        facts = {key: {"recipe": table[key], "facts": value} for key, value in read_evidence(library).items()}
        yield table
        if evidence is not None:
            facts[name] = {"recipe": table[name], "facts": json.loads(json.dumps(evidence))}
        facts = {key: value for key, value in facts.items() if table.get(key) == value["recipe"]}
        replace_file(path, seal({"recipes": table, **({"evidence": facts} if facts else {})}))
        if not lock.stat().st_size:
            lock.write_bytes(b"saved")
