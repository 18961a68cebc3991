"""A run that was finished before, and a folder that could not be written in the end: told, or used, before anything is trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import ModelError, StorageError, UsageError
from bookwheel.cli.main import main
from bookwheel.encode import load_encoder
from bookwheel.library.passage_texts import opening_texts
from bookwheel.library.vectors.stored import passage_vectors
from bookwheel.progress import silent
from bookwheel.train import held_out, train_projection, train_static
from bookwheel.train.finished import FILE
from bookwheel.train.kept import FOLDER, Kept
from bookwheel.train.plot import require_svg
from bookwheel.train.projection import training as projection
from bookwheel.train.projection.base import MAP
from bookwheel.train.projection.result import ProjectionTraining
from bookwheel.train.run import Job, Run
from bookwheel.train.safety import Verdict
from bookwheel.train.static import training as static
from bookwheel.train.static.fit import FitOptions
from bookwheel.tune.journal import Journal, journal_key

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def indexed(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "library"
    with bookwheel.open(path, create=True, language="english") as library:
        library.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:220])], workers=1)
    return path


@pytest.fixture
def library(indexed: Path, tmp_path: Path) -> Iterator[bookwheel.Library]:
    shutil.copytree(indexed, tmp_path / "library")
    with bookwheel.open(tmp_path / "library") as opened:
        yield opened


@pytest.fixture(autouse=True)
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the model is taken, soon."""
    monkeypatch.setattr(static, "QUERIES", 120)
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(ProjectionTraining, "reason", "")


@pytest.fixture
def trained_once(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Called: from now on nothing is trained; not even queries are made."""

    def stop() -> None:
        def never(*_: object, **__: object) -> None:
            raise AssertionError("it is trained again")

        monkeypatch.setattr(held_out, "made_collection", never)

    return stop


def test_the_model_of_a_finished_run_is_used_at_once(
    library: bookwheel.Library, tmp_path: Path, trained_once: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["train", "static", "--library", str(library.path), "--minutes", "0.05"]
    assert main([*line, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["folder"].startswith(str(library.path / "models" / "static-"))
    trained_once()
    assert main(line) == 0
    assert f"nothing was trained again: {first['folder']} has the model of this very run" in capsys.readouterr().out
    assert main([*line, "--replace", "--json", "--plot", str(tmp_path / "loss.svg")]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again == {**first, "again": True, "replaced": True}
    assert (tmp_path / "loss.svg").read_text() == (Path(first["folder"]) / "training.svg").read_text()
    library.refresh()
    (now,) = library.encoders()
    assert (now.name, now.complete) == ("dense", True)
    assert not any((library.path / FOLDER).glob("*"))
    with pytest.raises(AssertionError, match="trained again"):  # it begins with the new model
        train_static(library, minutes=0.05)


def test_a_run_with_other_options_or_another_folder_is_another_run(library: bookwheel.Library, trained_once: Any) -> None:
    found = train_static(library, options=FitOptions(most_steps=3))
    trained_once()
    assert train_static(library, options=FitOptions(most_steps=3)) == replace(found, again=True)
    for given in ({"seed": 1}, {"minutes": 4.0}, {"out": library.path.parent / "model"}, {"options": FitOptions(most_steps=4)}):
        with pytest.raises(AssertionError, match="trained again"):
            train_static(library, **{"options": FitOptions(most_steps=3), **given})
    (Path(str(found.folder)) / FILE).write_text("{")
    with pytest.raises(
        UsageError, match=r"static-\w{8} is there already, where this very run puts its model; use that one, or name"
    ):
        train_static(library, options=FitOptions(most_steps=3))


def test_a_map_is_added_that_an_earlier_run_wrote(
    library: bookwheel.Library, trained_once: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = train_projection(library, dimensions=[64])
    assert found.added is None
    trained_once()
    folder = Path(str(found.folder))
    whole = (folder / MAP).read_bytes()
    for damaged in (whole[:-40], b"", b"no array"):
        (folder / MAP).write_bytes(damaged)
        with pytest.raises(ModelError, match=r"map\.npy is damaged; delete .*, and the same command trains anew"):
            train_projection(library, dimensions=[64], add="small")
    (folder / MAP).write_bytes(whole)
    monkeypatch.setattr(projection, "fitted_map", None)
    added = train_projection(library, dimensions=[64], add="small")
    assert added == replace(found, again=True, added="small")
    ids = np.arange(1, 100, 7)
    vectors = passage_vectors(library._encoders, library._snapshot, "small", ids)[:, :64]
    own = load_encoder(added.folder).encode(opening_texts(library._snapshot.store, ids.tolist()))
    assert (vectors * own).sum(1).min() > 0.99
    assert not any((library.path / FOLDER).glob("*"))


def test_a_model_that_is_there_is_told_before_training(library: bookwheel.Library) -> None:
    """Of any kind: also where nothing says of which run the model is."""

    class Other(Run):
        def __init__(self) -> None:
            super().__init__(Job(library, None, 60.0, None, 0, silent))
            self.kept = self.keep("other", 1, called="mine-other")

    run = Other()
    run.kept.note(steps=3)
    run.target.mkdir(parents=True)
    Other()  # empty, so that it can be filled
    (run.target / "model.safetensors").touch()
    with pytest.raises(UsageError, match=rf"{run.target.name} is there already, where this very run puts its model"):
        Other()
    assert run.kept.folder.is_dir()  # of a run that was stopped
    run.kept.clear()
    with pytest.raises(UsageError, match="is there already"):
        Other()
    assert not (library.path / FOLDER).exists()


def test_a_folder_that_cannot_be_written_is_told_before_training(library: bookwheel.Library, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file" / "model", tmp_path / "new" / ("m" * 300), tmp_path / ("m" * 300)):
        with pytest.raises(StorageError, match="name another place with --out"):
            train_static(library, out)
    with pytest.raises(StorageError, match="name another place with --plot"):
        require_svg(tmp_path / f"{'m' * 300}.svg")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "library"}
    for out in (FOLDER, "segments", "tuning"):
        with pytest.raises(UsageError, match=r"inside the library.* name a folder below .*models with --out, or outside"):
            train_static(library, library.path / out / "model")
    with pytest.raises(UsageError, match="inside the library"):
        train_static(str(library.path), library.path / "models")
    assert not (library.path / FOLDER).exists()
    assert not (library.path / "models").exists()
    found = train_static(library, library.path / "models" / "mine", options=FitOptions(most_steps=3))
    assert found.folder == str(library.path / "models" / "mine")


def test_what_is_kept_of_runs_lets_others_be(tmp_path: Path) -> None:
    """Only old runs are deleted: folders and files with names that are made for runs."""
    for number in range(5):
        Kept(tmp_path, number)
        (tmp_path / FOLDER / f"model-{number}").mkdir()
    names = {path.name for path in (tmp_path / FOLDER).iterdir()}
    assert {f"model-{number}" for number in range(5)} <= names
    assert len(names) == 5 + 3
    folder = tmp_path / "tuning"
    for number in range(7):
        Journal(folder, journal_key(number)).add_fact("a", "b", 1)
        (folder / f"mine-{number}.jsonl").touch()
    names = {path.name for path in folder.iterdir()}
    assert {f"mine-{number}.jsonl" for number in range(7)} <= names
    assert len(names) == 7 + 5
