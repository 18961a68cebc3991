"""Queries written otherwise: what changes, what stays, and what it costs."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import UsageError
from bookwheel.cli.main import main
from bookwheel.documents.document import Document
from bookwheel.evaluate import Collection, evaluate, evaluation_report, load_collection
from bookwheel.evaluate.robust import VARIATIONS, format_losses, losses, meaning, varied, write_varied
from bookwheel.evaluate.robust.kinds.typos import _KEYS


def changed(name: str, text: str, seed: int = 0) -> str:
    return VARIATIONS[name].change(text, random.Random(seed))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("small-letters", "The NATO treaty", "the nato treaty"),
        ("capitals", "The treaty", "THE TREATY"),
        ("contractions", "What is salt? It does not burn.", "What's salt? It doesn't burn."),
        ("contractions", "It isn’t salt and can't burn", "It is not salt and cannot burn"),
        ("contractions", "salt mines", "salt mines"),
        ("word-forms", "Mice", "Mices"),
        ("word-forms", "studies", "study"),
        ("word-forms", "matches", "match"),
        ("word-forms", "reducing", "reduced"),
        ("word-forms", "the does", "the does"),
        ("other-words", "How many salts are used?", "What number of salts are employed?"),
        ("other-words", "Why does it burn?", "For what reason does it burn?"),
        ("other-words", "how do bees find flowers", "in what way do bees find flowers"),
        ("other-words", "salt mines", "salt mines"),
        ("negation", "Does aspirin help?", "Does not aspirin help?"),
        ("negation", "Aspirin isn't cheap", "Aspirin is cheap"),
        ("negation", "Aspirin does not help", "Aspirin does help"),
        ("negation", "Aspirin reduces the risk", "It is not true that Aspirin reduces the risk"),
        ("negation", "salt mines", "anything but salt mines"),
        ("word-order", "one", "one"),
        ("word-order", "a a a", "a a a"),
    ],
)
def test_what_rules_make(name: str, text: str, expected: str) -> None:
    assert changed(name, text) == expected


@pytest.mark.parametrize("seed", range(20))
def test_one_letter_of_one_word_is_wrong(seed: int) -> None:
    text = "what causes Volcanoes"
    near, swapped, missing = (changed(name, text, seed) for name in ("neighbour-key", "swapped-letters", "missing-letter"))
    ((old, new),) = [(a, b) for a, b in zip(text, near, strict=True) if a != b]
    assert new.lower() in _KEYS[old.lower()]
    assert sorted(swapped) == sorted(text)
    assert sum(a != b for a, b in zip(text, swapped, strict=True)) == 2
    assert len(missing) == len(text) - 1
    for other in (near, swapped, missing):
        assert other.split()[0] == "what"
        assert [word[0] for word in other.split()] == ["w", "c", "V"]


def test_neighbouring_keys_are_mutual() -> None:
    assert set(_KEYS["g"]) == set("fhtyvb")
    assert all(key in _KEYS[other] for key, near in _KEYS.items() for other in near)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.integers(0, 5))
def test_any_text_is_borne_and_changes_in_the_same_way_again(text: str, seed: int) -> None:
    for variation in VARIATIONS.values():
        found = variation.change(text, random.Random(seed))
        assert found == variation.change(text, random.Random(seed))
        if variation.name == "word-order":
            assert sorted(found.split()) == sorted(text.split())


QUERIES = {"1": "warning ships of rocks", "2": "Carrying grain", "3": "basalt and granite", "4": "what is it"}
DOCUMENTS = [
    Document("a", "The light warns ships of rocks."),
    Document("b", "Barges carry grain."),
    Document("c", "Basalt and granite."),
]


@pytest.fixture
def collection() -> Collection:
    qrels = {"1": {"a": 1}, "2": {"b": 1}, "3": {"c": 1}, "4": {"c": 1}}
    return Collection("rocks", QUERIES, qrels, read=lambda: iter(DOCUMENTS))


def test_a_query_changes_whatever_others_there_are(collection: Collection) -> None:
    one = replace(collection, queries={"3": QUERIES["3"]})
    for variation in VARIATIONS.values():
        whole = varied(collection, variation, 7)
        assert varied(one, variation, 7).queries.get("3") == whole.queries.get("3")
        assert whole.qrels.keys() == whole.queries.keys()
    assert varied(collection, VARIATIONS["small-letters"]).queries == {"2": "carrying grain"}


def by_exact_words(texts: list[str], k: int) -> list[list[tuple[str, float]]]:
    right = {text: number for number, text in enumerate(QUERIES.values())}
    return [[("abcc"[right[text]], 1.0)] if text in right else [("x", 1.0)] for text in texts]


def test_losses_are_of_the_queries_that_change(collection: Collection) -> None:
    found = evaluate(collection, {"exact": by_exact_words}, ["RR"])
    lost = losses(collection, {"exact": by_exact_words}, found.runs, "RR")
    by = {one.variation: one for one in lost}
    assert by["small-letters"].queries == 1
    assert by["capitals"].queries == 4
    assert (by["capitals"].comparison.before, by["capitals"].comparison.after) == (1.0, 0.0)
    assert by["capitals"].same == 0.0
    assert by["capitals"].relative == 1.0
    assert by["capitals"].comparison.significant
    told = meaning(lost)
    assert told[0].startswith("exact loses significantly by neighbour-key (100 %)")
    assert "exact changes much with negation: 0 % of its first ten documents stay" in told
    assert "queries written otherwise" in format_losses(lost)
    result = replace(found, losses=lost)
    assert "capitals" in str(result)
    assert {one["variation"] for one in result.to_dict()["robustness"]} == set(by)
    assert any(getattr(block, "text", "") == "Queries written otherwise" for block in evaluation_report(result).blocks)


def test_a_ranking_that_does_not_mind_loses_nothing(collection: Collection) -> None:
    def deaf(texts: list[str], k: int) -> list[list[tuple[str, float]]]:
        return [[("c", 1.0)] for _ in texts]

    found = evaluate(collection, {"deaf": deaf}, ["RR"])
    lost = losses(collection, {"deaf": deaf}, found.runs, "RR")
    assert not any(one.comparison.significant for one in lost)
    assert meaning(lost)[0] == "deaf loses significantly by none of the 9 variations that keep the meaning"
    assert "hardly hears negation: 100 %" in meaning(lost)[1]


def test_queries_of_another_language_are_left_to_what_knows_any() -> None:
    texts = [
        "Wie viele Punkte hat die Mannschaft in der Saison?",
        "Welche Farbe haben die Felsen an der Küste?",
        "Wer hat das Rad erfunden?",
    ]
    german = Collection("d", {str(n): text for n, text in enumerate(texts)}, {str(n): {"a": 1} for n in range(3)})
    found = evaluate(german, {"none": lambda texts, k: [[] for _ in texts]}, ["RR"])
    kinds = {one.variation for one in losses(german, {"none": lambda texts, k: [[] for _ in texts]}, found.runs, "RR")}
    assert {"swapped-letters", "word-order", "capitals"} <= kinds
    assert not kinds & {"negation", "contractions", "other-words", "word-forms"}


def test_sets_are_written_as_ordinary_folders(collection: Collection, tmp_path: Path) -> None:
    counts = write_varied(collection, tmp_path / "sets", 3)
    assert counts["capitals"] == 4
    again = load_collection(tmp_path / "sets" / "capitals")
    assert again.queries == {query: text.upper() for query, text in QUERIES.items()}
    assert again.fields["1"] == {"original": QUERIES["1"], "variation": "capitals"}
    assert [one.id for one in again.documents()] == ["a", "b", "c"]
    assert again.qrels == collection.qrels
    with pytest.raises(UsageError, match="is there already"):
        write_varied(collection, tmp_path / "sets", 3)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], collection: Collection) -> None:
    write_varied(collection, tmp_path / "sets", 3)
    source = str(tmp_path / "sets" / "word-order")
    out = str(tmp_path / "again")
    assert main(["evaluate", source, "--recipe", "bm25", "--measure", "RR", "--robust", "--robust-dir", out, "--json"]) == 0
    shown = capsys.readouterr()
    found = {one["variation"]: one for one in json.loads(shown.out)["robustness"]}
    assert found["capitals"]["difference"] == 0
    assert "capitals: " in shown.err
    assert load_collection(tmp_path / "again" / "capitals").judged
