"""Systems compared by their answers to the same questions: every two are asked about in both orders.

Son et al., "Varco Arena: A Tournament Approach to Reference-Free Benchmarking Large Language Models" (2024): pairs of answers are
compared directly, without a reference; of more than two systems, each question is a single-elimination tournament in an order drawn
anew, and strengths are fitted to all its matches. A judge that takes the first whatever it is gives a tie, since it is asked twice,
and its inclination is told.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ..._errors import InputError, UsageError
from ...evaluate.answers import normalised
from ...evaluate.lines import read_lines
from ...language.prompts import load_prompt
from ...progress import Progress, silent
from ...read.hostile import Fence, bare
from .bradley_terry import Match, strengths_with_interval
from .known_pairs import NEEDED
from .models import ModelJudge

__all__ = ["Asked", "Scored", "Tournament", "Versus", "common_questions", "play", "read_system", "reference_test", "trusted"]

LONGEST = 4000
"""Characters of an answer that a judge sees."""
PLANTED = 24
_CHOICE = re.compile(r"\b(A|B|tie)\b", re.IGNORECASE)

Outcome = float | None
"""1: the first is better; 0: the second; 0.5: neither; None: the answer was nonsense."""


class Versus(Protocol):
    """Says which of two answers is better."""

    name: str

    def compare(self, question: str, first: str, second: str) -> Outcome:
        """See `Outcome`. Raises `ModelError`."""


class Asked:
    """Asks a language model, which writes A, B or tie."""

    def __init__(self, model: Any, prompt: str = "judge_pair") -> None:
        self.name = f"pair {model.name}"
        self._model, self._prompt = model, load_prompt(prompt)

    def compare(self, question: str, first: str, second: str) -> Outcome:
        """See `Versus`."""
        held = [bare(text)[:LONGEST] for text in (first, second)]
        secret = Fence([*held, question]).secret
        marked = [
            f"=== {secret} {name} ===\n{text}\n=== {secret} end of {name} ===" for name, text in zip("AB", held, strict=True)
        ]
        filled = self._prompt.fill(question=" ".join(bare(question).split()), secret=secret, first=marked[0], second=marked[1])
        (answer,) = self._model.generate(
            [filled], system=self._prompt.settings.get("system", ""), max_tokens=self._prompt.number("max_tokens", 8)
        )
        found = {one.casefold() for one in _CHOICE.findall(answer[:200])}
        return {"a": 1.0, "b": 0.0, "tie": 0.5}[found.pop()] if len(found) == 1 else None


class Scored:
    """Compares the scores that a judge of passages gives: no order, so no inclination to the first."""

    def __init__(self, judge: ModelJudge) -> None:
        self.name, self._judge = judge.name, judge

    def score(self, question: str, answer: str) -> float | None:
        """The score of one answer."""
        if not answer.strip():
            return float("-inf")
        (verdict,) = self._judge.judge(question, [answer[:LONGEST]])
        return verdict.score if verdict.score is not None else None if verdict.grade is None else float(verdict.grade)

    def compare(self, question: str, first: str, second: str) -> Outcome:
        """See `Versus`."""
        one, other = self.score(question, first), self.score(question, second)
        return None if one is None or other is None else 1.0 if one > other else 0.0 if one < other else 0.5


@dataclass(frozen=True, slots=True)
class Tournament:
    """What came of it."""

    systems: tuple[str, ...]
    questions: int
    matches: int
    wins: tuple[tuple[float, ...], ...]
    """Of the row over the column, a tie counting a half for each."""
    ties: int
    strength: tuple[float, ...]
    """Bradley-Terry: that i beats j has the log-odds strength[i] - strength[j]."""
    interval: tuple[tuple[float, float], ...]
    """Of each strength: 95 of 100, questions drawn anew."""
    first: float | None
    """Of the comparisons with a winner, the share that the answer shown first won; a half without an inclination."""
    same: float | None
    """The share of matches in which both orders gave the same."""
    nonsense: int
    """Comparisons without an answer that can be read; they count as ties."""
    longer: float | None
    """Of the matches that were won, the share that the longer answer won."""
    matches_played: tuple[Match, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "matches_played"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}


def read_system(path: Path) -> dict[str, tuple[str, str]]:
    """A system's answers: question, normalised, to question and answer. Raises `InputError`.

    Lines of JSON as ``bookwheel ask --log`` writes them, or with ``question`` and ``answer``.
    """
    found: dict[str, tuple[str, str]] = {}
    for number, line in read_lines(path):
        place = f"{path}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{place} is no JSON; a line has a question and an answer") from None
        question = record.get("question") if isinstance(record, dict) else None
        if not isinstance(question, str) or not question.strip():
            raise InputError(
                f'{place} has no question; a line is {{"question": …, "answer": …}}, or what `bookwheel ask --log` wrote'
            )
        answer = record.get("answer", record.get("text"))
        if not isinstance(answer, str):
            claims = record.get("claims")
            if not isinstance(claims, list):
                raise InputError(f"{place} has no answer; a line has answer, or claims as `bookwheel ask --log` writes them")
            answer = " ".join(str(one["text"]) for one in claims if isinstance(one, dict) and "text" in one)
        if normalised(question) in found:
            raise InputError(f"{place}: the question {question!r:.80} is answered twice; keep one answer")
        found[normalised(question)] = question, answer
    if not found:
        raise InputError(f'{path} holds no answers; a line is {{"question": …, "answer": …}}')
    return found


def common_questions(systems: Mapping[str, Mapping[str, tuple[str, str]]]) -> list[tuple[str, list[str]]]:
    """The questions that all systems answered, each with the answers in the order of ``systems``. Raises `UsageError`."""
    tables = list(systems.values())
    if len(tables) < 2:
        raise UsageError("comparing systems needs the answers of two or more; give --answers twice")
    shared = [key for key in tables[0] if all(key in other for other in tables[1:])]
    if not shared:
        raise UsageError("the systems have no question in common; compare answers to the same questions")
    return [(tables[0][key][0], [one[key][1] for one in tables]) for key in shared]


def play(
    questions: Sequence[tuple[str, Sequence[str]]],
    systems: Sequence[str],
    judge: Versus,
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Tournament:
    """Let ``judge`` compare the answers to every question. Raises `ModelError`."""
    generator = random.Random(seed)
    matches: list[Match] = []
    firsts, same, nonsense, longer = list[float](), 0, 0, list[float]()
    task = progress("comparing", len(questions), "questions")
    try:
        for number, (question, answers) in enumerate(questions):
            waiting = list(range(len(systems)))
            generator.shuffle(waiting)
            while len(waiting) > 1:
                a, b = waiting.pop(0), waiting.pop(0)
                if answers[a] == answers[b]:
                    score = 0.5
                    same += 1
                else:
                    there = judge.compare(question, answers[a], answers[b])
                    back = judge.compare(question, answers[b], answers[a])
                    nonsense += (there is None) + (back is None)
                    firsts += [one for one in (there, back) if one is not None and one != 0.5]
                    ahead = 0.5 if there is None else there
                    behind = 0.5 if back is None else 1 - back
                    same += ahead == behind and there is not None and back is not None
                    score = 1.0 if ahead + behind > 1 else 0.0 if ahead + behind < 1 else 0.5
                    if there is None or back is None or {ahead, behind} == {0.0, 1.0}:
                        score = 0.5  # nothing decided, or the order did, not the answers
                    if score != 0.5 and len(answers[a]) != len(answers[b]):
                        longer.append(float((score == 1.0) == (len(answers[a]) > len(answers[b]))))
                matches.append(Match(number, a, b, score))
                waiting.append(a if score > 0.5 or (score == 0.5 and generator.random() < 0.5) else b)
            task.advance()
    finally:
        task.close()
    wins = np.zeros((len(systems), len(systems)))
    for one in matches:
        wins[one.first, one.second] += one.score
        wins[one.second, one.first] += 1 - one.score
    strength, interval = strengths_with_interval(matches, len(systems), seed)
    return Tournament(
        systems=tuple(systems),
        questions=len(questions),
        matches=len(matches),
        wins=tuple(tuple(map(float, row)) for row in wins),
        ties=sum(one.score == 0.5 for one in matches),
        strength=tuple(map(float, strength)),
        interval=tuple((float(low), float(high)) for low, high in interval.T),
        first=float(np.mean(firsts)) if firsts else None,
        same=same / len(matches) if matches else None,
        nonsense=nonsense,
        longer=float(np.mean(longer)) if longer else None,
        matches_played=tuple(matches),
    )


def trusted(questions: Sequence[tuple[str, Sequence[str]]], judge: Versus, seed: int = 0) -> tuple[int, float, bool]:
    """Known pairs: an answer to a question must beat an answer to another question, asked in both orders.

    How many pairs, what share was ordered rightly (a half for a tie, or where the order decides), and whether that is enough.
    Raises `UsageError` where there are fewer than four questions to make pairs of.
    """
    usable = [(question, [a for a in answers if a.strip()]) for question, answers in questions]
    usable = [(question, answers) for question, answers in usable if answers]
    if len(usable) < 4:
        raise UsageError(f"testing the judge needs answers to four questions, and there are {len(usable)}; give more")
    generator = random.Random(seed)
    chosen = generator.sample(range(len(usable)), min(PLANTED, len(usable)))
    right = 0.0
    for at in chosen:
        question, answers = usable[at]
        other = usable[(at + 1 + generator.randrange(len(usable) - 1)) % len(usable)]
        own, wrong = generator.choice(answers), generator.choice(other[1])
        there, back = judge.compare(question, own, wrong), judge.compare(question, wrong, own)
        right += ((0.5 if there is None else there) + (0.5 if back is None else 1 - back)) / 2
    share = right / len(chosen)
    return len(chosen), share, share >= NEEDED


def reference_test(
    questions: Sequence[tuple[str, Sequence[str]]], references: Sequence[tuple[str, str, bool]], judge: Scored
) -> tuple[float, list[float]]:
    """Meta Ranking: is an answer right, by comparison with a few answers known to be right or wrong?

    Each answer's score is compared with each reference's: to beat a right one speaks for it, to lose against a wrong one against
    it (Liu et al., 2024). Returns the share of references that the others tell rightly (each left out in turn), and of each
    system the share of its answers that are told right. Raises `UsageError` for references of one kind alone.
    """
    if len({right for _, _, right in references}) < 2 or len(references) < 4:
        raise UsageError("references need four answers or more, some right and some wrong")
    known = [(judge.score(question, answer), right) for question, answer, right in references]

    def told(score: float | None, among: Sequence[tuple[float | None, bool]]) -> bool:
        if score is None:
            return False
        kinds: dict[bool, list[float]] = {True: [], False: []}
        for other, right in among:
            if other is not None:
                kinds[right].append((score > other) - (score < other))
        return sum(float(np.mean(votes)) for votes in kinds.values() if votes) > 0

    rightly = [told(score, known[:at] + known[at + 1 :]) == right for at, (score, right) in enumerate(known)]
    systems = len(questions[0][1]) if questions else 0
    shares = [
        float(np.mean([told(judge.score(question, answers[one]), known) for question, answers in questions]))
        for one in range(systems)
    ]
    return float(np.mean(rightly)), shares
