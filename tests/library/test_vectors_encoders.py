"""One owner of encoders: each is loaded once, whoever asks, and counted once."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_vectors_dense import documents, make
from vectors_encoders import Rotated

import bookwheel
from bookwheel.encode.load import KINDS
from bookwheel.encode.protocols import nbytes
from bookwheel.library.retrieval.registry import FIRST_STAGES, representations
from bookwheel.library.vectors import encoders
from bookwheel.library.vectors.kinds import kind_of
from bookwheel.library.vectors.kinds.base import Kind


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was loaded by name."""
    names: list[object] = []
    load = encoders.load_encoder

    def counting(name: object, *rest: Any, **options: Any) -> Any:
        names.append(name)
        return load(name, *rest, **options)

    monkeypatch.setattr(encoders, "load_encoder", counting)
    return names


def test_the_built_in_encoder_is_loaded_once_and_counted_once(
    tmp_path: Path, prose: list[tuple[str, str]], loaded: list[object]
) -> None:
    make(tmp_path / "x", documents(prose, slice(0, 60))).close()
    loaded.clear()
    with bookwheel.open(tmp_path / "x") as library:
        library.search("open a file", cutoff=0.1)
        library.search("open a file", recipe="dense")
        library.rank_many(["open a file", "read a line"], recipe="bm25 + dense")
        library.explain("lock", recipe="hybrid >> mmr()")
        library.recall(3, 2)
        library.add_encoder("again", "static")  # the same model under another name
        library.embed()
        library.search("open a file", recipe="again + dense")
        library.add(documents(prose, slice(60, 70)))
        assert loaded.count("static") <= 2  # once to use, once to see whether it changed before it was added
        encoder = library.encoder
        assert encoder is not None
        assert library._encoders.encoder(library._snapshot.manifest.representations[0]) is encoder
        assert library._encoders.nbytes == nbytes(encoder) > 0
        (planned,) = [line.planned for line in library.memory_plan() if line.part == "encoders"]
        assert planned == nbytes(encoder)


def test_encoders_given_as_objects_are_counted_once(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    with make(tmp_path / "x", documents(prose, slice(0, 60))) as library:
        before = library._encoders.nbytes
        given = Rotated()
        given.nbytes = 1000  # type: ignore[attr-defined]
        library.add_encoder("one", given)
        library.add_encoder("two", given)
        library.embed()
        library.search("open a file", recipe="one + two")
        assert library._encoders.nbytes == before + 1000 + (0 if before else nbytes(library.encoder))


def test_a_replaced_model_is_told_from_the_new_one_in_the_same_folder(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    from bookwheel.encode.static import built_in as static

    vectors = np.random.default_rng(0).standard_normal((4, 16)).astype(np.float32)
    words = ["file", "open", "lock", "read"]
    static.write(tmp_path / "m", vectors, words, name="old", revision="1")
    with make(tmp_path / "x", documents(prose, slice(0, 60))) as library:
        library.add_encoder("small", tmp_path / "m")
        library.embed()
        before = library.rank("open a file", 5, recipe="small")
        shutil.rmtree(tmp_path / "m")
        static.write(tmp_path / "m", vectors[::-1].copy(), words, name="new", revision="2")
        library.replace_encoder("small", tmp_path / "m")
        # The old vectors serve, with the old model's queries.
        np.testing.assert_array_equal(library.rank("open a file", 5, recipe="small").ids, before.ids)
        library.embed()
        assert [one.model for one in library.encoders()] == ["new"]


def test_every_kind_answers_what_the_library_asks() -> None:
    for name in KINDS:
        kind = kind_of(name)
        for attribute in (*Kind.__annotations__, *(name for name in vars(Kind) if not name.startswith("_"))):
            assert hasattr(kind, attribute), f"{name} lacks {attribute}"
        assert kind.first_stage or kind.late_interaction
    with pytest.raises(bookwheel.UsageError, match="there is no kind of representation 'images'; kinds are dense"):
        kind_of("images")


def test_every_name_has_one_retriever(tmp_path: Path, prose: list[tuple[str, str]]) -> None:
    with make(tmp_path / "x", documents(prose, slice(0, 60))) as library:
        library.add_encoder("other", Rotated())
        manifest = library._snapshot.manifest
        assert representations(manifest) == {"bm25": "sparse", "dense": "dense", "other": "dense"}
        names = [name for stage in FIRST_STAGES for name in stage.names(manifest)]
        assert sorted(names) == sorted(set(names))
        library.replace_encoder("dense", Rotated(2))  # the later stage takes the name
        assert representations(library._snapshot.manifest)["dense"] == "dense"
        with pytest.raises(bookwheel.RecipeError, match="nothing"):
            library.search("open a file", recipe="nothing")
