"""Queries that training does not see, by which models are compared: made of the library, or judged by people."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path

from .._errors import InputError
from ..evaluate.collection import Collection
from ..library.library import Library
from ..progress import Progress
from ..tune.judged import judged_queries
from ..tune.made import MadeCollection, made_collection
from .data.sources import Source

__all__ = ["digest", "judged_part", "made_part", "shared"]


def made_part(library: Library, count: int, least: int, seed: int, progress: Progress) -> MadeCollection:
    """At most ``count`` queries made of ``library``. Raises `InputError` for fewer than ``least``."""
    made = made_collection(library, count, seed=seed, progress=progress)
    if (count_made := len(made.judged)) < least:
        some = f"{count_made} {'query' if count_made == 1 else 'queries'}"
        raise InputError(
            f"only {some} could be made of {library.path} to tell a better model from a worse one, and {least} are needed "
            f"({'; '.join(made.notes)}); index more documents, or longer ones"
        )
    return made


def judged_part(
    library: Library, collection: Collection, count: int, least: int, seed: int, share: float = 1.0
) -> MadeCollection:
    """At most ``count`` of the judged queries that ``library`` answers, and at most ``share`` of them, drawn.

    Nothing was made of the library for them, so nothing is taken out of it. Raises `InputError` for fewer than ``least``.
    """
    found = judged_queries(library, collection, seed)
    names = random.Random(seed).sample(sorted(found.queries), min(count, int(share * len(found.queries))))
    if len(names) < least:
        some = f"{len(names)} {'query' if len(names) == 1 else 'queries'}"
        raise InputError(
            f"{collection.name} has only {some} to compare models of {library.path} by, and {least} are needed; judge more, or compare by "
            "queries that are made of the library"
        )
    ids = {f"judged-{number}": name for number, name in enumerate(names, 1)}
    return MadeCollection(
        collection.name,
        {new: found.queries[old] for new, old in ids.items()},
        {new: dict(found.qrels[old]) for new, old in ids.items()},
        notes=found.notes,
    )


def digest(collection: Collection) -> str:
    """Tells other queries or judgments from the same ones."""
    told = json.dumps([dict(collection.queries), collection.qrels], sort_keys=True)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def shared(sources: Sequence[Source], folder: str | Path) -> bool:
    """Whether pairs come from the very queries that models are compared by, so that some must be left to train on."""
    own = Path(folder).expanduser().resolve()
    for one in sources:
        if one.name == "judgments" and Path(one.path).expanduser().resolve() == own:
            return not (own / "qrels" / "train.tsv").exists()
    return False
