"""The tools that find: `search`, `find_exact` and `list_sources`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...documents.places import Place
from .access import Access
from .ids import id_at, url_of
from .shown import NOTICE, label, reader_sees
from .tokens import ALLOWED, Budget, clipped
from .warnings import WARNING

if TYPE_CHECKING:
    from ...library.results import Result

__all__ = ["find_exact", "list_sources", "search"]

SNIPPET = 1_500
"""Characters of a passage in a list of results."""
COPIES = 4
"""Other places of a passage that are told."""
EACH = 5
"""Places of one document that `find_exact` shows."""
LISTED = 10
"""Folders that `list_sources` counts."""
ABOUT = 2_500
"""Tokens that fields, folders and kinds of file may take, so that there is room for documents."""


def search(access: Access, query: str, filter: str | None, k: int) -> dict[str, Any]:
    """The best passages, copies and near-copies under the one that they repeat."""
    library = access.library
    found = library.search(query, k, where=filter, fold=True)
    budget, results = Budget(ALLOWED - 300), list[dict[str, Any]]()
    for result in found:
        one: dict[str, Any] = {
            "id": id_at(library, result.id, result.source, result.start),
            "title": label(result.title) or label(result.id),
            "url": url_of(access, result.id, result.source, result.start, result.where),
            "place": label(result.place, 300),
            "text": _snippet(result),
        }
        if result.also:
            one["also_in"] = [
                {"id": id_at(library, copy.id, copy.source, copy.start), "place": label(copy.place, 300)}
                for copy in result.also[:COPIES]
            ]
            if (more := len(result.also) - COPIES) > 0:
                one["more_copies"] = more
        if not budget.take(one, WARNING):
            if results:
                break
            one = {name: value for name, value in one.items() if name != "also_in"}  # one that is too long by itself
            one |= {"text": clipped(one["text"], 2000), **({"more_copies": len(result.also)} if result.also else {})}
            budget.take(one, WARNING)
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
        start = next((one.start for one in document.mentions if not one.in_title), 0)
        one_document: dict[str, Any] = {
            "id": id_at(library, document.id, document.source, start),
            "title": label(document.title) or label(document.id),
            "url": url_of(access, document.id, document.source, start, Place()),
            "count": len(document.mentions),
            "places": places,
        }
        if not budget.take(one_document, WARNING):
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


def list_sources(access: Access, filter: str | None, from_: int) -> dict[str, Any]:
    """What the library holds."""
    library = access.library
    info = library.info()
    told: dict[str, Any] = {"documents": info.documents, "passages": info.passages}
    if filter is not None:
        told["matching"] = library.facets("source", where=filter, k=1).documents
    about = Budget(ABOUT)
    if not from_:
        told["fields"] = [name for name in (label(field, 60) for field in info.fields[:100]) if about.take(name)]
        told["languages"] = {name or "unknown": count for name, count in info.languages.items()}
        for field, called in (("folder", "folders"), ("suffix", "kinds")):
            if field in info.fields:
                counts = library.facets(field, where=filter, k=LISTED)
                told[called] = {
                    name: count for value, count in counts.items() if about.take([name := label(str(value)), count])
                }
    budget = Budget(ALLOWED - 500 - (ABOUT - about.left))
    rows = library.rows(from_, 201, where=filter)
    listed = []
    for row in rows[:200]:
        one = {
            "id": id_at(library, row.name, row.source, 0),
            "title": label(row.title) or label(row.name),
            "passages": row.passages,
        }
        if row.source != row.name:
            one["source"] = label(row.source, 300)
        if not budget.take(one):
            break
        listed.append(one)
    told["sources"] = listed
    if len(listed) < len(rows):
        told["next"] = f"more sources follow: ask again with from={from_ + len(listed)}"
    return told | {"notice": NOTICE}
