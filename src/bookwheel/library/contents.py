"""What a library holds: its documents, fields, places and terms, and what it takes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .._errors import LibraryDamaged, RecipeError, UsageError
from .._numbers import whole
from ..documents.metadata import LARGEST
from ..documents.places import Place
from ..encode.protocols import encode_queries
from ..memory.plan import MemoryPlan
from ..memory.sizes import ram_of
from ..rank.query import Query
from ..rank.recipe import Recipe
from .document_rows import DocumentRow, document_rows
from .facet_counts import Facets, known_fields
from .facets import DEPTH, facets
from .late import HIGHLIGHTS
from .matching_words import highlights
from .naming import addresses, ambiguous, find
from .opened import Opened
from .pieces import Piece, lines_of, piece_of
from .results import Info, Reason, StoredDocument
from .vectors.encoders import BUILT_IN

if TYPE_CHECKING:
    from ..documents.pdf.picture import Picture
    from .distinct.left_out import LeftOut
    from .static_pruning.report import PrunedPassage

__all__ = ["Contents"]


class Contents(Opened):
    """The part of a reader that looks at documents."""

    def get(self, name: str, limit: int | None = None) -> list[StoredDocument]:
        """The documents with this id, or from the file of this path (none where there is none); the first ``limit`` of them.

        Where files have an id in common, ``path::id`` is the one in that file. Raises `UsageError` for a ``limit`` below 0.
        """
        if limit is not None and (limit := whole(limit, "limit")) < 0:
            raise UsageError(f"limit must be 0 or more, not {limit}")
        snapshot = self._snapshot
        return [snapshot.store.document(number) for number in find(snapshot.store, snapshot.generation, name)[:limit]]

    def __getitem__(self, name: str) -> StoredDocument:
        """The document with this id, or the first from the file of this path (`get` gives all).

        Raises `KeyError` where there is none, and `UsageError` where documents of several files have this id: ``path::id``
        is the one in that file.
        """
        if not isinstance(name, str):
            raise TypeError(f"a document's id is a string, not {type(name).__name__}")
        if several := self.full_ids(name):
            raise UsageError(ambiguous(name, several))
        if found := self.get(name, 1):
            return found[0]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        """Whether there is a document with this id, or from the file of this path."""
        return isinstance(name, str) and self.count(name) > 0

    def __len__(self) -> int:
        """Number of documents."""
        return self.document_count

    def __bool__(self) -> bool:
        """True, also without documents: ``if library:`` asks whether there is a library, ``len(library)`` what is in it."""
        return True

    def __iter__(self) -> Iterator[StoredDocument]:
        """All documents, in the order in which they were added.

        Those that are damaged are left out, and named by `LibraryDamaged` when all others were given.
        """
        snapshot = self._snapshot  # held to the end, whatever is refreshed meanwhile
        damaged: list[str] = []
        count = 0
        for number in snapshot.store.numbers(snapshot.generation):
            count += 1
            try:
                document = snapshot.store.document(number)
            except LibraryDamaged as error:
                damaged.append(str(error))
            else:
                yield document
        if damaged:
            more = f", and {len(damaged) - 1} more; run `bookwheel check` to see all" if len(damaged) > 1 else ""
            raise LibraryDamaged(f"{damaged[0]}{more}")
        if count != snapshot.documents:
            raise LibraryDamaged(
                f"{snapshot.store.path} is damaged: it gives {count:,} documents where the manifest says {snapshot.documents:,}; run "
                "`bookwheel check` to see all that is damaged, then index the files again into a new library"
            )

    def count(self, name: str) -> int:
        """How many documents have this id, or come from the file of this path."""
        snapshot = self._snapshot
        return len(find(snapshot.store, snapshot.generation, name))

    def facets(
        self,
        field: str,
        query: str | Query | None = None,
        *,
        where: str | None = None,
        k: int = 100,
        recipe: str | Recipe | None = None,
        depth: int = DEPTH,
    ) -> Facets:
        """How many documents have each value of ``field``: the ``k`` most frequent values, the most frequent first.

        ``where`` counts only documents that meet the filter; with ``query`` only those of the best ``depth`` passages, by
        ``recipe`` (the library's own where None). A document with several values counts for each. Files are counted by the
        folder they are in and by the day they were modified. Raises `FilterError` for a field that no document has, and what
        `search` raises.
        """
        return facets(self._searcher, [field], query, where, k, recipe, depth)[0]

    def facets_of(
        self,
        fields: Iterable[str],
        query: str | Query | None = None,
        *,
        where: str | None = None,
        k: int = 100,
        recipe: str | Recipe | None = None,
        depth: int = DEPTH,
    ) -> dict[str, Facets]:
        """`facets` of each of ``fields`` that some document has, for which the query is ranked once. Takes and raises the same."""
        there = known_fields(self._snapshot.store, fields)
        return dict(zip(there, facets(self._searcher, there, query, where, k, recipe, depth), strict=True))

    def documents_of(self, passages: Iterable[int]) -> dict[int, tuple[int, str]]:
        """Number and id of the document of each of ``passages`` (numbers, as `rank` gives them) that is there.

        Raises `UsageError` for what is no list of whole numbers.
        """
        if not isinstance(passages, Iterable):
            raise UsageError(f"passages are a list of numbers, not {passages!r:.80}")
        numbers = [whole(number, "the number of a passage") for number in passages]
        return self._snapshot.store.documents_of([number for number in numbers if 0 <= number < LARGEST])

    def rows(self, start: int = 0, count: int = 100, *, where: str | None = None) -> list[DocumentRow]:
        """``count`` documents without their texts, in the order in which they were added, from the one at ``start``.

        ``where`` leaves out those that do not meet the filter. Damaged ones are left out; `check` names them. Raises
        `FilterError`, and `UsageError` for a wrong number.
        """
        from .mentions import documents_of_filter

        for name, number in (("start", start), ("count", count)):
            if whole(number, name) < 0:
                raise UsageError(f"{name} must be a whole number of 0 or more, not {number!r}")
        snapshot = self._snapshot
        if where is None:
            last = min(start + count, snapshot.documents)  # also a number that no slice takes
            numbers = list(islice(snapshot.store.numbers(snapshot.generation), start, last)) if start < last else []
        else:
            numbers = documents_of_filter(snapshot, where)[start : start + count]
        with snapshot.store.noting():
            return list(document_rows(snapshot.store, numbers))

    def all_gone(self, folder: str | Path) -> bool:
        """Whether there are documents of files in ``folder``, but none of these files is there any more.

        So it is where a disk is not mounted, or the folder was emptied: to remove the documents then may be a mistake.
        """
        from .moved import all_gone

        snapshot = self._snapshot
        whole_path = os.path.abspath(os.path.expanduser(folder))  # noqa: PTH100, PTH111 - as `walk` names files
        return all_gone(snapshot.store, snapshot.generation, whole_path)

    def piece(
        self,
        name: str | int,
        start: int = 0,
        characters: int = 10_000,
        *,
        line: int | None = None,
        lines: int = 100,
    ) -> Piece:
        """At most ``characters`` of the document with this id (or number), from the code point ``start``, with their place.

        With ``line`` (from 1) they begin at that line of its text and are at most ``lines`` lines. Memory does not grow with the
        document. Raises `KeyError` where there is none, `LibraryDamaged`, and `UsageError` as `places` and for wrong numbers.
        """
        for called, number, least in (
            ("start", start, 0),
            ("characters", characters, 1),
            ("lines", lines, 1),
            ("line", line, 1),
        ):
            if number is not None and whole(number, called) < least:
                raise UsageError(f"{called} must be a whole number of {least} or more, not {number!r}")
        snapshot = self._snapshot
        if isinstance(name, str):
            found = find(snapshot.store, snapshot.generation, name)
            if several := self.full_ids(name):
                raise UsageError(ambiguous(name, several))
        else:
            found = snapshot.store.alive(snapshot.generation, [int(name)])
        if not found:
            raise KeyError(name)
        if line is not None:
            return lines_of(snapshot, found[0], line, lines, characters)
        return piece_of(snapshot, found[0], start, characters)

    def places(self, document: str | int, spans: Iterable[tuple[int, int]]) -> list[Place]:
        """The place of each of ``spans`` (start and end in code points) of the document with this id or number.

        Page and printed label, slide, cells, chapter or attachment, headings, line, and what of the span is hidden. `places_of`
        takes spans of several documents. Raises `KeyError` where there is no such document, and `UsageError` for what is no span.
        """
        number = self._number(document)
        return self.places_of([(number, start, end) for start, end in spans])

    def places_of(self, spans: Iterable[tuple[int, int, int]]) -> list[Place]:
        """The place of each of ``spans``: number of a document (`documents_of` tells it), start and end. Raises as `places`."""
        snapshot = self._snapshot
        asked = [(int(number), int(start), int(end)) for number, start, end in spans]
        for _, start, end in asked:
            if not 0 <= start <= end:
                raise UsageError(f"a span begins at 0 or later and ends where it begins or later, not {start} to {end}")
        there = set(snapshot.store.alive(snapshot.generation, list({number for number, _, _ in asked})))
        for number, _, _ in asked:
            if number not in there:
                raise KeyError(number)
        return snapshot.store.places(asked)

    def highlights(self, document: str | int, query: str, most: int = HIGHLIGHTS) -> list[tuple[int, int]]:
        """Start and end (code points) of the words of a document that match ``query``, in order: the first ``most`` of them.

        ``document`` is an id or a number. Raises `KeyError` where there is no such document, `QueryError`, `UsageError`.
        """
        return highlights(self._searcher, self._number(document), query, most)

    def document(self, number: int) -> StoredDocument:
        """The document of this number (`Library.documents_of`, `StoredDocument.number`). Raises `KeyError` for none."""
        snapshot = self._snapshot
        return snapshot.store.document(self._number(number))

    def draw_page(self, document: str | int, page: int, *, spans: Iterable[tuple[int, int]] = (), width: int = 1000) -> Picture:
        """A page (from 1) of a PDF as a picture (PNG), with what of ``spans`` of its text (start, end) stands there marked.

        ``document`` is an id or a number, ``width`` is in pixels, from 100 to 2,000. It is drawn in a process of its own, with
        bounds on its memory and time. Raises `KeyError`, `UsageError` for a page that there is not, `InputError` for a file that
        is none, is gone, has changed since it was indexed, or takes too much.
        """
        from .files import draw

        return draw(self.document(self._number(document)), page, list(spans), width, self.ram)

    def open_file(self, document: str | int) -> str:
        """Open the file of a document in the system's program for it, and return its path.

        Raises `InputError` as `draw_page`, and `UsageError` for a file that a program might run instead of showing it.
        """
        from .files import open_in_program

        return open_in_program(self.document(self._number(document)))

    def _number(self, document: str | int) -> int:
        """The number of the document with this id or number. Raises `KeyError`, `UsageError`."""
        snapshot = self._snapshot
        if isinstance(document, str):
            found = find(snapshot.store, snapshot.generation, document)
            if not found:
                raise KeyError(document)
            if several := self.full_ids(document):
                raise UsageError(ambiguous(document, several))
            return found[0]
        if not snapshot.store.alive(snapshot.generation, [int(document)]):
            raise KeyError(document)
        return int(document)

    def terms(self, name: str, passages: Sequence[int], n: int = 10) -> list[list[tuple[str, float]]]:
        """What the sparse representation ``name`` made of ``passages`` (numbers): each one's ``n`` strongest terms with weights.

        None for a passage that it does not hold yet. Raises `RecipeError` for a name that is no sparse representation.
        """
        from .retrieval.matches import top_terms

        return top_terms(self._encoders, self._snapshot, name, passages, n)

    def why(self, query: str, passages: Sequence[int], recipe: str | Recipe | None = None) -> list[list[Reason]]:
        """What of ``query`` each of ``passages`` met, by the learned-sparse and token representations that ``recipe`` uses.

        None where it uses neither; BM25's words are the highlights of a `Result`.
        """
        from .retrieval.matches import reasons, used_by

        searcher = self._searcher
        found: list[list[Reason]] = [[] for _ in passages]
        for name in used_by(searcher.recipe(recipe), searcher.representations):
            some = reasons(self._encoders, searcher.snapshot, name, query, passages)
            found = [a + b for a, b in zip(found, some, strict=True)]
        return found

    def full_ids(self, name: str) -> list[str]:
        """``path::id`` for each file that has a document with the id ``name``, where several have; none where it is clear."""
        return addresses(self._snapshot.store, self.generation, name)

    def encode(self, texts: Sequence[str], name: str = BUILT_IN, *, queries: bool = False) -> NDArray[np.float32]:
        """Unit vectors (n, dimension), float32, of ``texts`` by the encoder of the dense representation ``name``.

        As passages are encoded, or with ``queries`` as queries are. Raises `RecipeError` for a name that is no dense
        representation, and `ModelError`.
        """
        manifest = self._snapshot.manifest
        added = manifest.representation(name)
        if added is not None and added.kind == "dense":
            encoder = self._encoders.encoder(added)
        elif added is None and name == BUILT_IN and manifest.settings.encoder is not None:
            encoder = self._encoders.built_in(manifest)
        else:
            known = [one for one, kind in self._searcher.representations.items() if kind == "dense"]
            raise RecipeError(
                f"the library has no dense representation {name!r:.100} to encode texts with; it has {', '.join(known) or 'none'}"
            )
        return encode_queries(encoder, list(texts)) if queries else np.asarray(encoder.encode(list(texts)), np.float32)

    def copies(self, most: int | None = None, *, orphans: bool = False) -> list[LeftOut]:
        """The documents that indexing with ``distinct`` left out, and which one each repeats; ``most`` of them.

        With ``orphans`` those alone whose original was removed since: they come back when their files are indexed again.
        """
        from .distinct.left_out import left_out

        return left_out(self._snapshot.store, self._snapshot.generation, most, orphans=orphans)

    def pruned(self, most: int | None = None) -> list[PrunedPassage]:
        """The passages that `Library.prune` left out, and why, in the order in which they were added; ``most`` of them."""
        from .static_pruning.prune import pruned_passages

        return list(pruned_passages(self._snapshot, most))

    def pruned_among(self, passages: Iterable[int]) -> dict[int, str]:
        """Of ``passages`` (numbers) those that are left out of searches, and why."""
        from .static_pruning.prune import reasons_of

        return reasons_of(self._snapshot, [int(number) for number in passages])

    def info(self) -> Info:
        """The state of the library, and its bytes on disk and in memory by part."""
        from .summary import summary

        return summary(self._snapshot)

    def memory_plan(self, ram: str | int | None = None, names: Iterable[str] | None = None) -> MemoryPlan:
        """What searching the representations ``names`` (all where None) takes: planned by part, and what is in use now.

        ``ram`` is the library's own where None. Raises `BudgetError` where it does not fit.
        """
        return self._searcher.memory.plan(None if ram is None else ram_of(ram), names)

    def recall(self, k: int = 10, sample: int = 100) -> float:
        """Share of the true nearest ``k`` passages, by brute force over the float vectors, that dense search finds.

        The queries are the first words of ``sample`` passages drawn with the library's seed. Raises `UsageError` for a
        library without vectors.
        """
        from .retrieval.recall import dense_recall

        encoder = self.encoder
        if encoder is None:
            raise UsageError(
                f"the library {self.path} has no dense vectors, so that recall cannot be measured; index with an encoder"
            )
        return dense_recall(self._snapshot, encoder, k, sample)
