"""What the stages that ask a language model have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from ..._errors import RecipeError
from ..._paths import cache
from ...hits import Hits
from ...language import language_model
from ...language.answers import Answers
from ...language.ask import Asked
from ..feedback.terms import combined, query_terms, scaled
from ..feedback.vectors import weighted_mean
from ..fusion.reciprocal import reciprocal
from ..query import Query
from ..recipe import Recipe
from ..stages.base import Context, Run

__all__ = ["added", "asked_for", "named_model", "searched"]


def named_model(model: str) -> None:
    """Check a parameter: the name of a language model, or `RecipeError`. Nothing is opened."""
    if not model.strip():
        raise RecipeError("'model' names a language model, as in model=\"smollm2\"")


def asked_for(context: Context, model: str, calls: int, seconds: float) -> Asked:
    """The model and the kept answers, for one query; both are shared by all stages of a library."""
    answers = context.resource("language model answers", lambda: Answers(cache() / "answers.sqlite"))
    return Asked(language_model(model), answers, calls=calls, seconds=min(seconds, context.remaining()))


def added(context: Context, query: Query, texts: Sequence[str], weight: float) -> Query:
    """``query`` with ``texts`` added: ``weight`` goes to their words and vectors, the rest to its own.

    query2doc repeats a query's words five times so that a passage's do not drown them; fixed shares do the same for any length.
    """
    own = query_terms(context, query)
    new = Counter(term for text in texts for term in context.analyze(text))
    result = query
    if new:
        result = result.with_terms("bm25", combined([(1 - weight, scaled(own, 1)), (weight, scaled(new, 1))]))
    for name, kind in context.representations.items():
        if kind == "dense":
            mine = query.vectors.get(name)
            vectors = context.encode(name, [query.text, *texts])
            result = result.with_vector(
                name, weighted_mean(vectors[0] if mine is None else mine, vectors[1:], 1 - weight, weight)
            )
    return result


def searched(
    context: Context,
    query: Query,
    recipe: Recipe,
    want: int,
    run: Run,
    name: str,
    find: Callable[[], Sequence[str]],
    share: float,
) -> Hits:
    """The rankings of ``query`` and of what ``find`` made of it, fused by reciprocal rank; ``share`` is the query's own.

    Where ``find`` fails, the ranking of the query alone, and a note.
    """
    try:
        texts = list(find())
    except Exception as error:
        context.note(f"{name} was skipped: {str(error) or type(error).__name__}")
        return run(recipe, query, want)
    context.note(f"{name}: {' | '.join(texts)}"[:400])
    deep = max(want, 100)
    rankings = [run(recipe, one, deep) for one in (query, *(query.with_text(text) for text in texts))]
    hits, parts = reciprocal(rankings)
    others = np.sum(parts[1:], axis=0) * ((1 - share) / len(texts))
    return Hits.ranked(hits.ids, share * parts[0] + others, want)
