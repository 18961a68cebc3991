"""Refining under a real limit: the encoder included, a process that encodes keeps its budget or is killed by the kernel."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from limits import run_within
from test_budget_limit import synthetic

import bookwheel

MB = 1 << 20

REFINE = """
import json, sys
from pathlib import Path
import bookwheel
place, ram, model, kind = sys.argv[1:5]
with bookwheel.open(Path(place), ram=ram) as library:
    library.add_encoder("neural", model, kind=kind)
    (report,) = library.embed()
    memory = {line.part: [line.planned, line.measured] for line in report.memory_plan}
    found = library.rank("a b", 5, recipe="bm25 + neural" if kind != "tokens" else "bm25 >> late(20)")
    print(json.dumps({"complete": report.complete, "encoded": report.encoded, "memory": memory, "found": len(found)}))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer of the size of all-MiniLM-L6-v2's layers, with random weights."""
    for needed in ("onnxruntime", "tokenizers", "safetensors"):
        pytest.importorskip(needed, reason="the extra `models` is not installed")
    sys.path.append(str(Path(__file__).parents[1] / "encode"))
    try:
        import encoder_models as models
    finally:
        sys.path.pop()
    sizes = {"HIDDEN": 384, "LAYERS": 6, "HEADS": 12, "INNER": 1536, "POSITIONS": 256}
    before = {name: getattr(models, name) for name in sizes}
    try:
        for name, size in sizes.items():
            setattr(models, name, size)
        weights = {
            name if name.startswith("cls.") else f"bert.{name}": array / (8 if array.ndim == 2 else 1)
            for name, array in models.bert_weights(0, mlm=True).items()
        }
        return models.write_bert(tmp_path_factory.mktemp("model") / "random", weights)
    finally:
        for name, size in before.items():
            setattr(models, name, size)


@pytest.mark.parametrize(
    "kind", ["dense", pytest.param("sparse", marks=pytest.mark.slow), pytest.param("tokens", marks=pytest.mark.slow)]
)
def test_embedding_keeps_its_budget(
    tmp_path: Path, python: str, child_environment: dict[str, str], model: Path, kind: str
) -> None:
    made = synthetic()
    made.write_text(tmp_path / "texts.jsonl", 100, length=60, vocabulary=100_000)
    with bookwheel.open(tmp_path / "library", create=True, language="none") as library:
        library.index(tmp_path / "texts.jsonl")
        passages = library.passage_count
    environment = {**child_environment, "BOOKWHEEL_HOME": str(tmp_path / "home")}
    arguments = [str(tmp_path / "library"), "512MB", str(model), kind]
    done = run_within(512 * MB, [python, "-c", REFINE, *arguments], environment, timeout=120)
    done.check()
    told = json.loads(done.output)
    assert told["complete"]
    assert told["encoded"] == passages
    planned = sum(line[0] or 0 for line in told["memory"].values())
    assert told["memory"]["all anonymous memory"][1] <= planned <= 512 * MB


def test_a_model_that_does_not_fit_is_refused_before_work(
    tmp_path: Path, python: str, child_environment: dict[str, str], model: Path
) -> None:
    with bookwheel.open(tmp_path / "library", create=True, language="none") as library:
        library.add([bookwheel.Document("a", "a b c")])
        library.add_encoder("neural", str(model))
        encoder = library._encoders.encoder(library._snapshot.manifest.representations[0])
        encoder._model.max_tokens = 100_000  # as if it read that much at once
        with pytest.raises(bookwheel.BudgetError, match="embedding"):
            library.embed(ram="256MB")
        assert library.encoders()[0].embedded == 0
