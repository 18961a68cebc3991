"""``bookwheel judge --compare``: the agreement of judges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._errors import UsageError
from .output import clean, json_document, table

if TYPE_CHECKING:
    from ..tune.judging.comparison import Compared

__all__ = ["print_compared", "print_comparison"]


def print_comparison(files: Sequence[str], *, as_json: bool) -> int:
    """Read the judges' files, and print every two of them beside each other."""
    from ..tune.judging.comparison import compare_judges
    from ..tune.judging.inputs import read_judge

    names = list(dict.fromkeys(files))
    if len(names) < 2:
        raise UsageError("--compare needs two files or more; name them as in: --compare judgments/me.jsonl --compare qrels.txt")
    found = compare_judges({name: read_judge(Path(name)) for name in names})
    if as_json:
        json_document([one.to_dict() for one in found])
    else:
        for one in found:
            print_compared(one)
    return 0


def print_compared(one: Compared) -> None:
    """Two judges."""
    a = one.agreement
    click.echo(f"{clean(one.first)} and {clean(one.second)}: {a.pairs:,} pairs judged by both")
    rows = [
        ("same grade", f"{a.same:.1%}"),
        ("kappa, relevant or not", f"{_shown(a.kappa)} ({_shown(a.interval[0])} to {_shown(a.interval[1])})"),
        (
            "kappa of grades",
            f"{_shown(a.kappa_grades)}; weighted {_shown(a.kappa_linear)}, by squares {_shown(a.kappa_quadratic)}",
        ),
        ("called relevant", f"{a.relevant[0]:.1%} and {a.relevant[1]:.1%}"),
        ("the second grades", f"{a.higher:,} higher, {a.lower:,} lower"),
    ]
    if one.recipes:
        rows.append((f"order of {one.recipes} recipes, tau", _shown(one.tau)))
    if not math.isnan(one.bias.length):
        rows.append(("towards long texts", f"{one.bias.length:+.2f}"))
    if not math.isnan(one.bias.first):
        rows.append(("towards the first recipe", f"{one.bias.first:+.1%}"))
    for line in table(rows, left=2):
        click.echo(f"  {line}")


def _shown(value: float) -> str:
    return "not defined" if math.isnan(value) else f"{value:.2f}"
