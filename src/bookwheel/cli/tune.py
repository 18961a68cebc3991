"""``bookwheel tune``: chooses the best recipe, k1 and b inside milliseconds and bytes."""

from __future__ import annotations

from pathlib import Path

import click

from .._errors import UsageError
from .command import argument, command, option
from .options import Number, Size, Value, json_option
from .output import clean, json_document


class Milliseconds(Value):
    """A time such as ``20ms`` or ``0.5s``."""

    name = "time"

    def read(self, text: str) -> float:
        """The number of milliseconds."""
        from ..tune.limits import milliseconds_of

        return milliseconds_of(text)


def _svg(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Another suffix is told before anything is computed."""
    if path is not None and path.suffix.lower() != ".svg":
        raise UsageError(f"the plot is written as SVG; give a file that ends in .svg, not {str(path)!r:.60}")
    return path


@command(
    "tune",
    examples=[
        ("bookwheel tune papers JUDGMENTS --latency 20ms --ram 512MB", "by the queries and judgments in a folder"),
        ("bookwheel tune papers --minutes 5 --plot frontier.svg", "by questions made of the library itself"),
    ],
    writes=True,
)
@argument("library", required=False, default="default", metavar="[LIBRARY]")
@argument("judgments", required=False, metavar="[JUDGMENTS]")
@option("--latency", type=Milliseconds(), metavar="TIME", help="95 of 100 searches must be done within it, as in 20ms.")
@option("--ram", type=Size(), metavar="SIZE", help="Memory of a process that searches, as in 512MB.")
@option("--minutes", type=Number(0.01, 1440), default=10.0, metavar="N", help="Time for it. [default: 10]")
@option("--measure", default="nDCG@10", metavar="NAME", help="What to improve. [default: nDCG@10]")
@option("--reranker", "rerankers", multiple=True, metavar="FOLDER", help="Also try this cross-encoder; may be repeated.")
@option("--rebuild", is_flag=True, help="Also try other units, passage lengths and installed models, in temporary copies.")
@option("--model", "models", multiple=True, metavar="FOLDER", help="Also try this encoder in a copy; may be repeated.")
@option("--save", "name", default="tuned", metavar="NAME", help="Save the recipe under this name. [default: tuned]")
@option("--dry-run", is_flag=True, help="Save nothing.")
@option("--plot", type=click.Path(path_type=Path), callback=_svg, metavar="FILE.svg", help="Draw quality against time.")
@option("--split", default="test", metavar="NAME", help="The split of a BEIR folder's judgments. [default: test]")
@option("--field", default="title", metavar="NAME", help="The query field of TREC topics. [default: title]")
@option("--seed", type=int, default=0, metavar="N", help="Of the folds and samples. [default: 0]")
@json_option
def tune(
    library: str,
    judgments: str | None,
    latency: float | None,
    ram: int | None,
    minutes: float,
    measure: str,
    rerankers: tuple[str, ...],
    rebuild: bool,
    models: tuple[str, ...],
    name: str,
    dry_run: bool,
    plot: Path | None,
    split: str,
    field: str,
    seed: int,
    as_json: bool,
) -> None:
    """Choose the recipe, its weights and stages, k1 and b that rank best within limits.

    JUDGMENTS is a folder of queries and judgments, as for `bookwheel evaluate`. Retrievers, weights
    and normalisations, k1 and b, feedback and reranking are searched by successive halving; the
    search is cross-validated, so that the gain is that on queries it did not choose on. Where there
    is none, the library's own recipe is kept. The recipe is saved in the library with its evidence.

    With --rebuild half of the time is for what the library cannot change in place: other units and
    passage lengths, and models that are on this machine, all or a quarter of the passages embedded.
    What each would bring and cost is told, with the commands that do it; the library stays as it is.

    A run that is stopped, or whose minutes are over, goes on where it was with the same command.
    """
    from ..progress import auto, silent
    from ..tune import tune as tuned
    from .compiling import announced

    announced()
    found = tuned(
        library,
        judgments,
        latency=latency,
        ram=ram,
        minutes=minutes,
        measure=measure,
        rerankers=rerankers,
        rebuild=rebuild,
        models=models,
        name=None if dry_run else name,
        split=split,
        field=field,
        seed=seed,
        progress=silent if as_json else auto,
    )
    if plot is not None:
        from ..tune.plot import write_plot

        write_plot(found, plot)
    if as_json:
        json_document(found.to_dict())
    else:
        click.echo(clean(str(found), lines=True))
