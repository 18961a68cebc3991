"""What tests of training over lists have in common: a tiny encoder, a library with queries made of it, and short runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.train import held_out
from bookwheel.train.lists import run as training
from bookwheel.train.safety import Verdict
from bookwheel.tune.made import made_collection
from bookwheel.tune.reliability import searchable

sys.path.append(str(Path(__file__).parents[1] / "encode"))
try:
    import encoder_models as models
finally:
    sys.path.pop()


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two layers with random weights, in sentence-transformers' layout; it has no pooler and no head."""
    path = models.write_bert(tmp_path_factory.mktemp("tiny") / "model", models.bert_weights(3))
    pooling = {"word_embedding_dimension": models.HIDDEN, "pooling_mode_mean_tokens": True}
    models.write_modules(path, ("sentence_transformers.models.Pooling", "1_Pooling", pooling))
    return path


@pytest.fixture(scope="module")
def held(prose: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    """A library, queries made of it, and the copy without them: what every run begins with."""
    path = tmp_path_factory.mktemp("trained") / "library"
    # A budget counts the whole process, and this one holds what other tests have left.
    with bookwheel.open(path, create=True, language="english", ram="4GB") as library:
        library.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:80])], workers=1)
        made = made_collection(library, 60)
        with searchable(library, made) as copy:
            yield library, made, copy


@pytest.fixture
def library(held: tuple) -> bookwheel.Library:
    return held[0]


@pytest.fixture
def quick_lists(held: tuple, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pairs, and the queries and the copy of ``held``."""
    monkeypatch.setattr(training, "PAIRS", 32)
    monkeypatch.setattr(held_out, "made_collection", lambda *_, **__: held[1])
    monkeypatch.setattr(training, "searchable", lambda *_, **__: nullcontext(held[2]))


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without asking what a step needs."""
    planner = pytest.importorskip("bookwheel.train.memory.planner")
    monkeypatch.setattr(
        planner, "plan", lambda *_, objective, **__: planner.Plan(1 << 40, "adamw", 2, 0, 0, objective=objective)
    )


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever held-out queries say, the model is taken: what is tested here is the way, not the gain."""
    monkeypatch.setattr(Verdict, "reason", "")
    monkeypatch.setattr(training, "WEIGHTS", (0.5,))
    monkeypatch.setattr(training, "_best", max)  # the last step, with some weight


@pytest.fixture
def stopped_at(monkeypatch: pytest.MonkeyPatch) -> Callable[..., AbstractContextManager[list[int]]]:
    """``with stopped_at(module, Batches, 4) as seen: train()``: the run ends before step 4, and keeps every step before.

    Afterwards the same call goes on, and ``seen`` has the steps that it makes.
    """

    @contextmanager
    def stopping(module: Any, batches: type, at: int) -> Iterator[list[int]]:
        monkeypatch.setattr(module, "CHECKPOINT", 0.0)
        made, seen = batches.__getitem__, []

        def stopped(self: Any, step: int) -> Any:
            seen.append(step)
            if step == at and seen.count(at) == 1:
                raise MemoryError
            return made(self, step)

        monkeypatch.setattr(batches, "__getitem__", stopped)
        with pytest.raises(MemoryError):
            yield seen
        seen[:] = [at]

    return stopping
