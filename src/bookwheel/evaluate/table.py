"""Plain-text tables of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .equivalence import Equivalence
    from .evaluation import Evaluation
    from .labels import LabelStep
    from .missing import Missing


__all__ = [
    "comparison_rows",
    "equivalence_rows",
    "evaluation_rows",
    "footnotes",
    "format_changes",
    "format_comparisons",
    "format_equivalence",
    "format_evaluation",
    "format_labels",
    "format_missing",
    "format_table",
    "label_rows",
    "legend",
    "missing_rows",
    "title",
]

_TEXT_WIDTH = 72


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns two spaces apart: the first ``left`` aligned left, the others right."""
    table = [[_printable(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(header))]
    lines = []
    for row in table:
        cells = [cell.ljust(widths[at]) if at < left else cell.rjust(widths[at]) for at, cell in enumerate(row)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def title(evaluation: Evaluation) -> str:
    """The collection and how many of its queries count."""
    collection = evaluation.collection
    count = len(collection.judged)
    kind = f" ({collection.kind})" if collection.kind else ""
    parts = [f"{collection.name}{kind}: {count:,} judged {'query' if count == 1 else 'queries'}"]
    if collection.unjudged:
        parts.append(f"{collection.unjudged} without judgments left out")
    if collection.without_text:
        parts.append(f"{collection.without_text} judged but not among the queries left out")
    return "; ".join(parts)


def evaluation_rows(evaluation: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Header and rows: a row per recipe, a column per measure, marks for significant differences."""
    marks = {(c.name, c.measure): "+" if c.difference > 0 else "-" for c in evaluation.comparisons if c.significant}
    timed = bool(evaluation.milliseconds)
    rows = []
    for name, scores in evaluation.scores.items():
        cells = [f"{scores.means[measure]:.4f}{marks.get((name, measure), ' ')}" for measure in evaluation.measures]
        rows.append([name, *cells, *([f"{evaluation.milliseconds[name]:.2f}"] if timed else [])])
    return ["recipe", *(f"{measure} " for measure in evaluation.measures), *(["ms/query"] if timed else [])], rows


def legend(evaluation: Evaluation) -> list[str]:
    """What the marks mean, where there are any."""
    told = (
        f"+ and - mark results significantly better or worse than {evaluation.baseline} "
        "(paired t-test, p < 0.05 after Holm's correction)"
    )
    return [told] if any(c.significant for c in evaluation.comparisons) else []


def footnotes(evaluation: Evaluation) -> list[str]:
    """What the marks mean, how far the judgments cover the rankings, and the evaluation's notes."""
    covered = evaluation.coverage()
    return [*legend(evaluation), *([covered.sentence()] if covered else []), *evaluation.notes]


def comparison_rows(evaluation: Evaluation) -> tuple[list[str], list[list[str]]]:
    """Header and rows: difference, queries won, tied and lost, and the p of both tests after Holm's
    correction.
    """
    rows = [
        [
            c.name,
            c.measure,
            f"{c.difference:+.4f}",
            f"{c.wins}/{c.ties}/{c.losses}",
            _p(c.p_t_holm),
            _p(c.p_randomisation_holm),
        ]
        for c in evaluation.comparisons
    ]
    header = [f"against {evaluation.baseline}", "measure", "difference", "win/tie/loss", "p (t-test)", "p (randomisation)"]
    return header, rows


def missing_rows(found: Sequence[Missing]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: a row per recipe and measure, with its value, what it is on condensed lists, and its bounds."""

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.4f}"

    rows = [
        [
            m.name,
            m.measure,
            f"{100 * m.judged:.0f} % of {m.cutoff}",
            *map(number, (m.value, m.lowest, m.highest, m.condensed, m.bpref)),
        ]
        for m in found
    ]
    return ["recipe", "measure", "judged", "value", "lowest", "highest", "condensed", "Bpref"], rows


def label_rows(steps: Sequence[LabelStep]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: a row per number of labels, with the tau of the order and that with all labels."""
    rows = [
        [
            "all" if step is steps[-1] else f"{step.labels:,}",
            f"{step.used:.1f}",
            f"{step.tau:.2f}",
            f"{step.low:.2f} to {step.high:.2f}",
            f"{100 * step.another_first:.0f} %",
        ]
        for step in steps
    ]
    return ["labels a query", "used", "tau", "90 % of draws", "another recipe first"], rows


def equivalence_rows(found: Sequence[Equivalence]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: difference with its interval, the p of both tests after Holm's correction, and what is shown."""
    rows = [
        [
            e.name,
            e.measure,
            f"{e.difference:+.4f}",
            f"{e.low:+.4f} to {e.high:+.4f}",
            _p(e.p_equivalent_holm),
            _p(e.p_not_worse_holm),
            e.verdict,
        ]
        for e in found
    ]
    against = f"against {found[0].baseline}" if found else "against the baseline"
    margin = f"{found[0].margin:g}" if found else "the margin"
    header = [against, "measure", "difference", "90 % interval", f"p (within {margin})", "p (not worse)", "shown"]
    return header, rows


def format_missing(found: Sequence[Missing]) -> str:
    """A table of `missing_rows`, and what its columns are."""
    if not found:
        return "none of the measures is built in, so that nothing can be told of missing judgments"
    told = "lowest and highest: whatever labels the unjudged ones of these documents had; condensed: with unjudged documents left out"
    return f"{format_table(*missing_rows(found), left=2)}\n\n{told}"


def format_labels(steps: Sequence[LabelStep], measure: str) -> str:
    """A table of `label_rows`, and what it shows; "" where there is nothing to put in order."""
    if not steps:
        return ""
    return f"the order of the recipes by {measure} with fewer labels, and with all\n\n{format_table(*label_rows(steps))}"


def format_equivalence(found: Sequence[Equivalence]) -> str:
    """A table of `equivalence_rows`."""
    return format_table(*equivalence_rows(found), left=2)


def format_evaluation(evaluation: Evaluation) -> str:
    """One line a recipe, one column a measure; ``+`` and ``-`` mark a significant difference from
    the baseline.
    """
    lines = [title(evaluation), "", format_table(*evaluation_rows(evaluation))]
    if notes := footnotes(evaluation):
        lines += ["", *notes]
    return "\n".join(lines)


def format_comparisons(evaluation: Evaluation) -> str:
    """One line a comparison: difference, queries won, tied and lost, and the p of both tests after
    Holm's correction.
    """
    return format_table(*comparison_rows(evaluation), left=2)


def format_changes(evaluation: Evaluation, name: str, measure: str | None = None, n: int = 5) -> str:
    """The ``n`` queries on which ``name`` differs most from the baseline."""
    rows = [
        [change.query, f"{change.before:.3f}", f"{change.after:.3f}", f"{change.difference:+.3f}", _short(change.text)]
        for change in evaluation.changes(name, measure, n)
    ]
    lines = format_table(["query", "before", "after", "change"], [row[:4] for row in rows]).split("\n")
    return "\n".join([lines[0], *(f"{line}  {row[4]}" for line, row in zip(lines[1:], rows, strict=True))])


def _p(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def _short(text: str) -> str:
    text = _printable(text)
    return text if len(text) <= _TEXT_WIDTH else text[: _TEXT_WIDTH - 1] + "…"


def _printable(text: str) -> str:
    """Ids and texts come from files: nothing in them may steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)
