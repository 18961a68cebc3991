"""What the stages that ask a language model about the query have in common: the asking, reading
answers, using them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from ..._errors import ModelError
from ..._paths import cache
from ...hits import Hits
from ...language import language_model
from ...language.answer_cache import AnswerCache
from ...language.ask import Asker
from ...language.prompts import load_prompt
from ..query import Query
from ..recipe import Recipe
from ..reciprocal_ranks import reciprocal
from ..term_weights import normalised, query_terms, weighted_sum
from ..vector_means import weighted_mean
from .base import Run
from .context import Context

__all__ = [
    "add_texts",
    "asker_of",
    "listed",
    "non_empty",
    "on_one_line",
    "passages_shown",
    "search_queries",
    "write_passage",
    "write_queries",
]

DEPTH = 100
"""Hits of each ranking that are fused."""
LONGEST = 600
"""Characters of a written query that are used: a small model may not know when to stop."""
_LABEL = re.compile(
    r"^(?:(?:re)?written |search |standalone |new |sub-?)?(?:quer(?:y|ies)|questions?|answer|step)(?: \d+)?\s*[:.]\s*",
    re.IGNORECASE,
)
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s+")
_CHATTER = re.compile(r"^(?:sure|of course|certainly|here (?:are|is)|okay|ok)\b.*:?$", re.IGNORECASE)
_WORD = re.compile(r"\w+")


# -- asking ------------------------------------------------------------------------------------------------------------------


def asker_of(context: Context, model: str, calls: int, seconds: float) -> Asker:
    """Asks the language model ``model`` for one query, at most ``calls`` times and within
    ``seconds``.

    The model and the cache of answers are shared by all stages of a library.
    """
    answers = context.resource("language model answers", lambda: AnswerCache(cache() / "answers.sqlite"))
    return Asker(language_model(model), answers, calls=calls, seconds=min(seconds, context.remaining()))


def write_queries(asker: Asker, query: str, count: int = 1, prompt: str = "rewrite") -> list[str]:
    """Up to ``count`` other ways to say ``query``, best first, without the query itself. Raises
    `ModelError`.

    Ma et al., "Query Rewriting for Retrieval-Augmented Large Language Models" (2023); several, to
    be fused: RAG-Fusion (Rackauckas 2024).
    """
    answer = asker.ask(load_prompt(prompt), query=on_one_line(query), count=str(count))
    return non_empty(listed(answer, query)[:count], "rewrote nothing")


def write_passage(asker: Asker, query: str, passages: Sequence[str] = ()) -> str:
    """A passage that might answer ``query``, written by the model. Raises `ModelError`.

    Gao et al., "Precise Zero-Shot Dense Retrieval without Relevance Labels" (2023, HyDE); Wang,
    Yang and Wei, "Query2doc" (2023). With the first ``passages`` found shown to it: Shen et al.,
    "Large Language Models are Strong Zero-Shot Retriever" (2023, LameR).
    """
    if passages:
        return asker.ask(load_prompt("expand_seen"), query=on_one_line(query), passages=passages_shown(passages))
    return asker.ask(load_prompt("expand"), query=on_one_line(query))


def on_one_line(text: str) -> str:
    """``text`` on one line, so that a query cannot leave its place in a prompt."""
    return " ".join(text.split())


def passages_shown(passages: Sequence[str], words: int = 80) -> str:
    """Passages as prompts show them: numbered, one per line, each cut to ``words`` words."""
    return "\n".join(f"[{number}] {' '.join(text.split()[:words])}" for number, text in enumerate(passages, 1))


# -- reading answers ---------------------------------------------------------------------------------------------------------


def listed(answer: str, query: str) -> list[str]:
    """The queries that an answer lists, without numbers, labels, quotes, chatter, repeats and
    ``query`` itself.
    """
    found: dict[str, str] = {}
    for line in answer.splitlines():
        text = _LABEL.sub("", _MARK.sub("", line).strip()).strip().strip("\"'`*“”").strip()
        if not _WORD.search(text) or _CHATTER.match(text):
            continue
        found.setdefault(text.lower().rstrip("?. "), text[:LONGEST])
    found.pop(query.lower().strip().rstrip("?. "), None)
    return list(found.values())


def non_empty(found: list[str], otherwise: str) -> list[str]:
    """``found``, or `ModelError` that says what the model did ``otherwise``."""
    if not found:
        raise ModelError(f"the language model {otherwise}")
    return found


# -- using them --------------------------------------------------------------------------------------------------------------


def add_texts(context: Context, query: Query, texts: Sequence[str], weight: float) -> Query:
    """``query`` with ``texts`` added: their words and vectors get ``weight``, its own get the rest.

    query2doc repeats the query's words five times so that those of a passage do not outweigh them;
    fixed shares do the same for texts of any length.
    """
    own = query_terms(context, query)
    new = Counter(term for text in texts for term in context.analyze(text))
    result = query
    if new:
        result = result.with_terms("bm25", weighted_sum([(1 - weight, normalised(own, 1)), (weight, normalised(new, 1))]))
    for name, kind in context.representations.items():
        if kind == "dense":
            mine = query.vectors.get(name)
            vectors = context.encode(name, [query.text, *texts])
            mean = weighted_mean(vectors[0] if mine is None else mine, vectors[1:], 1 - weight, weight)
            result = result.with_vector(name, mean)
    return result


def search_queries(
    context: Context,
    query: Query,
    recipe: Recipe,
    want: int,
    run: Run,
    name: str,
    write: Callable[[], Sequence[str]],
    own: float,
) -> Hits:
    """The rankings of ``query`` and of the queries that ``write`` makes, fused by reciprocal rank.

    ``own`` is the share of the query's own ranking. If ``write`` fails, the query alone is
    searched, and a note says so.
    """
    try:
        texts = list(write())
    except Exception as error:
        context.note(f"{name} was skipped: {str(error) or type(error).__name__}")
        return run(recipe, query, want)
    context.note(f"{name}: {' | '.join(texts)}"[:400])
    deep = max(want, DEPTH)
    rankings = [run(recipe, one, deep) for one in (query, *(query.with_text(text) for text in texts))]
    hits, parts = reciprocal(rankings)
    others = np.sum(parts[1:], axis=0) * ((1 - own) / len(texts))
    return Hits.ranked(hits.ids, own * parts[0] + others, want)
