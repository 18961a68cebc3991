"""``train static`` on a library of real texts: whole runs, stopped runs, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import BudgetError, InputError, UsageError
from bookwheel.cli.main import main
from bookwheel.encode import load_encoder
from bookwheel.library.manifest import Manifest
from bookwheel.memory.plan import MemoryPlan
from bookwheel.train import train_static
from bookwheel.train.kept import FOLDER, Kept
from bookwheel.train.safety import Change, Verdict
from bookwheel.train.static import training
from bookwheel.train.static.fit import Fit, FitOptions
from bookwheel.train.static.table import Table


@pytest.fixture(scope="module")
def docs(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "library"
    with bookwheel.open(path, create=True, language="english") as library:
        library.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:200])], workers=1)
    return path


@pytest.fixture
def library(docs: Path) -> Iterator[bookwheel.Library]:
    with bookwheel.open(docs) as opened:
        yield opened


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "QUERIES", 120)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the model is taken: what is tested here is the way, not the gain."""
    monkeypatch.setattr(Verdict, "reason", "")


def test_a_model_that_is_better_is_written_and_serves(library: bookwheel.Library, tmp_path: Path, taken: None) -> None:
    before = Manifest.read(library.path).version
    found = train_static(library, tmp_path / "model", options=FitOptions(least_steps=30, epochs=1))
    assert found.loss[1] < found.loss[0]
    assert found.queries > 100
    assert Manifest.read(library.path).version == before
    assert not (library.path / FOLDER).exists()
    assert found.folder == str(tmp_path / "model")
    assert {path.name for path in tmp_path.iterdir()} == {"model"}
    card = (tmp_path / "model" / "README.md").read_text()
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "vectors alone" in card
    assert "general questions (" in card
    assert str(found.general) in str(found)
    assert len(found.losses) == len(found.rates) == found.steps
    assert (tmp_path / "model" / "training.svg").read_text().startswith("<svg")
    encoder = load_encoder(str(tmp_path / "model"))
    own = load_encoder()
    text = [library["3"].text]
    assert encoder.sha256 != own.sha256
    assert 0.3 < float(encoder.encode(text)[0] @ own.encode(text)[0]) < 0.9999
    with pytest.raises(UsageError, match="never written over"):
        train_static(library, tmp_path / "model")


def test_what_is_no_better_changes_nothing(library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worse = Verdict((Change("vectors alone", 100, 0.6, 0.5, -0.2, -0.05, 0.001),))
    monkeypatch.setattr(training._Run, "_compared", lambda *_: worse)
    found = train_static(library, tmp_path / "model", options=FitOptions(most_steps=3))
    assert found.folder is None
    assert "Nothing was changed" in str(found)
    assert not (tmp_path / "model").exists()
    assert not (library.path / "models").exists()


def test_a_run_that_was_stopped_gives_the_same_weights(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    start = draw.normal(size=(50, 8)).astype(np.float32)

    def fit() -> Fit:
        from bookwheel.train.static.bags import Bags
        from bookwheel.train.static.material import Material

        def bags(count: int, size: int, seed: int) -> Bags:
            rows = np.random.default_rng(seed).integers(0, 50, count * size).astype(np.int32)
            return Bags(np.arange(0, count * size + 1, size), rows, np.ones(count * size, np.float32))

        count = 64
        own = np.arange(count)
        some = Material(
            bags(count, 9, 1), bags(count, 2, 2), own, bags(count, 4, 3), own, np.zeros(count, np.float32), own % 2 == 0
        )
        return Fit(Table(start.copy()), some, None, FitOptions(batch=24, least_steps=30))

    whole = fit()
    whole.run(lambda: False, lambda _: None)
    assert whole.done
    first = fit()
    for _ in range(7):
        first.step()
    kept = Kept(tmp_path, "some run")
    run = training._Run.__new__(training._Run)
    run.kept, run.memory = kept, MemoryPlan(1 << 30)
    run._save(first)
    again = fit()
    run.progress, run.options, run.seed = bookwheel.progress.silent, again.options, 0
    known = Kept(tmp_path, "some run").read("fit")
    assert known is not None
    training.restore(again, known)
    again.run(lambda: False, lambda _: None)
    assert np.array_equal(whole.table.vectors, again.table.vectors)
    assert whole.losses == again.losses


def test_a_damaged_checkpoint_is_no_checkpoint(tmp_path: Path) -> None:
    kept = Kept(tmp_path, 1)
    kept.note(steps=5)
    kept.write("fit", {"vectors": np.ones(3)})
    path = kept.folder / "fit.npz"
    path.write_bytes(path.read_bytes()[:-40])
    (kept.folder / "facts.json").write_text("{")
    again = Kept(tmp_path, 1)
    assert again.read("fit") is None
    assert again.fact("steps") is None
    assert Kept(tmp_path, 2).folder != kept.folder


def test_what_cannot_be_trained_is_told_in_a_sentence(library: bookwheel.Library, tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "few", create=True) as few:
        few.add([{"id": "1", "text": "One text only. It has two sentences about little."}])
        with pytest.raises(InputError, match="queries|query"):
            train_static(few)
    with pytest.raises(UsageError, match="minutes"):
        train_static(library, minutes=0)
    with pytest.raises(UsageError, match="static model, which has nothing to teach"):
        train_static(library, teacher="static")
    with pytest.raises(BudgetError, match="training needs .* give --ram"):
        train_static(library, ram="256MB")


def test_the_command(docs: Path, tmp_path: Path, taken: None, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "model")
    plot = tmp_path / "loss.svg"
    told = ["train", "static", "--library", str(docs), "--out", out]
    assert main([*told, "--plot", str(tmp_path / "loss.png")]) == 2
    assert "ends in .svg" in capsys.readouterr().err
    assert main([*told, "--json", "--minutes", "0.05", "--plot", str(plot)]) == 0
    assert plot.read_text() == (tmp_path / "model" / "training.svg").read_text()
    said = json.loads(capsys.readouterr().out)
    assert said["folder"] == out
    assert said["replaced"] is False
    assert {change["what"] for change in said["verdict"]["changes"]} == {"vectors alone", "with BM25"}
    assert said["general"]["what"] == "general questions"
    assert len(said["losses"]) == len(said["rates"]) == said["steps"]
    assert main(told) == 2
    assert "never written over" in capsys.readouterr().err
