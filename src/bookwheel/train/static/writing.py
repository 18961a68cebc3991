"""Writes a trained static model: the folder that every command takes, and its card."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...encode.static.built_in import StaticEncoder, write
from ..finished import FILE as RECORD
from ..finished import recorded
from ..folder import card, write_folder
from ..plot import FILE, training_svg
from .fit import FitOptions
from .result import StaticTraining
from .vocabulary import Vocabulary

__all__ = ["write_model"]

TAGS = ("static-embeddings", "feature-extraction", "sentence-similarity", "bookwheel")


def write_model(
    folder: Path,
    found: StaticTraining,
    vectors: NDArray[np.float32],
    vocabulary: Vocabulary,
    base: StaticEncoder,
    options: FitOptions,
    run: str,
) -> None:
    """Make ``folder`` of ``vectors`` (pieces, dimension), with what ``found`` says of them; ``run`` tells it from every other run.

    Raises `UsageError`, `StorageError`.
    """
    licence = str(base.description.get("licence", "")) or None
    about = {
        "licence": licence or "unknown",
        "source": f"{base.name} (sha256 {base.sha256[:12]}), fitted to a collection by bookwheel train static",
        "casing": "uncased",
        "fit": asdict(options),
    }
    name = folder.name
    says = (
        f"A static embedding model of {len(vocabulary.pieces):,} word pieces with {vectors.shape[1]} dimensions, fitted to one "
        f"collection. Use it with `bookwheel encoders replace dense={name}`, or `bookwheel index --encoder {name}`."
    )
    facts = {
        "started from": f"{base.name}, sha256 {base.sha256}",
        "teacher": found.teacher or "none: the collection alone",
        "data": f"{found.passages:,} passages of the library {Path(found.library).name}, {found.queries:,} titles and sentences "
        f"as queries, {found.new_words:,} new words; no judgments",
        "compared by": found.compared_by,
        "steps": f"{found.steps:,}, {found.share:.0%} of the way",
        "seed": found.seed,
        "seconds": round(found.seconds),
    }
    text = card(name, licence, TAGS, says, facts, found.verdict.rows(found.general))

    def written(part: Path) -> None:
        write(part, vectors, vocabulary.pieces, name=name, revision="1", **about)
        (part / FILE).write_text(training_svg(found), encoding="utf-8")
        (part / RECORD).write_text(recorded(found, run), encoding="utf-8")

    write_folder(folder, written, text)
