"""Missing judgments: coverage, condensed lists, bounds, and the order of rankings with fewer labels."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import UsageError
from bookwheel.evaluate import (
    Collection,
    coverage,
    evaluate_runs,
    experiment,
    format_labels,
    format_missing,
    measure,
    missing_judgments,
    order_with_fewer_labels,
    parse_measures,
)
from bookwheel.evaluate.measures.base import JudgedRanking
from bookwheel.evaluate.missing import bounds

Run = dict[str, list[tuple[str, float]]]


def run(**queries: str) -> Run:
    """A run of documents with one letter each."""
    return {query: [(letter, -float(at)) for at, letter in enumerate(letters)] for query, letters in queries.items()}


def made(queries: int = 40, judged: int = 6, seed: int = 5) -> tuple[dict[str, Run], dict[str, dict[str, int]]]:
    """Five systems of falling quality on made-up judgments, many relevant and irrelevant documents a query."""
    dice = np.random.default_rng(seed)
    qrels, runs = {}, {f"s{noise}": {} for noise in range(5)}
    for query in map(str, range(queries)):
        worth = dice.random(40)
        order = np.argsort(-worth)
        qrels[query] = {f"d{d}": int(at < judged) for at, d in enumerate(order[: 3 * judged])}
        for noise, ranking in enumerate(runs.values()):
            scores = worth + (0.1 + 0.06 * noise) * dice.standard_normal(40)
            ranking[query] = [(f"d{d}", float(scores[d])) for d in np.argsort(-scores)]
    return runs, qrels


# -- coverage and condensed lists


def test_coverage_by_hand() -> None:
    qrels = {"q": {"a": 1, "b": 0, "c": 0}, "r": {"a": 1, "z": 0}}
    found = coverage({"one": run(q="xab", r="ax"), "two": run(q="abc", r="xya")}, qrels, "P@2")
    assert found is not None
    assert found.judged == {"one": 0.5, "two": 0.5}
    assert found.values == {"one": 0.5, "two": 0.25}
    assert found.condensed == {"one": 0.5, "two": 0.5}
    assert (found.relevant, found.irrelevant, found.cutoff) == (2, 3, 2)
    assert math.isnan(found.tau), "both are the same on condensed lists"
    assert found.sentence() == "of the first 2 documents of each query 50 % are judged, and the others count as irrelevant"


def test_what_is_told_next_to_a_table() -> None:
    qrels = {"q": {"a": 1, "b": 0, "c": 0, "d": 0}}
    turned = coverage({"one": run(q="bxa"), "two": run(q="xyza")}, qrels, "RR")
    assert turned is not None
    assert turned.tau == -1
    assert turned.sentence() == (
        "of the first 100 documents of each query 25 % (two) to 67 % (one) are judged, and the others count as irrelevant; "
        "with these left out, the order by RR would be another (tau -1.00), with two first (1.0000)"
    )
    same = coverage({"one": run(q="xa"), "two": run(q="xba")}, qrels, "RR")
    assert same is not None
    assert same.sentence().endswith("; with these left out, the order by RR is the same")
    full = coverage({"one": run(q="ab")}, qrels, "RR")
    assert full is not None
    assert full.sentence() == "of the first 100 documents of each query all are judged"
    positive = coverage({"one": run(q="xa"), "two": run(q="ax")}, {"q": {"a": 1}}, "RR")
    assert positive is not None
    assert "would say little, since the judgments name no irrelevant documents beside 1 relevant" in positive.sentence()
    short = coverage({"one": run(q="xa"), "two": run(q="ax")}, qrels, "nDCG@10", depth=10)
    assert short is not None
    assert short.condensed == {}, "ten documents are too few to leave some out of"


def test_an_evaluation_tells_it_itself() -> None:
    runs, qrels = made(8)
    found = evaluate_runs(Collection("c", dict.fromkeys(qrels, "words"), qrels), runs, ["nDCG@10", "AP"])
    told = found.coverage()
    assert told is not None
    assert told.sentence() in str(found)
    assert told.sentence().replace(">", "&gt;") in found._repr_html_()
    assert [(m.name, m.measure) for m in found.missing()] == list(product(runs, ["nDCG@10", "AP"]))
    assert found.fewer_labels()[-1].tau == 1


def test_condensed_lists_and_bpref_are_those_of_ir_measures() -> None:
    ir_measures = pytest.importorskip("ir_measures", reason="ir-measures is the reference; it comes with the extra 'dev'")
    runs, qrels = made(20)
    names = ("nDCG@10", "AP", "P@5", "R@20", "RR")
    ours = missing_judgments(runs, qrels, names)
    for name, ranking in runs.items():
        scores = {query: dict(documents) for query, documents in ranking.items()}
        wanted = [
            ir_measures.parse_measure(f"{one.partition('@')[0]}(judged_only=True){''.join(one.partition('@')[1:])}")
            for one in names
        ]
        theirs = ir_measures.calc_aggregate([*wanted, ir_measures.Bpref, ir_measures.Judged @ 10], qrels, scores)
        mine = [one for one in ours if one.name == name]
        assert [one.condensed for one in mine] == pytest.approx([theirs[one] for one in wanted], abs=1e-6)
        assert mine[0].bpref == pytest.approx(theirs[ir_measures.Bpref], abs=1e-6)
        assert mine[0].judged == pytest.approx(theirs[ir_measures.Judged @ 10], abs=1e-6)


# -- bounds


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([None, 0, 1, 2]), min_size=1, max_size=9).filter(lambda grades: grades.count(None) <= 5),
    st.lists(st.integers(0, 2), max_size=3),
    st.sampled_from(["nDCG@5", "nDCG", "P@3", "R@4", "AP", "AP@4", "RR", "Success@2", "Rprec", "nDCG(dcg='exp-log2')@6"]),
)
def test_bounds_are_those_of_all_labels(grades: list[int | None], missed: list[int], name: str) -> None:
    (found,) = parse_measures([name])
    known = [grade for grade in grades if grade is not None] + missed
    ranking = JudgedRanking(np.array([np.nan if g is None else g for g in grades], float), np.array(known, float))
    places = [at for at, grade in enumerate(grades[: found.cutoff]) if grade is None]
    values = []
    for labels in product([0, 2], repeat=len(places)):
        there = ranking.grades.copy()
        there[places] = labels
        values.append(found.of(JudgedRanking(there, np.concatenate([ranking.judgments, [g for g in labels if g]]))))
    assert bounds(found, ranking, 2) == pytest.approx((min(values), max(values)))


def test_bounds_hold_the_value_and_are_narrow_where_all_is_judged() -> None:
    runs, qrels = made(10)
    for one in missing_judgments(runs, qrels, ("nDCG@10", "AP", "P@5", "Judged@5")):
        if one.measure == "Judged@5":
            assert (one.lowest, one.highest, one.condensed) == (None, None, None)
            continue
        assert one.lowest is not None
        assert one.highest is not None
        assert one.lowest - 1e-12 <= one.value <= one.highest + 1e-12
        assert one.lowest < one.highest or one.judged == 1
    everything = {
        query: {document: grades.get(document, 0) for document, _ in runs["s0"][query]} for query, grades in qrels.items()
    }
    for one in missing_judgments(runs, everything, ("nDCG@10", "AP")):
        assert one.judged == 1
        assert one.lowest == one.highest == pytest.approx(one.value)
        assert one.condensed == pytest.approx(one.value)


# -- fewer labels


def test_with_more_labels_the_order_comes_nearer_to_the_full_one() -> None:
    runs, qrels = made()
    steps = order_with_fewer_labels(runs, qrels, "nDCG@10", steps=(1, 3, 99), rounds=20)
    assert [step.labels for step in steps] == [1, 3, 6]
    assert steps[0].tau < steps[1].tau < steps[2].tau == 1
    assert steps[0].tau < 0.95
    assert steps[0].low < steps[0].tau < steps[0].high
    assert [step.used for step in steps] == [1, 3, 6]
    assert steps == order_with_fewer_labels(runs, qrels, "nDCG@10", steps=(3, 1, 1), rounds=20), "drawn with a seed"


def test_the_last_step_is_the_evaluation_itself() -> None:
    runs, qrels = made(9)
    qrels["none"] = {"d1": 0}
    (last,) = order_with_fewer_labels(runs, qrels, "AP(rel=1)", steps=())
    assert (last.tau, last.another_first) == (1.0, 0.0)
    assert "all" in format_labels([last], "AP")


def test_nothing_to_put_in_order() -> None:
    runs, qrels = made(3)
    assert order_with_fewer_labels({"s0": runs["s0"]}, qrels, "AP") == []
    assert order_with_fewer_labels({"a": runs["s0"], "b": runs["s0"]}, qrels, "AP") == []
    assert order_with_fewer_labels(runs, {"q": {"d1": 0}}, "AP") == []
    assert format_labels([], "AP") == ""
    assert "none of the measures is built in" in format_missing([])
    pytest.importorskip("ir_measures", reason="the measure is one of ir-measures")
    with pytest.raises(UsageError, match="SetP is measured by ir-measures"):
        order_with_fewer_labels(runs, qrels, "SetP")
    assert coverage(runs, qrels, "SetP") is None
    assert missing_judgments(runs, qrels, ("SetP",)) == []


@pytest.mark.slow
def test_cranfields_order_needs_more_than_one_label(judged) -> None:
    recipes = ["bm25", "dense", "bm25 + dense", "0.7*bm25 + 0.3*dense", "bm25 >> rm3 >> bm25", "bm25 >> mmr()"]
    found = experiment(judged / "cranfield", recipes, measures=["nDCG@10", "AP"])
    steps = {step.labels: step for step in found.fewer_labels()}
    assert steps[1].tau < 0.9 < steps[3].tau
    assert steps[1].another_first > 0.1
    missing = {one.name: one for one in found.missing() if one.measure == "nDCG@10"}
    assert measure(found.runs["bm25"], found.qrels, ["Bpref"]).means["Bpref"] == pytest.approx(missing["bm25"].bpref)
