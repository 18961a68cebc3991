"""Late interaction and its feedback on stored token vectors, against the formulas in plain numpy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, Library, RecipeError
from bookwheel.encode.protocols import TokenVectors
from bookwheel.rank import Query
from bookwheel.rank.runner import Runner
from bookwheel.rank.stages.feedback.token_feedback import centroid_idf, centroids

WORDS = ["heron", "bittern", "reeds", "water", "fish", "marsh", "river", "bird", "wading", "shallow", "spring", "nest"]
WORDS += ["eggs", "storm", "wind", "cloud", "rain", "hail"]
DIMENSION = 32


class Letters:
    """One vector a word, by its letters."""

    name, revision, sha256, dimension = "letters", "1", "1" * 64, DIMENSION

    def encode(self, texts: Sequence[str]) -> TokenVectors:
        counts, rows, spans = [0], [], []
        for text in texts:
            for match in re.finditer(r"\w+", text):
                vector = np.random.default_rng(list(match[0].encode())).normal(size=DIMENSION)
                rows.append(vector / np.linalg.norm(vector))
                spans.append(match.span())
            counts.append(len(rows))
        vectors = np.array(rows, np.float32).reshape(-1, DIMENSION)
        return TokenVectors(np.array(counts, np.int64), vectors, np.array(spans, np.int32).reshape(-1, 2))

    encode_queries = encode


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    dice = np.random.default_rng(3)
    made = bookwheel.open(Path(tmp_path_factory.mktemp("late")) / "library", create=True, unit="document", language="english")
    texts = [" ".join(dice.choice(WORDS, int(dice.integers(4, 15)))) for _ in range(80)]
    made.add([Document(id=str(n), text=text) for n, text in enumerate(texts)])
    made.add_encoder("letters", Letters(), kind="tokens", bits=4)
    made.embed()
    return made


def max_sim(query: np.ndarray, passages: Sequence[np.ndarray]) -> np.ndarray:
    """The definition of late interaction: each token of the query takes its best match."""
    return np.array([(query @ passage.T).max(axis=1).sum() for passage in passages])


def stored(library: Library, ids: np.ndarray) -> list[np.ndarray]:
    return library._searcher.context().token_vectors("letters", ids)


def test_candidates_come_in_the_order_of_late_interaction(library: Library) -> None:
    first = library.rank("wading bird in the reeds", 20, recipe="bm25")
    found = library.rank("wading bird in the reeds", 20, recipe="bm25 % 20 >> late(20)")
    query = Letters().encode(["wading bird in the reeds"]).vectors
    expected = max_sim(query, stored(library, found.ids)) / len(query)
    np.testing.assert_allclose(found.scores, expected, atol=1e-3)
    assert sorted(found.ids.tolist()) == sorted(first.ids.tolist())
    assert np.all(np.diff(found.scores) <= 0)


def test_only_the_candidates_are_scored_and_the_rest_follow(library: Library) -> None:
    first = library.rank("heron water", 30, recipe="bm25").ids.tolist()
    found = library.rank("heron water", 30, recipe="bm25 >> late(5)").ids.tolist()
    assert sorted(found[:5]) == sorted(first[:5])
    assert found[5:] == first[5:]


def test_half_the_score_can_stay_with_the_first_stage(library: Library) -> None:
    ranking = library.explain("heron water", 10, recipe='bm25 % 10 >> late(10, by="letters", weight=0.5)')
    assert set(ranking.parts) == {"first", "late"}
    np.testing.assert_allclose(ranking.parts["first"] + ranking.parts["late"], ranking.hits.scores, atol=1e-5)


def test_no_time_leaves_the_first_order(library: Library) -> None:
    ranking = library.explain("heron water", 10, recipe="bm25 >> late(10)", seconds=1e-9)
    np.testing.assert_array_equal(ranking.hits.ids, library.rank("heron water", 10, recipe="bm25").ids)
    assert any("late had time for 0 of" in note for note in ranking.notes)


def test_feedback_adds_the_rarest_clusters_with_their_weights(library: Library) -> None:
    recipe = library.recipe("bm25 >> token_feedback(docs=3, clusters=6, keep=2, weight=0.5) >> late(20)")
    context = library._searcher.context()
    query = Runner(context, strict=True).ranking(recipe, Query("storm wind"), 10).query
    assert query is not None
    own = Letters().encode(["storm wind"]).vectors
    hits = library.rank("storm wind", 3, recipe="bm25")
    centres = centroids(np.concatenate(stored(library, hits.ids)), 6)
    idf = centroid_idf(centres, stored(library, context.sample(200)))
    best = np.argsort(-idf, kind="stable")[:2]
    given = query.vectors["letters"]
    np.testing.assert_allclose(given[: len(own)], own, atol=1e-6)
    expected = centres[best] * (0.5 * idf[best] / np.log(201))[:, None]
    np.testing.assert_allclose(given[len(own) :], expected, atol=1e-4)


def test_which_token_vectors_are_meant_is_told(library: Library, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="'dense' has none; representations that have: letters"):
        library.search("heron", recipe='bm25 >> late(by="dense")')
    with pytest.raises(RecipeError, match=r'bm25 >> late\(by="letters"\)'):
        library.search("heron", recipe="letters")
    with pytest.raises(RecipeError, match="recipe, column 14: 'letters' has token vectors"):
        library.search("heron", recipe="0.5*bm25 + 2*letters")
    bare = bookwheel.open(tmp_path / "bare", create=True, language="english", encoder=None)
    bare.add([Document(id="a", text="heron")])
    with pytest.raises(RecipeError, match="the library has none; add some with: bookwheel"):
        bare.search("heron", recipe="bm25 >> late()")


def test_token_vectors_can_be_interpolated(library: Library) -> None:
    ranking = library.explain("storm wind", 10, recipe="bm25 % 20 >> interpolate(letters, weight=1, stop=False)")
    late = library.rank("storm wind", 10, recipe="bm25 % 20 >> late(20)")
    assert ranking.hits.ids.tolist() == late.ids.tolist()
