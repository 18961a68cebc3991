"""The quoting answer: the sentences of the evidence that say most of what was asked, word by word as they are stored."""

from __future__ import annotations

from collections.abc import Sequence

from ..documents.document import Document
from ..documents.sentences import cuts
from .answer import Claim
from .evidence import Evidence, Quote
from .options import AskOptions
from .protocols import Collection

__all__ = ["quoted"]


def quoted(collection: Collection, question: str, evidence: Sequence[Evidence], options: AskOptions) -> tuple[Claim, ...]:
    """At most ``options.sentences`` sentences of ``evidence``, in reading order."""
    asked = {term for _, _, terms in collection.terms(question) for term in terms}
    idf = collection.idf(sorted(asked))
    scored: list[tuple[float, int, int, int]] = []
    for at, one in enumerate(evidence):
        starts, _ = cuts(Document("", one.text))
        unseen = () if options.hidden else one.hidden
        for start, end in zip(starts, [*starts[1:], len(one.text)], strict=True):
            if any(first < end and start < last for first, last in unseen):
                continue
            met = {term for _, _, terms in collection.terms(one.text[start:end]) for term in terms} & asked
            scored.append((-sum(idf[term] for term in met), at, start, end))
    chosen = sorted(sorted(scored)[: options.sentences], key=lambda item: item[1:])
    quotes = [_quote(evidence[at], start, end) for _, at, start, end in chosen]
    places = collection.places(quotes)
    return tuple(
        Claim(
            quote.text,
            "quoted",
            (Quote(quote.evidence, quote.id, quote.source, quote.start, quote.end, quote.text, place),),
        )
        for quote, place in zip(quotes, places, strict=True)
    )


def _quote(one: Evidence, start: int, end: int) -> Quote:
    text = one.text[start:end]
    start += len(text) - len(text.lstrip())
    text = text.strip()
    return Quote(one.number, one.id, one.source, one.start + start, one.start + start + len(text), text)
