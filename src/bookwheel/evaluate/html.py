"""Results as HTML tables, for notebooks. All text in them is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from .._printable import clean
from .following import following_notes, following_rows
from .table import comparison_rows, evaluation_rows, footnotes, title

if TYPE_CHECKING:
    from .evaluation import Evaluation

__all__ = ["html_evaluation", "html_table", "html_words"]


def html_evaluation(evaluation: Evaluation) -> str:
    """The table of measures and, where there is more than one ranking, the table of comparisons."""
    parts = [f"<p>{html_words(title(evaluation))}</p>", html_table(*evaluation_rows(evaluation), left=1)]
    if evaluation.comparisons:
        parts.append(html_table(*comparison_rows(evaluation), left=2))
    if evaluation.following:
        parts.append(html_table(*following_rows(evaluation.following), left=1))
    notes = [*footnotes(evaluation), *following_notes(evaluation.following)]
    parts += [f"<p><small>{html_words(note)}</small></p>" for note in notes]
    return "\n".join(parts)


def html_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int, *, styled: bool = True) -> str:
    """A table whose first ``left`` columns are words and the others numbers, to the right: by a style of each cell, which a
    notebook needs, or by the class ``n`` with the column's name, where a page with a style of its own is around it.
    """

    def attribute(at: int) -> str:
        if styled:
            return f' style="text-align: {"left" if at < left else "right"}"'
        return "" if at < left else f' class="n" data-name="{html_words(header[at].strip())}"'

    def row(cells: Sequence[str], tag: str) -> str:
        aligned = [f"<{tag}{attribute(at)}>{_cell(cell)}</{tag}>" for at, cell in enumerate(cells)]
        return f"<tr>{''.join(aligned)}</tr>"

    body = "\n".join(row(cells, "td") for cells in rows)
    head = f"<thead>{row(header, 'th')}</thead>\n" if any(header) else ""
    return f"<table>\n{head}<tbody>\n{body}\n</tbody>\n</table>"


def _cell(text: str) -> str:
    """A space at the end keeps the place of a mark: it is as wide as a digit."""
    return html_words(text.strip()) + ("\u2007" if text[-1:] == " " else "")


def html_words(text: str, *, lines: bool = False) -> str:
    """``text`` escaped, without what controls the direction of text or is no character at all; with ``lines``, line ends stay."""
    return escape(clean(text, lines=lines).encode("utf-8", "replace").decode())
