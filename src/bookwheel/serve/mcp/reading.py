"""The tools that read: `fetch` and `read`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..._errors import UsageError
from .access import Access
from .ids import id_at, located, url_of
from .shown import NOTICE, fields, label, numbered, reader_sees
from .tokens import ALLOWED, Budget, clipped, tokens

__all__ = ["fetch", "read"]

SHORT = 300
"""Tokens of an id that is given back as it came."""
PIECE = 60_000
"""Characters that are read for one result: more than fit."""


def fetch(access: Access, id: str) -> dict[str, Any]:
    """A document, or as much of it as fits from where the id points to."""
    library = access.library
    name, start = located(library, id)
    piece = library.piece(name, start or 0, PIECE)
    if start and piece.length <= PIECE:  # all of it, where it fits
        whole = library.piece(name, 0, PIECE)
        if _fitting(whole.text, whole.hidden, ALLOWED - 1200)[1] == len(whole.text):
            piece = whole
    title = label(piece.title) or label(piece.id)

    def at(start: int) -> str:
        return id_at(library, piece.id, piece.source, start)

    if tokens(id) > SHORT:  # as it was given: it may be a name of thousands of characters
        id = at(start or 0)
    metadata = {"source": label(piece.source, 300), "place": label(piece.place, 300), "language": piece.language or ""}
    own = {f"field.{name}": value for name, value in fields(dict(piece.metadata)).items()}
    room = Budget(600)
    metadata |= {name: value for name, value in own.items() if room.take([name, value])}
    text, end = _fitting(piece.text, piece.hidden, ALLOWED - 1200 - (600 - room.left))
    stop = piece.start + end
    metadata["characters"] = f"{piece.start} to {stop} of {piece.length}"
    if stop < piece.length:
        metadata["next"] = at(stop)
        metadata["goes_on"] = f"{piece.length - stop} characters follow: fetch the id in next, or read the document by lines"
    if piece.start:
        metadata["beginning"] = at(0)
    if piece.hidden:
        metadata["left_out"] = "text that the document's readers do not see; read(hidden=true) shows it"
    metadata["notice"] = NOTICE
    url = url_of(access, piece.id, piece.source, piece.start, piece.where)
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
    spans = [] if hidden else piece.hidden

    def at(start: int) -> str:
        return id_at(library, piece.id, piece.source, start)

    told: dict[str, Any] = {
        "id": at(piece.start),
        "title": label(piece.title) or label(piece.id),
        "source": label(piece.source, 300),
    }
    budget, said = Budget(ALLOWED - 500), list[str]()
    number = piece.line - 1
    for number, offset, line in numbered(piece, hidden=hidden):
        one = f"{number}\t{line}"
        if not budget.take(one):
            if not said:
                begin = offset - piece.start
                inside = [(max(start - begin, 0), end - begin, reason) for start, end, reason in spans if end > begin]
                cut, end = _fitting(piece.text[begin:].split("\n", 1)[0], inside, budget.left - 20)
                said.append(f"{number}\t{cut}")
                told["line_goes_on"] = _goes_on(at(offset + end))
            else:
                number -= 1
            break
        said.append(one)
    else:
        if piece.end < piece.length and not piece.text.endswith("\n") and said:  # more than is read at one time
            told["line_goes_on"] = _goes_on(at(piece.end))
    told |= {"from": piece.line, "to": number, "lines": piece.lines, "text": "\n".join(said)}
    if number < piece.lines:
        told["next"] = f"read(id={at(piece.start)!r}, from={number + 1})"
    if piece.hidden and not hidden:
        told["left_out"] = "text that the document's readers do not see; read(hidden=true) shows it"
    told["url"] = url_of(access, piece.id, piece.source, piece.start, piece.where)
    return told | {"notice": NOTICE}


def _goes_on(id: str) -> str:
    return f"fetch {id} for more of this line"
