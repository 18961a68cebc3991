"""The written answer: a model phrases, and what stored text does not support is not shown.

The model sees passages as data (`hostile`), its draft comes piece by piece, and each sentence of it is bound to stored sentences
(`binding`). Where little is left, or anything goes wrong with the model, the quoting answer stands, and a note says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import _deadline
from .._errors import BookwheelError, ModelError
from ..language import Reply, writer
from ..language.prompts import Prompt, load_prompt
from .answer import Claim, Spent
from .binding import Binder, placed
from .draft import Visible, nothing_found
from .events import Token
from .evidence import Evidence
from .hostile import Fence, bare, speaks_to_models
from .methods import method
from .methods.base import Run, model_context
from .options import AskOptions
from .protocols import Collection

__all__ = ["Written", "written"]

SECONDS = 120.0
"""Time for a model where no other is given."""
SMALL = 1_500_000_000
"""Parameters of a model below which it is given chosen sentences instead of passages, and what was chosen stays in the answer."""
LEAST = 0.5
"""Share of what the quoting answer says of the question that a written answer must say, too."""
CHARACTERS = 12
"""The most characters of a draft that are read for each token that was asked for."""


@dataclass(frozen=True)
class Written:
    """What became of a draft."""

    claims: tuple[Claim, ...]
    method: str
    """``write``, or ``quote`` where the quoting answer stands."""
    model: str
    omitted: tuple[Claim, ...] = ()
    notes: tuple[str, ...] = ()
    spent: Spent = field(default_factory=Spent)
    first: float | None = None
    """Seconds to the first piece of the draft."""
    evidence: tuple[Evidence, ...] = ()
    """What was read: where a reading method searched again, more than was given."""


@dataclass
class _Draft:
    text: str = ""
    notes: list[str] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    first: float | None = None
    stands: bool = False


def written(
    collection: Collection,
    question: str,
    evidence: Sequence[Evidence],
    options: AskOptions,
    quoted: Sequence[Claim],
    probability: float | None = None,
) -> Generator[Token, None, Written]:
    """Yields the pieces of a draft; returns the verified answer. ``quoted``: the quoting answer; ``probability``: that it answers.

    Raises nothing that has to do with the model: the notes tell it.
    """
    name = options.model if isinstance(options.model, str) else getattr(options.model, "name", "")
    draft = _Draft()
    small = False
    try:
        model = writer(options.model) if isinstance(options.model, str) else options.model
        small = 0 < getattr(model, "parameters", 0) < SMALL
        if options.method is not None:
            run = _run(model, collection, question, evidence, options, draft, quoted, probability)
            try:
                yield from method(options.method)(run)
            finally:
                evidence, draft.spent = tuple(run.evidence), draft.spent + run.spent
                draft.notes += run.notes
                draft.stands = run.stands
        else:
            ask = (
                _phrasing(model, question, quoted, options) if small else _answering(model, question, evidence, options, draft)
            )
            yield from _drafted(model, ask, options, draft)
    except BookwheelError as error:
        draft.notes.append(_sentence(error))
    except MemoryError:
        draft.notes.append(f"there is no memory left for the language model {name!r}; take a smaller one, or fewer passages")
    except KeyboardInterrupt:
        draft.notes.append("interrupted; what was written by then has been verified")
    except Exception as error:  # a model of the caller's own
        draft.notes.append(f"the language model {name!r} failed ({type(error).__name__}: {' '.join(str(error).split())[:200]})")
    return _verified(collection, question, evidence, options, quoted, draft, name, small=small)


def _run(
    model: Any,
    collection: Collection,
    question: str,
    evidence: Sequence[Evidence],
    options: AskOptions,
    draft: _Draft,
    quoted: Sequence[Claim],
    probability: float | None,
) -> Run:
    """What a reading method works with."""

    def final(evidence: Sequence[Evidence], reply: Reply | None = None) -> Iterator[Token]:
        return _drafted(model, _answering(model, question, evidence, options, draft), options, draft, reply, until)

    def write(text: str) -> None:
        draft.text = text

    until = _deadline.until(SECONDS if options.seconds is None else options.seconds)
    return Run(
        model, collection, question, list(evidence), options, final, write, until, Spent(), options.calls, quoted, probability
    )


# -- asking ------------------------------------------------------------------------------------------------------------

_Ask = tuple[Prompt, str]


def _answering(model: Any, question: str, evidence: Sequence[Evidence], options: AskOptions, draft: _Draft) -> _Ask:
    """The prompt with as many passages, best first, as the model's context takes. Raises `ModelError` for none."""
    prompt = load_prompt("answer")
    fence = Fence(one.text for one in evidence)
    texts = [fence.around(one, options.hidden) for one in evidence]
    values = {"secret": fence.secret, "question": bare(question)}
    frame, *lengths = _counted(model, [prompt.settings.get("system", "") + prompt.fill(passages="", **values), *texts])
    most = prompt.number("max_tokens", 300)
    context = model_context(model, options.context)
    room = context - most - frame - 40  # what a chat template adds
    fitting = 0
    for length in lengths:
        if length + 2 > room:
            break
        room -= length + 2
        fitting += 1
    if not fitting:
        raise ModelError(
            f"the context of {model.name!r}, {context:,} tokens, is too small for one passage of "
            f"{lengths[0]:,} beside the question; take a model with a longer one, or index with shorter passages"
        )
    if fitting < len(texts):
        draft.notes.append(f"{fitting} of {len(texts)} passages fit into the context of {model.name!r}")
    return prompt, prompt.fill(passages="\n\n".join(texts[:fitting]), **values)


def _phrasing(model: Any, question: str, quoted: Sequence[Claim], options: AskOptions) -> _Ask:
    """The prompt with the sentences of the quoting answer."""
    context = model_context(model, options.context)
    prompt = load_prompt("phrase")
    lines = [" ".join(bare(claim.text).split()) for claim in quoted if not speaks_to_models(claim.text)]
    if not lines:
        raise ModelError("the quotes read like instructions to a model, so none was asked")
    while True:
        text = prompt.fill(sentences="\n".join(lines), question=bare(question))
        (length,) = _counted(model, [text])
        if length + prompt.number("max_tokens", 80) + 80 <= context:
            return prompt, text
        if len(lines) < 2:
            raise ModelError(
                f"the context of {model.name!r}, {context:,} tokens, is too small for one sentence of "
                f"{length:,} and the question; take a model with a longer one"
            )
        lines.pop()


def _counted(model: Any, texts: Sequence[str]) -> list[int]:
    return list(model.count_tokens(list(texts)))


def _drafted(
    model: Any, ask: _Ask, options: AskOptions, draft: _Draft, reply: Reply | None = None, until: float | None = None
) -> Iterator[Token]:
    """The pieces of the draft, which ``draft`` takes up as well, without what the model thinks."""
    prompt, text = ask
    most = prompt.number("max_tokens", 300)
    began = time.monotonic()
    deadline = until if until is not None else _deadline.until(SECONDS if options.seconds is None else options.seconds)
    reply = reply or Reply()
    said: dict[str, Any] = {"system": prompt.settings.get("system", ""), "max_tokens": most, "deadline": deadline}
    streamed: Callable[..., Iterator[str]] | None = getattr(model, "stream", None)
    pieces = streamed(text, reply=reply, **said) if streamed else iter(model.generate([text], **said))
    visible = Visible()
    try:
        for piece in pieces:
            draft.text += piece
            if shown := bare(visible.feed(piece)):
                if draft.first is None:
                    draft.first = time.monotonic() - began
                yield Token(shown)
            if len(draft.text) > CHARACTERS * most:
                draft.notes.append(f"the model went on after {len(draft.text):,} characters; the rest is not read")
                break
        if time.monotonic() >= deadline:
            draft.notes.append(
                f"the model's {max(0.0, deadline - began):.3g} s were up; what was written by then has been verified"
            )
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()
        draft.notes.extend(reply.notes)
        draft.spent += Spent(1, reply.prompt_tokens or _counted(model, [text])[0], reply.completion_tokens)
    if reply.finish == "length" and not reply.notes:
        draft.notes.append(f"the model's draft was cut at {most:,} tokens")


# -- verifying ---------------------------------------------------------------------------------------------------------


def _verified(
    collection: Collection,
    question: str,
    evidence: Sequence[Evidence],
    options: AskOptions,
    quoted: Sequence[Claim],
    draft: _Draft,
    name: str,
    *,
    small: bool,
) -> Written:
    """The draft's claims where they say enough, otherwise the quoting answer."""
    binder = Binder(collection, question, evidence, hidden=options.hidden)
    text = draft.text
    notes = list(dict.fromkeys(draft.notes))
    if draft.stands:
        return Written(tuple(quoted), "quote", name, (), tuple(notes), draft.spent, draft.first, tuple(evidence))
    if nothing_found(text):
        notes.append("the model found no answer in the passages")
        text = ""
    claims = placed(collection, binder.bind(text))
    good = [claim for claim in claims if claim.status in ("quoted", "supported")]
    bad = tuple(claim for claim in claims if claim.status not in ("quoted", "supported"))
    marked = options.unsupported == "mark"
    shown = list(claims if marked else good)
    if good and small:
        shown = _completed(shown, quoted)
    enough = good and binder.said(shown) >= LEAST * binder.said(quoted)
    if not enough:
        if not text.strip() and not notes:
            notes.append(f"the language model {name!r} wrote nothing")
        elif bad and not good:
            notes.append("nothing that the model wrote is supported; these are the documents' own sentences")
        elif good:
            notes.append("what the model wrote says little of what was asked; these are the documents' own sentences")
        kept = tuple(quoted) + (bad if marked else ())
        return Written(
            kept, "quote", name, () if marked else tuple(claims), tuple(notes), draft.spent, draft.first, tuple(evidence)
        )
    if bad and not marked:
        count = f"{len(bad)} sentences" if len(bad) > 1 else "a sentence"
        notes.append(f"{count} that the model wrote {'are' if len(bad) > 1 else 'is'} left out: not in the documents")
    way = options.method or "write"
    return Written(tuple(shown), way, name, () if marked else bad, tuple(notes), draft.spent, draft.first, tuple(evidence))


def _completed(shown: Sequence[Claim], quoted: Sequence[Claim]) -> list[Claim]:
    """A small model's claims and those chosen sentences that none of them rests on, in the order of the documents."""
    places = {(quote.evidence, quote.start) for claim in shown for quote in claim.quotes}
    rest = [claim for claim in quoted if not any((quote.evidence, quote.start) in places for quote in claim.quotes)]
    whole = [*shown, *rest]
    return sorted(whole, key=lambda claim: (claim.quotes[0].evidence, claim.quotes[0].start) if claim.quotes else (1 << 30, 0))


def _sentence(error: BaseException) -> str:
    return " ".join(str(error).split())
