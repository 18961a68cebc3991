"""Pruning is tried on a copy by judged queries, and its harm is told where there is any."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, InputError, Library
from bookwheel.cli.main import main
from bookwheel.evaluate import Collection
from bookwheel.evaluate.write_beir import write_corpus, write_judged
from bookwheel.tune.pruned import try_pruning

NAMES = [f"{a}{b}" for a in ("bar", "cor", "dun", "fel", "gor", "hin", "jas", "kel") for b in "abcdefgh"]
SMALL = [
    "the",
    "of",
    "and",
    "in",
    "is",
    "to",
    "a",
    "that",
    "it",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "at",
    "by",
    "be",
    "this",
]
LICENCE = "Permission is granted to copy and distribute copies of this licence, without warranty, under the conditions of copyright {n}. "


def documents(queries: int) -> list[Document]:
    """A text for each query, of words that only it has, and as many licences."""
    dice = random.Random(1)
    found = []
    for number in range(queries):
        words = [f"{NAMES[number]}{dice.randrange(9)}x" if at % 3 == 0 else dice.choice(SMALL) for at in range(45)]
        found.append(Document(f"d{number}", ". ".join(" ".join(words[at : at + 15]) for at in range(0, 45, 15)) + "."))
        found.append(Document(f"l{number}", LICENCE.format(n=NAMES[number]) * 2))
    return found


@pytest.fixture(scope="module")
def judged() -> tuple[Collection, list[Document]]:
    some = documents(24)
    texts = {f"q{number}": " ".join(some[2 * number].text.split()[:9:3]) for number in range(24)}
    return Collection("own", texts, {query: {f"d{query[1:]}": 1} for query in texts}, read=lambda: iter(some)), some


@pytest.fixture
def library(judged: tuple[Collection, list[Document]], tmp_path: Path) -> Library:
    made = bookwheel.open(tmp_path / "lib", create=True, encoder=None, unit="document", language="english")
    made.add(judged[1])
    return made


def test_without_boilerplate_the_ranking_is_as_good(judged: tuple[Collection, list[Document]], library: Library) -> None:
    found = try_pruning(library, judged[0], 0.5, recipe="bm25")
    assert found.harmless
    assert found.equivalence.equivalent
    assert (found.pruning.pruned, found.pruning.ordinary, found.queries) == (24, 0, 24)
    assert "equivalent to within 0.01" in str(found)
    assert library.info().pruned_passages == 0, "only a copy was pruned"
    assert [path.name for path in library.path.parent.iterdir()] == ["lib"]


def test_what_is_pruned_now_is_compared_with_all(judged: tuple[Collection, list[Document]], library: Library) -> None:
    library.prune(0.9)
    found = try_pruning(library, judged[0], 0.9, recipe="bm25")
    assert not found.harmless
    assert found.before > 0.9
    assert found.after < 0.5
    assert "significantly worse" in str(found)
    assert library.info().pruned_passages == 43


def test_the_command_does_nothing_that_harms(
    judged: tuple[Collection, list[Document]], library: Library, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "judged"
    write_corpus(folder, judged[1])
    write_judged(folder, ({"_id": query, "text": text} for query, text in judged[0].queries.items()), judged[0].qrels)
    assert main(["prune", str(library.path), "--judged", str(folder), "--share", "90%"]) == 0
    told = capsys.readouterr()
    assert "43 of 48 passages would be left out" in told.out
    assert "significantly worse" in told.out
    assert "nothing was left out" in told.err
    library.refresh()
    assert library.info().pruned_passages == 0
    assert main(["prune", str(library.path), "--judged", str(folder)]) == 0
    assert "24 of 48 passages are left out" in capsys.readouterr().out
    library.refresh()
    assert library.info().pruned_passages == 24


def test_a_few_queries_say_nothing(judged: tuple[Collection, list[Document]], library: Library) -> None:
    few = Collection("few", {"q1": "word"}, {"q1": {"d1": 1}})
    with pytest.raises(InputError, match="few has 1 judged query; pruning is tried with at least 10"):
        try_pruning(library, few)
