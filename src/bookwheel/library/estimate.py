"""Estimating the number of passages in files from a sample, to plan memory before any work.

Of files that are read record by record, the first megabytes are sampled; of other files, a random sample with a fixed seed is
read. The passages per byte of the sample are assumed for all files of the same format.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .._errors import InputError
from ..documents.document import Document
from ..documents.failures import failures_of
from ..documents.isolated.reading import Reading
from ..documents.passages import spans_of_document
from ..documents.paths import Skipped, walk
from ..documents.read import Fields
from ..documents.source import STDIN, Source
from ..memory.shares import reader_memory
from ..memory.sizes import DEFAULT

__all__ = ["Estimate", "estimate", "estimate_sources"]

HEAD = 2 << 20
"""Uncompressed bytes sampled from a file that is read record by record."""
FILES, FILE_BYTES = 40, 4 << 20
"""The files of a format that are sampled, and their bytes together."""
LARGE_FILES = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """What files contain, estimated."""

    passages: int
    bytes: int
    """On disk."""
    files: int
    exact: bool
    """Whether all files were read completely."""


def estimate(paths: Sequence[str | Path], *, fields: Fields = Fields(), unit: str = "passage", words: int = 120) -> Estimate:  # noqa: B008 - immutable
    """Estimate what the files under ``paths`` contain, as `Library.index` reads them; raises `InputError` for missing paths."""
    sources = [item for item in walk(paths) if not isinstance(item, Skipped)]
    with Reading(*reader_memory(DEFAULT)) as reading:
        return estimate_sources(sources, fields, unit, words, reading)


def estimate_sources(sources: Iterable[Source], fields: Fields, unit: str, words: int, reading: Reading) -> Estimate:
    """`estimate` for files already found, read by ``reading``.

    Standard input, which cannot be read twice, counts as empty.
    """
    from ..documents.readers import FORMATS

    by_format: dict[str, list[Source]] = {}
    for source in sources:
        if source.path != STDIN:
            by_format.setdefault(source.format + source.compression, []).append(source)
    dice = random.Random(0)
    passages = total = files = 0
    exact = True
    for group in by_format.values():
        whole = sum(source.size for source in group)
        chosen, seen, found = list(group), 0, 0
        streamed = FORMATS[group[0].format].streamed
        if len(group) > FILES:
            chosen = dice.sample(group, FILES)
        budget = FILE_BYTES
        for source in chosen:
            if seen and (budget <= 0 or (streamed and source.size > HEAD and seen > LARGE_FILES * HEAD)):
                break
            part, size = _head(source, fields, unit, words, reading) if streamed else _all(source, fields, unit, words, reading)
            budget -= size
            seen += size
            found += part
        exact = exact and seen >= whole
        passages += round(found * whole / seen) if seen else 0
        total += whole
        files += len(group)
    return Estimate(passages, total, files, exact)


def _count(source: Source, fields: Fields, unit: str, words: int, reading: Reading) -> int:
    count = 0
    try:
        for document in reading.read(source, fields):
            if isinstance(document, Document):
                count += len(spans_of_document(document, unit, words))  # type: ignore[arg-type]
    except InputError:  # reported when the file is indexed; the documents before the error count
        return count
    return count


def _all(source: Source, fields: Fields, unit: str, words: int, reading: Reading) -> tuple[int, int]:
    return _count(source, fields, unit, words, reading), source.size


def _head(source: Source, fields: Fields, unit: str, words: int, reading: Reading) -> tuple[int, int]:
    """The passages at the beginning of a file, and the bytes on disk that they take."""
    if source.size <= HEAD and not source.compression:
        return _all(source, fields, unit, words, reading)
    try:
        with failures_of(source), source.open() as stream:
            head = stream.read(HEAD)
            more = bool(stream.read(1))
    except InputError:  # told when the file is indexed
        return 0, source.size
    if not more:
        return _count(replace(source, compression="", stream=io.BytesIO(head)), fields, unit, words, reading), source.size
    head = head[: head.rfind(b"\n") + 1]
    if not head:
        return 1, HEAD
    found = _count(replace(source, compression="", stream=io.BytesIO(head)), fields, unit, words, reading)
    return found, round(len(head) * _packed(source, head))


def _packed(source: Source, head: bytes) -> float:
    """Bytes on disk per byte of ``head``, by compressing it again; accurate to a few per cent."""
    if source.compression == "gz":
        import zlib

        return len(zlib.compress(head, 6)) / len(head)
    if source.compression == "bz2":
        import bz2

        return len(bz2.compress(head)) / len(head)
    if source.compression == "xz":
        import lzma

        return len(lzma.compress(head, preset=1)) / len(head)
    if source.compression == "zst":
        from ..documents.zstd import compress

        return len(compress(head)) / len(head)
    return 1.0
