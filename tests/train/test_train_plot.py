"""The picture of a training: its lines, what it escapes, and what is refused before any work."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from bookwheel._errors import UsageError
from bookwheel.train.plot import WINDOWS, require_svg, training_svg, write_plot


def run(losses: list[float], rates: list[float] | None = None, base: str = "minilm") -> SimpleNamespace:
    return SimpleNamespace(base=base, losses=losses, rates=[3e-5] * len(losses) if rates is None else rates)


def points(svg: str, kind: str) -> list[tuple[float, float]]:
    found = re.search(rf'<path class="{kind}" d="M([^"]*)"', svg)
    assert found, kind
    pairs = [pair.split() for pair in found[1].rstrip("Z").split("L")]
    return [(float(x), float(y)) for x, y in pairs]


def test_a_loss_that_falls_and_a_rate_that_rises_and_falls_are_drawn_so() -> None:
    svg = training_svg(run([1 / (1 + step) for step in range(50)], [1e-4 * min(step + 1, 50 - step) for step in range(50)]))
    loss, rate = points(svg, "line"), points(svg, "line2")
    assert len(loss) == len(rate) == 50
    assert [y for _, y in loss] == sorted(y for _, y in loss)  # downward on the page
    assert rate[0][1] > rate[25][1] < rate[-1][1]
    assert loss[0][0] == rate[0][0]
    assert loss[-1][0] == rate[-1][0]
    assert max(y for _, y in loss) < min(y for _, y in rate)  # one below the other


def test_many_steps_are_drawn_by_windows_with_a_band_around_their_mean() -> None:
    svg = training_svg(run([step % 2 for step in range(10_000)]))
    assert len(points(svg, "line")) == WINDOWS
    heights = {y for _, y in points(svg, "band")}
    middle = points(svg, "line")[0][1]
    assert min(heights) < middle < max(heights)
    assert len(training_svg(run([1.0] * 200_000)).split("line2")[0]) < 40_000


@pytest.mark.parametrize("losses", [[], [0.5], [float("nan")], [0.5, float("inf"), 0.25], [0.0, 0.0], [1e30, -1e30]])
def test_whatever_the_losses_it_is_a_picture(losses: list[float]) -> None:
    svg = training_svg(run(losses))
    ElementTree.fromstring(svg)
    assert not re.search(r'[" ]-?(nan|inf)', svg)


def test_a_name_is_text_and_nothing_else() -> None:
    svg = training_svg(run([1.0, 0.5], base='<script>alert("x")</script>'))
    root = ElementTree.fromstring(svg)
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    assert "&lt;script&gt;" in svg


def test_what_cannot_be_written_is_told_before_training(tmp_path: Path) -> None:
    require_svg(None)
    with pytest.raises(UsageError, match=r"ends in \.svg, not 'loss\.png'"):
        require_svg(tmp_path / "loss.png")
    with pytest.raises(UsageError, match="there is no folder"):
        require_svg(tmp_path / "nowhere" / "loss.svg")
    write_plot(run([1.0, 0.5]), tmp_path / "loss.SVG")
    assert (tmp_path / "loss.SVG").read_text().startswith("<svg")
