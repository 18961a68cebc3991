"""What a tuner must not get wrong: scores are those of real searches, gains are real, limits are kept, interruption is no loss."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import bookwheel
from bookwheel import BudgetError, InputError, ModelError, RecipeError, UsageError, parse_recipe
from bookwheel.evaluate import Collection, measure
from bookwheel.kernels.bm25 import Bm25
from bookwheel.library.trial import TrialReader
from bookwheel.tune import tune
from bookwheel.tune.clock import Clock
from bookwheel.tune.design import Trial
from bookwheel.tune.journal import Journal
from bookwheel.tune.judged import Judged, judged_queries
from bookwheel.tune.made import made_collection
from bookwheel.tune.scores import Scorer
from bookwheel.tune.search import Search
from bookwheel.tune.tuning import Tuner

RECIPES = [
    "bm25", "dense", "0.3*bm25 + 0.7*dense", "0.7*bm25 % 30 + 0.3*dense % 300", 'normalised(bm25 + dense, by="zscore")',
    "rrf(bm25, dense)", "hybrid >> rm3() >> hybrid", "hybrid >> rm3(docs=3) >> hybrid >> neighbours()",
    'spell() >> normalised(bm25 + dense, by="minmax") >> vector_feedback() >> normalised(bm25 + dense, by="minmax")',
    "bm25 % 50 >> interpolate(dense)",
]  # fmt: skip


def test_scores_from_what_is_kept_are_those_of_searches(library: bookwheel.Library, planted: Collection) -> None:
    places = np.arange(len(planted.queries))
    with TrialReader(library.path) as reader:
        scorer = Scorer(reader, planted.queries, planted.qrels)
        found = {}
        for bm25 in (Bm25(0.6, 0.3), Bm25(2.0, 0.9), Bm25(0.6, 0.3)):
            for recipe in RECIPES:
                found[recipe, bm25] = scorer.scores(Trial(parse_recipe(recipe), bm25), places)
    for bm25 in (Bm25(0.6, 0.3), Bm25(2.0, 0.9)):
        library.configure(k1=bm25.k1, b=bm25.b)
        for recipe in RECIPES:
            rankings = library.rank_documents(list(planted.queries.values()), 10, recipe=recipe)
            run = dict(zip(planted.queries, rankings, strict=True))
            real = measure(run, planted.qrels, ["nDCG@10"]).values[0]
            np.testing.assert_array_equal(found[recipe, bm25], real, err_msg=recipe)


def test_a_better_recipe_is_found_and_saved_with_its_evidence(
    library: bookwheel.Library, planted: Collection, quick: None
) -> None:
    told = tune(library, planted, name="best")
    assert not told.kept, str(told)
    assert told.chosen.recipe == "dense"
    assert told.chosen.score == pytest.approx(1.0)
    assert told.gain is not None
    assert told.gain.low > 0
    assert library.recipes["best"] == "dense"
    assert library.recipe_evidence()["best"]["gain"]["mean"] == told.gain.mean
    assert "retrievers" in str(told)
    library.save_recipe("best", "bm25")
    assert "best" not in library.recipe_evidence(), "the evidence was for another recipe"


@pytest.mark.parametrize(
    ("noise", "rivals", "reason"),
    [
        (0.01, 0.1, ""),
        (10, 0.1, "the made queries cannot order these recipes"),
        (0.01, 0.5, "the made queries have more answers than are known: for 50% of them"),
    ],
)
def test_without_judgments_questions_are_made_and_decide_as_far_as_they_are_trusted(
    library: bookwheel.Library, quick: None, monkeypatch: pytest.MonkeyPatch, noise: float, rivals: float, reason: str
) -> None:
    def panel(library: object, made: Collection, **given: object) -> SimpleNamespace:
        queries = tuple(made.queries)
        strength = np.linspace(0, 1, 30)[:, None] * np.ones(len(queries))
        draw = np.random.default_rng(0).normal(0, noise, strength.shape)
        return SimpleNamespace(values=strength + draw, queries=queries)

    monkeypatch.setattr("bookwheel.tune.judged.QUESTIONS", 60)
    monkeypatch.setattr("bookwheel.tune.reliability.panel_scores", panel)
    monkeypatch.setattr("bookwheel.tune.reliability.rivals", lambda library, made: rivals)
    told = tune(library, name=None)
    assert "questions were made of the library" in str(told)
    assert told.library == str(library.path)
    assert told.baseline.score > 0.2
    if reason:
        assert told.kept
        assert told.gain is None
        assert str(told).startswith(f"Not decided: kept 0.5*bm25 + 0.5*dense; {reason}")
    else:
        assert told.gain is not None
        assert "expected tau" in str(told)


def test_made_queries_searched_in_the_library_itself_take_no_rankings_of_the_copy_without_their_words(
    library: bookwheel.Library, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.tune.judged.QUESTIONS", 20)
    monkeypatch.setattr("bookwheel.tune.reliability.measured_trust", lambda *_, **__: SimpleNamespace(refusal="too few"))
    masked = tune(library, name=None)
    made = made_collection(library, 20)
    monkeypatch.setattr("bookwheel.tune.tuning.judged_library", refused)
    told = tune(library, Collection("made", made.queries, made.qrels), name=None)
    assert "An earlier run's rankings were used." not in told.notes
    assert told.baseline.score > masked.baseline.score, "they find their own words"
    assert "An earlier run's rankings were used." in tune(library, made, name=None).notes


def test_noise_is_no_gain(library: bookwheel.Library, noise: Collection, quick: None) -> None:
    told = tune(library, noise)
    assert told.kept
    assert str(told).startswith("No gain: kept 0.5*bm25 + 0.5*dense")
    assert told.chosen == told.baseline
    assert library.recipes == {}


def test_what_is_chosen_keeps_the_limits(
    library: bookwheel.Library, planted: Collection, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compare(self: Clock, trials: list[Trial], rounds: int = 1) -> list[tuple[float, float]]:
        return [(1.0, 30.0 if "dense" in str(trial.recipe) else 2.0) for trial in trials]

    monkeypatch.setattr(Clock, "compare", compare)
    told = tune(library, planted, latency="20ms")
    assert not told.kept, "the library's own recipe is too slow"
    assert told.chosen.p95 <= 20
    assert "dense" not in told.chosen.recipe
    assert "over the limit of 20 ms" in str(told)
    monkeypatch.setattr(Clock, "compare", lambda self, trials, rounds=1: [
        (1.0, 9.0 if rounds == 2 or str(trial.recipe) == "bm25" else 50.0) for trial in trials
    ])  # fmt: skip
    told = tune(library, planted, latency="10ms", name=None)
    assert told.chosen.recipe == "bm25"
    assert "50.0 ms, over the limit of 10 ms in the last timing: bm25 is taken instead" in str(told)
    monkeypatch.setattr(Clock, "compare", compare)
    with pytest.raises(BudgetError, match=r"no recipe answers within 1 ms: bm25, the fastest, takes 2\.0 ms"):
        tune(library, planted, latency=1)


def refused(library: bookwheel.Library, judgments: Collection, *_: object) -> AbstractContextManager[Judged]:
    return nullcontext(replace(judged_queries(library, judgments), refusal="the made queries are too few"))


def test_where_nothing_is_decided_the_report_says_what_was_taken_for_the_limits(
    library: bookwheel.Library, planted: Collection, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {"0.5*bm25 + 0.5*dense": 30.0, "bm25": 2.0, "dense": 3.0}
    monkeypatch.setattr(Clock, "compare", lambda self, trials, rounds=1: [
        (1.0, times.get(str(trial.recipe), 30.0)) for trial in trials
    ])  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr("bookwheel.tune.tuning.judged_library", refused)
        told = tune(library, planted, latency="20ms")
        assert (told.kept, told.saved, told.chosen.recipe) == (False, "tuned", "bm25")
        assert str(told).startswith(
            "Not decided, but the library's own recipe, 0.5*bm25 + 0.5*dense, is over the limits: took bm25, the first that keeps them; "
            "the made queries are too few."
        )
        assert "kept" not in str(told)
        assert "the best within the limits" not in str(told)
        assert tune(library, planted, latency="40ms", name=None).verdict().startswith("Not decided: kept 0.5*bm25 + 0.5*dense;")
    monkeypatch.setattr(Tuner, "_cross_validated", lambda self, first: (None, False))
    monkeypatch.setattr(Search, "run", lambda self: self.best)
    told = tune(library, planted, latency="20ms", name=None)
    assert "is over the limits: took bm25, the best so far that keeps them; the time was too short" in str(told)


def test_refused_judgments_choose_nothing_where_nothing_keeps_the_limits_in_the_end(
    library: bookwheel.Library, planted: Collection, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clock, "compare", lambda self, trials, rounds=5: [(1.0, 9.0 if rounds == 2 else 50.0) for _ in trials])
    monkeypatch.setattr("bookwheel.tune.tuning.judged_library", refused)
    told = tune(library, planted, latency="10ms")
    assert told.kept
    assert library.recipes == {}
    assert str(told).startswith("Not decided: kept 0.5*bm25 + 0.5*dense; the made queries are too few.")
    assert "nothing that was timed kept the limits, so time it again" in str(told)
    # and the scores of what was refused do not put one before the other
    monkeypatch.setattr(Clock, "compare", lambda self, trials, rounds=5: [
        (1.0, 50.0 if rounds != 2 and "+" in str(trial.recipe) else 9.0) for trial in trials
    ])  # fmt: skip
    assert tune(library, planted, latency="10ms", name=None).chosen.recipe == "bm25"


def test_timings_of_an_earlier_run_are_taken_roughly_and_for_an_hour(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    timed: list[int] = []

    def measured(self: Clock, trials: list[Trial], rounds: int) -> list[list[float]]:
        timed.append(rounds)
        return [[1.0, 2.0] for _ in trials]

    def run() -> list[int]:
        timed.clear()
        clock = Clock(reader, ["words"], Journal(tmp_path, "run"))
        for _ in range(2):
            clock.p95(trial)
            clock.compare([trial])
        return list(timed)

    monkeypatch.setattr(Clock, "_measured", measured)
    with TrialReader(library.path) as reader:
        trial = Trial(parse_recipe("bm25"), reader.bm25)
        assert run() == [2, 5]
        assert run() == [5], "the rough timing is of a run that was interrupted just now"
        now = time.time()
        with monkeypatch.context() as patch:
            patch.setattr("time.time", lambda: now + 3700)
            assert run() == [2, 5]
        Journal(tmp_path, "run").add_fact("ended", "at", now + 7200)
        assert run() == [2, 5]


def test_a_busy_moment_refuses_no_later_run(
    library: bookwheel.Library, planted: Collection, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    took = 50.0
    monkeypatch.setattr(Clock, "_measured", lambda self, trials, rounds: [[took, took] for _ in trials])
    monkeypatch.setattr("bookwheel.tune.tuning.judged_library", refused)
    with pytest.raises(BudgetError, match=r"takes 50\.0 ms"):
        tune(library, planted, latency="10ms")
    took = 2.0
    assert tune(library, planted, latency="10ms").chosen.p95 == 2
    took = 60.0
    with pytest.raises(BudgetError, match=r"takes 60\.0 ms"):
        tune(library, planted, latency="10ms")


def test_memory_over_the_limit_is_not_chosen(
    library: bookwheel.Library, planted: Collection, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def planned(self: TrialReader, recipe: bookwheel.Recipe) -> int:
        return (400 if "dense" in recipe.retrievers() else 200) << 20

    monkeypatch.setattr(TrialReader, "planned_bytes", planned)
    told = tune(library, planted, ram="300MB", name=None)
    assert told.chosen.planned <= 300 << 20
    assert told.chosen.recipe.startswith("bm25")
    monkeypatch.setattr(TrialReader, "planned_bytes", lambda self, recipe: 500 << 20)
    with pytest.raises(BudgetError, match="bm25 alone needs 500 MB and the limit is 300 MB"):
        tune(library, planted, ram="300MB")


def test_an_interrupted_run_goes_on_and_ends_alike(
    library: bookwheel.Library, planted: Collection, quick: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import shutil

    whole = shutil.copytree(library.path, tmp_path / "whole")
    run = Search._bm25

    def stopped(self: Search) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Search, "_bm25", stopped)
        with pytest.raises(KeyboardInterrupt):
            tune(library, planted, name=None)
    (file,) = (library.path / "tuning").iterdir()
    with file.open("ab") as torn:
        torn.write(b'{"trial": "dense | 1.2 0.75", "at": [1')
    assert Search._bm25 is run
    again = tune(library, planted, name=None)
    alone = tune(str(whole), planted, name=None)
    assert "An earlier run's rankings were used." in again.notes
    assert again.rankings < alone.rankings
    assert (again.chosen.recipe, again.chosen.k1, again.chosen.b) == (alone.chosen.recipe, alone.chosen.k1, alone.chosen.b)
    assert again.gain == alone.gain


def test_seconds_are_enough_for_a_sentence(library: bookwheel.Library, planted: Collection, quick: None) -> None:
    started = time.monotonic()
    told = tune(library, planted, minutes=0.0001)
    assert time.monotonic() - started < 20
    assert told.kept
    assert not told.complete
    assert "the same command goes on" in str(told)


def test_bad_input_is_one_sentence(library: bookwheel.Library, planted: Collection, tmp_path: Path) -> None:
    others = Collection("others", planted.queries, {query: {"nowhere": 1} for query in planted.queries})
    one = Collection("one", {"q0": planted.queries["q0"]}, {"q0": planted.qrels["q0"]})
    none = Collection("none", planted.queries, {})
    cases = [
        (lambda: tune(library, others), InputError, "none of the 1 relevant documents of others is in the library"),
        (lambda: tune(library, one), InputError, "one has 1 judged query for this library; choosing needs at least 10"),
        (lambda: tune(library, none), InputError, "none has 0 judged queries"),
        (lambda: tune(library, planted, latency="-3ms"), UsageError, "latency must be a time above 0"),
        (lambda: tune(library, planted, latency=float("nan")), UsageError, "latency must be a time above 0"),
        (lambda: tune(library, planted, ram="10MB"), BudgetError, "at least 256 MB"),
        (lambda: tune(library, planted, minutes=0), UsageError, "minutes must be a number above 0"),
        (lambda: tune(library, planted, measure="AP"), UsageError, "a measure with a cut-off"),
        (lambda: tune(library, planted, name="hybrid"), RecipeError, "already the name of a recipe"),
        (lambda: tune(library, planted, name="a b"), RecipeError, "cannot name a retriever"),
        (lambda: tune(library, tmp_path / "nowhere"), InputError, "does not exist"),
    ]
    for call, kind, text in cases:
        with pytest.raises(kind, match=text) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert not (library.path / "tuning").exists(), "nothing was begun"


def test_a_reranker_that_is_not_there_is_told_at_once(library: bookwheel.Library, planted: Collection, quick: None) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        tune(library, planted, rerankers=["/nowhere/model"])


@pytest.mark.parametrize("what", ["models", "rerankers"])
def test_a_model_that_is_not_there_is_told_before_questions_are_made(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str
) -> None:
    monkeypatch.setattr("bookwheel.tune.made.made_collection", lambda *_, **__: pytest.fail("questions were made"))
    with pytest.raises(ModelError, match=tmp_path.name):
        tune(library, **{what: [str(tmp_path)]})


def test_a_library_without_vectors_is_tuned_too(
    prose: list[tuple[str, str]], texts: dict[str, str], tmp_path: Path, quick: None
) -> None:
    with bookwheel.open(tmp_path / "words", create=True, encoder=None, unit="document") as words:
        words.add([bookwheel.Document(str(number), text) for number, (_, text) in enumerate(prose[:60])], workers=1)
        hostile = {**texts, "long": "word " * 20_000, "nul": "a\0b"}
        judged = Collection(
            "own", hostile, {query: {query.removeprefix("q"): 1} for query in texts} | {"long": {"1": 1}, "nul": {"1": 1}}
        )
        told = tune(words, judged, name=None)
    assert "2 of 42 queries have no usable text" in str(told)
    assert told.chosen.recipe.startswith("bm25")
    assert told.chosen.score > 0.9
