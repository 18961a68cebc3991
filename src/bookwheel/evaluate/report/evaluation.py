"""The report of an evaluation: who is better, how sure that is, what it costs, what is not known, and where it goes wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..excerpts import Texts
from ..failures import Failure, Ranked, failures
from ..following import following_notes, following_rows
from ..plots import Box, Curve, Point, boxes, curves, intervals, scatter, sorted_differences
from ..robust import loss_rows, meaning
from ..significance import mean_interval
from ..table import comparison_rows, equivalence_rows, evaluation_rows, label_rows, legend, missing_rows, title
from .blocks import Block, Code, Details, Figure, Heading, Paragraph, Quote, Table
from .report import Report

if TYPE_CHECKING:
    from ..evaluation import Evaluation

__all__ = ["MARGIN", "evaluation_report", "made_blocks"]

MARGIN = 0.01
"""The smallest difference that is taken to matter where nothing else is said."""
FAILURES = 10
CHANGES = 10


def evaluation_report(
    evaluation: Evaluation,
    *,
    margin: float = MARGIN,
    texts: Texts | None = None,
    made: Mapping[str, Any] | None = None,
    n: int = FAILURES,
) -> Report:
    """The report of ``evaluation``.

    ``margin`` is that of equivalence, ``texts`` gives the documents that are shown (see `texts_of`), ``made`` says what made it
    (see `made`), ``n`` is how many failures are shown. Raises `UsageError` for a margin that is none.
    """
    first = evaluation.measures[0]
    tested = evaluation.equivalence(margin) if evaluation.compared else []
    missing = evaluation.missing()
    covered = evaluation.coverage()
    labels = evaluation.fewer_labels() if covered is not None else []
    failed = failures(evaluation, n=n, texts=texts)
    blocks: list[Block] = [Table(*evaluation_rows(evaluation)), Paragraph(title(evaluation), small=True)]
    blocks += [Paragraph(note, small=True) for note in legend(evaluation)]
    blocks += [*_quality(evaluation, first)]
    if evaluation.compared:
        blocks += [Heading(f"Differences from {evaluation.baseline}"), *_differences(evaluation, first, margin)]
        blocks += [
            Heading("As good as the baseline?"),
            Paragraph(
                f"A difference that is not significant is no proof that there is none. Two one-sided t-tests show what is closer to "
                f"{evaluation.baseline} than {margin:g} (equivalent), or at least not worse by {margin:g} (not worse); p after "
                f"Holm's correction for all {len(tested)} comparisons."
            ),
            Table(*equivalence_rows(tested), left=2),
        ]
    blocks += [Heading("Missing judgments")]
    blocks += [Paragraph(f"{covered.sentence()[:1].upper()}{covered.sentence()[1:]}.")] if covered else []
    if missing:
        blocks += [
            Table(*missing_rows(missing), left=2),
            Paragraph(
                "Lowest and highest: what the measure can be, whatever labels the unjudged ones of the documents it looks at had. "
                "Condensed: with unjudged documents left out. Bpref counts judged pairs only.",
                small=True,
            ),
        ]
    if labels:
        points = [(float(step.labels), step.tau, step.low, step.high) for step in labels]
        name = f"Order of the recipes by {first} with fewer labels"
        plot = curves(
            [Curve(first, points)], x="relevant documents labelled per query", y="Kendall's tau", title=name, logarithmic=True
        )
        caption = "How far the order of the recipes is that by all labels when fewer are drawn; the band holds 90 % of draws."
        blocks += [Figure(plot, caption), Table(*label_rows(labels), left=0)]
    if evaluation.following:
        blocks += [Heading("With instructions"), Table(*following_rows(evaluation.following))]
        blocks += [Paragraph(f"{note[:1].upper()}{note[1:]}.", small=True) for note in following_notes(evaluation.following)]
    if evaluation.losses:
        blocks += [Heading("Queries written otherwise"), Table(*loss_rows(evaluation.losses), left=2)]
        blocks += [Paragraph(f"{told[:1].upper()}{told[1:]}.") for told in meaning(evaluation.losses)]
    blocks += _failures(evaluation, failed, first)
    blocks += _changes(evaluation, first)
    if evaluation.notes:
        blocks += [Heading("Notes"), *(Paragraph(note) for note in evaluation.notes)]
    blocks += made_blocks(made or {}, evaluation)
    data = {
        **evaluation.to_dict(per_query=True),
        "equivalence": [one.to_dict() for one in tested],
        "missing_judgments": [one.to_dict() for one in missing],
        "fewer_labels": [one.to_dict() for one in labels],
        "failures": [one.to_dict() for one in failed],
        "made": dict(made or {}),
    }
    return Report(f"Evaluation on {evaluation.collection.name}", _summary(evaluation, first), blocks, data)


def _summary(evaluation: Evaluation, measure: str) -> str:
    best = evaluation.best()
    means = {name: scores.means[measure] for name, scores in evaluation.scores.items()}
    count = len(evaluation.collection.judged)
    reached = f"{measure} {means[best]:.4f} over {count:,} {'query' if count == 1 else 'queries'}"
    if not evaluation.compared:
        return f"{best} reaches {reached}."
    found = [one for one in evaluation.comparisons if one.measure == measure]
    if best == evaluation.baseline:
        near = [one.name for one in found if not one.significant]
        which = f"; not significantly worse: {', '.join(near)}" if near else ", significantly above all others"
        return f"No recipe is above the baseline, {best}, which reaches {reached}{which}."
    (own,) = (one for one in found if one.name == best)
    sure = "a significant difference" if own.significant else "not a significant difference"
    p = f"p = {own.p_t_holm:.2g} after Holm's correction"
    return f"{best} reaches {reached}, {own.difference:+.4f} against {own.baseline}: {sure} ({p})."


def _finite(values: Sequence[float]) -> Any:
    found = np.array(values, np.float64)
    return found[np.isfinite(found)]


def _quality(evaluation: Evaluation, measure: str) -> Iterator[Block]:
    values = {name: list(evaluation.values(name, measure).values()) for name in evaluation.scores}
    yield Figure(
        boxes(list(values.items()), x=measure, title=f"{measure} of each query, by recipe"),
        "Values of all queries: half of them in the box, the line in it is the median, the point the mean.",
    )
    if len(evaluation.milliseconds) > 1:
        points = [
            Point(name, milliseconds, evaluation.scores[name].means[measure], name == evaluation.baseline)
            for name, milliseconds in evaluation.milliseconds.items()
        ]
        yield Figure(
            scatter(points, x="milliseconds per query", y=measure, title=f"{measure} against time", logarithmic=True),
            "Quality against time, measured in batches in this process. What is on the dashed line is beaten by none in both.",
        )


def _differences(evaluation: Evaluation, measure: str, margin: float) -> Iterator[Block]:
    base = evaluation.values(evaluation.baseline, measure)
    found = {
        name: _finite([value - base[query] for query, value in evaluation.values(name, measure).items()])
        for name in evaluation.compared
    }
    rows = []
    for name, values in found.items():
        low, high = mean_interval(values)
        rows.append(Box(name, low, float(values.mean()) if len(values) else math.nan, high))
    unit = f"difference in {measure}"
    yield Figure(
        intervals(rows, x=unit, title=f"{unit} from {evaluation.baseline}", margin=margin),
        f"Mean differences in {measure} from {evaluation.baseline} with their 95 % intervals (before correction); grey: within {margin:g}.",
    )
    for name, values in list(found.items())[:6]:
        yield Figure(
            sorted_differences(values.tolist(), y=unit, title=f"{name} against {evaluation.baseline}, query by query"),
            f"{name}: the differences of all queries, sorted.",
        )
    header, cells = comparison_rows(evaluation)
    yield Table(header, cells, left=2)
    yield Paragraph(
        "Paired tests over the same queries, two-sided: Student's t, and randomisation with "
        f"seed {evaluation.seed}; p after Holm's correction for all {len(evaluation.comparisons)} comparisons.",
        small=True,
    )


def _failures(evaluation: Evaluation, failed: Sequence[Failure], measure: str) -> list[Block]:
    if not failed:
        return []
    best = evaluation.best()
    blocks: list[Block] = [
        Heading(f"Where {best} fails"),
        Paragraph(
            f"The {len(failed)} queries with the lowest {measure}; of equal ones first those that another recipe serves best."
        ),
    ]
    for number, failure in enumerate(failed):
        inner: list[Block] = []
        if failure.others:
            others = ", ".join(f"{name} {_number(value)}" for name, value in failure.others.items())
            inner.append(Paragraph(f"{measure} of the others: {others}", small=True))
        for kind, documents in (("Wanted", failure.wanted), ("Instead", failure.instead)):
            for one in documents:
                again = one.excerpt is not None and one.excerpt.text.startswith(one.title)
                text = f"{one.title}: " if one.title and not again else ""
                shown = one.excerpt
                body = (
                    "(the text is not at hand)"
                    if shown is None
                    else f"{'… ' if shown.before else ''}{shown.text}{' …' if shown.after else ''}"
                )
                shift = len(text) + (2 if shown is not None and shown.before else 0)
                marks = [(low + shift, high + shift) for low, high in shown.marks] if shown is not None else []
                inner.append(Quote(f"{kind}: {one.document}, {_place(one, best)}", text + body, marks))
        if not failure.instead:
            inner.append(Paragraph("Nothing came instead.", small=True))
        inner_title = f"{_number(failure.value)}  {failure.query}: {failure.text or '(the text of the query is not known)'}"
        blocks.append(Details(inner_title, inner, open=number < 3))
    return blocks


def _place(one: Ranked, name: str) -> str:
    """Where a document came, in words."""
    grade = "not judged" if one.grade is None else f"grade {one.grade}"
    own = one.ranks[name]
    places = f"at rank {own:,}" if own else "not found"
    others = [f"{other} {rank:,}" if rank else f"{other} –" for other, rank in one.ranks.items() if other != name]
    return f"{grade}, {places}" + (f" (ranks elsewhere: {', '.join(others)})" if others else "")


def _changes(evaluation: Evaluation, measure: str) -> list[Block]:
    blocks: list[Block] = []
    for name in evaluation.compared:
        changes = evaluation.changes(name, measure, CHANGES)
        if not changes:
            continue
        rows = [[c.query, c.text[:200], f"{c.before:.3f}", f"{c.after:.3f}", f"{c.difference:+.3f}"] for c in changes]
        blocks.append(Details(name, [Table(["query", "text", evaluation.baseline, name, "change"], rows, left=2)]))
    return [Heading(f"Queries that changed most in {measure}"), *blocks] if blocks else []


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"


def made_blocks(made: Mapping[str, Any], evaluation: Evaluation | None = None) -> list[Block]:
    """How a report was made: what `made` told, and of an evaluation its library, recipes and seed."""
    from ...memory.sizes import format_size

    rows: list[list[str]] = []
    if made.get("when"):
        rows.append(["made", str(made["when"])])
    if versions := made.get("versions"):
        rows.append(["versions", ", ".join(f"{name} {number}" for name, number in versions.items())])
    if machine := made.get("machine"):
        memory = f", {format_size(machine['memory'])} of memory" if machine.get("memory") else ""
        rows.append(["machine", f"{machine['processor']}, {machine['cores']} cores{memory}, {machine['system']}"])
    if evaluation is not None:
        rows.append(["seed", str(evaluation.seed)])
        rows.append(["depth", "of the runs" if evaluation.depth is None else f"{evaluation.depth:,} documents a query"])
        if state := evaluation.library:
            settings = ", ".join(f"{name} {value}" for name, value in state["settings"].items() if value is not None)
            contents = f"{state['documents']:,} documents, {state['passages']:,} passages, generation {state['generation']}"
            rows += [["library", contents], ["settings", settings]]
        rows += [[f"recipe {name}", text] for name, text in evaluation.recipes.items() if name != text]
    if not rows and not made.get("command"):
        return []
    blocks: list[Block] = [Heading("How it was made")]
    if made.get("command"):
        blocks.append(Code(str(made["command"])))
    return [*blocks, Table(["", ""], rows, left=2)] if rows else blocks
