"""A library to search made queries in: a copy without what the queries were made from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from ...library.copying import copy_library
from ...library.library import Library
from ...library.reader import Reader
from ...library.writer import writing
from ...progress import Progress, silent
from .collection import MadeCollection
from .masking import masked

__all__ = ["masked_library"]

AT_ONCE = 256


def masked_library(
    library: Reader, made: MadeCollection, folder: Path, names: Sequence[str] | None = None, *, progress: Progress = silent
) -> Library:
    """A copy of ``library`` at ``folder``, opened, in which the documents of ``made`` are those of the collection.

    Settings, encoders, vectors and recipes are the library's: only the documents that queries were made from are indexed and
    embedded anew, the latter by the encoders ``names``, or by all; others need not even be there. ``library`` must be of the
    generation that the queries were made from. Raises `StorageError`, `ModelError`, `BudgetError`.
    """
    copy_library(library, folder)
    numbers = sorted(made.taken)
    with writing(folder, library.ram) as writer:
        writer.remove(numbers)
    copied = Library(folder, ram=library.ram)
    try:
        changed = (number for number in numbers if not made.taken[number].whole)
        replaced = (masked(library.document(number), made.taken[number]) for number in changed)
        while some := list(islice(replaced, AT_ONCE)):
            copied.add(some, workers=1)
        added = [one.name for one in copied.encoders()]  # others than the one that indexing has
        if wanted := [name for name in added if names is None or name in names]:
            copied.embed(wanted, progress=progress)
    except BaseException:
        copied.close()
        raise
    return copied
