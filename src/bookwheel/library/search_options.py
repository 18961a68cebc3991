"""The options of a search: one frozen object, and the keywords of `Library.search` made of its fields."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, cast

from .._errors import UsageError
from .._numbers import real, whole
from ..rank.recipe import Recipe

__all__ = ["MAX_K", "SORTS", "SearchOptions", "with_options"]

MAX_K = 1_000_000
SORTS = ("relevance", "newest", "oldest")

P = ParamSpec("P")
Options = TypeVar("Options")
S = TypeVar("S")
Q = TypeVar("Q")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How to search. Raises `UsageError` for values that make no sense.

    Adding an option is adding a field here, its use in `Searcher`, and an ``@option`` line to ``bookwheel search``.
    """

    k: int = 10
    """How many results, from 1 to 1,000,000."""
    _: KW_ONLY
    recipe: str | Recipe | None = None
    """How to rank; the library's own recipe where None."""
    where: str | None = None
    """A filter by metadata: ``year >= 2020``."""
    group: bool = False
    """Give each document once, with its best passage."""
    seconds: float | None = None
    """Time for slow stages (rerankers, language models), which then give the best ranking they have; None: no bound."""
    cutoff: float | None = None
    """Leave out passages that fit the query with a smaller probability than this; all of them, perhaps. 0 to 1."""
    trace: bool = False
    """Keep each stage's time, candidates and notes in ``Results.ranking.trace`` and ``Results.timings``."""
    threads: int = 1
    """How many queries of `Library.search_many` are searched at once."""
    offset: int = 0
    """Leave out this many results: with ``k=10``, the second page begins at 10."""
    fold: bool = False
    """Put what repeats a better result nearly word for word under that result (`Result.also`)."""
    sort: Literal["relevance", "newest", "oldest"] = "relevance"
    """``newest`` or ``oldest``: the best 100 passages by the date of their document, or else of its file."""
    facets: Sequence[str] = ()
    """Count the values of these fields among the documents of the best 200 passages (`Results.facets`); fields that no document
    has are left out."""

    def __post_init__(self) -> None:
        for name in ("k", "threads", "offset"):
            object.__setattr__(self, name, whole(getattr(self, name), name))
        for name in ("cutoff", "seconds"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, real(value, name))
        if not 1 <= self.k <= MAX_K:
            raise UsageError(f"k must be a whole number between 1 and {MAX_K}, not {self.k!r}")
        if self.cutoff is not None and not 0 <= self.cutoff <= 1:
            raise UsageError(f"cutoff must be between 0 and 1, not {self.cutoff!r}")
        if self.seconds is not None and not self.seconds >= 0:
            raise UsageError(f"seconds must be a number from 0 up, not {self.seconds!r}")
        if not 0 <= self.offset <= MAX_K - self.k:
            raise UsageError(f"offset must be a whole number from 0 to {MAX_K} less k, not {self.offset!r}")
        if self.sort not in SORTS:
            raise UsageError(f"sort must be one of {', '.join(SORTS)}, not {self.sort!r:.40}")
        if isinstance(self.facets, str) or not all(isinstance(field, str) for field in self.facets):
            raise UsageError(f"facets must be names of fields in a list, not {self.facets!r:.60}")
        if not 1 <= self.threads <= 256:
            raise UsageError(f"threads must be a whole number between 1 and 256, not {self.threads!r}")

    @property
    def arranged(self) -> bool:
        """Whether more is to be done with a ranking than to show its best passages, or documents."""
        return self.fold or self.offset > 0 or self.sort != "relevance" or bool(self.facets)


def with_options(
    options: Callable[P, Options],
) -> Callable[[Callable[[S, Q, Options], R]], Callable[Concatenate[S, Q, P], R]]:
    """Let a method take the fields of `SearchOptions` (or `AskOptions`) as its arguments, for callers, type checkers and `help`."""

    def decorate(method: Callable[[S, Q, Options], R]) -> Callable[Concatenate[S, Q, P], R]:
        own = inspect.signature(method)
        first = list(own.parameters.values())[:2]
        asked = first[1].name

        @wraps(method)
        def call(self: Any, *args: Any, **keywords: Any) -> Any:
            if asked in keywords:  # search(query="words"): a type checker wants it by place, Python need not
                args = (keywords.pop(asked), *args)
            if not args:
                raise TypeError(f"{method.__name__}() needs {asked}")
            return method(self, args[0], cast(Any, options)(*args[1:], **keywords))

        call.__signature__ = own.replace(parameters=[*first, *inspect.signature(options).parameters.values()])  # type: ignore[attr-defined]
        return cast(Callable[Concatenate[S, Q, P], R], call)

    return decorate
