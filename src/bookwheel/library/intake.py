"""What a writer takes in: documents to rows of the database and passages of new segments, in pieces that fit the budget.

Nothing here is seen by readers. Rows are stamped with the coming generation, and segments are complete folders that no manifest
names yet, so that a document of any size may be spread over several of both: the writer's next commit publishes all of them at
once, and what an interruption leaves of them the next writer takes back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from .._errors import InputError
from ..analysis.library_analyzer import UNDECIDED, Held, most_documents
from ..analysis.scripts import UNSPACED
from ..analysis.variety import different_terms
from ..documents.document import Document, Span
from ..documents.places import PlaceMap
from ..documents.source import megabytes
from ..documents.weight import WAITING
from ..encode.protocols import DenseEncoder
from ..index.storage import storage
from ..memory.heap import trim_heap
from ..memory.shares import Shares
from .kept_vectors import KeptVectors
from .manifest import Manifest, SegmentEntry
from .pending import NewDocument, Rows
from .prepared import WHOLE, Prepared, as_stored_text, passages_of, prepared, spans_of
from .row_sums import text_sum
from .segment import SegmentBuilder
from .settings import Settings
from .store import Store
from .sweeping import impacts_name
from .vectors.encoders import Encoders, info_of
from .workers.ahead import LARGE, Ahead
from .workers.analysis import Analysed
from .workers.pool import Pool, Terms

__all__ = ["Intake", "Numbers"]

BATCH_PASSAGES, BATCH_BYTES = 512, 1 << 19
"""Passages, and bytes of their texts in UTF-8, that are analysed at a time."""
LEAST_BYTES = 1 << 15
GATHERED_PER_BYTE = 128
"""The most bytes that gathering and sorting takes for a byte of text: where each word, or pair of letters, is a new one."""
TERM = 450
"""Bytes that gathering and sorting takes for a new word."""
UNSPACED_CHARACTER = 48
"""Bytes that analysing takes besides for each character of a script without spaces, whose runs are long words.

Measured on books of 1 to 4 million characters, above what their pairs take: 20 of one sign, 33 of Thai, 40 of 150 signs, 46 with
a stop after every 20."""


@dataclass(slots=True)
class Numbers:
    """The next free numbers of a library."""

    document: int
    passage: int
    segment: int

    def new_document(self) -> int:
        """The number of a new document. It may stay unused: a document may be lost on its way."""
        self.document += 1
        return self.document - 1

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
        self.held = dict(manifest.languages)
        """What will be alive by language, with all that was taken in and removed so far."""
        self.found: Counter[str] = Counter()
        """Documents taken in by language."""
        self.noise: Counter[str] = Counter()
        """What of their texts was left out of the index (`without_noise`), by kind."""
        self.kept = KeptVectors(library, store)
        self._rows = Rows()
        self._texts: list[str] = []
        self._languages: list[str] = []
        self._bytes = 0
        self._ahead: Ahead | None = None
        self.lost: list[tuple[NewDocument, str]] = []
        """Documents with which a worker ended, and how."""
        self.characters = 0
        """Of the texts given to `add` by now."""

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
        """Take in a document, whose number (`Numbers.new_document`) follows those of all before."""
        settings = self.manifest.settings
        if settings.encoder is not None and settings.encoder_info is None:
            settings = replace(settings, encoder_info=info_of(self._encoders.built_in(self.manifest)))
            self.manifest = replace(self.manifest, settings=settings)
        self.characters += len(new.document.text)
        if self._ahead is not None and self._ahead.ready and not self._ahead.broken:
            if len(new.document.text) < LARGE and not new.keeps and not self._is_large(new.document):
                self._flush_batch()
                self._ahead.add(new)
                return
            self._ahead.drain()
        self._add_here(new)

    def _add_here(self, new: NewDocument) -> None:
        """Take in a document in this process."""
        if new.replaces is not None:
            self.no_longer([new.replaces])
        ready = prepared(new.document, self.noise, ask=self.manifest.settings.fixed_analyzer is None)
        self._add(new.written_in(ready.language), ready)

    def work_with(self, pool: Pool) -> None:
        """Have documents analysed by the workers of ``pool`` once they have started."""
        self._ahead = Ahead(pool, self._take, self._add_here, lambda new, how: self.lost.append((new, how)))

    def work_alone(self) -> None:
        """Have documents analysed in this process, and end the workers once they are done."""
        if self._ahead is not None:
            self._ahead.drain()
            self.close()

    def close(self) -> None:
        """End the workers at once."""
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def _take(self, batch: Sequence[NewDocument], terms: Terms, found: Analysed) -> None:
        """Take in documents that a worker has analysed."""
        self._flush_batch()
        terms.learn(found)
        self.noise.update(found.noise)
        numbers = self.numbers
        places = found.spans.tolist()
        sums, crcs = found.sums.tolist(), found.crcs.tolist()
        first_of_all = numbers.passage
        for place, (new, passages) in enumerate(zip(batch, found.passages.tolist(), strict=True)):
            if new.replaces is not None:
                self.no_longer([new.replaces])
            if found.languages is not None:
                new = new.written_in(found.languages[place])
                self._count(new.language, passages)
            number, first = new.number, numbers.passage
            numbers.passage += passages
            text = as_stored_text(new.document)
            self._rows.document(new, text, crcs[place], found.places[place], first, passages, self._generation)
            for at in range(first, first + passages):
                start, end = places[at - first_of_all]
                self._rows.passage((at, number, start, end), sums[at - first_of_all])
        self._rows.write(self.store)
        self._rows.clear()
        if len(sums):
            builder = self._builder = self._builder or self._begin_segment()
            builder.add_analysed(
                np.arange(first_of_all, numbers.passage, dtype=np.int64), found, terms, partial(_texts, batch, found)
            )
            self.added_passages += len(sums)
            self._measure(builder.nbytes)
            if builder.nbytes >= self.shares.gather:
                self._finish_segment()

    def _count(self, language: str | None, passages: int) -> None:
        """Count a document taken in by its language."""
        if language is not None:
            self.found[language] += 1
            self.held[language] = self.held.get(language, Held()).plus(1, passages)

    def make_room(self, size: int) -> None:
        """See `Writer.make_room`: about eight copies of a record exist at a time."""
        if self._builder is not None and 8 * size + self._builder.nbytes > self.shares.text + self.shares.gather:
            self.flush()
            self._finish_segment()

    def refusal(self, document: Document) -> InputError | None:
        """Why ``document`` cannot be taken in, where it is indexed as one passage with more terms than there is memory for."""
        text = document.text
        if self.manifest.settings.unit != "document" or len(text) <= WHOLE:
            return None
        room = self.shares.gather + self.shares.reserve // 2
        runs = UNSPACED_CHARACTER * len(text) if UNSPACED.search(text) else 0
        terms = different_terms(text, room // TERM)
        size = terms * TERM + runs
        if size <= room:
            return None
        return InputError(
            f"document {document.id[:80]!r} has at least {terms:,} different words, and takes {megabytes(size)} of memory "
            "as one passage, more than the budget has for it; give a larger --ram, or index into a library with --unit passage"
        )

    def no_longer(self, numbers: Sequence[int]) -> None:
        """Take the living ones of the documents ``numbers`` out of the counts of languages."""
        if self.manifest.settings.fixed_analyzer is None:
            for language, documents, passages in self.store.held_by_language(numbers):
                self.held[language] = self.held.get(language, Held()).plus(-documents, -passages)

    def languages(self) -> dict[str, Held]:
        """What will be alive by language."""
        return {name: some for name, some in sorted(self.held.items()) if some.documents > 0}

    def after_added(self, action: Callable[[], None]) -> None:
        """Call ``action`` once every document given to `add` so far has been taken in: now, unless some are on their way."""
        if self._ahead is not None:
            self._ahead.after_added(action)
        else:
            action()

    @property
    def rows(self) -> Rows:
        """The rows that wait for the database."""
        return self._rows

    def _add(self, new: NewDocument, ready: Prepared) -> None:
        numbers = self.numbers
        if self._is_large(new.document):
            self._flush_batch()
            self._finish_segment()  # so that a text this large has the room of the postings
        document = ready.document
        spans = spans_of(ready, self.manifest.settings)
        number, first = new.number, numbers.passage
        numbers.passage += len(spans)
        crc = text_sum(document.text)
        places = PlaceMap.of(document, spans).cell()
        self._rows.document(new, document.text, crc, places, first, len(spans), self._generation)
        if new.keeps and new.replaces is not None and not ready.said.isspace():
            self.kept.note(new.replaces, first, spans, crc)
        for at, (start, end, sum_, indexed) in enumerate(passages_of(ready, spans, crc)):
            size = len(indexed) if indexed.isascii() else len(indexed.encode())
            if self._texts and self._bytes + size > self._most_bytes:
                self._flush_batch()
            self._rows.passage((first + at, number, start, end), sum_)
            self._texts.append(indexed)
            self._languages.append(new.language or UNDECIDED)
            self._bytes += size
            if len(self._texts) >= BATCH_PASSAGES or self._bytes >= self._most_bytes:
                self._flush_batch()
        self._count(new.language, len(spans))
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
            languages, self._languages = self._languages, []
            self._rows.clear()
            builder.add(ids, texts, languages, self.kept.vectors(self.manifest, ids))
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
        self._builder.decide(most_documents(self.held))
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
        if self._ahead is not None:
            self._ahead.drain()
        self._flush_batch()

    def finish(self) -> tuple[SegmentEntry, ...]:
        """All that was taken in as segments on the disk, to be named by the next manifest; ends what was gathered."""
        self.flush()
        self._finish_segment()
        finished, self._finished = self._finished, []
        return tuple(finished)


def _texts(batch: Sequence[NewDocument], found: Analysed) -> list[str]:
    """What is indexed of each passage of ``batch``."""
    texts: list[str] = []
    spans = iter(found.spans.tolist())
    for new, passages in zip(batch, found.passages.tolist(), strict=True):
        own = [Span(*next(spans)) for _ in range(passages)]
        texts += [passage.indexed for passage in passages_of(prepared(new.document, Counter(), ask=False), own, 0)]
    return texts
