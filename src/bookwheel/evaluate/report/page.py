"""A report as one HTML page: no script, nothing asked of anybody, light or dark as the reader's system is, wide or narrow.

Its policy (Content-Security-Policy) allows its own style and nothing else, so that a word that slipped through unescaped could
still neither run nor fetch.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING

from ..html import html_table, html_words
from ..plots import STYLE as PLOTS
from .blocks import Block, Code, Details, Figure, Heading, Paragraph, Quote, Table

if TYPE_CHECKING:
    from .report import Report

__all__ = ["page"]

STYLE = (
    """:root{color-scheme:light dark;--text:#222;--faint:#5c5c5c;--ground:#fff;--line:#ddd;--tint:#f4f5f7;--mark:#ffe08a}
@media(prefers-color-scheme:dark){:root{--text:#e6e6e6;--faint:#a8a8a8;--ground:#17191c;--line:#3a3d42;--tint:#202328;\
--mark:#5c4a12}}
*{box-sizing:border-box}body{margin:0 auto;max-width:62rem;padding:1rem;background:var(--ground);color:var(--text);\
font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}h2{font-size:1.2rem;margin:2.2rem 0 .5rem;border-top:1px solid var(--line);\
padding-top:1rem}
p{margin:.6rem 0;max-width:46rem}.lead{font-size:1.08rem}.small{color:var(--faint);font-size:.88rem}
.wide{overflow-x:auto;margin:.8rem 0}table{border-collapse:collapse;font-size:.9rem}th,td{padding:.25rem .7rem .25rem 0;\
text-align:left;vertical-align:top;border-bottom:1px solid var(--line);min-width:4.5rem;overflow-wrap:break-word}td:first-child{\
min-width:7rem}th{color:var(--faint);font-weight:600}.n{text-align:right;white-space:nowrap;min-width:0;font-variant-numeric:tabular-nums}
.plots{display:flex;flex-wrap:wrap;gap:1rem 2rem;margin:1rem 0}figure{margin:0;flex:1 1 22rem;max-width:35rem;min-width:0}
figure svg{width:100%;height:auto;display:block}figcaption{font-size:.88rem;color:var(--faint)}
details{margin:.7rem 0;padding:.5rem .8rem;background:var(--tint);border-radius:6px}summary{cursor:pointer;font-weight:600}
blockquote{margin:.5rem 0;padding-left:.8rem;border-left:3px solid var(--line)}blockquote p{margin:.15rem 0}
mark{background:var(--mark);color:inherit}pre{white-space:pre-wrap;background:var(--tint);padding:.6rem .8rem;border-radius:6px;\
font-size:.85rem}
@media(max-width:40rem){.wide thead{display:none}.wide tr{display:flex;flex-wrap:wrap;gap:0 1rem;padding:.35rem 0;\
border-bottom:1px solid var(--line)}.wide td{border:0;padding:0;min-width:0}.wide td:first-child{flex:0 0 100%;font-weight:600}\
.wide .n::before{content:attr(data-name) " ";color:var(--faint)}.wide .n:empty{display:none}}
@media print{details{background:none}}
"""
    + PLOTS
)


def page(report: Report) -> str:
    """The page as text, which is UTF-8 when it is written."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    title = html_words(report.title)
    head = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="lead">{html_words(report.summary)}</p>
"""
    return head + "\n".join(_blocks(report.blocks, count(1))) + "\n</main>\n</body>\n</html>\n"


def _blocks(blocks: Sequence[Block], numbers: Iterable[int]) -> Iterable[str]:
    """The blocks; plots that follow each other stand side by side where there is room."""
    figures: list[str] = []
    for block in blocks:
        if isinstance(block, Figure):
            figures.append(f"<figure>\n{block.svg}\n<figcaption>{html_words(block.caption)}</figcaption>\n</figure>")
            continue
        if figures:
            yield _side_by_side(figures)
            figures = []
        yield _block(block, numbers)
    if figures:
        yield _side_by_side(figures)


def _side_by_side(figures: Sequence[str]) -> str:
    return '<div class="plots">\n' + "\n".join(figures) + "\n</div>"


def _block(block: Block, numbers: Iterable[int]) -> str:
    match block:
        case Heading(text):
            return f'<h2 id="part-{next(iter(numbers))}">{html_words(text)}</h2>'
        case Paragraph(text, small):
            return f'<p class="small">{html_words(text)}</p>' if small else f"<p>{html_words(text)}</p>"
        case Table(header, rows, left):
            return f'<div class="wide" tabindex="0">\n{html_table(header, rows, left, styled=False)}\n</div>'
        case Quote(label, text, marks):
            return f'<blockquote>\n<p class="small">{html_words(label)}</p>\n<p dir="auto">{_marked(text, marks)}</p>\n</blockquote>'
        case Code(text):
            return f"<pre>{html_words(text, lines=True)}</pre>"
        case Details(summary, inner, is_open):
            body = "\n".join(_blocks(inner, numbers))
            return f'<details{" open" if is_open else ""}>\n<summary dir="auto">{html_words(summary)}</summary>\n{body}\n</details>'
        case Figure():  # pragma: no cover - `_blocks` has those
            raise AssertionError


def _marked(text: str, marks: Sequence[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in sorted(marks):
        if start < done or end > len(text):
            continue
        parts += [html_words(text[done:start]), f"<mark>{html_words(text[start:end])}</mark>"]
        done = end
    return "".join([*parts, html_words(text[done:])])
