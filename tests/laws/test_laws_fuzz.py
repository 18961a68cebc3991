"""Every parser of what others write, given anything: only a `BookwheelError` comes out, and soon.

A few thousand inputs by default; with ``-m slow`` as many as an hour takes (or ``$BOOKWHEEL_FUZZ_SECONDS``).
"""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fuzz_files import MORE

from bookwheel import BookwheelError, Document
from bookwheel._allowed import address_of
from bookwheel.documents.ignore import IgnoreRules
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read
from bookwheel.encode.safetensors import Tensors
from bookwheel.encode.transformer.protobuf import read_fields
from bookwheel.encode.vector_files import read_ciff, read_dense, read_term_weights
from bookwheel.index.sealed import seal, with_checksum
from bookwheel.index.storage import ArrayFolder
from bookwheel.library.experiments import Experiments
from bookwheel.library.filters.parse import parse_filter
from bookwheel.library.manifest import FORMAT, Manifest
from bookwheel.library.saved_recipes import read_recipes
from bookwheel.rank import parse_recipe
from bookwheel.rank.stages.rewrite.syntax import parse_query

hypothesis = pytest.importorskip("hypothesis")
st = hypothesis.strategies

SOON = 10.0
HOUR = 3600.0

Parser = Callable[[Path, bytes], object]


def _text(parse: Callable[[str], object]) -> Parser:
    return lambda folder, data: parse(data.decode("utf-8", "replace"))


def _file(name: str, parse: Callable[[Path], object]) -> Parser:
    def run(folder: Path, data: bytes) -> None:
        (folder / name).write_bytes(data)
        parse(folder / name)

    return run


def _sealed(name: str, parse: Callable[[Path], object]) -> Parser:
    """A file whose checksum is right, whatever it holds: that is no secret."""

    def run(folder: Path, data: bytes) -> None:
        (folder / name).write_bytes(with_checksum(data[1:]))
        parse(folder / name)

    return run


def _read(path: Path) -> None:
    for source in walk([path]):
        if isinstance(source, Source):
            assert all(isinstance(item, Document | BookwheelError) for item in read(source))


def _manifest(path: Path) -> None:
    made = Manifest.read(path.parent)
    assert all(entry.name.isdigit() for entry in made.segments)


def _arrays(path: Path) -> None:
    ArrayFolder(path.parent)


def _array(path: Path) -> None:
    header = zlib.crc32(path.read_bytes()[:128])
    listed = {"x": {"bytes": path.stat().st_size, "header": header, "blake2b": ""}}
    (path.parent / "index.json").write_bytes(seal({"name": path.parent.name, "attributes": {}, "files": listed}))
    ArrayFolder(path.parent).array("x")


def _ignore(path: Path) -> None:
    rules = IgnoreRules(path.parent)
    for name in ("a", "a/b/c.txt", "b" * 200, "a/" * 50 + "c"):
        rules.ignored(str(path.parent / name), False)


def _protobuf(folder: Path, data: bytes) -> None:
    try:
        for _, value in read_fields(data):
            assert isinstance(value, int | memoryview)
    except ValueError:  # what its callers expect of it
        pass


_REPRESENTATION = (
    '{"name": "x", "kind": "dense", "encoder": "m",'
    ' "info": {"name": "m", "revision": "", "dimension": 8, "sha256": "a"}, "key": "x"}'
)
_MANIFEST = (
    f'{{"format": {FORMAT}, "bookwheel": "1", "settings": {{"k1": 1.2, "language": "auto", "recipe": "bm25"}}, "generation": 1,'
    ' "next_document": 1, "next_passage": 1, "next_segment": 1, "segments": [{"name": "000001", "passages": 1, "terms": 1,'
    ' "impacts": "impacts-000001", "parts": [{"key": "x", "folder": "dense-x-g000001", "passages": 1}]}],'
    f' "representations": [{_REPRESENTATION}]}}'
)
_TENSOR = b'{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
_NPY = (
    b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }".ljust(117) + b"\n" + bytes(16)
)

PARSERS: dict[str, tuple[Parser, bytes]] = {
    "filter": (_text(parse_filter), b'year >= 2019 and not (author like "x" or tag in ("a", "b")) and [f] = 1.5'),
    "recipe": (
        _text(parse_recipe),
        b'0.4*bm25 + (dense % 100 >> rm3(docs=10, terms=20)) >> mmr(10, 0.5) >> rewrite(model="m")',
    ),
    "query": (
        _text(lambda text: parse_query(text, ("title", "year"))),
        b'"a phrase" +wand -"other one" title:x -year:2019 like:#1',
    ),
    "address": (_text(address_of), b"https://api.example.com:443/v1#model"),
    "manifest": (_sealed("manifest.json", _manifest), _MANIFEST.encode()),
    "recipes.json": (
        _sealed("recipes.json", lambda path: read_recipes(path.parent)),
        b'{"recipes": {"mine": "bm25 + dense"}}',
    ),
    "experiments.json": (
        _sealed("experiments.json", lambda path: list(Experiments(path.parent))),
        b'{"next": 3, "experiments": [{"number": 1, "values": {"bm25": [[1.0]]}}, {"number": 2}]}',
    ),
    "index.json": (_sealed("index.json", _arrays), b'{"name": "x", "attributes": {"kind": "flat"}, "files": {}}'),
    "array": (_file("x.npy", _array), _NPY),
    "gitignore": (_file(".gitignore", _ignore), b"*.py[cod]\n!a/**/b*c*\n/[!x]?\n\\#\n**/build/\n"),
    "safetensors": (_file("x.safetensors", Tensors), struct.pack("<Q", len(_TENSOR)) + _TENSOR + bytes(16)),
    "weights": (_file("x.index.json", Tensors), b'{"weight_map": {"a": "one.safetensors"}}'),
    "protobuf": (_protobuf, b"\x08\x96\x01\x12\x07testing\x1d\x01\x02\x03\x04\x21\x01\x02\x03\x04\x05\x06\x07\x08"),
    "ciff": (
        _file("x.ciff", read_ciff),
        b"\x06\x08\x01\x10\x01\x18\x01\x0b\x0a\x01a\x10\x01\x18\x01\x22\x02\x10\x02\x05\x12\x03doc",
    ),
    "term weights": (_file("x.jsonl", read_term_weights), b'{"id": 1, "vector": {"a": 1.5, "b": 2}}\n'),
    "npy": (_file("x.npy", read_dense), _NPY),
}
"""Each parser with something sound, which is then changed."""
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OPF = "urn:oasis:names:tc:opendocument:xmlns:"


def _zip(members: dict[str, str]) -> bytes:
    """A zip file whose members are stored as they are, so that changes reach what is in them."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return data.getvalue()


FILES: dict[str, bytes] = {
    ".txt": b"Some text.\n\nMore of it.\n",
    ".md": b"---\ntitle: x\ntags: [a, b]\ndate: 2020-01-01\n---\n# A\n\ntext `code`\n\n## B\n",
    ".rst": b"Title\n=====\n\ntext\n",
    ".html": b'<html lang=en><meta charset=utf-8><meta name=author content="x"><title>t</title><p>a<b>c</b><pre> x </pre>',
    ".json": b'{"id": "a", "title": "t", "text": "x", "year": 2019, "tags": ["a"]}',
    ".jsonl": b'{"id": "a", "text": "x", "year": 1}\n{"id": "b", "text": "y", "n": 1e3}\n',
    ".csv": b'id,title,text\n1,"a ""b""",x\n2,c,y\n',
    ".tsv": b"id\ttext\n1\tx\n",
    ".ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["a"]}, {"cell_type": "code", "source": "x = 1"}], "metadata": {}}',
    ".eml": b"From: a <a@b.c>\nDate: Mon, 1 Jan 2020 00:00:00 +0000\nSubject: =?utf-8?q?s?=\nContent-Type: text/plain\n\nbody\n",
    ".mbox": b"From a\nSubject: s\nMessage-ID: <1>\n\nbody\n\nFrom b\nSubject: t\n\nmore\n",
    ".py": b'"""doc"""\ndef f(x):\n    return x\n',
    ".docx": _zip(
        {"word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body><w:p><w:r><w:t>x</w:t></w:r></w:p></w:body></w:document>'}
    ),
    ".epub": _zip(
        {
            "META-INF/container.xml": f'<container xmlns="{_OPF}container">'
            '<rootfiles><rootfile full-path="a.opf"/></rootfiles></container>',
            "a.opf": '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="c" href="c.html"/></manifest>'
            '<spine><itemref idref="c"/></spine></package>',
            "c.html": "<html><body><p>x</p></body></html>",
        }
    ),
    ".pdf": b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF",
    ".jsonl.gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00",
    ".txt.zst": b"\x28\xb5\x2f\xfd\x04\x00\x09\x00\x00x\x00\x00\x00\x00",
}
PARSERS |= {f"file{ending}": (_file(f"x{ending}", _read), data) for ending, data in (FILES | MORE).items()}

ODD = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"9" * 400,
    b"-1",
    b"1e999",
    b"NaN",
    b"[" * 2000,
    b'{"a":' * 2000,
    b"(" * 500,
    b'"',
    b"'",
]
ODD += [
    b"null",
    b"true",
    b"../..",
    b"\n",
    b"\\",
    b"*",
    b"**/",
    b"\xe2\x80\xae",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"[]",
    b"{}",
    b"",
]


@st.composite
def changed(draw, sound: bytes) -> bytes:
    """``sound`` with a few pieces replaced, repeated or left out; now and then bytes that have nothing to do with it."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = sound
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        new = draw(st.sampled_from(ODD) | st.binary(max_size=8) | st.just(data[start:end] * 3) | st.just(sound[:40]))
        data = data[:start] + new + data[end:]
    return data


def fuzz(name: str, folder: Path, examples: int, seconds: float | None = None) -> int:
    parser, sound = PARSERS[name]
    tried = 0
    ends = None if seconds is None else time.monotonic() + seconds

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        derandomize=ends is None,
    )
    @hypothesis.given(changed(sound))
    @hypothesis.example(sound)
    def run(data: bytes) -> None:
        nonlocal tried
        tried += 1
        began = time.monotonic()
        with suppress(BookwheelError):
            parser(folder, data)
        assert time.monotonic() - began < SOON

    while True:
        run()
        if ends is None or time.monotonic() > ends:
            return tried


@pytest.mark.parametrize("name", PARSERS)
def test_only_our_errors_come_out(tmp_path: Path, name: str) -> None:
    assert fuzz(name, tmp_path, 100) >= 20


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
def test_only_our_errors_come_out_in_an_hour(tmp_path: Path, name: str) -> None:
    seconds = float(os.environ.get("BOOKWHEEL_FUZZ_SECONDS", HOUR))
    fuzz(name, tmp_path, 2000, seconds / len(PARSERS))
