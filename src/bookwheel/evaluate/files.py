"""A judged collection from files that are named: queries, judgments and, in BEIR's layout, documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .._errors import InputError
from ..documents.document import Document
from .collection import Collection
from .judgments import read_qrels, read_queries
from .lines import read_lines

__all__ = ["beir_documents", "load_files"]


def load_files(
    queries: str | Path, qrels: str | Path, corpus: str | Path | None = None, *, name: str = "", field: str = "title"
) -> Collection:
    """A judged collection from its files. See `read_queries`, `read_qrels`; ``corpus`` is JSONL in
    BEIR's layout. Raises `InputError`.
    """
    documents = None if corpus is None else Path(corpus)
    collection = Collection(
        name=name or Path(qrels).name.split(".")[0],
        queries=read_queries(Path(queries), field),
        qrels=read_qrels(Path(qrels)),
        corpus=documents,
        read=None if documents is None else lambda: beir_documents(documents),
    )
    if not collection.judged:
        raise InputError(f"no query of {queries} is judged in {qrels}; are they of the same collection and split?")
    return collection


def beir_documents(path: Path) -> Iterator[Document]:
    """The documents of a ``corpus.jsonl``; what a record has besides id, title and text is metadata. Raises `InputError`."""
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
            identifier, text, title = record["_id"], record["text"], record.get("title") or ""
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path}:{number}: expected a JSON object with _id, title and text") from None
        metadata = record.pop("metadata", None)
        fields = {key: value for key, value in record.items() if key not in ("_id", "text", "title")}
        fields |= metadata if isinstance(metadata, dict) else {}
        yield Document(
            id=str(identifier),
            text=str(text),
            title=str(title),
            metadata={str(key): value for key, value in fields.items() if isinstance(value, str | int | float | bool)},
        )
