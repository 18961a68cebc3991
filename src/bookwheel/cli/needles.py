"""``bookwheel evaluate --needles``: what a model, or a recipe, finds of what was hidden in a long text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from ..index.whole_file import whole_file
from .command import option
from .options import Number, Value, Whole
from .output import clean, json_document, notice

if TYPE_CHECKING:
    from ..evaluate.needles import NeedleReport

__all__ = ["needle_options", "run_needles", "taken"]

NONE = "none"
_SIZES = {"": 1, "k": 1 << 10, "m": 1 << 20}


class Lengths(Value):
    """Numbers of tokens: ``1k,4k,1M``, or with spaces between."""

    name = "lengths"

    def read(self, text: str) -> list[int]:
        """The numbers."""
        found = []
        for part in re.split(r"[,\s]+", text.strip(", ")):
            number = re.fullmatch(r"(\d{1,12})([kKmM]?)", part)
            if number is None:
                raise UsageError(f"must be numbers of tokens such as 1k,4k,16k,1M, not {text!r:.60}")
            found.append(int(number[1]) * _SIZES[number[2].lower()])
        return found


class Kinds(Value):
    """Names of kinds of needle tests, with commas or spaces between; ``all``."""

    name = "kinds"

    def read(self, text: str) -> list[str]:
        """The names."""
        from ..evaluate.needles import KINDS

        names = [part for part in re.split(r"[,\s]+", text) if part]
        if names == ["all"]:
            return list(KINDS)
        if wrong := [name for name in names if name not in KINDS] or ([] if names else ["nothing"]):
            raise UsageError(f"must be among {', '.join(KINDS)}, or all, not {', '.join(map(repr, wrong))[:60]}")
        return names


_OPTIONS = (
    option("--needles", is_flag=True, help="Test --model or --recipe with sentences hidden in the text of COLLECTION."),
    option("--model", metavar="MODEL", help="With --needles: the language model that reads; as for `bookwheel ask`."),
    option(
        "--context",
        type=Whole(),
        metavar="N",
        help="With --needles: tokens that a recipe selects [default: 1024], or that the model takes.",
    ),
    option(
        "--lengths",
        type=Lengths(),
        multiple=True,
        more=r"\d+[kKmM]?(,\d+[kKmM]?)*,?",
        metavar="N...",
        help="With --needles: lengths of the texts in tokens, as in 1k 16k 1M. [default: 1k 4k]",
    ),
    option(
        "--kinds",
        type=Kinds(),
        multiple=True,
        more=r"(?:single|several|threaded|variables|distractors|correction|conflict|facts|moves|all|,)+",
        metavar="NAME...",
        help="With --needles: what is hidden; see docs/needles.md. [default: single several threaded distractors correction]",
    ),
    option("--depths", type=Whole(), metavar="N", help="With --needles: depths in the text, from first to last. [default: 5]"),
    option(
        "--repeats", type=Whole(), metavar="N", help="With --needles: questions for each kind, length and depth. [default: 2]"
    ),
    option("--smoke", is_flag=True, help="With --needles: a short test of --model that takes a minute."),
    option(
        "--seconds", type=Number(0.001, 10_000_000), metavar="S", help="With --needles: end after S seconds with what there is."
    ),
    option("--seed", type=Whole(0), metavar="N", help="With --needles: another seed hides other sentences. [default: 0]"),
    option(
        "--results",
        type=click.Path(dir_okay=False),
        metavar="FILE|none",
        help="With --needles: keep each result in FILE, and go on from it. [default: a file in the cache]",
    ),
    option(
        "--heat-map",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="With --needles: draw the results into FILE, in SVG.",
    ),
)
_NAMES = ("model", "context", "lengths", "kinds", "depths", "repeats", "smoke", "seconds", "seed", "results", "heat_map")


def needle_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a needle test to a command, which gives them to `taken`."""
    for one in reversed(_OPTIONS):
        function = one(function)
    return function


def taken(settings: dict[str, Any]) -> dict[str, Any] | None:
    """The options of a needle test, taken out of ``settings``; None without --needles. Raises `UsageError` where they need it."""
    asked = bool(settings.pop("needles")) or bool(settings.get("smoke"))
    given = {name: value for name in _NAMES if (value := settings.pop(name)) not in (None, False, ())}
    if asked:
        return given
    if given:
        raise UsageError(f"{_dashed(given)} would do nothing without --needles")
    return None


def run_needles(
    source: str | None, recipes: Sequence[Any], given: dict[str, Any], *, ram: int | None, as_json: bool, unused: dict[str, Any]
) -> None:
    """Run the test for each of ``recipes``, or for the model alone, and print what it found."""
    from .._paths import cache
    from ..evaluate.needles import heat_map, needle_test, smoke_test
    from ..progress import auto, silent
    from .compiling import announced

    if names := [name for name, value in unused.items() if value]:
        raise UsageError(f"{_dashed(names)} would do nothing with --needles; leave it out")
    options = dict(given)
    drawn, smoke, model = options.pop("heat_map", None), options.pop("smoke", False), options.pop("model", None)
    if smoke and (model is None or recipes):
        raise UsageError("--smoke is for a model: name it with --model, without --recipe")
    if drawn is not None and len(recipes) > 1:
        raise UsageError("--heat-map draws one recipe; leave out the others")
    for name in ("lengths", "kinds"):
        if name in options:
            options[name] = [one for some in options[name] for one in some]
    file = options.pop("results", None)
    kept = None if file == NONE else Path(file) if file is not None else cache() / "needles.jsonl"
    if recipes:
        announced()
    options |= {"model": model, "results": kept, "ram": ram, "progress": silent if as_json else auto}
    found: list[NeedleReport] = []
    try:
        if smoke:
            found.append(smoke_test(source, **options))
        else:
            every: list[str | None] = [*dict.fromkeys(str(one) for one in recipes)]
            found += [needle_test(source, recipe=recipe, **options) for recipe in every or [None]]
    except KeyboardInterrupt:
        if kept is not None:
            notice(f"what was answered is kept in {kept}; the same command goes on from there")
        raise
    if drawn is not None:
        with whole_file(Path(drawn)) as file:
            file.write(heat_map(found[0]).encode())
    _print(found, as_json)


def _dashed(names: Iterable[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _print(found: Sequence[NeedleReport], as_json: bool) -> None:
    if as_json:
        documents = [report.to_dict(questions=True) for report in found]
        json_document(documents[0] if len(documents) == 1 else {"tests": documents})
        return
    for number, report in enumerate(found):
        if number:
            click.echo()
        click.echo(clean(str(report), lines=True))
        for sentence in report.said:
            notice(sentence)
