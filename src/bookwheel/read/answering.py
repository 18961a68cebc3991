"""From a question to an answer: search, read, quote or write, and refuse where the documents do not say.

A search for passages by their words, then a reader of the best: Chen et al., "Reading Wikipedia to Answer Open-Domain Questions"
(2017). In part: these two steps; the reader marks sentences by what they share with the question (`quoting`) or is a language
model, rather than a recurrent network that marks spans.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from .answer import Answer, Claim
from .events import Event, Found, Token
from .evidence import Evidence
from .hostile import speaks_to_models
from .matching import Matches, Question, matches
from .options import AskOptions
from .protocols import Collection
from .quoting import quoted
from .refusal import Verdict, features, judged, passage_features

__all__ = ["Event", "Found", "Token", "answer", "events", "model_problems"]


def events(collection: Collection, question: str, options: AskOptions, added: Sequence[str] = ()) -> Iterator[Event]:
    """What happens while a question is answered: `Found`, perhaps `Token` after `Token`, and last the `Answer`."""
    started = time.perf_counter()
    evidence = tuple(collection.search(question, options.passages, options))
    searched = time.perf_counter()
    yield Found(evidence)
    timings = {"search": searched - started}
    if not evidence:
        notes = model_problems(options)
        yield Answer(question, (), (), "quote", refused=True, reason=_nothing(options), notes=notes, timings=timings)
        return
    found = matches(collection, Question.of(collection, question, added), evidence, hidden=options.hidden)
    verdict = _judged(collection, found, options)
    claims = () if verdict.refused else quoted(collection, question, evidence, options, found)
    timings["reading"] = time.perf_counter() - searched
    if options.model is None or not claims:
        made = Answer(question, claims, evidence, "quote", timings=timings)
    else:
        made = yield from _written(collection, question, evidence, options, claims, timings, verdict.probability)
    if claims:
        notes = (*made.notes, *filter(None, [verdict.note, _instructing(made.claims)]))
        yield replace(made, probability=verdict.probability, notes=notes)
    else:
        reason = verdict.reason or _unquotable(evidence)
        notes = (*model_problems(options), *filter(None, [verdict.note]))
        yield replace(made, refused=True, reason=reason, probability=verdict.probability, notes=notes)


def _judged(collection: Collection, found: Matches, options: AskOptions) -> Verdict:
    """Whether the evidence answers the question."""
    if not found.sentences:
        return Verdict(True, None, _unquotable(found.evidence))
    if options.threshold == 0 and options.method != "adaptive":
        return Verdict(False, None)
    fitted = collection.fitted()
    if fitted is None:
        return judged(collection, found, None, 1.0, options.threshold)
    strength = collection.strengths(found.question.text, [one.passage for one in found.evidence])
    rows = features(passage_features(collection, found, strength))
    return judged(collection, found, float(fitted.probabilities(rows)[0]), fitted.threshold, options.threshold)


def _instructing(claims: Sequence[Claim]) -> str:
    """What is to be told where a quote reads like an instruction to a model, which documents hold that somebody tampered with."""
    found = sorted({quote.evidence for claim in claims if speaks_to_models(claim.text) for quote in claim.quotes})
    if not found:
        return ""
    numbers = ", ".join(f"[{number}]" for number in found)
    return (
        f"{numbers} has words that read like an instruction to a language model; look at where they stand before you trust it"
    )


def _unquotable(evidence: Sequence[Evidence]) -> str:
    if any(one.hidden for one in evidence):
        return "what was found is text that readers of the documents do not see; --hidden (hidden=True) quotes it all the same"
    return "what was found has no text that can be quoted"


def model_problems(options: AskOptions) -> tuple[str, ...]:
    """What is wrong with the models that were named, for an answer that none of them is asked for."""
    named = [one for one in (options.model, options.verifier) if one is not None]
    if not named:
        return ()
    from ..language import problem

    return tuple(filter(None, map(problem, named)))


def _nothing(options: AskOptions) -> str:
    if options.where is not None:
        return f"no passage that meets the filter {options.where!r} has a word of the question; ask without it, or with another"
    return "no passage has a word of the question; ask with other words"


def _written(
    collection: Collection,
    question: str,
    evidence: Sequence[Evidence],
    options: AskOptions,
    quotes: Sequence[Claim],
    timings: dict[str, float],
    probability: float | None,
) -> Generator[Token, None, Answer]:
    """The pieces of a model's draft, then the answer that was verified."""
    from .written import written  # language models are not imported for a quoting answer

    began = time.perf_counter()
    made = yield from written(collection, question, evidence, options, quotes, probability)
    timings |= {"writing": time.perf_counter() - began} | ({} if made.first is None else {"first": made.first})
    return Answer(
        question,
        made.claims,
        made.evidence or tuple(evidence),
        made.method,
        made.model,
        notes=made.notes,
        timings=timings,
        spent=made.spent,
        omitted=made.omitted,
    )


def answer(collection: Collection, question: str, options: AskOptions) -> Answer:
    """The last of `events`."""
    for event in events(collection, question, options):
        if isinstance(event, Answer):
            return event
    raise AssertionError("every question ends with an answer")
