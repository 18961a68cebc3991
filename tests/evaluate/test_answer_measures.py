"""Measures of answers against cases worked out by hand from the papers' definitions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bookwheel._errors import InputError, ModelError
from bookwheel.evaluate.answers import (
    MEASURES,
    CrossEntailment,
    Words,
    WrittenEntailment,
    answer_scores,
    brier,
    calibration_error,
    citation_scores,
    contains,
    entailment,
    exact,
    f1,
    judged,
    read_answers,
    read_gold,
    words,
)
from bookwheel.evaluate.answers.calibration import area


class Table:
    """Says that a hypothesis follows from the premises that a table has: sets of passages by what they are called."""

    name = "table"

    def __init__(self, follows: dict[str, list[str]]) -> None:
        self.follows = follows

    def entails(self, pairs):
        return ["".join(premise.split("\n")) in self.follows[hypothesis.rstrip(".")] for premise, hypothesis in pairs]


def scored(tmp_path: Path, log: list[dict], gold: list[dict], entailment=None):
    for name, lines in (("log", log), ("gold", gold)):
        (tmp_path / name).write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return answer_scores(read_answers(tmp_path / "log"), read_gold(tmp_path / "gold"), entailment=entailment)


# -- ALCE ------------------------------------------------------------------------------------------------------------

ALCE = [
    # Sentence, table of what it follows from, numbers of citations; then by hand (supported, citations that count, needed).
    ("One cited and enough", "Sentence s1", "[1]", ["A"], (1, 1, 1)),
    ("One cited and not enough", "Sentence s2", "[2]", ["A"], (0, 1, 0)),
    ("None cited", "Sentence s3", "", ["A"], (0, 0, 0)),
    ("Two, the second of no use", "Sentence s4", "[1][2]", ["AB", "A"], (1, 2, 1)),
    ("Two that only together are enough", "Sentence s5", "[1][2]", ["AB"], (1, 2, 2)),
    ("Two, each enough", "Sentence s6", "[1][2]", ["AB", "A", "B"], (1, 2, 2)),
    ("Three that together are not enough, though two are", "Sentence s7", "[1][2][3]", ["AB"], (0, 3, 0)),
    ("Four, of which three count", "Sentence s8", "[1][2][3][4]", ["ABC", "AB"], (1, 3, 2)),
    ("One that there is not", "Sentence s9", "[1][9]", ["A"], (0, 0, 0)),
    ("The same twice", "Sentence s10", "[1][1]", ["AA", "A"], (1, 2, 2)),
]
DOCUMENTS = ["A", "B", "C", "D"]


@pytest.mark.parametrize(("said", "name", "marks", "follows", "by_hand"), ALCE, ids=[case[0] for case in ALCE])
def test_citations_of_a_sentence_as_alce_counts_them(said, name, marks, follows, by_hand) -> None:
    record = {"question": "q", "output": f"{name} {marks}.", "docs": DOCUMENTS}
    recall, precision = citation_scores(judged(record, read_one({"answers": ["x"]}), Table({name: follows})))
    supported, counted, needed = by_hand
    assert recall == supported
    assert precision == pytest.approx(needed / counted if counted else 0.0, abs=1e-6)


def read_one(line: dict):
    from bookwheel.evaluate.answers.gold import _gold

    return _gold(line)


def test_citations_of_answers_as_alce_means_them(tmp_path: Path) -> None:
    """Recall and precision of each answer, then the mean over answers: 0.6 and 13/18 by hand for all ten sentences at once."""
    every = " ".join(f"{name} {marks}." for _, name, marks, _, _ in ALCE)
    table = Table({name: follows for _, name, _, follows, _ in ALCE})
    log = [
        {"id": "1", "question": "a", "output": every, "docs": DOCUMENTS},
        {"id": "2", "question": "b", "output": "Sentence s1 [1]. Sentence s2 [2].", "docs": DOCUMENTS},
        {"id": "3", "question": "c", "output": "", "docs": DOCUMENTS},
    ]
    found = scored(tmp_path, log, [{"id": key, "answers": ["x"]} for key in "123"], table)
    counted = sum(hand[1] for *_, hand in ALCE)
    needed = sum(hand[2] for *_, hand in ALCE)
    assert (counted, needed) == (16, 10)
    assert found.measures["citation_recall"] == pytest.approx((0.6 + 0.5) / 2, abs=1e-6)
    assert found.measures["citation_precision"] == pytest.approx((10 / 16 + 0.5) / 2, abs=1e-6)
    assert found.over["citation_recall"] == 2, "an empty answer has no sentence to count"
    assert found.entailment == "table"


def test_short_answers_in_long_ones_as_alce_counts_them(tmp_path: Path) -> None:
    log = [
        {"id": "1", "question": "a", "output": "It was Ada Lovelace [1], in London.", "docs": ["x"]},
        {"id": "2", "question": "b", "output": "Concatenate them.", "docs": ["x"]},
    ]
    gold = [
        {
            "id": "1",
            "qa_pairs": [{"short_answers": ["Lovelace", "Byron"]}, {"short_answers": ["Paris"]}, {"short_answers": ["london"]}],
        },
        {"id": "2", "qa_pairs": [{"short_answers": ["the cat"]}]},
    ]
    found = scored(tmp_path, log, gold)
    assert found.measures["str_em"] == pytest.approx((2 / 3 + 1) / 2, abs=1e-6)
    assert found.measures["str_hit"] == pytest.approx(0.5, abs=1e-6)
    assert "exact" not in found.measures


# -- words and languages -----------------------------------------------------------------------------------------------


def test_articles_are_those_of_the_language() -> None:
    assert exact("Das Gericht", ["ein Gericht"], "german")
    assert not exact("Das Gericht", ["ein Gericht"])
    assert exact("los Ángeles", ["Ángeles"], "es")
    assert words("the cat, a dog") == ["cat", "dog"]
    assert words("die Katze an der Tür", "de") == ["katze", "an", "tür"]
    assert words("die the a", "finnish") == ["die", "the", "a"]


def test_chinese_is_compared_by_characters() -> None:
    assert f1("北京市", ["北京"]) == pytest.approx(0.8, abs=1e-6)
    assert contains("答案是北京。", ["北京"])
    assert exact("北 京", ["北京。"])
    assert not contains("答案是上海。", ["北京"])
    assert f1("上海", ["北京"]) == 0
    assert f1("Python 入门", ["Python 入門"]) == pytest.approx(2 / 3, abs=1e-6)


def test_words_in_common_with_answer_and_evidence(tmp_path: Path) -> None:
    log = [
        {"id": "1", "question": "q", "answer": "red blue green [2]", "evidence": ["red stone", "blue sky and sea"]},
        {"id": "2", "question": "r", "answer": None, "evidence": ["x"]},
    ]
    gold = [
        {"id": "1", "answers": ["blue green sea", "yellow"], "evidence": ["The sea and blue fish"]},
        {"id": "2", "answers": ["x"]},
    ]
    found = scored(tmp_path, log, gold).measures
    assert found["f1"] == pytest.approx((4 / 6 + 0) / 2, abs=1e-6)
    assert found["token_recall"] == pytest.approx((2 / 3 + 0) / 2, abs=1e-6)
    assert found["faithful"] == pytest.approx(2 / 3, abs=1e-6), "K-Precision: red and blue of three; a refusal says nothing"
    assert found["evidence_recall"] == pytest.approx(3 / 4, abs=1e-6), "sea, and, blue of four"
    assert found["evidence_precision"] == pytest.approx(3 / 4, abs=1e-6)


# -- nuggets and insights ------------------------------------------------------------------------------------------------


def test_nuggets_vital_and_okay(tmp_path: Path) -> None:
    nuggets = [
        {"text": "held twelve books", "vital": True},
        {"text": "drawn in 1588", "importance": "vital", "aliases": ["designed in 1588"]},
        {"text": "Ramelli was Italian", "importance": "okay"},
        {"text": "never built", "vital": False},
    ]
    answer = "The wheel, designed in 1588, held twelve books. It was never built."
    found = scored(
        tmp_path,
        [{"id": "1", "question": "q", "answer": answer}, {"id": "2", "question": "r", "answer": ""}],
        [{"id": "1", "nuggets": nuggets[:2] + nuggets[2:]}, {"id": "2", "nuggets": nuggets[2:]}],
    ).measures
    assert found["nugget_vital"] == pytest.approx((2 / 2 + 0) / 2, abs=1e-6)
    assert found["nugget_all"] == pytest.approx((3 / 4 + 0) / 2, abs=1e-6)
    assert found["nugget_weighted"] == pytest.approx((2.5 / 3 + 0) / 2, abs=1e-6)
    # 55 characters without spaces, 300 allowed: precision 1, recall 1, F 1.
    assert found["nugget_f3"] == pytest.approx(0.5, abs=1e-6)


def test_long_answers_pay_for_their_length(tmp_path: Path) -> None:
    answer = "red apples " + "x" * 391
    log = [{"id": "1", "question": "q", "answer": answer}]
    gold = [{"id": "1", "nuggets": ["red apples", "green pears"]}]
    found = scored(tmp_path, log, gold).measures
    # 400 characters, 100 allowed: precision 0.25; recall 0.5; F3 = 10 * 0.25 * 0.5 / (9 * 0.25 + 0.5).
    assert found["nugget_f3"] == pytest.approx(1.25 / 2.75, abs=1e-6)


def test_insights_and_their_documents(tmp_path: Path) -> None:
    log = [
        {
            "id": "1",
            "question": "q",
            "answer": "Prices rose in May [1][2]. Rents fell [3]. Nothing else.",
            "evidence": [{"id": "d1", "text": "x"}, {"id": "d2", "text": "y"}, {"id": "d3", "text": "z"}],
        }
    ]
    insights = [
        {"text": "prices rose in May", "documents": ["d1", "d4", "d5"]},
        {"text": "rents fell", "documents": ["d1"]},
        {"text": "wages stood still", "documents": ["d2"]},
    ]
    found = scored(tmp_path, log, [{"id": "1", "insights": insights}]).measures
    # Citation F1: precision 1/2 and recall 1/3 give 0.4; 0 for the second.
    assert found["insight_coverage"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["insight_citation"] == pytest.approx(0.2, abs=1e-6)
    assert found["insight_joint"] == pytest.approx(0.4 / 3, abs=1e-6)


# -- abstention and calibration --------------------------------------------------------------------------------------------


def test_refusals_right_and_due(tmp_path: Path) -> None:
    log = [
        {"id": str(at), "question": str(at), "answer": None if refused else "x"}
        for at, refused in enumerate((1, 1, 1, 0, 0, 0))
    ]
    gold = [{"id": str(at), "answers": ["x"] if there else []} for at, there in enumerate((0, 0, 1, 0, 1, 1))]
    found = scored(tmp_path, log, gold).measures
    assert found["abstention_precision"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["abstention_recall"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["abstention_f1"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["answered"] == pytest.approx(2 / 3, abs=1e-6)


def test_calibration_by_hand(tmp_path: Path) -> None:
    sure = np.array([0.95, 0.95, 0.65, 0.65, 0.15])
    right = np.array([True, True, True, False, False])
    # Bins (0.9, 1]: |0.95 - 1| of 2; (0.6, 0.7]: |0.65 - 0.5| of 2; (0.1, 0.2]: |0.15 - 0| of 1.
    assert calibration_error(sure, right) == pytest.approx((2 * 0.05 + 2 * 0.15 + 0.15) / 5, abs=1e-6)
    assert brier(sure, right) == pytest.approx((2 * 0.0025 + 0.1225 + 0.4225 + 0.0225) / 5, abs=1e-6)
    assert area(sure, right) == pytest.approx(5.5 / 6, abs=1e-6)
    assert area(sure, right | True) is None
    assert calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0
    log = [
        {"id": str(at), "question": "q", "answer": "x" if good else "y", "confidence": float(p)}
        for at, (p, good) in enumerate(zip(sure, right, strict=True))
    ]
    log.append({"id": "5", "question": "q", "answer": None, "probability": 0.1})
    found = scored(tmp_path, log, [{"id": str(at), "answers": ["x"]} for at in range(6)])
    assert found.measures["brier"] == pytest.approx(brier(sure, right), abs=1e-6), "a refused answer is neither right nor wrong"
    assert (
        "ece" not in scored(tmp_path, [{"id": "1", "question": "q", "answer": "x"}], [{"id": "1", "answers": ["x"]}]).measures
    )


# -- entailment ----------------------------------------------------------------------------------------------------------


def test_words_entail_what_they_have() -> None:
    pairs = [
        ("The wheel held twelve books in 1588.", "A wheel held 12 books"),
        ("The wheel held twelve books in 1588.", "The wheel of 1588 held books."),
        ("", "something"),
        ("something", ""),
    ]
    assert Words().entails(pairs) == [False, True, False, False]


def test_a_language_model_is_asked() -> None:
    class Says:
        name = "says"

        def generate(self, prompts, **options):
            return ["Yes." if "owls" in prompt.split("Statement:")[0] else "I say no: yes is wrong" for prompt in prompts]

    judge = WrittenEntailment(Says())
    assert judge.entails([("owls hunt", "they hunt"), ("bees", "owls hunt")]) == [True, False]


def test_a_cross_encoder_with_labels_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights trained for entailment can be had here, so random ones are held against BERT's mathematics in numpy."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "encode"))
    models = __import__("encoder_models")

    weights = models.bert_weights(4, prefix="bert.", labels=3)
    weights["classifier.weight"] *= 4  # clear answers, of both kinds
    labels = {0: "contradiction", 1: "entailment", 2: "neutral"}
    folder = tmp_path / "nli"
    folder.mkdir()
    models.write_bert(folder, weights, architectures=["BertForSequenceClassification"], id2label=labels)
    judge = entailment(str(folder))
    assert isinstance(judge, CrossEntailment)
    texts = [
        "the red bird sings",
        "sky",
        "stone of the sea",
        "far river flows over green stone",
        "bird bird",
        "near the blue sky",
    ]
    pairs = [(premise, hypothesis) for premise in texts for hypothesis in texts]
    plain = {name.removeprefix("bert."): array.astype(np.float64) for name, array in weights.items()}
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    expected = []
    for premise, hypothesis in pairs:
        encoded = tokenizer.encode(premise, hypothesis)
        first = models.bert_states(plain, encoded.ids, encoded.type_ids)[0]
        pooled = np.tanh(first @ plain["pooler.dense.weight"].T + plain["pooler.dense.bias"])
        logits: np.ndarray = pooled @ plain["classifier.weight"].T + plain["classifier.bias"]
        expected.append(float(np.exp(logits[1]) / np.exp(logits).sum()))
    clear = [at for at, p in enumerate(expected) if abs(p - 0.5) > 0.1]
    found = judge.entails(pairs)
    assert [found[at] for at in clear] == [expected[at] > 0.5 for at in clear]
    assert {found[at] for at in clear} == {True, False}
    with pytest.raises(ModelError, match="no language model"):
        entailment("nothing-of-this-name")


# -- files -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ({"question": "q", "answers": "x", "nuggets": [{"vital": True}]}, "is no gold answer"),
        ({"question": "q", "nuggets": [{"text": "x", "importance": "some"}]}, "a nugget is vital or okay"),
        ({"question": "q", "nuggets": [7]}, "is no gold answer"),
        ({"question": "q", "qa_pairs": [{"answers": ["x"]}]}, "is no gold answer"),
        ({"question": "q", "insights": [{"text": 3}]}, "insights must be text"),
        ({"question": "q", "evidence": {"a": 1}}, "evidence must be a list of texts"),
        ({"question": "q", "answers": [3]}, "answers must be text"),
        ({"answers": ["x"]}, "is no gold answer"),
    ],
)
def test_a_wrong_gold_line_is_named(line: dict, problem: str, tmp_path: Path) -> None:
    (tmp_path / "gold").write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match="gold:1") as caught:
        read_gold(tmp_path / "gold")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        {"question": "q"},
        {"answer": "x"},
        {"question": "q", "answer": 3},
        {"question": "q", "claims": "x"},
        {"question": "q", "claims": [{"quotes": ["x"]}]},
        {"question": "q", "answer": "x", "evidence": 3},
        {"question": "q", "answer": "x", "confidence": 7},
        {"question": "q", "answer": "x", "probability": "high"},
    ],
)
def test_a_wrong_line_of_the_log_is_named(line: dict, tmp_path: Path) -> None:
    (tmp_path / "log").write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match="log:1 is no answer"):
        list(read_answers(tmp_path / "log"))


def test_every_measure_says_what_it_is() -> None:
    for name, kind in MEASURES.items():
        assert kind.name == name
        assert kind.description
        assert kind.source
        assert (kind.each is None) != (kind.over is None)
        assert kind.of([])[0] is None
