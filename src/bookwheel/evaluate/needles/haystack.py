"""Hides the sentences of a task in a text of a given length, the main one at a given depth."""

from __future__ import annotations

import random
from dataclasses import dataclass

from ..._errors import UsageError
from .kinds import Kind, NeedleTask
from .text import Counter, Filler

__all__ = ["ANSWER", "Haystack", "build"]

ANSWER = 64
"""Tokens that are left for an answer."""
WRAPPING = 96
"""Tokens that are left for the prompt's own words and the chat template."""
TRIES = 20


@dataclass(frozen=True, slots=True)
class Haystack:
    """A text with hidden sentences."""

    text: str
    task: NeedleTask

    def held(self, text: str) -> float:
        """The share of the needed sentences that stand whole in ``text``."""
        needed = [one.text for one in self.task.hidden if one.needed]
        return sum(one in text for one in needed) / len(needed)


def build(kind: Kind, filler: Filler, length: int, depth: float, repeat: int, seed: int, count: Counter) -> Haystack:
    """The text of question number ``repeat`` of a cell: with question and answer it takes ``length`` tokens at most.

    ``depth``: 0 puts the main sentence first, 1 last. The text around is the same for all kinds and depths of a length and a
    repetition, so that a model need not read again what two texts begin with alike. Raises `UsageError` where the length has no
    room for the sentences, `InputError` where there is too little text.
    """
    task = _task(kind, filler, random.Random(f"{seed} {kind.name} {length} {depth:.4f} {repeat}"))
    places = random.Random(f"{seed} places {kind.name} {length} {depth:.4f} {repeat}")
    hidden = [one.text for one in task.hidden]
    taken = sum(count([*hidden, task.question])) + len(hidden) + ANSWER + WRAPPING
    if taken >= length:
        raise UsageError(
            f"a length of {length:,} tokens has no room for the needles of {kind.name!r} with question and answer, "
            f"{taken:,} tokens; take {taken + 1:,} or more"
        )
    sentences = filler.part(length - taken, random.Random(f"{seed} text {length} {repeat}"))
    size = len(sentences)
    main = task.main % len(hidden)
    at = round(depth * size)
    if task.ordered:
        spots = [*sorted(places.randint(0, at) for _ in hidden[:-1]), at]
    else:
        spots = [places.randint(0, size) for _ in hidden]
        spots[main] = at
    pieces: list[list[str]] = [[] for _ in range(size + 1)]
    for number, spot in enumerate(spots):
        pieces[spot].append(hidden[number])
    parts: list[str] = []
    for number, sentence in enumerate([*sentences, ""]):
        parts += [f"{one} " if (parts and parts[-1][-1:].isspace()) or not parts else f" {one} " for one in pieces[number]]
        parts.append(sentence)
    return Haystack("".join(parts).strip(), task)


def _task(kind: Kind, filler: Filler, random_: random.Random) -> NeedleTask:
    """A task none of whose answers stands in the text already."""
    for _ in range(TRIES):
        task = kind.make(random_)
        if not any(value in filler.text for value in (*task.wanted, *task.unwanted)):
            return task
    raise UsageError(f"{filler.name} has every number that was drawn for {kind.name!r}; take another text or --seed")
