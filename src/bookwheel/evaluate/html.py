"""Results as HTML tables, for notebooks. All text in them is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from .table import comparison_rows, evaluation_rows, footnotes, title

if TYPE_CHECKING:
    from .evaluation import Evaluation

__all__ = ["html_evaluation"]


def html_evaluation(evaluation: Evaluation) -> str:
    """The table of measures and, where there is more than one ranking, the table of comparisons."""
    parts = [f"<p>{escape(title(evaluation))}</p>", _table(*evaluation_rows(evaluation), left=1)]
    if evaluation.comparisons:
        parts.append(_table(*comparison_rows(evaluation), left=2))
    parts += [f"<p><small>{escape(note)}</small></p>" for note in footnotes(evaluation)]
    return "\n".join(parts)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    def row(cells: Sequence[str], tag: str) -> str:
        aligned = [
            f'<{tag} style="text-align: {"left" if at < left else "right"}">{escape(cell.strip())}</{tag}>'
            for at, cell in enumerate(cells)
        ]
        return f"<tr>{''.join(aligned)}</tr>"

    body = "\n".join(row(cells, "td") for cells in rows)
    return f"<table>\n<thead>{row(header, 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
