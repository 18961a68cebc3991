"""Evaluations of searches and runs; comparison and tables."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bookwheel import UsageError
from bookwheel.evaluate import (
    Collection,
    compare,
    evaluate,
    evaluate_runs,
    format_changes,
    format_comparisons,
    format_evaluation,
    format_table,
    measure,
)

QRELS = {"q1": {"a": 1, "b": 0, "c": 2}, "q2": {"x": 1}, "q3": {"z": 0}, "q4": {"y": 1}}
RUN = {"q1": [("a", 3.0), ("b", 2.0), ("c", 1.0)], "q2": [("k", 1.0), ("x", 0.5)], "q3": [("z", 1.0)], "q9": [("a", 1.0)]}


@pytest.fixture
def collection() -> Collection:
    queries = {f"q{n:02}": f"words {n}" for n in range(30)} | {"empty": "  ", "unjudged": "left out"}
    qrels = {query: {f"d{query}": 1} for query in queries if query != "unjudged"} | {"no text": {"d": 1}}
    return Collection("mini", queries, qrels)


def searching(right_at: int) -> tuple[list[int], object]:
    """A search that has the right document at that rank, and the depths that it was asked for."""
    asked: list[int] = []

    def search(queries: list[str], k: int) -> list[list[tuple[str, float]]]:
        asked.append(k)
        assert all(text.strip() for text in queries)
        rankings = []
        for text in queries:
            documents = [f"other{n}" for n in range(right_at - 1)] + [f"dq{int(text.split()[1]):02}"]
            rankings.append([(document, -float(n)) for n, document in enumerate(documents)])
        return rankings

    return asked, search


def test_evaluate_searches_measures_and_compares(collection: Collection) -> None:
    asked, good = searching(1)
    _, poor = searching(3)
    result = evaluate(collection, {"poor": poor, "good": good, "same": poor}, ["RR", "P@1"])  # type: ignore[dict-item]
    assert asked == [1000]
    assert result.measures == ("RR", "P@1")
    assert result.scores["good"].means["RR"] == pytest.approx(30 / 31)  # the query without text finds nothing
    assert result.scores["poor"].means["RR"] == pytest.approx(10 / 31)
    assert set(result.milliseconds) == {"poor", "good", "same"}
    by_pair = {(c.name, c.measure): c for c in result.comparisons}
    best = by_pair["good", "RR"]
    assert (best.wins, best.ties, best.losses) == (30, 1, 0)
    assert best.difference == pytest.approx(20 / 31)
    assert best.significant
    assert best.p_t <= best.p_t_holm
    assert not by_pair["same", "RR"].significant
    changes = result.changes("good", n=2)
    assert [(change.query, change.text, change.before, change.after) for change in changes] == [
        ("q00", "words 0", pytest.approx(1 / 3), 1.0),
        ("q01", "words 1", pytest.approx(1 / 3), 1.0),
    ]
    assert list(result.changes("same")) == []
    report = json.loads(json.dumps(result.to_dict(per_query=True), allow_nan=False))
    assert report["queries"] == 31
    assert report["queries_without_judgments"] == 1
    assert report["judged_queries_without_text"] == 1
    assert report["recipes"][1]["queries"]["q00"] == {"RR": 1.0, "P@1": 1.0}


def test_tables(collection: Collection) -> None:
    result = evaluate(collection, {"poor": searching(3)[1], "0.5*bm25": searching(1)[1]}, ["RR", "P@1"])  # type: ignore[dict-item]
    text = format_evaluation(result)
    assert text.startswith(
        "mini: 31 judged queries; 1 without judgments left out; 1 judged but not among the queries left out\n"
    )
    row = next(line for line in text.splitlines() if line.startswith("0.5*bm25"))
    assert row.split()[1:3] == ["0.9677+", "0.9677+"]
    assert "significantly better" in text
    assert "+0.6452" in format_comparisons(result)
    assert "30/1/0" in format_comparisons(result)
    assert format_changes(result, "0.5*bm25", n=1).splitlines()[1].endswith("+0.667  words 0")
    assert format_table(["a", "bb"], [["xyz", "1"], ["", "10"]]) == "a    bb\nxyz   1\n     10"


def test_runs_from_elsewhere(collection: Collection) -> None:
    result = evaluate_runs(collection, {"a": {}, "b": {"q00": [("dq00", 1.0)]}}, ["AP"])
    assert result.depth is None
    assert result.scores["b"].means["AP"] == pytest.approx(1 / 31)
    assert "ms/query" not in format_evaluation(result)


def test_wrong_arguments(collection: Collection) -> None:
    _, search = searching(1)
    with pytest.raises(UsageError, match="nothing to evaluate"):
        evaluate(collection, {})
    with pytest.raises(UsageError, match="nothing to evaluate"):
        evaluate_runs(collection, {})
    with pytest.raises(UsageError, match="depth is 0"):
        evaluate(collection, {"a": search}, depth=0)  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="'foo'"):
        evaluate(collection, {"a": lambda queries, k: pytest.fail("searched")}, ["foo"])
    scores = measure(RUN, QRELS, ["AP"])
    with pytest.raises(UsageError, match="there is no 'x' to compare with; there is 'a'"):
        compare({"a": scores}, "x")
    with pytest.raises(UsageError, match="different queries"):
        compare({"a": scores, "b": measure(RUN, {"q1": {"a": 1}}, ["AP"])})
    assert compare({}) == []


def test_bm25s_reaches_its_known_figure_on_scifact(judged: Path) -> None:
    """Documents, queries, judgments and measures together: nDCG@10 0.6863 is what bm25s reaches on
    SciFact.
    """
    bm25s, stemmer = pytest.importorskip("bm25s"), pytest.importorskip("Stemmer")
    from bookwheel.evaluate import load_collection

    collection = load_collection(judged / "scifact")
    assert len(collection.judged) == 300
    documents = list(collection.documents())
    assert len(documents) == 5183
    ids = np.array([document.id for document in documents])
    stem = stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> object:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stem, show_progress=False)

    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    index.index(tokens([f"{document.title} {document.text}" for document in documents]), show_progress=False)

    def search(queries: list[str], k: int) -> list[list[tuple[str, float]]]:
        found, scores = index.retrieve(tokens(queries), k=k, show_progress=False)
        return [list(zip(ids[row].tolist(), score.tolist(), strict=True)) for row, score in zip(found, scores, strict=True)]

    result = evaluate(collection, {"bm25s": search}, ["nDCG@10"])
    assert result.scores["bm25s"].means["nDCG@10"] == pytest.approx(0.6863, abs=0.0015)
