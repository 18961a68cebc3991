"""What searching, indexing and looking give back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from .._errors import UsageError
from ..documents.document import Document, Scalar
from ..documents.places import Place, PlaceMap
from .settings import Settings

if TYPE_CHECKING:
    from ..memory.plan import MemoryPlan
    from ..rank.trace import Ranking
    from .distinct.left_out import LeftOut
    from .facet_counts import Facets

__all__ = ["Copy", "EncoderStatus", "IndexReport", "Info", "Reason", "Result", "Results", "StoredDocument"]

LEFT_OUT = "left out: "
"""How the note on a damaged passage, or document, begins that an answer lacks."""

CUTOFF = "cutoff: "
"""How the note begins on what a cutoff did that cannot be seen from the results."""

NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Copy:
    """A passage that repeats another one: what a result says, said elsewhere."""

    id: str
    """The document's id."""
    source: str
    place: str
    passage: int
    """Its number in the library."""
    start: int
    """Where it starts in its document, in code points."""
    end: int
    exact: bool
    """Whether it is the same word for word; else it shares most of its three-word shingles."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name) for name in ("id", "source", "place", "passage", "start", "end", "exact")}


@dataclass(frozen=True, slots=True)
class Result:
    """One passage found."""

    late: ClassVar[bool] = False
    """Whether its text is read when it is looked at, since it is large."""

    rank: int
    """From 1."""
    score: float
    parts: Mapping[str, float]
    """What each retriever or reranking stage contributed to the score; they add up to it."""
    id: str
    """The document's id."""
    passage: int
    """The passage's number in the library."""
    title: str
    source: str
    """Path of the file that it was read from (``-`` for what `Library.add` was given)."""
    place: str
    """Where to look: ``path:line``, ``path p. 3``, ``path slide 3``, ``path Sales!A2:F9``, ``path chapter 2`` …

    Of what `Library.add` was given, with the document's id for the path, and the line of its text.
    """
    text: str
    highlights: tuple[tuple[int, int], ...]
    """Start and end, in ``text``, of the words that match the query's."""
    start: int
    """Where the passage starts in its document, in code points."""
    end: int
    metadata: Mapping[str, Scalar]
    where: Place = NOWHERE
    """The same in parts: page and printed label, headings, and what of the passage its document's readers are not shown."""

    @property
    def hidden(self) -> tuple[tuple[int, int], ...]:
        """Start and end, in ``text``, of what the document's readers are not shown (white text, hidden rows, comments)."""
        return tuple((span.start - self.start, span.end - self.start) for span in self.where.hidden)

    file: Mapping[str, str | int] = field(default_factory=dict)
    """What its file tells: ``path``, ``folder``, ``suffix``, ``size`` (bytes), ``modified`` (UTC, ISO 8601); none for what
    `Library.add` was given."""
    also: tuple[Copy, ...] = ()
    """With ``fold``: where else the library has this passage, or nearly."""
    probability: float | None = None
    """With ``cutoff``: the probability that it is relevant, by which `ask` refuses; None in a library too small to tell."""

    @property
    def date(self) -> str:
        """The date that ``sort`` goes by: the document's own, or else its file's; ``""`` for none."""
        from ..documents.dates import date_of

        return date_of(self.metadata, self.file)

    def excerpt(self, characters: int) -> tuple[str, list[tuple[int, int]]]:
        """At most so many characters of the text, around its first highlight, and the highlights in them."""
        from .result_display import excerpt

        return excerpt(self, characters)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rank": self.rank,
            "score": self.score,
            "parts": dict(self.parts),
            "id": self.id,
            "passage": self.passage,
            "title": self.title,
            "source": self.source,
            "place": self.place,
            "text": self.text,
            "highlights": [list(span) for span in self.highlights],
            "start": self.start,
            "end": self.end,
            "metadata": dict(self.metadata),
            "file": dict(self.file),
            "where": self.where.to_dict(),
            "also": [copy.to_dict() for copy in self.also],
            "probability": self.probability,
        }


class Results(list[Result]):
    """What a search found, best first: a list of `Result` with what else there is to know of the search."""

    query: str
    """The query as it was given."""
    ranking: Ranking
    """Ids and scores of the passages ranked, as arrays, with what each part of the recipe contributed (``ranking.parts``),
    each part's own scores (``ranking.raw``) and, with ``trace=True``, each stage (``ranking.trace``)."""
    timings: dict[str, float]
    """Seconds: of the ranking, of fetching texts, of highlighting; with ``trace=True`` the ranking by stage."""
    facets: dict[str, Facets]
    """With ``facets``: of each field the documents with each value, among those of the best 200 passages."""

    def __init__(
        self,
        results: Iterable[Result] = (),
        *,
        query: str,
        ranking: Ranking,
        timings: dict[str, float],
        facets: Mapping[str, Facets] | None = None,
    ) -> None:
        super().__init__(results)
        self.query = query
        self.ranking = ranking
        self.timings = timings
        self.facets = dict(facets or {})

    @property
    def notes(self) -> tuple[str, ...]:
        """What the stages had to say: how the query was corrected, that a stage was skipped and why."""
        return self.ranking.notes

    def to_dicts(self) -> list[dict[str, Any]]:
        """A dictionary for each result, ready for JSON."""
        return [result.to_dict() for result in self]

    def to_pandas(self) -> Any:
        """A pandas frame with a row for each result; each part, and each field of metadata and of the file, has a column
        (``parts.bm25``, ``metadata.year``, ``file.size``).

        Raises `UsageError` where pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise UsageError(
                "to_pandas needs pandas, which is not installed; install it with: pip install pandas (or use to_dicts)"
            ) from error
        rows = [
            {name: value for name, value in row.items() if name not in NESTED}
            | {f"{name}.{key}": value for name in NESTED for key, value in row[name].items()}
            for row in self.to_dicts()
        ]
        return pandas.DataFrame(rows) if rows else pandas.DataFrame(columns=[n for n in Result.__slots__ if n not in NESTED])

    def __repr__(self) -> str:
        from .result_display import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from .result_display import as_html

        return as_html(self)


NESTED = ("parts", "metadata", "file")


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a passage's score in one representation."""

    representation: str
    term: str
    """Of the query: a term of the model's vocabulary, or a token."""
    match: str
    """What matched it in the passage."""
    score: float
    """A product of weights, or the cosine of two token vectors."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as the library keeps it."""

    id: str
    source: str
    """Path of the file that it was read from (``-`` for what `Library.add` was given)."""
    title: str
    text: str
    metadata: dict[str, Scalar]
    passages: tuple[tuple[int, int], ...]
    """Start and end of each passage in ``text``, in code points."""
    first: int = 0
    """Number of its first passage; the others follow."""
    number: int = 0
    """Its number in the library."""
    layout: PlaceMap = field(default_factory=PlaceMap, repr=False)
    """Its pages, parts, headings, lines and hidden text."""

    def place(self, start: int, end: int) -> Place:
        """Where the code points ``start`` to ``end`` (exclusive) of its text are, and what of them is hidden."""
        return self.layout.place(start, end, self.text)

    file: Mapping[str, str | int] = field(default_factory=dict)
    """What its file tells, as of a `Result`."""


@dataclass(slots=True)
class IndexReport:
    """What an indexing run did; documents are counted, not files."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    moved: int = 0
    """Files that were recognised by their content at a new place; their documents are unchanged."""
    passages: int = 0
    """Passages written by this run."""
    files: int = 0
    """Files, or other sources, that were read."""
    bytes_read: int = 0
    seconds: float = 0.0
    languages: dict[str, int] = field(default_factory=dict)
    """Documents added or updated by the language that they were found to be in (``""``: too little text to tell); empty where
    the library's language was named."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Number of files and folders that gave no document, by reason."""
    skipped_files: list[tuple[str, str]] = field(default_factory=list)
    """Path and reason of each of them, of the first 100,000."""
    binary: dict[str, int] = field(default_factory=dict)
    """Number of the files skipped as binary, by suffix in lower case (``""``: none)."""
    not_indexed: dict[str, int] = field(default_factory=dict)
    """Stretches of the texts that were stored, but are no text to search for: private keys, encoded data, data: URIs, minified
    scripts."""
    failures: list[str] = field(default_factory=list)
    """One sentence for each file or record that could not be read."""
    copies: int = 0
    """Documents left out since they nearly repeat others (``distinct``), now or when their unchanged file was read."""
    copied: list[LeftOut] = field(default_factory=list)
    """Those that the library leaves out by now, and what each is a copy of; the first 10,000."""
    notes: list[str] = field(default_factory=list)
    """One sentence for each thing in a file that was left out though the file was read; no failures."""
    kept: list[str] = field(default_factory=list)
    """Folders of which documents were kept though their files are not there, since a disk may not be mounted; the notes say why."""
    workers: int = 1
    """Processes that analysed at a time, at most; 1 where this one did all by itself."""
    hidden: dict[str, list[str]] = field(default_factory=dict)
    """By reason, the documents added or updated with text that their readers are not shown, of each the first 10,000."""
    memory_plan: MemoryPlan | None = None

    def hide(self, document: Document) -> None:
        """List a document with hidden text."""
        for reason in dict.fromkeys(span.reason for span in document.hidden):
            listed = self.hidden.setdefault(reason, [])
            if len(listed) < HIDDEN_LISTED:
                pages = sorted({part.page for part in document.parts if part.page and part.name == "hidden text"})
                listed.append(f"{document.id} p. {', '.join(map(str, pages[:5]))}" if pages else document.id)

    def skip(self, path: str, reason: str) -> None:
        """Count a file or folder that gave no document, and list it."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1
        if len(self.skipped_files) < SKIPPED_LISTED:
            self.skipped_files.append((path, reason))
        if reason == "binary":
            dot, suffix = path.rpartition("/")[2].rpartition(".")[1:]
            kind = f".{suffix.lower()}" if dot and 0 < len(suffix) <= 10 and suffix.isalnum() else ""
            if kind in self.binary or len(self.binary) < SKIPPED_KINDS:
                self.binary[kind] = self.binary.get(kind, 0) + 1

    def unskip(self, path: str, reason: str) -> None:
        """Take back that a file was skipped for this reason: it is read again."""
        if (path, reason) in self.skipped_files:
            self.skipped_files.remove((path, reason))
            self.skipped[reason] -= 1
            if not self.skipped[reason]:
                del self.skipped[reason]


SKIPPED_LISTED = 100_000
HIDDEN_LISTED = 10_000
SKIPPED_KINDS = 1000


@dataclass(slots=True)
class EncoderStatus:
    """How far the passages are embedded with one encoder, and what a run of `Library.embed` did."""

    name: str
    """What recipes call its representation."""
    kind: str
    """``dense``, ``sparse`` or ``tokens``."""
    model: str
    encoded: int = 0
    """Passages encoded by this run; 0 where nothing was run."""
    embedded: int = 0
    """Passages embedded by now."""
    passages: int = 0
    """Passages in the library."""
    seconds: float = 0.0
    """Duration of this run."""
    complete: bool = False
    """Whether every passage is embedded."""
    memory_plan: MemoryPlan | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """A library's state, and its bytes on disk and in memory by part."""

    path: str
    generation: int
    documents: int
    passages: int
    removed_passages: int
    segments: int
    settings: Settings
    fields: tuple[str, ...]
    """What ``--where`` can use: metadata keys, and what files tell (path, folder, suffix, size, modified), if there are any."""
    copies: int
    """Documents that are left out since they nearly repeat others."""
    orphans: int
    """Those of them whose original is gone: they come back when their files are indexed again."""
    pruned_passages: int
    """Passages that are left out of searches (`Library.prune`); ``passages`` are the others."""
    unjudged_passages: int
    """Passages added since, which may be boilerplate too."""
    languages: Mapping[str, int]
    """Documents by language; ``""`` are those that do not tell, and are read as the most are."""
    disk: Mapping[str, int]
    memory: Mapping[str, int]
    """Bytes that stay in memory while searching, by part."""
