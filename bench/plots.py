"""Draws latency against memory: one picture a result file, beside it. Runs in the environment ``plots`` (see report.py)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator

LINE = 0.165
"""Inches from one name to the next, in letters of 7.5 points."""
OURS, OTHERS, FAINT = "#c0392b", "#2c5f8a", "#9aa5ad"


def points(result: dict[str, Any], title: str, k: int) -> list[dict[str, Any]]:
    """What is drawn of each contender, those with a failure left out."""
    found = []
    for c in result["contenders"]:
        figures = c.get("latency", {}).get(title, {}).get(str(k))
        memory = c.get("memory")
        if figures and memory and "error" not in c:
            found.append({
                "name": c["name"], "x": memory["total_bytes"] / 2**20, "anonymous": memory["anonymous_bytes"] / 2**20,
                "y": figures["p50_ms"], "p99": figures["p99_ms"], "recall": c.get("recall", {}).get(title, {}).get(str(k)),
            })  # fmt: skip
    return found


def label(point: dict[str, Any]) -> str:
    return point["name"] if point["recall"] is None else f"{point['name']} ({point['recall']:.3f})"


def draw(axes: Axes, found: list[dict[str, Any]], title: str) -> None:
    """Median over resident memory, with a line up to the 99th percentile and one left to anonymous memory."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for p in found:
        colour = OURS if p["name"].startswith("bookwheel") else OTHERS
        axes.plot([p["anonymous"], p["x"]], [p["y"], p["y"]], color=colour, alpha=0.35, linewidth=1, zorder=1)
        axes.plot([p["x"], p["x"]], [p["y"], p["p99"]], color=colour, alpha=0.35, linewidth=1, zorder=1)
        axes.scatter(p["x"], p["y"], s=34, color=colour, zorder=3)
        axes.scatter(p["anonymous"], p["y"], s=16, facecolors="white", edgecolors=colour, linewidths=1, zorder=2)
    xs = [p["anonymous"] for p in found] + [p["x"] for p in found]
    axes.set_xlim(min(xs) / 1.5, max(xs) * 1.5)
    axes.set_ylim(min(p["y"] for p in found) / 1.7, max(p["p99"] for p in found) * 1.7)
    place(axes, found)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
        axis.set_minor_locator(LogLocator(10, subs=()))
    axes.grid(True, color="#e3e6e8", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_title(title, fontsize=10, loc="left")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def place(axes: Axes, found: list[dict[str, Any]]) -> None:
    """Names in a column at the right, spread so that none covers another, each with a line to its point."""
    figure = axes.figure
    figure.canvas.draw()
    ordered = sorted(found, key=lambda p: p["y"])
    heights = [axes.transAxes.inverted().transform(axes.transData.transform((p["x"], p["y"])))[1] for p in ordered]
    tall = axes.get_window_extent().height / figure.dpi
    step = LINE / tall
    at: list[float] = []
    for height in heights:
        at.append(max(height, at[-1] + step) if at else max(height, 0.01))
    over = at[-1] - 1.0
    if over > 0:  # push down from the top
        at[-1] = 1.0
        for i in range(len(at) - 2, -1, -1):
            at[i] = min(at[i], at[i + 1] - step)
    for p, height in zip(ordered, at, strict=True):
        colour = OURS if p["name"].startswith("bookwheel") else OTHERS
        axes.annotate(
            label(p), xy=(p["x"], p["y"]), xycoords="data", xytext=(1.05, height), textcoords="axes fraction", fontsize=7.5,
            color=colour, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 3, "relpos": (0, 0.5)},
        )  # fmt: skip


def picture(path: Path) -> None:
    result = json.loads(path.read_text())
    titles = list(dict.fromkeys(title for c in result["contenders"] for title in c.get("latency", {})))
    ks = sorted({int(k) for c in result["contenders"] for one in c.get("latency", {}).values() for k in one})
    cases = [(t, k) for t in titles[:1] for k in ks] + [(t, ks[0]) for t in titles[1:]]
    drawn = [(f"{t}, k={k}", found) for t, k in cases if (found := points(result, t, k))]
    if not drawn:
        return
    each = max(3.3, LINE * (max(len(found) for _, found in drawn) + 1))
    height = (each + 0.8) * len(drawn) + 0.1
    longest = max(len(label(p)) for _, found in drawn for p in found) * 0.062
    width = 6.8 + longest
    figure, grid = plt.subplots(len(drawn), 1, figsize=(width, height), squeeze=False)
    figure.subplots_adjust(left=0.7 / width, right=6.4 / width, hspace=0.8 / each, top=1 - 0.4 / height, bottom=0.5 / height)
    for axes, (title, found) in zip(grid[:, 0], drawn, strict=True):
        draw(axes, found, f"{result['items']:,} items, queries: {title}")
        axes.set_ylabel("median ms (line: to p99)", fontsize=8)
        axes.tick_params(labelsize=7.5)
    recalled = any(p["recall"] is not None for _, found in drawn for p in found)
    words = "memory while searching, MB: filled = resident, hollow = anonymous" + ("; in brackets: recall" if recalled else "")
    grid[-1, 0].set_xlabel(words, fontsize=8)
    figure.savefig(path.with_suffix(".png"), dpi=130)
    plt.close(figure)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        picture(Path(name))
