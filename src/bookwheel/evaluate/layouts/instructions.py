"""Instructions beside the queries of a BEIR folder, in the layouts that FollowIR, InstructIR and MTEB use.

- a column ``instruction`` of ``queries.jsonl`` (one instruction a query);
- ``instruction.jsonl`` or ``instructions.jsonl`` with ``query-id`` and ``instruction`` (MTEB). Queries whose ids end in ``-og`` and
  ``-changed`` are one query under two instructions (Weller et al., FollowIR, 2024), with ``qrel_diff.jsonl`` (``query-id``,
  ``corpus-ids``) or, without it, the documents that are relevant under the first and judged otherwise under the second;
- columns ``instruction_og`` and ``instruction_changed``, with judgments in ``qrels_og/`` and ``qrels_changed/`` (FollowIR's own);
- ids such as ``3_7``: the eighth instruction of query 3 (Oh et al., InstructIR, 2024), where several have the same text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._errors import InputError
from ..collection import Collection, Instructions
from ..judgments import Qrels, read_qrels
from .base import JsonFile, plain_or_gz, text_value

__all__ = ["instructed", "original_qrels"]

_OLD, _NEW = "-og", "-changed"


def original_qrels(folder: Path) -> Path:
    """Where FollowIR's own layout keeps the judgments under the first instruction."""
    return folder / "qrels_og"


def instructed(found: Collection, folder: Path, split: str, records: Mapping[str, Mapping[str, Any]]) -> Collection:
    """``found`` with its instructions, where it has any. Raises `InputError`."""
    separate = _separate(folder)
    texts = {
        query: text for query, record in records.items() if (text := text_value(record.get("instruction")).strip())
    } | separate
    moved = _moved(folder)
    changed = {
        query: text for query, record in records.items() if (text := text_value(record.get("instruction_changed")).strip())
    }
    if changed:
        texts = {query: text_value(record.get("instruction_og")).strip() for query, record in records.items()}
        path = plain_or_gz(folder / "qrels_changed" / f"{split}.tsv")
        if path is None:
            raise InputError(f"{folder} has instruction_changed but no judgments under it; expected qrels_changed/{split}.tsv")
        return replace(found, instructions=_pairs(texts, changed, found.qrels, read_qrels(path), moved))
    if texts and any(query.endswith(_NEW) for query in texts):
        return _paired_ids(found, texts, moved)
    if not texts:
        return found
    return replace(found, instructions=Instructions(texts, variants=_variants(found, texts)))


def _separate(folder: Path) -> dict[str, str]:
    path = next((one for name in ("instruction", "instructions") if (one := plain_or_gz(folder / f"{name}.jsonl"))), None)
    texts: dict[str, str] = {}
    for where, record in JsonFile(path).records() if path is not None else ():
        query = text_value(record.get("query-id", record.get("_id"))) if isinstance(record, dict) else ""
        text = text_value(record.get("instruction", record.get("text"))) if query else ""
        if not query or not isinstance(record.get("instruction", record.get("text")), str):
            raise InputError(f"{where}: expected an object with query-id and instruction")
        texts[query] = text.strip()
    return {query: text for query, text in texts.items() if text}


def _moved(folder: Path) -> dict[str, tuple[str, ...]]:
    path = plain_or_gz(folder / "qrel_diff.jsonl")
    found: dict[str, tuple[str, ...]] = {}
    for where, record in JsonFile(path).records() if path is not None else ():
        documents = record.get("corpus-ids") if isinstance(record, dict) else None
        if not isinstance(documents, list) or "query-id" not in record:
            raise InputError(f"{where}: expected an object with query-id and corpus-ids")
        found[text_value(record["query-id"])] = tuple(map(text_value, documents))
    return found


def _pairs(
    texts: Mapping[str, str], changed: Mapping[str, str], old: Qrels, new: Qrels, moved: Mapping[str, tuple[str, ...]]
) -> Instructions:
    """Documents that moved are those named, or those that were relevant and are judged not to be."""
    if not moved:
        moved = {
            query: gone
            for query in changed
            if (gone := tuple(one for one, grade in old.get(query, {}).items() if grade > 0 >= new.get(query, {}).get(one, 1)))
        }
    return Instructions(texts, changed, new, moved)


def _paired_ids(found: Collection, texts: Mapping[str, str], moved: Mapping[str, tuple[str, ...]]) -> Collection:
    """Pairs of queries such as ``310-og`` and ``310-changed`` as one query, ``310``, with two instructions."""
    names = [query.removesuffix(_OLD) for query in found.queries if query.endswith(_OLD)]
    if not names:
        raise InputError(f"{found.name} has queries whose ids end in {_NEW}, and none whose ids end in {_OLD}; both are needed")
    alone = [name for name in names if name + _NEW not in found.queries]
    changed = {name: texts[name + _NEW] for name in names if name + _NEW in texts}
    new = {name: found.qrels[name + _NEW] for name in names if name + _NEW in found.qrels}
    old = {name: found.qrels[name + _OLD] for name in names if name + _OLD in found.qrels}
    notes = (f"{len(alone)} queries have no counterpart with a changed instruction",) if alone else ()
    first = {name: texts.get(name + _OLD, "") for name in names}
    return replace(
        found,
        queries={name: found.queries[name + _OLD] for name in names},
        qrels=old,
        fields={name: found.fields[name + _OLD] for name in names if name + _OLD in found.fields},
        instructions=_pairs(first, changed, old, new, {query.removesuffix(_OLD): gone for query, gone in moved.items()}),
        notes=(*found.notes, *notes),
    )


def _variants(found: Collection, texts: Mapping[str, str]) -> dict[str, str]:
    """The query that each instruction belongs to, where ids say so and some query has several."""
    heads = {query: query.rpartition("_")[0] for query in texts if query.rpartition("_")[0]}
    same: dict[str, set[str]] = {}
    for query, head in heads.items():
        same.setdefault(head, set()).add(" ".join(found.queries.get(query, "").split()))
    whole = len(heads) == len(texts) and len(same) < len(texts) and all(len(wordings) == 1 for wordings in same.values())
    return heads if whole else {}
