"""``syntax()``."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...queries.examples import by_examples
from ...queries.syntax import parse_query
from ...query import Constraints, Query
from ..base import Context, Rewrite

__all__ = ["Syntax"]


@dataclass(frozen=True, slots=True)
class Syntax(Rewrite):
    """Reads ``"a phrase"``, ``+required``, ``-excluded``, ``field:value`` and ``like:ID``; all else is plain text."""

    name = "syntax"
    summary = "reads phrases, required and excluded words, fields and examples in the query"
    source = "the syntax of web search engines"
    cost = "nothing for plain text; about 1 ms with constraints, more for phrases of common words"

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with its constraints."""
        parsed = parse_query(query.text, context.fields)
        if parsed.text == query.text and not parsed.excluded and not parsed.required:
            return query
        like, unlike = context.passages_of(parsed.like), context.passages_of(parsed.unlike)
        for named, found in ((parsed.like, like), (parsed.unlike, unlike)):
            if named and not len(found):
                context.note(f"no document or passage is called {' or '.join(named)}")
        # Of a query that only filters or excludes, all that was written ranks.
        text = parsed.text or " ".join([*parsed.required, *parsed.excluded]) or _opening(context, like) or query.text
        constraints = Constraints(
            query.constraints.required + parsed.required,
            query.constraints.excluded + parsed.excluded,
            " and ".join(f"({where})" for where in (query.constraints.where, parsed.where) if where) or None,
            query.constraints.without + tuple(like.tolist()) + tuple(unlike.tolist()),
        )
        query = replace(query.with_text(text), constraints=constraints)
        return by_examples(context, query, like, unlike, bool(parsed.text)) if len(like) or len(unlike) else query


def _opening(context: Context, ids: NDArray[np.int64]) -> str:
    """The beginning of the first example: for stages that read the query, which retrievers do not."""
    return context.texts(ids[:1])[0][:300] if len(ids) else ""
