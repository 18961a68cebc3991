"""``bookwheel evaluate``: recipes, or runs from elsewhere, measured on a judged collection."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from ..index.storage import storage
from .command import argument, command, option
from .options import NO_ENCODER, Encoder, Language, Measure, Number, RecipeText, Whole, json_option, ram_option
from .output import clean, json_document, notice, plural, table

if TYPE_CHECKING:
    from ..evaluate import Collection, Evaluation
    from ..library.library import Library
    from ..progress import Progress

EXAMPLES = [
    ("bookwheel evaluate scifact/", "a BEIR folder: every named recipe against bm25"),
    ('bookwheel evaluate scifact/ --recipe bm25 --recipe "bm25 + dense" --measure nDCG@10', ""),
]


@command("evaluate", examples=EXAMPLES)
@argument("source", metavar="COLLECTION")
@option("--recipe", "recipes", type=RecipeText(), multiple=True, metavar="RECIPE", help="A recipe; may be repeated.")
@option("--measure", "measures", type=Measure(), multiple=True, metavar="NAME", help="Any of ir-measures; may be repeated.")
@option(
    "--fit", is_flag=True, help="Also each fusion with weights fitted on half of the queries; only the other half is reported."
)
@option("--run", "runs", type=click.Path(), multiple=True, metavar="FILE", help="A run in TREC format to measure instead.")
@option("--split", default="test", metavar="NAME", help="Which judgments of a BEIR folder. [default: test]")
@option("--field", default="title", metavar="NAME", help="Of TREC topics: title, desc or narr. [default: title]")
@option("--library", "name", metavar="NAME|PATH", help="Keep the index here, or use this one. [default: a temporary one]")
@option("--unit", type=click.Choice(["sentence", "passage", "document"]), help="What is indexed. [default: document]")
@option("--language", type=Language(), metavar="NAME", help="As for `bookwheel index`.")
@option("--encoder", type=Encoder(), metavar="NAME|PATH", help="As for `bookwheel index`.")
@option("--k1", type=Number(0, 1000), metavar="X", help="As for `bookwheel index`.")
@option("--b", type=Number(0, 1), metavar="X", help="As for `bookwheel index`.")
@ram_option("Memory that indexing and searching may use. [default: 1GB]")
@option("--depth", type=Whole(), metavar="N", help="Documents ranked a query. [default: what the measures look at]")
@option("--changes", type=Whole(0), default=5, metavar="N", help="Queries shown that changed most. [default: 5]")
@option("--per-query", is_flag=True, help="Also each query's values.")
@option("--run-dir", type=click.Path(file_okay=False), metavar="DIR", help="Write each ranking there as a TREC run.")
@json_option
def evaluate(
    source: str,
    recipes: tuple[str, ...],
    measures: tuple[str, ...],
    fit: bool,
    runs: tuple[str, ...],
    split: str,
    field: str,
    name: str | None,
    ram: int | None,
    depth: int | None,
    changes: int,
    per_query: bool,
    run_dir: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Measure recipes on a judged collection and compare each with the first.

    COLLECTION is a folder in BEIR's layout (corpus.jsonl, queries.jsonl, qrels/test.tsv) or of TREC files (topics*, qrels*), or
    ir_datasets:NAME; with --run, a file of judgments will do. Documents are indexed whole into a temporary library, all judged
    queries are searched, and differences are tested (paired t-test and randomisation test, Holm's correction). The usual
    measures are nDCG@10, R@100, AP and RR.
    """
    from ..evaluate import DEFAULT_MEASURES, evaluate_runs, read_run
    from ..progress import silent, terminal

    progress = silent if as_json else terminal
    wanted = measures or DEFAULT_MEASURES
    if runs:
        unused = [f"--{key}" for key, value in {**settings, "recipe": recipes, "library": name, "ram": ram}.items() if value]
        if unused:
            raise UsageError(f"--run measures what was ranked already: {', '.join(unused)} would do nothing; leave it out")
        found = evaluate_runs(_collection(source, split, field), {file: read_run(file) for file in runs}, wanted)
    else:
        found = _search(source, split, field, name, ram, settings, recipes, wanted, depth, progress, fit)
    if run_dir is not None:
        _write_runs(found, Path(run_dir))
    if as_json:
        _print_json(found, per_query, changes)
    else:
        _print(found, per_query, changes)


def _collection(source: str, split: str, field: str) -> Collection:
    """The collection; of a single file of judgments one without documents and without the queries' texts."""
    from ..evaluate import Collection, load_collection, read_qrels

    if Path(source).is_file():
        qrels = read_qrels(Path(source))
        return Collection(Path(source).name, dict.fromkeys(qrels, ""), qrels)
    return load_collection(source, split, field)


def _search(
    source: str,
    split: str,
    field: str,
    name: str | None,
    ram: int | None,
    settings: dict[str, Any],
    recipes: Sequence[str],
    measures: Sequence[str],
    depth: int | None,
    progress: Progress,
    fit: bool,
) -> Evaluation:
    """Index the collection, unless the library holds it, and search its queries by every recipe."""
    from ..evaluate import evaluate, load_collection
    from ..library.library import open_library
    from ..rank import RECIPES
    from .compiling import announced

    announced()
    collection = load_collection(source, split, field)
    given = {key: value for key, value in settings.items() if value is not None}
    if given.get("encoder") == NO_ENCODER:
        given["encoder"] = None
    with ExitStack() as stack:
        if name is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="bookwheel-", ignore_cleanup_errors=True))
            library = open_library(Path(folder) / "library", create=True, ram=ram, **{"unit": "document", **given})
        else:
            library = _kept(name, given, ram)
        stack.enter_context(library)
        if not library.passage_count:
            _fill(library, collection, progress)
        lexical = library.settings.encoder is None
        chosen = list(recipes or [recipe for recipe in RECIPES if recipe == "bm25" or not lexical])
        if fit:
            fitted, collection = _fitted(library, collection, chosen, progress)
            known = {str(library.recipe(recipe)) for recipe in chosen}
            chosen += [recipe for recipe in fitted if recipe not in known]
        searches = {recipe: partial(library.rank_documents, recipe=recipe) for recipe in chosen}
        return evaluate(collection, searches, measures, depth=depth, progress=progress)


def _fitted(
    library: Library, collection: Collection, recipes: Sequence[str], progress: Progress
) -> tuple[list[str], Collection]:
    """Each fusion of ``recipes`` with the weights that serve best on half of the queries, and the other half to report."""
    from ..evaluate.fit import split_queries
    from ..evaluate.fusion import fit_fusion
    from ..rank import Fuse

    training, held = split_queries(collection)
    if not training.judged:
        raise UsageError(f"{collection.name} has {len(collection.judged)} judged queries; fitting takes two at least")
    fusions = [recipe for recipe in recipes if isinstance(read := library.recipe(recipe), Fuse) and len(read.terms) > 1]
    if not fusions:
        raise UsageError("--fit fits the weights of a fusion; give one, as in --recipe 'bm25 + dense'")
    found = []
    for recipe in fusions:
        fitted, reached = fit_fusion(library, recipe, training, progress=progress)
        notice(f"{recipe} fitted on {len(training.judged)} queries: {fitted} (nDCG@10 {reached:.4f} there)")
        found.append(str(fitted))
    return found, held


def _kept(name: str, given: dict[str, Any], ram: int | None) -> Library:
    """A library that stays: as it is where it exists, else made for whole documents."""
    from .._errors import LibraryNotFound
    from ..library.library import open_library

    try:
        return open_library(name, ram=ram, **given)
    except LibraryNotFound:
        return open_library(name, create=True, ram=ram, **{"unit": "document", **given})


def _fill(library: Library, collection: Collection, progress: Progress) -> None:
    if collection.corpus is None:
        report = library.add(collection.documents())
    else:
        report = library.index([collection.corpus], progress=progress)
    for failure in report.failures[:10]:
        notice(failure)


def _write_runs(found: Evaluation, folder: Path) -> None:
    from ..evaluate import write_run

    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for number, (name, run) in enumerate(found.runs.items(), 1):
        slug = re.sub(r"[^A-Za-z0-9._+*-]+", "_", name).strip("_")[:80]
        write_run(folder / f"{number}-{slug}.run", run, tag=slug or "bookwheel")


def _print_json(found: Evaluation, per_query: bool, changes: int) -> None:
    document = found.to_dict(per_query)
    document["changes"] = {
        name: [
            {"query": c.query, "text": c.text, "before": c.before, "after": c.after} for c in found.changes(name, None, changes)
        ]
        for name in list(found.scores)[1:]
    }
    json_document(document)


def _print(found: Evaluation, per_query: bool, changes: int) -> None:
    from ..evaluate import format_changes, format_comparisons, format_evaluation

    click.echo(format_evaluation(found))
    if found.comparisons:
        click.echo()
        click.echo(format_comparisons(found))
    for name in list(found.scores)[1:]:
        if changes and found.changes(name, None, changes):
            click.echo()
            click.echo(f"{plural(changes, 'query', 'queries')} that changed most in {found.measures[0]}: {clean(name)}")
            click.echo(format_changes(found, name, None, changes))
    if per_query:
        click.echo()
        rows = []
        for name, scores in found.scores.items():
            for at, query in enumerate(scores.queries):
                rows.append([clean(name), clean(query), *(f"{value:.4f}" for value in scores.values[:, at])])
        for line in table(rows, ("recipe", "query", *found.measures), left=2):
            click.echo(line)
