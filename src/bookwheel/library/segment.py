"""One immutable segment: the passages of some commit with every representation of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged
from ..analysis.analyzer import forget_stems
from ..analysis.library_analyzer import UNDECIDED, stemmed_as
from ..analysis.term_ids import LexicalEncoder, TermsByLanguage
from ..analysis.whole_forms import whole_forms
from ..analysis.words import WordTable
from ..encode.protocols import DenseEncoder
from ..index.dense import DenseBuilder, DenseIndex, open_dense
from ..index.inverted.bm25 import Bm25Index
from ..index.inverted.bm25_builder import Bm25Builder, Counted
from ..index.plain_files import refuse_link
from ..index.storage import REMEDY, ArrayFolder, FolderWriter
from ..kernels.bm25 import Bm25
from .manifest import SegmentEntry
from .settings import Settings
from .vectors.parts import Part, part_folders
from .workers.analysis import Analysed, forms_among, without
from .workers.pool import Terms

__all__ = ["FOREIGN", "SEGMENTS", "Segment", "SegmentBuilder", "array_folders", "bitmap", "checksum_of_lists"]

SEGMENTS = "segments"
TERM, PAIR = 400, 150
"""Bytes that a word not analysed yet takes as a term, and a byte of a long word as part of a pair of letters, until all is written."""
FOREIGN = "has a folder that is not this segment's, or not of this generation"
PIECES = 40
"""Bytes that the static encoder keeps of a word: which pieces it is made of."""
ROWS, SPARSE, DENSE = "rows", "sparse-bm25", "dense"


def bitmap(length: int, positions: NDArray[np.integer[Any]], value: bool) -> NDArray[np.uint64]:
    """Bits for ``length`` passages, ``value`` at ``positions`` and its opposite elsewhere: uint64 of shape (length / 64,)."""
    flags = np.full(-(-length // 64) * 64, not value, dtype=np.bool_)
    flags[positions] = value
    flags[length:] = False
    return np.packbits(flags, bitorder="little").view(np.uint64)


def array_folders(library: Path, entry: SegmentEntry, *, vectors: bool) -> list[Path]:
    """Every array folder of a segment; ``vectors``: whether the library has vectors made while indexing."""
    segment = library / SEGMENTS / entry.name
    folders = [segment / part for part in (ROWS, SPARSE, entry.impacts, *([DENSE] if vectors else []))]
    for added in entry.parts:
        folders += part_folders(segment / added.folder, added.folder.split("-", 1)[0])
    return folders


def checksum_of_lists(library: Path, entry: SegmentEntry, checksums: Mapping[Path, str]) -> str:
    """Of the lists of arrays in the folders of ``entry``, given the checksum of each folder's: 32 hexadecimal digits."""
    segment = library / SEGMENTS / entry.name
    lines = sorted(f"{folder.relative_to(segment).as_posix()} {one}" for folder, one in checksums.items())
    return hashlib.blake2b("\n".join([entry.name, *lines]).encode(), digest_size=16).hexdigest()


class Segment:
    """A finished segment, opened for reading."""

    def __init__(self, library: Path, entry: SegmentEntry, *, vectors: bool) -> None:
        """``vectors``: whether the library has vectors made while indexing. Raises `LibraryDamaged`."""
        self.entry = entry
        self.folder = library / SEGMENTS / entry.name
        refuse_link(self.folder.parent)
        refuse_link(self.folder)
        self.rows = ArrayFolder(self.folder / ROWS)
        self.ids: NDArray[np.int64] = self.rows.array("ids")
        """Passage ids, rising: int64 of shape (passages,)."""
        # All files at once, not when first used: a writer may delete what a later generation does not need.
        self._sparse = ArrayFolder(self.folder / SPARSE)
        self._impacts = ArrayFolder(self.folder / entry.impacts)
        self._dense = ArrayFolder(self.folder / DENSE) if vectors else None
        self.parts = [Part(self.folder, part) for part in entry.parts]

    def require_own_files(self) -> None:
        """Raise `LibraryDamaged` where a folder is that of another segment or generation."""
        lists = {folder.folder: folder.checksum for folder in self.folders()}
        if checksum_of_lists(self.folder.parents[1], self.entry, lists) != self.entry.lists:
            raise LibraryDamaged(f"{self.folder} {FOREIGN}; {REMEDY}")

    @cached_property
    def _first(self) -> int | None:
        """The first id where all others follow it without a gap, as long as nothing was removed; then no id need be read."""
        if not len(self.ids):
            return None
        first, last = map(int, self.rows.ends("ids"))
        return first if last - first + 1 == len(self.ids) else None

    def numbers(self, local: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """The ids of the passages at local positions."""
        ids: NDArray[np.int64] = self.ids[local] if self._first is None else np.asarray(local, np.int64) + self._first
        return ids

    def parts_of(self, key: str) -> list[Part]:
        """The parts of the representation ``key``."""
        return [part for part in self.parts if part.entry.key == key]

    @cached_property
    def sparse(self) -> Bm25Index:
        """The BM25 index."""
        return Bm25Index(self._sparse, self._impacts)

    @cached_property
    def dense(self) -> DenseIndex | None:
        """The dense index, where the library has one."""
        return None if self._dense is None else open_dense(self._dense)

    def folders(self) -> list[ArrayFolder]:
        """Every array folder of the segment."""
        folders = [self.rows, self._sparse, self._impacts, *([] if self._dense is None else [self._dense])]
        for part in self.parts:
            folders += part.folders()
        return folders

    def positions(self, ranges: NDArray[np.int64]) -> NDArray[np.int64]:
        """Local positions of the passages in ``ranges``, rows of (first id, number of ids)."""
        first = np.searchsorted(self.ids, ranges[:, 0])
        last = np.searchsorted(self.ids, ranges[:, 0] + ranges[:, 1])
        counts = last - first
        starts = np.repeat(first - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
        return starts + np.arange(counts.sum())

    def mask(self, ranges: NDArray[np.int64]) -> NDArray[np.uint64]:
        """A bitmap of the passages in ``ranges``, which do not overlap; takes two bytes a passage meanwhile."""
        length = len(self.ids)
        steps = np.zeros(-(-length // 64) * 64 + 1, np.int8)
        np.add.at(steps, np.searchsorted(self.ids, ranges[:, 0]), 1)
        np.subtract.at(steps, np.searchsorted(self.ids, ranges[:, 0] + ranges[:, 1]), 1)
        return np.packbits(np.cumsum(steps[:-1], dtype=np.int8).view(np.bool_), bitorder="little").view(np.uint64)

    def locate(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of ``ids`` are in this segment: their places in ``ids``, and their local positions."""
        if not len(self.ids):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        if self._first is not None:
            local = np.asarray(ids, np.int64) - self._first
            (here,) = np.nonzero((local >= 0) & (local < len(self.ids)))
            return here, local[here]
        local = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        (here,) = np.nonzero(self.ids[local] == ids)
        return here, local[here]


class SegmentBuilder:
    """Gathers passages into a new segment within bounded memory."""

    def __init__(
        self, library: Path, name: str, settings: Settings, encoder: DenseEncoder | None, impacts: str, bits: int = 1
    ) -> None:
        self.name = name
        self.impacts = impacts
        self.folder = library / SEGMENTS / name
        self.bm25 = Bm25(settings.k1, settings.b)
        self.encoder = encoder
        self.passages = 0
        self._undecided = 0
        self._followed: str | None = None
        self._measured: int | None = None
        self._table = WordTable()
        self._is_form = np.empty(0, np.bool_)
        """Of each word of the table, whether it is a whole form."""
        self._lexical = LexicalEncoder(TermsByLanguage(settings.fixed_analyzer))
        self._by_language = settings.fixed_analyzer is None
        self._sparse = Bm25Builder()
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._numbers: dict[int, tuple[Terms, int, NDArray[np.int32]]] = {}
        """Of each worker's terms, by their place there, the number here."""
        self._rows = FolderWriter(self.folder / ROWS)
        self._ids = self._rows.stream("ids", np.int64)
        self._dense = DenseBuilder(self.folder / DENSE, encoder.dimension, seed=settings.seed, bits=bits) if encoder else None

    @property
    def nbytes(self) -> int:
        """Memory held at present, and what closing takes besides."""
        if self._measured is None:  # asked for at each document, changed by a batch of them
            self._measured = self._measure()
        return self._measured

    def _measure(self) -> int:
        held = self._sparse.nbytes + self._table.nbytes + self._lexical.nbytes + PIECES * len(self._table)
        if not self._waiting:
            return held
        # The words of what waits become terms when it is decided.
        share = max(0, len(self._table) - self._lexical.analysed) / max(len(self._table), 1)
        return held + 2 * self._waiting_bytes + int(share * (TERM * len(self._table) + PAIR * self._table.unspaced_bytes))

    @property
    def terms(self) -> int:
        """Length of all passages in terms, once `decide` was called."""
        return self._sparse.tokens

    def add(
        self,
        ids: NDArray[np.int64],
        texts: list[str],
        languages: list[str],
        known: tuple[NDArray[np.int64], NDArray[np.float16]] | None = None,
    ) -> None:
        """Add passages with ids that follow all earlier ones, and the languages of their documents, `UNDECIDED` among them.

        ``known``: places in ``ids``, rising, and the vectors of these, which are not encoded.
        """
        self._measured = None
        indptr, raw = self._table.ids(texts, list(map(whole_forms, texts)))
        kinds = [one if one == UNDECIDED else stemmed_as(one) for one in languages]
        if not self._by_language:
            self._gather(*self._lexical.encode(indptr, raw, self._table.words))
        elif UNDECIDED in languages:
            # What language these follow is known when all have come.
            self._waiting.append(_Waiting(self._sparse.reserve(len(texts)), indptr, raw, kinds))
            self._waiting_bytes += indptr.nbytes + raw.nbytes + 8 * len(languages)
            self._undecided += languages.count(UNDECIDED)
        else:
            self._gather(*self._lexical.encode(indptr, raw, self._table.words, kinds))
        self._ids.append(ids)
        if self._dense is not None and self.encoder is not None:
            encode_words = getattr(self.encoder, "encode_words", None)
            if known is not None:
                self._dense.append(self._with_known(self.encoder, texts, *known))
            elif encode_words is None:
                self._dense.append(self.encoder.encode(texts))
            else:
                self._dense.append(encode_words(*self._without_forms(indptr, raw), self._table))
        self.passages += len(texts)

    @staticmethod
    def _with_known(
        encoder: DenseEncoder, texts: list[str], places: NDArray[np.int64], vectors: NDArray[np.float16]
    ) -> NDArray[np.float32]:
        """The vectors of ``texts``, of which those at ``places`` are there already."""
        found = np.empty((len(texts), vectors.shape[1]), np.float32)
        found[places] = vectors
        if len(others := np.setdiff1d(np.arange(len(texts)), places)):
            found[others] = encoder.encode([texts[at] for at in others.tolist()])
        return found

    def add_analysed(self, ids: NDArray[np.int64], found: Analysed, terms: Terms, texts: Callable[[], list[str]]) -> None:
        """Add passages that a worker has analysed, its terms numbered as ``terms`` says; ``texts`` gives what is indexed of each."""
        self._measured = None
        numbers = self._numbers_of(terms)
        words = self._table.ids([""], [found.words])[1] if found.words else np.empty(0, np.int32)
        for run in found.runs:
            if run.counted is not None:
                own = run.counted
                self._sparse.add_counted(
                    # Copies: the arrays are views of a message with all of them.
                    Counted(own.indptr.copy(), numbers[own.terms], own.frequencies.copy(), own.large.copy(), own.lengths.copy())
                )
            elif run.indptr is not None and run.raw is not None:
                waiting = _Waiting(
                    self._sparse.reserve(run.passages), run.indptr.copy(), words[run.raw], [UNDECIDED] * run.passages
                )
                self._waiting.append(waiting)
                self._waiting_bytes += waiting.indptr.nbytes + waiting.raw.nbytes + 8 * run.passages
                self._undecided += run.passages
        self._ids.append(ids)
        if self._dense is not None and self.encoder is not None:
            self._dense.append(self.encoder.encode(texts()) if found.vectors is None else found.vectors)
        self.passages += len(ids)

    def _numbers_of(self, terms: Terms) -> NDArray[np.int32]:
        """What the numbers of a worker's terms are here."""
        _, times, known = self._numbers.get(id(terms), (terms, terms.times, np.empty(0, np.int32)))
        if times != terms.times:
            known = np.empty(0, np.int32)
        if len(known) < len(terms.terms):
            new = np.array(self._lexical.number(terms.terms[len(known) :]), np.int32)
            known = np.concatenate((known, new))
        self._numbers[id(terms)] = terms, terms.times, known
        return known

    def _without_forms(self, indptr: NDArray[np.int64], raw: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """The words of texts without their `whole_forms`, which are nothing to an encoder."""
        self._is_form = forms_among(self._table.words, self._is_form)
        return without(self._is_form, indptr, raw)

    def _gather(self, indptr: NDArray[np.int64], terms: NDArray[np.int32], reserved: tuple[int, int] | None = None) -> None:
        self._sparse.add(indptr, terms, reserved, self._lexical.halves(indptr, terms))

    def decide(self, language: str | None) -> None:
        """Analyse what is of no language as texts of ``language``."""
        self._measured = None
        for some in self._waiting:
            languages = [language if found == UNDECIDED else found for found in some.languages]
            self._gather(*self._lexical.encode(some.indptr, some.raw, self._table.words, languages), some.reserved)
        self._waiting.clear()
        self._waiting_bytes = 0
        self._followed = language if self._undecided else None

    def close(self, average_length: float) -> SegmentEntry:
        """Write the segment out; ``average_length`` is the collection's, in terms, for the stored impacts."""
        self._rows.close()
        with ThreadPoolExecutor(1) as beside:
            # Where workers analyse, cores are idle now.
            dense = None if self._dense is None or not self._numbers else beside.submit(self._dense.close)
            self._sparse.close(
                self.folder / SPARSE,
                self.folder / self.impacts,
                self._lexical.terms,
                bm25=self.bm25,
                average_length=average_length,
            )
            if dense is not None:
                dense.result()
            elif self._dense is not None:
                self._dense.close()
        forget_stems()
        if (forget := getattr(self.encoder, "forget", None)) is not None:
            forget()
        return SegmentEntry(
            self.name, self.passages, self.terms, self.impacts, undecided=self._undecided, followed=self._followed
        )


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Passages of which some are of no language: their place, and their raw words."""

    reserved: tuple[int, int]
    indptr: NDArray[np.int64]
    raw: NDArray[np.int32]
    languages: list[str | None]
