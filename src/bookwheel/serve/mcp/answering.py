"""The tool that answers: `ask`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...documents.places import Place
from .access import Access
from .ids import id_at, url_of
from .shown import NOTICE, label, reader_sees
from .tokens import ALLOWED, Budget, clipped

if TYPE_CHECKING:
    from ...read.answer import Claim

__all__ = ["ask"]


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
    told["claims"] = [one for claim in answer.claims if (one := _fitting(budget, _claim(access, claim))) is not None]
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
                    "id": id_at(library, evidence.id, evidence.source, evidence.start),
                    "title": label(evidence.title) or label(evidence.id),
                    "place": label(evidence.place, 300),
                }
            )
        ]
        told.setdefault("next", "search with other words, or fetch what is nearest")
    if answer.notes:
        told["notes"] = [label(note, 300) for note in answer.notes[:5]]
    return told | {"notice": NOTICE}


def _fitting(budget: Budget, claim: dict[str, Any]) -> dict[str, Any] | None:
    """``claim`` with as many of its quotes as fit; None where not one does."""
    while not budget.take(claim):
        if len(claim["quotes"]) < 2:
            return None
        claim = claim | {"quotes": claim["quotes"][:-1]}
    return claim


def _claim(access: Access, claim: Claim) -> dict[str, Any]:
    quotes = [
        {
            "text": clipped(reader_sees(quote.text, ()), 800),
            "place": label(quote.place or quote.source, 300),
            "id": id_at(access.library, quote.id, quote.source, quote.start),
            "url": url_of(access, quote.id, quote.source, quote.start, Place()),
        }
        for quote in claim.quotes[:5]
    ]
    told = {"text": clipped(reader_sees(claim.text, ()), 800), "status": claim.status, "quotes": quotes}
    return told | ({"note": label(claim.note, 300)} if claim.note else {})
