"""Stages: feedback against plain references, fusion, the syntax of queries, spelling, diversity; and how mistakes are told."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document, Library, RecipeError
from bookwheel.rank import Hits, Query, Recipe, parse_recipe, validate
from bookwheel.rank.reciprocal_ranks import reciprocal
from bookwheel.rank.runner import Runner
from bookwheel.rank.stages import stacked
from bookwheel.rank.stages.feedback.rm3 import Rm3, relevance_model
from bookwheel.rank.stages.feedback.rocchio import centroid
from bookwheel.rank.stages.feedback.token_feedback import centroid_idf, centroids
from bookwheel.rank.stages.feedback.vector_feedback import average
from bookwheel.rank.stages.fuse.aspects import clauses
from bookwheel.rank.stages.rerank.interpolate import interpolated
from bookwheel.rank.stages.rerank.mmr import marginal_order
from bookwheel.rank.stages.rewrite.syntax import parse_query
from bookwheel.rank.vector_means import weighted_mean

TEXTS = {
    "heron": "The grey heron stands in shallow water with hunched shoulders, waiting for fish.",
    "bittern": "The bittern is a wading bird that hides in the reeds and booms in spring.",
    "stork": "The white stork is a large wading bird; it nests on chimneys and eats frogs in shallow water.",
    "storm": "A storm brought hail and heavy rain; the wind broke the reeds along the river.",
    "copy": "The grey heron stands in shallow water with hunched shoulders, waiting for fish today.",
    "trout": "Trout are fish of cold rivers. Anglers wait for them at dawn in spring.",
    "chimney": "A chimney must be swept each spring, or a stork may nest on it.",
}


@pytest.fixture(scope="module")
def marsh(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = bookwheel.open(
        Path(tmp_path_factory.mktemp("stages")) / "library", create=True, unit="document", language="english"
    )
    library.add(
        [
            Document(
                id=name, text=text, title="birds" if name in ("heron", "bittern", "stork") else "", metadata={"n": len(text)}
            )
            for name, text in TEXTS.items()
        ]
        # Others, so that a word of the few above is rare.
        + [
            Document(id=f"other{n}", text=f"Ledger number q{n} was kept beside the water mill q{n} w{n % 7}.")
            for n in range(90)
        ]
    )
    return library


def names(library: Library, query: str | Query, recipe: str | Recipe, k: int = 10) -> list[str]:
    return [result.id for result in library.search(query, k, recipe=recipe)]


# -- feedback --------------------------------------------------------------------------------------------------------------


def test_relevance_model_is_that_of_the_paper() -> None:
    documents = [{"a": 2.0, "b": 1.0, "c": 1.0}, {"b": 3.0, "d": 1.0}]
    model = relevance_model(documents, [2.0, 1.0], 10)
    raw = {"a": 2 * 2 / 4, "b": 2 * 1 / 4 + 1 * 3 / 4, "c": 2 * 1 / 4, "d": 1 / 4}
    total = sum(raw.values())
    assert model == pytest.approx({term: value / total for term, value in raw.items()})
    assert list(relevance_model(documents, [2.0, 1.0], 1)) == ["a"]  # pruned to its best term, then b of the second: 2 > 1


def test_rocchio_is_the_mean_of_unit_vectors() -> None:
    documents = [{"a": 3.0, "b": 4.0}, {"b": 1.0}]
    mean = {"a": 0.3, "b": 0.9}
    length = math.hypot(0.3, 0.9)
    assert centroid(documents, 10) == pytest.approx({term: value / length for term, value in mean.items()})


def test_rm3_weighs_the_query_as_said(marsh: Library) -> None:
    context = marsh._searcher.context()
    runner = Runner(context, strict=True)
    query = runner.ranking(parse_recipe("bm25 >> rm3(docs=2, terms=5, weight=1) >> bm25"), Query("stork nest"), 5).query
    assert query is not None
    assert query.sparse["bm25"] == pytest.approx({"stork": 0.5, "nest": 0.5})
    expanded = runner.ranking(parse_recipe("bm25 >> rm3(docs=2, terms=5, weight=0.5) >> bm25"), Query("stork"), 5).query
    assert expanded is not None
    assert sum(expanded.sparse["bm25"].values()) == pytest.approx(1.0)
    assert len(expanded.sparse["bm25"]) > 1


def test_vector_feedback_formulas() -> None:
    query = np.array([1.0, 0.0], np.float32)
    passages = np.array([[0.0, 1.0], [0.0, 1.0]], np.float32)
    np.testing.assert_allclose(average(query, passages), np.array([1, 2]) / math.sqrt(5), rtol=1e-6)
    np.testing.assert_allclose(weighted_mean(query, passages, 1.0, 1.0), np.array([1, 1]) / math.sqrt(2), rtol=1e-6)


def test_token_clusters_find_separate_directions_and_rare_ones() -> None:
    dice = np.random.default_rng(0)
    axes = np.eye(8, dtype=np.float32)[:3]
    tokens = np.repeat(axes, 20, axis=0) + 0.01 * dice.standard_normal((60, 8)).astype(np.float32)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    found = centroids(tokens, 3)
    assert np.sort(np.argmax(found, axis=1)).tolist() == [0, 1, 2]
    # The first axis is in every passage of the sample, the second in none.
    idf = centroid_idf(axes, [axes[:1], axes[[0, 2]], axes[:1]])
    assert idf[1] > idf[2] > idf[0] == 0


@pytest.mark.parametrize("recipe", ["bm25 >> rm3() >> hybrid", "bm25 >> sentences() >> hybrid", "bm25 >> guard(rm3()) >> bm25"])
@pytest.mark.parametrize("query", ["zzz", "the", "?", "stork", "\N{PILE OF POO}", "a" * 5000])
def test_feedback_never_fails_where_plain_search_answers(marsh: Library, recipe: str, query: str) -> None:
    plain = marsh.search(query, 3, recipe=recipe.rpartition(" ")[2])
    assert len(marsh.search(query, 3, recipe=recipe)) >= len(plain)


def test_a_failing_feedback_is_skipped_and_said(marsh: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Query:
        raise ValueError("out of order")

    monkeypatch.setattr(Rm3, "feed", broken)
    ranking = marsh.explain("stork", recipe="bm25 >> rm3() >> bm25")
    assert any("rm3 was skipped: out of order" in note for note in ranking.notes)
    np.testing.assert_array_equal(ranking.hits.ids, marsh.rank("stork", recipe="bm25").ids)


def test_weights_that_are_none_are_left_out() -> None:
    query = Query("x")
    assert query.with_terms("bm25", {"a": math.nan, "b": 0.0, "c": -1.0, "d": math.inf}) is query
    assert query.with_terms("bm25", {"a": 2.0, "b": math.nan}).sparse["bm25"] == {"a": 2.0}
    assert query.with_vector("dense", np.array([np.nan, 1.0], np.float32)) is query


# -- fusion ----------------------------------------------------------------------------------------------------------------


class Table:
    floor = -1.0

    def __init__(self, scores: np.ndarray) -> None:
        self.scores = scores
        self.asked = 0

    def retrieve(self, depth: int) -> Hits:
        return Hits.ranked(np.arange(len(self.scores)), self.scores, depth)

    def score(self, ids: np.ndarray) -> np.ndarray:
        self.asked += len(ids)
        return self.scores[ids]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 50))
def test_early_stopping_gives_the_full_ranking_when_the_best_comes_early(seed: int, weight: float, want: int) -> None:
    dice = np.random.default_rng(seed)
    n = 600
    first = Hits.ranked(np.arange(n), np.sort(dice.gamma(1.0, 4.0, n))[::-1].astype(np.float32))
    second = dice.uniform(-0.2, 0.8, n).astype(np.float32)
    second[first.ids[0]] = 0.9  # the bound that the paper takes is right then
    full, stopped = Table(second), Table(second)
    expected = interpolated(first, full, weight)
    found = interpolated(first, stopped, weight, want)
    np.testing.assert_array_equal(found.ids[:want], expected.ids[:want])
    np.testing.assert_allclose(found.scores[:want], expected.scores[:want], rtol=1e-6)
    assert stopped.asked <= full.asked == n


def test_interpolation_of_candidates_is_fusion_restricted_to_them(marsh: Library) -> None:
    fused = marsh.rank("stork in shallow water", 7, recipe="0.5*(bm25 % 50) + 0.5*dense")
    inside = set(marsh.rank("stork in shallow water", 50, recipe="bm25").ids.tolist())
    again = marsh.rank("stork in shallow water", 7, recipe="bm25 % 50 >> interpolate(dense, 0.5, stop=False)")
    kept = [number for number in fused.ids.tolist() if number in inside]
    assert len(kept) >= 3
    assert kept == again.ids.tolist()[: len(kept)]


def test_reciprocal_ranks() -> None:
    a, b = Hits.ranked(np.array([1, 2, 3]), np.array([3.0, 2.0, 1.0])), Hits.ranked(np.array([3, 4]), np.array([9.0, 8.0]))
    hits, shares = reciprocal([a, b], 60)
    expected = {1: 1 / 61, 2: 1 / 62, 3: 1 / 63 + 1 / 61, 4: 1 / 62}
    assert hits.ids.tolist() == [3, 1, 2, 4]
    np.testing.assert_allclose(hits.scores, [expected[number] for number in hits.ids.tolist()], rtol=1e-6)
    np.testing.assert_allclose(shares[0] + shares[1], hits.scores, rtol=1e-6)


def test_normalised_gives_the_other_normalisation(marsh: Library) -> None:
    ranking = marsh.explain("stork in shallow water", 5, recipe='normalised(bm25 + dense, "minmax")')
    assert ranking.hits.scores[0] <= 2.0
    assert set(ranking.parts) == {"bm25", "dense"}
    assert ranking.parts["bm25"].min() >= 0.0


def test_stacked_keeps_the_rest_below() -> None:
    head = Hits(np.array([5, 3]), np.array([0.2, 0.1], np.float32))
    tail = Hits(np.array([1, 5, 2, 3, 4]), np.array([9, 8, 7, 6, 5], np.float32))
    joined = stacked(head, tail)
    assert joined.ids.tolist() == [5, 3, 1, 2, 4]
    assert np.all(np.diff(joined.scores) < 0)


# -- queries ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain", "required", "excluded", "where"),
    [
        ("plain words only", "plain words only", (), (), None),
        ("C++ and x-ray of a - b, 5 - 3 -", "C++ and x-ray of a - b, 5 - 3 -", (), (), None),
        ('"grey heron" fish', "grey heron fish", ("grey heron",), (), None),
        ('the "unclosed quote', 'the "unclosed quote', (), (), None),
        ("+wading -stork bird", "wading bird", ("wading",), ("stork",), None),
        ('-"shallow water" heron', "heron", (), ("shallow water",), None),
        ("n:80 heron", "heron", (), (), "[n] = 80"),
        ("-n:80 heron", "heron", (), (), "not ([n] = 80)"),
        ('title:"wading birds"', "", (), (), '[title] like "wading birds"'),
        ("http://example.org note: this", "http://example.org note: this", (), (), None),
        ("12:30 noon", "12:30 noon", (), (), None),
        ("", "", (), (), None),
    ],
)
def test_syntax(text: str, plain: str, required: tuple[str, ...], excluded: tuple[str, ...], where: str | None) -> None:
    parsed = parse_query(text, ("title", "n"))
    assert (parsed.text, parsed.required, parsed.excluded, parsed.where) == (plain, required, excluded, where)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("abc \"+-:'#title 12é"), max_size=30))
def test_any_text_has_a_syntax(text: str) -> None:
    parsed = parse_query(text, ("title",))
    if not set('+-":') & set(text):
        assert parsed.text == " ".join(text.split())


def test_constraints_hold_for_every_retriever(marsh: Library) -> None:
    for recipe in ("syntax() >> bm25", "syntax() >> dense", "syntax() >> hybrid", "syntax() >> bm25 >> rm3() >> hybrid"):
        assert set(names(marsh, "wading -stork bird", recipe)).isdisjoint({"stork", "chimney"})
        assert set(names(marsh, '"shallow water" bird', recipe)) <= {"heron", "stork", "copy"}
        assert set(names(marsh, '-"shallow water" wading bird heron', recipe)).isdisjoint({"heron", "stork", "copy"})
        assert set(names(marsh, "+spring bird", recipe)) <= {"bittern", "trout", "chimney"}
        assert set(names(marsh, "title:birds water", recipe)) <= {"heron", "bittern", "stork"}
        assert not names(marsh, "+absentword bird", recipe)
    assert names(marsh, '"water shallow"', "syntax() >> hybrid") == []
    assert set(names(marsh, '"shallow water"', "syntax() >> dense")) == {"heron", "stork", "copy"}


def test_examples_find_more_of_the_same_without_themselves(marsh: Library) -> None:
    found = names(marsh, "like:heron", "syntax() >> hybrid", 3)
    assert found[0] == "copy"
    assert "heron" not in found
    assert names(marsh, "like:heron unlike:copy", "syntax() >> bm25", 5)[0] not in ("heron", "copy")
    assert any("no document" in note for note in marsh.explain("like:nobody bird", recipe="syntax() >> bm25").notes)


def test_spelling_uses_the_collections_own_words(marsh: Library) -> None:
    ranking = marsh.explain("biterrn in the reads", recipe="spell() >> bm25")
    assert ranking.query is not None
    assert ranking.query.text.startswith("bittern in the ")
    assert ranking.query.original == "biterrn in the reads"
    assert names(marsh, "wadingbird", "spell() >> bm25", 1)[0] in ("stork", "bittern")
    known = marsh.explain("wading birds in spring", recipe="spell() >> bm25")
    assert known.query is not None
    assert known.query.text == "wading birds in spring"
    assert not known.notes


def test_words_are_compared_as_written_and_one_word_is_likelier_than_two(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, unit="document", language="english")
    texts = ["main memory and cache memory"] * 12 + [
        "mem of Roy",
        "Roy has a mem",
        "a swap file",
        "too slow",
        "swap is too slow",
    ]
    library.add([Document(id=str(n), text=text) for n, text in enumerate(texts)])
    found = library.explain("memroy swaptoo", 3, recipe="spell() >> bm25").query
    assert found is not None
    # The stems are memroy and memori, two edits apart; "mem roy" is one edit away and far rarer.
    assert found.text == "memory swap too"


def test_near_terms_are_those_of_a_plain_distance(marsh: Library) -> None:
    from bookwheel.analysis.edit_distance import edit_distance

    context = marsh._searcher.context()
    texts = [
        *TEXTS.values(),
        "birds",
        *(f"Ledger number q{n} was kept beside the water mill q{n} w{n % 7}." for n in range(90)),
    ]
    vocabulary = {term for text in texts for term in context.analyze(text)}
    for word in ("stor", "reds", "spirng", "heon", "watre", "zzzz", "nett"):
        expected = {term: edits for term in vocabulary if 0 < (edits := edit_distance(word, term)) <= 2}
        assert dict(context.near_terms(word, 2)) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("abcd", min_size=1, max_size=9), max_size=20), st.text("abcd", min_size=1, max_size=9), st.integers(1, 3)
)
def test_the_kernel_and_the_plain_edit_distance_agree(words: list[str], word: str, most: int) -> None:
    from bookwheel.analysis.edit_distance import edit_distance
    from bookwheel.kernels.near_terms import near_terms

    vocabulary = sorted(set(words))
    text = np.frombuffer("".join(vocabulary).encode(), np.uint8)
    offsets = np.cumsum([0, *map(len, vocabulary)]).astype(np.uint32)
    numbers, distances = np.empty(32, np.int64), np.empty(32, np.uint8)
    count = near_terms(text, offsets, np.frombuffer(word.encode(), np.uint8), most, numbers, distances)
    found = {
        vocabulary[number]: edits for number, edits in zip(numbers[:count].tolist(), distances[:count].tolist(), strict=True)
    }
    assert found == {other: edits for other in vocabulary if (edits := edit_distance(word, other)) <= most}


def test_follow_up_questions_take_the_topic_along(marsh: Library) -> None:
    query = Query("where does it nest", history=("tell me about the white stork",))
    assert names(marsh, query, "follow_up() >> bm25")[0] == "stork"
    clear = Query("trout anglers at dawn in cold rivers", history=("tell me about the water",))
    ranking = marsh.explain(clear, recipe="follow_up() >> bm25")
    assert ranking.query is not None
    assert ranking.query.text == clear.text


def test_a_whole_document_as_query(marsh: Library) -> None:
    text = " ".join([TEXTS["stork"]] * 3 + [TEXTS["trout"]])
    ranking = marsh.explain(text, recipe="keywords(terms=5, longer=5) >> bm25")
    assert ranking.query is not None
    assert len(ranking.query.sparse["bm25"]) == 5
    assert ranking.query.text == text
    assert names(marsh, text, "keywords(terms=5, longer=5) >> bm25")[0] == "stork"


def test_clauses() -> None:
    assert clauses("how do herons fish") == []
    assert clauses("how do herons fish, and where do storks nest?") == ["how do herons fish", "where do storks nest"]
    assert clauses("black and white birds") == []
    assert len(clauses("; ".join(f"clause number {n}" for n in range(30)))) == 8


def test_aspects_rank_what_either_clause_finds(marsh: Library) -> None:
    found = names(marsh, "a bird that booms in spring, and when to sweep a chimney", "aspects(bm25)", 2)
    assert set(found) == {"bittern", "chimney"}


# -- diversity -------------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.3, 0.7, 1.0]))
def test_marginal_order_is_the_greedy_definition(seed: int, balance: float) -> None:
    dice = np.random.default_rng(seed)
    n = 12
    relevance = np.sort(dice.random(n))[::-1]
    vectors = dice.standard_normal((n, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors @ vectors.T
    order = marginal_order(relevance, similarity, balance)
    chosen: list[int] = []
    for _ in range(n):
        left = [at for at in range(n) if at not in chosen]
        value = {
            at: balance * relevance[at] - (1 - balance) * max((similarity[at, other] for other in chosen), default=0.0)
            for at in left
        }
        chosen.append(max(left, key=lambda at: (value[at], -at)))
    assert order.tolist() == chosen


def test_fold_leaves_out_copies(marsh: Library) -> None:
    plain = names(marsh, "grey heron in shallow water", "bm25")
    assert {"heron", "copy"} <= set(plain)
    folded = names(marsh, "grey heron in shallow water", "bm25 >> fold(threshold=0.6)")
    assert len({"heron", "copy"} & set(folded)) == 1
    assert names(marsh, "grey heron in shallow water", "hybrid >> mmr(balance=1)") == names(
        marsh, "grey heron in shallow water", "hybrid"
    )


# -- mistakes and names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("rm3() >> bm25", 1, "rm3 needs hits, and nothing before it gives any"),
        ("bm25 >> rm3()", 9, "gives a query; end it with a retriever"),
        ("bm25 >> dense", 9, "starts a new search"),
        ("bm25 >> rm3() >> dens", 18, "did you mean 'dense'"),
        ('bm25 >> mmr(on="minilm")', 17, "'minilm'"),
        ('bm25 >> mmr(on="bm25")', 9, "is sparse"),
        ("bm25 >> token_feedback() >> bm25", 9, "add some with: bookwheel"),
    ],
)
def test_a_recipe_is_checked_before_it_runs(text: str, column: int, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        validate(parse_recipe(text), {"bm25": "sparse", "dense": "dense"})
    assert str(caught.value).startswith(f"recipe, column {column}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bm25 >> rm3(docs=0) >> bm25", "docs must be a whole number from 1 to 1000"),
        ("bm25 >> rm3(docs=1.5) >> bm25", "docs of rm3 must be a whole number, not 1.5"),
        ("bm25 >> rm3(docs=True) >> bm25", "must be a whole number"),
        ("bm25 >> rm3(dcos=3) >> bm25", "has no parameter 'dcos'; it is written rm3(docs=10"),
        ("bm25 >> rm3(1, docs=2) >> bm25", "given twice"),
        ("bm25 >> rm3(1, 2, 0.5, 4) >> bm25", "at most 3 arguments and has 4"),
        ("bm25 >> interpolate()", "lacks by"),
        ("bm25 >> interpolate(bm25 + dense)", "by one retriever"),
        ("rrf()", "takes one recipe or more"),
        ("rrf(rm3(), bm25)", "gives a query"),
        ("2*rm3()", "'*' weighs a ranking, but rm3() gives a query"),
        ("rm3() + bm25", "'+' fuses rankings"),
        ("bm25 >> (rm3() % 10)", "'%' cuts a ranking"),
        ("normalised(bm25, 'nosuch')", "must be one of"),
        ("bm25 >> rm3(**x)", "'**' is not allowed"),
    ],
)
def test_wrong_arguments_are_told(text: str, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text)
    assert words in str(caught.value)
    assert str(caught.value).split("\n")[2].strip() == "^"


def test_recipes_are_kept_in_the_library(marsh: Library) -> None:
    marsh.save_recipe("mine", "bm25 >> mmr()")
    assert marsh.recipes == {"mine": "bm25 >> mmr()"}
    np.testing.assert_array_equal(
        marsh.rank("stork", recipe="mine % 3").ids, marsh.rank("stork", recipe="(bm25 >> mmr()) % 3").ids
    )
    marsh.save_recipe("other", "mine >> fold()")
    assert marsh.recipes["other"] == "bm25 >> mmr() >> fold()"
    for name in ("bm25", "hybrid", "rm3", "no good", "1st", "dense"):
        with pytest.raises(RecipeError):
            marsh.save_recipe(name, "bm25")
    with pytest.raises(RecipeError):
        marsh.save_recipe("broken", "bm25 >> nothing()")
    marsh.remove_recipe("other")
    assert list(marsh.recipes) == ["mine"]
    with pytest.raises(RecipeError, match="has no saved recipe"):
        marsh.remove_recipe("other")


def test_many_queries_on_threads_are_ranked_as_one_by_one(marsh: Library) -> None:
    queries = ["stork", "heron in water", "spring", "hail"] * 3
    for recipe in ("hybrid", "bm25 >> rm3() >> bm25", "spell() >> dense"):
        together = marsh.rank_many(queries, 5, recipe, threads=3)
        for query, hits in zip(queries, together, strict=True):
            alone = marsh.rank(query, 5, recipe=recipe)
            np.testing.assert_array_equal(hits.ids, alone.ids)
            np.testing.assert_allclose(hits.scores, alone.scores, rtol=1e-6)


def test_shared_prefixes_run_once(marsh: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.library.retrieval.bm25 import Bm25Retriever
    from bookwheel.library.retrieval.context import LibraryContext

    count: Counter[str] = Counter()
    retrieve, terms = Bm25Retriever.retrieve, LibraryContext.terms

    def counted(self: Bm25Retriever, depth: int) -> Hits:
        count["bm25"] += 1
        return retrieve(self, depth)

    def read(self: LibraryContext, ids: np.ndarray) -> list[dict[str, int]]:
        count["texts"] += 1
        return terms(self, ids)

    monkeypatch.setattr(Bm25Retriever, "retrieve", counted)
    monkeypatch.setattr(LibraryContext, "terms", read)
    recipes = ["bm25", "bm25 >> rm3() >> bm25", "bm25 >> rm3() >> dense", "bm25 % 5 >> mmr()", "bm25 + dense"]
    marsh.rank_recipes(["stork in water"], recipes, 4)
    assert count == {"bm25": 2, "texts": 1}  # the query's own list, and that of the query which rm3 made


def test_explain_tells_time_and_candidates(marsh: Library) -> None:
    ranking = marsh.explain("stork in shallow water", 3, recipe="bm25 % 6 >> rm3(docs=2) >> 0.5*bm25 + 0.5*dense >> mmr()")
    assert ranking.trace is not None
    told = [(stage.recipe, stage.depth, stage.before, stage.after) for stage in ranking.trace.stages]
    assert [line[:2] for line in told] == [
        ("bm25", 0),
        ("rm3(docs=2)", 0),
        ("fuse", 0),
        ("bm25", 1),
        ("dense", 1),
        ("mmr()", 0),
    ]
    assert told[1][3] is None
    assert told[-1][3] == 3
