"""The teachers by name, and several of them as one."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import UsageError
from ...encode.catalogue import kind_of_folder
from ...encode.find import find_folder
from ...encode.load import load_encoder
from ...encode.protocols import DenseEncoder
from ...encode.static.built_in import StaticEncoder
from ...encode.static.lookup import LookupEncoder
from ...library.reader import Reader
from ...library.vectors.encoders import BUILT_IN
from .protocols import Teacher
from .vectors import DenseTeacher, SparseTeacher

__all__ = ["SPREAD", "Named", "Together", "dense_teacher", "teacher_of"]

Named = str | Path | Sequence[str | Path] | None
"""One teacher, several whose scores are added, or none."""
WORDS, LIKELIHOOD, CROSS = "bm25", "likelihood=", "cross-encoder"
SPREAD = 0.1
"""The standard deviation that scores which are no cosines get over a query's texts: about that of an encoder's cosines."""


def teacher_of(library: Reader, named: Named) -> Teacher | None:
    """What teaches: each of ``named`` is ``bm25``, ``likelihood=MODEL`` (a language model), an encoder of ``library``, or the folder or
    package of a dense or sparse encoder or of a cross-encoder. None where none is named.

    Raises `UsageError` for a static model, `ModelError`.
    """
    every = [] if named is None else [named] if isinstance(named, str | Path) else list(named)
    found = [_one(library, str(one)) for one in every]
    if not found:
        return None
    repeated = [one.name for at, one in enumerate(found) if one.sha256 in [other.sha256 for other in found[:at]]]
    if repeated:
        raise UsageError(f"the teacher {repeated[0]} is named twice; name each once")
    return found[0] if len(found) == 1 and found[0].cosines else Together(found)


def dense_teacher(library: Reader, named: str | Path) -> DenseEncoder:
    """The dense encoder ``named``: one of the library, a folder or a package. Raises `UsageError` for another or a static one,
    `ModelError`.
    """
    kind, found = _looked_up(library, str(named))
    if kind != "dense":
        raise UsageError(f"{named} is a {kind} model, and only a dense encoder teaches this; name one")
    _require_layers(found, str(named))
    encoder: DenseEncoder = found
    return encoder


def _one(library: Reader, named: str) -> Teacher:
    if named == WORDS:
        from .words import WordTeacher

        return WordTeacher(library)
    if named.startswith(LIKELIHOOD):
        from .pairs import LikelihoodTeacher

        return LikelihoodTeacher(named.removeprefix(LIKELIHOOD))
    kind, found = _looked_up(library, named)
    if kind == CROSS:
        from .pairs import CrossTeacher

        return CrossTeacher(found)
    return _encoder(found, kind, named)


def _looked_up(library: Reader, named: str) -> tuple[str, Any]:
    """The kind of a model and its encoder; of a cross-encoder its folder."""
    if named == BUILT_IN:  # a library calls its built-in model so, which is no name that a model is found by
        raise _nothing_to_teach(named)
    known = library._snapshot.manifest.representation(named)
    if known is not None:
        return known.kind, library._encoders.encoder(known)
    if named.startswith(("http://", "https://")):
        return "dense", load_encoder(named)
    folder = find_folder(named)
    kind = kind_of_folder(folder)
    return kind, folder if kind == CROSS else load_encoder(named, kind)


def _encoder(encoder: Any, kind: str, named: str) -> Teacher:
    _require_layers(encoder, named)
    name = Path(named).resolve().name if Path(named).exists() else named
    if kind == "sparse":
        return SparseTeacher(encoder, name)
    if kind != "dense":
        raise UsageError(
            f"{named} gives {kind} vectors, whose scores are not taught; name a dense or sparse encoder, or a cross-encoder"
        )
    return DenseTeacher(encoder, name)


def _require_layers(encoder: Any, named: str) -> None:
    if isinstance(encoder, StaticEncoder | LookupEncoder):
        raise _nothing_to_teach(named)


def _nothing_to_teach(named: str) -> UsageError:
    return UsageError(f"{named} is a static model, which has nothing to teach another; name a transformer")


class Together:
    """The sum of what several say, or one whose scores are no cosines: standardised for each query, so that each counts as much.

    A query's scores have a mean of 0 and a standard deviation of `SPREAD`. See `Teacher`.
    """

    cosines = False

    def __init__(self, teachers: Sequence[Teacher]) -> None:
        self._teachers = teachers
        self.name = " + ".join(one.name for one in teachers)
        self.sha256 = hashlib.sha256("\n".join(one.sha256 for one in teachers).encode()).hexdigest()
        self.quick = all(one.quick for one in teachers)

    def scores(self, queries: Sequence[str], texts: Sequence[str], which: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        total = np.zeros(len(which), np.float32)
        for one in self._teachers:
            total += _standardised(one.scores(queries, texts, which), which[:, 0], len(queries))
        return np.float32(SPREAD) * _standardised(total, which[:, 0], len(queries))


def _standardised(scores: NDArray[np.float32], owner: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """With a mean of 0 and a deviation of 1 among those of each of ``count`` owners; 0 where all are equal."""
    each = np.maximum(1, np.bincount(owner, minlength=count))
    away = scores - (np.bincount(owner, scores, count) / each)[owner]
    deviation = np.sqrt(np.bincount(owner, away**2, count) / each)[owner]
    found: NDArray[np.float32] = np.where(deviation > 1e-6, away / np.maximum(deviation, 1e-6), 0).astype(np.float32)
    return found
