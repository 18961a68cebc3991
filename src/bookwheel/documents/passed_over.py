"""What is below a folder and is passed over for what it is called, or for what lies beside it."""

from __future__ import annotations

from collections.abc import Set

__all__ = ["JUDGED", "LIBRARY", "collection_reason", "name_reason"]

LIBRARY = frozenset(("manifest.json", "documents.sqlite"))
"""Files of a library's folder, which is skipped."""

_CORPUS = frozenset(("corpus.jsonl", "corpus.jsonl.gz", "corpus.jsonl.zst"))
_QUERIES = frozenset(("queries.jsonl", "queries.jsonl.gz", "queries.jsonl.zst"))
JUDGED = _QUERIES | {"qrels"}
"""Names of which it depends on what lies beside them whether they are skipped."""


def name_reason(name: str, folder: bool, siblings: Set[str], hidden: bool) -> str:
    """Why a file or folder of this name beside ``siblings`` is skipped, hidden ones unless ``hidden``; else ``""``."""
    if name == ".git" or (name.startswith(".") and not hidden):
        return "hidden"
    return collection_reason(name, folder, siblings)


def collection_reason(name: str, folder: bool, siblings: Set[str]) -> str:
    """Why a file or folder beside ``siblings`` is no document: it belongs to a BEIR collection's judgments; else ``""``."""
    if siblings & _CORPUS and (siblings & _QUERIES or "qrels" in siblings):
        if name in _QUERIES and not folder:
            return "queries of a BEIR collection"
        if name == "qrels" and folder:
            return "judgments of a BEIR collection"
    return ""
