"""The algebra of recipes. A recipe says how a query becomes a ranking; it is an immutable
expression of these nodes:

* ``Retrieve(name)``: the ranking of one retriever, ``bm25`` or ``dense``;
* ``Fuse(terms)``: a weighted sum of normalised scores, written ``0.5*bm25 + 0.5*dense``;
* ``Cut(recipe, k)``: the best ``k`` of it, written ``bm25 % 1000``;
* ``Pipe(parts)``: one part after the other, each with the query and the hits of the one before,
  written ``a >> b``;
* the stages of `bookwheel.rank.stages`, written ``rm3(docs=10)``.

Make recipes with the operators (``+``, ``*`` by a number, ``%``, ``>>``) or with ``parse_recipe``.
Both give the canonical form, so that recipes that are the same by the laws below are equal, hash
alike and print alike.

* ``a + b == b + a`` and ``(a + b) + c == a + (b + c)``; the same part twice adds its weights
* ``2 * (a + b) == 2*a + 2*b`` and ``1 * a == a``
* ``a % m % n == a % min(m, n)`` and ``(2 * a) % n == 2 * (a % n)`` for a single ``a``
* ``(a >> b) >> c == a >> (b >> c)``, ``(a >> b) % n == a >> b % n`` and
  ``2 * (a >> b) == a >> 2*b`` for a single ``b``

Weights are exact decimals (``Fraction`` inside), so the laws hold to the last digit.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import ClassVar

from .._errors import RecipeError

__all__ = [
    "MAX_CUT",
    "MAX_TERMS",
    "MAX_TEXT",
    "Cut",
    "Fuse",
    "Pipe",
    "Recipe",
    "Retrieve",
    "Term",
    "bm25",
    "cut",
    "dense",
    "fuse",
    "pipe",
    "scale",
]

MAX_TEXT = 4096
"""The longest text of a recipe, in characters."""
MAX_TERMS = 64
"""The most retrievers and stages that a recipe may name, repeats included."""
MAX_DEPTH = 16
"""The deepest nesting."""
MAX_CUT = 10_000_000
"""The largest number after ``%``."""
MIN_WEIGHT, MAX_WEIGHT = Fraction(1, 1_000_000), Fraction(1_000_000)


class Recipe:
    """Base of all nodes, with their operators. ``str(recipe)`` is the canonical text."""

    __slots__ = ()

    gives: ClassVar[str] = "hits"
    """``hits``, or ``query`` for a part that only changes the query."""

    @property
    def needs_hits(self) -> bool:
        """Whether a part before it must give hits, as for ``rm3()``."""
        return any(child.needs_hits for child in self.children())

    def __add__(self, other: Recipe) -> Recipe:
        """Fuse two rankings by the sum of their normalised scores."""
        if not isinstance(other, Recipe):
            return NotImplemented
        return fuse(self, other)

    def __mul__(self, weight: float) -> Recipe:
        """Multiply the scores by ``weight``."""
        if not isinstance(weight, Real):
            return NotImplemented
        return scale(self, as_weight(weight))

    __rmul__ = __mul__

    def __mod__(self, k: int) -> Recipe:
        """Keep the best ``k``."""
        return cut(self, k)

    def __rshift__(self, other: Recipe) -> Recipe:
        """Continue with ``other``, which gets the query and the hits."""
        if not isinstance(other, Recipe):
            return NotImplemented
        return pipe(self, other)

    def children(self) -> tuple[Recipe, ...]:
        """The recipes directly below this one."""
        return ()

    def walk(self) -> Iterator[Recipe]:
        """This node and all below it, depth first."""
        yield self
        for child in self.children():
            yield from child.walk()

    def retrievers(self) -> tuple[str, ...]:
        """The names of the retrievers in it, sorted, each once."""
        return tuple(sorted({node.name for node in self.walk() if isinstance(node, Retrieve)}))


@dataclass(frozen=True, slots=True)
class Retrieve(Recipe):
    """The ranking of the retriever called ``name`` (an ASCII identifier), with its own scores."""

    name: str

    def __post_init__(self) -> None:
        if not (self.name.isascii() and self.name.isidentifier()) or keyword.iskeyword(self.name):
            raise RecipeError(f"{self.name!r} cannot name a retriever; use letters, digits and '_', as in 'bm25'")

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a fusion."""

    recipe: Recipe
    weight: Fraction

    def __str__(self) -> str:
        if self.weight == 1:
            return str(self.recipe)
        inner = f"({self.recipe})" if isinstance(self.recipe, Cut | Fuse | Pipe) else str(self.recipe)
        return f"{_decimal(self.weight)}*{inner}"


@dataclass(frozen=True, slots=True)
class Fuse(Recipe):
    """A weighted sum of rankings. Two terms or more are normalised first; a single one keeps its
    own scores times its weight.

    ``terms`` are sorted by the text of their recipe; none is a ``Fuse``, and no recipe occurs
    twice.
    """

    terms: tuple[Term, ...]

    def children(self) -> tuple[Recipe, ...]:
        """The summands, without their weights."""
        return tuple(term.recipe for term in self.terms)

    def __str__(self) -> str:
        return " + ".join(f"({t})" if t.weight == 1 and isinstance(t.recipe, Pipe) else str(t) for t in self.terms)


@dataclass(frozen=True, slots=True)
class Cut(Recipe):
    """The best ``k`` of ``recipe``. In a fusion it says how many candidates that part selects."""

    recipe: Recipe
    k: int

    def children(self) -> tuple[Recipe, ...]:
        """The recipe that is cut."""
        return (self.recipe,)

    def __str__(self) -> str:
        inner = f"({self.recipe})" if isinstance(self.recipe, Fuse) else str(self.recipe)
        return f"{inner} % {self.k}"


@dataclass(frozen=True, slots=True)
class Pipe(Recipe):
    """Two or more ``parts`` one after the other, none of them a ``Pipe``.

    Each gets the query and the hits as the parts before left them. A retriever gives new hits, a
    reranking stage (``cross(20)``) reorders them, and a part that gives a query (``rm3()``) leaves
    them as they are.
    """

    parts: tuple[Recipe, ...]

    @property
    def gives(self) -> str:  # type: ignore[override]
        """What its last part gives."""
        return self.parts[-1].gives

    @property
    def needs_hits(self) -> bool:
        """Whether a part needs hits and no part before it gives any."""
        for part in self.parts:
            if part.needs_hits:
                return True
            if part.gives == "hits":
                return False
        return False

    def children(self) -> tuple[Recipe, ...]:
        """The parts."""
        return self.parts

    def __str__(self) -> str:
        return " >> ".join(f"({p})" if isinstance(p, Fuse) and len(p.terms) > 1 else str(p) for p in self.parts)


def pipe(first: Recipe, second: Recipe) -> Recipe:
    """The canonical ``first >> second``."""
    return _within_limits(Pipe(_parts(first) + _parts(second)))


def _parts(recipe: Recipe) -> tuple[Recipe, ...]:
    return recipe.parts if isinstance(recipe, Pipe) else (recipe,)


def fuse(*recipes: Recipe) -> Recipe:
    """The canonical sum of ``recipes``. Raises `RecipeError` if one of them does not give hits."""
    weights: dict[Recipe, Fraction] = {}
    for recipe in recipes:
        _ranks(recipe, "'+' fuses rankings")
        for term in _terms(recipe):
            weights[term.recipe] = weights.get(term.recipe, Fraction(0)) + term.weight
    return _sum(weights)


def scale(recipe: Recipe, weight: Fraction) -> Recipe:
    """The canonical ``weight * recipe``. Raises `RecipeError` if the recipe does not give hits."""
    _ranks(recipe, "'*' weighs a ranking")
    return _sum({term.recipe: weight * term.weight for term in _terms(recipe)})


def cut(recipe: Recipe, k: int) -> Recipe:
    """The canonical ``recipe % k``.

    Raises `RecipeError` if ``k`` is not a whole number from 1 to ``MAX_CUT``, or ``recipe`` does
    not give hits.
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_CUT:
        raise RecipeError(f"'%' takes a whole number from 1 to {MAX_CUT}, as in 'bm25 % 100', not {k!r}")
    _ranks(recipe, "'%' cuts a ranking")
    if isinstance(recipe, Pipe):
        return _within_limits(Pipe((*recipe.parts[:-1], cut(recipe.parts[-1], k))))
    if isinstance(recipe, Cut):
        return recipe if recipe.k <= k else Cut(recipe.recipe, k)
    if isinstance(recipe, Fuse) and len(recipe.terms) == 1:
        (term,) = recipe.terms
        return _sum({cut(term.recipe, k): term.weight})
    return _within_limits(Cut(recipe, k))


def as_weight(number: float | Real) -> Fraction:
    """A Python number as an exact decimal: 0.1 is one tenth. Raises `RecipeError` if it cannot be a
    weight.
    """
    value = math.nan if isinstance(number, bool) else float(number)
    if not math.isfinite(value):
        raise RecipeError(f"a weight must be a positive number, not {number!r}")
    return _checked(Fraction(repr(value)))


def _checked(weight: Fraction) -> Fraction:
    if not MIN_WEIGHT <= weight <= MAX_WEIGHT:
        raise RecipeError(f"a weight must be a number from 0.000001 to 1000000, not {float(weight):g}")
    return weight


def _ranks(recipe: Recipe, why: str) -> None:
    if recipe.gives != "hits":
        last = str(_parts(recipe)[-1])
        raise RecipeError(f"{why}, but {last} gives a query; put a retriever after it, as in '{last} >> bm25'")


def _terms(recipe: Recipe) -> tuple[Term, ...]:
    if isinstance(recipe, Fuse):
        return recipe.terms
    if isinstance(recipe, Pipe) and isinstance(last := recipe.parts[-1], Fuse) and len(last.terms) == 1:
        return (Term(Pipe((*recipe.parts[:-1], last.terms[0].recipe)), last.terms[0].weight),)
    return (Term(recipe, Fraction(1)),)


def _sum(weights: dict[Recipe, Fraction]) -> Recipe:
    terms = tuple(Term(recipe, _checked(weight)) for recipe, weight in sorted(weights.items(), key=lambda item: str(item[0])))
    if len(terms) == 1:
        (term,) = terms
        if term.weight == 1:
            return term.recipe
        if isinstance(term.recipe, Pipe) and not isinstance(term.recipe.parts[-1], Fuse):
            *before, last = term.recipe.parts
            return _within_limits(Pipe((*before, Fuse((Term(last, term.weight),)))))
    return _within_limits(Fuse(terms))


def _within_limits(recipe: Recipe) -> Recipe:
    """``recipe``, or `RecipeError` if it is too large to be written and parsed again."""
    if sum(not isinstance(node, Cut | Fuse | Pipe) for node in recipe.walk()) > MAX_TERMS:
        raise RecipeError(f"a recipe may name at most {MAX_TERMS} retrievers and stages; leave some out")
    if _depth(recipe) > MAX_DEPTH:
        raise RecipeError(f"a recipe may be nested at most {MAX_DEPTH} deep; write it with fewer parentheses")
    if len(str(recipe)) > MAX_TEXT:
        raise RecipeError(f"a recipe may have at most {MAX_TEXT} characters; round its weights or leave out parts")
    return recipe


def _depth(recipe: Recipe) -> int:
    return 1 + max(map(_depth, recipe.children()), default=0)


def _decimal(weight: Fraction) -> str:
    """A fraction whose denominator has no prime factors but 2 and 5, written out exactly."""
    digits = 0
    while (weight * 10**digits).denominator != 1:
        digits += 1
    whole = str(int(weight * 10**digits)).rjust(digits + 1, "0")
    return f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole


bm25 = Retrieve("bm25")
"""The lexical retriever."""
dense = Retrieve("dense")
"""The dense retriever."""
