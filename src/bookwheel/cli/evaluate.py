"""``bookwheel evaluate``: measures recipes, or runs from elsewhere, on a judged collection."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from ..index.storage import storage
from .answer_scores import print_answer_scores
from .command import argument, command, option
from .needles import needle_options, run_needles, taken
from .options import NO_ENCODER, Encoder, Language, Number, RecipeText, Whole, json_option, ram_option
from .output import notice, plural

if TYPE_CHECKING:
    from ..evaluate import Collection, Evaluation

EXAMPLES = [
    ("bookwheel evaluate scifact/", "a BEIR folder: every named recipe against bm25"),
    ("bookwheel evaluate --answers LOG.jsonl --gold GOLD.jsonl", "what `bookwheel ask --log` wrote"),
]


def _known(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """The measures, checked all together so that every mistake is reported at once."""
    if names:
        from ..evaluate import parse_measures

        parse_measures(names)
    return names


@command("evaluate", examples=EXAMPLES)
@argument("source", required=False, metavar="[COLLECTION]")
@option(
    "--answers", type=click.Path(), metavar="FILE", help="Measure the answers that `bookwheel ask --log` wrote, against --gold."
)
@option(
    "--gold",
    type=click.Path(),
    metavar="FILE",
    help='The right answers: lines of {"id": …, "question": …, "answers": […]}, or COLLECTION.',
)
@option(
    "--entailment",
    metavar="MODEL",
    help="With --answers: who says whether a sentence follows from what it cites: a model, or words. [default: words]",
)
@option("--recipe", "recipes", type=RecipeText(), multiple=True, metavar="RECIPE", help="A recipe; may be repeated.")
@option("--measure", "measures", multiple=True, metavar="NAME", callback=_known, help="A measure; may be repeated.")
@option("--baseline", metavar="RECIPE", help="The recipe (or run) to compare with. [default: the first]")
@option("--fit", is_flag=True, help="Fit the weights of each fusion on half of the queries, and report only the other half.")
@option("--run", "runs", type=click.Path(), multiple=True, metavar="FILE", help="Measure this TREC run; may be repeated.")
@option("--split", default="test", metavar="NAME", help="The split of a BEIR folder's judgments. [default: test]")
@option(
    "--field", default="title", metavar="NAME", help="The query field of TREC topics: title, desc or narr. [default: title]"
)
@option("--library", "name", metavar="NAME|PATH", help="Use this library, or make it. [default: a temporary one]")
@option("--unit", type=click.Choice(["sentence", "passage", "document"]), help="What to index. [default: document]")
@option("--language", type=Language(), metavar="NAME", help="As for `bookwheel index`.")
@option("--encoder", type=Encoder(), metavar="NAME|PATH", help="As for `bookwheel index`.")
@option("--k1", type=Number(0, 1000), metavar="X", help="As for `bookwheel index`.")
@option("--b", type=Number(0, 1), metavar="X", help="As for `bookwheel index`.")
@ram_option("Memory for indexing and searching. [default: 1GB]")
@option("--depth", type=Whole(), metavar="N", help="Documents to rank per query. [default: as many as the measures look at]")
@option("--changes", type=Whole(0), default=5, metavar="N", help="Show the N queries that changed most. [default: 5]")
@option(
    "--judged",
    is_flag=True,
    help="Also show what unjudged documents may hide: bounds, condensed lists, order with fewer labels.",
)
@option(
    "--equivalent",
    "margin",
    type=Number(1e-9, 1_000_000),
    metavar="MARGIN",
    help="Also test whether each is as good as the baseline to within MARGIN, as in 0.01.",
)
@option(
    "--worth",
    metavar="FIELD",
    help="Also show what each source adds to nDCG@10 (Shapley values); documents' metadata FIELD names their source.",
)
@option(
    "--by",
    metavar="FIELD",
    help="Also show the first measure by a column of the queries, or by that field of the documents that answer them.",
)
@option(
    "--robust",
    is_flag=True,
    help="Also search queries written otherwise: typos, case, order, forms, contractions, other words, negation.",
)
@option("--robust-dir", type=click.Path(), metavar="DIR", help="Write those queries to this folder, a BEIR folder a kind.")
@option("--per-query", is_flag=True, help="Show the values of each query too.")
@option(
    "--report",
    "reports",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="Also write a report: FILE.html (one page with plots), .md or .json.",
)
@option(
    "--keep/--no-keep",
    default=None,
    help="Keep the result in the library, for `bookwheel experiments`. [default: with --library]",
)
@option("--run-dir", type=click.Path(file_okay=False), metavar="DIR", help="Write each ranking to this folder as a TREC run.")
@needle_options
@json_option
def evaluate(
    source: str | None,
    answers: str | None,
    gold: str | None,
    entailment: str | None,
    recipes: tuple[str, ...],
    measures: tuple[str, ...],
    baseline: str | None,
    fit: bool,
    runs: tuple[str, ...],
    split: str,
    field: str,
    name: str | None,
    ram: int | None,
    depth: int | None,
    changes: int,
    judged: bool,
    margin: float | None,
    worth: str | None,
    by: str | None,
    robust: bool,
    robust_dir: str | None,
    per_query: bool,
    reports: tuple[str, ...],
    keep: bool | None,
    run_dir: str | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Measure recipes on a judged collection and compare each with a baseline.

    COLLECTION is a folder in BEIR's layout (corpus.jsonl, queries.jsonl, qrels/test.tsv), a folder
    of TREC files (topics*, qrels*, documents), a file or folder of SQuAD (XQuAD), HotpotQA, LoCoMo or
    QuALITY, a folder of questions with evidence and a corpus, or ir_datasets:NAME: it is seen from what is
    there, and told. With --run, a file of judgments is enough. Where queries come with instructions, each
    recipe is also measured with them: p-MRR, Robustness@10.
    The documents are indexed whole into a temporary library and every judged query is searched by
    every recipe. Differences from the baseline are tested with a paired t-test and a randomisation
    test, with Holm's correction.

    The default measures are nDCG@10, R@100, AP and RR. P@k, Success@k, Rprec, Judged@k, Bpref and
    infAP are built in too; the other measures of ir-measures need: pip install
    'bookwheel[evaluate]'

    With --library, the result is kept in the library: `bookwheel experiments` lists and compares what was
    kept.

    With --answers, a log of answers is measured instead: exact match and F1 as of SQuAD, whether a gold
    answer is contained, refusals, and whether each quote is the text at its place, in the stored
    documents of --library or else in the evidence of the log; citations, nuggets, insights, refusals and
    calibration too, as docs/evaluation.md says.

    With --needles, sentences are hidden in the text of COLLECTION (a library, a file or a folder; without
    one, in the documentation that comes with Python), and --model is asked about them, or it is looked at
    whether --recipe selects them into --context tokens, or both.
    """
    needles = taken(settings)
    if needles is not None:
        unused = {
            **settings,
            "answers": answers,
            "gold": gold,
            "measure": measures,
            "baseline": baseline,
            "fit": fit,
            "run": runs,
        }
        unused |= {"entailment": entailment, "depth": depth, "run_dir": run_dir, "per_query": per_query}
        run_needles(source or name, recipes, needles, ram=ram, as_json=as_json, unused=unused)
        return
    if answers is not None or gold is not None:
        if answers is None or gold is None or source is not None:
            raise UsageError("--answers and --gold go together, without COLLECTION")
        print_answer_scores(answers, gold, name, entailment, as_json=as_json)
        return
    if entailment is not None:
        raise UsageError("--entailment would do nothing without --answers and --gold")
    if source is None:
        raise UsageError("COLLECTION is missing; name a folder of judgments, or give --answers and --gold")
    from ..evaluate import DEFAULT_MEASURES, evaluate_runs, experiment, read_run
    from ..evaluate.report.write import check_name
    from ..progress import auto, silent
    from .compiling import announced
    from .evaluated import After, print_json, print_tables

    for path in reports:
        check_name(path)
    if keep and name is None and not runs:
        raise UsageError("--keep keeps the result in a library; name it with --library")
    wanted = measures or DEFAULT_MEASURES
    after = After(reports, margin, worth=worth, by=by, keep=name is not None and keep is not False)
    given = {key: value for key, value in settings.items() if value is not None}
    if runs:
        unused = {
            **given,
            "recipe": recipes,
            "fit": fit,
            "library": name,
            "ram": ram,
            "depth": depth,
            "keep": keep,
            "robust": robust,
        }
        if names := [f"--{key}" for key, value in unused.items() if value]:
            raise UsageError(f"--run measures finished rankings, so {', '.join(names)} would do nothing; leave it out")
        collection = _judgments(source, split, field)
        found = evaluate_runs(collection, {file: read_run(file) for file in runs}, wanted, baseline=baseline)
        after(found, None)
    else:
        if given.get("encoder") == NO_ENCODER:
            given["encoder"] = None
        announced()
        found = experiment(
            source,
            list(dict.fromkeys(recipes)) or None,
            library=name,
            measures=wanted,
            baseline=baseline,
            fit=fit,
            depth=depth,
            split=split,
            field=field,
            ram=ram,
            robust=robust,
            progress=silent if as_json else auto,
            then=after,
            **given,
        )
    if run_dir is not None:
        _write_runs(found, Path(run_dir))
    if robust_dir is not None:
        from ..evaluate.robust import write_varied

        for kind, count in write_varied(found.collection, Path(robust_dir)).items():
            notice(f"{Path(robust_dir) / kind}: {plural(count, 'query', 'queries')}")
    if as_json:
        print_json(found, after, changes, per_query=per_query, judged=judged)
    else:
        print_tables(found, after, changes, per_query=per_query, judged=judged)


def _judgments(source: str, split: str, field: str) -> Collection:
    """The collection; of a single file of judgments, one without documents and without the queries'
    texts.
    """
    from ..evaluate import Collection, load_collection, read_qrels
    from ..evaluate.layouts.base import Place

    if Path(source).is_file() and not Place(Path(source)).json:
        qrels = read_qrels(Path(source))
        return Collection(Path(source).name, dict.fromkeys(qrels, ""), qrels)
    return load_collection(source, split, field)


def _write_runs(found: Evaluation, folder: Path) -> None:
    from ..evaluate import write_run

    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for number, (name, run) in enumerate(found.runs.items(), 1):
        slug = re.sub(r"[^A-Za-z0-9._+*-]+", "_", name).strip("_")[:80]
        write_run(folder / f"{number}-{slug}.run", run, tag=slug or "bookwheel")
