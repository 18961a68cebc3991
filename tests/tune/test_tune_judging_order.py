"""When judging may stop, against every way in which the rest could be judged; and what is judged next."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bookwheel._errors import UsageError
from bookwheel.tune.judging.journal import Pooled
from bookwheel.tune.judging.order import LEAST, Order, parse_measure, pool_of
from bookwheel.tune.judging.strategies import STRATEGIES, Choice


def made(generator: np.random.Generator, recipes: int, queries: int, depth: int, documents: int) -> Pooled:
    runs = {
        f"r{r}": {f"q{q}": [f"d{d}" for d in generator.permutation(documents)[:depth]] for q in range(queries)}
        for r in range(recipes)
    }
    return Pooled({f"q{q}": f"query {q}" for q in range(queries)}, runs, depth)


@pytest.mark.parametrize("name", ["DCG@3", "P@2"])
def test_what_is_decided_is_what_no_judgments_can_change(name: str) -> None:
    generator = np.random.default_rng(5)
    measure = parse_measure(name)
    seen = set()
    for _ in range(60):
        pool = pool_of(made(generator, 3, 1, 3, 4))
        grades = generator.integers(0, 4, len(pool.pairs)).astype(float)
        unknown = np.flatnonzero(generator.random(len(grades)) < 0.4)
        grades[unknown] = np.nan
        order = Order(pool, measure, grades)
        values = []
        for rest in itertools.product(range(4), repeat=len(unknown)):
            full = grades.copy()
            full[unknown] = rest
            values.append(Order(pool, measure, full).lower)
        every = np.array(values)
        differences = every[:, order.first] - every[:, order.second]
        least, greatest = order.bounds
        np.testing.assert_allclose(differences.min(0), least, atol=1e-12)
        np.testing.assert_allclose(differences.max(0), greatest, atol=1e-12)
        np.testing.assert_allclose(every.min(0), order.lower, atol=1e-12)
        np.testing.assert_allclose(every.max(0), order.upper, atol=1e-12)
        outcomes = np.sign(np.where(np.abs(differences) < 1e-9, 0, differences))
        assert (order.decided == (outcomes == outcomes[0]).all(0)).all()
        seen |= set(order.decided.tolist())
        # What is worth nothing moves no difference that is open.
        for column, at in enumerate(unknown):
            moves = np.abs(order.contrast(order.unknown)[:, column])
            assert (order.worth(1.0)[at] > 0) == bool((moves[~order.decided] > 1e-12).any())
    assert seen == {True, False}


def simulated(pooled: Pooled, truth: dict[tuple[str, str], int], strategy: str, confidence: float) -> tuple[int, Order]:
    """Judge by the truth until nothing matters; how many judgments it took, and the order then."""
    pool = pool_of(pooled)
    grades = np.full(len(pool.pairs), np.nan)
    history: list[int] = []
    while True:
        order = Order(pool, parse_measure(f"DCG@{pooled.depth}"), grades)
        worth = order.worth(confidence)
        if not (worth > 0).any():
            return len(history), order
        at = STRATEGIES[strategy](Choice(order, (worth > 0) & np.isnan(grades), worth, tuple(history)))
        assert np.isnan(grades[at])
        assert worth[at] > 0
        grades = grades.copy()
        grades[at] = truth[pool.pairs[at]]
        history.append(at)


def world(seed: int) -> tuple[Pooled, dict[tuple[str, str], int]]:
    """Three recipes of clearly different quality over eight queries."""
    generator = np.random.default_rng(seed)
    truth = {(f"q{q}", f"d{d}"): int(generator.choice(4, p=[0.7, 0.1, 0.1, 0.1])) for q in range(8) for d in range(40)}
    runs: dict[str, dict[str, list[str]]] = {}
    for name, noise in (("good", 0.5), ("fair", 2.0), ("poor", 20.0)):
        runs[name] = {}
        for q in range(8):
            seen = [truth[f"q{q}", f"d{d}"] + noise * generator.standard_normal() for d in range(40)]
            runs[name][f"q{q}"] = [f"d{d}" for d in np.argsort(seen)[::-1][:8]]
    return Pooled({f"q{q}": "x" for q in range(8)}, runs, 8), truth


def test_active_judging_needs_fewer_judgments_for_the_same_order() -> None:
    taken = dict.fromkeys(STRATEGIES, 0)
    right = 0
    for seed in range(4):
        pooled, truth = world(seed)
        pool = pool_of(pooled)
        full = Order(pool, parse_measure("DCG@8"), np.array([float(truth[pair]) for pair in pool.pairs]))
        for strategy in STRATEGIES:
            count, order = simulated(pooled, truth, strategy, 1.0)
            assert (np.argsort(-order.expected) == np.argsort(-full.lower)).all(), "proof is proof"
            taken[strategy] += count
        count, order = simulated(pooled, truth, "minimal", 0.95)
        right += int((np.argsort(-order.expected) == np.argsort(-full.lower)).all())
        taken["sure"] = taken.get("sure", 0) + count
    assert taken["minimal"] < 0.8 * taken["depth"]
    assert taken["sure"] < 0.6 * taken["minimal"]
    assert right >= 3


def test_one_recipe_has_no_order_and_its_whole_pool_is_judged() -> None:
    pooled, truth = world(1)
    alone = Pooled(pooled.queries, {"good": pooled.runs["good"]}, 8)
    for strategy in STRATEGIES:
        assert simulated(alone, truth, strategy, 0.95)[0] == 64


def test_a_document_that_all_rank_alike_is_never_asked_for() -> None:
    runs = {"a": {"q": ["same", "x"]}, "b": {"q": ["same", "y"]}}
    order = Order(pool := pool_of(Pooled({"q": "?"}, runs, 2)), parse_measure("DCG@2"), np.full(3, np.nan))
    worth = dict(zip((document for _, document in pool.pairs), order.worth(1.0), strict=True))
    assert worth["same"] == 0
    assert worth["x"] == worth["y"] > 0


def test_the_bandit_follows_the_recipe_that_finds() -> None:
    runs = {"finds": {"q": [f"f{n}" for n in range(6)]}, "fails": {"q": [f"g{n}" for n in range(6)]}}
    pool = pool_of(Pooled({"q": "?"}, runs, 6))
    for strategy in ("maxmean", "move-to-front"):
        grades, history = np.full(12, np.nan), list[int]()
        for _ in range(7):
            order = Order(pool, parse_measure("DCG@6"), grades)
            at = STRATEGIES[strategy](Choice(order, np.isnan(grades), order.worth(1.0), tuple(history)))
            grades[at] = 2 if pool.pairs[at][1].startswith("f") else 0
            history.append(at)
        assert sum(pool.pairs[at][1].startswith("f") for at in history) == 6, strategy


def test_measures_that_cannot_be_bounded_are_refused() -> None:
    for text in ("nDCG@10", "DCG", "P@0", "AP", "DCG@99999"):
        with pytest.raises(UsageError, match="judging looks at DCG@k or P@k"):
            parse_measure(text)


def test_nothing_is_probable_before_somebody_has_judged() -> None:
    """One recipe returns many documents where the other returns one: by the prior alone it would win at once."""
    queries = {f"q{n}": "?" for n in range(6)}
    runs = {
        "few": {query: ["x"] for query in queries},
        "many": {query: [f"d{n}" for n in range(20)] for query in queries},
    }
    pool = pool_of(Pooled(queries, runs, 20))
    measure, grades = parse_measure("DCG@20"), np.full(6 * 21, np.nan)
    assert Order(pool, measure, grades).confidence.min() > 0.95
    for judged in range(LEAST):
        order = Order(pool, measure, grades)
        assert order.open_pairs(0.95).any(), judged
        assert order.worth(0.95).max() > 0, judged
        grades[int(np.argmax(order.worth(0.95)))] = 1
    assert not Order(pool, measure, grades).open_pairs(0.95).any()


def test_a_longer_list_is_not_better_before_something_in_it_is_relevant() -> None:
    runs = {"few": {"q": ["x"]}, "more": {"q": ["x", "y", "z"]}}
    pool = pool_of(Pooled({"q": "?"}, runs, 3))
    places = {document: at for at, (_, document) in enumerate(pool.pairs)}
    measure, grades = parse_measure("DCG@3"), np.full(3, np.nan)
    order = Order(pool, measure, grades)
    assert order.bounds[0][0] < 0 == order.bounds[1][0]
    assert not order.decided.any()
    assert {document for document, at in places.items() if order.worth(1.0)[at] > 0} == {"y", "z"}
    grades[places["y"]] = 0
    assert not Order(pool, measure, grades).decided.any()
    for grade in (0, 2):  # certainly alike, or certainly better
        grades[places["z"]] = grade
        assert Order(pool, measure, grades).decided.all()
