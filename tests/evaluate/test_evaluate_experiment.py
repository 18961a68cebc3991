"""Experiments: several recipes on a judged collection in one call, and the fitting of fusion
weights.
"""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import InputError, RecipeError, UsageError
from bookwheel.evaluate import Collection, Evaluation, experiment
from bookwheel.evaluate.fit import STEPS, TOLERANCE, JudgedCandidates, best_weights, ideal_gain
from bookwheel.evaluate.fusion import fit_fusion
from bookwheel.rank import parse_recipe


@pytest.fixture(scope="module")
def collection(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BEIR folder of the prose: some words from the end of each of 40 texts ask for that text."""
    folder = tmp_path_factory.mktemp("judged") / "prose"
    (folder / "qrels").mkdir(parents=True)
    texts = list({text: (f"d{number}", name, text) for number, (name, text) in enumerate(prose[:240])}.values())
    lines = [json.dumps({"_id": id, "title": name, "text": text}) for id, name, text in texts]
    (folder / "corpus.jsonl").write_text("\n".join(lines), encoding="utf-8")
    asked = texts[::6][:40]
    queries = [json.dumps({"_id": f"q{id}", "text": " ".join(text.split()[-9:-2])}) for id, _, text in asked]
    (folder / "queries.jsonl").write_text("\n".join(queries), encoding="utf-8")
    judgments = [f"q{id}\t{id}\t1" for id, _, _ in asked]
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judgments]))
    return folder


@pytest.fixture(scope="module")
def library(collection: Path, tmp_path_factory: pytest.TempPathFactory):
    """The collection, indexed."""
    with bookwheel.open(tmp_path_factory.mktemp("libraries") / "prose", create=True, unit="document") as library:
        library.index([collection / "corpus.jsonl"])
        yield library


@pytest.fixture(scope="module")
def found(collection: Path, library: bookwheel.Library) -> Evaluation:
    return experiment(collection, ["bm25", "dense", "bm25 + dense"], library=library, measures=["nDCG@10", "R@5"])


def test_an_experiment_searches_measures_and_compares(found: Evaluation) -> None:
    assert list(found.scores) == ["bm25", "dense", "bm25 + dense"]
    assert found.baseline == "bm25"
    assert found.compared == ["dense", "bm25 + dense"]
    assert found.depth == 10
    assert found.scores["bm25"].means["R@5"] > 0.8, "words of a text find it"
    assert {(c.baseline, c.name, c.measure) for c in found.comparisons} == {
        ("bm25", name, measure) for name, measure in product(["dense", "bm25 + dense"], ["nDCG@10", "R@5"])
    }


def test_a_temporary_library_gives_the_same_figures(collection: Path, found: Evaluation) -> None:
    again = experiment(str(collection), {"words": "bm25", "both": parse_recipe("bm25 + dense")}, measures=["nDCG@10", "R@5"])
    assert list(again.scores) == ["words", "both"]
    for name, recipe in {"words": "bm25", "both": "bm25 + dense"}.items():
        np.testing.assert_array_equal(again.scores[name].values, found.scores[recipe].values)


def test_a_library_is_made_where_it_is_named_and_used_again(collection: Path, tmp_path: Path, found: Evaluation) -> None:
    first = experiment(collection, ["bm25"], library=tmp_path / "made", encoder=None, k1=0.9)
    with bookwheel.open(tmp_path / "made") as made:
        assert (made.settings.unit, made.settings.encoder, made.settings.k1) == ("document", None, 0.9)
        generation = made.generation
    again = experiment(collection, library=tmp_path / "made")
    assert list(again.scores) == ["bm25"], "without vectors, BM25 is the only named recipe"
    assert again.scores["bm25"].means == first.scores["bm25"].means
    with bookwheel.open(tmp_path / "made") as made:
        assert made.generation == generation


def test_documents_need_not_be_in_a_file(library: bookwheel.Library) -> None:
    documents = [bookwheel.Document("a", "apples and pears"), bookwheel.Document("b", "plums")]
    mine = Collection("mine", {"1": "pears", "2": "plums"}, {"1": {"a": 1}, "2": {"b": 1}}, read=lambda: iter(documents))
    assert experiment(mine, ["bm25"], encoder=None, measures=["P@1"]).scores["bm25"].means == {"P@1": 1.0}
    with pytest.raises(InputError, match="came without documents"):
        experiment(Collection("bare", {"1": "pears"}, {"1": {"a": 1}}), ["bm25"], encoder=None)
    bare = Collection("bare", {"1": "pears"}, {"1": {"a": 1}})
    assert experiment(bare, "bm25", library=library, measures=["P@1"]).scores["bm25"].means == {"P@1": 0.0}


def test_documents_that_cannot_be_indexed_are_noted(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    lines = [json.dumps({"_id": "a", "text": "words"}), *(json.dumps({"_id": f"e{n}", "text": ""}) for n in range(12))]
    (tmp_path / "corpus.jsonl").write_text("\n".join(lines))
    (tmp_path / "queries.jsonl").write_text(json.dumps({"_id": "1", "text": "words"}))
    (tmp_path / "qrels" / "test.tsv").write_text("1\ta\t1\n")
    notes = experiment(tmp_path, ["bm25"], encoder=None).notes
    assert len(notes) == 11
    assert "'e0' has no text" in notes[0]
    assert notes[-1] == "2 more documents were left out"


def test_any_recipe_can_be_the_baseline(collection: Path, library: bookwheel.Library) -> None:
    recipes = ["bm25", parse_recipe("0.5*bm25 + 0.5*dense")]
    found = experiment(collection, recipes, library=library, measures=["RR"], baseline=recipes[1])
    assert [(c.name, c.baseline) for c in found.comparisons] == [("bm25", str(recipes[1]))]
    with pytest.raises(UsageError, match="the baseline 'dense' is not among the recipes: 'bm25'"):
        experiment(collection, ["bm25"], library=library, baseline="dense")


# -- showing
# -----------------------------------------------------------------------------------------------------------------


def test_results_as_text_html_and_rows(found: Evaluation) -> None:
    text = str(found)
    assert text.startswith("prose (a BEIR folder): 40 judged queries\n")
    assert "against bm25" in text
    html = found._repr_html_()
    assert html.count("<table>") == html.count("</table>") == 2
    assert html.count("<tr>") == 1 + 3 + 1 + 4
    rows = found.to_dicts()
    assert [row["recipe"] for row in rows] == list(found.scores)
    assert rows[0].keys() == {"recipe", "nDCG@10", "R@5", "milliseconds"}
    assert rows[1]["nDCG@10 difference"] == pytest.approx(rows[1]["nDCG@10"] - rows[0]["nDCG@10"])
    assert 0 <= rows[1]["R@5 p"] <= 1
    json.dumps(rows)


def test_each_query(found: Evaluation) -> None:
    rows = found.per_query("R@5")
    assert [row["query"] for row in rows] == list(found.collection.judged)
    assert rows[0].keys() == {"query", "text", "bm25", "dense", "bm25 + dense"}
    for name in found.scores:
        assert np.mean([row[name] for row in rows]) == pytest.approx(found.scores[name].means["R@5"])
    assert found.per_query()[0]["bm25"] == found.scores["bm25"].values[0, 0]
    with pytest.raises(UsageError, match="'AP' was not measured; there is nDCG@10, R@5"):
        found.per_query("AP")
    with pytest.raises(UsageError, match="'rm3' was not evaluated; there is 'bm25', 'dense'"):
        found.changes("rm3")


def test_html_is_escaped(library: bookwheel.Library) -> None:
    odd = Collection("<b>&", {"1": "x"}, {"1": {"<i>": 1}})
    html = experiment(odd, {"<script>": "bm25", "a": "dense"}, library=library)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "&lt;b&gt;&amp;: 1 judged query" in html


def test_a_data_frame(found: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "pandas", None)
        with pytest.raises(UsageError, match="pip install pandas"):
            found.to_pandas()
    pytest.importorskip("pandas", reason="pandas is not installed")
    frame = found.to_pandas()
    assert list(frame.index) == list(found.scores)
    assert frame.loc["bm25", "nDCG@10"] == found.scores["bm25"].means["nDCG@10"]


# -- wrong arguments
# ---------------------------------------------------------------------------------------------------------


def test_wrong_arguments(collection: Path, library: bookwheel.Library, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="foo"):
        experiment(collection, ["bm25"], library=tmp_path / "never", measures=["foo"])
    assert not (tmp_path / "never").exists(), "a wrong measure is found before anything is indexed"
    with pytest.raises(RecipeError):
        experiment(collection, ["bm25", "nonsense"], library=library)
    with pytest.raises(UsageError, match="nothing to evaluate"):
        experiment(collection, [], library=library)
    with pytest.raises(UsageError, match="the library is open already, so k1, ram would do nothing"):
        experiment(collection, ["bm25"], library=library, k1=2.0, ram="512MB")
    with pytest.raises(InputError, match="does not exist"):
        experiment(tmp_path / "nowhere", ["bm25"])
    with pytest.raises(UsageError, match="none of the recipes is one; add one, such as 'bm25 \\+ dense'"):
        experiment(collection, ["bm25"], library=library, fit=True)
    one = Collection("one", {"1": "x"}, {"1": {"a": 1}})
    with pytest.raises(UsageError, match="one has too few judged queries \\(1\\); fitting needs at least two"):
        experiment(one, ["bm25 + dense"], library=library, fit=True)
    with pytest.raises(RecipeError, match="only the weights of a fusion can be fitted"):
        fit_fusion(library, "bm25 >> rm3 >> bm25", one)


# -- fitting
# -----------------------------------------------------------------------------------------------------------------


def test_fitted_weights_are_reported_on_queries_they_were_not_fitted_on(collection: Path, library: bookwheel.Library) -> None:
    found = experiment(collection, ["bm25", "bm25 + dense"], library=library, measures=["nDCG@10"], fit=True)
    training, reported = bookwheel.evaluate.load_collection(collection).halves()
    assert list(found.collection.judged) == list(reported.judged)
    assert len(reported.judged) == len(training.judged) == 20
    assert not reported.judged.keys() & training.judged.keys()
    assert found.notes[0] == "weights are fitted on 20 of 40 judged queries; the figures are of the other 20"
    assert found.notes[1].startswith("bm25 + dense fitted: ")
    names = list(found.scores)
    assert names[:2] == ["bm25", "bm25 + dense"]
    fitted = parse_recipe(names[2])
    weights = [term.weight for term in fitted.terms]
    assert sum(weights) == pytest.approx(1, abs=0.01)
    assert weights[0] > Fraction(1, 2), "the queries are words of the texts: BM25 is the better part"
    # On the queries that the weights were fitted on they are at least as good as equal ones.
    there = experiment(training, {"fitted": fitted, "even": "bm25 + dense"}, library=library, measures=["nDCG@10"])
    means = {name: scores.means["nDCG@10"] for name, scores in there.scores.items()}
    assert means["fitted"] >= means["even"] - 2 * TOLERANCE
    _, reached = fit_fusion(library, "bm25 + dense", training)
    assert reached == pytest.approx(means["fitted"], abs=0.01)
    again = experiment(collection, ["bm25", "bm25 + dense"], library=library, measures=["nDCG@10"], fit=True)
    assert list(again.scores) == names, "the halves are drawn with a seed"


def test_fitting_on_a_public_collection(judged: Path, tmp_path: Path) -> None:
    found = experiment(judged / "cranfield", ["bm25 + dense"], fit=True, measures=["nDCG@10"])
    even, fitted = (scores.means["nDCG@10"] for scores in found.scores.values())
    assert fitted > even - 0.02
    assert 0.3 < even < 0.6


def candidates(rng: np.random.Generator, parts: int, useful: int) -> JudgedCandidates:
    """Thirty candidates, whose grades part ``useful`` knows and the others guess."""
    gains = np.zeros(30)
    gains[:4] = [3, 2, 1, 1]
    features = rng.random((30, parts))
    features[:, useful] = 0.6 * gains / 3 + 0.4 * rng.random(30)
    return JudgedCandidates(features, gains, ideal_gain([3, 2, 1, 1]))


def reached(queries: list[JudgedCandidates], weights: tuple[Fraction, ...]) -> float:
    """nDCG@10 written out anew."""
    total = 0.0
    for query in queries:
        order = np.argsort(-(query.features @ np.array([float(weight) for weight in weights])), kind="stable")[:10]
        total += sum(query.gains[document] / np.log2(rank + 2) for rank, document in enumerate(order)) / query.ideal
    return total / len(queries)


@pytest.mark.parametrize("useful", [0, 1])
def test_two_weights_are_the_best_of_the_grid(useful: int) -> None:
    rng = np.random.default_rng(3)
    queries = [candidates(rng, 2, useful) for _ in range(30)]
    weights, best = best_weights(queries, 2)
    assert best == pytest.approx(reached(queries, weights))
    grid = [(Fraction(at, STEPS), Fraction(STEPS - at, STEPS)) for at in range(1, STEPS)]
    assert best >= max(reached(queries, pair) for pair in grid) - TOLERANCE - 1e-12
    assert weights[useful] > weights[1 - useful]
    assert sum(weights) == 1


def test_three_weights_find_the_useful_part() -> None:
    rng = np.random.default_rng(4)
    queries = [candidates(rng, 3, 1) for _ in range(30)]
    weights, best = best_weights(queries, 3)
    assert best == pytest.approx(reached(queries, weights))
    assert best > reached(queries, (Fraction(1, 3),) * 3) + 0.05
    assert max(weights) == weights[1]
    assert min(weights) > 0


def test_equally_good_weights_are_even() -> None:
    features = np.tile(np.linspace(1, 0, 20)[:, None], (1, 2))
    gains = np.zeros(20)
    gains[0] = 1
    weights, best = best_weights([JudgedCandidates(features, gains, 1.0)], 2)
    assert weights == (Fraction(1, 2), Fraction(1, 2))
    assert best == 1.0


def test_nothing_to_fit() -> None:
    with pytest.raises(ValueError, match="there are 2 parts and 0 queries"):
        best_weights([], 2)
    nothing = JudgedCandidates(np.zeros((0, 2)), np.zeros(0), 0.0)
    assert best_weights([nothing], 2) == ((Fraction(1, 2), Fraction(1, 2)), 0.0)
