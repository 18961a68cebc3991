"""Feedback and rewriting never fail where plain search answers: any query, any collection of words, any answer of a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import BookwheelError, Document, ModelError
from bookwheel.encode.protocols import TokenVectors
from bookwheel.library.resources import Resources
from bookwheel.rank import Query
from bookwheel.rank.runner import Runner

TEXTS = [
    "The grey heron stands in shallow water with hunched shoulders, waiting for fish.",
    "The bittern is a wading bird that hides in the reeds and booms in spring.",
    "A storm brought hail and heavy rain; the wind broke the reeds along the river.",
    "Der Reiher steht im Wasser. Élan, naïve, 水鳥 and x-ray; year 2020.",
    "The grey heron stands in shallow water with hunched shoulders, waiting for fish today.",
    "1 2 3 4 5",
    "the the the of of and",
    "heron",
    "?",
]
STAGES = [
    "bm25 >> rm3() >> bm25",
    "hybrid >> rm3(docs=3, terms=1000, weight=0) >> hybrid",
    "dense >> rm3() >> bm25",
    "bm25 >> rocchio(gamma=0.5, docs=2) >> bm25",
    "bm25 >> rocchio(alpha=0) >> bm25",
    "dense >> vector_feedback() >> dense",
    'bm25 >> vector_feedback(docs=2, method="rocchio", alpha=0, beta=0) >> dense',
    "hybrid >> sentences() >> hybrid",
    'bm25 >> guard(rm3(), measure="clarity", above=0) >> bm25',
    "hybrid >> guard(rocchio(), above=-1) >> hybrid",
    "hybrid >> late(20) >> token_feedback() >> late(20)",
    'bm25 >> token_feedback(docs=1, clusters=1, keep=1, on="letters") >> late(20)',
    "keywords(terms=2, longer=1) >> hybrid",
    "spell(rare=3) >> hybrid",
    "follow_up() >> hybrid",
    "syntax() >> hybrid",
    "aspects(hybrid)",
    "rrf(bm25, dense >> rm3() >> bm25)",
    "bm25 >> neighbours() >> mmr() >> fold()",
]
_PLAIN = ["heron", "herno", "the", "reeds", "水鳥", "élan", "x-ray", "2020", "zzz", "and", "or", ";", "?", "a" * 300]
_SIGNS = ['"', '"shallow water"', "+heron", "-reeds", "year:2020", "title:", "like:#1", "unlike:#2", "like:0", "\0", "\ud800"]
WORDS = st.sampled_from([*_PLAIN, *_SIGNS])
QUERIES = st.one_of(st.lists(WORDS, max_size=8).map(" ".join), st.text(max_size=60))
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Tokens:
    """One vector a word, by its letters."""

    name, revision, sha256, dimension = "letters", "1", "0" * 64, 16

    def encode(self, texts: Sequence[str]) -> TokenVectors:
        counts, rows, spans = [0], [], []
        for text in texts:
            for match in list(re.finditer(r"\w+", text))[:20]:
                vector = np.random.default_rng(sum(map(ord, match[0]))).normal(size=16)
                rows.append(vector / np.linalg.norm(vector))
                spans.append(match.span())
            counts.append(len(rows))
        vectors = np.array(rows, np.float32).reshape(-1, 16)
        return TokenVectors(np.array(counts, np.int64), vectors, np.array(spans, np.int32).reshape(-1, 2))

    encode_queries = encode


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> bookwheel.Library:
    made = bookwheel.open(
        Path(tmp_path_factory.mktemp("queries")) / "library", create=True, unit="document", language="english"
    )
    made.add([Document(id=str(n), text=text, metadata={"year": 2018 + n}) for n, text in enumerate(TEXTS)])
    made.add_encoder("letters", Tokens(), kind="tokens")
    made.embed()
    return made


def answered(library: bookwheel.Library, query: Query) -> bool:
    """Whether plain search takes the query: an unpaired surrogate, say, it refuses in one sentence."""
    try:
        library.rank(query, 3, recipe="hybrid")
    except BookwheelError:
        return False
    return True


@pytest.mark.parametrize("recipe", STAGES)
@quick
@given(text=QUERIES, history=st.lists(QUERIES, max_size=2))
def test_no_stage_fails_for_a_query_that_plain_search_answers(
    library: bookwheel.Library, recipe: str, text: str, history: list[str]
) -> None:
    query = Query(text, history=tuple(history))
    if not answered(library, query):
        return
    # Strict: what a stage raises is not taken for "skipped".
    chosen = library.recipe(recipe)
    hits = Runner(library._searcher.context(), strict=True).ranking(chosen, query, 3).hits
    assert len(hits) <= 3
    assert np.isfinite(hits.scores).all()


class Says:
    """A language model that gives one answer to everything."""

    name = "says"

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def generate(self, prompts: Sequence[str], **_: object) -> list[str]:
        return [self.answer for _ in prompts]


MODEL_STAGES = [
    "rewrite() >> hybrid",
    "expand() >> hybrid",
    "rewrites(hybrid)",
    "decompose(hybrid)",
    "bm25 >> expand_seen() >> hybrid",
    "hybrid >> steer() >> hybrid",
]


@pytest.mark.parametrize("recipe", MODEL_STAGES)
@quick
@given(text=QUERIES, answer=st.one_of(QUERIES, st.sampled_from(["", "1. heron\n2. reeds", TEXTS[0], "sure:\n\n- a\n- b"])))
def test_whatever_a_model_says_costs_no_answer(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch, recipe: str, text: str, answer: str
) -> None:
    from bookwheel.language.answer_cache import AnswerCache
    from bookwheel.rank.stages import asking

    query = Query(text)
    if not answered(library, query):
        return
    monkeypatch.setattr(asking, "language_model", lambda _name: Says(answer))
    monkeypatch.setattr(asking, "AnswerCache", lambda _path: AnswerCache())
    library._searcher.resources = Resources()
    chosen = library.recipe(recipe)
    context = library._searcher.context()
    with suppress(ModelError):  # an answer of no use, which is the one thing that may go wrong
        Runner(context, strict=True).ranking(chosen, query, 3)
    assert np.isfinite(library.rank(query, 3, recipe=recipe).scores).all()
