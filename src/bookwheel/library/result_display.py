"""Results as a terminal and a notebook show them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .results import Result, Results

__all__ = ["as_html", "as_text", "excerpt", "marked"]

TEXT_WIDTH, TITLE_WIDTH = 72, 40
EXCERPT = 320
"""Characters of a passage in a notebook's table."""
LEAD = 60
"""Characters before the first highlight of an excerpt."""


def as_text(results: Results) -> str:
    """A line for the query and one for each result."""
    lines = [_headline(results)]
    for result in results:
        text = " ".join(result.text.split())
        title = f"{_cut(result.title, TITLE_WIDTH)}: " if result.title else ""
        lines.append(f"{result.rank:>3}  {result.score:.4f}  {_cut(title + text, TEXT_WIDTH)}  [{_place(result)}]")
    return "\n".join(lines + [f"     note: {note}" for note in results.notes])


def as_html(results: Results) -> str:
    """A table with highlighted excerpts; every text is escaped."""
    rows = []
    for result in results:
        parts = ", ".join(f"{name} {value:.3f}" for name, value in result.parts.items())
        title = f"<strong>{escape(result.title)}</strong><br>" if result.title else ""
        rows.append(
            f"<tr><td>{result.rank}</td>"
            f'<td title="{escape(parts)}">{result.score:.4f}</td>'
            f'<td style="text-align: left">{title}{marked(*excerpt(result))}<br><small>{escape(_place(result))}</small></td></tr>'
        )
    notes = "".join(f"<p><small>{escape(note)}</small></p>" for note in results.notes)
    head = '<tr><th>rank</th><th>score</th><th style="text-align: left">passage</th></tr>'
    table = f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>" if rows else ""
    return f"<p>{escape(_headline(results))}</p>{table}{notes}"


def excerpt(result: Result, length: int = EXCERPT) -> tuple[str, list[tuple[int, int]]]:
    """The part of a passage around its first highlight, and the highlights in it."""
    text, highlights = result.text, result.highlights
    if len(text) <= length:
        return text, list(highlights)
    start = max(0, min(highlights[0][0] - LEAD, len(text) - length)) if highlights else 0
    if start:  # begin with a whole word
        space = text.find(" ", start, start + LEAD)
        start = start if space < 0 else space + 1
    end = min(len(text), start + length)
    before, after = "… " if start else "", " …" if end < len(text) else ""
    shift = len(before) - start
    inside = [(first + shift, last + shift) for first, last in highlights if start <= first and last <= end]
    return f"{before}{text[start:end]}{after}", inside


def marked(text: str, highlights: Sequence[tuple[int, int]]) -> str:
    """``text`` as HTML with its ``highlights`` in ``<mark>``."""
    pieces, at = [], 0
    for start, end in highlights:
        pieces += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    return "".join([*pieces, escape(text[at:])])


def _headline(results: Results) -> str:
    count = f"{len(results)} result{'' if len(results) == 1 else 's'}"
    seconds = sum(results.timings.values())
    return f"{count} for {results.query!r:.200}" + (f" in {1000 * seconds:.1f} ms" if seconds else "")


def _place(result: Result) -> str:
    """Where to look, and whether its readers see all of it."""
    hidden = result.where.hidden
    return f"{result.place} (hidden: {', '.join(dict.fromkeys(span.reason for span in hidden))})" if hidden else result.place


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
