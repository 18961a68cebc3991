"""``bookwheel judge``: judge documents for queries, by hand or by a model, and compare judges."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import argument, command, option
from .judging_compare import print_comparison
from .judging_model import judge_by_models
from .judging_qrels import write_qrels
from .judging_tournament import print_tournament
from .keys import keys
from .options import Number, RecipeText, Whole, json_option, ram_option
from .output import Terminal, clean, json_document, json_line, nearby, notice, plural, table
from .passage import passage_lines

if TYPE_CHECKING:
    from ..library.library import Library
    from ..tune.judging.passages import Shown
    from ..tune.judging.session import Session, Standing

ASKED = "s skip · u undo · m more · q quit"
HAND = ("strategy", "confidence", "everything", "lines", "summary")
"""Options for judging by hand alone."""


@command(
    "judge",
    examples=[
        ("bookwheel judge papers queries.txt --recipe bm25 --recipe hybrid", "which recipe is better, by as few keys as it takes"),
        ("bookwheel judge papers queries.txt --model smollm2", "the same documents, by a language model"),
    ],
    writes=True,
)  # fmt: skip
@argument("name", required=False, metavar="[LIBRARY]")
@argument("queries", required=False, type=click.Path(), metavar="[QUERIES]")
@option("--recipe", "recipes", type=RecipeText(), multiple=True, metavar="RECIPE", help="A recipe to compare; may be repeated.")
@option("--depth", type=Whole(), default=20, metavar="N", help="Documents of each ranking that are pooled. [default: 20]")
@option("--judge", default="me", metavar="NAME", help="Whose judgments these are. [default: me]")
@option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Write the judgments as TREC qrels at the end.")
@option("--measure", default="", metavar="NAME", help="What the recipes are ordered by: DCG@k or P@k. [default: DCG@10]")
@option(
    "--next",
    "strategy",
    type=click.Choice(["minimal", "maxmean", "move-to-front", "depth"]),
    default="minimal",
    help="Which document comes next. [default: minimal, what tells the recipes apart soonest]",
)
@option(
    "--confidence",
    type=Number(0.5, 1),
    default=0.95,
    metavar="P",
    help="How sure the order is at the end; 1: proven. [default: 0.95]",
)
@option("--all", "everything", is_flag=True, help="Go on until all that is pooled is judged.")
@option("--lines", type=Whole(), default=12, metavar="N", help="Lines to show of each passage. [default: 12]")
@option("--summary", is_flag=True, help="Only print what is known by now, and write --out.")
@option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="Let this model judge what is pooled, beside people; several also judge together.",
)
@option(
    "--by",
    "ways",
    multiple=True,
    metavar="NAME",
    help="How each model judges: gain, graded, yes, similarity or cross. [default: gain; of a server graded]",
)
@option(
    "--against",
    type=click.Path(),
    metavar="FILE",
    help="Compare the model with these judgments. [default: the library's judges]",
)
@option("--limit", type=Whole(), metavar="N", help="With --model: judge at most N pairs now.")
@option("--unreliable", is_flag=True, help="Let a model judge that fails the test with known pairs.")
@option(
    "--compare",
    "compared",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="A judge's file, or qrels, to compare; twice or more.",
)
@option(
    "--answers",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="Answers of a system; two such files are compared.",
)
@option(
    "--references",
    type=click.Path(),
    metavar="FILE",
    help="With --answers: answers known to be right or wrong, to test the model by.",
)
@option(
    "--field", default="title", metavar="NAME", help="The query field of TREC topics: title, desc or narr. [default: title]"
)
@option("--no-color", is_flag=True, help="Do not use colour (as with the NO_COLOR variable).")
@ram_option("Memory for searching. [default: unlimited]")
@json_option
def judge(
    name: str | None,
    queries: str | None,
    recipes: tuple[str, ...],
    depth: int,
    judge: str,
    out: str | None,
    field: str,
    no_color: bool,
    ram: int | None,
    summary: bool,
    lines: int,
    models: tuple[str, ...],
    ways: tuple[str, ...],
    against: str | None,
    limit: int | None,
    unreliable: bool,
    compared: tuple[str, ...],
    answers: tuple[str, ...],
    references: str | None,
    as_json: bool,
    **how: Any,
) -> int:
    """Judge which documents answer which queries, with as few judgments as the question needs.

    The first documents of each recipe are pooled, and shown one at a time with the words that match. A key
    grades one: 0 not relevant, 1 on the subject, 2 answers in part, 3 answers it well; s skips, u takes the
    last one back, m shows more, q ends. Judging ends when what is left cannot change the order of the
    recipes, or only improbably. Every judgment is on disk at once, in the folder judgments of the library;
    the same command goes on where it was. Without a terminal the keys are read from standard input.

    With --model a model judges the same pool: first known pairs, and if it fails them it is refused. Several
    models judge one after the other, and then as one judge, by the mean of their scores. With
    --compare the agreement of several judges is printed, with --answers two systems' answers are compared
    pair by pair by --model. See docs/judging.md.
    """
    if compared:
        return print_comparison(compared, as_json=as_json)
    if answers:
        if len(models) > 1 or len(ways) > 1:
            raise UsageError("answers are compared by one model; give one --model, and one --by at most")
        return print_tournament(
            answers, models[0] if models else None, "".join(ways), references, unreliable=unreliable, as_json=as_json
        )
    if name is None:
        raise UsageError("LIBRARY is missing; name a library and a file of queries, or give --compare or --answers")
    from ..library.library import open_library
    from .compiling import announced

    announced()
    with open_library(name, ram=ram) as library:
        if models:
            return judge_by_models(
                library,
                queries,
                models,
                ways,
                recipes,
                depth,
                against,
                out,
                limit,
                field,
                unreliable=unreliable,
                as_json=as_json,
            )
        if ways or against or limit:
            raise UsageError("--by, --against and --limit are for --model; name one")
        return _by_hand(library, queries, recipes, depth, judge, out, field, not no_color, summary, lines, as_json, how)


def _by_hand(
    library: Library,
    queries: str | None,
    recipes: tuple[str, ...],
    depth: int,
    judge: str,
    out: str | None,
    field: str,
    colour: bool,
    summary: bool,
    lines: int,
    as_json: bool,
    how: dict[str, Any],
) -> int:
    from ..progress import auto, silent
    from ..tune.judging.grades import grades_of
    from ..tune.judging.inputs import read_judged_queries
    from ..tune.judging.journal import Journal, journal_path
    from ..tune.judging.session import Session, pooled_of

    journal = Journal(journal_path(library.path, judge))
    if journal.dropped:
        notice(f"the last line of {journal.path} was not finished, and is left out; what was typed then is asked again")
    if queries is not None:
        asked = read_judged_queries(Path(queries), field)
        made = pooled_of(library, asked, recipes, depth, known=journal.pooled, progress=silent if as_json else auto)
        if made is not journal.pooled:
            journal.pool(made)
    elif recipes:
        raise UsageError("QUERIES is missing, with which --recipe is compared; name the file again")
    session = Session(journal, **how)
    terminal = Terminal.of_stdout(colour=colour)
    if not summary:
        with keys() as pressed:
            _loop(session, library, terminal, lines, pressed, as_json)
    standing = session.standing()
    if as_json:
        json_document({"file": str(journal.path), **standing.to_dict()})
    else:
        print_standing(standing, terminal)
        click.echo(terminal.dim(f"judgments: {clean(nearby(str(journal.path)))}"))
    if out is not None:
        write_qrels(out, grades_of(session.journal.judgments))
    return 0


def _loop(session: Session, library: Library, terminal: Terminal, lines: int, pressed: Iterator[str], as_json: bool) -> None:
    """Show and ask until there is nothing to judge, or no key."""
    while (pair := session.next()) is not None:
        found = session.show(library, pair)
        if as_json:
            json_line(found.to_dict())
        else:
            _print(found, session, terminal, lines)
        while True:
            key = next(pressed, "q")
            if key in ("0", "1", "2", "3"):
                session.judge(pair, int(key))
                _echo(key, as_json)
                break
            if key == "s":
                session.judge(pair, None)
                _echo("skipped", as_json)
                break
            if key == "u":
                taken = session.undo()
                if taken is None:
                    notice("there is nothing to take back")
                    continue
                _echo("taken back", as_json)
                again = (taken.query, taken.document)
                if again in session.pool.pairs:
                    pair = again
                    found = session.show(library, pair)
                    if as_json:
                        json_line(found.to_dict())
                    else:
                        _print(found, session, terminal, lines)
                continue
            if key == "m":
                if not as_json:
                    _passage(found, terminal, None)
                continue
            if key == "q":
                _echo("", as_json)
                return
            notice(f"there is no key {key!r:.20}; the keys are 0 1 2 3, s, u, m and q")


def _echo(text: str, as_json: bool) -> None:
    if not as_json:
        click.echo(f"{text}\n" if text else "")


def _print(found: Shown, session: Session, terminal: Terminal, lines: int) -> None:
    from ..tune.judging.grades import GRADES

    standing = session.standing()
    number = list(session.pooled.queries).index(found.query) + 1
    told = f"query {number} of {len(session.pooled.queries)} · {standing.judged:,} judged · {standing.left:,} can still matter"
    click.echo(terminal.dim(told))
    click.echo(terminal.bold(clean(found.question)))
    if found.missing:
        click.echo(f"    document {clean(found.document)} is no longer in the library")
    else:
        head = clean(found.title).strip()
        if head and head not in clean(found.place):
            click.echo(f"    {terminal.bold(head)}")
        more = f"  (one of {found.passages} passages)" if found.passages > 1 else ""
        click.echo(terminal.dim(f"    {nearby(clean(found.place))}{more}"))
        _passage(found, terminal, lines)
    click.echo(" · ".join(f"{grade} {meaning}" for grade, meaning in enumerate(GRADES)))
    click.echo(f"{ASKED}: ", nl=False)
    sys.stdout.flush()


def _passage(found: Shown, terminal: Terminal, lines: int | None) -> None:
    for line in passage_lines(found.text, found.highlights, terminal.width - 4, lines, terminal.match):
        click.echo(f"    {line}".rstrip())


def print_standing(standing: Standing, terminal: Terminal) -> None:
    """Print the recipes in their order, and how sure it is."""
    click.echo(f"{plural(standing.judged, 'judgment')} of {standing.pool:,} pooled documents; {standing.skipped:,} skipped")
    rows = [
        [clean(str(one["recipe"])), f"{one['expected']:.3f}", f"{one['least']:.3f}", f"{one['most']:.3f}"]
        for one in standing.recipes
    ]
    for line in table(rows, ("recipe", f"{standing.measure}, expected", "at least", "at most")):
        click.echo(line)
    for a, b, sure in standing.undecided[:5]:
        click.echo(f"not told apart for certain: {clean(a)} and {clean(b)} (this order: {sure:.0%})")
    if len(standing.undecided) > 5:
        click.echo(f"and {len(standing.undecided) - 5:,} more pairs of recipes")
    if standing.reason:
        click.echo(f"done: {standing.reason}")
    else:
        click.echo(f"{plural(standing.left, 'judgment')} can still matter; the same command goes on")
