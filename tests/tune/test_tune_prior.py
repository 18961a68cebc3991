"""A document prior: learned where there is something to learn, kept where it helps, and a stage like any other."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, InputError
from bookwheel.cli.main import main
from bookwheel.evaluate import Collection, evaluate
from bookwheel.library.qualities import qualities
from bookwheel.library.results import StoredDocument
from bookwheel.rank.stages.qualities import QUALITIES
from bookwheel.tune.prior import fit_logistic, learn_prior

WORDS = "osprey heron bittern avocet plover sandpiper curlew whimbrel godwit turnstone dunlin knot".split()  # noqa: SIM905


def collection(*, long_ones: bool) -> Collection:
    """Of each word two documents are alike but for their length; one of them is relevant: the long one, or either."""
    dice = random.Random(1)
    documents, queries, qrels = [], {}, {}
    filler = ["The day went by.", "Nothing was heard.", "It rained at sea.", "Then the tide came in."]
    for number in range(40):
        word = f"{WORDS[number % 12]}{number}"
        for kind, more in (("short", 1), ("long", 12)):
            text = " ".join([f"A {word} stood there.", *(dice.choice(filler) for _ in range(more))])
            documents.append(Document(f"{number}{kind}", text))
        queries[str(number)] = word
        qrels[str(number)] = {f"{number}{'long' if long_ones or dice.random() < 0.5 else 'short'}": 1}
    return Collection("birds", queries, qrels, read=lambda: iter(documents))


@pytest.fixture
def library(tmp_path: Path) -> bookwheel.Library:
    made = bookwheel.open(tmp_path / "kept", create=True, encoder=None, unit="document", language="english")
    made.add(collection(long_ones=True).documents())
    return made


def test_what_is_relevant_more_often_is_learned_and_helps(library: bookwheel.Library) -> None:
    judged = collection(long_ones=True)
    found = learn_prior(library, judged, "bm25")
    assert found.weights["length"] > 0
    assert found.area > 0.9
    assert found.earned
    assert "earns its place" in str(found)
    # The recipe does what was measured: the stage and the learner agree.
    searches = {
        name: lambda texts, k, recipe=name: library.rank_documents(texts, k=k, recipe=recipe)
        for name in ("bm25", str(found.recipe))
    }
    result = evaluate(judged, searches, ["nDCG@10"])
    assert result.scores[str(found.recipe)].means["nDCG@10"] > result.scores["bm25"].means["nDCG@10"] + 0.1


def test_where_there_is_nothing_to_learn_it_is_left_out(library: bookwheel.Library) -> None:
    found = learn_prior(library, collection(long_ones=False), "bm25")
    assert not found.earned
    assert "does not earn its place" in str(found)


def test_too_few_judgments_and_other_documents(library: bookwheel.Library, tmp_path: Path) -> None:
    few = Collection("few", {"1": "heron"}, {"1": {"1long": 1}})
    with pytest.raises(InputError, match="few has 1 judged query; a prior is learned from at least 20"):
        learn_prior(library, few)
    judged = collection(long_ones=True)
    other = Collection("other", judged.queries, {query: {"elsewhere": 1} for query in judged.qrels})
    with pytest.raises(InputError, match="none of the relevant documents is in the library"):
        learn_prior(library, other)


def test_the_regression_is_at_its_lowest() -> None:
    dice = np.random.default_rng(2)
    values = np.column_stack([dice.normal(3, 2, 300), dice.normal(0, 0.1, 300), np.ones(300)])
    labels = dice.random(300) < 1 / (1 + np.exp(-(values[:, 0] - 3)))
    weights, start = fit_logistic(values, labels, 1.0)
    assert weights[0] == pytest.approx(1.0, abs=0.3)
    assert weights[2] == 0

    def loss(own: np.ndarray, at: float) -> float:
        odds = values @ own + at
        scaled = own[:2] * values[:, :2].std(axis=0)
        return float(np.logaddexp(0, np.where(labels, -odds, odds)).sum() + 0.5 * (scaled**2).sum())

    for row in range(2):
        for step in (-1e-3, 1e-3):
            other = weights.copy()
            other[row] += step
            moved = start - step * values[:, row].mean()
            assert loss(other, moved) >= loss(weights, start) - 1e-6


def test_qualities_by_hand() -> None:
    text = "One two. One 33 https://example.org [a](b)"
    document = StoredDocument("x", "/a/b/c.txt", "T", text, {"year": 2010}, ((0, len(text)),))
    found = dict(zip(QUALITIES, qualities(document).tolist(), strict=True))
    assert found["length"] == pytest.approx(np.log10(len(text) + 1))
    assert (found["title"], found["date"], found["folders"]) == pytest.approx((1, 1, 0.3))
    assert found["digits"] == pytest.approx(10 * 2 / len(text))
    assert found["links"] == pytest.approx(np.log10(3))
    assert not qualities(StoredDocument("x", "-", "", "", {}, ())).any()


def test_the_stage_in_a_recipe(library: bookwheel.Library) -> None:
    plain = [one.id for one in library.search("osprey0", 5, recipe="bm25")]
    same = [one.id for one in library.search("osprey0", 5, recipe="bm25 >> prior(weight=0.3)")]
    longer = [one.id for one in library.search("osprey0", 5, recipe="bm25 >> prior(weight=1, length=1)")]
    shorter = [one.id for one in library.search("osprey0", 5, recipe="bm25 >> prior(weight=1, length=-1)")]
    assert plain == same == shorter == ["0short", "0long"]
    assert longer == ["0long", "0short"]


def test_the_command_saves_only_what_helps(
    library: bookwheel.Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bookwheel.evaluate.write_beir import write_corpus, write_judged

    for long_ones in (True, False):
        judged = collection(long_ones=long_ones)
        folder = tmp_path / str(long_ones)
        write_corpus(folder, judged.documents())
        write_judged(folder, ({"_id": query, "text": text} for query, text in judged.queries.items()), judged.qrels)
        name = f"prior{int(long_ones)}"
        words = ["prior", str(library.path), str(folder), "--recipe", "bm25", "--save", name, "--json"]
        assert main(words) == 0
        assert json.loads(capsys.readouterr().out)["saved"] == (name if long_ones else None)
    with bookwheel.open(library.path) as again:
        assert list(again.recipes) == ["prior1"]
        assert again.recipe_evidence()["prior1"]["earned"] is True
