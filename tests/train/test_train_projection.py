"""``train projection``: laws of the map, the models that it is written into, and the command's promises."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import Document
from bookwheel._errors import InputError, LibraryChanged, UsageError
from bookwheel.encode import load_encoder
from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.encode.protocols import unit
from bookwheel.encode.safetensors import Tensors, write_tensors
from bookwheel.index.dense.sketch import chosen_rotation, random_rotation
from bookwheel.library.passage_texts import opening_texts
from bookwheel.library.vectors.importing import stored_passages
from bookwheel.library.vectors.stored import passage_vectors
from bookwheel.train import train_projection
from bookwheel.train.projection import base, training
from bookwheel.train.projection.axes import binary_rotation, fitted_map, principal_axes
from bookwheel.train.projection.result import SHARE, ProjectionTraining
from bookwheel.train.projection.sample import code_candidates, share_found
from bookwheel.train.projection.writing import write_mapped
from bookwheel.train.safety import Change

pytestmark = pytest.mark.filterwarnings("ignore")

TEXTS = ["the red bird sings over the sea", "sky near the green stone", "a river flows far", "blue stone, red sky"]


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Unit vectors (600, 32) whose variance falls by direction, about a mean that is not zero."""
    draw = np.random.default_rng(4)
    turned = np.linalg.qr(draw.normal(size=(32, 32)))[0]
    return unit(draw.standard_t(4, size=(600, 32)) * np.geomspace(1, 0.02, 32) @ turned + 0.3)


@pytest.fixture
def library(tmp_path: Path, prose: list[tuple[str, str]]):
    with bookwheel.open(tmp_path / "library", create=True, language="english") as opened:
        opened.add([Document(str(number), text, title=title) for number, (title, text) in enumerate(prose[:260])], workers=1)
        yield opened


@pytest.fixture
def models():
    """The module that writes small models with random weights."""
    sys.path.append(str(Path(__file__).parents[1] / "encode"))
    try:
        return pytest.importorskip("encoder_models")
    finally:
        sys.path.pop()


def test_a_map_of_all_dimensions_changes_no_dot_product(rows: np.ndarray) -> None:
    weights = fitted_map(rows, (8, 16, 32), 0)
    np.testing.assert_allclose(weights @ weights.T, np.eye(32), atol=1e-5)
    mapped = rows @ weights.T
    np.testing.assert_allclose(mapped @ mapped.T, rows @ rows.T, atol=1e-5)


def test_the_first_dimensions_span_the_principal_axes_at_each_width(rows: np.ndarray) -> None:
    axes, weights = principal_axes(rows), fitted_map(rows, (8, 16), 0)
    assert weights.shape == (16, 32)
    for width in (8, 16):
        np.testing.assert_allclose(weights[:width].T @ weights[:width], axes[:width].T @ axes[:width], atol=1e-5)
    variances = ((rows - rows.mean(0)) @ axes.T).var(0)
    assert (np.diff(variances) < 1e-6).all()
    values = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[::-1]
    np.testing.assert_allclose(variances, values, atol=1e-5)
    assert (axes[np.arange(32), np.abs(axes).argmax(1)] > 0).all()


def test_each_round_of_rotation_brings_rows_closer_to_their_signs(rows: np.ndarray) -> None:
    centred = rows - rows.mean(0)

    def close(rotation: np.ndarray) -> float:
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(32), atol=1e-5)
        return float(np.abs(centred @ rotation).sum())

    reached = [close(binary_rotation(centred, 1, rounds=rounds)) for rounds in (0, 1, 4, 30)]
    assert reached == sorted(reached)
    assert reached[-1] > 1.02 * reached[0]
    np.testing.assert_array_equal(binary_rotation(centred, 1, lambda: False), random_rotation(32, 1))


def test_a_segment_leaves_vectors_alone_whose_signs_lie_close_to_them(rows: np.ndarray) -> None:
    centre = rows.mean(0)
    np.testing.assert_array_equal(chosen_rotation(rows, centre, 1, 7), random_rotation(32, 7))
    draw = np.random.default_rng(0)
    signs = unit(draw.choice([-1.0, 1.0], (300, 32)) + 0.2 * draw.normal(size=(300, 32)))
    np.testing.assert_array_equal(chosen_rotation(signs, signs.mean(0), 1, 7), np.eye(32))
    np.testing.assert_array_equal(chosen_rotation(np.zeros((0, 32)), np.zeros(32, np.float32), 1, 7), random_rotation(32, 7))
    np.testing.assert_array_equal(chosen_rotation(np.zeros((9, 32)), np.zeros(32, np.float32), 1, 7), random_rotation(32, 7))
    # Codes of such vectors find more of the best than those of the same vectors, turned at random.
    queries = unit(signs[:40] + 0.2 * draw.normal(size=(40, 32)))
    true = list(np.argsort(-queries @ signs.T, axis=1)[:, :10])
    turn = random_rotation(32, 3)
    kept, turned = (
        share_found(true, code_candidates(unit(signs @ by), unit(queries @ by), 20, 0)).mean() for by in (np.eye(32), turn)
    )
    assert kept > turned + 0.05


def test_codes_of_a_dimension_that_eight_does_not_divide(rows: np.ndarray) -> None:
    found = code_candidates(rows[:, :13], rows[:3, :13], 50, 0)
    assert [len(np.unique(one)) for one in found] == [50, 50, 50]
    assert all(number in one for number, one in enumerate(found))


def test_a_map_of_the_built_in_table_is_the_map_of_its_vectors(tmp_path: Path) -> None:
    folder = BUILT_IN_MODELS["static"]
    encoder = load_encoder(None)
    weights = np.linalg.qr(np.random.default_rng(1).normal(size=(encoder.dimension, encoder.dimension)))[0][:48]
    write_mapped(tmp_path / "mapped", folder, encoder, weights.astype(np.float32), "mapped", "a test")
    mapped = load_encoder(str(tmp_path / "mapped"))
    assert mapped.dimension == 48
    assert mapped.sha256 != encoder.sha256
    expected = unit(encoder.encode(TEXTS) @ weights.T)
    assert (mapped.encode(TEXTS) * expected).sum(1).min() > 0.9995  # a table has 8 bits a number
    assert not mapped.encode([""]).any()


def test_a_map_of_another_tools_table(tmp_path: Path, models) -> None:
    draw = np.random.default_rng(5)
    base = tmp_path / "base"
    models.write_tokenizer(base)
    (base / "config.json").write_text('{"normalize": true}')
    tensors = {"embeddings": draw.normal(size=(len(models.VOCABULARY), 24)).astype(np.float16)}
    tensors["weights"] = draw.random(len(models.VOCABULARY))
    write_tensors(base / "model.safetensors", tensors)
    encoder = load_encoder(str(base))
    weights = draw.normal(size=(10, 24)).astype(np.float32)
    (tmp_path / "mapped").mkdir()
    write_mapped(tmp_path / "mapped", base, encoder, weights, "mapped", "a test")
    found = load_encoder(str(tmp_path / "mapped"))
    np.testing.assert_allclose(found.encode(TEXTS), unit(encoder.encode(TEXTS) @ weights.T), atol=1e-5)


@pytest.mark.parametrize("normalised", [False, True])
def test_a_step_behind_a_transformer(tmp_path: Path, models, normalised: bool) -> None:
    base = models.write_bert(tmp_path / "base", models.bert_weights(3))
    if normalised:
        about = {"word_embedding_dimension": models.HIDDEN, "pooling_mode_cls_token": True}
        pooling = ("sentence_transformers.models.Pooling", "1_Pooling", about)
        models.write_modules(base, pooling, ("sentence_transformers.models.Normalize", "2_Normalize", {}))
    weights = np.random.default_rng(6).normal(size=(12, models.HIDDEN)).astype(np.float32)
    encoder = load_encoder(str(base), precision="fp32")
    (tmp_path / "mapped").mkdir()
    write_mapped(tmp_path / "mapped", base, encoder, weights, "mapped", "a test")
    found = load_encoder(str(tmp_path / "mapped"), precision="fp32")
    expected = unit(encoder.encode(TEXTS) @ weights.T)
    np.testing.assert_allclose(found.encode(TEXTS), expected, atol=1e-5)
    assert load_encoder(str(tmp_path / "mapped"), dimension=8).dimension == 8
    cut = load_encoder(str(base), precision="fp32", dimension=16)
    (tmp_path / "cut").mkdir()
    write_mapped(tmp_path / "cut", base, cut, weights[:, :16], "cut", "a test")
    narrow = load_encoder(str(tmp_path / "cut"), precision="fp32")
    np.testing.assert_allclose(narrow.encode(TEXTS), unit(cut.encode(TEXTS) @ weights[:, :16].T), atol=1e-5)
    theirs = pytest.importorskip("sentence_transformers").SentenceTransformer(
        str(tmp_path / "mapped"), device="cpu", local_files_only=True
    )
    np.testing.assert_allclose(theirs.encode(TEXTS, normalize_embeddings=True), expected, atol=2e-3)


def test_tensors_that_are_written_are_read(tmp_path: Path) -> None:
    arrays = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.array([3, 1], np.int64),
        "half": np.ones(3, np.float16),
    }
    write_tensors(tmp_path / "some.safetensors", arrays)
    found = Tensors(tmp_path / "some.safetensors")
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.stored(name), array)
        assert found.stored(name).dtype == array.dtype
    theirs = pytest.importorskip("safetensors.numpy").load_file(tmp_path / "some.safetensors")
    np.testing.assert_array_equal(theirs["b"], arrays["b"])


def test_a_library_gets_the_model_without_encoding_anew(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProjectionTraining, "reason", "")
    found = train_projection(library, "dense", tmp_path / "model", dimensions=[96, 24, 96], add="small", seed=3)
    assert (found.folder, found.added, found.widths) == (str(tmp_path / "model"), "small", (24, 96))
    assert [change.what for change in found.changes] == [
        "codes of 24 bits",
        "24 dimensions",
        "codes of 96 bits",
        "96 dimensions",
    ]
    assert found.changes[0].measure == SHARE
    assert "share of the true 10" in (tmp_path / "model" / "README.md").read_text()
    assert library.encoders()[0].embedded == library.passage_count
    ids = np.arange(1, 40)
    before = passage_vectors(library._encoders, library._snapshot, "dense", ids)
    after = passage_vectors(library._encoders, library._snapshot, "small", ids)
    assert after.shape[1] == 96
    assert load_encoder(found.folder).dimension == 96
    assert np.corrcoef((before @ before.T).ravel(), (after @ after.T).ravel())[0, 1] > 0.9
    library.add([Document("new", "A text about reading files that came later.")], workers=1)
    library.embed("small")
    assert library.rank_documents(["reading files that came later"], k=3, recipe="small")[0][0][0] == "new"
    library.remove("new")
    again = train_projection(library, "dense", tmp_path / "again", dimensions=[24, 96], seed=3)
    assert [c.after for c in again.changes] == [c.after for c in found.changes]
    assert (tmp_path / "again" / "vectors.npy").read_bytes() == (tmp_path / "model" / "vectors.npy").read_bytes()
    with pytest.raises(UsageError, match="'small' already"):
        train_projection(library, "dense", add="small")


def test_vectors_that_are_added_are_those_of_the_model(
    library: bookwheel.Library, tmp_path: Path, models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProjectionTraining, "reason", "")
    with pytest.raises(UsageError, match="no dense encoder"):
        train_projection(library, "tiny")
    library.add_encoder("tiny", models.write_bert(tmp_path / "base", models.bert_weights(3)))
    with pytest.raises(UsageError, match=r"has embedded 0 of \d+ passages, and --add maps"):
        train_projection(library, "tiny", add="half")
    with pytest.raises(InputError, match="type: bookwheel embed tiny"):
        train_projection(library, "tiny")
    library.embed("tiny")
    ids = np.arange(1, 200, 9)
    texts = opening_texts(library._snapshot.store, ids.tolist())
    for name, dimension in (("tiny", 20), ("dense", 64)):
        found = train_projection(library, name, tmp_path / f"{name}-model", dimensions=[dimension], add=f"{name}_mapped")
        added = passage_vectors(library._encoders, library._snapshot, f"{name}_mapped", ids)[:, :dimension]
        own = load_encoder(found.folder).encode(texts)
        assert np.median((added * own).sum(1)) > 0.995
        assert library.search("a file that is read", recipe=f"{name}_mapped")


def test_a_library_with_pruned_passages_gets_the_model(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProjectionTraining, "reason", "")
    library.add([Document(f"{one.id} again", one.text, title=one.title) for one in list(library)[:20]], workers=1)
    assert library.prune().pruned
    found = train_projection(library, "dense", tmp_path / "model", dimensions=[64], add="small")
    assert found.added == "small"
    assert library.search("a file that is read", recipe="small")


@pytest.mark.parametrize("when", ["while it trains", "while vectors are mapped"])
@pytest.mark.parametrize("change", ["one document anew", "one document more", "one document less"])
def test_what_is_indexed_meanwhile_gets_its_own_vectors(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, change: str
) -> None:
    monkeypatch.setattr(ProjectionTraining, "reason", "")
    module, name = (base, "write_folder") if when == "while it trains" else (base, "import_vectors")
    real, changed = getattr(module, name), []

    def meanwhile(*given: object, **named: object) -> object:
        with bookwheel.open(library.path) as other:
            if not changed and change == "one document less":
                other.remove("3")
            elif not changed:
                new = "3" if change == "one document anew" else "new"
                other.add([Document(new, "Bakers knead the dough for bread at dawn.")], workers=1)
        changed.append(change)
        return real(*given, **named)

    monkeypatch.setattr(module, name, meanwhile)
    found = train_projection(library, "dense", tmp_path / "model", dimensions=[64], add="small")
    assert found.added == "small"
    assert len(changed) == (1 if when == "while it trains" else 2)
    ids = stored_passages(library._snapshot)[0]
    added = passage_vectors(library._encoders, library._snapshot, "small", ids)[:, :64]
    own = load_encoder(found.folder).encode(opening_texts(library._snapshot.store, ids.tolist()))
    assert (added * own).sum(1).min() > 0.99


def test_a_library_that_never_rests_is_told(
    library: bookwheel.Library, tmp_path: Path, models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProjectionTraining, "reason", "")
    real, texts = base.import_vectors, iter(["Bakers knead the dough.", "At dawn.", "For the bread."])

    def meanwhile(*given: object, **named: object) -> object:
        with bookwheel.open(library.path) as other:
            other.add([Document("3", next(texts))], workers=1)
        return real(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(base, "import_vectors", meanwhile)
        with pytest.raises(LibraryChanged, match=r"was written, but small not added: .* encoders add small=.*busy"):
            train_projection(library, "dense", tmp_path / "busy", dimensions=[64], add="small")
    assert [one.name for one in library.encoders()] == []
    library.add_encoder("tiny", models.write_bert(tmp_path / "base", models.bert_weights(3)))
    library.embed("tiny")
    for number, (change, told) in enumerate((
        (lambda other: other.add([Document("new", "More of it.")], workers=1), r"tiny has embedded \d+ of \d+ passages"),
        (lambda other: other.replace_encoder("tiny", "static"), "tiny was replaced"),
        (lambda other: other.remove_encoder("tiny"), "tiny was removed"),
    )):  # fmt: skip
        written = base.write_folder

        def changed(*given: object, **named: object) -> None:
            written(*given, **named)  # noqa: B023
            with bookwheel.open(library.path) as other:
                change(other)  # noqa: B023

        library.embed("tiny")
        with monkeypatch.context() as patch:
            patch.setattr(base, "write_folder", changed)
            with pytest.raises(UsageError, match=f"model{number} was written, but half not added: meanwhile .*{told}"):
                train_projection(library, "tiny", tmp_path / f"model{number}", dimensions=[20], add="half")
        if number == 1:  # it is half way: what is embedded by the other encoder does not count
            with pytest.raises(UsageError, match=r"tiny has embedded 0 of \d+ passages"):
                train_projection(library, "tiny", dimensions=[20], add="half")
            library.embed("tiny")


def test_a_run_that_was_stopped_has_written_nothing(
    library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProjectionTraining, "reason", "")
    whole, written = training.fitted_map, base.write_folder
    with monkeypatch.context() as patch:
        patch.setattr(training, "interruptible", lambda: nullcontext(lambda: True))  # Ctrl-C, at the next round
        with pytest.raises(KeyboardInterrupt):
            train_projection(library, "dense", tmp_path / "model", dimensions=[24])

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    for module, name in ((training, "fitted_map"), (training, "load_encoder"), (base, "write_folder")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, stopped)
            with pytest.raises(KeyboardInterrupt):
                train_projection(library, "dense", tmp_path / "model", dimensions=[24])
        assert not list(tmp_path.glob("*model*"))
    assert (training.fitted_map, base.write_folder) == (whole, written)
    assert train_projection(library, "dense", tmp_path / "model", dimensions=[24]).folder == str(tmp_path / "model")


def test_what_cannot_be_mapped_is_told(library: bookwheel.Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add_encoder("own", lambda texts: np.ones((len(texts), 8)))
    for name, settings, told in (
        ("none", {}, "no dense encoder of the library; there are dense"),
        ("own", {}, "no dense encoder of the library"),
        ("dense", {"dimensions": [4, 64]}, "from 8 to 256 of them, not 4"),
        ("dense", {"dimensions": [64, 300]}, "not 300"),
        ("dense", {"add": "own"}, "has 'own' already"),
        ("dense", {"add": "bm25"}, "none of"),
        ("dense", {"add": "two words"}, "letters, digits"),
        ("dense", {"minutes": 0}, "minutes"),
    ):
        with pytest.raises(UsageError, match=told):
            train_projection(library, name, **settings)
    monkeypatch.setattr(training, "CANDIDATES", 10_000)
    with pytest.raises(InputError, match="fitted to 20000 or more"):
        train_projection(library)
    assert not (library.path / "models").exists()


def test_when_a_map_is_written() -> None:
    def told(*changes: Change) -> str:
        return ProjectionTraining(
            library="", folder=None, base="dense", dimension=256, widths=(64,), passages=900, changes=changes, whole=0.8,
            seconds=1.0, seed=0,
        ).reason  # fmt: skip

    def change(before: float, after: float, p: float, measure: str = "nDCG@10", queries: int = 100) -> Change:
        return Change("64", queries, before, after, 0.0, 0.0, p, measure)

    better, same = change(0.7, 0.8, 0.001, SHARE), change(0.6, 0.595, 0.3)
    assert told(better, same) == ""
    assert "no better" in told(better, change(0.6, 0.58, 0.3))
    assert "significantly worse" in told(better, change(0.6, 0.595, 0.01))
    assert "significantly worse" in told(change(0.7, 0.69, 0.01, SHARE), change(0.6, 0.7, 0.001))
    assert "too small" in told(change(0.7, 0.71, 0.2, SHARE), same)
    assert "only 12 held-out" in told(change(0.7, 0.8, 0.001, SHARE, 12))
