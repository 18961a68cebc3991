"""Ways to have a language model rewrite or expand a query; each is a prompt and a reading of the answer."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from ..._errors import ModelError
from ...language.ask import Asked
from ...language.prompts import load_prompt

__all__ = ["decomposed", "expansion", "follow_up", "passages_shown", "rewrites", "steered"]

LONGEST = 600
"""Characters of a rewritten query that count: a small model may not know when to stop."""
_LABEL = re.compile(
    r"^(?:(?:re)?written |search |standalone |new |sub-?)?(?:quer(?:y|ies)|questions?|answer|step)(?: \d+)?\s*[:.]\s*",
    re.IGNORECASE,
)
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s+")
_CHATTER = re.compile(r"^(?:sure|of course|certainly|here (?:are|is)|okay|ok)\b.*:?$", re.IGNORECASE)
_WORD = re.compile(r"\w+")


def rewrites(asked: Asked, query: str, count: int = 1, prompt: str = "rewrite") -> list[str]:
    """Up to ``count`` other ways to say ``query``, best first, none of them the query itself.

    Ma et al., "Query Rewriting for Retrieval-Augmented Large Language Models" (2023); several, to be fused: RAG-Fusion
    (Rackauckas 2024) and "Multi-Query". Raises `ModelError`.
    """
    answer = asked.ask(load_prompt(prompt), query=_line(query), count=str(count))
    return _some(_lines(answer, query)[:count], "rewrote nothing")


def decomposed(asked: Asked, query: str, count: int = 3, prompt: str = "decompose") -> list[str]:
    """Up to ``count`` simpler questions that ``query`` is made of, in order. A line much longer than the query is no part of it: a
    small model tends to answer instead.

    Press et al., "Measuring and Narrowing the Compositionality Gap" (2023, self-ask); Zhou et al., "Least-to-Most Prompting"
    (2023).
    """
    answer = asked.ask(load_prompt(prompt), query=_line(query), count=str(count))
    most = 2 * len(_WORD.findall(query)) + 4
    parts = [line for line in _lines(answer, query) if len(_WORD.findall(line)) <= most]
    return _some(parts[:count], "found no parts in the query")


def follow_up(asked: Asked, query: str, history: Sequence[str], prompt: str = "follow_up") -> str:
    """A question of a conversation so that it stands alone.

    Vakulenko et al., "Question Rewriting for Conversational Question Answering" (2021). ``history``: earlier ones, oldest
    first.
    """
    said = "\n".join(f"- {_line(one)}" for one in history[-6:])
    answer = asked.ask(load_prompt(prompt), query=_line(query), history=said)
    lines = _lines(answer, "")
    return _some(lines[:1], "did not rewrite the question")[0]


def expansion(asked: Asked, query: str, passages: Sequence[str] = (), prompt: str = "") -> str:
    """A passage that might answer ``query``, written by the model.

    Gao et al., "Precise Zero-Shot Dense Retrieval without Relevance Labels" (2023, HyDE); Wang, Yang and Wei, "Query2doc"
    (2023). With the first ``passages`` found shown to it: Shen et al., "Large Language Models are Strong Zero-Shot Retriever"
    (2023, LameR).
    """
    if passages:
        return asked.ask(load_prompt(prompt or "expand_seen"), query=_line(query), passages=passages_shown(passages))
    return asked.ask(load_prompt(prompt or "expand"), query=_line(query))


def steered(asked: Asked, query: str, passages: Sequence[str], prompt: str = "steer") -> list[str]:
    """Sentences of ``passages`` that the model picked as answering ``query``.

    Lei et al., "Corpus-Steered Query Expansion with Large Language Models" (2024, CSQE). Only what stands in the passages is
    taken: a sentence of the answer counts where at least four fifths of its word pairs occur in one of theirs, and theirs is
    given.
    """
    answer = asked.ask(load_prompt(prompt), query=_line(query), passages=passages_shown(passages))
    sentences = [sentence for passage in passages for sentence in _sentences(passage)]
    pairs = [_pairs(sentence) for sentence in sentences]
    found: dict[str, None] = {}
    for said in _sentences(answer):
        wanted = _pairs(said)
        if not wanted:
            continue
        shares = [len(wanted & have) / len(wanted) for have in pairs]
        best = max(range(len(shares)), key=shares.__getitem__, default=-1)
        if best >= 0 and shares[best] >= 0.8:
            found[sentences[best]] = None
    return _some(list(found), "picked no sentence of the passages")


def passages_shown(passages: Sequence[str], words: int = 80) -> str:
    """Passages as prompts show them: numbered, a line each, at most so many words."""
    return "\n".join(f"[{number}] {' '.join(text.split()[:words])}" for number, text in enumerate(passages, 1))


def _line(text: str) -> str:
    """On one line: a query cannot end its place in a prompt."""
    return " ".join(text.split())


def _lines(answer: str, query: str) -> list[str]:
    """The queries that an answer lists, without numbers, labels, quotes, chatter and repeats."""
    found: dict[str, str] = {}
    for line in answer.splitlines():
        text = _LABEL.sub("", _MARK.sub("", line).strip()).strip().strip("\"'`*“”").strip()
        if not _WORD.search(text) or _CHATTER.match(text):
            continue
        found.setdefault(text.lower().rstrip("?. "), text[:LONGEST])
    found.pop(query.lower().strip().rstrip("?. "), None)
    return list(found.values())


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"(?<=[.!?])\s+|\n", text) if len(_WORD.findall(one)) > 3]


def _pairs(sentence: str) -> set[tuple[str, str]]:
    words = [word.lower() for word in _WORD.findall(sentence)]
    return set(itertools.pairwise(words))


def _some(found: list[str], otherwise: str) -> list[str]:
    if not found:
        raise ModelError(f"the language model {otherwise}")
    return found
