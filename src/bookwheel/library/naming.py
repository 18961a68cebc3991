"""What people call documents by: an id, the path of a file, ``path::id``, or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from .._errors import InputError
from .store import Store

__all__ = ["JOINT", "addresses", "ambiguous", "below", "find", "shared_ids"]

JOINT = "::"
"""Between the path of a file and the id of a document in it, where other files have the same id."""
_NAMED = 3
_PAIRS = 3
"""Pairs of files that are named at the end of a run; more are counted."""


def _storable(name: object) -> bool:
    """Whether a document or file can have this name. Raises `InputError` for what is no string."""
    if not isinstance(name, str):
        raise InputError(f"a document's id is a string, not {name!r:.80} ({type(name).__name__})")
    try:
        name.encode()
    except UnicodeEncodeError:  # half a character: no id has one
        return False
    return "\0" not in name  # no id has one, and no path


def _paths(path: str) -> list[str]:
    """``path`` as it is, and the whole one that it stands for here, as `documents.paths.walk` names files."""
    whole = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111
    return [path, whole] if _storable(whole) else [path]


def find(store: Store, generation: int, name: str) -> list[int]:
    """Numbers of the documents with the id ``name``, from the file of that path, or with the id in the file: ``path::id``."""
    if not _storable(name):
        return []
    for called in _paths(name):
        if found := store.find(generation, called):
            return found
    at = name.find(JOINT)
    while at >= 0:
        path, identifier = name[:at], name[at + len(JOINT) :]
        for called in _paths(path):
            if found := store.find_in(generation, called, identifier):
                return found
        at = name.find(JOINT, at + 1)
    return []


def below(store: Store, generation: int, name: str) -> list[int]:
    """Numbers of the documents from files in the folder or archive ``name``, which need not be there any more."""
    return store.find_below(generation, _paths(name)[-1]) if _storable(name) and name else []


def addresses(store: Store, generation: int, name: str) -> list[str]:
    """``path::id`` for each file with a document of the id ``name``, where there are several; none where it is clear."""
    if not _storable(name):
        return []
    paths = store.paths_with(generation, name)
    return [f"{path}{JOINT}{name}" for path in paths] if len(paths) > 1 else []


def ambiguous(name: str, several: Sequence[str]) -> str:
    """The sentence that ``name`` stands for documents in several files, with their `addresses`."""
    more = f" or {len(several) - _NAMED:,} more" if len(several) > _NAMED else ""
    return f"the id {name!r:.80} is in {len(several):,} files; name one: {', '.join(several[:_NAMED])}{more}"


def shared_ids(store: Store, since: int) -> Iterator[str]:
    """One sentence, if any, for all files that got documents after generation ``since`` with ids that others have too."""
    pairs = store.shared_ids(since)
    if not pairs:
        return
    shown = [
        f"{f'the id {name!r:.80} is' if count == 1 else f'{count:,} ids, {name!r:.80} among them, are'} "
        f"in {_label(one)} and in {_label(other)}"
        for one, other, count, name in pairs[:_PAIRS]
    ]
    more = f", and {len(pairs) - _PAIRS:,} more pairs of files have ids in common" if len(pairs) > _PAIRS else ""
    one, _, _, name = pairs[0]
    yield f"{', '.join(shown)}{more}; call one document by {one + JOINT + name!r:.300}"


def _label(path: str) -> str:
    return "what a program added" if path == "-" else path
