"""Writing a made collection as a BEIR folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...evaluate.write_beir import open_written, require_empty, write_corpus, write_judged
from ...index.storage import storage
from ...progress import Progress, silent
from .collection import MadeCollection

__all__ = ["require_empty", "write_beir"]


def write_beir(
    made: MadeCollection, folder: Path, about: Mapping[str, Any] | None = None, *, progress: Progress = silent
) -> None:
    """Write ``corpus.jsonl``, ``queries.jsonl`` with ``way`` and ``source``, ``qrels/test.tsv``, and ``made.json`` with ``about``.

    The documents are those of the collection: without what its queries were made from. `load_collection` reads the folder, and so
    does whatever else reads BEIR. Raises `UsageError` where the folder has something in it already, `StorageError`.
    """
    require_empty(folder)
    write_corpus(folder, made.documents(), progress=progress)
    write_judged(folder, (made.made[query].columns() for query in made.queries), made.qrels)
    # Last, so that a folder with it is whole.
    with storage(folder), open_written(folder / "made.json") as file:
        json.dump({"ways": made.ways, "notes": list(made.notes), **(about or {})}, file, indent=1, ensure_ascii=False)
        file.write("\n")
