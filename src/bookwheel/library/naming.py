"""What people call documents by: an id, the path of a file, ``path::id``, or a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import product

from .._errors import InputError
from .store import Store, other_spellings

__all__ = ["JOINT", "addresses", "ambiguous", "below", "find", "is_name", "shared_ids", "spelled_otherwise"]

JOINT = "::"
"""Between the path of a file and the id of a document in it, where other files have the same id."""
_NAMED = 3
_PAIRS = 3
"""Pairs of files that are named at the end of a run; more are counted."""


def is_name(name: object) -> bool:
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
    return [path, whole] if is_name(whole) else [path]


def find(store: Store, generation: int, name: str) -> list[int]:
    """Numbers of the documents with the id ``name``, from the file of that path, or with the id in the file: ``path::id``.

    Those that are spelled otherwise (é as one character or as two) only where none are called exactly so.
    """
    if not is_name(name):
        return []
    return _exact(store, generation, name) or sorted(
        {number for some in _otherwise(store, generation, name) for number in some}
    )


def below(store: Store, generation: int, name: str) -> list[int]:
    """Numbers of the documents from files in the folder or archive ``name``, which need not be there any more.

    As in `find`, of a folder that is spelled otherwise only where there are none in this one.
    """
    if not is_name(name) or not name:
        return []
    folder = _paths(name)[-1]
    return store.inside(generation, folder) or sorted(
        {number for other in other_spellings(folder) for number in store.inside(generation, other)}
    )


def addresses(store: Store, generation: int, name: str) -> list[str]:
    """``path::id`` for each file with a document of the id ``name``, where there are several; none where it is clear."""
    if not is_name(name):
        return []
    pairs = store.paths_with(generation, [name])
    if not pairs and (other := other_spellings(name)) and not _exact(store, generation, name):
        pairs = store.paths_with(generation, other)
    return [f"{path}{JOINT}{called}" for path, called in pairs] if len(pairs) > 1 else []


def spelled_otherwise(store: Store, generation: int, name: str) -> bool:
    """Whether ``name`` is only another spelling of what several documents, files or folders are called."""
    if not is_name(name) or _exact(store, generation, name):
        return False
    if others := _otherwise(store, generation, name):
        return len(others) > 1
    folder = _paths(name)[-1]
    if store.inside(generation, folder):
        return False
    return sum(bool(store.inside(generation, other)) for other in other_spellings(folder)) > 1


def _exact(store: Store, generation: int, name: str) -> list[int]:
    """Numbers of the documents that are called exactly ``name``, in each of the ways of `find`."""
    for called in _paths(name):
        if found := store.named(generation, [called]):
            return found
    for path, identifier in _parted(name):
        for called in _paths(path):
            if found := store.named_in(generation, [called], [identifier]):
                return found
    return []


def _otherwise(store: Store, generation: int, name: str) -> list[list[int]]:
    """Numbers of the documents that are called ``name`` but for the spelling: a list for each spelling that some have."""
    if not other_spellings(name):
        return []
    for called in _paths(name):
        others = other_spellings(called)
        if store.named(generation, others):
            return [found for one in others if (found := store.named(generation, [one]))]
    for path, identifier in _parted(name):
        names = other_spellings(identifier)
        for called in _paths(path):
            others = other_spellings(called)
            # The path may be spelled in one way, the id in another: rather this file than another one.
            for some, ids in (([called], names), (others, [identifier]), (others, names)):
                if store.named_in(generation, some, ids):
                    pairs = product(some, ids)
                    return [found for one, other in pairs if (found := store.named_in(generation, [one], [other]))]
    return []


def _parted(name: str) -> Iterator[tuple[str, str]]:
    """The paths and ids that ``name`` may be put together from."""
    at = name.find(JOINT)
    while at >= 0:
        yield name[:at], name[at + len(JOINT) :]
        at = name.find(JOINT, at + 1)


def ambiguous(name: str, several: Sequence[str]) -> str:
    """The sentence that ``name`` stands for several documents, with their `addresses`."""
    more = f" or {len(several) - _NAMED:,} more" if len(several) > _NAMED else ""
    files = len({one.rpartition(JOINT)[0] for one in several})
    where = f"in {files:,} files" if files > 1 else f"spelled in {len(several):,} ways"
    return f"the id {name!r:.80} is {where}; name one: {', '.join(several[:_NAMED])}{more}"


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
