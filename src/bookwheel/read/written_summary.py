"""A written summary: a model sums up groups of passages, then the summaries of groups, and each sentence is bound to stored text.

Map-reduce over a tree (Wu et al., "Recursively summarizing books with human feedback", 2021): the leaves are passages in the order of
the text, as many to a group as fit into a prompt; what is left of a level, once it is bound, is the text of the next. What the calls
do not reach is chosen before, by the sentences that the extractive summary (`summary`) would take. Claims rest on the passages of the
leaves at every level, so that no level can add to the documents.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .._errors import BookwheelError, ModelError
from ..language import writer
from ..language.prompts import load_prompt
from .answer import Claim, Spent
from .binding import Binder, placed
from .draft import Visible
from .evidence import Evidence
from .hostile import Fence, bare
from .protocols import Collection

__all__ = ["CALLS", "SummaryWriting", "WrittenSummary", "groups_of", "leaves_for", "write_summary"]

CALLS = 16
FAN = 6
"""Summaries of groups that one prompt of the next level takes."""
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
    try:
        model = writer(writing.model) if isinstance(writing.model, str) else writing.model
        run = _Tree(collection, what, sentences, model, writing, made)
        small = 0 < getattr(model, "parameters", 0) < SMALL
        claims = run.read_chosen(passages, extracted) if small else run.read(passages)
        made.omitted = tuple(dict.fromkeys(run.omitted)) if writing.unsupported == "omit" else ()
        if writing.unsupported == "mark":
            claims = [*claims, *dict.fromkeys(run.omitted)]
    except BookwheelError as error:
        made.notes.append(" ".join(str(error).split()))
        return made
    except MemoryError:
        made.notes.append(f"there is no memory left for the language model {name!r}; take a smaller one")
        return made
    except KeyboardInterrupt:
        made.notes.append("interrupted; these are the documents' own sentences")
        return made
    except Exception as error:  # a model of the caller's own
        made.notes.append(f"the language model {name!r} failed ({type(error).__name__}: {' '.join(str(error).split())[:200]})")
        return made
    good = [claim for claim in claims if claim.status in ("quoted", "supported")]
    if len(good) < LEAST * min(sentences, max(len(extracted), 1)):
        made.notes.append("too little of what the model wrote is supported; these are the documents' own sentences")
        made.omitted = tuple(run.omitted) if writing.unsupported == "omit" else ()
        return made
    if writing.words is not None:
        claims = _within(claims, writing.words)
    made.claims = tuple(placed(collection, claims))
    if made.omitted:
        count = len(made.omitted)
        made.notes.append(
            f"{count} {'sentences' if count > 1 else 'sentence'} that the model wrote left out: not in the documents"
        )
    return made


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
        self._until = time.monotonic() + (SECONDS if writing.seconds is None else writing.seconds)
        self.omitted: list[Claim] = []

    def read(self, passages: Sequence[Evidence]) -> list[Claim]:
        """The claims of the root."""
        leaves = self._leaves(passages)
        level = leaves
        while True:
            for group in level:
                if self._calls < 1 or time.monotonic() >= self._until:
                    self._made.notes.append("calls or time for the model were up; what was written by then is shown")
                    break
                self._write(group)
            level = [group for group in level if group.claims]
            if len(level) < 2:
                return level[0].claims[: self._sentences] if level else []
            if self._calls < 1 or time.monotonic() >= self._until:
                return _spread([group.claims for group in level], self._sentences)
            above = [_joined(level[at : at + FAN]) for at in range(0, len(level), FAN)]
            level = above

    def read_chosen(self, passages: Sequence[Evidence], extracted: Sequence[Claim]) -> list[Claim]:
        """For a small model: it reads the sentences of the extractive summary, and those that it leaves out stay."""
        chosen = [claim for claim in (_rebased(one, passages) for one in extracted) if claim is not None]
        texts = [_read(number, claim, passages) for number, claim in enumerate(chosen, 1)]
        if not texts:
            return []
        group = _Group(list(passages), texts)
        self._write(group)
        rests = {(quote.evidence, quote.start) for claim in group.claims for quote in claim.quotes}
        kept = [claim for claim in chosen if not any((quote.evidence, quote.start) in rests for quote in claim.quotes)]
        whole = sorted([*group.claims, *kept], key=lambda claim: (claim.quotes[0].evidence, claim.quotes[0].start))
        return whole[: self._sentences] if group.claims else []

    def _leaves(self, passages: Sequence[Evidence]) -> list[_Group]:
        prompt = load_prompt("summarise")
        fence = Fence(one.text for one in passages)
        frame, *lengths = self._model.count_tokens(
            [
                prompt.settings.get("system", "")
                + prompt.fill(passages="", secret=fence.secret, subject=bare(self._what), count="9"),
                *(fence.around(one) for one in passages),
            ]
        )
        room = getattr(self._model, "context", 4096) - prompt.number("max_tokens", 200) - frame - 60
        groups = groups_of([length + 2 for length in lengths], room, leaves_for(self._calls))
        if not groups:
            raise ModelError(
                f"the context of {self._model.name!r} is too small for one passage of {min(lengths, default=0):,} tokens; "
                "take a model with a longer one, or index with shorter passages"
            )
        read = sum(map(len, groups))
        if read < len(passages):
            self._made.notes.append(
                f"the model read {read} of {len(passages)} passages that were chosen; more calls would read more"
            )
        return [_Group([passages[at] for at in group], [passages[at] for at in group]) for group in groups]

    def _write(self, group: _Group) -> None:
        """Ask for the summary of a group and keep what of it stands in its leaves; what was left of the level below, otherwise."""
        self._calls -= 1
        prompt = load_prompt("summarise")
        fence = Fence(one.text for one in group.texts)
        text = prompt.fill(
            passages="\n\n".join(fence.around(one) for one in group.texts),
            secret=fence.secret,
            subject=bare(self._what),
            count=str(self._sentences),
        )
        system, most = prompt.settings.get("system", ""), prompt.number("max_tokens", 200)
        (found,) = self._model.generate([text], system=system, max_tokens=most, deadline=self._until)
        self._made.spent += Spent(1, *self._model.count_tokens([system + text, found]))
        claims = Binder(self._collection, self._what, group.evidence).bind(bare(Visible().feed(found)))
        good = [claim for claim in claims if claim.status in ("quoted", "supported")]
        self.omitted += [claim for claim in claims if claim.status not in ("quoted", "supported")]
        if good:
            group.claims = good[: self._sentences]


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


def _joined(groups: Sequence[_Group]) -> _Group:
    """The group of the next level: it reads the claims of these, and rests on their passages."""
    if len(groups) == 1:
        return groups[0]
    evidence = [one for group in groups for one in group.evidence]
    texts = []
    for number, group in enumerate(groups, 1):
        said = replace(group.claims[0], text=" ".join(claim.text for claim in group.claims))
        texts.append(_read(number, said, evidence))
    most = max(len(group.claims) for group in groups)
    return _Group(evidence, texts, _spread([group.claims for group in groups], most))


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
