"""Inputs that are made to take for ever: each ends soon, with what it holds or with one sentence."""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bookwheel import BookwheelError, Document, ModelError
from bookwheel.documents.ignore import IgnoreRules
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read
from bookwheel.encode.safetensors import Tensors
from bookwheel.encode.vector_files import read_ciff, read_dense, read_term_weights
from bookwheel.rank.stages.rewrite.syntax import parse_query

SOON = 10.0
"""Seconds within which each ends, also on a loaded machine."""


@contextmanager
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize(
    "pattern",
    [
        "**/" * 60 + "x",
        "*a" * 30 + "b",
        "[a-z]*" * 20 + "Z",
        "a/**/" * 30 + "b",
        "*?" * 60 + "b",
        r"*\a" * 30 + "b",
        r"*[\]a]" * 30 + "b",
        "**a" * 30 + "b",
    ],
)
def test_patterns_of_gitignore(tmp_path: Path, pattern: str) -> None:
    (tmp_path / ".gitignore").write_text(f"{pattern}\nlast.txt\n")
    rules = IgnoreRules(tmp_path)
    with soon():
        for name in ("a" * 250, "a/" * 300 + "c", "last.txt"):
            assert rules.ignored(str(tmp_path / name), False) == (name == "last.txt")


@pytest.mark.parametrize(
    ("pattern", "ignored", "kept"),
    [
        ("*a*b*c", ["abc", "xaxbxc", "aabbcc", "a/xabc"], ["acb", "abcx", "ab/c"]),
        ("a*b?*c", ["abxc", "abbc", "abxyc"], ["abc", "a/bxc"]),
        ("*.t*t", ["x.txt", "x.tt", "a.b.txt"], ["x.txt.gz", "t.x"]),
        ("x*/y*z*w", ["x1/yzw", "x/y1z1w"], ["x/y/zw", "y/yzw"]),
        ("**/d/*a*b/**", ["d/ab/x", "q/d/xaxb/y/z"], ["d/ba/x"]),
        ("*[ab]*[!c]*d", ["axd", "zbxyd"], ["acd", "xyd"]),
        (r"*\**!*x", ["a*b!cx", "*!x"], ["a*bx"]),
    ],
)
def test_patterns_match_what_they_did(tmp_path: Path, pattern: str, ignored: list[str], kept: list[str]) -> None:
    (tmp_path / ".gitignore").write_text(f"{pattern}\n")
    rules = IgnoreRules(tmp_path)
    assert [name for name in ignored + kept if rules.ignored(str(tmp_path / name), False)] == ignored


NAMES = b" ".join(b"a%d=1" % number for number in range(100_000))
INPUTS = {
    "many attributes.html": b"<p>x<div " + NAMES + b">y",
    "quoted.html": b"<p>x<div " + NAMES.replace(b"1 ", b'">" ') + b">y",
    "hidden.html": b'<script>"<a b=\'"</script><div ' + NAMES + b">y",
    "unclosed.html": b"<p a='" * 200_000,
    "tags in tags.html": b"<p " + b"<a " * 300_000,
    "comments.html": b"x<!--" * 200_000,
    "deep.html": b"<div>" * 200_000,
    "page.eml": b"Subject: s\nContent-Type: text/html\n\n<div " + NAMES + b">y",
    "encoded words.eml": b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\nx",
    "parameters.eml": b"Content-Type: text/plain" + b"; a=b" * 50_000 + b"\nSubject: s\n\nx",
    "comment.eml": b"Content-Type: " + b"(" * 100_000 + b"\nSubject: s\n\nx",
    "addresses.eml": b"From: " + b"a," * 100_000 + b"\nSubject: s\n\nx",
    "deep.json": b"[" * 100_000,
    "deep objects.json": b'{"a":' * 100_000,
    "deep.jsonl": b'{"text":"x","a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "deep.ipynb": b'{"cells":' * 100_000,
    "deep.md": b"---\na: " + b"[" * 100_000 + b"\n---\ntext",
    "aliases.md": b"---\na: &a [x]\n" + b"".join(b"a%d: &b%d [*a, *a]\n" % (n, n) for n in range(1000)) + b"---\ntext",
    "quotes.csv": b"a,b\n" + b'"' * 100_001,
    "underlines.rst": b"=" * 300_000,
    "fences.md": b"`" * 300_000,
}


@pytest.mark.parametrize("name", INPUTS)
def test_files(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(INPUTS[name])
    with soon():
        for source in walk([tmp_path]):
            if isinstance(source, Source):
                with suppress(BookwheelError):
                    assert all(isinstance(item, Document | BookwheelError) for item in read(source))


@pytest.mark.parametrize(
    "text",
    [
        '"' + "a" * 32_000,
        '+"' + "a " * 16_000,
        '"a" ' * 8000,
        '"' * 32_000,
        'a:"' + "b" * 32_000,
        "a." * 16_000 + ":",
        ' "a' * 8000,
    ],
)
def test_queries_with_syntax(text: str) -> None:
    with soon():
        parse_query(text, ("a",))


def test_phrases_are_what_they_were() -> None:
    assert parse_query('"a b" x', ()).required == ("a b",)
    assert parse_query('"..." x', ()).required == ()
    assert parse_query('" " a" y', ()).required == (" a",)
    assert parse_query('-"a b" "', ()).excluded == ("a b",)


HEADERS = [
    b'{"x":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}',
    b'{"x":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,0]}}',
    b'{"x":{"dtype":"F32","shape":[-1,-4],"data_offsets":[0,16]}}',
    b'{"x":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}',
    b'{"x":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}',
    b'{"x":{"dtype":"F32","shape":4,"data_offsets":[0,16]}}',
    b'{"x":{"dtype":"F32","shape":[1],"data_offsets":["0","4"]}}',
    b'{"x":{"dtype":["F32"],"shape":[1],"data_offsets":[0,4]}}',
    b'{"x":{"dtype":"F32","shape":' + b"[" * 100_000 + b"}}",
    b'{"a":' * 100_000,
    b"[]",
    b"null",
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
def test_headers_of_safetensors(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
    with soon(), pytest.raises(ModelError, match="truncated or no safetensors file"):
        Tensors(tmp_path / "x.safetensors")


@pytest.mark.parametrize("length", [0, 1, 1 << 31, 1 << 63, (1 << 64) - 1])
def test_lengths_of_headers_of_safetensors(tmp_path: Path, length: int) -> None:
    (tmp_path / "x.safetensors").write_bytes(struct.pack("<Q", length) + b"{}")
    with soon(), pytest.raises(ModelError, match="truncated or no safetensors file"):
        Tensors(tmp_path / "x.safetensors")


@pytest.mark.parametrize("text", ["[" * 100_000, '{"weight_map": {"x": 1}}', '{"weight_map": 1}', "{}"])
def test_lists_of_weight_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(text)
    with soon(), pytest.raises(ModelError, match="not readable as a list"):
        Tensors(tmp_path / "model.safetensors.index.json")


def test_vectors_made_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"id": 1, "vector": ' + "[" * 100_000)
    (tmp_path / "x.ciff").write_bytes(b"\xff" * 100)
    (tmp_path / "y.ciff").write_bytes(b"\xfe\xff\xff\xff\x07" + bytes(10))
    (tmp_path / "x.npy").write_bytes(
        b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}".ljust(118)
    )
    for reader, name in ((read_term_weights, "x.jsonl"), (read_ciff, "x.ciff"), (read_ciff, "y.ciff"), (read_dense, "x.npy")):
        with soon(), pytest.raises(BookwheelError):
            reader(tmp_path / name)
