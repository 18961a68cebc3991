"""``bookwheel search``: search a library, for one query or many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import QueryError, UsageError
from .._numba import import_numba
from .command import argument, command, option
from .many import Line, read_many, tell_failure
from .options import Number, RecipeText, Where, Whole, json_option, library_option, memory_option
from .output import (
    Streamed,
    Terminal,
    clean,
    json_document,
    json_in_pieces,
    json_line,
    nearby,
    notice,
    print_memory_plan,
    print_notes,
    table,
)
from .passage import passage_lines

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.results import Reason, Result
    from ..rank.query import Query
    from ..rank.recipe import Recipe
    from ..rank.trace import StageTrace

SHOWN, RUN_DEPTH = 10, 1000
LONG = 1 << 14
"""Characters of a longer passage, a whole book perhaps, of which the lines to show are chosen."""
TOLD = ("cutoff: ", "spelling: ", "by date: ", "from earlier questions: ", "no document or passage is called")
"""Notes that are always printed: they say that the query searched is not the one typed."""
COPIES = 3
"""Places of copies that are printed."""
STDIN = "-"


@command(
    "search",
    examples=[
        ('bookwheel search "words"', "the ten best passages"),
        ("bookwheel search \"words\" --where 'year >= 2020' -k 3", "only some documents, three results"),
    ],
)
@argument("words", nargs=-1, required=True, metavar="QUERY...")
@library_option
@option("-k", type=Whole(), metavar="N", help="Number of results. [default: 10; 1000 with --run]")
@option(
    "--recipe", type=RecipeText(), metavar="RECIPE", help="Ranking recipe; see `bookwheel recipes`. [default: the library's]"
)
@option("--syntax", is_flag=True, help='Interpret "a phrase", +word, -word, field:value and like:ID.')
@option("--spell", is_flag=True, help="Correct the spelling of words that the library does not contain.")
@option(
    "--after", "history", multiple=True, metavar="QUESTION", help="An earlier question of the conversation; may be repeated."
)
@option(
    "--cutoff",
    type=Number(0, 1),
    metavar="P",
    help="Return only results with at least this probability of relevance, for example 0.5, and show it; 0 only shows it.",
)
@option("--seconds", type=Number(0.001, 86400), metavar="X", help="Time limit for slow stages, in seconds. [default: none]")
@option("--explain", is_flag=True, help="Also print the time and the number of candidates of each stage.")
@option(
    "--where",
    type=Where(),
    metavar="FILTER",
    help="""Search only documents that match, for example 'year >= 2020 and author = "Ann"'.""",
)
@option("--group", "--by-document", is_flag=True, help="Return each document once, with its best passage.")
@option("--fold", is_flag=True, help="Show copies and near-copies of a better result under that result.")
@option(
    "--sort",
    type=click.Choice(["relevance", "newest", "oldest"]),
    default="relevance",
    help="Order of the results; by date, of the best 100 passages. [default: relevance]",
)
@option("--offset", type=Whole(0), default=0, metavar="N", help="Leave out the first N results. [default: 0]")
@option("--lines", type=Whole(), default=4, metavar="N", help="Lines to show of each passage. [default: 4]")
@option("--full", is_flag=True, help="Show whole passages.")
@option("--no-color", is_flag=True, help="Do not use colour (as with the NO_COLOR variable).")
@option("--run", "as_run", is_flag=True, help="Print a TREC run: documents, each scored by its best passage.")
@option("--tag", default="bookwheel", metavar="NAME", help="Name of the run. [default: bookwheel]")
@memory_option
@json_option
def search(
    words: tuple[str, ...],
    library: Library,
    recipe: str | None,
    syntax: bool,
    spell: bool,
    history: tuple[str, ...],
    explain: bool,
    lines: int,
    full: bool,
    no_color: bool,
    as_run: bool,
    tag: str,
    memory: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Search a library for passages.

    QUERY may be several words without quotes. If it is -, queries are read from standard input, one
    per line, either as text or as an ID, a tab and text; with --json, each then prints one line of
    JSON. The numbers after a result are its score and each retriever's part of it.
    """
    import_numba()
    from ..library.results import LEFT_OUT

    if as_run:
        from ..evaluate import run_lines

    # What is not named above is a field of `SearchOptions`, and goes to the library as it is.
    options["k"] = options["k"] or (RUN_DEPTH if as_run else SHOWN)
    if as_run and (options["fold"] or options["offset"] or options["sort"] != "relevance"):
        raise UsageError("--run prints documents by relevance, all of them; leave out --fold, --sort and --offset")
    options["recipe"] = chosen = _with_readers(library, recipe, syntax, spell, bool(history))
    found = failed = 0
    damaged: list[str] = []
    batch = words == (STDIN,)
    queries = list(read_many("query")) if batch else [Line("1", " ".join(words))]
    if problem := next((line.problem for line in queries if line.problem), ""):
        raise QueryError(problem)
    if as_run:
        run_lines({line.id: [] for line in queries}, tag)  # refuses names that a run cannot hold before all the work
    for line in queries:
        number, query, _ = line
        started = time.perf_counter()
        try:
            if as_run:
                given = {name: value for name, value in options.items() if name not in ("fold", "sort", "offset")}
                (ranked,) = library.rank_documents([_asked(query, history)], **given)
            else:
                results = library.search(_asked(query, history), trace=explain, **options)
        except QueryError as error:
            if not batch:
                raise
            tell_failure(line, "query", error, as_json=as_json and not as_run)
            failed += 1
            continue
        took = time.perf_counter() - started
        if as_run:
            for text in run_lines({number: ranked}, tag):
                click.echo(text)
            found += len(ranked)
            continue
        stages = results.ranking.trace.stages if results.ranking.trace is not None else []
        found += len(results)
        numbers = [result.passage for result in results]
        why = dict(zip(numbers, library.why(query, numbers, chosen), strict=True)) if explain else {}
        if as_json:

            def plain(result: Result, why: dict[int, list[Reason]] = why) -> dict[str, Any]:
                reasons = {"why": [_plain(reason) for reason in why[result.passage]]} if explain else {}
                return {**result.to_dict(), **reasons}

            large = any(result.late for result in results)
            shown = Streamed(results, plain) if large else [plain(result) for result in results]
            document = {"query": query, "library": str(library.path), "seconds": took, "results": shown}
            if results.notes:
                document["notes"] = list(results.notes)
            if explain:
                document["stages"] = [_stage_as_json(stage) for stage in stages]
            if batch:
                document = {"id": number, **document}
            if large:
                json_in_pieces(document, indent=None if batch else 2)
            elif batch:
                json_line(document)
            else:
                json_document(document)
        else:
            terminal = Terminal.of_stdout(colour=not no_color)
            if batch:
                click.echo(terminal.bold(f"{clean(number)}: {clean(query)}"))
            for result in results:
                _print(result, terminal, None if full else lines, why.get(result.passage, []))
            if explain:
                _print_stages(stages, took)
            for note in () if explain else results.notes:
                if note.startswith(TOLD) or " was skipped: " in note:
                    notice(note)
            damaged += [note for note in results.notes if note.startswith(LEFT_OUT)]
    print_notes(damaged)
    if memory:
        print_memory_plan(library.memory_plan())
    if not found and failed < len(queries):
        what = f"for {queries[0].text!r:.100}" if len(queries) == 1 else f"for any of {len(queries)} queries"
        limit = f" where {options['where']}" if options["where"] else ""
        notice(f"nothing found {what}{limit} in {library.path}")
    if failed:
        return 2
    return 0 if found else 1


def _with_readers(library: Library, recipe: str | None, syntax: bool, spell: bool, history: bool) -> Recipe | str | None:
    """The recipe, preceded by the query stages that the options ask for."""
    readers = [name for name, wanted in (("syntax", syntax), ("follow_up", history), ("spell", spell)) if wanted]
    if not readers:
        return recipe
    from ..rank import parse_recipe

    chosen = library.recipe(recipe)
    for name in reversed(readers):
        chosen = parse_recipe(f"{name}()") >> chosen
    return chosen


def _asked(query: str, history: tuple[str, ...]) -> str | Query:
    """The query, with the earlier questions of the conversation."""
    if not history:
        return query
    from ..rank.query import Query

    return Query(query, history=history)


def _plain(reason: Reason) -> dict[str, Any]:
    return {name: getattr(reason, name) for name in reason.__slots__}


def _stage_as_json(stage: StageTrace) -> dict[str, Any]:
    return {name: getattr(stage, name) for name in stage.__slots__}


def _print_stages(stages: Sequence[StageTrace], seconds: float) -> None:
    """Print each stage's own time, its candidates and its notes."""
    rows = []
    for stage in stages:
        hits = ["" if count is None else f"{count}" for count in (stage.before, stage.after)]
        rows.append(("  " * stage.depth + stage.recipe, f"{1000 * stage.seconds:.2f}", *hits))
    rest = seconds - sum(stage.seconds for stage in stages)
    rows.append(("texts, highlights and the rest", f"{1000 * rest:.2f}", "", ""))
    for line in table(rows, ("stage", "ms", "hits in", "hits out"), left=1):
        click.echo(line)
    for note in dict.fromkeys(note for stage in stages for note in stage.notes):
        click.echo(f"  {clean(note)}")


def _print(result: Result, terminal: Terminal, lines: int | None, why: Sequence[Reason]) -> None:
    """Rank and title, place and score, the passage."""
    place, title = nearby(clean(result.place)), clean(result.title).strip()
    score = f"{result.score:.2f}"
    if len(result.parts) > 1:
        score += " = " + " + ".join(f"{name} {value:.2f}" for name, value in result.parts.items())
    else:
        score += "".join(f" {name}" for name in result.parts)
    if result.probability is not None:
        score += f"; relevant with a probability of {result.probability:.2f}"
    source = clean(result.source)
    # The title of a file that has none is its path, which is not printed twice.
    head = "" if source.endswith(title) or title in (clean(result.place), Path(source).stem) else title
    lead = f"{result.rank:>2}  "
    if head:
        click.echo(lead + terminal.bold(head))
        click.echo(f"    {place}  {terminal.dim(score)}")
    else:
        click.echo(f"{lead}{terminal.bold(place)}  {terminal.dim(score)}")
    part: tuple[str, Sequence[tuple[int, int]]] = (result.text, result.highlights)
    if lines is not None and len(part[0]) > LONG:
        part = result.excerpt(LONG)
    for line in passage_lines(*part, terminal.width - 4, lines, terminal.match):
        click.echo(f"    {line}".rstrip())
    if result.also:
        click.echo(terminal.dim(f"    also in {_listed([nearby(clean(copy.place)) for copy in result.also])}"))
    if reasons := dict.fromkeys(span.reason for span in result.where.hidden):
        click.echo(terminal.dim(f"    not shown to readers: {clean(', '.join(reasons))}"))
    for name in dict.fromkeys(reason.representation for reason in why):
        met = [reason for reason in why if reason.representation == name]
        told = (reason.term + ("" if reason.match == reason.term else f" ~ {reason.match}") for reason in met)
        shown = ", ".join(f"{clean(text)} {reason.score:.2f}" for text, reason in zip(told, met, strict=True))
        click.echo(terminal.dim(f"    {name}: {shown}"))
    click.echo()


def _listed(places: Sequence[str]) -> str:
    """Some of ``places``, and how many more there are."""
    more = f" and {len(places) - COPIES:,} more" if len(places) > COPIES else ""
    return f"{', '.join(places[:COPIES])}{more}"
