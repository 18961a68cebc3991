"""``bookwheel models``: what is here, what it is, and why something cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_helpers import Bookwheel

from bookwheel._errors import ModelError
from bookwheel.encode import catalogue
from bookwheel.encode.static import built_in as static


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Only the built-in model and the folders given; speeds are not measured but told."""
    measured: list[float] = []

    def rate(encoder: object, seconds: float = 1.0) -> float:
        measured.append(seconds)
        return 1234.0

    monkeypatch.setattr(catalogue, "installed", dict)
    monkeypatch.setattr(catalogue, "_hub", lambda: iter(()))
    monkeypatch.setattr(catalogue, "rate_of", rate)
    return measured


def test_models_of_a_folder_are_listed_and_measured_once(bookwheel: Bookwheel, tmp_path: Path, few: list[float]) -> None:
    rows = np.eye(4, 16, dtype=np.float32)
    static.write(
        tmp_path / "many" / "mine", rows, ["red", "blue", "green", "sea"], name="mine", revision="1", licence="CC0-1.0"
    )
    (tmp_path / "many" / "broken").mkdir()
    (tmp_path / "many" / "broken" / "config.json").write_text('{"model_type": "bert"}')
    done = bookwheel("models", tmp_path / "many", "--json")
    assert done.code == 0
    by_name = {Path(entry["name"]).name: entry for entry in done.json}
    assert by_name["static"]["recommended"]
    mine = by_name["mine"]
    assert (mine["kind"], mine["licence"], mine["dimension"], mine["problem"]) == ("dense", "CC0-1.0", 16, None)
    assert mine["passages_per_second"] == 1234.0
    assert mine["bytes"] > 64
    assert by_name["broken"]["problem"].count("\n") == 0
    assert "holds no encoder" in by_name["broken"]["problem"]
    assert len(few) == 2
    text = bookwheel("models", tmp_path / "many").out
    assert len(few) == 2  # remembered
    assert "1,234" in text
    assert "recommended: static" in text
    assert "cannot be used:" in text
    bookwheel("models", "--again")
    assert len(few) == 3


def test_a_model_with_damaged_files_does_not_hide_the_others(bookwheel: Bookwheel, tmp_path: Path, few: list[float]) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "config.json").write_text("[1, 2]")
    (tmp_path / "bad" / "modules.json").write_text('{"a": 1}')
    done = bookwheel("models", tmp_path / "bad", "--no-measure", "--json")
    assert done.code == 0
    assert [entry["problem"] is None for entry in done.json] == [True, False]
    assert few == []


def test_speed_is_counted_in_passages(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    class Slow:
        def encode(self, texts: list[str]) -> None:
            import time

            seen.append(len(texts))
            time.sleep(0.001 * len(texts))

    rate = catalogue.rate_of(Slow(), 0.05)
    assert 100 < rate <= 1000
    assert all(0 < count <= 4096 for count in seen)


def test_export_needs_a_folder(bookwheel: Bookwheel) -> None:
    done = bookwheel("models", "--export")
    assert done.code == 2
    assert "--export needs the FOLDER" in done.err


def test_a_language_model_is_listed_as_one_and_encodes_nothing(bookwheel: Bookwheel, tmp_path: Path, few: list[float]) -> None:
    (tmp_path / "writes").mkdir()
    (tmp_path / "writes" / "config.json").write_text('{"model_type": "llama", "architectures": ["LlamaForCausalLM"]}')
    (entry,) = (one for one in bookwheel("models", tmp_path, "--json").json if one["name"] != "static")
    assert (entry["kind"], entry["problem"], entry["passages_per_second"]) == ("language model", None, None)
    done = bookwheel("models", tmp_path)
    assert "language model" in done.out
    assert "only the built-in model is installed" in done.err
    with pytest.raises(ModelError, match="is a language model, which writes"):
        catalogue.require_encoders([tmp_path / "writes"])
