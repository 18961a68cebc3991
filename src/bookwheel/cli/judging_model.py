"""``bookwheel judge --model``: a model judges what people judge, and is compared with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .judging_compare import print_compared
from .output import clean, json_document, nearby, notice, plural

if TYPE_CHECKING:
    from ..library.library import Library
    from ..tune.judging.journal import Journal, Pooled
    from ..tune.judging.known_pairs import Reliability
    from ..tune.judging.models import ModelJudge

__all__ = ["judge_by_model"]

MODELS = "model-"
"""How the names of files of models begin."""


def judge_by_model(
    library: Library,
    queries: str | None,
    model: str,
    by: str,
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
    """Test the model with known pairs, let it judge, and print how it agrees with people."""
    from ..progress import auto, silent
    from ..tune.judging.comparison import compare_judges
    from ..tune.judging.grades import qrels_lines
    from ..tune.judging.inputs import read_judge, read_judged_queries
    from ..tune.judging.journal import Journal, journal_path, journals
    from ..tune.judging.known_pairs import planted, reliability_of
    from ..tune.judging.machine import judge_name, judge_pool, people, samples_of, with_grades
    from ..tune.judging.models import Graded, open_judge
    from ..tune.judging.session import pooled_of

    others = {name: read_judge(path) for name, path in journals(library.path).items() if not name.startswith(MODELS)}
    if against is not None:
        others = {against: read_judge(Path(against))}
    judge = open_judge(by, model)
    journal = Journal(journal_path(library.path, judge_name(judge)))
    pooled = _pooled(library, journal, queries, others, recipes, depth, field, pooled_of, read_judged_queries, as_json)
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
    reference = people({name: grades for name, (grades, _) in others.items()})
    grades, rests = with_grades(journal.judgments, reference or None)
    nonsense = sum(one.grade is None and one.score is None for one in journal.judgments)
    report |= {"judged": len(journal.judgments), "now": done.pairs, "left": done.left, "nonsense": nonsense, "grades": rests}
    _tell(
        f"{plural(done.pairs, 'pair')} judged now, {len(journal.judgments):,} in all, {done.left:,} left; "
        f"{plural(nonsense, 'answer')} {'was' if nonsense == 1 else 'were'} nonsense",
        as_json,
    )
    if rests:
        _tell(rests, as_json)
    compared = []
    for name, (theirs, _) in others.items():
        if any(document in theirs.get(query, {}) for query, row in grades.items() for document in row):
            compared += compare_judges({name: (theirs, pooled), judge.name: (grades, pooled)}, pooled, _lengths(library))
    report["compared"] = [one.to_dict() for one in compared]
    if as_json:
        json_document(report)
    else:
        for one in compared:
            print_compared(one)
        if not compared:
            click.echo("no person has judged any of these; judge some with: bookwheel judge LIBRARY QUERIES")
        click.echo(f"judgments: {clean(nearby(str(journal.path)))}")
    if out is not None:
        lines = list(qrels_lines(grades))
        try:
            Path(out).write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="\n", errors="replace")
        except OSError as error:
            raise UsageError(f"{out!r:.200} cannot be written ({error.strerror or error}); name another file") from None
        notice(f"wrote {plural(len(lines), 'judgment')} to {out}")
    return 0


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
