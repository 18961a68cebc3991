"""A person's own functions and files: vectors and term weights; how models are found; document expansion."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookwheel._errors import InputError, ModelError, UsageError
from bookwheel.encode import encode_queries, load_encoder
from bookwheel.encode.expansion import expand, queries_of, similarity
from bookwheel.encode.find import find_folder, installed
from bookwheel.encode.transformer.protobuf import floating, integer, integers, part, read_fields, signed
from bookwheel.encode.vector_files import read_ciff, read_dense, read_term_weights


def _lengths(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


def test_a_function_is_an_encoder() -> None:
    encoder = load_encoder(_lengths, name="lengths", query_function=lambda texts: [[0.0, 2.0]] * len(texts))
    assert (encoder.name, encoder.dimension) == ("lengths", 2)
    np.testing.assert_allclose(encoder.encode(["abc", ""]), [[3 / 10**0.5, 1 / 10**0.5], [0, 1]], rtol=1e-6)
    np.testing.assert_allclose(encode_queries(encoder, ["x"]), [[0, 1]])
    assert encoder.encode([]).shape == (0, 2)
    assert load_encoder(_lengths, name="lengths", revision="2").sha256 != encoder.sha256


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda texts: [[1.0]], r"gave an array of shape \(1, 1\) for 2 texts"),
        (lambda texts: [[1.0], [1.0, 2.0]], "does not give vectors of one length"),
        (lambda texts: [[1.0, float("nan")]] * len(texts), "not finite for text 1 of 2"),
        (lambda texts: [1.0] * len(texts), "it must give"),
    ],
)
def test_a_function_that_gives_no_vectors(function: object, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        load_encoder(function, dimension=2).encode(["a", "b"])


def test_dense_vectors_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "emb.npy"
    array = np.arange(12, dtype=np.float16).reshape(4, 3)
    np.save(path, array)
    np.testing.assert_array_equal(read_dense(path), array)
    array[2, 1] = np.inf
    np.save(path, array)
    with pytest.raises(InputError, match="not finite in row 3"):
        read_dense(path)
    np.save(path, np.arange(4))
    with pytest.raises(InputError, match=r"of shape \(4,\) and type int64"):
        read_dense(path)
    path.write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=r"not readable as a \.npy array"):
        read_dense(path)


def test_term_weights_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "terms.jsonl"
    lines = [
        {"id": 7, "vector": {"sea": 1.5, "sky": 0}},
        {"_id": "b", "weights": {"sky": 2, "sea": 1}},
        {"docno": "c", "vector": {}},
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    found = read_term_weights(path)
    assert found.ids == ["7", "b", "c"]
    rows = [{found.vocabulary[t]: float(w) for t, w in zip(*found.vectors.row(n), strict=True)} for n in range(3)]
    assert rows == [{"sea": 1.5}, {"sky": 2.0, "sea": 1.0}, {}]
    for bad in ('{"id": 1}', "[]", '{"id": 1, "vector": {"a": "b"}}', '{"id": 1, "vector": {"a": NaN}}', "{"):
        path.write_text(json.dumps(lines[0]) + "\n" + bad)
        with pytest.raises(InputError, match="line 2 is not"):
            read_term_weights(path)


def _delimited(record: bytes) -> bytes:
    return part(1, record)[1:]  # a length and the record


def test_ciff(tmp_path: Path) -> None:
    postings = {"sea": [(0, 3), (2, 1)], "sky": [(1, 5), (2, 2)]}
    records = [integer(1, 1) + integer(2, 2) + integer(3, 3) + part(8, "by hand")]
    for term, listed in postings.items():
        body = part(1, term) + integer(2, len(listed)) + integer(3, sum(tf for _, tf in listed))
        before = 0
        for document, tf in listed:
            body += part(4, integer(1, document - before) + integer(2, tf))
            before = document
        records.append(body)
    records += [integer(1, n) + part(2, f"doc{n}") + integer(3, 9) for n in range(3)]
    data = b"".join(map(_delimited, records))
    path = tmp_path / "index.ciff"
    path.write_bytes(data)
    found = read_ciff(path)
    assert (found.ids, found.vocabulary) == (["doc0", "doc1", "doc2"], ["sea", "sky"])
    rows = [[(int(t), float(w)) for t, w in zip(*found.vectors.row(n), strict=True)] for n in range(3)]
    assert rows == [[(0, 3.0)], [(1, 5.0)], [(0, 1.0), (1, 2.0)]]
    for cut in range(1, len(data), 7):
        path.write_bytes(data[:cut])
        with pytest.raises(InputError, match="truncated or no CIFF file"):
            read_ciff(path)
    # The bytes that protoc's own example gives: field 1, varint 150.
    assert integer(1, 150) == b"\x08\x96\x01"


@given(
    st.integers(1, 1000), st.integers(-(1 << 63), (1 << 63) - 1), st.binary(max_size=300), st.floats(width=32, allow_nan=False)
)
def test_what_is_written_in_wire_format_is_read(number: int, value: int, data: bytes, real: float) -> None:
    message = integer(number, value) + part(2, data) + floating(3, real) + integers(4, [1, 300])
    read = list(read_fields(message))
    assert [n for n, _ in read] == [number, 2, 3, 4]
    assert signed(int(read[0][1])) == value  # type: ignore[arg-type]
    assert bytes(read[1][1]) == data  # type: ignore[arg-type]
    assert np.array(read[2][1], np.uint32).view(np.float32) == np.float32(real)
    assert bytes(read[3][1]) == b"\x01\xac\x02"  # type: ignore[arg-type]


def test_installed_packages_are_found_without_importing_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tmp_path / "some_model" / "model"
    model.mkdir(parents=True)
    (tmp_path / "some_model" / "__init__.py").write_text("raise RuntimeError('imported')")
    for name in ("config.json", "tokenizer.json"):
        (model / name).write_text("{}")
    (model / "model.safetensors").write_bytes(b"\0" * 200_000)
    info = tmp_path / "some_model-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-model\nVersion: 1.0\n")
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    (info / "RECORD").write_text("".join(f"{f},,{(tmp_path / f).stat().st_size}\n" for f in files))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert find_folder("some-model") == model
    assert installed()["some-model"] == [model]
    with pytest.raises(ModelError, match="there is no encoder 'some-other'"):
        find_folder("some-other")
    with pytest.raises(ModelError, match="there is no folder"):
        find_folder("./nowhere")
    (tmp_path / "some-other").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_folder("some-other") == Path("some-other")


def test_queries_in_an_answer() -> None:
    answer = 'Queries:\n1. what is a tide?\n- Why is the sea salty\n* "why is the sea salty?"\n\n42\n' + "word " * 40
    assert queries_of(answer) == ["what is a tide?", "Why is the sea salty"]


def test_expansion_keeps_the_queries_that_fit() -> None:
    passages = ["the sea is salt", "birds sing in spring"]
    prompts: list[str] = []

    def generate(asked: Sequence[str]) -> list[str]:
        prompts.extend(asked)
        return ["salt sea\nfootball results\nsea", "stock prices\nwhen do birds sing"]

    def score(queries: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        return np.array([len(set(q.split()) & set(t.split())) for q, t in zip(queries, texts, strict=True)], np.float32)

    found = expand(passages, generate, score, count=3, share=0.4)
    assert [prompt.count(text) for prompt, text in zip(prompts, passages, strict=True)] == [1, 1]
    assert found.texts(2) == ["salt sea", "when do birds sing"]
    assert [one.query for one in found.written] == ["salt sea", "sea", "football results", "when do birds sing", "stock prices"]
    assert expand(passages, generate, score, threshold=1.0).texts(2) == ["salt sea\nsea", "when do birds sing"]
    assert expand(passages, generate).texts(2)[1] == "stock prices\nwhen do birds sing"
    with pytest.raises(UsageError, match="gave 0 answers to 2 prompts"):
        expand(passages, lambda asked: [])


def test_similarity_scores_a_query_by_its_own_passage() -> None:
    encoder = load_encoder(lambda texts: [[float("sea" in t), float("bird" in t), 1e-3] for t in texts], dimension=3)
    scores = similarity(encoder)(["sea", "sea", "bird"], ["the sea", "a bird", "a bird"])
    np.testing.assert_allclose(scores, [1, 0, 1], atol=1e-4)


def test_a_weight_beyond_all_floats_is_told(tmp_path: Path) -> None:
    path = tmp_path / "huge.jsonl"
    path.write_text('{"id": "a", "vector": {"x": ' + "9" * 400 + "}}\n")
    with pytest.raises(InputError, match="line 1 is not"):
        read_term_weights(path)
