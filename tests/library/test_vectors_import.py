"""Vectors made elsewhere: attached they rank as if they had been encoded here; what does not fit changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from test_vectors_dense import QUERIES, assert_exact, documents, make
from test_vectors_sparse import assert_exact as assert_sparse_exact
from vectors_encoders import Rotated, Weighted, texts_of

import bookwheel
from bookwheel import Library
from bookwheel.encode.transformer.protobuf import integer, key, part, varint
from bookwheel.library.manifest import Manifest
from bookwheel.rank.query import Query


@pytest.fixture
def library(tmp_path: Path, prose: list[tuple[str, str]]) -> Library:
    docs = documents(prose, slice(0, 140))
    library = make(tmp_path / "x", docs[:60], docs[60:])
    library.remove([d.id for d in docs[5:20]])
    return library


def passages(library: Library) -> list[tuple[str, str]]:
    """Names and texts as ``bookwheel export --passages`` tells them; texts with the title, as encoders get them."""
    found = []
    for document in library:
        ids = np.arange(document.first, document.first + len(document.passages))
        texts = texts_of(library, ids)
        found += [(f"{document.id}#{n}", text) for n, text in enumerate(texts, 1)]
    return found


def test_an_array_ranks_as_if_it_had_been_encoded_here(library: Library, tmp_path: Path) -> None:
    encoder = Rotated()
    vectors = encoder.encode([text for _, text in passages(library)])
    np.save(tmp_path / "emb.npy", 3 * vectors)
    library.import_vectors("other", tmp_path / "emb.npy", encoder=encoder)
    assert library.encoders()[0].complete
    assert_exact(library, encoder)
    library.add(documents([("New", "a new text of threads and locks")]))
    assert library.embed()[0].complete
    library.compact()
    assert_exact(library, encoder)
    assert library.check() == []


def test_without_a_model_a_query_brings_its_own_vector(library: Library) -> None:
    rows = np.random.default_rng(0).standard_normal((library.passage_count, 20)).astype(np.float32)
    library.import_vectors("mine", rows)
    with pytest.raises(bookwheel.ModelError, match="made outside this library"):
        library.search("open a file", recipe="mine")
    hits = library.rank(Query("x", vectors={"mine": rows[17]}), 1, recipe="mine")
    assert hits.scores[0] == pytest.approx(1, abs=1e-3)
    library.add_encoder("other", Rotated())
    library.add(documents([("New", "a new text")]))
    assert [report.name for report in library.embed()] == ["other"]  # nobody here can go on with the other one
    assert library.rank(Query("text", vectors={"mine": rows[17]}), 5, recipe="bm25 + mine")


def test_a_row_a_document_serves_all_its_passages(library: Library) -> None:
    rows = np.random.default_rng(1).standard_normal((library.document_count, 16)).astype(np.float32)
    assert library.document_count < library.passage_count
    library.import_vectors("mine", rows)
    for number, document in list(enumerate(library))[:40:7]:
        hits = library.rank(Query("x", vectors={"mine": rows[number]}), len(document.passages), recipe="mine")
        assert set(hits.ids.tolist()) == set(range(document.first, document.first + len(document.passages)))


def test_weighted_terms_by_passage(library: Library, tmp_path: Path) -> None:
    encoder = Weighted()
    with (tmp_path / "w.jsonl").open("w") as file:
        for name, text in reversed(passages(library)):
            weights = {encoder.vocabulary[term]: weight for term, weight in encoder.terms(text).items()}
            file.write(json.dumps({"id": name, "vector": weights}) + "\n")
    library.import_vectors("splade", tmp_path / "w.jsonl", encoder=encoder)
    assert_sparse_exact(library, encoder)
    assert library.check() == []


def test_ciff_by_document(library: Library, tmp_path: Path) -> None:
    names = [document.id for document in library]
    postings = [("lock", [(0, 7), (3, 2)]), ("queue", [(3, 250)])]

    def framed(record: bytes) -> bytes:
        return varint(len(record)) + record

    with (tmp_path / "i.ciff").open("wb") as file:
        file.write(framed(integer(1, 1) + integer(2, len(postings)) + integer(3, len(names))))
        for term, found in postings:
            record, before = part(1, term), 0
            for document, weight in found:
                record += part(4, integer(1, document - before) + integer(2, weight))
                before = document
            file.write(framed(record))
        for number, name in enumerate(names):
            file.write(framed(integer(1, number) + part(2, name)))
    assert key(1) == b"\n"
    library.import_vectors("ciff", tmp_path / "i.ciff")
    hits = library.rank(Query("x", sparse={"ciff": {"lock": 1.0, "queue": 2.0}}), 50, recipe="ciff")
    found = {library._snapshot.store.documents_of([n])[n][1]: s for n, s in zip(hits.ids.tolist(), hits.scores, strict=True)}
    assert found == pytest.approx({names[3]: 502.0, names[0]: 7.0}, rel=1e-3)


BAD = {
    "few": (lambda rows: rows[:-1], bookwheel.InputError, "passages of .* documents; make one for each line"),
    "nan": (
        lambda rows: np.where(np.arange(len(rows))[:, None] == 3, np.nan, rows),
        bookwheel.InputError,
        "not finite in row 4",
    ),
    "flat": (lambda rows: rows[:, 0], bookwheel.InputError, "shape"),
    "words": (lambda rows: rows.astype("U4"), bookwheel.InputError, "shape"),
    "narrow": (lambda rows: rows[:, :20], bookwheel.ModelError, "20 dimensions where rotated1 makes 48"),
    "shuffled": (lambda rows: rows[np.random.default_rng(0).permutation(len(rows))], bookwheel.ModelError, "another order"),
    "other model": (
        lambda rows: np.random.default_rng(0).standard_normal(rows.shape),
        bookwheel.ModelError,
        "was not made by rotated1",
    ),
}


@pytest.mark.parametrize("how", list(BAD))
@pytest.mark.parametrize("file", [True, False])
def test_what_does_not_fit_changes_nothing(library: Library, tmp_path: Path, how: str, file: bool) -> None:
    change, error, sentence = BAD[how]
    encoder = Rotated()
    rows = change(encoder.encode([text for _, text in passages(library)]))
    before = Manifest.read(library.path)
    given = rows
    if file:
        given = tmp_path / "emb.npy"
        np.save(given, rows)
    with pytest.raises(error, match=sentence) as caught:
        library.import_vectors("other", given, encoder=encoder)
    assert "\n" not in str(caught.value)
    assert Manifest.read(library.path) == before
    assert library.check() == []
    assert library.rank(QUERIES[0], 5, recipe="bm25")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.npy", b"", "not readable as a .npy array"),
        ("a.npy", b"\x93NUMPY\x01\x00junk", "not readable as a .npy array"),
        ("a.jsonl", b'{"id": "d0", "vector": {"a": 1}}\nnot json\n', "line 2"),
        ("a.jsonl", b'{"id": "d0", "vector": {"a": NaN}}\n', "line 1"),
        ("a.jsonl", b'{"id": "d0", "vector": {"a": 1}}\n', "no row for passage 1 of document"),
        ("a.ciff", b"\xff\xff\xff", "truncated or no CIFF file"),
        ("gone.npy", None, "there is no file"),
    ],
)
def test_files_that_are_none(library: Library, tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    before = Manifest.read(library.path)
    with pytest.raises(bookwheel.InputError, match=sentence) as caught:
        library.import_vectors("other", tmp_path / name)
    assert "\n" not in str(caught.value)
    assert Manifest.read(library.path) == before


def test_rows_of_unknown_documents_and_double_ones(library: Library, tmp_path: Path) -> None:
    rows = [{"id": document.id, "vector": {"a": 1.0}} for document in library]
    path = tmp_path / "w.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"id": "elsewhere", "vector": {"a": 1}}]))
    with pytest.raises(bookwheel.InputError, match="1 rows of documents that are not in the library, 'elsewhere' first"):
        library.import_vectors("w", path)
    path.write_text("".join(json.dumps(row) + "\n" for row in [*rows, rows[3]]))
    with pytest.raises(bookwheel.InputError, match="two rows for"):
        library.import_vectors("w", path)


def test_a_name_that_is_taken_stays_what_it_is(library: Library) -> None:
    rows = np.random.default_rng(2).standard_normal((library.passage_count, 8)).astype(np.float32)
    library.import_vectors("mine", rows)
    with pytest.raises(bookwheel.UsageError, match="already has an encoder 'mine'"):
        library.import_vectors("mine", -rows)
    with pytest.raises(bookwheel.UsageError, match="a representation that the library makes itself"):
        library.import_vectors("dense", rows)
    assert library.rank(Query("x", vectors={"mine": rows[3]}), 1, recipe="mine").scores[0] == pytest.approx(1, abs=1e-3)
    library.import_vectors("mine", -rows, replace=True)
    assert library.rank(Query("x", vectors={"mine": -rows[3]}), 1, recipe="mine").scores[0] == pytest.approx(1, abs=1e-3)
    assert [r.name for r in Manifest.read(library.path).representations] == ["mine"]
    assert library.check() == []
