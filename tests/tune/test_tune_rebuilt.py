"""Variants of a library that need it built anew: tried in copies, judged like everything else, told with what they cost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import bookwheel
from bookwheel import Document
from bookwheel.cli.main import bookwheel as command
from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.evaluate import Collection, measure
from bookwheel.tune import tune
from bookwheel.tune.rebuilt.trying import best_of


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
