"""BEIR's layout (Thakur et al., 2021): ``corpus.jsonl``, ``queries.jsonl``, ``qrels/SPLIT.tsv``; with answers and instructions.

Columns of queries beyond ``_id`` and ``text`` are kept as fields of the query. What is wanted beyond the words of a query is read as
``instruction`` of its record, or as MTEB keeps FollowIR and InstructIR: see `instructions`. Reference rankings of dense and sparse
models on these collections, which others can repeat, are those of Kamalloo et al., "Resources for Brewing BEIR: Reproducible
Reference Models and an Official Leaderboard" (2023); in part: rankings are measured and kept here, there is no board of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._errors import InputError
from ..answers.base import Gold
from ..collection import Collection
from ..files import load_files
from .base import JsonFile, Place, plain_or_gz, text_value
from .instructions import instructed, original_qrels

__all__ = ["Beir"]

_IDS = ("_id", "id", "query_id", "qid", "query-id")
_ANSWERS = ("answers", "text", "answer")
_NO_FIELDS = ("_id", "id", "text", "query", "metadata", "query_id", "qid")


class Beir:
    """A folder with BEIR's files."""

    name = "a BEIR folder"
    looks = "a BEIR folder (corpus.jsonl, queries.jsonl, qrels/test.tsv)"

    def recognises(self, place: Place) -> bool:
        """Queries as JSONL and a folder of judgments."""
        folders = [place.path / name for name in ("qrels", "qrels_og")]
        return (
            place.is_folder and plain_or_gz(place.path / "queries.jsonl") is not None and any(one.is_dir() for one in folders)
        )

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Queries, judgments of ``split``, documents where there are any, answers and instructions where there are any."""
        folder = place.path
        queries = plain_or_gz(folder / "queries.jsonl")
        assert queries is not None
        judged = folder / "qrels" if (folder / "qrels").is_dir() else original_qrels(folder)
        qrels = plain_or_gz(judged / f"{split}.tsv")
        if qrels is None:
            splits = sorted({file.name.split(".")[0] for file in judged.glob("*.tsv*")})
            raise InputError(f"{judged} has no split {split!r}; there is {', '.join(splits) or 'none'}")
        found = load_files(queries, qrels, plain_or_gz(folder / "corpus.jsonl"), name=place.name, field=field)
        records = dict(_records(queries))
        given = {query: _fields(record) for query, record in records.items()}
        answers = plain_or_gz(folder / "answers.jsonl")
        found = replace(
            found,
            kind=self.name,
            fields={query: fields for query, fields in given.items() if fields},
            gold={} if answers is None else _answers(answers),
        )
        return instructed(found, folder, split, records)


def _records(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for _, record in JsonFile(path).records():
        if isinstance(record, dict):
            yield next((text_value(record[key]) for key in _IDS if key in record), ""), record


def _fields(record: Mapping[str, Any]) -> dict[str, str]:
    """Its other columns, and what is in its ``metadata``."""
    metadata = record.get("metadata")
    found = {**record, **(metadata if isinstance(metadata, dict) else {})}
    return {
        key: text_value(value)[:300]
        for key, value in found.items()
        if key not in _NO_FIELDS and not key.startswith("instruction") and text_value(value)
    }


def _answers(path: Path) -> dict[str, Gold]:
    """The right answers of ``answers.jsonl``: a span a line (``_id``, ``text``), or ``answers``, with ``evidence`` where there is any.

    BEIR has no such file: what is something else under that name is left alone.
    """
    texts: dict[str, list[str]] = {}
    evidence: dict[str, list[str]] = {}
    for _, record in JsonFile(path).records():
        query = next((text_value(record[key]) for key in _IDS if key in record), "") if isinstance(record, dict) else ""
        given = next((record[key] for key in _ANSWERS if record.get(key) is not None), None) if query else None
        if given is None:
            return {}
        texts.setdefault(query, []).extend(text_value(one) for one in (given if isinstance(given, list) else [given]))
        spans = record.get("evidence") or []
        evidence.setdefault(query, []).extend(
            text_value(one.get("text") if isinstance(one, dict) else one)
            for one in (spans if isinstance(spans, list) else [spans])
        )
    return {
        query: Gold(tuple(dict.fromkeys(filter(None, some))), evidence=tuple(filter(None, evidence[query])))
        for query, some in texts.items()
    }
