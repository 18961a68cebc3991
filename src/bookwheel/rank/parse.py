"""Parses the text form of a recipe: Python's expression grammar, read with ``ast`` and a whitelist.
Nothing is evaluated.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NoReturn

from .._errors import RecipeError
from .._system import PARSING
from .named import RECIPES
from .recipe import MAX_TEXT, Recipe, Retrieve, cut, fuse, pipe, scale
from .validate import fail

__all__ = ["parse_recipe"]

_EXAMPLE = "0.5*bm25 + 0.5*dense"
_OPERATIONS = "'+' (fuse), '*' (weigh), '%' (cut) and '>>' (pass on to)"
_NONE: Mapping[str, str] = MappingProxyType({})
_MAX_NESTING = 100
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")

_OPERATORS: dict[type[ast.operator], str] = {
    ast.Sub: "'-' does not combine rankings; give one a smaller weight, as in 'bm25 + 0.2*dense'",
    ast.Div: "'/' does not combine rankings; multiply by a number, as in '0.5*bm25'",
    ast.LShift: "'<<' does not combine rankings; '>>' passes the hits to the next stage, as in 'bm25 >> mmr()'",
    ast.BitOr: "'|' does not combine rankings; '+' fuses two of them",
    ast.BitAnd: "'&' does not combine rankings; '+' fuses two of them",
}


def parse_recipe(recipe: str | Recipe, saved: Mapping[str, str] = _NONE) -> Recipe:
    """The recipe of a text such as ``0.5*bm25 + 0.5*dense``, ``(bm25 % 1000 + dense) % 20`` or
    ``bm25 >> rm3() >> bm25``.

    A name in ``saved`` (name to text) or `RECIPES` stands for that recipe, the name of a stage for
    the stage with its defaults, any other name for a retriever (`validate` checks that a library
    has it). A `Recipe` is returned as it is. Raises `RecipeError` that tells the column, with the
    place marked in the message's second and third line.
    """
    if isinstance(recipe, Recipe):
        return recipe
    if not isinstance(recipe, str):
        raise RecipeError(f"a recipe must be a text such as '{_EXAMPLE}', not {type(recipe).__name__}")
    if len(recipe) > MAX_TEXT:
        raise RecipeError(f"a recipe may have at most {MAX_TEXT} characters, not {len(recipe)}; shorten it")
    return _parse(recipe, tuple(saved.items()))


@lru_cache(maxsize=256)
def _parse(recipe: str, saved: tuple[tuple[str, str], ...] = ()) -> Recipe:
    # Every white-space character becomes one space, so that a recipe may span lines and columns
    # stay right.
    text = re.sub(r"\s", " ", recipe).strip()
    if not text:
        raise RecipeError(f"the recipe is empty; write one such as '{_EXAMPLE}', or a name: {', '.join(RECIPES)}")
    # A '#' begins a comment, except inside quotes, where the name of a model may have one.
    bare = _QUOTED.sub(lambda quoted: quoted[0].replace("#", "_"), text)
    for mark in "#\\\0":
        if mark in bare:
            fail(text, bare.index(mark), f"{mark!r} is not allowed in a recipe")
    try:
        with PARSING:
            tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        if not error.offset:
            fail(text, len(text), f"the recipe ends too early; expected a recipe such as '{_EXAMPLE}'")
        why = error.msg if "'" in error.msg else "this is not a recipe"  # "'(' was never closed"
        fail(text, error.offset - 1, f"{why}; expected a recipe such as '{_EXAMPLE}'")
    except (ValueError, RecursionError, MemoryError):
        fail(text, 0, f"this is not a recipe; expected one such as '{_EXAMPLE}'")
    return _Reader(text, dict(saved)).recipe(tree.body)


class _Reader:
    """Turns the syntax tree of one text into a recipe."""

    def __init__(self, text: str, saved: Mapping[str, str]) -> None:
        self.text = text
        self.saved = saved
        self.nesting = 0

    def recipe(self, node: ast.expr) -> Recipe:
        value = self.value(node)
        if isinstance(value, Fraction):
            self.fail(node, "a number weighs a retriever, as in '0.5*bm25'; expected a retriever")
        return value

    def value(self, node: ast.expr) -> Recipe | Fraction:
        self.nesting += 1
        if self.nesting > _MAX_NESTING:
            self.fail(node, "the recipe has too many parts; leave some out")
        try:
            match node:
                case ast.Name(id=name):
                    return self.name(node, name)
                case ast.Constant(value=value) if type(value) in (int, float):
                    return self.number(node)
                case ast.BinOp():
                    return self.operation(node)
                case ast.Call(func=ast.Name(id=name)):
                    return self.call(node, name)
                case ast.UnaryOp(op=ast.USub()):
                    self.fail(node, "a weight must be a positive number")
                case _:
                    self.fail(node, f"expected a retriever's name or a number, as in '{_EXAMPLE}'")
        finally:
            self.nesting -= 1

    def name(self, node: ast.Name, name: str) -> Recipe:
        text = self.saved.get(name) or (RECIPES[name].text if name in RECIPES else name)
        if text != name:
            return _parse(text)
        from .stages.registry import stage_names

        if name in stage_names():
            return self.call(ast.Call(func=node, args=[], keywords=[], **_place(node)), name)
        with self.at(node):
            return Retrieve(name)

    def call(self, node: ast.Call, name: str) -> Recipe:
        from .stages.arguments import make_stage
        from .stages.registry import find_stage, stage_names

        kind = find_stage(name)
        if kind is None:
            near = difflib.get_close_matches(name, stage_names(), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ";"
            self.fail(node, f"there is no stage '{name}(…)'{hint} available: {', '.join(stage_names())}")
        given = [self.argument(argument) for argument in node.args]
        named: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self.fail(keyword.value, "'**' is not allowed in a recipe")
            named[keyword.arg] = self.argument(keyword.value)
        with self.at(node):
            return make_stage(kind, given, named)

    def argument(self, node: ast.expr) -> Any:
        """An argument of a stage: a recipe, a number, a text, True or False."""
        match node:
            case ast.Constant(value=str() | bool() as value):
                return value
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)) if type(value) is not bool:
                return -value
        return self.recipe(node)

    def number(self, node: ast.Constant) -> Fraction:
        value = node.value
        assert isinstance(value, int | float)
        if value == 0:
            return Fraction(0)
        if not 1e-12 <= value <= 1e12:  # also keeps 1e999999999 from being written out exactly
            self.fail(node, "the number is too large or too small; a weight must be from 0.000001 to 1000000")
        try:
            return Fraction(ast.get_source_segment(self.text, node) or "")
        except ValueError:  # 0x10 and the like
            self.fail(node, "write the number in decimal digits")

    def operation(self, node: ast.BinOp) -> Recipe | Fraction:
        match node.op:
            case ast.Add():
                left, right = self.recipe(node.left), self.recipe(node.right)
                with self.at(node):
                    return fuse(left, right)
            case ast.Mult():
                return self.product(node)
            case ast.RShift():
                left, right = self.recipe(node.left), self.recipe(node.right)
                with self.at(node):
                    return pipe(left, right)
            case ast.Mod():
                inner = self.recipe(node.left)
                k = self.value(node.right)
                if not isinstance(k, Fraction) or k.denominator != 1:
                    self.fail(node.right, "expected a whole number after '%', as in 'bm25 % 100'")
                with self.at(node.right):
                    return cut(inner, int(k))
            case operator:
                near = _OPERATORS.get(type(operator), f"only {_OPERATIONS} combine rankings")
                self.fail(node, near, self.gap(node))

    def product(self, node: ast.BinOp) -> Recipe | Fraction:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, Fraction) and isinstance(right, Fraction):
            return left * right
        if isinstance(left, Recipe) and isinstance(right, Recipe):
            self.fail(node, "'*' weighs a ranking by a number, as in '0.5*bm25'; '+' fuses two rankings", self.gap(node))
        weight, recipe = (left, right) if isinstance(left, Fraction) else (right, left)
        assert isinstance(weight, Fraction)
        assert isinstance(recipe, Recipe)
        if weight <= 0:
            self.fail(node, "a weight must be a positive number")
        with self.at(node):
            return scale(recipe, weight)

    @contextmanager
    def at(self, node: ast.expr) -> Iterator[None]:
        """Add the place to errors of the algebra."""
        try:
            yield
        except RecipeError as error:
            if "\n" in str(error):
                raise
            self.fail(node, str(error))

    def gap(self, node: ast.BinOp) -> int:
        """The column of the operator between the two sides."""
        start = self.column(node.left.end_col_offset)
        while self.text[start] in " )":
            start += 1
        return start

    def column(self, offset: int | None) -> int:
        """The column in characters of an ``offset`` in bytes of UTF-8, as ``ast`` counts."""
        return len(self.text.encode()[: offset or 0].decode(errors="ignore"))

    def fail(self, node: ast.expr, message: str, column: int | None = None) -> NoReturn:
        fail(self.text, self.column(node.col_offset) if column is None else column, message)


def _place(node: ast.expr) -> dict[str, Any]:
    names = ("lineno", "col_offset", "end_lineno", "end_col_offset")
    return {name: getattr(node, name) for name in names}
