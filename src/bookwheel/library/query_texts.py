"""Texts of queries and questions as they are given, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .._errors import QueryError, UsageError
from ..rank.query import Query
from .storable import storable

__all__ = ["MAX_QUERY", "asked", "queries_of", "query_of", "searchable_text"]

MAX_QUERY = 1 << 15
"""Longest query, in characters."""


def asked(question: str) -> str:
    """A question as it was given, without spaces at its ends. Raises `QueryError` for one that is none, empty or too long."""
    return _checked(
        question, "question", 'ask something, as in: bookwheel ask "who drew the wheel?"', "ask it in a few sentences"
    )


def queries_of(queries: Iterable[str | Query]) -> list[Query]:
    """Each of ``queries`` checked. A text alone would be asked letter by letter. Raises `UsageError`, `QueryError`."""
    if isinstance(queries, (str, bytes, Query)):
        raise UsageError("several queries are given as a list, as in [query]; for one alone use search")
    return [query_of(query) for query in queries]


def query_of(query: str | Query) -> Query:
    """``query`` as searches take it. Raises `QueryError` for a text that is none, empty or too long."""
    if isinstance(query, Query):
        text, history = query_of(query.text).text, tuple(map(storable, query.history))
        whole = (text, history) == (query.text.strip(), query.history)
        return query if whole else replace(query, text=text, history=history)
    example = 'give words to search for, as in: bookwheel search "block max index"'
    return Query(_checked(query, "query", example, "keep only its most distinctive words"))


def _checked(given: str, what: str, example: str, shorter: str) -> str:
    if not isinstance(given, str):
        raise QueryError(f"a {what} must be a string, not {type(given).__name__}")
    text = given.strip()
    if not text:
        raise QueryError(f"the {what} is empty; {example}")
    if len(text) > MAX_QUERY:
        raise QueryError(f"the {what} can have at most {MAX_QUERY:,} characters, not {len(text):,}; {shorter}")
    if "\0" in text:
        raise QueryError(f"the {what} contains NUL characters; remove them")
    return storable(text)  # tokenizers refuse half a surrogate pair, and documents have none


def searchable_text(text: str) -> str | None:
    """``text`` as a search takes it, or None where it takes none such: blank, too long, or with NUL characters."""
    try:
        return _checked(text, "query", "", "")
    except QueryError:
        return None
