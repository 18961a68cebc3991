"""What teaches: each score against what it stands for, sums of several, and a model taught by words and by pairs."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel._errors import ModelError, UsageError
from bookwheel.encode import load_encoder
from bookwheel.encode.cross import CrossEncoder
from bookwheel.language import close_models, language_model
from bookwheel.library.passage_texts import passage_texts
from bookwheel.rank.stages.rerank.likelihood import QueryLikelihood
from bookwheel.train.teachers.registry import SPREAD, Together, dense_teacher, teacher_of
from bookwheel.train.teachers.vectors import DenseTeacher
from bookwheel.train.teachers.words import WordTeacher

sys.path += [str(Path(__file__).parents[1] / "encode"), str(Path(__file__).parents[1] / "rank")]
try:
    import encoder_models as models
    from language_tiny import saved
finally:
    del sys.path[-2:]

QUERIES = ["the speed of sound", "warm light", "a boundary layer"]
TEXTS = ["sound is fast in warm air", "a lens bends light", "a layer of air", "the boundary of a layer of sound", ""]
EVERY = np.array([(query, text) for query in range(len(QUERIES)) for text in range(len(TEXTS))])


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cross") / "crossed"
    labels = {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    weights = models.bert_weights(4, prefix="bert.", labels=1)
    return models.write_bert(folder, weights, architectures=["BertForSequenceClassification"], **labels)


@pytest.fixture(scope="module")
def splade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights = models.bert_weights(5, mlm=True)
    named = {(name if name.startswith("cls.") else f"bert.{name}"): value for name, value in weights.items()}
    return models.write_bert(tmp_path_factory.mktemp("splade") / "splade", named, architectures=["BertForMaskedLM"])


def test_words_score_stored_passages_as_the_library_does(library: bookwheel.Library) -> None:
    teacher = WordTeacher(library)
    queries = ["the name of a file", "objects that are returned", "an error that was raised"]
    ranked = [library.rank(query, 30, recipe="bm25") for query in queries]
    numbers = sorted({int(one) for hits in ranked for one in hits.ids})
    texts = passage_texts(library._snapshot.store, numbers, 1 << 20)
    for at, (query, hits) in enumerate(zip(queries, ranked, strict=True)):
        which = np.array([(0, numbers.index(int(one))) for one in hits.ids]).reshape(-1, 2)
        if len(hits):
            np.testing.assert_allclose(teacher.scores([query], texts, which), hits.scores, rtol=2e-2, err_msg=queries[at])
    assert sum(map(len, ranked)) > 10
    assert teacher.scores(["heat", ""], ["heat and heat", "", "cold"], np.array([(0, 0), (0, 1), (0, 2), (1, 0)])).tolist()[
        1:
    ] == [0, 0, 0]


def test_encoders_are_asked_once_for_each_text(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load_encoder(str(base))
    asked: list[str] = []
    real = type(encoder).encode
    monkeypatch.setattr(type(encoder), "encode", lambda self, texts: (asked.extend(texts), real(self, texts))[1])
    teacher = DenseTeacher(encoder)
    found = teacher.scores(QUERIES, TEXTS, EVERY)
    wanted = real(encoder, QUERIES) @ real(encoder, TEXTS).T
    np.testing.assert_allclose(found, wanted.ravel(), atol=1e-5)
    np.testing.assert_allclose(teacher.scores(QUERIES, TEXTS[::-1], EVERY[:5]), wanted[0, ::-1], atol=1e-5)
    assert sum(one in TEXTS for one in asked) == len(TEXTS)


def test_a_sparse_encoder_teaches_by_the_products_of_its_weights(library: bookwheel.Library, splade: Path) -> None:
    teacher = teacher_of(library, splade)
    encoder = load_encoder(splade, "sparse")
    size = len(encoder.vocabulary)

    def dense(found) -> np.ndarray:
        out = np.zeros((len(found), size), np.float32)
        for at in range(len(found)):
            terms, weights = found.row(at)
            out[at, terms] = weights
        return out

    products = dense(encoder.encode_queries(QUERIES)) @ dense(encoder.encode(TEXTS)).T
    assert (products > 0).any()
    assert teacher is not None
    assert teacher.quick
    assert not teacher.cosines
    np.testing.assert_allclose(teacher.scores(QUERIES, TEXTS, EVERY), spread(products).ravel(), atol=1e-4)


def spread(scores: np.ndarray) -> np.ndarray:
    """Written down again: each row with a mean of 0 and a deviation of `SPREAD`."""
    deviation = scores.std(1, keepdims=True)
    return SPREAD * (scores - scores.mean(1, keepdims=True)) / np.where(deviation > 1e-6, deviation, np.inf)


def test_a_cross_encoder_and_a_language_model_read_pairs(library: bookwheel.Library, crossed: Path, tmp_path: Path) -> None:
    some = EVERY[[0, 3, 1, 6, 7, 9]]
    cross = teacher_of(library, crossed)
    assert cross is not None
    assert not cross.quick
    assert cross.name == "crossed"
    found = cross.scores(QUERIES, TEXTS, some)
    raw = CrossEncoder(crossed).pair_scores([(QUERIES[query], TEXTS[text]) for query, text in some.tolist()])
    np.testing.assert_allclose(found, spread(np.array(raw).reshape(2, 3)).ravel(), atol=1e-5)
    pytest.importorskip("transformers")
    folder = str(saved(tmp_path / "tiny"))
    try:
        likely = teacher_of(library, f"likelihood={folder}")
        assert likely is not None
        assert likely.name == "the likelihood of tiny"
        scorer = QueryLikelihood(language_model(folder), combine="gain")
        raw = [scorer.rerank(QUERIES[query], [TEXTS[at] for at in some[some[:, 0] == query, 1]]).scores for query in (0, 1)]
        np.testing.assert_allclose(likely.scores(QUERIES, TEXTS, some), spread(np.array(raw)).ravel(), atol=1e-4)
    finally:
        close_models()


def test_several_teach_by_the_sum_of_what_they_say(library: bookwheel.Library, base: Path) -> None:
    """Each counts as much, whatever its scale; a query by which nothing is told apart says nothing."""
    both = teacher_of(library, ["bm25", base])
    assert both is not None
    assert both.name == f"bm25 + {base.name}"
    assert both.quick
    words, encoder = WordTeacher(library), DenseTeacher(load_encoder(str(base)))
    found = both.scores([*QUERIES, "zzz"], TEXTS, EVERY).reshape(3, 5)
    alone = [spread(one.scores(QUERIES, TEXTS, EVERY).reshape(3, 5)) for one in (words, encoder)]
    np.testing.assert_allclose(found, spread(alone[0] + alone[1]), atol=1e-5)

    class Louder(WordTeacher):
        def scores(self, *given) -> np.ndarray:
            return 1000 * super().scores(*given) + 3

    np.testing.assert_allclose(
        Together([Louder(library), encoder]).scores(QUERIES, TEXTS, EVERY).reshape(3, 5), found, atol=1e-4
    )
    assert not Together([words]).scores(["zzz"], TEXTS, EVERY[:5]).any()
    assert both.sha256 != Together([words]).sha256


def test_what_teaches_nothing_is_told(
    library: bookwheel.Library, base: Path, splade: Path, crossed: Path, tmp_path: Path
) -> None:
    assert teacher_of(library, None) is None
    assert teacher_of(library, ()) is None
    with pytest.raises(UsageError, match="static is a static model, which has nothing to teach"):
        teacher_of(library, ["bm25", "static"])
    with pytest.raises(UsageError, match="the teacher bm25 is named twice; name each once"):
        teacher_of(library, ["bm25", "bm25"])
    with pytest.raises(ModelError):
        teacher_of(library, str(tmp_path / "nowhere"))
    for named, kind in (("static", "static"), ("dense", "static"), (splade, "sparse"), (crossed, "cross-encoder")):
        with pytest.raises(UsageError, match=f"is a {kind} model"):
            dense_teacher(library, named)
    one = teacher_of(library, base)
    assert one is not None
    assert one.cosines, "a single encoder's cosines are taken as they are"
