"""What a server sends, as the objects that a `Library` gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from .._errors import ModelError
from ..documents.document import Hidden
from ..documents.places import Place
from ..hits import Hits
from ..library.conversations import KeptTurn
from ..library.document_rows import DocumentRow
from ..library.facet_counts import Facets
from ..library.pieces import Piece
from ..library.results import Copy, IndexReport, Info, Result, Results, StoredDocument
from ..library.settings import Settings
from ..rank.trace import Ranking
from ..read.answer import Answer, Claim, Spent
from ..read.answering import Event
from ..read.events import Found, Token
from ..read.evidence import Evidence, Quote
from ..read.mentions import DocumentMentions, Mention

__all__ = [
    "answer_from",
    "document_from",
    "event_from",
    "facets_from",
    "info_from",
    "mentions_from",
    "piece_from",
    "received",
    "report_from",
    "results_from",
    "row_from",
    "turn_from",
]


T = TypeVar("T")


def _known(kind: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Of ``data`` the fields that ``kind`` has: a newer server may tell more."""
    names = {field.name for field in fields(kind) if field.init}
    return {name: value for name, value in data.items() if name in names}


def results_from(data: Any) -> Results:
    """What a search found. Raises `ModelError` for what is none."""
    try:
        rows = [_result(one) for one in data["results"]]
        hits = Hits(np.array([one.passage for one in rows], np.int64), np.array([one.score for one in rows], np.float32))
        parts = {
            name: np.array([one.parts.get(name, 0.0) for one in rows], np.float32)
            for name in dict.fromkeys(name for one in rows for name in one.parts)
        }
        ranking = Ranking(hits, parts, {}, None, tuple(data["notes"]))
        counted = {name: facets_from(one) for name, one in data.get("facets", {}).items()}
        return Results(rows, query=data["query"], ranking=ranking, timings=dict(data["timings"]), facets=counted)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def _result(data: Mapping[str, Any]) -> Result:
    known = _known(Result, data)
    known["highlights"] = tuple((int(start), int(end)) for start, end in data["highlights"])
    known["where"] = _place(data.get("where", {}))
    known["also"] = tuple(Copy(**_known(Copy, one)) for one in data.get("also", ()))
    return Result(**known)


def _place(data: Mapping[str, Any]) -> Place:
    known = _known(Place, data)
    if "heading" in known:
        known["heading"] = tuple(known["heading"])
    if "hidden" in known:
        known["hidden"] = tuple(Hidden(*span) for span in known["hidden"])
    return Place(**known)


def answer_from(data: Any) -> Answer:
    """An answer. Raises `ModelError` for what is none."""
    try:
        known = _known(Answer, data)
        known.pop("everywhere", None)
        known |= {name: tuple(map(_claim, data[name])) for name in ("claims", "omitted")}
        known |= {name: tuple(data.get(name, ())) for name in ("notes", "limits")}
        known["evidence"] = tuple(map(_evidence, data["evidence"]))
        known["spent"] = Spent(**_known(Spent, data["spent"]))
        return Answer(**known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def _claim(data: Mapping[str, Any]) -> Claim:
    return Claim(**{**_known(Claim, data), "quotes": tuple(Quote(**_known(Quote, one)) for one in data["quotes"])})


def _evidence(data: Mapping[str, Any]) -> Evidence:
    return Evidence(**_known(Evidence, data))


def event_from(data: Any) -> Event:
    """One event of a question that is being answered. Raises `ModelError`."""
    try:
        if "question" in data:
            return answer_from(data)
        if "evidence" in data:
            return Found(tuple(map(_evidence, data["evidence"])))
        return Token(str(data["text"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def document_from(data: Any) -> StoredDocument:
    """A stored document. Raises `ModelError`."""
    try:
        known = _known(StoredDocument, data)
        known["passages"] = tuple((int(start), int(end)) for start, end in data["passages"])
        return StoredDocument(**known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def facets_from(data: Any) -> Facets:
    """Counts of a field. Raises `ModelError`."""
    try:
        counts = {name: int(data[name]) for name in ("documents", "missing", "distinct")}
        return Facets(((value, int(count)) for value, count in data["values"]), field=data["field"], **counts)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def info_from(data: Any) -> Info:
    """A library's state. Raises `ModelError`."""
    try:
        known = _known(Info, data)
        known["settings"] = Settings.from_dict(_known(Settings, data["settings"]))
        known["fields"] = tuple(data["fields"])
        return Info(**known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def row_from(data: Any) -> DocumentRow:
    """A document without its text. Raises `ModelError`."""
    try:
        return DocumentRow(**_known(DocumentRow, data), stored=json.dumps(data["metadata"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def piece_from(data: Any) -> Piece:
    """A part of a document. Raises `ModelError`."""
    try:
        return Piece(**{**_known(Piece, data), "where": _place(data["where"])})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def mentions_from(data: Any) -> list[DocumentMentions]:
    """Documents that mention something. Raises `ModelError`."""
    try:
        return [DocumentMentions(one["id"], one["title"], one["source"], tuple(map(_mention, one["mentions"]))) for one in data]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def _mention(data: Mapping[str, Any]) -> Mention:
    passage = -1 if data["in"] == "title" else int(data["passage"])
    return Mention(**{**_known(Mention, data), "passage": passage})


def turn_from(data: Any) -> KeptTurn:
    """A question that was kept. Raises `ModelError`."""
    try:
        return KeptTurn(**_known(KeptTurn, data))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def report_from(data: Any, total: IndexReport) -> IndexReport:
    """``total``, with what a request did added to it. Raises `ModelError`."""
    try:
        for name in ("added", "updated", "unchanged", "removed", "moved", "passages", "files"):
            setattr(total, name, getattr(total, name) + int(data[name]))
        total.failures += data["failures"]
        total.notes += data["notes"]
        for reason, count in data["skipped"].items():
            total.skipped[reason] = total.skipped.get(reason, 0) + int(count)
        return total
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _odd(error) from None


def received(read: Callable[..., T], *told: Any) -> T:
    """What ``read`` makes of an answer, ``told``. Raises `ModelError` where the answer has another form."""
    try:
        return read(*told)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise _odd(error) from None


def _odd(error: Exception) -> ModelError:
    return ModelError(
        f"the server's answer is not as expected ({' '.join(str(error).split())[:100]}); are both of one version?"
    )
