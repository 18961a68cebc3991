"""The worth of sources: Shapley values against brute force, poisoned sources, and the command."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from bookwheel import UsageError
from bookwheel.cli.main import main
from bookwheel.evaluate import format_worth, measure, worth_of_sources
from bookwheel.evaluate.worth import EXACT, exact, sampled

Run = dict[str, list[tuple[str, float]]]


def ndcg(run: Run, qrels: dict[str, dict[str, int]], query: str, withheld: set[str], source: dict[str, str]) -> float:
    left = [pair for pair in run[query] if source[pair[0]] not in withheld]
    return float(measure({query: left}, {query: qrels[query]}, ["nDCG@10"]).values[0, 0])


def collection(
    sources: int, queries: int, seed: int, poisoned: int = 0
) -> tuple[Run, dict[str, dict[str, int]], dict[str, str]]:
    """Ranked documents of several sources, of which the ``poisoned`` first rank high and are never relevant."""
    dice = np.random.default_rng(seed)
    run: Run = {}
    qrels: dict[str, dict[str, int]] = {}
    source: dict[str, str] = {}
    for q in range(queries):
        scored = []
        for number in range(30):
            name, owner = f"q{q}d{number}", int(dice.integers(sources))
            source[name] = f"s{owner}"
            bad = owner < poisoned
            grade = 0 if bad else int(dice.integers(3)) * int(dice.random() < 0.3)
            if grade:
                qrels.setdefault(f"q{q}", {})[name] = grade
            scored.append((name, float(dice.normal() + (1.0 if bad else 0.7 * grade))))
        run[f"q{q}"] = sorted(scored, key=lambda pair: -pair[1])
    return run, qrels, source


def test_worths_are_shapley_values_by_brute_force_over_orders() -> None:
    run, qrels, source = collection(4, 5, 1)
    names = sorted(set(source.values()))
    expected = dict.fromkeys(names, 0.0)
    for query in qrels:
        for order in permutations(names):
            withheld = set(names)
            before = ndcg(run, qrels, query, withheld, source)
            for name in order:
                withheld.remove(name)
                after = ndcg(run, qrels, query, withheld, source)
                expected[name] += (after - before) / math.factorial(4) / len(qrels)
                before = after
    found = worth_of_sources(run, qrels, source)
    assert {one.source: one.worth for one in found} == pytest.approx(expected, abs=1e-12)
    total = float(np.mean(measure(run, qrels, ["nDCG@10"]).values[0]))
    assert sum(one.worth for one in found) == pytest.approx(total, abs=1e-12)
    assert [one.worth for one in found] == sorted(one.worth for one in found)


def test_twelve_sources_are_exact_and_more_are_sampled_within_their_error() -> None:
    dice = np.random.default_rng(2)
    weights, pairs = dice.normal(size=EXACT), dice.normal(size=(EXACT, EXACT))

    def utility(present: np.ndarray) -> float:
        return float(weights @ present + present @ pairs @ present)

    # Of such a game the values are known: a pair's worth is shared evenly.
    known = weights + np.diag(pairs) + (pairs + pairs.T - 2 * np.diag(np.diag(pairs))).sum(axis=1) / 2
    shares, variances = exact(utility, EXACT)
    assert shares == pytest.approx(known, abs=1e-9)
    assert not variances.any()

    def curved(present: np.ndarray) -> float:
        return math.tanh(0.3 * utility(present))

    drawn, spread = sampled(curved, EXACT, 400, dice)
    true, _ = exact(curved, EXACT)
    assert drawn.sum() == pytest.approx(true.sum(), abs=1e-9)  # efficient, whatever is drawn
    assert (np.abs(drawn - true) < 4 * np.sqrt(spread) + 1e-9).all()


@pytest.mark.parametrize("sources", [10, 40])
def test_poisoned_sources_are_found(sources: int) -> None:
    run, qrels, source = collection(sources, 40, 3, poisoned=sources // 5)
    found = worth_of_sources(run, qrels, source, orders=40)
    bad = {f"s{number}" for number in range(sources // 5)}
    worths = {one.source: one.worth for one in found}
    auc = np.mean([worths[one] < worths[other] for one in bad for other in worths.keys() - bad])
    assert auc > 0.95
    assert {one.source for one in found if one.harmful} <= bad
    assert "worse than nothing" in format_worth(found)


def test_documents_without_a_source_are_always_there() -> None:
    run: Run = {"q": [("a", 2.0), ("b", 1.0)]}
    found = worth_of_sources(run, {"q": {"a": 1, "b": 1}}, {"b": "s"}.get)
    second = 1 / math.log2(3)
    assert [(one.source, one.documents) for one in found] == [("s", 1)]
    assert found[0].worth == pytest.approx(second / (1 + second))
    assert (found[0].low, found[0].high) == (-math.inf, math.inf)  # one query says nothing of others


def test_what_cannot_be_weighed() -> None:
    with pytest.raises(UsageError, match="no source can be weighed"):
        worth_of_sources({"q": [("a", 1.0)]}, {"q": {"a": 0}}, {"a": "s"})
    with pytest.raises(UsageError, match="k must be"):
        worth_of_sources({}, {}, {}, k=0)


def test_the_command_shows_the_worth_of_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "qrels").mkdir()
    texts = [
        "green apples and pears",
        "an apple a day",
        "the history of rail",
        "rail and road",
        "apple apple apple spam",
        "rail rail spam",
    ]
    records = [
        {"_id": f"d{n}", "text": text, "site": "spam.example" if "spam" in text else "good.example"}
        for n, text in enumerate(texts)
    ]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (tmp_path / "queries.jsonl").write_text('{"_id": "1", "text": "apple"}\n{"_id": "2", "text": "rail"}\n')
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\td0\t1\n1\td1\t1\n2\td2\t1\n2\td3\t1\n")
    given = ["evaluate", str(tmp_path), "--recipe", "bm25", "--encoder", "none", "--worth", "site"]
    assert main([*given, "--json"]) == 0
    worth = json.loads(capsys.readouterr().out)["worth"]
    assert [one["source"] for one in worth] == ["spam.example", "good.example"]
    assert worth[0]["worth"] < 0 < worth[1]["worth"]
    assert main(given) == 0
    assert "spam.example" in capsys.readouterr().out
    assert main([*given[:-1], "nowhere"]) == 2
    assert "no document of" in capsys.readouterr().err
