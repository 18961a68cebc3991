"""Variants of a library that need it built anew: tried in copies, judged like everything else, told with what they cost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import bookwheel
from bookwheel import Document
from bookwheel.cli.main import bookwheel as command
from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.evaluate import Collection, measure
from bookwheel.kernels.bm25 import Bm25
from bookwheel.library.trial import TrialReader
from bookwheel.tune import tune
from bookwheel.tune.clock import Clock
from bookwheel.tune.design import Design, Trial
from bookwheel.tune.journal import Journal
from bookwheel.tune.judged import judged_queries
from bookwheel.tune.limits import Limits
from bookwheel.tune.rebuilt.trying import Rebuilding, best_of
from bookwheel.tune.rebuilt.variant import Built
from bookwheel.tune.scores import Scorer


@pytest.fixture
def halves(prose: list[tuple[str, str]], tmp_path: Path) -> tuple[Path, dict[str, str], Collection]:
    """Long documents of two unlike halves, indexed whole: queries are of both halves of one, so that only its whole has all."""
    long = [(title, text) for title, text in prose if len(text.split()) > 150][:40]
    texts = {f"d{n}": f"{long[n][1]}\n\n{long[-1 - n][1]}" for n in range(20)}
    path = tmp_path / "halves"
    with bookwheel.open(path, create=True, unit="sentence", language="english") as library:
        library.add([Document(name, text) for name, text in texts.items()], workers=1)
    queries = {
        f"q{n}": " ".join(texts[f"d{n}"].split()[n : n + 3] + texts[f"d{n}"].split()[-6 - n : -3 - n]) for n in range(20)
    }
    return path, texts, Collection("halves", queries, {f"q{n}": {f"d{n}": 1} for n in range(20)})


def test_units_and_models_are_tried_in_copies_and_told_with_what_they_cost(
    halves: tuple[Path, dict[str, str], Collection], tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bookwheel.tune.rebuilt.units.LENGTHS", (60,))
    path, texts, judged = halves
    model = shutil.copytree(BUILT_IN_MODELS["static"], tmp_path / "tiny-model")
    before = sorted(file.name for file in tmp_path.iterdir())
    with bookwheel.open(path) as library:
        version, count = library.version, library.passage_count
        told = tune(library, judged, rebuild=True, models=[str(model)], name=None)
        assert (library.version, library.passage_count) == (version, count)
    assert told.rebuilt is not None
    assert sorted(file.name for file in tmp_path.iterdir()) == before, "no copy is left"
    tried = {row.variant: row for row in told.rebuilt.rows}
    assert set(tried) == {"unit document", "unit passage of 60 words", f"model {model}"}
    assert all(row.bytes > 10_000 and row.seconds > 0 and row.planned > 1 << 20 for row in told.rebuilt.rows)
    # What is told is what a person gets who does it.
    row = tried["unit document"]
    with bookwheel.open(tmp_path / "again", create=True, unit="document", language="english") as again:
        again.add([Document(name, text) for name, text in texts.items()], workers=1)
        again.configure(k1=told.chosen.k1, b=told.chosen.b)
        run = again.rank_documents(list(judged.queries.values()), 10, recipe=row.recipe)
        found = measure(dict(zip(judged.queries, run, strict=True)), judged.qrels, ["nDCG@10"]).values[0]
    assert found.mean() == pytest.approx(row.score, abs=1e-9)
    assert "rebuilt with" in str(told)
    assert json.dumps(told.to_dict())


def test_the_best_of_many_must_beat_luck() -> None:
    draw = np.random.default_rng(3)
    noise = draw.normal(0, 1, (20, 100))
    assert best_of(noise - noise.mean() - 0.05) is None
    noise[7] += 1
    assert best_of(noise) == 7


def test_what_does_not_fit_the_minutes_is_said(
    halves: tuple[Path, dict[str, str], Collection], tmp_path: Path, quick: None
) -> None:
    path, _, judged = halves
    folder = tmp_path / "judged"
    folder.mkdir()
    (folder / "queries.tsv").write_text("".join(f"{query}\t{text}\n" for query, text in judged.queries.items()))
    (folder / "qrels.txt").write_text("".join(f"{q} 0 {d} {g}\n" for q, one in judged.qrels.items() for d, g in one.items()))
    done = CliRunner().invoke(command, ["tune", str(path), str(folder), "--rebuild", "--minutes", "0.01", "--dry-run"])
    assert done.exit_code == 0, done.output
    assert "unit document: building it takes about" in done.output
    assert "give more --minutes" in done.output


class Same:
    """A variant that is the library itself, of which only a share may get built."""

    label = key = "the same"

    def __init__(self, path: Path, share: float = 1.0) -> None:
        self.path, self.share, self.built = path, share, 0

    def estimate(self) -> float:
        return 1.0

    def build(self, folder: Path, left: Callable[[], float]) -> Iterator[Built]:
        self.built += 1
        yield Built(self.path, self.share, 1.0)

    def designs(self, own: Design) -> Sequence[Design]:
        return [own.change(parts=(name,)) for name in ("bm25", "dense")]

    def commands(self, library: str, recipe: str, share: float) -> tuple[str, ...]:
        return ()


def test_what_an_earlier_run_judged_is_held_against_the_limits_and_the_recipe_of_this_one(
    library: bookwheel.Library, planted: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    times = {"bm25": 2.0, "dense": 900.0}
    monkeypatch.setattr(Clock, "p95", lambda self, trial: times[str(trial.recipe)])
    monkeypatch.setattr(TrialReader, "planned_bytes", lambda self, recipe: (8 if str(recipe) == "dense" else 1) << 30)

    def tried(journal: str, *limits: str | None, k1: float = 1.2, share: float = 1.0) -> tuple[list[str], int]:
        """The recipes that are told, and how often something was built."""
        variant = Same(library.path, share)
        with TrialReader(library.path) as reader:
            own = Design(("bm25",), (1,), Bm25(k1, 0.75))
            judged = judged_queries(library, planted)
            scorer = Scorer(reader, judged.queries, judged.qrels)
            rebuilding = Rebuilding(
                reader,
                "library",
                judged,
                scorer,
                own,
                Trial(own.recipe, own.bm25),
                Limits.of(*limits),
                Journal(tmp_path / journal, "run"),
                1e12,
            )
            return [one.recipe for one in rebuilding._judged(variant)], variant.built

    # without limits, then with them
    assert tried("one", None, None) == (["bm25", "dense"], 1)
    assert tried("one", None, None) == (["bm25", "dense"], 0)
    assert tried("one", "10ms", None) == (["bm25"], 0)
    assert tried("one", None, "2GB") == (["bm25"], 0)
    assert tried("one", "1ms", None) == ([], 0)
    # with limits, then with wider ones, and without
    for narrow in (("10ms", None), (None, "2GB"), ("10ms", "2GB")):
        journal = f"two {narrow}"
        assert tried(journal, *narrow) == (["bm25"], 1)
        assert tried(journal, *narrow) == (["bm25"], 0)
        assert tried(journal, "20ms", "2GB") == (["bm25"], 0)
        assert tried(journal, None, None) == (["bm25", "dense"], 1)
        assert tried(journal, None, None) == (["bm25", "dense"], 0)
    # another own recipe
    assert tried("one", None, None, k1=0.9) == (["bm25", "dense"], 1)
    assert tried("one", None, None) == (["bm25", "dense"], 0)
    # cut short
    assert tried("three", None, None, share=0.25) == (["bm25", "dense"], 1)
    assert tried("three", None, None) == (["bm25", "dense"], 1)
