"""Judged collections: documents, queries, and which documents answer which query."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .._errors import InputError
from ..documents.document import Document
from .judgments import Qrels, Queries, read_qrels, read_queries
from .lines import read_lines

__all__ = ["Collection", "load_collection", "load_files"]

IR_DATASETS = "ir_datasets:"
"""Prefix of a name that the ir_datasets package knows."""


@dataclass(frozen=True)
class Collection:
    """A test collection. Load one with `load_collection` or `load_files`."""

    name: str
    queries: Queries
    qrels: Qrels
    corpus: Path | None = None
    """The file of documents, where they are one file."""
    read: Callable[[], Iterator[Document]] | None = None
    """Reads the documents, where they can be had."""

    def documents(self) -> Iterator[Document]:
        """The documents, one after the other. Raises `InputError` where the collection came without them."""
        if self.read is None:
            raise InputError(f"the collection {self.name} came without documents; index them from where they are")
        return self.read()

    @cached_property
    def judged(self) -> Queries:
        """The queries that have at least one judged document: those that measures are taken over."""
        return {query: text for query, text in self.queries.items() if self.qrels.get(query)}

    @property
    def unjudged(self) -> int:
        """How many queries have no judged document and are left out."""
        return len(self.queries) - len(self.judged)

    @property
    def without_text(self) -> int:
        """How many judged queries are not among the queries, and are left out."""
        return sum(query not in self.queries for query in self.qrels)


def load_collection(source: str | Path, split: str = "test", field: str = "title") -> Collection:
    """A judged collection from a BEIR folder, a folder of TREC files, or ``ir_datasets:NAME``.

    A BEIR folder holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv``; a TREC folder one file whose name
    begins with ``topics`` or ``queries``, one that begins with ``qrels``, and perhaps a ``corpus.jsonl``. Any of them may
    be gz. ``field``: see `read_queries`. Raises `InputError`.
    """
    if isinstance(source, str) and source.startswith(IR_DATASETS):
        from .datasets import load_ir_dataset

        return load_ir_dataset(source.removeprefix(IR_DATASETS))
    folder = Path(source).expanduser()
    if not folder.is_dir():
        known = "is a file" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {known}; give a BEIR folder, a folder of TREC files or {IR_DATASETS}NAME")
    corpus = _plain_or_gz(folder / "corpus.jsonl")
    queries = _plain_or_gz(folder / "queries.jsonl")
    if queries is not None and (folder / "qrels").is_dir():
        qrels = _plain_or_gz(folder / "qrels" / f"{split}.tsv")
        if qrels is None:
            splits = sorted({file.name.split(".")[0] for file in (folder / "qrels").glob("*.tsv*")})
            raise InputError(f"{folder}/qrels has no split {split!r}; there is {', '.join(splits) or 'none'}")
    else:
        queries, qrels = _one(folder, ("topics", "queries")), _one(folder, ("qrels",))
    return load_files(queries, qrels, corpus, name=folder.resolve().name, field=field)


def load_files(
    queries: str | Path, qrels: str | Path, corpus: str | Path | None = None, *, name: str = "", field: str = "title"
) -> Collection:
    """A judged collection from its files. See `read_queries`, `read_qrels`; ``corpus`` is JSONL in BEIR's layout."""
    documents = None if corpus is None else Path(corpus)
    collection = Collection(
        name=name or Path(qrels).name.split(".")[0],
        queries=read_queries(Path(queries), field),
        qrels=read_qrels(Path(qrels)),
        corpus=documents,
        read=None if documents is None else lambda: _documents(documents),
    )
    if not collection.judged:
        raise InputError(f"no query of {queries} is judged in {qrels}; are they of the same collection and split?")
    return collection


def _documents(path: Path) -> Iterator[Document]:
    for number, line in read_lines(path):
        try:
            record = json.loads(line)
            identifier, text, title = record["_id"], record["text"], record.get("title") or ""
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path}:{number}: expected a JSON object with _id, title and text") from None
        metadata = record.get("metadata")
        scalars = metadata.items() if isinstance(metadata, dict) else ()
        yield Document(
            id=str(identifier),
            text=str(text),
            title=str(title),
            metadata={str(key): value for key, value in scalars if isinstance(value, str | int | float | bool)},
        )


def _plain_or_gz(path: Path) -> Path | None:
    return next((file for file in (path, path.with_name(path.name + ".gz")) if file.is_file()), None)


def _one(folder: Path, prefixes: tuple[str, ...]) -> Path:
    """The one file of ``folder`` whose name begins so."""
    found = sorted(file for file in folder.iterdir() if file.is_file() and file.name.lower().startswith(prefixes))
    if len(found) != 1:
        what = f"{len(found)} files" if found else "no file"
        raise InputError(
            f"{folder} is neither a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv) nor one of TREC files: "
            f"it has {what} named {' or '.join(prefix + '*' for prefix in prefixes)}"
        )
    return found[0]
