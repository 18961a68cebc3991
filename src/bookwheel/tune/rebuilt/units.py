"""Other units of retrieval and other lengths of passages: the documents indexed once more into a library of their own.

Which length serves best is for the collection to say; neither words nor whole texts, in Hill et al., "The Goldilocks Principle:
Reading Children's Books with Explicit Memory Representations" (2015). In part: lengths are compared, the memory network that reads
them is not here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from shlex import quote

from ..._errors import LibraryDamaged
from ...library.library import open_library
from ...library.reader import Reader
from ...library.settings import Settings
from ..design import Design
from ..made.collection import documents
from .variant import Built, Left

__all__ = ["Unit", "units_of"]

LENGTHS = (60, 120, 240, 480)
"""Words of a passage that are tried: half, once, twice and four times what is usual."""
CHARACTERS = 1_000_000.0
"""That are indexed in a second, cautiously."""
SAMPLE = 50
"""Documents whose length tells that of all."""
KEPT = ("language", "encoder", "k1", "b", "seed", "analyzer")
"""Settings that stay as they are."""


class Unit:
    """The library of ``reader`` with another unit, or passages of another length."""

    def __init__(self, reader: Reader, unit: str, words: int, characters: float) -> None:
        self.reader, self.unit, self.words, self.characters = reader, unit, words, characters
        self.key = self.label = f"unit {unit}" + (f" of {words} words" if unit == "passage" else "")

    def estimate(self) -> float:
        """See `Variant.estimate`."""
        return 1 + self.characters / CHARACTERS

    def build(self, folder: Path, left: Left) -> Iterator[Built]:
        """See `Variant.build`."""
        started = time.monotonic()
        settings = self.reader.settings
        kept = {name: getattr(settings, name) for name in KEPT}
        with open_library(folder / "library", create=True, unit=self.unit, words=self.words, **kept) as library:
            library.add(documents(self.reader, {}), workers=1)
        yield Built(folder / "library", 1.0, time.monotonic() - started)

    def designs(self, own: Design) -> Sequence[Design]:
        """The library's best, as it is."""
        return [own]

    def commands(self, library: str, recipe: str, share: float) -> tuple[str, ...]:
        """See `Variant.commands`."""
        settings, usual = self.reader.settings, Settings()
        given = f" --unit {self.unit}" + (f" --words {self.words}" if self.unit == "passage" else "")
        for name in ("language", "encoder", "k1", "b"):
            if (value := getattr(settings, name)) != getattr(usual, name):
                given += f" --{name} {quote('none' if value is None else str(value))}"
        new = f"{library.rstrip('/')}-{self.unit}" + (f"-{self.words}" if self.unit == "passage" else "")
        return (
            f"bookwheel export --library {quote(library)} documents.jsonl",
            f"bookwheel index documents.jsonl --library {quote(new)}{given}",
            f"bookwheel configure --library {quote(new)} --recipe {quote(recipe)}",
        )


def units_of(reader: Reader) -> list[Unit]:
    """The other units and lengths that would differ: none where documents are shorter than a passage would be."""
    settings = reader.settings
    numbers = list(reader._snapshot.store.numbers(reader._snapshot.generation))
    lengths, words = [], []
    for number in numbers[:: -(-len(numbers) // SAMPLE) or 1]:
        try:
            text = reader.document(number).text
        except (LibraryDamaged, KeyError):
            continue
        lengths.append(len(text))
        words.append(len(text.split()))
    if not lengths:
        return []
    characters = len(numbers) * sum(lengths) / len(lengths)
    longest = sorted(words)[int(0.9 * (len(words) - 1))]
    found = [("document", settings.words), ("sentence", settings.words)]
    found += [("passage", length) for length in LENGTHS if length < longest]
    own = (settings.unit, settings.words)
    others = [one for one in found if one != own and (one[0] == "passage" or one[0] != settings.unit)]
    return [Unit(reader, unit, length, characters) for unit, length in others]
