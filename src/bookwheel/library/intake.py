"""What a writer takes in: documents to rows of the database and passages of new segments, in pieces that fit the budget.

Nothing here is seen by readers. Rows are stamped with the coming generation, and segments are complete folders that no manifest
names yet, so that a document of any size may be spread over several of both: the writer's next commit publishes all of them at
once, and what an interruption leaves of them the next writer takes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..analysis.analyzer import Analyzer
from ..documents.document import Document
from ..documents.passages import indexed_text, iter_places, spans_of_document
from ..documents.weight import WAITING, Load
from ..encode.protocols import DenseEncoder
from ..index.storage import storage
from ..memory.heap import trim_heap
from ..memory.shares import Shares
from .manifest import Manifest, SegmentEntry
from .pending import NewDocument, Rows, storable
from .row_sums import text_sum
from .segment import SegmentBuilder
from .settings import Settings
from .store import Store
from .sweeping import impacts_name
from .vectors.encoders import Encoders, info_of

__all__ = ["Intake", "Numbers"]

BATCH_PASSAGES, BATCH_BYTES = 512, 1 << 19
"""Passages, and bytes of their texts in UTF-8, that are analysed at a time."""
LEAST_BYTES = 1 << 15
GATHERED_PER_BYTE = 128
"""The most bytes that gathering and sorting takes for a byte of text: where each word, or pair of letters, is a new one."""
SAMPLE = 256
"""Documents looked at to tell the language, unless they are large."""
LOOKED_AT = 5000
"""Characters of each that are looked at."""


@dataclass(slots=True)
class Numbers:
    """The next free numbers of a library."""

    document: int
    passage: int
    segment: int

    def name_segment(self) -> str:
        """The name of a new segment."""
        self.segment += 1
        return f"{self.segment - 1:06d}"


class Intake:
    """Takes documents in. ``bits`` tells the bits a dimension of the sketches; ``measure`` notes the memory in use."""

    def __init__(
        self,
        library: Path,
        store: Store,
        manifest: Manifest,
        encoders: Encoders,
        bits: Callable[[int], int | None],
        measure: Callable[[int], None],
    ) -> None:
        self.library, self.store = library, store
        self.manifest = manifest
        """Of the last commit, with the settings that the documents taken in since then have fixed."""
        self.numbers = Numbers(manifest.next_document, manifest.next_passage, manifest.next_segment)
        self.added_passages = 0
        self.encoder: DenseEncoder | None = None
        self.shares: Shares
        self._encoders, self._bits, self._measure = encoders, bits, measure
        self._builder: SegmentBuilder | None = None
        self._finished: list[SegmentEntry] = []
        self._waiting: list[NewDocument | Callable[[], None]] = []
        self._load = Load(SAMPLE)
        self._rows = Rows()
        self._texts: list[str] = []
        self._bytes = 0

    @property
    def _generation(self) -> int:
        return self.manifest.generation + 1

    @property
    def begun(self) -> bool:
        """Whether there are passages that no segment of the manifest holds."""
        return self._builder is not None or bool(self._finished)

    @property
    def full(self) -> bool:
        """Whether what was gathered must be written out."""
        return bool(self._finished) or (self._builder is not None and self._builder.nbytes >= self.shares.gather)

    @property
    def names(self) -> frozenset[str]:
        """The segments that exist and no manifest names yet."""
        building = [] if self._builder is None else [self._builder.name]
        return frozenset([*building, *(entry.name for entry in self._finished)])

    def add(self, new: NewDocument) -> None:
        """Take in a document, or let it wait until the first ones have told their language."""
        settings = self.manifest.settings
        if self._waiting or settings.analyzer is None:
            self._waiting.append(new)
            if self._load.add(new.document):
                self._settle()
            return
        if settings.encoder is not None and settings.encoder_info is None:
            self._settle()
        self._add(new)

    def after_added(self, action: Callable[[], None]) -> None:
        """Call ``action`` once every document given to `add` so far has been taken in: now, unless some are waiting."""
        if self._waiting:
            self._waiting.append(action)
        else:
            action()

    @property
    def rows(self) -> Rows:
        """The rows that wait for the database."""
        return self._rows

    def _settle(self) -> None:
        """Fix the settings that depend on the first documents, and take those in."""
        settings = self.manifest.settings
        if settings.analyzer is None:
            first = [item.document.text[:LOOKED_AT] for item in self._waiting if isinstance(item, NewDocument)]
            settings = replace(settings, analyzer=Analyzer.for_language(settings.language, first))
        if settings.encoder is not None and settings.encoder_info is None:
            settings = replace(settings, encoder_info=info_of(self._encoders.built_in(self.manifest)))
        self.manifest = replace(self.manifest, settings=settings)
        waiting, self._waiting = self._waiting[::-1], []
        self._load.clear()
        while waiting:
            item = waiting.pop()
            if isinstance(item, NewDocument):
                self._add(item)
            else:
                item()

    def _add(self, new: NewDocument) -> None:
        settings, numbers = self.manifest.settings, self.numbers
        document = new.document
        if self._is_large(document):
            self._flush_batch()
            self._finish_segment()  # so that a text this large has the room of the postings
        text = storable(document.text)
        if text is not document.text:
            document = replace(document, text=text)
        title = storable(document.title)
        spans = spans_of_document(document, settings.unit, settings.words)  # type: ignore[arg-type]
        number, first = numbers.document, numbers.passage
        numbers.document += 1
        numbers.passage += len(spans)
        crc = text_sum(text)
        self._rows.document(number, new, text, crc, first, len(spans), self._generation)
        for at, (span, (part, line)) in enumerate(zip(spans, iter_places(document, spans), strict=True)):
            shown = text[span.start : span.end]
            body = text if len(spans) == 1 else shown
            indexed = indexed_text(title, body, first=at == 0)
            size = len(indexed) if indexed.isascii() else len(indexed.encode())
            if self._texts and self._bytes + size > self._most_bytes:
                self._flush_batch()
            row = first + at, number, span.start, span.end, part, line
            self._rows.passage(row, crc if shown is text else text_sum(shown))
            self._texts.append(indexed)
            self._bytes += size
            if len(self._texts) >= BATCH_PASSAGES or self._bytes >= self._most_bytes:
                self._flush_batch()
        if self._rows.nbytes >= WAITING:
            self._flush_batch()

    def _is_large(self, document: Document) -> bool:
        text = document.text
        return 8 * (len(text) if text.isascii() else 2 * len(text)) > self.shares.text

    @property
    def _most_bytes(self) -> int:
        return min(BATCH_BYTES, max(self.shares.gather // (2 * GATHERED_PER_BYTE), LEAST_BYTES))

    def _flush_batch(self) -> None:
        """Hand what waits to the database and the segment, which is written out where it is full."""
        if not self._rows:
            return
        self._rows.write(self.store)
        if self._texts:
            builder = self._builder = self._builder or self._begin_segment()
            ids = np.array([row[0] for row in self._rows.passages], np.int64)
            texts, self._texts = self._texts, []
            self._rows.clear()
            builder.add(ids, texts)
            self.added_passages += len(ids)
            self._measure(builder.nbytes)
            if builder.nbytes >= self.shares.gather:
                self._finish_segment()
        self._rows.clear()
        self._bytes = 0

    def _begin_segment(self) -> SegmentBuilder:
        name = self.numbers.name_segment()
        self.encoder = self.encoder or self._encoders.built_in(self.manifest)
        with storage(self.library):
            bits = None if self.encoder is None else self._bits(self.encoder.dimension)
            settings: Settings = self.manifest.settings
            return SegmentBuilder(self.library, name, settings, self.encoder, impacts_name(self._generation), bits or 1)

    def _finish_segment(self) -> None:
        """Write out the segment that is being gathered; the next commit makes it part of the library."""
        if self._builder is None:
            return
        entries = (*self.manifest.segments, *self._finished)
        passages = self._builder.passages + sum(entry.passages for entry in entries)
        terms = self._builder.terms + sum(entry.terms for entry in entries)
        with storage(self.library):
            self._finished.append(self._builder.close(terms / max(passages, 1)))
        self._measure(0)
        self._builder = None
        trim_heap()

    def flush(self) -> None:
        """Hand what is waiting in memory to the database and the segment, where it can be looked up; commits nothing."""
        if self._waiting:
            self._settle()
        self._flush_batch()

    def finish(self) -> tuple[SegmentEntry, ...]:
        """All that was taken in as segments on the disk, to be named by the next manifest; ends what was gathered."""
        self.flush()
        self._finish_segment()
        finished, self._finished = self._finished, []
        return tuple(finished)
