"""``bookwheel judge --model``: models judge what people judge, and are compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .judging_compare import print_compared
from .judging_qrels import write_qrels
from .output import clean, json_document, nearby, plural

if TYPE_CHECKING:
    from ..evaluate.judgments import Qrels
    from ..library.library import Library
    from ..tune.judging.grades import Judgment
    from ..tune.judging.journal import Journal, Pooled
    from ..tune.judging.known_pairs import Reliability
    from ..tune.judging.models import ModelJudge

__all__ = ["judge_by_models"]

MODELS = "model-"
"""How the names of files of models begin."""


def judge_by_models(
    library: Library,
    queries: str | None,
    models: Sequence[str],
    ways: Sequence[str],
    recipes: tuple[str, ...],
    depth: int,
    against: str | None,
    out: str | None,
    limit: int | None,
    field: str,
    *,
    unreliable: bool,
    as_json: bool,
) -> int:
    """Test each model with known pairs, let it judge, and print how it, and all of them together, agree with people."""
    from ..tune.judging.inputs import read_judge
    from ..tune.judging.journal import journals
    from ..tune.judging.models import open_judge, require_way
    from ..tune.judging.panel import PANEL, panel

    if len(ways) > len(models):
        raise UsageError(
            f"--by is given {len(ways)} times for {plural(len(models), '--model')}; give one for each model, in order"
        )
    others = {name: read_judge(path) for name, path in journals(library.path).items() if not name.startswith(MODELS)}
    if against is not None:
        others = {against: read_judge(Path(against))}
    asked = list(zip(models, [*ways, *[""] * (len(models) - len(ways))], strict=True))
    if len(set(asked)) < len(asked):
        raise UsageError("a model judges in the same way twice; give each --model once, or another --by")
    for by in filter(None, ways):
        require_way(by)
    judged: list[Journal] = []
    reports = []
    for model, by in asked:
        first = judged[0].pooled if judged else None
        judge = open_judge(by, model)  # one at a time is in memory
        journal, report = _judged(library, judge, queries, first, others, recipes, depth, limit, field, unreliable, as_json)
        judged.append(journal)
        reports.append(report)
    pooled = judged[0].pooled
    assert pooled is not None
    for journal, report in zip(judged, reports, strict=True):
        grades = _told(library, report["judge"], journal.judgments, others, pooled, report, as_json)
    if len(judged) > 1:
        together: dict[str, Any] = {"judge": PANEL, "models": [report["judge"] for report in reports]}
        _tell(f"{PANEL}: the mean of {' and '.join(together['models'])}", as_json)
        grades = _told(library, PANEL, panel([journal.judgments for journal in judged]), others, pooled, together, as_json)
        reports.append(together)
    if as_json:
        json_document(reports[0] if len(judged) == 1 else {"judges": reports})
    else:
        if not any(report["compared"] for report in reports):
            click.echo("no person has judged any of these; judge some with: bookwheel judge LIBRARY QUERIES")
        for journal in judged:
            click.echo(f"judgments: {clean(nearby(str(journal.path)))}")
    if out is not None:
        write_qrels(out, grades)
    return 0


def _judged(
    library: Library,
    judge: ModelJudge,
    queries: str | None,
    first: Pooled | None,
    others: dict[str, Any],
    recipes: tuple[str, ...],
    depth: int,
    limit: int | None,
    field: str,
    unreliable: bool,
    as_json: bool,
) -> tuple[Journal, dict[str, Any]]:
    """What one model has judged, and what there is to report of it."""
    from ..progress import auto, silent
    from ..tune.judging.inputs import read_judged_queries
    from ..tune.judging.journal import Journal, journal_path
    from ..tune.judging.known_pairs import planted, reliability_of
    from ..tune.judging.machine import judge_name, judge_pool, samples_of
    from ..tune.judging.models import Graded
    from ..tune.judging.session import pooled_of

    journal = Journal(journal_path(library.path, judge_name(judge)))
    pooled = first or _pooled(library, journal, queries, others, recipes, depth, field, pooled_of, read_judged_queries, as_json)
    if pooled is not journal.pooled:
        journal.pool(pooled)
    report: dict[str, Any] = {"judge": judge.name, "file": str(journal.path)}
    if isinstance(judge, Graded):
        choice = judge.choose(samples_of(library, pooled))
        report["prompt"] = choice.to_dict()
        _tell(
            f"the prompt {choice.prompt} tells most of the passages ({choice.information[choice.prompt]:.3f} nats; "
            + ", ".join(f"{name} {value:.3f}" for name, value in choice.information.items() if name != choice.prompt)
            + ")",
            as_json,
        )
    if not unreliable:
        reliability = reliability_of(judge, planted(library))
        report["known_pairs"] = reliability.to_dict()
        _tell(_sentence(judge, reliability), as_json)
        if not reliability.reliable:
            raise UsageError(
                f"{judge.name} is not reliable: it ordered {reliability.share:.0%} of {reliability.pairs} known pairs rightly, "
                "and 75% are needed; judge by gain, take another model, or let it judge all the same with --unreliable"
            )
    done = judge_pool(library, pooled, judge, journal, limit=limit, progress=silent if as_json else auto)
    nonsense = sum(one.grade is None and one.score is None for one in journal.judgments)
    report |= {"judged": len(journal.judgments), "now": done.pairs, "left": done.left, "nonsense": nonsense}
    _tell(
        f"{plural(done.pairs, 'pair')} judged now, {len(journal.judgments):,} in all, {done.left:,} left; "
        f"{plural(nonsense, 'answer')} {'was' if nonsense == 1 else 'were'} nonsense",
        as_json,
    )
    return journal, report


def _told(
    library: Library,
    name: str,
    judgments: Sequence[Judgment],
    others: dict[str, Any],
    pooled: Pooled,
    report: dict[str, Any],
    as_json: bool,
) -> Qrels:
    """The grades of a judge; printed, and reported, is what they rest on and how they agree with those of people."""
    from ..tune.judging.comparison import compare_judges
    from ..tune.judging.machine import people, with_grades

    grades, report["grades"] = with_grades(judgments, people({name: grades for name, (grades, _) in others.items()}) or None)
    if report["grades"]:
        _tell(report["grades"], as_json)
    compared = []
    for other, (theirs, _) in others.items():
        if any(document in theirs.get(query, {}) for query, row in grades.items() for document in row):
            compared += compare_judges({other: (theirs, pooled), name: (grades, pooled)}, pooled, _lengths(library))
    report["compared"] = [one.to_dict() for one in compared]
    if not as_json:
        for one in compared:
            print_compared(one)
    return grades


def _pooled(
    library: Library,
    journal: Journal,
    queries: str | None,
    others: dict[str, Any],
    recipes: tuple[str, ...],
    depth: int,
    field: str,
    pooled_of: Any,
    read_judged_queries: Any,
    as_json: bool,
) -> Pooled:
    """What is judged: the queries that are named; else what people, or this model, have pooled."""
    from ..progress import auto, silent

    if queries is None:
        known = next((pooled for _, pooled in others.values() if pooled is not None), journal.pooled)
        if known is None:
            raise UsageError("nothing is pooled yet; name the queries to judge for")
        found: Pooled = known
        return found
    asked = read_judged_queries(Path(queries), field)
    made: Pooled = pooled_of(library, asked, recipes, depth, known=journal.pooled, progress=silent if as_json else auto)
    return made


def _sentence(judge: ModelJudge, reliability: Reliability) -> str:
    nonsense = f", {reliability.nonsense} answers nonsense" if reliability.nonsense else ""
    return (
        f"{judge.name} orders {reliability.right:g} of {reliability.pairs} known pairs rightly ({reliability.ties} ties{nonsense}); "
        f"{reliability.long_right:.0%} where the wrong text is three times as long"
    )


def _lengths(library: Library) -> Any:
    known: dict[str, int] = {}

    def length(document: str) -> int:
        if document not in known:
            found = library.get(document, 1)
            known[document] = len(found[0].text.split()) if found else -1
        return known[document]

    return length


def _tell(sentence: str, as_json: bool) -> None:
    if not as_json:
        click.echo(clean(sentence))
