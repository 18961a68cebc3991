"""Measures by hand, against trec_eval and ir-measures, and their notation."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import UsageError
from bookwheel.evaluate import KINDS, depth_of, measure, parse_measures

QRELS = {"q1": {"a": 1, "b": 0, "c": 2}, "q2": {"x": 1}, "q3": {"z": 0}, "q4": {"y": 1}}
RUN = {"q1": [("a", 3.0), ("b", 2.0), ("c", 1.0)], "q2": [("k", 1.0), ("x", 0.5)], "q3": [("z", 1.0)], "q9": [("a", 1.0)]}


def value(name: str, ranking: str, grades: Mapping[str, int]) -> float:
    """A measure of the documents ``ranking``, a letter each."""
    return measure({"q": [(letter, 0.0) for letter in ranking]}, {"q": dict(grades)}, [name]).means[name]


def test_measures_by_hand() -> None:
    scores = measure(RUN, QRELS, ["nDCG@10", "AP", "RR", "P@5", "R@100", "Success@1"])
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    ndcg = {"q1": (1 + 2 / math.log2(4)) / ideal, "q2": 1 / math.log2(3), "q3": 0.0, "q4": 0.0}
    assert scores.of("nDCG@10") == pytest.approx(ndcg)
    assert scores.of("AP") == pytest.approx({"q1": (1 + 2 / 3) / 2, "q2": 0.5, "q3": 0, "q4": 0})
    assert scores.of("RR") == pytest.approx({"q1": 1, "q2": 0.5, "q3": 0, "q4": 0})
    assert scores.of("P@5") == pytest.approx({"q1": 0.4, "q2": 0.2, "q3": 0, "q4": 0})
    assert scores.of("R@100") == pytest.approx({"q1": 1, "q2": 1, "q3": 0, "q4": 0})
    assert scores.means["nDCG@10"] == pytest.approx(sum(ndcg.values()) / 4)
    assert scores.means["Success@1"] == 0.25


@pytest.mark.parametrize(
    ("name", "ranking", "grades", "expected"),
    [
        ("nDCG", "xab", {"a": 1, "b": 2}, (1 / math.log2(3) + 2 / 2) / (2 + 1 / math.log2(3))),
        ("nDCG@1", "ab", {"a": 1, "b": 2}, 1 / 2),
        ("nDCG(dcg='exp-log2')@1", "ab", {"a": 1, "b": 2}, 1 / 3),
        ("nDCG(dcg='exp-log2')@1", "a", {"a": 1_000_000}, 1.0),
        ("nDCG(dcg='exp-log2')@2", "ab", {"a": 1_999, "b": 2_000}, (1 / 2 + 1 / math.log2(3)) / (1 + 1 / 2 / math.log2(3))),
        ("nDCG(judged_only=True)@1", "xa", {"a": 1}, 1.0),
        ("P@4", "a", {"a": 1}, 1 / 4),
        ("P(rel=2)@2", "ab", {"a": 1, "b": 2}, 1 / 2),
        ("R(rel=2)@1", "ab", {"a": 1, "b": 2}, 0.0),
        ("AP(rel=2)@2", "xbc", {"a": 1, "b": 2, "c": 3}, (1 / 2) / 2),
        ("RR@2", "xya", {"a": 1}, 0.0),
        ("RR(judged_only=True)", "xya", {"a": 1}, 1.0),
        ("Success@2", "xa", {"a": 1}, 1.0),
        ("Rprec", "axb", {"a": 1, "b": 1}, 1 / 2),
        ("Judged@4", "abx", {"a": 1, "b": 0}, 2 / 3),
        ("Judged", "xaby", {"a": 1, "b": -1}, 2 / 4),
        ("Bpref", "na", {"a": 1, "b": 1, "n": 0, "m": 0}, (1 - 1 / 2) / 2),
        ("Bpref", "xyza", {"a": 1}, 1.0),
        ("infAP", "na", {"a": 1, "n": 0}, 1 / 2 * (1 + 1e-5 / (1 + 2e-5))),
        ("infAP", "xa", {"a": 1, "n": 0}, 1 / 2),
    ],
)
def test_one_ranking_by_hand(name: str, ranking: str, grades: dict[str, int], expected: float) -> None:
    assert value(name, ranking, grades) == pytest.approx(expected)


def test_queries_without_relevant_documents_score_nothing() -> None:
    for kind in KINDS:
        name = f"{kind.name}@3" if any(parameter.required for parameter in kind.parameters) else kind.name
        if kind.name != "Judged":
            assert value(name, "abc", {"a": 0, "b": -1}) == 0.0
        assert value(name, "", {"a": 1}) == 0.0


# -- against the public tools
# ------------------------------------------------------------------------------------------------

DOCUMENTS = [*"abcdefgh", "d10", "d9", "é", "𝒳"]
QUERIES = ["q1", "q2", "q3", "q4"]
# Few scores, so that many are equal; queries and documents of one side are missing on the other.
RUNS = st.dictionaries(
    st.sampled_from(QUERIES),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.sampled_from([-1.5, 0.0, 1.0, 2.25, 3.0]), min_size=1),
    min_size=1,
)
# trec_eval reads memory that is not its own where a query has no grade of 0 or more.
GRADES = st.dictionaries(
    st.sampled_from([*QUERIES, "q5"]),
    st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(-2, 3), min_size=1).filter(
        lambda grades: max(grades.values()) >= 0
    ),
    min_size=1,
)
TREC_EVAL = {
    **{f"nDCG@{k}": f"ndcg_cut_{k}" for k in (1, 3, 10)},
    **{f"P@{k}": f"P_{k}" for k in (1, 3, 20)},
    **{f"R@{k}": f"recall_{k}" for k in (1, 3, 20)},
    **{f"AP@{k}": f"map_cut_{k}" for k in (1, 3, 20)},
    **{f"Success@{k}": f"success_{k}" for k in (1, 3)},
    "nDCG": "ndcg",
    "AP": "map",
    "RR": "recip_rank",
    "Rprec": "Rprec",
    "Bpref": "bpref",
    "infAP": "infAP",
}
WITHOUT_REL = ("nDCG",)
WITHOUT_JUDGED_ONLY = ("Bpref", "infAP")


@settings(max_examples=150, deadline=None)
@given(RUNS, GRADES, st.integers(1, 2), st.booleans())
def test_every_measure_agrees_with_trec_eval(
    run: dict[str, dict[str, float]], grades: dict[str, dict[str, int]], rel: int, judged_only: bool
) -> None:
    pytrec_eval = pytest.importorskip("pytrec_eval", reason="trec_eval is the reference; it comes with the extra 'dev'")
    if any(max(of_query.values()) < rel for of_query in grades.values()):
        rel = 1
    theirs = pytrec_eval.RelevanceEvaluator(grades, set(TREC_EVAL.values()), rel, judged_only).evaluate(run)
    for name, column in TREC_EVAL.items():
        kind, at, cutoff = name.partition("@")
        options = [] if kind in WITHOUT_REL else [f"rel={rel}"]
        if judged_only and kind in WITHOUT_JUDGED_ONLY:
            continue
        options += ["judged_only=True"] if judged_only else []
        ours = measure(run, grades, [f"{kind}({','.join(options)}){at}{cutoff}"])
        expected = {query: theirs.get(query, {}).get(column, 0.0) for query in grades}
        (written,) = ours.measures
        assert ours.of(written) == pytest.approx(expected, rel=1e-9, abs=1e-12), written
        assert ours.means[written] == pytest.approx(sum(expected.values()) / len(expected))


IR_MEASURES = [
    *("nDCG@10", "nDCG", "P@3", "P(rel=2)@3", "R@3", "AP", "AP@3", "AP(rel=2)@3", "RR", "RR(rel=2)", "RR@2", "RR(rel=2)@2"),
    *("Success@1", "Success(rel=2)@3", "Rprec", "Rprec(rel=2)", "Judged@3", "Judged", "Bpref", "Bpref(rel=2)", "infAP"),
    *("P(judged_only=True)@2", "nDCG(judged_only=True)@3", "AP(rel=2,judged_only=True)"),
]


@settings(max_examples=60, deadline=None)
@given(RUNS, GRADES)
def test_every_measure_agrees_with_ir_measures(run: dict[str, dict[str, float]], grades: dict[str, dict[str, int]]) -> None:
    ir_measures = pytest.importorskip("ir_measures", reason="ir-measures is the reference; it comes with the extra 'dev'")
    if any(max(of_query.values()) < 1 for of_query in grades.values()):
        grades = {query: {**of_query, "sure": 2} for query, of_query in grades.items()}
    # Its parts break ties in two ways, so the ranking is given with scores that all differ.
    ranked = {query: sorted(scores, key=lambda document: (-scores[document], document)) for query, scores in run.items()}
    plain = {query: {document: float(-at) for at, document in enumerate(ranking)} for query, ranking in ranked.items()}
    ours = measure({query: list(scores.items()) for query, scores in plain.items()}, grades, IR_MEASURES)
    parsed = [ir_measures.parse_measure(name) for name in IR_MEASURES]
    theirs = ir_measures.calc_aggregate(parsed, grades, plain)
    assert ours.means == pytest.approx({str(name): theirs[name] for name in parsed})
    assert ours.measures == tuple(map(str, parsed)), "the notation is theirs too"


# -- orders
# ------------------------------------------------------------------------------------------------------------------


def test_scores_without_an_order_are_sorted_as_trec_eval_does() -> None:
    judged = {"q": {"b": 1}}
    assert measure({"q": {"a": 1.0, "b": 1.0, "c": 0.5}}, judged, ["RR"]).means == {"RR": 1.0}
    assert measure({"q": {"c": 1.0, "b": 1.0, "a": 2.0}}, judged, ["RR"]).means == {"RR": 1 / 3}


def test_the_order_of_a_list_counts_not_its_scores_and_any_id_will_do() -> None:
    odd = {"q 1\n": {"a file.txt": 1, "b\x00": 0}}
    for tied in (0.0, 1.0):
        first = measure({"q 1\n": [("a file.txt", 1.0), ("b\x00", tied)]}, odd, ["RR", "nDCG@10"])
        second = measure({"q 1\n": [("b\x00", 1.0), ("a file.txt", tied), ("b\x00", 0.0)]}, odd, ["RR"])
        assert first.means == {"RR": 1.0, "nDCG@10": 1.0}
        assert second.of("RR") == {"q 1\n": 0.5}


def test_an_empty_run_scores_nothing() -> None:
    scores = measure({}, QRELS, ["nDCG@10", "P@5"])
    assert scores.means == {"nDCG@10": 0.0, "P@5": 0.0}
    assert scores.queries == ("q1", "q2", "q3", "q4")


# -- notation
# ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "canonical"),
    [
        (["MRR", "RR", "P(rel=2)@5"], ["RR", "P(rel=2)@5"]),
        (["nDCG(cutoff=10)", "NDCG@10", " nDCG@10 "], ["nDCG@10"]),
        (
            ["AP(judged_only=True, rel=2)@7", "MAP(rel=1)", "RPrec", "BPref"],
            ["AP(rel=2,judged_only=True)@7", "AP", "Rprec", "Bpref"],
        ),
        (["nDCG(dcg='log2',judged_only=False)"], ["nDCG"]),
    ],
)
def test_a_measure_has_one_canonical_name(names: list[str], canonical: list[str]) -> None:
    assert [str(found) for found in parse_measures(names)] == canonical
    assert [str(found) for found in parse_measures(canonical)] == canonical


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = [
        "foo",
        "nDCG@x",
        "",
        "map",
        "P",
        "P(rel=-1)@0",
        "R(rell=2)@5",
        "nDCG(dcg='ln')@3",
        "AP(judged_only=1)",
        "P(2)@3",
        "a b",
    ]
    with pytest.raises(UsageError) as caught:
        parse_measures(["nDCG@10", *wrong])
    message = str(caught.value)
    for part in (
        "a measure 'foo', 'map'; did you mean MAP?",
        "'R(rell=2)@5': R has no parameter rell; it has rel, judged_only, cutoff",
        "'nDCG@x': cutoff must be a whole number from 1 to 1,000,000,000, not 'x'",
        "'' is not a measure; write one as in nDCG@10",
        "'P': P needs a cutoff, as in P@10",
        "'P(rel=-1)@0': rel must be a whole number from 0",
        "'P(rel=-1)@0': cutoff must be a whole number from 1",
        "dcg must be 'log2' or 'exp-log2', not 'ln'",
        "judged_only must be True or False, not 1",
        "'P(2)@3' is not a measure",
        "'a b' is not a measure",
    ):
        assert part in message
    assert "'nDCG@10'" not in message
    assert "\n" not in message
    with pytest.raises(UsageError, match="no measure is given; the usual ones are nDCG@10 R@100 AP RR"):
        parse_measures([])


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_measure_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        parse_measures([text])


def test_nested_text_is_refused() -> None:
    for text in ("(" * 50_000, "-" * 190 + "1", "P@" + "9" * 10_000, "P(rel=" + "[" * 100 + "]" * 100 + ")@1"):
        with pytest.raises(UsageError):
            parse_measures([text])


def test_other_measures_come_from_ir_measures() -> None:
    ir_measures = pytest.importorskip(
        "ir_measures", reason="it is what is tested; it comes with the extras 'evaluate' and 'dev'"
    )
    names = ["SetP", "nDCG@10", "NumRet", "nDCG(gains={0: 0, 1: 3})@2", ir_measures.IPrec @ 0.5]
    scores = measure(RUN, QRELS, names)
    assert scores.means["SetP"] == pytest.approx((2 / 3 + 1 / 2) / 4)
    assert scores.of("SetP")["q2"] == 0.5
    assert scores.means["NumRet"] == 6, "counts are summed"
    assert scores.measures == ("SetP", "nDCG@10", "NumRet", "nDCG(gains={1:3})@2", "IPrec@0.5")
    assert measure({}, QRELS, ["SetP"]).means == {"SetP": 0.0}
    with pytest.raises(UsageError, match="could not compute alpha_nDCG@10"):
        measure(RUN, QRELS, ["alpha_nDCG@10"])


def test_without_ir_measures_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(UsageError) as caught:
        parse_measures(["SetP", "ERR@20", "nDCG(gains={0: 0, 1: 3})@2"])
    message = str(caught.value)
    assert (
        "no built-in measure is called 'SetP', 'ERR@20'; there is nDCG, P, R, AP, RR, Success, Rprec, Judged, Bpref, infAP"
        in message
    )
    assert "nDCG has no parameter gains; it has dcg, judged_only, cutoff" in message
    assert message.count("pip install 'bookwheel[evaluate]'") == 2
    assert measure(RUN, QRELS).means["nDCG@10"] > 0


def test_depth_follows_the_measures() -> None:
    assert depth_of(["nDCG@10", "P@5"]) == 10
    assert depth_of(["nDCG@10", "R@100"]) == 100
    assert depth_of(["nDCG@10", "AP"]) == 1000
