"""Document expansion: the questions a passage answers, written by a language model and added to its text for the index.

Sources: doc2query (Nogueira et al. 2019) and doc2query-- (Gospodinov, MacAvaney, Macdonald 2023): of the questions written,
those that a relevance model does not find fitting for their own passage are left out; keeping the best 30 % beats keeping all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .._errors import UsageError
from .protocols import DenseEncoder, encode_queries

__all__ = ["Expansion", "Expansions", "Generate", "Score", "expand", "similarity"]

PROMPT = "Write {count} short search queries, one a line, that this text answers.\n\nText: {text}\n\nQueries:\n"
"""For a causal model that follows instructions; a doc2query T5 takes the plain ``"{text}"``."""
LONGEST = 30
"""Words beyond which a line is no query."""


class Generate(Protocol):
    """A language model: an answer to each prompt, in their order."""

    def __call__(self, prompts: Sequence[str], /) -> Sequence[str]:
        """The answers."""


Score = Callable[[Sequence[str], Sequence[str]], "NDArray[np.float32]"]
"""How well each query fits the passage beside it: (queries, passages) -> float32 (n,), larger is better."""


@dataclass(frozen=True)
class Expansion:
    """A query written for a passage, and how well it fits it."""

    passage: int
    query: str
    score: float


@dataclass(frozen=True)
class Expansions:
    """All queries written for some passages, best first within a passage; those that score ``threshold`` or more are kept."""

    written: tuple[Expansion, ...]
    threshold: float

    @property
    def kept(self) -> tuple[Expansion, ...]:
        """Those that are used."""
        return tuple(one for one in self.written if one.score >= self.threshold)

    def texts(self, passages: int) -> list[str]:
        """What is added to each of so many passages, a line a query; empty where nothing useful was written."""
        lines: list[list[str]] = [[] for _ in range(passages)]
        for one in self.kept:
            lines[one.passage].append(one.query)
        return ["\n".join(queries) for queries in lines]


def expand(
    passages: Sequence[str],
    generate: Generate,
    score: Score | None = None,
    *,
    count: int = 5,
    share: float = 0.3,
    threshold: float | None = None,
    prompt: str = PROMPT,
    longest: int = 2000,
) -> Expansions:
    """Queries for ``passages``, filtered.

    ``generate`` is asked once a passage, with ``prompt`` (in which ``{text}``, cut to ``longest`` characters, and ``{count}``
    are filled in). With ``score`` the best ``share`` of all queries of these passages are kept, or those from ``threshold`` on,
    which makes several calls agree. A query that repeats another of its passage, has no letter, or more than thirty words is
    left out whatever it scores. Raises `UsageError` for a share outside of 0 … 1.
    """
    if not 0 < share <= 1:
        raise UsageError(f"share is a number above 0 and up to 1, not {share}")
    prompts = [prompt.replace("{count}", str(count)).replace("{text}", text[:longest]) for text in passages]
    answers = list(generate(prompts))
    if len(answers) != len(prompts):
        raise UsageError(f"the language model gave {len(answers)} answers to {len(prompts)} prompts")
    found = [(number, query) for number, answer in enumerate(answers) for query in queries_of(answer)[:count]]
    queries, numbers = [query for _, query in found], [number for number, _ in found]
    if score is None or not found:
        return Expansions(tuple(Expansion(number, query, 0.0) for number, query in found), threshold or 0.0)
    scores = np.asarray(score(queries, [passages[number] for number in numbers]), np.float32)
    if scores.shape != (len(found),) or np.isnan(scores).any():
        raise UsageError(f"the scorer gave an array of shape {scores.shape} or without numbers for {len(found)} queries")
    if threshold is None:
        keep = max(1, round(share * len(found)))
        threshold = float(np.sort(scores)[-keep])
    order = sorted(range(len(found)), key=lambda n: (numbers[n], -float(scores[n])))
    return Expansions(tuple(Expansion(numbers[n], queries[n], float(scores[n])) for n in order), threshold)


def queries_of(answer: str) -> list[str]:
    """The queries in a model's answer: one a line, without numbers, bullets and quotes; what can be none is left out."""
    out: list[str] = []
    seen: set[str] = set()
    for line in answer.splitlines():
        query = re.sub(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s*", "", line).strip().strip("\"'“”").strip()
        key = query.lower().rstrip("?.! ")
        if key and key not in seen and any(map(str.isalpha, key)) and len(key.split()) <= LONGEST and not query.endswith(":"):
            seen.add(key)
            out.append(query)
    return out


def similarity(encoder: DenseEncoder) -> Score:
    """Scores a query by its cosine with its passage: the filter where no cross-encoder is at hand."""

    def score(queries: Sequence[str], passages: Sequence[str]) -> NDArray[np.float32]:
        # A passage comes once for each of its queries: encoding it once is enough.
        distinct = list(dict.fromkeys(passages))
        row = {text: number for number, text in enumerate(distinct)}
        vectors = encoder.encode(distinct)[[row[text] for text in passages]]
        found: NDArray[np.float32] = np.einsum("ij,ij->i", encode_queries(encoder, queries), vectors)
        return found

    return score
