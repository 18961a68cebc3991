"""Plain-text tables of results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .evaluation import Evaluation


__all__ = [
    "comparison_rows",
    "evaluation_rows",
    "footnotes",
    "format_changes",
    "format_comparisons",
    "format_evaluation",
    "format_table",
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
    parts = [f"{collection.name}: {count:,} judged {'query' if count == 1 else 'queries'}"]
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


def footnotes(evaluation: Evaluation) -> list[str]:
    """What the marks mean, and the evaluation's notes."""
    legend = (
        f"+ and - mark results significantly better or worse than {evaluation.baseline} "
        "(paired t-test, p < 0.05 after Holm's correction)"
    )
    return [*([legend] if any(c.significant for c in evaluation.comparisons) else []), *evaluation.notes]


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
