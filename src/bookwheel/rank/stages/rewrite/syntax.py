"""``syntax()``: queries that say more than words.

    "block max index"     the phrase must occur, word for word
    +wand   +"a phrase"   must occur
    -lucene -"a phrase"   must not occur
    title:wand            the field must contain this text (case ignored), or be equal to this number;
                          folder:x and suffix:x are as in a filter
    -year:2019            the field must not
    like:ID   unlike:ID   passages of these documents are examples of what is sought, or is not (``like:#12``: passage 12)

All other words rank. Whatever does not read as one of these is plain text: a sign that no word
follows or that is inside a word (``x-ray``, ``C++``, ``a - b``), a quote without its partner, a
name before a colon that is not a field of the library.

Examples move the query by Rocchio's formula (1971), with the weights of Manning, Raghavan and
Schütze, "Introduction to Information Retrieval", section 9.1.1: towards those that are liked and
away from the others, in its terms and its vectors. Terms are weighted by tf-idf, since whole
passages have many words that say nothing. Several ``like:`` and ``unlike:`` are the series of
intersections and differences of Liu, "SetCSE: Set Operations using Contrastive Learning of Sentence
Embeddings" (2024). In part: sets are means of vectors, and the encoder is not tuned to keep them
apart.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...query import Constraints, Query
from ...term_weights import characteristic_terms, divided_by_idf, weighted_sum
from ...vector_means import unit
from ..base import Rewrite
from ..context import Context

__all__ = ["ParsedQuery", "Syntax", "parse_query"]

TERMS = 40
"""Terms of the examples that are used."""
ALPHA, BETA, GAMMA = 1.0, 0.75, 0.15
"""Rocchio's weights: of the query, of the examples, of the examples of what is not sought."""
MOST_EXAMPLES = 200
"""Passages of the examples that are read."""
OPENING = 300
"""Characters of the first example that stand for a query without words of its own."""
_TOKEN = re.compile(
    r"""(?<!\S)(?P<sign>[+-]?)
    (?:(?P<field>[^\W\d][\w.]*):(?:"(?P<quoted>[^"]+)"|(?P<value>[^\s"]+))|"(?=[^"\w]*+\w)(?P<phrase>[^"]*+)"|(?P<word>[^\s"+:-][^\s":]*))
    (?!\S)""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_WHOLE = ("folder", "suffix")
"""Fields of files of which not any part counts: ``suffix:c`` is not ``docx``."""


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """The parts of a query."""

    text: str
    """What ranks: everything except what is excluded and what only filters."""
    required: tuple[str, ...]
    excluded: tuple[str, ...]
    where: str | None
    like: tuple[str, ...]
    unlike: tuple[str, ...]
    plain: bool = True
    """Whether there are words that are none of these."""


def parse_query(text: str, fields: Collection[str]) -> ParsedQuery:
    """Parse ``text``; ``fields`` are the names that may stand before a colon. Every text is a
    query.
    """
    required: list[str] = []
    excluded: list[str] = []
    filters: list[str] = []
    like: list[str] = []
    unlike: list[str] = []
    left: list[str] = []
    others: list[str] = []
    at = 0
    for token in _TOKEN.finditer(text):
        sign, field, phrase, word = token["sign"], token["field"], token["phrase"], token["word"]
        ranks = ""
        if field is not None:
            value = token["quoted"] or token["value"]
            if field in ("like", "unlike") and not sign:
                (like if field == "like" else unlike).append(value)
            elif field in fields:
                test = _test(field, value)
                filters.append(f"not ({test})" if sign == "-" else test)
            elif sign and value.startswith("//"):  # an address of a page
                (required if sign == "+" else excluded).append(f"{field}:{value}")
                ranks = f"{field}:{value}" if sign == "+" else ""
            else:
                continue
        elif phrase is not None:
            if sign == "-":
                excluded.append(phrase)
            else:
                required.append(phrase)
                ranks = phrase
        elif sign and any(character.isalnum() for character in word):
            if sign == "-":
                excluded.append(word)
            else:
                required.append(word)
                ranks = word
        else:
            continue
        left += [text[at : token.start()], ranks]
        others.append(text[at : token.start()])
        at = token.end()
    left.append(text[at:])
    others.append(text[at:])
    plain = " ".join("".join(left).split())
    return ParsedQuery(
        plain,
        tuple(required),
        tuple(excluded),
        " and ".join(filters) or None,
        tuple(like),
        tuple(unlike),
        any(character.isalnum() for character in "".join(others)),
    )


def _test(field: str, value: str) -> str:
    name = f"[{field}]"
    quote = "'" if '"' in value else '"'
    whole = field in _WHOLE and value[0] not in ".~"
    if _NUMBER.fullmatch(value) and not whole:
        return f"{name} = {value}"
    return f"{name} {'=' if whole else 'like'} {quote}{value.replace(quote, '')}{quote}"


def _moved(context: Context, query: Query, like: NDArray[np.int64], unlike: NDArray[np.int64], plain: bool) -> Query:
    """The query moved towards the passages ``like`` and away from ``unlike``; ``plain``: it has
    words of its own.
    """
    like, unlike = like[:MOST_EXAMPLES], unlike[:MOST_EXAMPLES]
    parts: list[tuple[float, Mapping[str, float]]] = []
    if plain:
        parts.append((ALPHA, characteristic_terms(context, [Counter(context.analyze(query.text))], TERMS)))
    if len(like):
        parts.append((BETA, characteristic_terms(context, context.terms(like), TERMS)))
    if len(unlike):
        parts.append((-GAMMA, characteristic_terms(context, context.terms(unlike), 10 * TERMS)))
    if terms := weighted_sum(parts):
        query = query.with_terms("bm25", divided_by_idf(context, terms))
    for name, kind in context.representations.items():
        if kind == "dense":
            total = ALPHA * context.encode(name, [query.text])[0].astype(np.float64) if plain else 0.0
            for weight, ids in ((BETA, like), (-GAMMA, unlike)):
                if len(ids):
                    total = total + weight * context.vectors(name, ids).mean(axis=0, dtype=np.float64)
            if np.any(total):
                query = query.with_vector(name, unit(np.asarray(total)))
    return query


@dataclass(frozen=True, slots=True)
class Syntax(Rewrite):
    """Reads ``"a phrase"``, ``+required``, ``-excluded``, ``field:value`` and ``like:ID``; all else
    is plain text.
    """

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
        # If the query only filters or excludes, everything that was written ranks.
        text = parsed.text or " ".join([*parsed.required, *parsed.excluded]) or _opening(context, like) or query.text
        constraints = Constraints(
            query.constraints.required + parsed.required,
            query.constraints.excluded + parsed.excluded,
            " and ".join(f"({where})" for where in (query.constraints.where, parsed.where) if where) or None,
            query.constraints.without + tuple(like.tolist()) + tuple(unlike.tolist()),
            not (parsed.plain or parsed.like or parsed.unlike),
        )
        query = query.with_text(text).with_constraints(constraints)
        return _moved(context, query, like, unlike, bool(parsed.text)) if len(like) or len(unlike) else query


def _opening(context: Context, ids: NDArray[np.int64]) -> str:
    """The beginning of the first example, for stages that read the query's text, which retrievers
    do not here.
    """
    return context.texts(ids[:1])[0][:OPENING] if len(ids) else ""
