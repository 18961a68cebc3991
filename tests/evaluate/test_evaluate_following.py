"""Instructions: p-MRR and Robustness as their papers define them, on cases worked out by hand, and collections in their layouts."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bookwheel import InputError
from bookwheel.cli.main import main
from bookwheel.evaluate import (
    Collection,
    Instructions,
    evaluate,
    evaluation_report,
    follow,
    load_collection,
    p_mrr,
    rank_change,
)
from bookwheel.evaluate.following import robustness


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (1, 1, 0.0),
        (1, 2, 0.5),
        (2, 1, -0.5),
        (1, 10, 0.9),
        (10, 1, -0.9),
        (3, 7, 0.571429),
        (7, 3, -0.571429),
        (100, 101, 0.009901),
        (1000, 1, -0.999),
    ],
)
def test_what_a_document_adds(before: int, after: int, expected: float) -> None:
    assert rank_change(before, after) == pytest.approx(expected, abs=5e-7)


def ranked(*documents: str) -> list[tuple[str, float]]:
    return [(document, 1.0 / rank) for rank, document in enumerate(documents, 1)]


def test_p_mrr_of_cases_worked_out_by_hand() -> None:
    before = {"1": ranked("a", "b", "c", "d"), "2": ranked("a", "b", "c"), "3": ranked("a"), "4": ranked("a", "b")}
    after = {"1": ranked("b", "d", "a", "c"), "2": ranked("c", "b", "a"), "3": ranked("b", "a"), "5": ranked("a")}
    moved = {"1": ["a", "b"], "2": ["c"], "3": ["x"], "4": ["a"], "5": ["a"], "6": []}
    # 1: a falls from 1 to 3 (1 - 1/3), b rises from 2 to 1 (1/2 - 1); 2: c rises from 3 to 1 (1/3 - 1); 3: x is in neither, and so
    # one behind the last, 2 and then 3 (1 - 2/3); 4 and 5 are in one run only.
    found = p_mrr(before, after, moved)
    assert found == pytest.approx({"1": 0.083333, "2": -0.666667, "3": 0.333333}, abs=5e-7)


def reference(
    original: Mapping[str, dict[str, float]], new: Mapping[str, dict[str, float]], changed: Mapping[str, list[str]]
) -> float:
    """The arithmetic of the paper's own evaluation (MTEB), step by step: ranks by falling score, reciprocals divided."""

    def rank(scores: dict[str, float], document: str) -> int:
        order = sorted(scores.items(), key=lambda item: item[1], reverse=True)
        return next((at for at, (name, _) in enumerate(order, 1) if name == document), len(order) + 1)

    means = []
    for query, documents in changed.items():
        values = []
        for document in documents:
            og, now = rank(original[query], document), rank(new[query], document)
            values.append((1 / og) / (1 / now) - 1 if og >= now else 1 - (1 / now) / (1 / og))
        means.append(sum(values) / len(values))
    return sum(means) / len(means)


def test_p_mrr_is_that_of_the_reference() -> None:
    dice = random.Random(4)
    for _ in range(200):
        names = [f"d{n}" for n in range(dice.randrange(2, 40))]
        runs = [
            {q: {one: dice.random() for one in dice.sample(names, dice.randrange(1, len(names)))} for q in "abc"}
            for _ in range(2)
        ]
        moved = {q: dice.sample(names, dice.randrange(1, min(6, len(names)))) for q in "abc"}
        found = p_mrr(runs[0], runs[1], moved)
        assert sum(found.values()) / len(found) == pytest.approx(reference(*runs, moved), abs=1e-12)


def test_robustness_is_the_lowest_of_each_query() -> None:
    values = {"1_0": 1.0, "1_1": 0.25, "2_0": 0.5, "3_0": 0.9}
    assert robustness(values, {"1_0": "1", "1_1": "1", "2_0": "2"}) == 0.375


# -- layouts ----------------------------------------------------------------------------------------------------------


def lines(path: Path, records: Sequence[object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in records))


def qrels(path: Path, rows: Sequence[tuple[str, str, int]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("query-id\tcorpus-id\tscore\n" + "".join(f"{q}\t{d}\t{g}\n" for q, d, g in rows))


DOCUMENTS = [
    {"_id": "d1", "text": "salt mines of Poland"},
    {"_id": "d2", "text": "salt in cooking"},
    {"_id": "d3", "text": "salt mines of Chile"},
    {"_id": "d4", "text": "the price of grain"},
]


def mteb(folder: Path, *, difference: bool = True) -> Path:
    """As MTEB keeps FollowIR."""
    lines(folder / "corpus.jsonl", DOCUMENTS)
    lines(folder / "queries.jsonl", [{"_id": f"310-{kind}", "text": "salt mines"} for kind in ("og", "changed")])
    told = {"og": "Anything about where salt is dug.", "changed": "Anything about where salt is dug, but not in Poland."}
    lines(folder / "instruction.jsonl", [{"query-id": f"310-{kind}", "instruction": text} for kind, text in told.items()])
    qrels(
        folder / "qrels" / "test.tsv",
        [("310-og", "d1", 1), ("310-og", "d3", 1), ("310-changed", "d1", 0), ("310-changed", "d3", 1)],
    )
    if difference:
        lines(folder / "qrel_diff.jsonl", [{"query-id": "310", "corpus-ids": ["d1"]}])
    return folder


def own(folder: Path) -> Path:
    """As FollowIR's authors keep it."""
    lines(folder / "corpus.jsonl", DOCUMENTS)
    told = {
        "instruction_og": "Anything about where salt is dug.",
        "instruction_changed": "Anything about where salt is dug, but not in Poland.",
    }
    lines(folder / "queries.jsonl", [{"_id": "310", "text": "salt mines", **told, "keywords": "salt", "short_query": "salt"}])
    qrels(folder / "qrels_og" / "test.tsv", [("310", "d1", 1), ("310", "d3", 1)])
    qrels(folder / "qrels_changed" / "test.tsv", [("310", "d1", 0), ("310", "d3", 1)])
    return folder


@pytest.mark.parametrize("make", [mteb, lambda folder: mteb(folder, difference=False), own])
def test_pairs_of_instructions(tmp_path: Path, make: object) -> None:
    found = load_collection(make(tmp_path))  # type: ignore[operator]
    assert found.queries == {"310": "salt mines"}
    assert found.qrels == {"310": {"d1": 1, "d3": 1}}
    told = found.instructions
    assert told is not None
    assert told.changed_qrels == {"310": {"d1": 0, "d3": 1}}
    assert told.moved == {"310": ("d1",)}
    assert told.texts["310"] == "Anything about where salt is dug."
    assert told.changed["310"].endswith("Poland.")


def test_instructions_of_one_query(tmp_path: Path) -> None:
    lines(tmp_path / "corpus.jsonl", DOCUMENTS)
    told = ["for a cook", "for a miner"]
    lines(tmp_path / "queries.jsonl", [{"_id": f"7_{n}", "text": "salt", "instruction": text} for n, text in enumerate(told)])
    qrels(tmp_path / "qrels" / "test.tsv", [("7_0", "d2", 1), ("7_1", "d1", 1), ("7_1", "d3", 1)])
    found = load_collection(tmp_path)
    assert found.instructions is not None
    assert found.instructions.variants == {"7_0": "7", "7_1": "7"}

    def search(texts: list[str], k: int) -> list[list[tuple[str, float]]]:
        return [
            ranked("d2", "d1") if "cook" in text else ranked("d1", "d4") if "miner" in text else ranked("d4", "d2")
            for text in texts
        ]

    (one,) = follow(found, {"it": search}, "nDCG@10")
    ideal = 1 + 0.630930  # of two relevant documents
    assert one.comparison.before == pytest.approx((0.630930 + 0) / 2, abs=5e-7)
    assert one.comparison.after == pytest.approx((1 + 1 / ideal) / 2, abs=5e-7)
    assert one.robustness == pytest.approx(1 / ideal, abs=5e-7)
    assert one.p_mrr is None


NO_LIST = '{"query-id": "310", "corpus-ids": "d1"}\n'


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "instruction.jsonl").write_text('{"query-id": 3}\n'), "expected an object with query-id and instruct"),
        (lambda f: (f / "qrel_diff.jsonl").write_text(NO_LIST), "expected an object with query-id and corpus-ids"),
        (lambda f: lines(f / "queries.jsonl", [{"_id": "310-changed", "text": "salt"}]), "none whose ids end in -og"),
    ],
)
def test_damaged_instructions(tmp_path: Path, change: object, words: str) -> None:
    change(mteb(tmp_path))  # type: ignore[operator]
    with pytest.raises(InputError, match=words):
        load_collection(tmp_path)


def test_judgments_under_the_changed_instructions_must_be_there(tmp_path: Path) -> None:
    (own(tmp_path) / "qrels_changed" / "test.tsv").unlink()
    with pytest.raises(InputError, match=r"instruction_changed but no judgments under it; expected qrels_changed/test.tsv"):
        load_collection(tmp_path)


def test_the_command_shows_the_scores_with_and_without_and_p_mrr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mteb(tmp_path / "core17")
    assert main(["evaluate", str(tmp_path / "core17"), "--recipe", "bm25", "--measure", "AP"]) == 0
    out = capsys.readouterr().out
    assert "AP without" in out
    assert "p-MRR" in out
    # "not in Poland" adds the word that the excluded document has: it rises or stays, as of all rankings by words
    assert main(["evaluate", str(tmp_path / "core17"), "--recipe", "bm25", "--measure", "AP", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["following"]
    assert found["p_mrr"] <= 0
    assert found["pairs"] == 1


def test_a_report_has_them() -> None:
    told = Instructions({"1": "only new ones"}, {"1": "only old ones"}, {"1": {"a": 0, "b": 1}}, {"1": ("a",)})
    collection = Collection("some", {"1": "ones"}, {"1": {"a": 1, "b": 1}}, instructions=told)

    def search(texts: list[str], k: int) -> list[list[tuple[str, float]]]:
        return [ranked("b", "a") if "old" in text else ranked("a", "b") for text in texts]

    result = evaluate(collection, {"it": search}, ["RR"])
    object.__setattr__(result, "following", follow(collection, {"it": search}, "RR"))
    assert "p-MRR" in str(result)
    assert result.to_dict()["following"][0]["p_mrr"] == 0.5
    report = evaluation_report(result)
    assert any(getattr(block, "text", "") == "With instructions" for block in report.blocks)
