"""``bookwheel make-queries``: queries with judgments, made from a library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import argument, command, option
from .options import Whole, json_option, library_option
from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "make-queries",
    examples=[
        ("bookwheel make-queries made/", "up to 500 queries with judgments, and how far to trust them"),
        ("bookwheel make-queries made/ --way sentences --way titles", "made in these ways only"),
    ],
)
@argument("out", type=click.Path(file_okay=False), metavar="OUT")
@library_option
@option(
    "--way", "ways", multiple=True, metavar="NAME", help="A way to make queries; may be repeated. [default: all but sentences]"
)
@option("--count", type=Whole(), default=500, metavar="N", help="At most N queries. [default: 500]")
@option("--seed", type=Whole(0), default=0, metavar="N", help="What is drawn depends on it. [default: 0]")
@option("--model", metavar="NAME", help="The language model that writes questions (way: written).")
@option(
    "--log", "logs", type=click.Path(dir_okay=False), multiple=True, metavar="FILE", help="Answers or clicks; may be repeated."
)
@option("--no-check", is_flag=True, help="Do not measure how far the queries can be trusted.")
@json_option
def make_queries(
    out: str,
    library: Library,
    ways: tuple[str, ...],
    count: int,
    seed: int,
    model: str | None,
    logs: tuple[str, ...],
    no_check: bool,
    as_json: bool,
) -> None:
    """Make queries with judgments from a library, as a BEIR folder OUT for `bookwheel evaluate`.

    Ways: titles, headings, cloze (a sentence without one of its names), sentences, links, replies (subjects
    of mails), written (by --model), answers and clicks (from --log; of `bookwheel ask --log`, or lines of
    {"query": …, "clicked": ID}). The words of a query are taken out of the documents that answer it: OUT
    has the documents without them, so evaluate on OUT, not on the library.

    Then a panel of recipes is run, and it is told how far their order can be trusted: by halves of the
    queries, by different ways, and by what differences could be told. Where it is not to be trusted, that
    is said, and `trust.refusal` of --json has the reason.
    """
    from ..progress import auto, silent
    from ..tune.made import made_collection
    from ..tune.made.beir import require_empty, write_beir
    from ..tune.reliability import reliability

    progress = silent if as_json else auto
    require_empty(Path(out))
    made = made_collection(library, count, ways=ways or None, seed=seed, model=model, logs=logs, progress=progress)
    told = None if no_check else reliability(library, made, progress=progress)
    about: dict[str, Any] = {"seed": seed, "trust": None if told is None else told.to_dict()}
    write_beir(made, Path(out), about, progress=progress)
    if as_json:
        json_document({"folder": out, "queries": len(made.queries), "ways": made.ways, "notes": list(made.notes), **about})
    else:
        click.echo(f"{plural(len(made.queries), 'query', 'queries')} written to {clean(out)}")
        for line in table([[name, f"{number:,}"] for name, number in made.ways.items()], ("way", "queries")):
            click.echo(line)
        for note in made.notes:
            click.echo(clean(note))
        if told is not None and told.reliable:
            click.echo(str(told))
    if told is not None and not told.reliable:
        notice(told.refusal)
