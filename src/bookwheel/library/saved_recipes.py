"""The recipes that a library keeps under a name, in a file beside its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from .._errors import LibraryDamaged, RecipeError
from ..index.storage import replace_file, storage
from ..rank.named import RECIPES
from ..rank.recipe import Recipe, Retrieve
from ..rank.stages.registry import stage_names
from .lock import briefly_locked
from .sweeping import refuse_link

__all__ = ["FILE", "read_recipes", "save_recipe"]

FILE = "recipes.json"
MOST = 1000
_NONE: Mapping[str, str] = MappingProxyType({})


def read_recipes(library: Path) -> Mapping[str, str]:
    """Name to text of each recipe kept in ``library``. Raises `LibraryDamaged` for a file that is no such table."""
    path = library / FILE
    try:
        state = path.stat()
    except OSError:
        return _NONE
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, changed: int, size: int) -> Mapping[str, str]:
    return MappingProxyType(_table(path))


def _table(path: Path) -> dict[str, str]:
    try:
        refuse_link(path)
        table = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(key, str) and isinstance(value, str) for key, value in table.items()):
            raise TypeError
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError, RecursionError):
        raise LibraryDamaged(f"{path} is not a table of recipes; remove it, and save the recipes again") from None
    return dict(table)


def save_recipe(library: Path, name: str, recipe: Recipe | None, taken: Mapping[str, str]) -> None:
    """Keep ``recipe`` under ``name``, or forget the name where it is None.

    ``taken``: names of the library's representations. The text kept is the canonical one, so that it does not change
    when another name's recipe does. Raises ``RecipeError`` for a name that cannot be one.
    """
    with storage(library), briefly_locked(library / (FILE + ".lock")):
        table = dict(_table(library / FILE))
        if recipe is None:
            if name not in table:
                raise RecipeError(f"the library keeps no recipe {name!r}; it keeps {', '.join(table) or 'none'}")
            del table[name]
        else:
            Retrieve(name)  # refuses what is no plain name
            if name in RECIPES or name in taken or name in stage_names():
                raise RecipeError(f"{name!r} is the name of a recipe, retriever or stage already; choose another")
            if len(table) >= MOST and name not in table:
                raise RecipeError(f"the library keeps {MOST} recipes, which is the most; forget one first")
            table[name] = str(recipe)
        replace_file(library / FILE, json.dumps(table, indent=1, ensure_ascii=False).encode())
