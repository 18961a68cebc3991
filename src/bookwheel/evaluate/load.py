"""Judged collections from a BEIR folder, a folder of TREC files, or ir_datasets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .._errors import InputError
from ..documents.document import Document
from .collection import Collection
from .datasets import IR_DATASETS, load_ir_dataset
from .judgments import read_qrels, read_queries
from .lines import read_lines

__all__ = ["load_collection", "load_files"]


def load_collection(source: str | Path, split: str = "test", field: str = "title") -> Collection:
    """A judged collection from a BEIR folder, a folder of TREC files, or ``ir_datasets:NAME``.

    A BEIR folder holds ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/<split>.tsv``. A folder of
    TREC files holds one file whose name begins with ``topics`` or ``queries``, one whose name
    begins with ``qrels``, and perhaps a ``corpus.jsonl``. Any of them may be compressed with gzip.
    ``field``: see `read_queries`. Raises `InputError`.
    """
    if isinstance(source, str) and source.startswith(IR_DATASETS):
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
    """A judged collection from its files. See `read_queries`, `read_qrels`; ``corpus`` is JSONL in
    BEIR's layout.
    """
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
        metadata = record.pop("metadata", None)
        fields = {key: value for key, value in record.items() if key not in ("_id", "text", "title")}
        fields |= metadata if isinstance(metadata, dict) else {}
        yield Document(
            id=str(identifier),
            text=str(text),
            title=str(title),
            metadata={str(key): value for key, value in fields.items() if isinstance(value, str | int | float | bool)},
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
