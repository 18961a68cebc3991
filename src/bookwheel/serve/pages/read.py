"""`/read`: a document with what was followed to it marked, and the hits of a query one after another."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..._errors import UsageError
from ...documents.dates import date_of
from ...library.files import OPENED
from ...library.library import Library
from ...library.results import StoredDocument
from ..clicks import note_click
from ..errors import Refusal
from ..parameters import parameter
from ..route import Asked
from .blocks import Block, blocks_of, kind_of
from .links import address_of, link, named
from .marked import HIDDEN, HIT, QUOTE, Spot, once

__all__ = ["ReadParameters", "ReadView", "document_of", "read_page"]

WINDOW = 20_000
"""Characters that are shown at once, a quarter of them before the place that was followed; of numbered lines half as many."""
LINES = 400
"""The most lines that are shown at once, so that a page stays small."""
APART = 160
"""Matching words that are nearer than this are one hit."""
NEIGHBOURS = 6
"""Records of a table that are shown on each side of one."""
HEADER = ("from", "to", "cc", "date", "subject")


@dataclass(frozen=True, slots=True)
class ReadParameters:
    """What `/read` takes."""

    id: str = parameter("", "the document: its id, the path of its file, or path::id", longest=8192)
    library: str = parameter("", "the library; the first one where it is left out", longest=100)
    q: str = parameter("", "words whose hits are marked", longest=1 << 15)
    start: int | None = parameter(None, "where the passage or quote begins, in code points", least=0)
    end: int | None = parameter(None, "where it ends", least=0)
    hit: int | None = parameter(None, "the number of a hit to go to, from 1", least=1)
    page: int | None = parameter(None, "the page of a PDF, from 1", least=1)
    seen: str = parameter("", "the place among results from which it is opened", longest=40)
    at: int | None = parameter(None, "where to begin to show the text, in code points", least=0)


@dataclass(frozen=True, slots=True)
class Row:
    """A record of a table."""

    cells: list[str]
    href: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class ReadView:
    """A document, or a part of it."""

    id: str
    title: str
    kind: str
    place: str
    """Where what is shown begins."""
    facts: list[tuple[str, str]]
    blocks: list[Block]
    start: int
    end: int
    length: int
    hits: int = 0
    hit: int = 0
    """The number of the hit that is shown, from 1; 0 for none."""
    previous: str = ""
    following: str = ""
    earlier: str = ""
    later: str = ""
    page: int = 0
    pages: int = 0
    said: str = ""
    """The page as people say it: ``p. iv (4)``."""
    picture: str = ""
    before: str = ""
    after: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    header: list[tuple[str, str]] = field(default_factory=list)
    """Of a mail."""
    can_open: bool = False
    back: str = ""
    whole: str = ""
    """The same document, from its beginning."""
    unseen: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.id,
            "title": self.title,
            "kind": self.kind,
            "place": self.place,
            "facts": dict(self.facts),
            "start": self.start,
            "end": self.end,
            "length": self.length,
            "hits": self.hits,
            "hit": self.hit,
            "page": self.page,
            "pages": self.pages,
            "blocks": [block.to_dict() for block in self.blocks],
            "rows": [row.cells for row in self.rows],
            "columns": self.columns,
        }


def document_of(library: Library, identifier: str) -> StoredDocument:
    """The document that an address means. Raises `Refusal` (404) where there is none."""
    if not identifier:
        raise Refusal(400, "no document is named; open one from a search")
    try:
        return library[identifier]
    except KeyError:
        raise Refusal(404, f"the library has no document {identifier!r:.200}; search for it") from None


def read_page(asked: ReadParameters, request: Asked) -> ReadView:
    """Read a document of the library; nothing else on the disk can be read."""
    library = request.library
    document = document_of(library, asked.id)
    if asked.seen:
        note_click(request, asked.q, asked.id, asked.seen, document.id)
    if asked.start is not None and asked.end is not None and asked.end < asked.start:
        raise UsageError(f"end is before start: {asked.end} < {asked.start}")
    kind = kind_of(document)
    address = partial(link, "/read", id=asked.id, library=named(request), q=asked.q)
    words = library.highlights(document.number, asked.q) if asked.q.strip() else []
    request.call.check()
    groups = _grouped(words)
    length = len(document.text)
    quote = None
    if asked.start is not None and asked.end is not None and asked.start < length:
        quote = (asked.start, min(asked.end, length))
    hit = min(asked.hit or 0, len(groups))
    target = groups[hit - 1] if hit else quote
    page = _page_shown(document, asked, target, groups) if kind == "pdf" else 0
    if not target and not page and not asked.at and groups:
        hit, target = 1, groups[0]
    room = WINDOW if kind not in ("code", "text", "table") else WINDOW // 2
    low, high = _window(document, asked, target, page, room)
    spots = [Spot(start, end, HIT) for start, end in words if start < high and end > low]
    spots += [Spot(span.start, span.end, HIDDEN) for span in document.layout.hidden_in(low, high)]
    if quote:
        spots.append(Spot(*quote, QUOTE, "" if hit else "here"))
    if hit:
        spots.append(Spot(*groups[hit - 1], "current", "here"))
    before, after = _neighbours(groups, hit, target or (low, low))
    place = document.place(*(target or (low, min(low + 1, length))))
    here = document.id if document.source == "-" else document.source
    more: dict[str, Any] = {}
    if kind == "pdf":
        pages = len(document.layout.pages)
        shown: dict[str, Any] = {"start": asked.start, "end": asked.end} if quote else {}
        more = {
            "page": page,
            "pages": pages,
            "said": document.layout.said(page),
            "picture": link("/page.png", id=asked.id, library=named(request), page=page, q=asked.q, **shown),
            "before": address(page=page - 1) if page > 1 else "",
            "after": address(page=page + 1) if page < pages else "",
        }
    elif kind == "record":
        more = _records(library, document, named(request))
    elif kind == "mail":
        more = {"header": [(name, str(document.metadata[name])) for name in HEADER if document.metadata.get(name)]}
        if "subject" not in document.metadata:
            more["header"].append(("subject", document.title))
    blocks = list(blocks_of(document, kind, low, high, spots))
    once(block.pieces for block in blocks)
    suffix = document.source.rpartition(".")[2].lower()
    return ReadView(
        document.id,
        document.title.strip() or here.rsplit("/", 1)[-1],
        kind,
        place.text(here),
        _facts(document, kind),
        blocks,
        low,
        high,
        length,
        len(groups),
        hit,
        address("here", hit=before) if before else "",
        address("here", hit=after) if after else "",
        address(at=_line(document, max(low - room, 0))) if low and not page else "",
        address(at=high) if high < length and not page else "",
        can_open=request.config.token is None and document.source != "-" and suffix in OPENED,
        back=link("/search", library=named(request), q=asked.q) if asked.q else "",
        unseen=tuple(dict.fromkeys(span.reason for span in document.layout.hidden_in(low, high))),
        **more,
    )


def _grouped(words: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Hits: words that are near to each other together."""
    found: list[tuple[int, int]] = []
    for start, end in words:
        if found and start - found[-1][1] <= APART:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _neighbours(groups: list[tuple[int, int]], hit: int, target: tuple[int, int]) -> tuple[int, int]:
    """Numbers (from 1) of the hits before and after what is shown; 0 for none."""
    if hit:
        return hit - 1, hit + 1 if hit < len(groups) else 0
    starts = [start for start, _ in groups]
    before, after = bisect_left(starts, target[0]), bisect_left(starts, max(target[1], target[0] + 1))
    return before, after + 1 if after < len(groups) else 0


def _page_shown(
    document: StoredDocument, asked: ReadParameters, target: tuple[int, int] | None, groups: list[tuple[int, int]]
) -> int:
    pages = len(document.layout.pages)
    if asked.page is not None:
        if asked.page > pages:
            raise Refusal(404, f"{document.source} has {pages:,} pages, no page {asked.page:,}")
        return asked.page
    first = target or (groups[0] if groups else None)
    if first is None:
        return 1
    return (
        document.place(
            first[0],
            first[1],
        ).page
        or 1
    )


def _window(
    document: StoredDocument, asked: ReadParameters, target: tuple[int, int] | None, page: int, room: int
) -> tuple[int, int]:
    """What is shown: a page, or about ``room`` characters from the beginning of a line to the end of one."""
    text, length = document.text, len(document.text)
    if page:
        bounds = [*document.layout.pages, length]
        return bounds[page - 1], bounds[page]
    low = 0
    if asked.at is not None:
        low = _line(document, min(asked.at, length))
    elif length > room:
        low = _line(document, max((target[0] if target else 0) - room // 4, 0))
    high = min(low + room, length)
    at = low
    for _ in range(LINES):
        if (at := text.find("\n", at, high) + 1) == 0:
            break
    else:
        high = max(at, min(target[1] if target else 0, high))
    if high < length:
        high = text.rfind("\n", low, high) + 1 or high
    return low, high


def _line(document: StoredDocument, at: int) -> int:
    """The beginning of the line of ``at``; of an endless one ``at`` itself."""
    begin = document.text.rfind("\n", max(at - WINDOW // 4, 0), at) + 1
    return begin or (at if at > WINDOW // 4 else 0)


def _facts(document: StoredDocument, kind: str) -> list[tuple[str, str]]:
    told = HEADER if kind == "mail" else ()
    facts = [("file", document.source)] if document.source != "-" else [("id", document.id)]
    if date := date_of(document.metadata, document.file):
        facts.append(("date", date[:10]))
    if "size" in document.file:
        facts.append(("size", f"{int(document.file['size']):,} bytes"))
    for name, value in document.metadata.items():
        if name not in told and name not in ("date", "message-id") and value not in (None, ""):
            shown = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            facts.append((name, shown if len(shown) <= 300 else f"{shown[:299]}…"))
    return facts[:30]


def _records(library: Library, document: StoredDocument, name: str) -> dict[str, Any]:
    """A record with those beside it in its table."""
    some: list[StoredDocument] = []
    for number in range(document.number - NEIGHBOURS, document.number + NEIGHBOURS + 1):
        if number == document.number:
            some.append(document)
            continue
        try:
            one = library.document(number)
        except KeyError:
            continue
        if one.source == document.source and len(one.text) < WINDOW:
            some.append(one)
    columns = list(dict.fromkeys(key for one in some for key in one.metadata))[:12]
    if not columns:
        return {}
    rows = []
    for one in some:
        cells = [_cell(one.metadata.get(column)) for column in columns]
        href = link("/read", "here", id=address_of(one.id, one.source), library=name)
        rows.append(Row(cells, href, one.number == document.number))
    return {"columns": columns, "rows": rows}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
