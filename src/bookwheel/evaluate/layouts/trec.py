"""TREC's layout: topics, judgments, and documents in tagged files (``<DOC>``), or MS MARCO's tables."""

from __future__ import annotations

from pathlib import Path

from ..._errors import InputError
from ..collection import Collection
from ..files import beir_documents
from ..judgments import read_qrels, read_queries
from .base import Place, plain_or_gz
from .trec_documents import document_files, tagged_documents

__all__ = ["Trec"]

_QUERIES, _QRELS = ("topics", "queries"), ("qrels",)


class Trec:
    """A folder with topics, judgments and perhaps documents."""

    name = "a folder of TREC files"
    looks = "a folder of TREC files (topics*, qrels*, and documents as docs*, *.sgml or corpus.jsonl)"

    def recognises(self, place: Place) -> bool:
        """At least one file of topics, and one of judgments."""
        return place.is_folder and all(_named(place, prefixes) for prefixes in (_QUERIES, _QRELS))

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Of several files of topics or judgments, those that are named for ``split``."""
        queries, qrels = _one(place, _QUERIES, split), _one(place, _QRELS, split)
        corpus = plain_or_gz(place.path / "corpus.jsonl")
        files = [] if corpus is not None else document_files(place, {queries, qrels})
        found = Collection(
            name=place.name,
            queries=read_queries(queries, field),
            qrels=read_qrels(qrels),
            corpus=corpus,
            read=(lambda: beir_documents(corpus)) if corpus else (lambda: tagged_documents(files)) if files else None,
            kind=self.name,
        )
        if not found.judged:
            raise InputError(f"no query of {queries} is judged in {qrels}; are they of the same collection and split?")
        return found


def _named(place: Place, prefixes: tuple[str, ...]) -> list[Path]:
    """The files whose names begin so, or have such a part, as MS MARCO's ``msmarco.queries.dev.tsv``."""
    files = [one for one in place.files if one.name.lower().startswith(prefixes)]
    parts = [one for one in place.files if set(prefixes) & set(one.name.lower().replace("-", ".").replace("_", ".").split("."))]
    return files or parts


def _one(place: Place, prefixes: tuple[str, ...], split: str) -> Path:
    found = _named(place, prefixes)
    if len(found) > 1:
        chosen = [one for one in found if split in one.name.lower().replace("-", ".").replace("_", ".").split(".")]
        found = chosen if len(chosen) == 1 else found
    if len(found) != 1:
        names = " or ".join(prefix + "*" for prefix in prefixes)
        raise InputError(
            f"{place.path} has {len(found)} files named {names}; keep one, or say with --split which of them ({split!r} is not one)"
        )
    return found[0]
