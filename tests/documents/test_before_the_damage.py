"""What comes before a damaged place is kept, all of it, and the damage is told."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import random
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from documents_files import zstd_compress

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Source

PACKERS = {".gz": gzip.compress, ".zst": zstd_compress, ".bz2": lambda data: bz2.compress(data, 1), ".xz": lzma.compress}


@cache
def noise(seed: int) -> str:
    dice = random.Random(seed)
    return " ".join(f"{dice.getrandbits(40):x}" for _ in range(20))


def read_damaged(path: Path) -> tuple[list[Document], str]:
    (source,) = walk([path])
    assert isinstance(source, Source)
    found: list[Document] = []
    try:
        for item in read(source):
            assert isinstance(item, Document), item
            found.append(item)
    except InputError as error:
        return found, str(error)
    raise AssertionError("the damage was not told")


def test_a_list_cut_in_its_sixth_record_has_five_documents(tmp_path: Path) -> None:
    records = [{"id": str(number), "text": f"Record number {number}"} for number in range(6)]
    (tmp_path / "cut.json").write_text(json.dumps(records, indent=1)[:-30])
    documents, told = read_damaged(tmp_path / "cut.json")
    assert [document.id for document in documents] == ["0", "1", "2", "3", "4"]
    assert "cut.json" in told


def test_a_long_list_whose_end_is_missing(tmp_path: Path) -> None:
    records = [{"id": str(number), "text": f"Record number {number}"} for number in range(3000)]
    (tmp_path / "cut.json").write_text(json.dumps(records)[:-1])
    assert len(read_damaged(tmp_path / "cut.json")[0]) == 3000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_records_cut_in_half(tmp_path: Path, suffix: str, encoding: str) -> None:
    lines = "".join(json.dumps({"id": str(number), "text": noise(number)}) + "\n" for number in range(3000))
    packed = PACKERS[suffix](lines.encode(encoding))
    (tmp_path / f"r.jsonl{suffix}").write_bytes(packed[: len(packed) // 2])
    documents, told = read_damaged(tmp_path / f"r.jsonl{suffix}")
    possible = len(readable(suffix, packed[: len(packed) // 2]).decode(encoding, "ignore").split("\n")) - 1
    assert len(documents) == possible > 500
    assert [document.text for document in documents] == [noise(number) for number in range(possible)]
    assert "damaged" in told


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.py", "a.html", "a.csv"])
@pytest.mark.parametrize("suffix", PACKERS)
def test_packed_text_cut_in_half(tmp_path: Path, suffix: str, name: str) -> None:
    lines = ["name,text"] + [f"é{number},{noise(number)}" for number in range(3000)]
    packed = PACKERS[suffix]("\n".join(lines).encode())
    (tmp_path / (name + suffix)).write_bytes(packed[: len(packed) // 2])
    documents, told = read_damaged(tmp_path / (name + suffix))
    text = "\n".join(document.text for document in documents)
    words = set(re.split(r"[\n,]| (?=é)", text))
    there = [number for number in range(3000) if noise(number) in words]
    possible = readable(suffix, packed[: len(packed) // 2]).count(b"\n") - 1
    assert there == list(range(len(there)))
    assert len(there) >= possible > 500
    assert "\N{REPLACEMENT CHARACTER}" not in text
    assert "damaged" in told


def test_a_large_packed_text_cut_in_half(tmp_path: Path) -> None:
    text = "".join(f"{number} {noise(number)}\n" for number in range(30_000))
    packed = gzip.compress(text.encode(), 1)
    (tmp_path / "big.log.gz").write_bytes(packed[: len(packed) * 3 // 4])
    documents, told = read_damaged(tmp_path / "big.log.gz")
    found = "".join(document.text for document in documents)
    assert text.startswith(found)
    assert len(found) == len(readable(".gz", packed[: len(packed) * 3 // 4]))
    assert "damaged" in told


def readable(suffix: str, packed: bytes) -> bytes:
    """All that a decompressor can give of cut data."""
    import zlib

    from bookwheel.documents.zstd import decompressor

    made: dict[str, Callable[[], object]] = {
        ".gz": lambda: zlib.decompressobj(31),
        ".zst": lambda: decompressor(1 << 27),
        ".bz2": bz2.BZ2Decompressor,
        ".xz": lzma.LZMADecompressor,
    }
    return made[suffix]().decompress(packed)  # type: ignore[attr-defined, no-any-return]
