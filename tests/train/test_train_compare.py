"""``--compare``: models are compared by people's judgments instead of queries made of the library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import InputError, UsageError
from bookwheel.cli.main import main
from bookwheel.evaluate.load import load_collection
from bookwheel.train import TokensOptions, train_static, train_tokens
from bookwheel.train.data.sources import source_of
from bookwheel.train.held_out import digest, judged_part, shared
from bookwheel.train.kept import FOLDER
from bookwheel.train.lists import run as lists
from bookwheel.train.lists.result import ListTraining
from bookwheel.train.safety import FEWEST, Change, Verdict, thirds
from bookwheel.train.static import training as static
from bookwheel.train.static.fit import FitOptions


@pytest.fixture(scope="module")
def place(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library, and a judged collection in BEIR's layout, which judges titles and some documents that are not there."""
    folder = tmp_path_factory.mktemp("compared")
    with bookwheel.open(folder / "library", create=True, language="english", ram="4GB") as library:
        library.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:150])], workers=1)
    write_judgments(folder / "judged", [(f"q{at}", prose[at][0], str(at)) for at in range(90)])
    return folder


@pytest.fixture
def library(place: Path) -> Iterator[bookwheel.Library]:
    with bookwheel.open(place / "library", ram="4GB") as opened:
        yield opened


def write_judgments(folder: Path, rows: list[tuple[str, str, str]], split: str = "test") -> None:
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(json.dumps({"_id": "elsewhere", "title": "", "text": "not read"}) + "\n")
    (folder / "queries.jsonl").write_text("".join(json.dumps({"_id": name, "text": text}) + "\n" for name, text, _ in rows))
    grades = "".join(f"{name}\t{document}\t2\n{name}\telsewhere\t1\n" for name, _, document in rows)
    (folder / "qrels" / f"{split}.tsv").write_text("query-id\tcorpus-id\tscore\n" + grades)


def test_queries_are_the_judged_ones(library: bookwheel.Library, place: Path) -> None:
    """All, some, or a half of them; grades stay, nothing is taken out of the library, and the seed decides."""
    collection = load_collection(place / "judged")
    whole = judged_part(library, collection, 600, 40, 0)
    assert sorted(whole.queries.values()) == sorted(collection.queries.values())
    assert not whole.taken
    assert {grade for grades in whole.qrels.values() for grade in grades.values()} == {1, 2}
    some = judged_part(library, collection, 50, 40, 0)
    assert len(some.judged) == 50
    assert some.queries == judged_part(library, collection, 50, 40, 0).queries
    assert some.queries != judged_part(library, collection, 50, 40, 1).queries
    assert len(judged_part(library, collection, 600, 40, 0, share=0.5).judged) == 45
    validation, test = thirds(whole)
    assert (len(validation.judged), len(test.judged)) == (30, 60)
    assert not set(validation.queries.values()) & set(test.queries.values())
    with pytest.raises(InputError, match="only 45 queries to compare models"):
        judged_part(library, collection, 600, 46, 0, share=0.5)


def test_pairs_from_the_same_queries_leave_half_of_them(place: Path, tmp_path: Path) -> None:
    sources = [source_of("titles"), source_of(f"judgments={place / 'judged'}")]
    assert shared(sources, place / "judged")
    assert shared(sources, str(place / "library" / ".." / "judged"))
    assert not shared(sources[:1], place / "judged")
    write_judgments(tmp_path / "both", [("a", "b", "c")])
    assert not shared(sources, tmp_path / "both")
    (tmp_path / "both" / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n")
    assert not shared([source_of(f"judgments={tmp_path / 'both'}")], tmp_path / "both")  # which has queries for training


def test_other_judgments_are_another_run(place: Path, tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    write_judgments(tmp_path / "other", [(f"q{at}", prose[at][0], str(at + 1)) for at in range(90)])
    first, other = load_collection(place / "judged"), load_collection(tmp_path / "other")
    assert digest(first) == digest(load_collection(place / "judged"))
    assert digest(first) != digest(other)


def test_a_static_model_is_compared_by_judgments(
    library: bookwheel.Library, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole run: the judged queries alone decide, and the library stays as it is."""
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(
        static._Run, "_chosen", lambda run, copy, _, vocabulary, fit, __: (1.0, {}, fit.towards(vocabulary.vectors, 1.0))
    )
    before = sorted(encoder.name for encoder in library.encoders())
    found = train_static(library, tmp_path / "model", compare=place / "judged", options=FitOptions(most_steps=3))
    assert [change.queries for change in found.verdict.changes] == [60, 60]
    assert "- compared by: judged queries of judged" in (tmp_path / "model" / "README.md").read_text()
    assert found.to_dict()["compared_by"] == "judged queries of judged"
    assert "compared by judged queries of judged" in str(found)
    assert sorted(encoder.name for encoder in library.encoders()) == before
    assert not (library.path / FOLDER).exists()


def test_judgments_of_other_documents_are_refused(
    library: bookwheel.Library, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_judgments(tmp_path / "other", [(f"q{at}", "a query", "nowhere") for at in range(90)])
    with pytest.raises(InputError, match="none of the 2 relevant documents"):
        train_static(library, compare=tmp_path / "other")
    with pytest.raises(InputError, match="does not exist"):
        train_static(library, compare=tmp_path / "missing")
    assert main(["train", "static", "--library", str(place / "library"), "--compare", str(tmp_path / "missing")]) == 2
    assert "missing does not exist" in capsys.readouterr().err


def result(steps: int, weight: float, *changes: Change) -> ListTraining:
    return ListTraining(
        kind="tokens", library="library", folder=None, recipe=None, base="base", teacher=None, sources=("titles",), loss="none",
        pairs=0, seen=0, others=7, steps=steps, batch=8, plan="", losses=(0.1,) * steps, rates=(0.1,) * steps, taken=0,
        weight=weight, validation={}, verdict=Verdict(changes), seconds=1.0, seed=0,
    )  # fmt: skip


def test_what_was_not_trained_is_written_unless_it_is_worse() -> None:
    """What was trained must be better; in both cases something must have been gained on the validation queries."""
    better, same = Change("late", 60, 0.5, 0.6, 0.05, 0.15, 0.001), Change("late", 60, 0.5, 0.51, -0.05, 0.07, 0.7)
    worse = Change("late", 60, 0.5, 0.49, -0.05, 0.03, 0.7)
    assert [result(steps, 0.5, better).writable for steps in (0, 9)] == [True, True]
    assert [result(steps, 0.5, same).writable for steps in (0, 9)] == [True, False]
    assert [result(steps, 0.5, worse).writable for steps in (0, 9)] == [False, False]
    assert not result(0, 0.0, same).writable
    assert not result(0, 0.5).writable
    few = Change("late", FEWEST - 1, 0.5, 0.6, 0.05, 0.15, 0.001)
    assert result(0, 0.5, few).writable
    assert "nothing trained" in str(result(0, 0.5, same))


def test_token_vectors_are_taken_as_they_are(
    library: bookwheel.Library,
    base: Path,
    place: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``--untrained``: no steps, the projection alone; it is compared by judgments, and searches."""
    pytest.importorskip("sentence_transformers", reason="training token vectors needs bookwheel[train]")
    from bookwheel.train.tokens.model import TokenScorer

    monkeypatch.setattr(lists, "_best", max)
    monkeypatch.setattr(ListTraining, "writable", True)
    options = TokensOptions(tokens=32, dimension=16, untrained=True)
    found = train_tokens(library, base, tmp_path / "model", compare=place / "judged", options=options, minutes=5)
    assert found.folder == str(tmp_path / "model")
    assert (found.steps, found.losses, found.teacher, found.taken) == (0, (), None, 0)
    assert found.verdict.changes[0].queries <= 60
    card = (tmp_path / "model" / "README.md").read_text()
    assert "nothing was trained" in card
    assert "judged queries of judged" in card
    assert not (tmp_path / "model" / "training.svg").exists()
    rows = TokenScorer(tmp_path / "model", 32, trained=True).inner[1].linear.weight.detach().numpy()
    assert rows.shape == (16, 32)
    assert np.allclose(rows @ rows.T, np.eye(16), atol=1e-4)
    with pytest.raises(UsageError, match="gives token vectors as it is"):
        train_tokens(library, tmp_path / "model", options=options)
    with pytest.raises(UsageError, match="nothing is imitated"):
        train_tokens(library, base, teacher=base, options=options)
    assert main(["train", "tokens", str(base), "--library", str(place / "library"), "--untrained", "--plot", "x.svg"]) == 2
    assert "there is no loss to draw" in capsys.readouterr().err
