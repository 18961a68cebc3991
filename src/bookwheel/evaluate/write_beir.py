"""Writing a judged collection as a BEIR folder: Thakur et al., "BEIR: A Heterogeneous Benchmark" (NeurIPS 2021)."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from .._errors import UsageError
from ..documents.document import Document
from ..index.storage import storage
from ..progress import Progress, silent
from .judgments import Qrels

__all__ = ["linked_corpus", "open_written", "require_empty", "write_corpus", "write_judged"]

CORPUS = "corpus.jsonl"


def require_empty(folder: Path) -> None:
    """Raise `UsageError` unless ``folder`` can be made or is empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; name a new folder for the collection")


def write_corpus(folder: Path, documents: Iterable[Document], *, progress: Progress = silent) -> Path:
    """Write ``corpus.jsonl`` into ``folder``, which is made where it is missing, and return its path. Raises `StorageError`."""
    path = folder / CORPUS
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        task = progress("writing documents", None, "documents")
        try:
            with open_written(path) as file:
                for document in documents:
                    metadata = dict(document.metadata)
                    _line(file, {"_id": document.id, "title": document.title, "text": document.text, "metadata": metadata})
                    task.advance()
        finally:
            task.close()
    return path


def linked_corpus(corpus: Path, folder: Path) -> None:
    """``corpus`` as the ``corpus.jsonl`` of ``folder`` too: a hard link where the system can, else a copy. Raises `StorageError`."""
    with storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            os.link(corpus, folder / CORPUS)
        except OSError:
            shutil.copyfile(corpus, folder / CORPUS)


def write_judged(folder: Path, queries: Iterable[Mapping[str, object]], qrels: Qrels) -> None:
    """Write ``queries.jsonl`` and ``qrels/test.tsv`` into ``folder``, which is made where it is missing. Raises `StorageError`."""
    with storage(folder):
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        with open_written(folder / "queries.jsonl") as file:
            for record in queries:
                _line(file, record)
        with open_written(folder / "qrels" / "test.tsv") as file:
            file.write("query-id\tcorpus-id\tscore\n")
            for query, grades in qrels.items():
                file.writelines(f"{query}\t{document}\t{grade}\n" for document, grade in grades.items())


def open_written(path: Path) -> IO[str]:
    """``path`` open for writing UTF-8 with line feeds."""
    return path.open("w", encoding="utf-8", errors="replace", newline="\n")


def _line(file: IO[str], record: Mapping[str, object]) -> None:
    file.write(json.dumps(record, ensure_ascii=False) + "\n")
