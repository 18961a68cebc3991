"""Rerankers and rewriting as stages of recipes, on a real library."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document, Library, ModelError, RecipeError
from bookwheel._allowed import allow
from bookwheel.language import close_models
from bookwheel.rank import Hits, Query, parse_recipe
from bookwheel.rank.stages.rerank.neighbours import propagated, similarity_graph
from bookwheel.rank.stages.reranking import Reranked, combine

TEXTS = {
    "heron": "The grey heron stands in shallow water and waits for fish.",
    "stork": "The white stork nests on chimneys and eats frogs in shallow water.",
    "storm": "A storm brought hail and heavy rain and broke the reeds along the river.",
    "trout": "Trout are fish of cold rivers; anglers wait for them at dawn.",
    "chimney": "A chimney must be swept each spring or birds may nest on it.",
    "bittern": "The bittern hides in the reeds and booms in spring.",
}


@pytest.fixture(scope="module")
def marsh(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder = Path(tmp_path_factory.mktemp("reranked")) / "library"
    library = bookwheel.open(folder, create=True, unit="document", language="english")
    library.add([Document(id=name, text=text) for name, text in TEXTS.items()])
    return library


@pytest.fixture
def server() -> Iterator[tuple[str, list[Callable[[str], str]]]]:
    """A language model's address, and a list whose one item answers prompts."""
    pytest.importorskip("httpx", reason="httpx is not installed")
    replies: list[Callable[[str], str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            data = json.dumps({"choices": [{"message": {"content": replies[0](body["messages"][-1]["content"])}}]}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    name = f"http://127.0.0.1:{made.server_address[1]}/v1#m"
    allow(name)
    yield name, replies
    close_models()
    made.shutdown()
    made.server_close()


def names(library: Library, query: str | Query, recipe: str, k: int = 6) -> list[str]:
    return [result.id for result in library.search(query, k, recipe=recipe)]


# -- rewriting -----------------------------------------------------------------------------------------------------------


def test_a_rewritten_query_is_searched(marsh: Library, server) -> None:
    name, replies = server
    replies.append(lambda prompt: "trout anglers")
    recipe = f'rewrite("{name}") >> bm25'
    assert names(marsh, "early risers with rods", recipe)[0] == "trout"
    found = marsh.explain("early risers with rods", recipe=recipe)
    assert any("trout anglers" in note for note in found.notes)


def test_a_follow_up_question_is_completed(marsh: Library, server) -> None:
    name, replies = server
    replies.append(lambda prompt: "where does the white stork nest" if "- what is a stork" in prompt else "wrong")
    query = Query("where does it nest?", history=("what is a stork?",))
    assert names(marsh, query, f'rewrite("{name}") >> bm25')[0] == "stork"


def test_an_expansion_is_added(marsh: Library, server) -> None:
    name, replies = server
    replies.append(lambda prompt: "Herons wait for fish in shallow water.")
    assert names(marsh, "long legged hunter", "bm25") == []
    for recipe in (f'expand("{name}", weight=0.5) >> bm25', f'expand("{name}") >> (bm25 + dense)'):
        assert names(marsh, "long legged hunter", recipe)[0] == "heron"


def test_expansions_that_read_the_first_passages(marsh: Library, server) -> None:
    name, replies = server
    seen: list[str] = []

    def reply(prompt: str) -> str:
        seen.append(prompt)
        return "The bittern hides in the reeds and booms in spring."

    replies.append(reply)
    for stage in ("steer", "expand_seen"):
        found = names(marsh, "reeds", f'bm25 >> {stage}("{name}", docs=2, weight=0.6) >> bm25')
        assert found[0] == "bittern"
        assert "[1] " in seen[-1]
        assert "hides in the reeds" in seen[-1]


@pytest.mark.parametrize("stage", ["rewrites", "decompose"])
def test_several_queries_are_fused(marsh: Library, server, stage) -> None:
    name, replies = server
    replies.append(lambda prompt: "1. heron fish\n2. trout anglers")
    found = names(marsh, "chimney", f'{stage}(bm25, 2, model="{name}", own=0.6)')
    assert set(found) >= {"chimney", "heron", "trout", "stork"}
    assert found[0] == names(marsh, "chimney", "bm25")[0]


@pytest.mark.parametrize(
    "recipe",
    [
        'rewrite("MODEL") >> bm25',
        'expand("MODEL") >> bm25',
        'bm25 >> steer("MODEL") >> bm25',
        'bm25 >> expand_seen("MODEL") >> bm25',
        'rewrites(bm25, model="MODEL")',
        'decompose(bm25, model="MODEL")',
        'bm25 >> listwise(5, model="MODEL")',
    ],
)
def test_a_model_that_fails_costs_nothing_but_its_help(marsh: Library, server, recipe) -> None:
    name, replies = server
    replies.append(lambda prompt: "")
    plain = names(marsh, "shallow water fish", "bm25")
    gone = "http://127.0.0.1:9/v1#gone"
    for model in (name, gone):
        found = marsh.explain("shallow water fish", recipe=recipe.replace("MODEL", model), seconds=1.0)
        assert names(marsh, "shallow water fish", recipe.replace("MODEL", model)) == plain
        if not (model == name and "listwise" in recipe):
            assert any("skipped" in note for note in found.notes)


@pytest.mark.parametrize("recipe", ['rewrite("no-such-model") >> bm25', 'expand("hub") >> bm25'])
def test_a_model_that_is_not_there_does_not_stop_rewriting(marsh: Library, recipe) -> None:
    assert names(marsh, "shallow water fish", recipe) == names(marsh, "shallow water fish", "bm25")


# -- rerankers ----------------------------------------------------------------------------------------------------------


def test_listwise_orders_by_what_the_model_writes(marsh: Library, server) -> None:
    name, replies = server
    before = names(marsh, "shallow water fish", "bm25")
    replies.append(lambda prompt: "[3] > [1]")
    assert names(marsh, "shallow water fish", f'bm25 >> listwise(20, model="{name}")') == [before[2], before[0], before[1]]
    # Only the candidates asked for are shown; the rest follow.
    replies[0] = lambda prompt: "[2] > [1]"
    assert names(marsh, "shallow water fish", f'bm25 >> listwise(2, model="{name}")') == [before[1], before[0], before[2]]


def test_a_tiny_model_reranks_in_a_recipe(marsh: Library, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    from language_tiny import saved

    folder = saved(tmp_path / "tiny")
    plain = names(marsh, "shallow water fish", "bm25")
    for stage in (
        f'likelihood(2, model="{folder}")',
        f'likelihood(2, model="{folder}", weight=1, combine="mean")',
        f'attention(2, model="{folder}", heads="all")',
        f'attention(2, model="{folder}", heads="all", layout="together", weight=1)',
        f'listwise(2, model="{folder}")',
    ):
        found = names(marsh, "shallow water fish", f"bm25 >> {stage}")
        assert sorted(found) == sorted(plain)
        assert found[2:] == plain[2:]
    ranking = marsh.explain("shallow water fish", recipe=f'bm25 >> likelihood(3, model="{folder}", seconds=0.001)')
    assert [note for note in ranking.notes if "had time for" in note]
    close_models()


def test_what_a_reranker_lacks_is_told(marsh: Library) -> None:
    with pytest.raises(RecipeError, match="cross needs a model"):
        parse_recipe("bm25 >> cross(20)")
    with pytest.raises(ModelError, match="cross"):
        marsh.search("shallow water", recipe='bm25 >> cross(20, model="/no/such/folder")')
    with pytest.raises(ModelError, match="there is no language model"):
        marsh.search("shallow water", recipe='bm25 >> likelihood(20, model="nothing-there")')
    with pytest.raises(RecipeError, match="token vectors"):
        marsh.search("shallow water", recipe="bm25 >> late(10)")


def test_neighbours_lift_what_is_like_the_best(marsh: Library) -> None:
    plain = names(marsh, "shallow water fish", "bm25")
    assert names(marsh, "shallow water fish", "bm25 >> neighbours(weight=0)") == plain
    assert sorted(names(marsh, "shallow water fish", "bm25 >> neighbours()")) == sorted(plain)


# -- scores --------------------------------------------------------------------------------------------------------------


def test_propagation_solves_its_equation() -> None:
    rng = np.random.default_rng(0)
    vectors, scores = rng.normal(size=(30, 8)), rng.normal(size=30)
    graph = similarity_graph(vectors, 5)
    assert np.all(graph >= 0)
    np.testing.assert_allclose(graph.sum(1), 1)
    assert ((graph > 0).sum(1) <= 5).all()
    found = propagated(scores, graph, 0.6)
    np.testing.assert_allclose(found, 0.4 * scores + 0.6 * graph @ found, atol=1e-12)
    mixed = scores
    for _ in range(200):
        mixed = 0.4 * scores + 0.6 * graph @ mixed
    np.testing.assert_allclose(mixed, found, atol=1e-12)
    np.testing.assert_allclose(propagated(scores, graph, 0.0), scores)
    np.testing.assert_allclose(propagated(np.ones(30), graph, 0.7), 1)


def test_graphs_of_odd_vectors() -> None:
    same = similarity_graph(np.ones((4, 3)), 2)
    np.testing.assert_array_equal(same, np.eye(4))
    some = similarity_graph(np.array([[0, 0], [1, 0], [1, 0.1], [0, 1.0]]), 2)
    assert some[0, 0] == 1
    assert some[1, 2] == pytest.approx(1)
    assert similarity_graph(np.ones((1, 3))).shape == (1, 1)


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5) | st.none()), min_size=1, max_size=12), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_what_was_done_comes_first_and_nothing_is_lost(pairs, weight) -> None:
    hits = Hits.ranked(np.arange(len(pairs)), np.array([old for old, _ in pairs], np.float32))
    found = Reranked.of([new for _, new in pairs])
    ranked = combine(hits, found, weight, "new")
    done = int(found.done.sum())
    assert sorted(ranked.ids.tolist()) == sorted(hits.ids.tolist())
    assert (np.diff(ranked.scores) <= 0).all()
    assert set(ranked.ids[:done].tolist()) == set(hits.ids[found.done].tolist())
    assert ranked.ids[done:].tolist() == hits.ids[~found.done].tolist()
    if done and weight == 1:
        np.testing.assert_array_equal(ranked.scores[:done], np.sort(found.scores[found.done])[::-1])


def test_a_search_without_time_left_loads_no_model(marsh: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    from bookwheel.rank.stages.rerank import likelihood

    def load(_name: str) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(likelihood, "language_model", load)
    ranking = marsh.explain("water fish", 3, recipe="bm25 >> likelihood(3)", seconds=1e-9)
    np.testing.assert_array_equal(ranking.hits.ids, marsh.rank("water fish", 3, recipe="bm25").ids)
    assert "likelihood had no time left" in ranking.notes
