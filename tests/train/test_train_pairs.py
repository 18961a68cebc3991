"""Which pairs are kept to train on, and which of them a step takes: each source has its share, however few pairs it has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.train.data.pairs import Pair, drawn
from bookwheel.train.data.schedule import schedule


def pairs_by_source(*counts: int) -> list[Pair]:
    return [Pair(f"{source}: {at}", "", at, source) for source, count in enumerate(counts) for at in range(count)]


def fair(counts: list[int], most: int) -> list[int]:
    """How many there are of each, rising, where each gives as many, and those that have more give what others lack."""
    shares = [0] * len(counts)
    for _ in range(min(most, sum(counts))):
        shares[min((at for at, count in enumerate(counts) if shares[at] < count), key=shares.__getitem__)] += 1
    return sorted(shares)


@pytest.mark.parametrize("seed", range(4))
def test_a_small_source_keeps_all_its_pairs(seed: int) -> None:
    """Whichever comes first, and also of the first few that there is time for."""
    for counts in ((6000, 5), (5, 6000), (3000, 5, 3000)):
        some = drawn(pairs_by_source(*counts), 2000, seed)
        assert len(some) == 2000
        for first in (2000, 300, 15):
            kept = np.bincount([pair.domain for pair in some[:first]], minlength=len(counts))
            assert kept[counts.index(5)] == 5
            others = np.delete(kept, counts.index(5))
            assert others.max() - others.min() <= 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=5), st.integers(0, 120), st.integers(0, 3))
def test_any_first_pairs_are_shared_by_the_sources(counts: list[int], most: int, seed: int) -> None:
    some = drawn(pairs_by_source(*counts), most, seed)
    assert len(set(some)) == len(some)
    for first in range(len(some) + 1):
        kept = np.bincount([pair.domain for pair in some[:first]], minlength=len(counts))
        assert sorted(kept.tolist()) == fair(counts, first)
    assert len(some) == min(most, sum(counts))


def test_pairs_of_one_source_are_drawn_evenly_among_those_of_others() -> None:
    found = [pair.document for seed in range(20) for pair in drawn(pairs_by_source(900, 30, 900), 200, seed) if not pair.domain]
    assert len(found) == 20 * 85
    assert 400 < np.mean(found) < 500
    assert min(np.histogram(found, 3, (0, 900))[0]) > 450


def test_a_small_source_takes_no_room_from_steps() -> None:
    """Its few pairs come in every step, which the others fill."""
    domains = [0] * 500 + [1] * 5
    documents = [*range(500), *range(-5, 0)]
    for step in schedule(documents, 32, 80, 0, domains=domains):
        assert len(set(step.tolist())) == 32
        assert sorted(documents[at] for at in step.tolist() if domains[at]) == [-5, -4, -3, -2, -1]


def test_a_source_with_few_answers_has_its_share_of_steps() -> None:
    domains = [0] * 400 + [1] * 100
    documents = [*range(400), *(-1 - at // 25 for at in range(100))]
    steps = schedule(documents, 32, 50, 0, domains=domains)
    assert {int(np.sum(step >= 400)) for step in steps} == {16}
    assert all(len({documents[at] for at in step.tolist() if at >= 400}) == 4 for step in steps)
    counts = np.bincount(np.concatenate(steps), minlength=500)
    assert counts[:400].min() >= 1
    assert counts[400:].min() >= 5


def test_a_source_of_hard_queries_has_its_share_of_the_first_steps() -> None:
    """Where easy ones come first, those are the easiest of each source."""
    domains = [0] * 100 + [1] * 100
    hardness = np.linspace(0, 1, 200)
    steps = schedule(list(range(200)), 8, 50, 0, domains=domains, hardness=hardness)
    assert all(np.sum(step >= 100) == 4 for step in steps)
    for share in (0, 100):
        own = [[at - share for at in step.tolist() if share <= at < share + 100] for step in steps]
        assert max(own[0]) < 30 < 70 < max(max(some) for some in own[25:])


def test_shares_that_are_not_whole_go_round() -> None:
    domains = [at % 3 for at in range(90)]
    steps = schedule(list(range(90)), 4, 30, 0, domains=domains)
    assert np.bincount([domains[at] for step in steps for at in step.tolist()]).tolist() == [40, 40, 40]
    fewer = schedule(list(range(90)), 2, 30, 0, domains=domains)
    assert np.bincount([domains[at] for step in fewer for at in step.tolist()]).tolist() == [20, 20, 20]


def test_there_may_be_no_pairs() -> None:
    assert drawn([], 10, 0) == []
    assert [step.tolist() for step in schedule([], 4, 2, 0, domains=[])] == [[], []]
