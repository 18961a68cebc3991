"""``bookwheel experiments``: lists, shows, compares and removes what `bookwheel evaluate --library` kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .command import Group, argument, command, option
from .options import Whole, json_option, library_option
from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..evaluate.kept import Kept, OverTime
    from ..library.library import Library

__all__ = ["experiments"]


@click.group(
    "experiments",
    cls=Group,
    examples=[
        ("bookwheel experiments", "list what is kept"),
        ("bookwheel experiments compare 3 5", "did what changed since experiment 3 help?"),
    ],
)
def experiments() -> None:
    """List, show, compare or remove the experiments of a library.

    `bookwheel evaluate --library NAME` keeps what it measures, query by query. Without a command, the experiments are
    listed.
    """


@command(
    "list",
    examples=[
        ("bookwheel experiments list", "number, date, collection, and the best recipe"),
        ("bookwheel experiments list --json", "the same for a program, with all recipes"),
    ],
)
@library_option
@json_option
def list_(library: Library, as_json: bool) -> int:
    """List the experiments, oldest first."""
    from ..evaluate.kept import kept

    found = kept(library)
    if as_json:
        json_document([one.to_dict() for one in found])
    elif found:
        rows = []
        for one in found:
            measure = one.measures[0]
            generation = f"{one.library['generation']:,}" if one.library else "-"
            value = f"{measure} {one.scores[one.best].means[measure]:.4f}"
            row = [str(one.number), _when(one), one.collection, f"{len(one.queries):,}", generation, value, one.best]
            rows.append(list(map(clean, row)))
        for line in table(rows, ("", "when (UTC)", "collection", "queries", "generation", "best", "recipe"), left=7):
            click.echo(line)
    else:
        notice(f"no experiment is kept in {library.path}; bookwheel evaluate COLLECTION --library NAME keeps one")
    return 0 if found else 1


@command(
    "show",
    examples=[
        ("bookwheel experiments show 3", "what was measured, and how it was made"),
        ("bookwheel experiments show 3 --json", "the same for a program"),
    ],
)
@argument("number", type=Whole(1), metavar="NUMBER")
@library_option
@json_option
def show(number: int, library: Library, as_json: bool) -> None:
    """Print one experiment: recipes, measures, the library as it was, command and versions."""
    from ..evaluate.kept import kept

    (one,) = kept(library, number)
    if as_json:
        json_document(one.to_dict())
        return
    click.echo(
        f"experiment {one.number}, {_when(one)} (UTC): {clean(one.collection)}, {plural(len(one.queries), 'query', 'queries')}"
    )
    click.echo()
    rows = [
        [clean(name), *(f"{scores.means[measure]:.4f}" for measure in one.measures), _milliseconds(one, name)]
        for name, scores in one.scores.items()
    ]
    for line in table(rows, ("recipe", *map(clean, one.measures), "ms/query")):
        click.echo(line)
    for name, text in one.recipes.items():
        if name != text:
            click.echo(f"{clean(name)}: {clean(text)}")
    click.echo()
    for line in table(_about(one), left=2):
        click.echo(line)
    for note in one.notes:
        notice(note)


@command(
    "compare",
    examples=[
        ("bookwheel experiments compare 3 5", "each recipe of both, query by query"),
        ('bookwheel experiments compare 3 5 --before bm25 --after "bm25 + dense"', "two recipes"),
    ],
)
@argument("first", type=Whole(1), metavar="NUMBER")
@argument("second", type=Whole(1), metavar="NUMBER")
@option("--before", metavar="RECIPE", help="The recipe of the first to compare. [default: those of both]")
@option("--after", metavar="RECIPE", help="The recipe of the second to compare. [default: that of --before]")
@option("--changes", type=Whole(0), default=5, metavar="N", help="Show the N queries that changed most. [default: 5]")
@library_option
@json_option
def compare(
    first: int, second: int, before: str | None, after: str | None, changes: int, library: Library, as_json: bool
) -> None:
    """Compare two experiments, the second against the first, by paired tests over the queries that have not changed.

    Recipes of the same name are compared, or where there is none the best of each. What has changed between the two is told:
    the library's documents and settings, recipes, versions.
    """
    from ..evaluate.kept import compare_kept, kept

    (old,), (new,) = kept(library, first), kept(library, second)
    recipes = (before or after or "", after or before or "") if before or after else None
    found = compare_kept(old, new, recipes)
    if as_json:
        json_document(found.to_dict())
    else:
        _print(found, changes)


@command(
    "remove",
    examples=[
        ("bookwheel experiments remove 3", "remove one"),
        ("bookwheel experiments remove 1 2 3", "remove several"),
    ],
)
@argument("numbers", type=Whole(1), nargs=-1, required=True, metavar="NUMBER...")
@library_option
@json_option
def remove(numbers: tuple[int, ...], library: Library, as_json: bool) -> None:
    """Remove experiments. Their numbers are not used again."""
    library.experiments.remove(numbers)
    if as_json:
        json_document({"removed": sorted(set(numbers))})


for _one in (list_, show, compare, remove):
    experiments.add_command(_one)


def _when(one: Kept) -> str:
    return clean(one.when[:16].replace("T", " "))


def _milliseconds(one: Kept, name: str) -> str:
    return f"{one.milliseconds[name]:.2f}" if name in one.milliseconds else "-"


def _about(one: Kept) -> list[list[str]]:
    """What the library was, and what made the experiment."""
    rows: list[tuple[str, Any]] = [("baseline", one.baseline), ("depth", one.depth)]
    if one.library:
        contents = f"{plural(one.library['documents'], 'document')}, {plural(one.library['passages'], 'passage')}"
        settings = ", ".join(f"{name} {value}" for name, value in one.library["settings"].items() if value is not None)
        rows += [("library", f"{contents}, generation {one.library['generation']:,}"), ("settings", settings)]
    versions = one.made.get("versions")
    if isinstance(versions, dict):
        rows.append(("versions", ", ".join(f"{name} {number}" for name, number in versions.items())))
    rows.append(("command", one.made.get("command") or "from Python"))
    return [[name, clean(str(value))] for name, value in rows]


def _print(found: OverTime, changes: int) -> None:
    old, new = found.before, found.after
    click.echo(
        f"experiment {new.number} ({_when(new)}) against {old.number} ({_when(old)}), over "
        f"{plural(found.queries, 'query', 'queries')} that are the same in both"
        + (f"; {found.left_out:,} left out" if found.left_out else "")
    )
    click.echo()
    rows = [
        [
            clean(f"{c.name} against {c.baseline}"),
            c.measure,
            f"{c.before:.4f}",
            f"{c.after:.4f}",
            f"{c.difference:+.4f}",
            f"{c.wins}/{c.ties}/{c.losses}",
            "<0.0001" if c.p_t_holm < 0.0001 else f"{c.p_t_holm:.4f}",
            "significant" if c.significant else "",
        ]
        for c in found.comparisons
    ]
    header = ("recipe (experiment)", "measure", "before", "after", "difference", "win/tie/loss", "p (t-test)", "")
    for line in table(rows, header, left=2):
        click.echo(line)
    click.echo()
    click.echo("what has changed:")
    for sentence in found.changes:
        click.echo(f"  {clean(sentence)}")
    for pair in found.pairs:
        changed = found.changed(pair, None, changes) if changes else ()
        if changed:
            click.echo()
            click.echo(
                f"{plural(len(changed), 'query', 'queries')} that changed most in {found.comparisons[0].measure}: {clean(pair[1])}"
            )
            cells = [[clean(c.query), f"{c.before:.3f}", f"{c.after:.3f}", f"{c.difference:+.3f}"] for c in changed]
            lines = table(cells, ("query", "before", "after", "change"))
            click.echo("\n".join([lines[0], *(f"{line}  {clean(c.text)}" for line, c in zip(lines[1:], changed, strict=True))]))
