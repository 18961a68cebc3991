"""Models that are on this machine and not yet in the library: added to a copy of it, and embedded in steps.

Encoders of all sizes compared on one's own queries: Luo et al., "Large Language Models as Foundations for Next-Gen Dense Retrieval: A
Comprehensive Empirical Assessment" (2024). In part: those that are there are compared, none is trained. Representations in different
bits compared under one limit of bytes: Zhang et al., "Experimental Analysis of Large-scale Learnable Vector Storage Compression"
(2023). In part: of the methods that they compare the number of bits of token vectors alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from keyword import iskeyword
from pathlib import Path
from shlex import quote

from ...encode.catalogue import OTHERS, ModelEntry, catalogue
from ...encode.find import BUILT_IN_MODELS
from ...library.copying import copy_library
from ...library.library import open_library
from ...library.reader import Reader
from ...library.settings import RESERVED
from ...rank.stages.rerank.late import Late
from ..design import Design, even
from .variant import Built, Left

__all__ = ["Model", "models_of"]

SHARES = (0.25, 1.0)
"""Of the passages: the most useful quarter, as `bookwheel embed` orders them, and all."""
WEIGHTS = (3, 5, 7)
"""Of the new model in a fusion with what is there, in tenths."""
LATE = ((30, 1.0), (30, 0.5), (100, 0.5))
"""Candidates and weight of token vectors."""
FEW = 500
"""Passages below which shares are not worth telling apart."""


class Model:
    """The library of ``reader`` with the vectors of one model more; of token vectors with so many bits a dimension."""

    def __init__(self, reader: Reader, entry: ModelEntry, name: str, bits: int | None, digest: str) -> None:
        self.reader, self.entry, self.name, self.bits = reader, entry, name, bits
        self.label = f"model {entry.name}" + (f" with {bits} bits" if bits else "")
        self.key = f"{self.label} as {name}, {digest}"  # another one may lie in the same folder later

    def estimate(self) -> float:
        """See `Variant.estimate`. Of all passages."""
        words = self.reader.settings.words if self.reader.settings.unit == "passage" else 150
        rate = self.entry.passages_per_second or 1.0
        return 1 + self.reader.passage_count / rate * max(1.0, words / 100)

    def build(self, folder: Path, left: Left) -> Iterator[Built]:
        """See `Variant.build`. One copy, embedded as far as each of `SHARES` and the time go."""
        copy_library(self.reader, folder / "library")
        passages = self.reader.passage_count
        done, seconds = 0, 0.0
        with open_library(folder / "library") as library:
            library.add_encoder(self.name, self.entry.folder, kind=self.entry.kind, bits=self.bits)
            for share in SHARES if passages >= FEW else SHARES[-1:]:
                wanted = round(share * passages) - done
                if (minutes := left() / 60) <= 0 or wanted <= 0:
                    return
                started = time.monotonic()
                (status,) = library.embed(self.name, passages=wanted, minutes=minutes)
                seconds += time.monotonic() - started
                done = status.embedded
                yield Built(folder / "library", done / passages, seconds)
                if done < round(share * passages):
                    return

    def designs(self, own: Design) -> Sequence[Design]:
        """Alone, and beside what is there in a few weights; token vectors rerank."""
        if self.entry.kind == "tokens":
            return [own.change(rerank=Late(candidates, self.name, weight)) for candidates, weight in LATE]
        alone = own.change(parts=(self.name,), weights=even(1), candidates=None, rewrite=None, feedback=None, rerank=None)
        total = sum(own.weights)
        mixed = []
        for weight in WEIGHTS:
            rest = [round(100 * (10 - weight) * one / total) for one in own.weights]
            mixed.append(own.change(parts=(*own.parts, self.name), weights=(*rest, 100 * weight)))
        return [alone, *mixed]

    def commands(self, library: str, recipe: str, share: float) -> tuple[str, ...]:
        """See `Variant.commands`."""
        kind = "" if self.entry.kind == "dense" else f" --kind {self.entry.kind}"
        bits = "" if self.bits is None else f" --bits {self.bits}"
        some = "" if share >= 1 else f" --passages {round(share * self.reader.passage_count)}"
        return (
            f"bookwheel encoders add {quote(f'{self.name}={self.entry.name}')} --library {quote(library)}{kind}{bits}",
            f"bookwheel embed {self.name} --library {quote(library)}{some}",
            f"bookwheel configure --library {quote(library)} --recipe {quote(recipe)}",
        )


def models_of(reader: Reader, folders: Sequence[str], taken: Mapping[str, str]) -> tuple[list[Model], list[str]]:
    """The models of this machine and of ``folders`` that the library has not added, and why others cannot be used.

    ``taken``: the representations that there are. Nothing is downloaded. The speed of a model that was never measured here is
    measured, in about a second.
    """
    added = {one.info.sha256 for one in reader._snapshot.manifest.representations}
    found: list[Model] = []
    problems: list[str] = []
    names = set(taken)
    for entry in catalogue([Path(folder) for folder in folders]):
        if entry.name in BUILT_IN_MODELS or entry.kind in OTHERS:
            continue
        if entry.problem:
            problems.append(f"{entry.name} cannot be used: {entry.problem}")
            continue
        name = _free_name(entry.name, names)
        names.add(name)
        if (digest := _digest(entry)) not in added:
            found += [Model(reader, entry, name, bits, digest) for bits in ((2, 1, 4) if entry.kind == "tokens" else (None,))]
    return found, problems


def _digest(entry: ModelEntry) -> str:
    from ...encode.load import load_encoder

    return str(load_encoder(entry.folder, entry.kind, download=False).sha256)


def _free_name(model: str, taken: set[str]) -> str:
    """A name for recipes made of a model's: its last part, letters and digits alone."""
    base = re.sub(r"[^A-Za-z0-9]+", "_", model.rstrip("/").rsplit("/", 1)[-1]).strip("_").lower()[:30] or "model"
    base = base if base[0].isalpha() and not iskeyword(base) and base not in RESERVED else f"m_{base}"
    number, name = 1, base
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name
