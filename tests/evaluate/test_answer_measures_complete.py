"""Every measure that is shipped has been held against its definition; those of answers that no other test works out are here."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookwheel.evaluate import KINDS, measure
from bookwheel.evaluate.answers import Gold, answer_scores
from bookwheel.evaluate.answers.registry import MEASURES

HERE = Path(__file__).parent


def quoting(question: str, answer: str, quote: str) -> dict[str, object]:
    return {
        "question": question,
        "answer": answer,
        "claims": [{"text": answer, "status": "quoted", "quotes": [{"text": quote}]}],
    }


LOG = [
    # SQuAD: articles, case and punctuation do not count; 1 is exact, 2 contains it, 3 has it as part of a word only.
    quoting("1", "The Ramelli!", "drawn by Ramelli"),
    quoting("2", "It was Ramelli.", "in 1588"),
    {"question": "3", "claims": [], "answer": "Ramellis"},
    {"question": "4", "refused": True, "claims": [], "answer": ""},
    {"question": "5", "refused": True, "claims": [], "answer": ""},
    {"question": "6", "claims": [], "answer": "Somebody"},
]
GOLD = {**{str(n): Gold(("ramelli", "Agostino Ramelli")) for n in (1, 2, 3, 4)}, "5": Gold(()), "6": Gold(())}


def test_answers_of_squad_and_refusals_by_hand() -> None:
    found = answer_scores(LOG, GOLD).measures
    # Of 1 to 4, which have an answer: one is exact; two contain it; of one the quote has it; three are answered. 5 and 6 have none.
    by_hand = {"exact": 0.25, "contained": 0.5, "cited": 0.25, "answered": 0.75, "refused": 0.5}
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, abs=1e-6)
    # Of two refusals (4, 5) one was right; of two that were due (5, 6) one was given.
    assert (found["abstention_precision"], found["abstention_recall"]) == pytest.approx((0.5, 0.5), abs=1e-6)


def test_the_area_under_the_curve_by_hand() -> None:
    sure = [0.9, 0.8, 0.8, 0.3, 0.1]
    right = ["x", "x", "y", "x", "y"]
    log = [{"question": str(n), "answer": a, "probability": p} for n, (a, p) in enumerate(zip(right, sure, strict=True))]
    found = answer_scores(log, {str(n): Gold(("x",)) for n in range(5)}).measures
    # Pairs of a right and a wrong answer: .9 above .8 and .1, .8 level with .8 and above .1, .3 below .8 and above .1.
    assert found["auroc"] == pytest.approx((2 + 1.5 + 1) / 6, abs=1e-6)


def test_exponential_gains_by_hand() -> None:
    """2 to the grade, less one: Burges et al., 2005; 0.630930 is one over log2(3), 0.5 one over log2(4)."""
    run = {"q": [("a", 3.0), ("x", 2.0), ("b", 1.0)]}
    found = measure(run, {"q": {"a": 1, "b": 3, "c": 2}}, ["nDCG(dcg='exp-log2')@3", "nDCG@3"]).means
    assert found["nDCG(dcg='exp-log2')@3"] == pytest.approx((1 + 7 * 0.5) / (7 + 3 * 0.630930 + 1 * 0.5), abs=1e-6)
    assert found["nDCG@3"] == pytest.approx((1 + 3 * 0.5) / (3 + 2 * 0.630930 + 1 * 0.5), abs=1e-6)


def test_no_measure_is_without_such_a_test() -> None:
    texts = [(HERE / name).read_text(encoding="utf-8") for name in ("test_answer_measures.py", Path(__file__).name)]
    assert [name for name in MEASURES if not any(f'"{name}"' in text for text in texts)] == []
    rankings = (HERE / "test_evaluate_measures.py").read_text(encoding="utf-8")
    assert [kind.name for kind in KINDS if f'"{kind.name}' not in rankings] == []
