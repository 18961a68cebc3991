"""The command ``tune``, its picture, and what `bookwheel recipes` shows of a tuned recipe."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

import bookwheel
from bookwheel import UsageError
from bookwheel.cli.main import bookwheel as command
from bookwheel.evaluate import Collection
from bookwheel.tune.folds import Gain, bootstrap
from bookwheel.tune.limits import Limits
from bookwheel.tune.plot import frontier_svg, write_plot
from bookwheel.tune.plot_text import frontier_text
from bookwheel.tune.result import Point, Tuning


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(map(str, arguments)), catch_exceptions=True)
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


@pytest.fixture
def told() -> Tuning:
    own = Point("0.5*bm25 + 0.5*dense", 1.2, 0.75, 0.70, 3.0, 6.0, 130 << 20, 100 << 20, True)
    fast = Point("bm25", 1.2, 0.75, 0.65, 1.0, 2.0, 120 << 20, None, True)
    best = Point("0.3*bm25 + 0.7*dense >> neighbours()", 0.9, 0.75, 0.74, 6.0, 11.0, 130 << 20, 101 << 20, True)
    gain = Gain(0.03, 0.01, 0.05, 0.02, 100)
    limits = Limits(20.0, None)
    return Tuning("/tmp/papers", "nDCG@10", 100, "judgments & <tags>", limits, own, best, False, gain, points=[fast, own, best])


def test_a_folder_of_judgments_tunes_a_library(
    library: bookwheel.Library, planted: Collection, tmp_path: Path, quick: None
) -> None:
    folder = tmp_path / "judged"
    folder.mkdir()
    (folder / "queries.tsv").write_text("".join(f"{query}\t{text}\n" for query, text in planted.queries.items()))
    (folder / "qrels.txt").write_text("".join(f"{q} 0 {d} {g}\n" for q, one in planted.qrels.items() for d, g in one.items()))
    plot = tmp_path / "frontier.svg"
    code, out = run("tune", library.path, folder, "--minutes", "0.01", "--plot", plot, "--json", "--save", "mine")
    assert code == 0, out
    found = json.loads(out)
    assert found["queries"] == len(planted.queries)
    assert found["measure"] == "nDCG@10"
    assert plot.read_text().startswith("<svg")


def test_mistakes_are_told_before_anything_is_computed(library: bookwheel.Library) -> None:
    code, out = run("tune", library.path, "nowhere", "--plot", "frontier.png", "--latency", "soon", "--ram", "1MB")
    assert code != 0
    for part in ("ends in .svg", "latency must be a time above 0", "at least 256 MB"):
        assert part in out
    assert not (library.path / "tuning").exists()


def test_recipes_show_what_a_recipe_was_chosen_by(library: bookwheel.Library, told: Tuning) -> None:
    library.save_recipe("tuned", "0.3*bm25 + 0.7*dense", evidence={**told.evidence(), "date": "2026-11-29"})
    code, out = run("recipes", "--library", library.path)
    assert code == 0, out
    line = next(line for line in out.splitlines() if line.startswith("tuned"))
    assert "tuned 2026-11-29 by 100 queries of judgments & <tags>: nDCG@10 +0.0300 (+0.0100 to +0.0500)" in line
    assert line.endswith("with k1 0.9 and b 0.75")
    code, out = run("recipes", "--library", library.path, "--json")
    assert next(one for one in json.loads(out)["recipes"] if one["name"] == "tuned")["evidence"]["seed"] == 0
    assert bookwheel.open(library.path).check() == []


def test_the_report_says_what_to_type(told: Tuning) -> None:
    text = str(replace(told, saved="tuned"))
    assert "+0.0300 (95 % of +0.0100 to +0.0500)" in text
    assert "bookwheel configure --library /tmp/papers --k1 0.9 --b 0.75 --recipe tuned" in text
    assert str(replace(told, kept=True)).startswith("No gain: kept 0.5*bm25 + 0.5*dense")


def test_the_picture_is_sound_and_escapes_names(told: Tuning, tmp_path: Path) -> None:
    root = ElementTree.fromstring(frontier_svg(told))
    texts = [element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("judgments & <tags>" in text for text in texts)
    assert "limit 20 ms" in texts
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 3
    same = replace(told, points=[told.baseline], limits=Limits())
    ElementTree.fromstring(frontier_svg(same))
    with pytest.raises(UsageError, match=r"ends in \.svg"):
        write_plot(told, tmp_path / "a.pdf")


def test_the_report_draws_the_frontier_in_letters(told: Tuning) -> None:
    text = str(told).split("\n\n")[2]
    lines = text.splitlines()
    assert text.isascii()
    assert max(map(len, lines)) <= 80
    best, worst = lines[0], lines[9]
    assert best.startswith("0.740 |")
    assert worst.startswith("0.650 |")
    # 2, 6, 11 and 20 ms from left to right; the chosen one is the best, the fast one the worst.
    assert worst.index("*") < next(line for line in lines if "o" in line).index("o") < best.index("#") < best.index(":")
    assert lines[-1].endswith("# chosen, o own, * frontier, : limit 20 ms")
    assert [number for number in lines[11].split() if number != "ms"] == ["2", "5", "10", "20"]
    assert frontier_text([(1.0, 0.5, "o")], None, "P@10") == ""
    assert "o" in frontier_text([(1.0, 0.5, "o"), (2.0, 0.5, ".")], None, "P@10").splitlines()[5]


def test_an_interval_holds_as_often_as_it_says() -> None:
    import numpy as np

    draw = np.random.default_rng(3)
    hits = 0
    for seed in range(60):
        gain = bootstrap(draw.normal(0.1, 1.0, 80), seed)
        hits += gain.low <= 0.1 <= gain.high
    assert 50 <= hits <= 60
