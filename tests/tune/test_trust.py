"""Whether made judgments may decide: told from their scores alone, with a reason where they may not."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import UsageError
from bookwheel.cli.main import main
from bookwheel.evaluate.agreement import kendall_tau
from bookwheel.tune.correlation import tau_ap
from bookwheel.tune.panel import PANEL, panel_of, panel_scores
from bookwheel.tune.trust import LEAST_TAU, trust


def scores(recipes: int, queries: int, spread: float, noise: float, seed: int = 0) -> np.ndarray:
    """Recipes of evenly spread quality, each query with noise of its own."""
    rng = np.random.default_rng(seed)
    return np.linspace(0.3, 0.3 + spread, recipes)[:, None] + noise * rng.standard_normal((recipes, queries))


def test_clear_differences_are_trusted_and_noise_is_refused() -> None:
    clear, noisy = trust(scores(25, 300, 0.3, 0.2)), trust(scores(25, 300, 0.0, 0.2))
    assert clear.reliable
    assert clear.refusal == ""
    assert clear.split_half > 0.7
    assert not noisy.reliable
    assert "cannot order these recipes" in noisy.refusal
    assert "\n" not in noisy.refusal
    assert noisy.to_dict()["reliable"] is False
    assert noisy.to_dict()["refusal"] == noisy.refusal


def test_nothing_is_expected_where_most_queries_have_better_answers() -> None:
    clear = scores(25, 300, 0.3, 0.2)
    told = trust(clear, rivals=0.5)
    assert math.isnan(told.tau)
    assert "for 50% of them" in told.refusal
    assert told.to_dict()["tau"] is None
    assert trust(clear, rivals=0.2).reliable


def test_more_queries_are_trusted_more() -> None:
    taus = [trust(scores(25, count, 0.1, 0.3)).tau for count in (60, 250, 1000)]
    assert taus == sorted(taus)
    assert taus[0] < LEAST_TAU < taus[-1]
    assert trust(scores(25, 1000, 0.1, 0.3)).detectable < trust(scores(25, 60, 0.1, 0.3)).detectable


def test_the_stepped_up_tau_is_that_of_two_sets_of_so_many_queries() -> None:
    found = [trust(scores(25, 200, 0.1, 0.3, seed)) for seed in range(20)]
    halves = np.mean([one.split_half for one in found])
    truth = [
        kendall_tau(scores(25, 100, 0.1, 0.3, seed).mean(axis=1), scores(25, 100, 0.1, 0.3, seed + 99).mean(axis=1))
        for seed in range(20)
    ]
    assert halves == pytest.approx(np.mean(truth), abs=0.06)


def test_ways_that_contradict_each_other_are_refused() -> None:
    one = scores(25, 150, 0.3, 0.2)
    other = scores(25, 150, 0.3, 0.2, 1)[::-1]
    ways = ["titles"] * 150 + ["sentences"] * 150
    told = trust(np.hstack([one, other]), ways)
    assert told.agreement is not None
    assert told.agreement < 0
    assert not told.reliable
    assert "of different ways -0." in told.refusal
    same = trust(np.hstack([one, scores(25, 150, 0.3, 0.2, 1)]), ways)
    assert same.reliable
    assert set(same.by_way) == {"titles", "sentences"}


def test_few_queries_or_recipes_decide_nothing() -> None:
    assert "10 made queries are too few" in trust(scores(25, 10, 0.5, 0.01)).refusal
    assert "1 made query is too few" in trust(scores(25, 1, 0.5, 0.01)).refusal
    assert "three recipes or more" in trust(scores(2, 100, 0.5, 0.01)).refusal
    assert not trust(np.zeros((25, 100))).reliable
    json.dumps(trust(np.zeros((25, 1))).to_dict(), allow_nan=False)
    with pytest.raises(UsageError, match="shape"):
        trust(np.zeros((25, 100)), ["titles"])


def test_tau_ap_is_that_of_the_paper() -> None:
    assert tau_ap([3, 2, 1], [30, 20, 10]) == 1
    assert tau_ap([1, 2, 3], [30, 20, 10]) == -1
    # One swap at the top of five costs more than one at the bottom: by hand, 2/4 (0 + 1 + 1 + 1) - 1 and 2/4 (1 + 1 + 1 + 3/4) - 1.
    assert tau_ap([5, 4, 3, 2, 1], [4, 5, 3, 2, 1]) == pytest.approx(0.5)
    assert tau_ap([5, 4, 3, 2, 1], [5, 4, 3, 1, 2]) == pytest.approx(0.875)
    assert math.isnan(tau_ap([1], [1]))
    with pytest.raises(UsageError):
        tau_ap([1, 2], [1])


def test_the_panel_runs_and_leaves_the_settings(prose: list[tuple[str, str]], tmp_path: Path) -> None:
    assert len({one.name for one in PANEL}) == len(PANEL) >= 20
    from bookwheel.tune.made import made_collection

    with bookwheel.open(tmp_path / "plain", create=True, encoder=None, k1=1.1) as library:
        assert 8 <= len(panel_of(library)) < len(PANEL)
        library.add([{"id": str(n), "text": text} for n, (_, text) in enumerate(prose[:60])], workers=1)
        made = made_collection(library, 12)
        found = panel_scores(library, made)
        assert library.settings.k1 == 1.1
        assert found.values.shape == (len(found.names), len(made.queries))
        by_hand = library.rank_documents([made.queries[found.queries[0]]], k=10, recipe="bm25")[0]
        (answer,) = made.made[found.queries[0]].documents
        rank = [name for name, _ in by_hand].index(answer) + 1 if answer in dict(by_hand) else None
        assert found.values[0, 0] == pytest.approx(0 if rank is None else 1 / math.log2(rank + 1))


def test_the_command_writes_a_folder_and_says_that_it_cannot_decide(
    prose: list[tuple[str, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with bookwheel.open(tmp_path / "l", create=True, encoder=None) as library:
        library.add([{"id": f"d{n}", "text": text} for n, (_, text) in enumerate(prose) if len(text) > 400][:30], workers=1)
    where = ["--library", str(tmp_path / "l")]
    assert main(["make-queries", str(tmp_path / "out"), "--count", "20", *where]) == 0
    shown = capsys.readouterr()
    assert "20 queries written to" in shown.out
    assert "too few to choose by" in shown.err
    assert json.loads((tmp_path / "out" / "made.json").read_text())["trust"]["reliable"] is False
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".made")] == []
    assert main(["make-queries", str(tmp_path / "out"), *where]) == 2
    assert "name a new folder" in capsys.readouterr().err
    assert main(["make-queries", str(tmp_path / "two"), "--way", "titels", "--json", *where]) == 2
    assert "there is no way 'titels'" in capsys.readouterr().err
