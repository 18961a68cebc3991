"""What `Library.add` takes: texts, dictionaries, documents and tables of them, turned into documents.

Tables are told by what they can do (pandas, polars and pyarrow are not imported) and are read some rows at a time, so that
memory stays flat whatever their size.
"""

from __future__ import annotations

import datetime
import decimal
import hashlib
import math
import pathlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import replace
from sys import getsizeof
from typing import Any

import numpy as np

from .._errors import InputError
from ..documents.document import Document, Heading, Hidden, Part, Scalar, Value
from ..documents.encoding import clean
from ..documents.metadata import LARGEST, flattened, left_out
from ..documents.seen_ids import SeenIds
from ..documents.source import Fields
from ..documents.weight import WAITING, Load
from ..documents.written_places import PLACES, placed

__all__ = ["Documents", "batches", "count_of", "own_lines"]

Documents = Document | Mapping[str, Any] | str | Iterable[Any]
"""A text, a dictionary, a `Document`, a pandas or polars frame, an Arrow table or record batch, or an iterable of these."""

ROWS = 1024
"""Rows of a table, and documents of a batch, that are held at once, unless they are large."""
GROWTH = 8
"""How many times more rows of a table are read than the last time, where those were light."""
DEEPEST = 8
"""Dictionaries and lists inside each other."""
MOST_TOLD = 20
"""Documents of which it is told that some metadata is left out, or that the id is another."""
DIGITS = 4000
"""Digits that a whole number may have: Python writes none of more than 4,300."""


def batches(given: Documents, fields: Fields, told: list[str]) -> Iterator[tuple[list[Document], bool]]:
    """The documents of ``given``, some at a time; of several with the same id in a batch, the last.

    With each batch comes whether it may repeat an id of an earlier one. Raises `InputError` that names the document and the
    field where a value has the wrong type. What of the metadata is left out is ``told``, a sentence for each document.
    """
    seen = SeenIds()
    batch: dict[str, Document] = {}
    load = Load(ROWS)

    def taken() -> tuple[list[Document], bool]:
        known = seen.add(np.fromiter(map(hash, batch), np.int64, len(batch)))
        return list(batch.values()), bool(known.any())

    for number, item in enumerate(_items(given), 1):
        document = _document(item, number, fields, told)
        if (name := clean(document.id)) != document.id:  # as it will be stored, and looked up again
            if len(told) < MOST_TOLD:
                told.append(f"document {number} is kept as {name!r:.80}: NUL and half characters of its id are replaced")
            document = replace(document, id=name)
        batch.pop(document.id, None)  # the last also takes the last place
        batch[document.id] = document
        full = load.add(document)
        del document, item  # the next one is made while these names would hold it
        if full:
            yield taken()
            batch = {}
            load.clear()
    if batch:
        yield taken()


def count_of(given: Documents) -> int | None:
    """How many documents ``given`` holds, where that can be told without reading it."""
    if isinstance(given, str | Mapping | Document):
        return 1
    rows = getattr(given, "num_rows", None)
    if isinstance(rows, int):
        return rows
    return len(given) if isinstance(given, Sized) else None


def own_lines(document: Document) -> Document:
    """``document`` with the lines of its own text where there is no file that its line could be one of."""
    return replace(document, line=1, lines=True) if document.line and not document.lines else document


def _items(given: Any) -> Iterator[Any]:
    """The texts, dictionaries and documents of ``given``."""
    if isinstance(given, str | Mapping | Document):
        yield given
    elif (rows := _rows(given)) is not None:
        yield from rows
    elif isinstance(given, Iterable) and not isinstance(given, bytes | bytearray | memoryview):
        for item in given:
            rows = None if isinstance(item, str | Mapping | Document) else _rows(item)
            if rows is None:
                yield item
            else:
                yield from rows
    else:
        lazy = "; call its collect() first" if hasattr(given, "collect") else ""
        raise InputError(
            f"add takes texts, dictionaries, Documents, a pandas or polars frame, an Arrow table, or an iterable of them, not "
            f"{_kind(given)}{lazy or '; files and folders are read by index'}"
        )


def _rows(given: Any) -> Iterator[Any] | None:
    """The rows of a table as dictionaries; None for what is no table."""
    if isinstance(given, list | tuple):
        return None
    if hasattr(given, "iter_slices") and hasattr(given, "to_dicts"):  # polars.DataFrame
        return _some_rows(given.height, lambda at, count: given.slice(at, count).to_dicts())
    if hasattr(given, "to_batches"):  # pyarrow.Table
        return _some_rows(given.num_rows, lambda at, count: given.slice(at, count).to_pylist())
    if hasattr(given, "to_pylist") and hasattr(given, "slice"):  # pyarrow.RecordBatch, Array, ChunkedArray
        return _some_rows(len(given), lambda at, count: given.slice(at, count).to_pylist())
    if hasattr(given, "iloc") and hasattr(given, "columns"):  # pandas.DataFrame
        return _some_rows(len(given), lambda at, count: given.iloc[at : at + count].to_dict("records"))
    return None


def _some_rows(total: int, read: Callable[[int, int], list[Any]]) -> Iterator[Any]:
    """``total`` rows of a table, of which ``read(at, count)`` makes Python's objects: so many at a time as may wait."""
    at, count = 0, 1
    while at < total:
        rows = read(at, count)
        at += count
        size = sum(getsizeof(value) for row in rows for value in (row.values() if isinstance(row, Mapping) else (row,)))
        yield from rows
        rows = []
        count = max(1, min(ROWS, GROWTH * count, WAITING * count // max(size, 1)))


def _document(item: Any, number: int, fields: Fields, told: list[str]) -> Document:
    if isinstance(item, str):
        return _named("", item, "", {}, number)
    if isinstance(item, Document):
        return _checked(item, number, told)
    if isinstance(item, Mapping):
        return _of_record(item, number, fields, told)
    raise InputError(
        f"document {number} must be a text, a dictionary or a Document, not {_kind(item)}; files and folders are read by index"
    )


def _checked(document: Document, number: int, told: list[str]) -> Document:
    """``document``, its types seen to."""
    for name in ("id", "text", "title"):
        if not isinstance(value := getattr(document, name), str):
            raise InputError(f"{_label(document.id, number)}: {name} must be a string, not {_kind(value)}")
    if isinstance(document.line, bool) or not isinstance(document.line, int | np.integer) or not 0 <= document.line < LARGEST:
        raise InputError(f"{_label(document.id, number)}: line must be a whole number from 0 up, not {document.line!r:.40}")
    if not isinstance(document.pages, tuple) or not all(isinstance(page, int | np.integer) for page in document.pages):
        raise InputError(f"{_label(document.id, number)}: pages must be a tuple of whole numbers, not {document.pages!r:.40}")
    if not isinstance(document.parts, tuple) or not all(isinstance(part, Part) for part in document.parts):
        raise InputError(f"{_label(document.id, number)}: parts must be a tuple of Part, not {document.parts!r:.40}")
    _check_places(document, number)
    if document.line == 1:  # as nobody said otherwise
        document = own_lines(document)
    if not isinstance(document.metadata, Mapping):
        raise InputError(f"{_label(document.id, number)}: metadata must be a dictionary, not {_kind(document.metadata)}")
    if document.metadata:
        return replace(document, metadata=_metadata(document.metadata, document.id, number, told))
    return document


def _check_places(document: Document, number: int) -> None:
    """Raise `InputError` where headings, hidden spans or labels of pages are not of their types, or not in order."""
    kinds: tuple[tuple[str, type], ...] = (("labels", str), ("headings", Heading), ("hidden", Hidden))
    for name, kind in kinds:
        given = getattr(document, name)
        if not isinstance(given, tuple) or not all(isinstance(item, kind) for item in given):
            raise InputError(f"{_label(document.id, number)}: {name} must be a tuple of {kind.__name__}, not {given!r:.40}")
    ordered: list[tuple[str, Sequence[int]]] = [("pages", document.pages)]
    ordered += [(name, [item.start for item in getattr(document, name)]) for name in ("parts", "headings", "hidden")]
    for name, starts in ordered:
        if any(after < before for before, after in zip((0, *starts), starts, strict=False)):
            raise InputError(f"{_label(document.id, number)}: {name} must be in the order of their starts, from 0 up")
    ends = [span.end for span in document.hidden]
    if any(after < before for before, after in zip(ends, [span.start for span in document.hidden[1:]], strict=False)):
        raise InputError(f"{_label(document.id, number)}: hidden spans must not overlap")


def _of_record(record: Mapping[Any, Any], number: int, fields: Fields, told: list[str]) -> Document:
    """The document of a dictionary, or of a table's row, with the field names that files may have, too."""
    from ..documents.readers.record import plan_for

    if odd := [key for key in record if not isinstance(key, str)]:
        raise InputError(f"document {number}: the name of a field must be a string, not {odd[0]!r:.40}")
    plan = plan_for(record, fields, f"document {number}")
    identifier = _identifier(record[plan.id], plan.id, number) if plan.id is not None else ""
    title = "" if plan.title is None else _string(record, plan.title, identifier, number)
    parts = [_string(record, name, identifier, number) for name in plan.text]
    text = "\n\n".join(part for part in parts if part) if len(parts) != 1 else parts[0]
    if not text and title:
        text, title = title, ""
    elif not text and not any(isinstance(record[name], str) for name in plan.text):
        have = ", ".join(map(repr, list(record)[:20])) or "none"
        raise InputError(
            f"{_label(identifier, number)} has no text; its fields are {have}: name the text's with fields=Fields(text=(…,))"
        )
    values = {name: record[name] for name in plan.metadata}
    nested = values.pop("metadata", None)
    if isinstance(nested, Mapping):
        values = {**nested, **values}
    elif not _missing(nested):
        raise InputError(f"{_label(identifier, number)}: field 'metadata' must be a dictionary, not {_kind(nested)}")
    return placed(_named(identifier, text, title, _metadata(values, identifier, number, told), number), record.get(PLACES))


def _named(identifier: str, text: str, title: str, metadata: dict[str, Value], number: int) -> Document:
    """A document; one without an id is named after what it says, so that adding it again changes nothing."""
    if not identifier:
        said = repr((title, text, sorted(metadata.items()))).encode("utf-8", "backslashreplace")
        identifier = hashlib.blake2b(said, digest_size=10).hexdigest()
    return Document(identifier, text, title, metadata, lines=True)


def _identifier(value: Any, name: str, number: int) -> str:
    if _missing(value):
        return ""
    value = _plain(value)
    if isinstance(value, float) and value.is_integer():  # a column of whole numbers in which one is missing
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise InputError(f"document {number}: field {name!r}, the id, must be a string or a whole number, not {_kind(value)}")
    return value


def _string(record: Mapping[str, Any], name: str, identifier: str, number: int) -> str:
    value = record[name]
    if isinstance(value, str):
        return value
    if _missing(value):
        return ""
    raise InputError(f"{_label(identifier, number)}: field {name!r} must be a string, not {_kind(value)}")


def _metadata(values: Mapping[Any, Any], identifier: str, number: int, told: list[str]) -> dict[str, Value]:
    """The values that are there, as strings, numbers and truth values; dates as ISO 8601 writes them.

    Lists are several values of a field, and an object has a field for each of its own: ``author.name``.
    """
    kept: dict[str, Value] = {}
    left: dict[str, None] = {}
    for name, value in values.items():
        if not isinstance(name, str):
            raise InputError(f"{_label(identifier, number)}: the name of a field must be a string, not {name!r:.40}")
        if isinstance(value, str):
            kept[name] = value
        elif isinstance(value, Mapping | list | tuple | set | frozenset) or (hasattr(value, "tolist") and _is_array(value)):
            kept.update(flattened({name: _plain_tree(value, name, identifier, number, 0)}, left))
        elif not _missing(value) and (one := _checked_scalar(value, name, identifier, number)) is not None:
            kept[name] = one
    if left and len(told) < MOST_TOLD:
        told.append(f"{_label(identifier, number)}: {left_out(left)}")
    return kept


def _is_array(value: Any) -> bool:
    return getattr(value, "shape", ()) != ()


def _plain_tree(value: Any, name: str, identifier: str, number: int, depth: int) -> Any:
    """Lists and dictionaries of plain values."""
    if depth > DEEPEST:
        raise InputError(f"{_label(identifier, number)}: field {name!r:.80} is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        if odd := [key for key in value if not isinstance(key, str)]:
            raise InputError(
                f"{_label(identifier, number)}: the names in field {name!r:.80} must be strings, not {odd[0]!r:.40}"
            )
        return {key: _plain_tree(inner, name, identifier, number, depth + 1) for key, inner in value.items()}
    if hasattr(value, "tolist") and _is_array(value):
        value = value.tolist()
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple):
        return [_plain_tree(inner, name, identifier, number, depth + 1) for inner in value]
    return None if _missing(value) else _checked_scalar(value, name, identifier, number)


def _checked_scalar(value: Any, name: str, identifier: str, number: int) -> Scalar:
    value = _plain(value)
    if value is None or (isinstance(value, float) and value != value):  # numpy's NaT, a decimal NaN
        return None
    if isinstance(value, int) and value.bit_length() > DIGITS * 3.3:
        raise InputError(f"{_label(identifier, number)}: field {name!r:.80} must have at most {DIGITS:,} digits")
    if not isinstance(value, str | int | float):
        raise InputError(
            f"{_label(identifier, number)}: field {name!r:.80} must be a string, a number, a truth value, a date, or a list or "
            f"dictionary of them, not {_kind(value)}"
        )
    return value


def _plain(value: Any) -> Any:
    """A date as a string, a number of numpy or decimal as Python's own; all else as it is."""
    if isinstance(value, uuid.UUID | pathlib.PurePath):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return float(value) if not value.is_nan() else math.nan
    if isinstance(value, np.floating):  # a long double has no item() of Python's own
        return float(value)
    if isinstance(value, np.datetime64):  # item() gives the nanoseconds of one that has them
        return None if np.isnat(value) else str(value)
    if getattr(value, "shape", None) == () and hasattr(value, "item"):
        return _plain(value.item())
    return value


def _missing(value: Any) -> bool:
    """Whether ``value`` is what tables have where nothing is: None, NaN, NaT, pandas.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and value != value


def _label(identifier: object, number: int) -> str:
    return f"document {number} ({identifier!r:.80})" if identifier else f"document {number}"


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__
