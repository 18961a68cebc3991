"""Plots: what they show, where, and that nothing in them is alive."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.evaluate.plots import (
    STYLE,
    Box,
    Curve,
    Point,
    boxes,
    curves,
    frontier,
    heat_map,
    intervals,
    scatter,
    sorted_differences,
    standalone,
)

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "</title><script>alert(1)</script>\x00\x1b[31m\u202e<image href='http://evil.example/'/>\"' onload=x"
NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)


def parsed(svg: str) -> ElementTree.Element:
    """The plot as a strict parser reads it, which must be plain shapes and words with attributes of ours."""
    root = ElementTree.fromstring(svg)
    allowed = {"svg", "title", "text", "path", "circle", "rect"}
    for node in root.iter():
        assert node.tag.removeprefix(SVG) in allowed, node.tag
        assert not any(name.startswith("on") or "href" in name or name == "style" for name in node.attrib), node.attrib
        for name in ("x", "y", "cx", "cy", "width", "height"):
            assert math.isfinite(float(node.attrib.get(name, "0")))
        if "d" in node.attrib:
            assert re.fullmatch(r"[MLHVhZ\d .-]+", node.attrib["d"]), node.attrib["d"]
    return root


def words(svg: str) -> list[str]:
    return [(node.text or "") + "".join(child.tail or "" for child in node) for node in parsed(svg).iter(f"{SVG}text")]


def test_the_frontier_is_what_nothing_beats_in_both() -> None:
    points = [Point("a", 1, 0.4), Point("b", 2, 0.3), Point("c", 3, 0.5), Point("d", 3, 0.45), Point("e", 9, 0.5)]
    assert [point.name for point in frontier([*reversed(points), Point("nan", math.nan, 1.0)])] == ["a", "c"]
    assert frontier([]) == []


def test_each_point_of_a_scatter_has_its_name_or_a_number_and_a_line() -> None:
    long = "(bm25 % 1000 + dense % 1000) >> late(100) >> cross(20)"
    svg = scatter([Point("bm25", 1, 0.4, marked=True), Point(long, 200, 0.5)], x="ms", y="nDCG@10", title="t", logarithmic=True)
    assert {"bm25", "1", f"1  {long}"} <= set(words(svg))
    circles = list(parsed(svg).iter(f"{SVG}circle"))
    assert [circle.attrib["class"] for circle in circles] == ["b", "a"]
    assert float(circles[0].attrib["cx"]) < float(circles[1].attrib["cx"])
    assert float(circles[0].attrib["cy"]) > float(circles[1].attrib["cy"]), "more is higher"


def test_sorted_differences_count_what_they_show() -> None:
    svg = sorted_differences([0.5, -0.25, 0.0, math.nan, 0.1], y="difference", title="t")
    assert "2 better, 1 equal, 1 worse" in words(svg)
    up, down = (node.attrib["d"] for node in parsed(svg).iter(f"{SVG}path") if node.attrib["class"] in ("up", "down"))
    assert (up.count("M"), down.count("M")) == (2, 1)
    assert len(sorted_differences([0.1 * (n % 7 - 3) for n in range(100_000)], y="", title="")) < 40_000


def test_a_heat_map_has_a_cell_a_value() -> None:
    svg = heat_map(["1k", "4k"], ["0 %", "100 %"], [[1.0, 0.5], [0.0, None]], x="position", y="length", title="needles")
    cells = [(node.attrib["class"], node.attrib["fill-opacity"]) for node in parsed(svg).iter(f"{SVG}rect")]
    assert cells == [("cell", "1.00"), ("cell", "0.53"), ("cell", "0.06"), ("none", "0.06")]
    assert {"1", ".50", "0", "–"} <= set(words(svg))
    with pytest.raises(ValueError, match="2 rows and 1 columns"):
        heat_map(["a", "b"], ["c"], [[1.0]], x="", y="", title="")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=70), NUMBERS, NUMBERS, NUMBERS), max_size=9), st.booleans())
def test_any_names_and_numbers_are_drawn(rows: list[tuple[str, float, float, float]], logarithmic: bool) -> None:
    scatter([Point(n, a, b) for n, a, b, _ in rows], x="x", y="y", title="t", logarithmic=logarithmic)
    for svg in (
        scatter([Point(n, a, b) for n, a, b, _ in rows], x="x", y="y", title="t", logarithmic=logarithmic),
        intervals([Box(*row) for row in rows], x="x", title="t", margin=0.1),
        boxes([(n, list(row)) for n, *row in rows], x="x", title="t"),
        sorted_differences([row[1] for row in rows], y="y", title="t"),
        curves([Curve("c", [(b, c, d, c) for _, b, c, d in rows])] * 2, x="x", y="y", title="t", logarithmic=logarithmic),
        heat_map([n for n, *_ in rows], ["a", "b"], [[row[1], row[2]] for row in rows], x="x", y="y", title="t"),
    ):
        parsed(svg)


def test_hostile_names_are_words() -> None:
    drawn = [
        scatter([Point(HOSTILE, 1, 2), Point(HOSTILE[:9], 3, 4)], x=HOSTILE, y=HOSTILE, title=HOSTILE),
        intervals([Box(HOSTILE, 0, 1, 2)], x=HOSTILE, title=HOSTILE),
        boxes([(HOSTILE, [0.1])], x=HOSTILE, title=HOSTILE),
        sorted_differences([0.1], y=HOSTILE, title=HOSTILE),
        curves([Curve(HOSTILE, [(1, 1, 1, 1)])] * 2, x=HOSTILE, y=HOSTILE, title=HOSTILE),
        heat_map([HOSTILE], [HOSTILE], [[0.5]], x=HOSTILE, y=HOSTILE, title=HOSTILE, texts=[[HOSTILE]]),
    ]
    for svg in drawn:
        parsed(svg)
        assert "\x1b" not in svg
        assert "\u202e" not in svg


def test_a_plot_of_its_own_brings_its_style_and_asks_for_nothing() -> None:
    alone = standalone(boxes([("a", [0.1, 0.2])], x="x", title="t"))
    assert ElementTree.fromstring(alone).find(f"{SVG}style") is not None
    assert "url(" not in STYLE
    assert "@import" not in STYLE
