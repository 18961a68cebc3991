"""Writing a made collection as a BEIR folder: Thakur et al., "BEIR: A Heterogeneous Benchmark" (NeurIPS 2021)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from ..._errors import UsageError
from ...index.storage import storage
from ...progress import Progress, silent
from .collection import MadeCollection

__all__ = ["write_beir"]


def write_beir(
    made: MadeCollection, folder: Path, about: Mapping[str, Any] | None = None, *, progress: Progress = silent
) -> None:
    """Write ``corpus.jsonl``, ``queries.jsonl`` with ``way`` and ``source``, ``qrels/test.tsv``, and ``made.json`` with ``about``.

    The documents are those of the collection: without what its queries were made from. `load_collection` reads the folder, and so
    does whatever else reads BEIR. Raises `UsageError` where the folder has something in it already, `StorageError`.
    """
    require_empty(folder)
    with storage(folder):
        (folder / "qrels").mkdir(parents=True, exist_ok=True)
        task = progress("writing documents", None, "documents")
        try:
            with _text(folder / "corpus.jsonl") as file:
                for document in made.documents():
                    metadata = dict(document.metadata)
                    _line(file, {"_id": document.id, "title": document.title, "text": document.text, "metadata": metadata})
                    task.advance()
        finally:
            task.close()
        with _text(folder / "queries.jsonl") as file:
            _lines(file, (made.made[query].columns() for query in made.queries))
        with _text(folder / "qrels" / "test.tsv") as file:
            file.write("query-id\tcorpus-id\tscore\n")
            for query, grades in made.qrels.items():
                file.writelines(f"{query}\t{document}\t{grade}\n" for document, grade in grades.items())
        # Last, so that a folder with it is whole.
        with _text(folder / "made.json") as file:
            json.dump({"ways": made.ways, "notes": list(made.notes), **(about or {})}, file, indent=1, ensure_ascii=False)
            file.write("\n")


def require_empty(folder: Path) -> None:
    """Raise `UsageError` unless ``folder`` can be made or is empty."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; name a new folder for the collection")


def _text(path: Path) -> IO[str]:
    return path.open("w", encoding="utf-8", errors="replace", newline="\n")


def _lines(file: IO[str], records: Iterable[Mapping[str, object]]) -> None:
    for record in records:
        _line(file, record)


def _line(file: IO[str], record: Mapping[str, object]) -> None:
    file.write(json.dumps(record, ensure_ascii=False) + "\n")
