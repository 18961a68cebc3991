"""What all plots are drawn on: a frame with axes, and marks by class, so that the page around them chooses the colours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..._printable import clean
from ..._width import display_width
from ..html import html_words

__all__ = [
    "CHARACTER",
    "LINE",
    "STYLE",
    "TOP",
    "WIDTH",
    "Axis",
    "drawing",
    "horizontal",
    "shorten",
    "standalone",
    "text",
    "text_width",
    "vertical",
]

WIDTH = 440
"""Units of every plot: narrow, so that its letters can still be read where a telephone shows it."""
TOP = 26.0
"""Where what is drawn begins below the upper edge, in every plot: those that stand side by side begin at one height."""
LINE = 16
CHARACTER = 7.2
"""About the width of a letter, in the same units."""
STYLE = """.plot{font:12.5px system-ui,sans-serif;--ink:#222;--soft:#666;--rule:#ddd;--paper:#fff;--a:#1f6feb;--b:#b35900;\
--up:#1a7f37;--down:#b3261e}
@media(prefers-color-scheme:dark){.plot{--ink:#e6e6e6;--soft:#a0a0a0;--rule:#3a3d42;--paper:#17191c;--a:#6ea8ff;--b:#f0a35e;\
--up:#57c26e;--down:#ff8a80}}
.plot text{fill:var(--ink);stroke:var(--paper);stroke-width:3px;stroke-linejoin:round;paint-order:stroke}\
.plot.heat-map text{stroke:none}.plot .soft{fill:var(--soft)}.plot .on{fill:var(--paper)}
.plot .rule{stroke:var(--rule);stroke-width:1;fill:none}.plot .zero{stroke:var(--soft);stroke-width:1;fill:none}
.plot .a{fill:var(--a)}.plot .b{fill:var(--b)}.plot .up{fill:var(--up)}.plot .down{fill:var(--down)}
.plot .faint{fill:var(--soft);fill-opacity:.16}.plot .cell{fill:var(--a)}.plot .none{fill:var(--rule)}
.plot .line{fill:none;stroke:var(--a);stroke-width:2}.plot .line2{fill:none;stroke:var(--b);stroke-width:2}
.plot .thin{fill:none;stroke:var(--ink);stroke-width:1.5}.plot .box{fill:var(--a);fill-opacity:.3;stroke:var(--a)}
.plot .band{fill:var(--a);fill-opacity:.16}.plot .band2{fill:var(--b);fill-opacity:.16}
.plot .step{fill:none;stroke:var(--a);stroke-dasharray:4 3}"""
"""The style of all plots; a page that shows one has it once."""


def standalone(svg: str) -> str:
    """A plot as a file of its own, with its style and on paper of its own colour."""
    head, end, rest = svg.partition(">")
    return f'{head}{end}<style>{STYLE}</style><rect width="100%" height="100%" class="on"/>{rest}\n'


def drawing(kind: str, title: str, height: float, marks: Sequence[str]) -> str:
    """The plot: ``marks`` on `WIDTH` by ``height`` units; ``title`` is read to who does not see it, and shown above."""
    name = html_words(title)
    body = "\n".join(marks)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot {kind}" role="img" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'aria-label="{name}">\n<title>{name}</title>\n{body}\n</svg>'
    )


def text(x: float, y: float, words: str, *, at: str = "start", kind: str = "", full: str = "") -> str:
    """Words that begin (or end, or have their middle) at ``x``; with ``full`` the whole is shown to who points at them."""
    whole = f"<title>{html_words(full)}</title>" if full and full != words else ""
    anchor = "" if at == "start" else f' text-anchor="{at}"'
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{anchor}{named}>{whole}{html_words(words)}</text>'


def text_width(words: str) -> float:
    """About how wide ``words`` are."""
    return CHARACTER * display_width(words)


def shorten(words: str, width: float) -> str:
    """``words``, cut where they are wider than ``width`` units."""
    room = max(2, int(width / CHARACTER))
    words = " ".join(clean(words[: 8 * room]).split())
    if display_width(words) <= room:
        return words
    while words and display_width(words) >= room:
        words = words[:-1]
    return words + "…"


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to places between ``start`` and ``end``; a logarithmic one takes values above 0."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float, *, logarithmic: bool = False, room: float = 0.06) -> Axis:
        """The axis that shows all finite ``values``, with a little ``room`` on both sides."""
        known = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)]
        low, high = (min(known), max(known)) if known else (1.0, 1.0)
        if logarithmic:
            margin = max((high / low) ** room, 1.1)
            return cls(low / margin, high * margin, start, end, True)
        margin = room * (high - low) or 0.05 * abs(high) or 0.5
        return cls(low - margin, high + margin, start, end)

    def at(self, value: float) -> float:
        """Where ``value`` is drawn; what lies outside is drawn at the edge."""
        low, high = self.low, self.high
        value = min(max(value, low), high)
        if self.logarithmic:
            low, high, value = math.log(low), math.log(high), math.log(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, about: int = 6) -> list[float]:
        """Round numbers on the axis, ``about`` so many."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [one * 10.0**power for power in powers for one in (1, 2, 5)]
            inside = [one for one in found if self.low <= one <= self.high]
            if len(inside) > 1:
                return inside if len(inside) <= about + 2 else [one for one in inside if f"{one:e}".startswith("1")]
        raw = (self.high - self.low) / max(1, about)
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(one * power for one in (1, 2, 5, 10) if one * power >= raw)
        first = math.ceil(self.low / step)
        return [round(number * step, 12) for number in range(first, math.floor(self.high / step) + 1)]


def horizontal(axis: Axis, top: float, bottom: float, title: str) -> list[str]:
    """The axis ``axis`` below a plot, with lines upward at its ticks."""
    marks = []
    free = -math.inf
    for tick in axis.ticks():
        x, words = axis.at(tick), f"{tick:g}"
        marks.append(f'<path class="rule" d="M{x:.1f} {top:.1f}V{bottom:.1f}"/>')
        if x - text_width(words) / 2 >= free:
            marks.append(text(x, bottom + LINE - 2, words, at="middle", kind="soft"))
            free = x + text_width(words) / 2 + CHARACTER
    return [*marks, text((axis.start + axis.end) / 2, bottom + 2 * LINE - 1, title, at="middle", kind="soft")]


def vertical(axis: Axis, left: float, right: float, title: str) -> list[str]:
    """The axis ``axis`` beside a plot, with lines across at its ticks, and its title above."""
    marks = [text(left, min(axis.start, axis.end) - 8, title, kind="soft")]
    for tick in axis.ticks():
        y = axis.at(tick)
        marks.append(f'<path class="rule" d="M{left:.1f} {y:.1f}H{right:.1f}"/>')
        marks.append(text(left - 5, y + 4, f"{tick:g}", at="end", kind="soft"))
    return marks
