"""What agents can do with a library: each tool a function from its parameters to one JSON object of at most 10,000 tokens.

`search` and `fetch` have the form that ChatGPT's connectors and deep research expect: results with ``id``, ``title`` and ``url``;
a document with ``id``, ``title``, ``text``, ``url`` and ``metadata``. Nothing here knows the protocol's SDK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..._errors import UsageError
from ...documents.places import Place
from .arguments import Parameter, parsed, schema
from .shown import AT, NOTICE, Link, address, fields, file_link, label, located, numbered, reader_sees, warned
from .tokens import ALLOWED, Budget, clipped

if TYPE_CHECKING:
    from ...library.library import Library
    from ...library.results import Result
    from ...read.answer import Claim

__all__ = ["TOOLS", "Access", "Tool"]

SNIPPET = 1_500
"""Characters of a passage in a list of results."""
PIECE = 60_000
"""Characters that are read for one result: more than fit."""
EACH = 5
"""Places of one document that `find_exact` shows."""
LISTED = 10
"""Folders that `list_sources` counts."""


@dataclass(frozen=True, slots=True)
class Access:
    """A library as agents get it."""

    library: Library
    link: Link = file_link
    model: Any = None
    """The language model that answers `ask`, by the server's own configuration; None: the quoting answer."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    name: str
    title: str
    description: str
    parameters: tuple[Parameter, ...]
    output: Mapping[str, Any]
    """JSON schema of what it gives."""
    run: Callable[..., dict[str, Any]]

    @property
    def schema(self) -> dict[str, Any]:
        """JSON schema of what it takes."""
        return schema(self.parameters)

    def call(self, access: Access, given: Mapping[str, Any]) -> dict[str, Any]:
        """Its result. Raises `BookwheelError`: wrong parameters, each named, and what the library raises."""
        values = parsed(self.name, self.parameters, given)
        return self.run(access, **{f"{name}_" if name == "from" else name: value for name, value in values.items()})


def search(access: Access, query: str, filter: str | None, k: int) -> dict[str, Any]:
    """The best passages."""
    library = access.library
    found = library.search(query, k, where=filter)
    budget, results = Budget(ALLOWED - 300), []
    for result in found:
        name = address(library, result.id, result.source)
        one = {
            "id": f"{name}{AT}{result.start}",
            "title": label(result.title) or label(result.id),
            "url": access.link(result.source, result.id, result.start, result.where),
            "place": label(result.place, 300),
            "text": _snippet(result),
        }
        one |= warned([one["text"], one["title"]])
        if not budget.take(one):
            break
        results.append(one)
    told: dict[str, Any] = {"results": results}
    if len(results) < len(found):
        told["left_out"] = f"{len(found) - len(results)} more results do not fit; ask for a smaller k or a narrower filter"
    if notes := [label(note, 300) for note in found.notes][:5]:
        told["notes"] = notes
    told["next"] = (
        "fetch or read an id for the text around a passage"
        if results
        else "nothing was found; try other or fewer words, or leave the filter out"
    )
    return told | {"notice": NOTICE}


def _snippet(result: Result) -> str:
    """A passage, or what stands around its first matching word, as a reader sees it."""
    text, low = result.text, 0
    if len(text) > SNIPPET and result.highlights:
        low = max(0, min(result.highlights[0][0] - SNIPPET // 4, len(text) - SNIPPET))
    high = min(len(text), low + SNIPPET)
    spans = [(s.start - result.start - low, s.end - result.start - low, s.reason) for s in result.where.hidden]
    said = reader_sees(text[low:high], [(max(0, start), min(end, high - low), why) for start, end, why in spans if end > 0])
    return f"{'… ' if low else ''}{said}{' …' if high < len(text) else ''}"


def fetch(access: Access, id: str) -> dict[str, Any]:
    """A document, or as much of it as fits from where the id points to."""
    library = access.library
    name, start = located(library, id)
    piece = library.piece(name, start or 0, PIECE)
    if start and piece.length <= PIECE:  # all of it, where it fits
        whole = library.piece(name, 0, PIECE)
        if _fitting(whole.text, whole.hidden, ALLOWED - 1200)[1] == len(whole.text):
            piece = whole
    title, address_ = label(piece.title) or label(piece.id), address(library, piece.id, piece.source)
    metadata = {"source": label(piece.source, 300), "place": label(piece.place, 300), "language": piece.language or ""}
    own = {f"field.{name}": value for name, value in fields(dict(piece.metadata)).items()}
    room = Budget(600)
    metadata |= {name: value for name, value in own.items() if room.take([name, value])}
    text, end = _fitting(piece.text, piece.hidden, ALLOWED - 1200 - (600 - room.left))
    stop = piece.start + end
    metadata["characters"] = f"{piece.start} to {stop} of {piece.length}"
    if stop < piece.length:
        metadata["next"] = f"{address_}{AT}{stop}"
        metadata["goes_on"] = f"{piece.length - stop} characters follow: fetch the id in next, or read the document by lines"
    if piece.start:
        metadata["beginning"] = f"{address_}{AT}0"
    if piece.hidden:
        metadata["left_out"] = "text that the document's readers do not see; read(hidden=true) shows it"
    metadata |= warned([text, title, *own.values()])
    metadata["notice"] = NOTICE
    url = access.link(piece.source, piece.id, piece.start, piece.where)
    return {"id": id, "title": title, "text": text, "url": url, "metadata": metadata}


def _fitting(text: str, hidden: Sequence[tuple[int, int, str]], most: int) -> tuple[str, int]:
    """What is shown of a text, cut to so many tokens, and how much of the text that is."""
    shown = reader_sees(text, hidden)
    if len(cut := clipped(shown, most)) == len(shown):
        return shown, len(text)
    if not hidden and len(shown) == len(text):
        return cut, len(cut)
    low, high = 0, len(text)
    while low < high:  # marks and what is left out move the places
        middle = (low + high + 1) // 2
        if len(reader_sees(text[:middle], hidden)) <= len(cut):
            low = middle
        else:
            high = middle - 1
    return reader_sees(text[:low], hidden), max(low, 1)


def read(access: Access, id: str, from_: int | None, lines: int, hidden: bool) -> dict[str, Any]:
    """Lines of a document with their numbers."""
    library = access.library
    name, start = located(library, id)
    if from_ is None:
        from_ = library.piece(name, start, 1).line if start else 1
    piece = library.piece(name, line=from_, lines=lines, characters=PIECE)
    if piece.line > piece.lines and piece.lines:
        raise UsageError(f"the document has {piece.lines} lines; from must be at most that, not {from_}")
    budget, said = Budget(ALLOWED - 500), list[str]()
    address_ = address(library, piece.id, piece.source)
    told: dict[str, Any] = {"id": address_, "title": label(piece.title) or label(piece.id), "source": label(piece.source, 300)}
    number = piece.line - 1
    for number, offset, line in numbered(piece, hidden=hidden):
        one = f"{number}\t{line}"
        if not budget.take(one):
            if not said:
                cut = clipped(one, budget.left - 10)
                said.append(cut)
                told["line_goes_on"] = (
                    f"fetch {address_}{AT}{offset + max(len(cut) - len(str(number)) - 1, 1)} for more of this line"
                )
            else:
                number -= 1
            break
        said.append(one)
    told |= {"from": piece.line, "to": number, "lines": piece.lines, "text": "\n".join(said)}
    if "line_goes_on" not in told and piece.end < piece.length and piece.end - piece.start >= PIECE and number == piece.line:
        told["line_goes_on"] = f"fetch {address_}{AT}{piece.end} for more of this line"
    if number < piece.lines:
        told["next"] = f"read(id={address_!r}, from={number + 1})"
    if piece.hidden and not hidden:
        told["left_out"] = "text that the document's readers do not see; read(hidden=true) shows it"
    told["url"] = access.link(piece.source, piece.id, piece.start, piece.where)
    return told | warned([told["text"]]) | {"notice": NOTICE}


def find_exact(
    access: Access,
    phrases: Sequence[str],
    filter: str | None,
    any: bool,
    from_: int,
) -> dict[str, Any]:
    """Every document that mentions something, with exact counts."""
    library = access.library
    found = library.find_all(list(phrases), where=filter, together="any" if any else "all")
    told: dict[str, Any] = {
        "documents": found.documents,
        "passages": found.passages,
        "occurrences": found.occurrences,
        "phrases": [label(phrase, 120) for phrase in found.phrases[:8]],
    }
    budget, listed = Budget(ALLOWED - 500), list[dict[str, Any]]()
    at = from_
    while at < len(found) and len(listed) < 200:
        document = found[at]
        numbers = library.documents_of({one.passage for one in document.mentions[:EACH] if one.passage >= 0})
        places: list[dict[str, Any]] = []
        for one in document.mentions[:EACH]:
            begin = one.start - one.offset
            spans: list[tuple[int, int, str]] = []
            if not one.in_title and one.passage in numbers:
                (where,) = library.places_of([(numbers[one.passage][0], begin, begin + len(one.around))])
                spans = [(span.start - begin, span.end - begin, span.reason) for span in where.hidden]
            around = reader_sees(one.around, spans)
            places.append({"place": "title" if one.in_title else label(one.place, 300), "text": " ".join(around.split())})
        name = address(library, document.id, document.source)
        start = next((one.start for one in document.mentions if not one.in_title), 0)
        one_document: dict[str, Any] = {
            "id": f"{name}{AT}{start}",
            "title": label(document.title) or label(document.id),
            "url": access.link(document.source, document.id, start, Place()),
            "count": len(document.mentions),
            "places": places,
        }
        one_document |= warned([place["text"] for place in places])
        if not budget.take(one_document):
            if not listed:  # one that is too long by itself
                listed.append(one_document | {"places": []})
                at += 1
            break
        listed.append(one_document)
        at += 1
    told["found"] = listed
    if at < found.documents:
        told["next"] = f"{found.documents - at} more documents: ask again with from={at}"
    if found.notes:
        told["notes"] = [label(note, 300) for note in found.notes[:5]]
    return told | {"notice": NOTICE}


def ask(access: Access, question: str, filter: str | None) -> dict[str, Any]:
    """An answer with its quotes, or a refusal with its reason."""
    library = access.library
    answer = library.ask(question, access.model, where=filter)
    told: dict[str, Any] = {
        "answer": None if answer.refused else clipped(reader_sees(answer.text, ()), 2000),
        "refused": answer.refused,
    }
    if answer.refused:
        told["reason"] = label(answer.reason, 600)
    budget = Budget(ALLOWED - 2500)
    told["claims"] = [one for claim in answer.claims if budget.take(one := _claim(access, claim))]
    if (left := len(answer.claims) - len(told["claims"])) > 0:
        told["left_out"] = f"{left} more sentences do not fit; ask about less, or search"
    if answer.everywhere is not None:
        told["count"] = {"documents": answer.everywhere.documents, "occurrences": answer.everywhere.occurrences}
        told["next"] = "find_exact lists every document with its places"
    if not answer.claims:
        told["nearest"] = [
            one
            for evidence in answer.evidence[:5]
            if budget.take(
                one := {
                    "id": f"{address(library, evidence.id, evidence.source)}{AT}{evidence.start}",
                    "title": label(evidence.title) or label(evidence.id),
                    "place": label(evidence.place, 300),
                }
            )
        ]
        told.setdefault("next", "search with other words, or fetch what is nearest")
    if answer.notes:
        told["notes"] = [label(note, 300) for note in answer.notes[:5]]
    return told | warned([claim["text"] for claim in told["claims"]]) | {"notice": NOTICE}


def _claim(access: Access, claim: Claim) -> dict[str, Any]:
    quotes = [
        {
            "text": clipped(reader_sees(quote.text, ()), 800),
            "place": label(quote.place or quote.source, 300),
            "id": f"{address(access.library, quote.id, quote.source)}{AT}{quote.start}",
            "url": access.link(quote.source, quote.id, quote.start, Place()),
        }
        for quote in claim.quotes[:5]
    ]
    told = {"text": clipped(reader_sees(claim.text, ()), 800), "status": claim.status, "quotes": quotes}
    return told | ({"note": label(claim.note, 300)} if claim.note else {})


def list_sources(access: Access, filter: str | None, from_: int) -> dict[str, Any]:
    """What the library holds."""
    library = access.library
    info = library.info()
    told: dict[str, Any] = {"documents": info.documents, "passages": info.passages}
    if filter is not None:
        told["matching"] = library.facets("source", where=filter, k=1).documents
    budget = Budget(ALLOWED - 500)
    if not from_:
        told["fields"] = [name for name in (label(field, 60) for field in info.fields[:100]) if budget.take(name)]
        told["languages"] = {name or "unknown": count for name, count in info.languages.items()}
        for field, called in (("folder", "folders"), ("suffix", "kinds")):
            if field in info.fields:
                counts = library.facets(field, where=filter, k=LISTED)
                told[called] = {label(str(value)): count for value, count in counts.items()}
                budget.take(told[called])
    rows = library.rows(from_, 201, where=filter)
    listed = []
    for row in rows[:200]:
        name = address(library, row.name, row.source)
        one = {"id": f"{name}{AT}0", "title": label(row.title) or label(row.name), "passages": row.passages}
        if row.source != row.name:
            one["source"] = label(row.source, 300)
        if not budget.take(one):
            break
        listed.append(one)
    told["sources"] = listed
    if len(listed) < len(rows):
        told["next"] = f"more sources follow: ask again with from={from_ + max(len(listed), 1)}"
    return told | {"notice": NOTICE}


_FILTER = Parameter(
    "filter",
    "string",
    'A condition on metadata, as in: year >= 2020 and folder = "/reports". list_sources tells the fields.',
)
_ID = Parameter("id", "string", "An id from the results of search, find_exact, ask or list_sources.", required=True)
_STRING, _INTEGER = {"type": "string"}, {"type": "integer"}


def _object(required: Mapping[str, Any], more: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": {**required, **(more or {})}, "required": list(required)}


def _array(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


_RESULT = _object({"id": _STRING, "title": _STRING, "url": _STRING}, {"place": _STRING, "text": _STRING, "warning": _STRING})

TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            "search",
            "Search the library",
            "Searches the library's documents and returns the best passages, each with the id to fetch, a title, a URL to cite and "
            "its text. Use words that the documents would use.",
            (
                Parameter("query", "string", "What to look for, in words.", required=True),
                _FILTER,
                Parameter("k", "integer", "How many results.", default=10, least=1, most=50),
            ),
            _object({"results": _array(_RESULT)}, {"left_out": _STRING, "next": _STRING, "notice": _STRING}),
            search,
        ),
        Tool(
            "fetch",
            "Fetch a document",
            "Returns the text of a document by an id that search gave: all of it where it fits, else from the passage on, with the id "
            "of what follows in metadata.next.",
            (_ID,),
            _object(
                {"id": _STRING, "title": _STRING, "text": _STRING, "url": _STRING},
                {"metadata": {"type": "object", "additionalProperties": _STRING}},
            ),
            fetch,
        ),
        Tool(
            "ask",
            "Ask the library",
            "Answers a question with exact quotes from the documents, each with its place, or says why it cannot and what is nearest.",
            (Parameter("question", "string", "The question, as a sentence.", required=True), _FILTER),
            _object(
                {"refused": {"type": "boolean"}, "claims": _array({"type": "object"})}, {"reason": _STRING, "notice": _STRING}
            ),
            ask,
        ),
        Tool(
            "read",
            "Read lines of a document",
            "Returns lines of a document with their numbers, from the line where the id points to or from the one given.",
            (
                _ID,
                Parameter("from", "integer", "The first line, from 1.", least=1),
                Parameter("lines", "integer", "How many lines.", default=200, least=1, most=2000),
                Parameter("hidden", "boolean", "Also show text that readers of the document do not see.", default=False),
            ),
            _object({"id": _STRING, "text": _STRING, "from": _INTEGER, "to": _INTEGER, "lines": _INTEGER}, {"next": _STRING}),
            read,
        ),
        Tool(
            "find_exact",
            "Find every mention",
            "Finds every document that mentions a phrase, with exact counts and the places; nothing is ranked and nothing left out.",
            (
                Parameter("phrases", "strings", "Words in a row, or several such phrases.", required=True),
                _FILTER,
                Parameter("any", "boolean", "Documents with any of the phrases, not with all.", default=False),
                Parameter("from", "integer", "How many documents to pass over, from 0.", default=0, least=0),
            ),
            _object(
                {"documents": _INTEGER, "occurrences": _INTEGER, "found": _array({"type": "object"})},
                {"next": _STRING, "notice": _STRING},
            ),
            find_exact,
        ),
        Tool(
            "list_sources",
            "List what the library holds",
            "Lists the documents, and counts them by folder, kind of file and language; names the fields that filters can use.",
            (_FILTER, Parameter("from", "integer", "How many documents to pass over, from 0.", default=0, least=0)),
            _object({"documents": _INTEGER, "sources": _array({"type": "object"})}, {"next": _STRING, "notice": _STRING}),
            list_sources,
        ),
    )
}
"""The tools by name, in the order in which they are listed."""
