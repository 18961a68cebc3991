"""Reads measures from their notation: ``nDCG@10``, ``AP(rel=2)@100``."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._errors import UsageError
from ..._system import PARSING
from .base import Measure, MeasureKind
from .external import ExternalMeasure, external_measure, is_installed
from .registry import BY_NAME, KINDS

__all__ = ["DEFAULT_MEASURES", "depth_of", "parse_measures"]

DEFAULT_MEASURES = ("nDCG@10", "R@100", "AP", "RR")
UNCUT_DEPTH = 1000
"""How many documents to rank for a measure without a cutoff, as TREC does."""
MAX_LENGTH = 200
"""Characters of a measure's notation: longer ones are mistakes, and Python's parser is not made for
untrusted lengths.
"""


def parse_measures(names: Sequence[object]) -> list[Measure | ExternalMeasure]:
    """The measures that ``names`` denote, without duplicates. A measure object of ir-measures is
    read by its name.

    The built-in ones are `KINDS`; a name or a parameter that they do not have goes to ir-measures.
    Raises `UsageError`, which lists everything that is wrong with any of them.
    """
    parsed: dict[str, Measure | ExternalMeasure] = {}
    problems: list[str] = []
    unknown: list[str] = []
    for text in map(str, names):
        written = _written(text)
        if written is None:
            problems.append(f"{text!r:.60} is not a measure; write one as in nDCG@10, R@100 or P(rel=2)@10")
            continue
        kind = BY_NAME.get(written.name)
        strange = sorted(written.arguments.keys() - {p.name for p in kind.parameters}) if kind else []
        found: Measure | ExternalMeasure | None = None
        if kind is None or strange:
            found = external_measure(text) if is_installed() else None
            if found is None and kind is None:
                unknown.append(text)
            elif found is None and kind is not None:
                problems.append(f"{text!r}: {_strange(kind, strange)}")
        elif wrong := _wrong(kind, written.arguments):
            problems += [f"{text!r}: {problem}" for problem in wrong]
        else:
            found = _built_in(kind, written.arguments)
        if found is not None:
            parsed.setdefault(str(found), found)
    if unknown:
        problems.append(_unknown(unknown))
    if problems:
        raise UsageError("; ".join(problems))
    if not parsed:
        raise UsageError(f"no measure is given; the usual ones are {' '.join(DEFAULT_MEASURES)}")
    return list(parsed.values())


def depth_of(names: Sequence[object]) -> int:
    """How many documents each ranking needs for these measures: the largest cutoff, or 1000 where a
    measure has none.
    """
    return max(measure.cutoff or UNCUT_DEPTH for measure in parse_measures(names))


@dataclass(frozen=True, slots=True)
class _Written:
    name: str
    arguments: Mapping[str, Any]


def _written(text: str) -> _Written | None:
    """The parts of a measure's notation; None where it is none."""
    try:
        with PARSING:
            node = ast.parse(text.strip() if len(text) <= MAX_LENGTH else "", mode="eval").body
        arguments: dict[str, Any] = {}
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            arguments["cutoff"] = _value(node.right)
            node = node.left
        if isinstance(node, ast.Call):
            if node.args or any(keyword.arg is None for keyword in node.keywords):
                return None
            arguments = {**{str(keyword.arg): _value(keyword.value) for keyword in node.keywords}, **arguments}
            node = node.func
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _Written(node.id, arguments) if isinstance(node, ast.Name) else None


def _value(node: ast.expr) -> object:
    """A literal, or a bare word as the text that it is, so that the error can name it."""
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def _wrong(kind: MeasureKind, arguments: Mapping[str, Any]) -> list[str]:
    """What is wrong with the arguments, a clause each."""
    found = [parameter.problem(arguments[parameter.name]) for parameter in kind.parameters if parameter.name in arguments]
    missing = [parameter.name for parameter in kind.parameters if parameter.required and parameter.name not in arguments]
    return [*filter(None, found), *(f"{kind.name} needs a {name}, as in {kind.name}@10" for name in missing)]


def _built_in(kind: MeasureKind, arguments: Mapping[str, Any]) -> Measure:
    given = {p.name: arguments[p.name] for p in kind.parameters if p.name in arguments and arguments[p.name] != p.default}
    return Measure(kind, given)


def _strange(kind: MeasureKind, names: Sequence[str]) -> str:
    """Parameters that a measure does not have, and those it has."""
    there = ", ".join(parameter.name for parameter in kind.parameters)
    return f"{kind.name} has no parameter {', '.join(names)}; it has {there}{'' if is_installed() else f' ({_MORE})'}"


def _unknown(texts: Sequence[str]) -> str:
    """Names that nobody knows, and those there are."""
    close = {name.lower(): name for name in BY_NAME}
    heads = [text.partition("@")[0].partition("(")[0].strip().lower() for text in texts]
    meant = sorted({close[head] for head in heads if head in close})
    names = ", ".join(repr(text) for text in texts)
    built_in = ", ".join(kind.name for kind in KINDS)
    hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
    if is_installed():
        return f"neither bookwheel ({built_in}) nor ir-measures has a measure {names}{hint}"
    return f"no built-in measure is called {names}; there is {built_in} ({_MORE}){hint}"


_MORE = "for the other measures of ir-measures: pip install 'bookwheel[evaluate]'"
