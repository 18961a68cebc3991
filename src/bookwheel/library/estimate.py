"""How many passages files will give, from a look at some of them: what memory is planned with before any work.

Files that are read record by record give the records of their first megabytes; of other files some are read, drawn with a seed.
Passages a byte of those are taken for all of the same format.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .._errors import InputError
from ..documents.document import Document
from ..documents.passages import split_document
from ..documents.paths import Skipped, walk
from ..documents.read import Fields, read
from ..documents.source import STDIN, Source

__all__ = ["Estimate", "estimate", "estimate_sources"]

HEAD = 2 << 20
"""Bytes, uncompressed, looked at of a file that is read record by record."""
FILES, FILE_BYTES = 40, 4 << 20
"""Files of a format that are looked at, and bytes of them together."""
LARGE_FILES = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """What some files hold."""

    passages: int
    bytes: int
    """On disk."""
    files: int
    exact: bool
    """Whether all of them were read."""


def estimate(paths: Sequence[str | Path], *, fields: Fields = Fields(), unit: str = "passage", words: int = 120) -> Estimate:  # noqa: B008 - immutable
    """What the files under ``paths`` hold, as `Library.index` would read them; raises `InputError` for what is not there."""
    return estimate_sources([item for item in walk(paths) if not isinstance(item, Skipped)], fields, unit, words)


def estimate_sources(sources: Iterable[Source], fields: Fields, unit: str, words: int) -> Estimate:
    """The same of files that were found already. Standard input, which cannot be looked at twice, counts nothing."""
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
            part, size = _head(source, fields, unit, words) if streamed else _all(source, fields, unit, words)
            budget -= size
            seen += size
            found += part
        exact = exact and seen >= whole
        passages += round(found * whole / seen) if seen else 0
        total += whole
        files += len(group)
    return Estimate(passages, total, files, exact)


def _count(source: Source, fields: Fields, unit: str, words: int) -> int:
    count = 0
    try:
        for document in read(source, fields):
            if isinstance(document, Document):
                count += len(split_document(document, unit, words))  # type: ignore[arg-type]
    except InputError:  # it is told when the file is indexed; what came before it counts
        return count
    return count


def _all(source: Source, fields: Fields, unit: str, words: int) -> tuple[int, int]:
    return _count(source, fields, unit, words), source.size


def _head(source: Source, fields: Fields, unit: str, words: int) -> tuple[int, int]:
    """Passages of a file's beginning, and how many of its bytes on disk that is."""
    if source.size <= HEAD and not source.compression:
        return _all(source, fields, unit, words)
    try:
        with source.open() as stream:
            head = stream.read(HEAD)
            more = bool(stream.read(1))
    except (InputError, OSError, EOFError, ValueError):
        return 0, source.size
    if not more:
        return _count(replace(source, compression="", stream=io.BytesIO(head)), fields, unit, words), source.size
    head = head[: head.rfind(b"\n") + 1]
    if not head:
        return 1, HEAD
    found = _count(replace(source, compression="", stream=io.BytesIO(head)), fields, unit, words)
    return found, round(len(head) * _packed(source, head))


def _packed(source: Source, head: bytes) -> float:
    """Bytes on disk for each byte of ``head``: compressing it again tells, to a few per cent."""
    if source.compression == "gz":
        import zlib

        return len(zlib.compress(head, 6)) / len(head)
    if source.compression == "zst":
        from ..documents.zstd import compress

        return len(compress(head)) / len(head)
    return 1.0
