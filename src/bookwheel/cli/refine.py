"""``bookwheel refine``: adds representations by slower models, and fills them in the background."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import command, option
from .options import Number, Whole, json_option, library_option, memory_option, name_and_value
from .output import clean, json_document, memory_rows, plural, print_memory_plan, table

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.results import RefineReport


@command(
    "refine",
    examples=[
        ("bookwheel refine --add minilm=MODEL", 'then: bookwheel search "words" --recipe "bm25 + minilm"'),
        ("bookwheel refine --cpu 0.5 --minutes 30", "go on filling, with half of the cores"),
    ],
    writes=True,
)
@library_option
@option("--add", multiple=True, metavar="NAME=MODEL", help="Add a representation by this model; may be repeated.")
@option(
    "--vectors",
    multiple=True,
    metavar="NAME=FILE",
    help="Vectors made elsewhere: .npy, or .jsonl or .ciff of weighted terms; with --add NAME=MODEL that model encodes queries.",
)
@option("--replace", multiple=True, metavar="NAME=MODEL", help="Another model under a name: the old vectors serve meanwhile.")
@option("--forget", multiple=True, metavar="NAME", help="Take a representation out.")
@option("--only", multiple=True, metavar="NAME", help="Fill these only. [default: all]")
@option(
    "--kind",
    type=click.Choice(["dense", "sparse", "tokens"]),
    default="dense",
    help="With --add: vectors, weighted terms or token vectors. [default: dense]",
)
@option("--bits", type=click.Choice(["1", "2", "4"]), help="With --kind tokens: bits a dimension. [default: 2]")
@option("--cpu", type=Number(0.01, 1), default=1.0, metavar="SHARE", help="Share of all cores to take. [default: 1]")
@option("--minutes", type=Number(0, 1e6), metavar="N", help="Stop after so long; the same command goes on later.")
@option("--passages", type=Whole(), metavar="N", help="Stop after so many.")
@option("--status", is_flag=True, help="Say how much is filled, and do nothing.")
@option("--yes", is_flag=True, help="Send texts to a model elsewhere without asking, whatever it costs.")
@memory_option
@json_option
def refine(
    library: Library,
    add: tuple[str, ...],
    vectors: tuple[str, ...],
    replace: tuple[str, ...],
    forget: tuple[str, ...],
    only: tuple[str, ...],
    kind: str,
    bits: str | None,
    cpu: float,
    minutes: float | None,
    passages: int | None,
    status: bool,
    yes: bool,
    memory: bool,
    as_json: bool,
) -> None:
    """Give a library better representations, and fill them while it is searched.

    Encoding with a neural model takes long; searching does not wait for it. Passages are encoded in the order of their use: first
    those that queries brought up. Each few thousand are committed; Ctrl-C loses nothing, and the same command goes on. Searches use
    what is there: a recipe that names a representation scores passages it does not hold yet by what the others say.
    """
    from ..progress import silent, terminal
    from .compiling import announced

    added = [name_and_value(text, "--add") for text in add]
    replaced = [name_and_value(text, "--replace") for text in replace]
    files = dict(name_and_value(text, "--vectors") for text in vectors)
    if bits is not None and kind != "tokens":
        raise UsageError("--bits goes with --kind tokens: other representations have no such choice")
    announced()
    for name in forget:
        library.forget(name)
    models = {name: (model, replacing) for pairs, replacing in ((added, False), (replaced, True)) for name, model in pairs}
    for name, file in files.items():
        model, replacing = models.get(name, (None, False))
        library.attach(name, file, encoder=model, replace=replacing)
    for pairs, replacing in ((added, False), (replaced, True)):
        for name, model in pairs:
            if name in files:
                continue
            library.represent(name, model, kind=kind, replace=replacing, bits=None if bits is None else int(bits))
    if status:
        reports = library.refinement()
    else:
        show = silent if as_json else terminal
        _ask(library, only, passages, yes=yes)
        reports = library.refine(only or None, cpu=cpu, minutes=minutes, passages=passages, progress=show)
    if as_json:
        json_document({"library": str(library.path), "representations": [_as_json(report) for report in reports]})
    else:
        _print(library, reports)
    if memory:
        for report in reports:
            print_memory_plan(report.memory_plan)


def _ask(library: Library, only: tuple[str, ...], passages: int | None, *, yes: bool) -> None:
    """Say what models elsewhere would be sent and cost, and go on only where that is wanted."""
    costs = library.refine_cost(only or None, passages=passages)
    for name, (encoder, estimate) in costs.items():
        click.echo(f"{clean(name)}, at {clean(encoder.url)}: {estimate}", err=True)
    if yes or all(encoder.here for encoder, _ in costs.values()):
        return
    if not sys.stdin.isatty():
        raise UsageError("texts would be sent to a model elsewhere, as said above; add --yes if that is meant")
    if not click.confirm("Send them?", err=True):
        raise UsageError("nothing was sent; leave the model out with: bookwheel refine --forget NAME")


def _as_json(report: RefineReport) -> dict[str, Any]:
    document = asdict(report)
    document["memory"] = memory_rows(report.memory_plan or ())
    return document


def _print(library: Library, reports: list[RefineReport]) -> None:
    if not reports:
        click.echo(
            f"{clean(str(library.path))} has no representation to fill; add one with: bookwheel refine --add minilm=MODEL"
        )
        return
    rows = []
    for report in reports:
        share = f"{report.filled / report.passages:.0%}" if report.passages else "-"
        rate = f"{report.encoded / report.seconds:,.0f}/s" if report.encoded and report.seconds > 0 else "-"
        done = f"{report.filled:,} of {plural(report.passages, 'passage')}"
        rows.append([clean(report.name), report.kind, clean(report.model), done, share, f"{report.encoded:,}", rate])
    for line in table(rows, ("name", "kind", "model", "filled", "", "now", "rate"), left=3):
        click.echo(line)
    if not all(report.complete for report in reports):
        click.echo("next: bookwheel refine")
