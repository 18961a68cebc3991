"""A written summary: a model sums up groups of passages, then the summaries of groups, and each sentence is bound to stored text.

Map-reduce over a tree (Wu et al., "Recursively summarizing books with human feedback", 2021): the leaves are passages in the order of
the text, as many to a group as fit into a prompt; what is left of a level, once it is bound, is the text of the next. What the calls
do not reach is chosen before, by the sentences that the extractive summary (`summary`) would take. Claims rest on the passages of the
leaves at every level, so that no level can add to the documents.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from .._deadline import until
from .._errors import BookwheelError, ModelError
from ..language import writer
from ..language.prompts import Prompt, load_prompt
from .answer import Claim, Spent
from .binding import Binder, placed
from .draft import Visible
from .evidence import Evidence
from .hostile import Fence, bare
from .methods.base import model_context
from .protocols import Collection

__all__ = ["CALLS", "SummaryWriting", "WrittenSummary", "groups_of", "leaves_for", "write_summary"]

CALLS = 16
FAN = 6
"""Summaries of groups that one prompt of the next level takes."""
LOCAL = 1500
"""Tokens of a prompt for a model of this process, which would read a longer one for minutes; a server reads as much as fits."""
SECONDS = 300.0
SMALL = 1_500_000_000
"""Parameters below which a model is given chosen sentences for passages, and what was chosen stays (as in `written`)."""
LEAST = 0.5
"""Share of the sentences asked for that must be left for a written summary to stand."""


@dataclass(frozen=True, slots=True)
class SummaryWriting:
    """How a summary is written."""

    model: Any
    calls: int = CALLS
    seconds: float | None = None
    unsupported: str = "omit"
    words: int | None = None
    """The most words of what is shown."""
    context: int | None = None
    """Tokens of prompt and answer that the model takes; None: what the model or its server says."""


@dataclass
class WrittenSummary:
    """What became of it."""

    claims: tuple[Claim, ...] = ()
    """None where the extractive summary is to stand."""
    omitted: tuple[Claim, ...] = ()
    notes: list[str] = field(default_factory=list)
    spent: Spent = field(default_factory=Spent)
    model: str = ""


@dataclass
class _Group:
    evidence: list[Evidence]
    """Of its leaves."""
    texts: list[Evidence]
    """What the model reads: the same, or sentences that were left of the level below."""
    claims: list[Claim] = field(default_factory=list)


def leaves_for(calls: int) -> int:
    """The most groups of passages for a tree of at most ``calls`` prompts."""
    for leaves in range(calls, 1, -1):
        total, level = leaves, leaves
        while level > 1:
            level = -(-level // FAN)
            total += level
        if total <= calls:
            return leaves
    return 1


def groups_of(lengths: Sequence[int], room: int, most: int) -> list[list[int]]:
    """Consecutive texts of these ``lengths`` in at most ``most`` groups of at most ``room``; those behind are left out.

    A text that is longer than ``room`` is left out, too.
    """
    groups: list[list[int]] = []
    left = 0
    for at, length in enumerate(lengths):
        if length > room:
            continue
        if not groups or length > left:
            if len(groups) == most:
                break
            groups.append([])
            left = room
        groups[-1].append(at)
        left -= length
    return groups


def write_summary(
    collection: Collection,
    what: str,
    passages: Sequence[Evidence],
    extracted: Sequence[Claim],
    sentences: int,
    writing: SummaryWriting,
) -> WrittenSummary:
    """The summary of ``passages``, in the order of the text. ``extracted``: the extractive summary. Raises nothing of the model's."""
    name = writing.model if isinstance(writing.model, str) else getattr(writing.model, "name", "")
    made = WrittenSummary(model=name)
    run: _Tree | None = None
    claims: list[Claim] = []
    with _told(name, made):
        model = writer(writing.model) if isinstance(writing.model, str) else writing.model
        run = _Tree(collection, what, sentences, model, writing, made)
        small = 0 < getattr(model, "parameters", 0) < SMALL
        claims = run.read_chosen(passages, extracted) if small else run.read(passages)
    if run is None:
        return made
    omitted = tuple(dict.fromkeys(run.omitted))
    made.omitted = omitted if writing.unsupported == "omit" else ()
    if len(claims) < LEAST * min(sentences, max(len(extracted), 1)):
        if run.written:
            made.notes.append("too little of what the model wrote is supported; these are the documents' own sentences")
        return made
    if writing.unsupported == "mark":
        claims = [*claims, *omitted]
    if writing.words is not None:
        claims = _within(claims, writing.words)
    made.claims = tuple(placed(collection, claims))
    if made.omitted:
        count = len(made.omitted)
        said = f"{count} sentences that the model wrote are" if count > 1 else "a sentence that the model wrote is"
        made.notes.append(f"{said} left out: not in the documents")
    return made


@contextmanager
def _told(name: str, made: WrittenSummary) -> Iterator[None]:
    """Whatever a model does wrong becomes a note."""
    try:
        yield
    except BookwheelError as error:
        made.notes.append(" ".join(str(error).split()))
    except MemoryError:
        made.notes.append(f"there is no memory left for the language model {name!r}; take a smaller one")
    except KeyboardInterrupt:
        made.notes.append("interrupted; what was written by then is shown, where it is enough")
    except Exception as error:  # a model of the caller's own
        made.notes.append(f"the language model {name!r} failed ({type(error).__name__}: {' '.join(str(error).split())[:200]})")


class _Tree:
    def __init__(
        self, collection: Collection, what: str, sentences: int, model: Any, writing: SummaryWriting, made: WrittenSummary
    ) -> None:
        self._collection = collection
        self._what = what
        self._sentences = sentences
        self._model = model
        self._made = made
        self._calls = writing.calls
        self._until = until(SECONDS if writing.seconds is None else writing.seconds)
        self._context = model_context(model, writing.context)
        if writing.context is None and hasattr(model, "parameters"):
            self._context = min(self._context, LOCAL)
        self._prompt = load_prompt("summarise")
        self.omitted: list[Claim] = []
        self.written = 0
        """Prompts that were answered."""

    def read(self, passages: Sequence[Evidence]) -> list[Claim]:
        """The claims of the root, or where calls, time or the model end before it, of what was written by then."""
        level = self._leaves(passages)
        while True:
            for group in map(level.__getitem__, _spaced(len(level))):
                if not self._left():
                    self._made.notes.append("calls or time for the model were up; what was written by then is shown")
                    break
                if not self._written(group):
                    break
            level = [group for group in level if group.claims]
            if len(level) < 2:
                return level[0].claims[: self._sentences] if level else []
            if not self._left():
                return _spread([group.claims for group in level], self._sentences)
            for fan in range(FAN, 1, -1):  # as many as one prompt takes
                above = [self._joined(level[at : at + fan]) for at in range(0, len(level), fan)]
                if all(group.texts for group in above):
                    break
            level = above

    def _left(self) -> bool:
        return self._calls > 0 and time.monotonic() < self._until

    def _written(self, group: _Group) -> bool:
        """Write the summary of a group; whether the model can go on. What went wrong is noted, and ends the writing."""
        with _told(self._model.name, self._made):
            self._write(group)
            return True
        self._calls = 0
        return False

    def read_chosen(self, passages: Sequence[Evidence], extracted: Sequence[Claim]) -> list[Claim]:
        """For a small model: it reads the sentences of the extractive summary, and those that it leaves out stay."""
        chosen = [claim for claim in (_rebased(one, passages) for one in extracted) if claim is not None]
        if not chosen:
            return []
        claims = self._bound(*self._choosing(chosen), passages)
        rests = {(quote.evidence, quote.start) for claim in claims for quote in claim.quotes}
        kept = [claim for claim in chosen if not any((quote.evidence, quote.start) in rests for quote in claim.quotes)]
        whole = sorted([*claims, *kept], key=lambda claim: (claim.quotes[0].evidence, claim.quotes[0].start))
        return whole[: self._sentences] if claims else []

    def _choosing(self, chosen: Sequence[Claim]) -> tuple[Prompt, str]:
        """The prompt with as many of the sentences as fit."""
        prompt = load_prompt("summarise_chosen")
        lines = [" ".join(bare(claim.text).split()) for claim in chosen]
        while True:
            count = str(min(self._sentences, len(lines)))
            text = prompt.fill(sentences="\n".join(lines), count=count, subject=bare(self._what))
            (length,) = self._model.count_tokens([prompt.settings.get("system", "") + text])
            if length + prompt.number("max_tokens", 200) + 60 <= self._context:
                return prompt, text
            if len(lines) < 2:
                raise self._too_small("one sentence", length)
            lines.pop()

    def _leaves(self, passages: Sequence[Evidence]) -> list[_Group]:
        room, *lengths = self._lengths(passages)
        groups = groups_of(lengths, room, leaves_for(self._calls))
        if not groups:
            raise self._too_small("one passage", min(lengths, default=0))
        read = sum(map(len, groups))
        if read < len(passages):
            self._made.notes.append(
                f"the model read {read} of {len(passages)} passages that were chosen; more calls would read more"
            )
        return [_Group([passages[at] for at in group], [passages[at] for at in group]) for group in groups]

    def _lengths(self, texts: Sequence[Evidence]) -> list[int]:
        """Tokens that a prompt has room for beside its frame and the answer, and those of each text."""
        prompt, fence = self._prompt, Fence(one.text for one in texts)
        frame = prompt.settings.get("system", "") + prompt.fill(
            passages="", secret=fence.secret, subject=bare(self._what), count=str(self._sentences)
        )
        taken, *lengths = self._model.count_tokens([frame, *(fence.around(one) for one in texts)])
        return [self._context - prompt.number("max_tokens", 200) - taken - 60, *(length + 2 for length in lengths)]

    def _fitting(self, texts: Sequence[Evidence]) -> list[Evidence]:
        """The first of ``texts``, as many as one prompt takes."""
        room, *lengths = self._lengths(texts)
        fitting = 0
        while fitting < len(texts) and lengths[fitting] <= room:
            room -= lengths[fitting]
            fitting += 1
        return list(texts[:fitting])

    def _joined(self, groups: Sequence[_Group]) -> _Group:
        """The group of the next level: it reads the claims of these, as many of each as fit, and rests on their passages."""
        if len(groups) == 1:
            return groups[0]
        evidence = [one for group in groups for one in group.evidence]
        most = max(len(group.claims) for group in groups)
        claims = _spread([group.claims for group in groups], most)
        for each in range(most, 0, -1):
            texts = []
            for number, group in enumerate(groups, 1):
                said = replace(group.claims[0], text=" ".join(claim.text for claim in group.claims[:each]))
                texts.append(_read(number, said, evidence))
            if len(self._fitting(texts)) == len(texts):
                return _Group(evidence, texts, claims)
        return _Group(evidence, [], claims)

    def _too_small(self, what: str, length: int) -> ModelError:
        return ModelError(
            f"the context of {self._model.name!r}, {self._context:,} tokens, is too small for {what} of {length:,} beside the prompt; "
            "take a model with a longer one, or index with shorter passages"
        )

    def _write(self, group: _Group) -> None:
        """Ask for the summary of a group and keep what of it stands in its leaves; what was left of the level below, otherwise."""
        if not group.texts:
            return
        fence = Fence(one.text for one in group.texts)
        text = self._prompt.fill(
            passages="\n\n".join(fence.around(one) for one in group.texts),
            secret=fence.secret,
            subject=bare(self._what),
            count=str(self._sentences),
        )
        if good := self._bound(self._prompt, text, group.evidence):
            group.claims = good[: self._sentences]

    def _bound(self, prompt: Prompt, text: str, evidence: Sequence[Evidence]) -> list[Claim]:
        """What the model writes, as far as it stands in ``evidence``."""
        self._calls -= 1
        system, most = prompt.settings.get("system", ""), prompt.number("max_tokens", 200)
        (found,) = self._model.generate([text], system=system, max_tokens=most, deadline=self._until)
        self.written += 1
        self._made.spent += Spent(1, *self._model.count_tokens([system + text, found]))
        claims = Binder(self._collection, self._what, evidence).bind(bare(Visible().feed(found)))
        self.omitted += [claim for claim in claims if claim.status not in ("quoted", "supported")]
        return [claim for claim in claims if claim.status in ("quoted", "supported")]


def _spaced(count: int) -> list[int]:
    """0 to ``count`` - 1 so that the first of them, however many, lie all over the range (van der Corput, base 2)."""
    bits = max(count - 1, 0).bit_length()
    order = [int(f"{at:0{bits}b}"[::-1], 2) if bits else 0 for at in range(1 << bits)]
    return [at for at in order if at < count]


def _rebased(claim: Claim, passages: Sequence[Evidence]) -> Claim | None:
    """A claim of the extractive summary with the passage's number in its quote; None where no passage has all of it."""
    (quote,) = claim.quotes
    for one in passages:
        if one.id == quote.id and one.source == quote.source and one.start <= quote.start and quote.end <= one.end:
            return replace(claim, quotes=(replace(quote, evidence=one.number),))
    return None


def _read(number: int, claim: Claim, passages: Sequence[Evidence]) -> Evidence:
    """What a claim says, as a text to read."""
    one = next(one for one in passages if one.number == claim.quotes[0].evidence)
    return Evidence(number, one.passage, one.id, one.title, one.source, one.place, claim.text, one.start, one.end)


def _within(claims: Sequence[Claim], words: int) -> list[Claim]:
    """Those that together have at most ``words`` words."""
    kept = []
    for claim in claims:
        if (count := len(claim.text.split())) <= words:
            words -= count
            kept.append(claim)
    return kept


def _spread(claims: Sequence[Sequence[Claim]], most: int) -> list[Claim]:
    """At most ``most`` claims, one of each group in turn, in their order."""
    chosen: list[tuple[int, int]] = []
    for place in range(max(map(len, claims), default=0)):
        chosen += [(group, place) for group, some in enumerate(claims) if place < len(some)]
    found: dict[str, Claim] = {}
    for group, place in sorted(chosen[:most]):
        found.setdefault(claims[group][place].text, claims[group][place])
    return list(found.values())
