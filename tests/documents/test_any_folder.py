"""Folders of anything: `bookwheel index` names what it cannot read, never says that it has a bug, and loses no good file."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents_files import paragraph, write_docx, write_epub, write_pdf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel.cli.main import main
from bookwheel.documents import zstd
from bookwheel.documents.readers import FORMATS

SUFFIXES = [suffix for item in FORMATS.values() for suffix in item.suffixes] + ["", ".unknown"]
PACKED = ["", "", "", ".gz", ".zst"]
TEXTS = {
    ".md": b"---\ntitle: ColBERT: efficient retrieval\ntags: [a, b]\nyear: 2020\n---\n# Owls\n\nThe owl sleeps.\n",
    ".csv": b'id,text,year\n1,"the owl, asleep",2020\n2,two,3\n',
    ".tsv": b"id\ttext\n1\tthe owl\n",
    ".jsonl": b'{"_id": "1", "text": "the owl", "n": 3, "metadata": {"a": [1]}}\n' * 3,
    ".json": b'[{"id": 1, "text": "the owl"}, {"id": 2, "text": "two"}]',
    ".ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["# Owl\\n", "x"]}], "nbformat": 4, "metadata": {}}',
    ".html": b"<html><head><title>Owls</title></head><body><p>The <b>owl</b> &amp; more</p><table><tr><td>x</table></body>",
    ".eml": b"From: a@b.c\nSubject: =?utf-8?q?Owls?=\nContent-Type: text/plain; charset=utf-8\n\nThe owl.\n",
    ".mbox": b"From a@b.c Mon Jan  1 00:00:00 2024\nFrom: a@b.c\nSubject: one\n\nThe owl.\n\n" * 2,
    ".rst": b"Owls\n====\n\n.. note:: The owl.\n",
    ".py": b'"""Owls."""\n\ndef owl():\n    return 1\n',
}
ODD_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)

ODD_NUMBERS = st.sampled_from((1 << 63, 1 << 64, -(1 << 64), 10**400, float("nan"), float("inf"), -float("inf"), 1, -0.0))


def good_files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        made = {
            ".pdf": write_pdf(at / "a.pdf", ["The owl sleeps", "by day"], title="Owls"),
            ".docx": write_docx(at / "a.docx", paragraph("The owl sleeps") + paragraph("by day", "Heading1"), title="Owls"),
            ".epub": write_epub(at / "a.epub", {"one": "<p>The owl</p>", "two": "<p>sleeps</p>"}, ["one", "two"]),
        }
        return TEXTS | {suffix: path.read_bytes() for suffix, path in made.items()}


GOOD = good_files()


def mutated(data: bytes, seed: int) -> bytes:
    """``data`` with a few bytes changed, left out or repeated."""
    dice = random.Random(seed)
    changed = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at, size = dice.randrange(len(changed) + 1), dice.choice((1, 1, 1, 4, 40))
        what = dice.randrange(5)
        if what == 0:
            changed[at : at + size] = dice.randbytes(size)
        elif what == 1:
            del changed[at : at + size]
        elif what == 2:
            changed[at:at] = changed[at : at + size] * dice.choice((1, 3, 100))
        elif what == 3 and at:
            del changed[at:]
        else:
            changed[at:at] = dice.choice((b"\0", b"\xff", b'"', b"{", b"<", b"\n", b"\\ud800", b"99999999999999999999", b": "))
    return bytes(changed)


@st.composite
def bad_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A suffix, and the bytes of a file."""
    kind = draw(st.sampled_from(("random", "mutated", "mutated", "mutated", "records", "front matter")))
    if kind == "random":
        suffix, data = draw(st.sampled_from(SUFFIXES)), draw(st.binary(max_size=300))
    elif kind == "mutated":
        suffix = draw(st.sampled_from(sorted(GOOD)))
        data = mutated(GOOD[suffix], draw(st.integers(0, 1 << 32)))
    elif kind == "records":
        values = st.dictionaries(st.text(max_size=8), ODD_JSON | ODD_NUMBERS, max_size=4)
        named = st.fixed_dictionaries({"x": ODD_NUMBERS}, optional={"id": ODD_JSON, "text": st.text(), "title": ODD_JSON})
        records = draw(st.lists(st.builds(lambda some, more: {**some, **more}, values, named), min_size=1, max_size=4))
        suffix = draw(st.sampled_from((".jsonl", ".json")))
        lines = [json.dumps({"text": "owl", **record}) for record in records]
        data = ("\n".join(lines) if suffix == ".jsonl" else f"[{', '.join(lines)}]").encode()
    else:
        suffix, data = ".md", f"---\n{draw(st.text(max_size=100))}\n---\nowl".encode("utf-8", "surrogatepass")
    packed = draw(st.sampled_from(PACKED))
    if packed == ".gz":
        data = gzip.compress(data)
    elif packed == ".zst":
        with contextlib.suppress(ImportError):
            data = zstd.compress(data)
    if packed and draw(st.booleans()):
        data = mutated(data, draw(st.integers(0, 1 << 32)))
    return suffix + packed, data


STEMS = st.one_of(
    st.sampled_from(
        (b"-", b"--help", b"-r\n", b"a\nb", b"\xff\xfe", b"\xe2\x80\xae", b"x" * 255, b" ", b"~", b"*", b"a\x1b[31m")
    ),
    st.binary(min_size=1, max_size=20),
)
FOLDERS = st.lists(st.tuples(STEMS, bad_files()), min_size=1, max_size=8)


@contextlib.contextmanager
def folder_of(files: list[tuple[bytes, tuple[str, bytes]]]) -> Iterator[tuple[Path, Path, list[str]]]:
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        folder = root / "in"
        folder.mkdir()
        good = []
        for number, (stem, (suffix, data)) in enumerate(files):
            name = stem.replace(b"/", b"").replace(b"\0", b"").lstrip(b".") or b"x"
            tail = f"{number}{suffix}".encode()
            with contextlib.suppress(OSError):  # a name that this file system does not take
                Path(os.fsdecode(os.fsencode(folder) + b"/" + name[: 255 - len(tail)] + tail)).write_bytes(data)
            path = folder / f"good {number}.txt"
            path.write_text("a heron stands")
            good.append(str(path))
        yield folder, root / "library", good


def check(files: list[tuple[bytes, tuple[str, bytes]]]) -> None:
    with folder_of(files) as (folder, library, good):
        at = ("--library", str(library))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["index", str(folder), *at, "--encoder", "none", "--json"])
        assert code in (0, 2), err.getvalue()
        report = json.loads(out.getvalue())
        assert (code == 2) == bool(report["failures"])
        with bookwheel.open(library) as opened:
            assert set(good) <= {document.id for document in opened}
        exported = io.StringIO()
        with contextlib.redirect_stdout(exported):
            assert main(["export", *at]) == 0

        def refused(word: str) -> None:
            raise AssertionError(word)

        lines = exported.getvalue().split("\n")[:-1]
        assert [json.loads(line, parse_constant=refused)["_id"] for line in lines]


TOO_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=20, deadline=None, suppress_health_check=TOO_SLOW)
@given(FOLDERS)
def test_no_folder_stops_the_run(files: list[tuple[bytes, tuple[str, bytes]]]) -> None:
    check(files)


@pytest.mark.slow
@settings(max_examples=5000, deadline=None, suppress_health_check=TOO_SLOW)
@given(FOLDERS)
def test_no_folder_of_many_stops_the_run(files: list[tuple[bytes, tuple[str, bytes]]]) -> None:
    check(files)
