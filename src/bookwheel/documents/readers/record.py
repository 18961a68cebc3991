"""From a record (a JSON object, a table row) to a document: which fields are
its ID, title, text and metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..._errors import InputError
from ..document import Value
from ..metadata import flattened
from ..source import Fields
from ..written_places import PLACES

__all__ = ["ID_NAMES", "TEXT_NAMES", "TITLE_NAMES", "Plan", "plan_for", "text_of"]

ID_NAMES = ("_id", "id", "pid", "passage_id", "docid", "doc_id", "document_id", "docno", "uid", "uuid", "key")
TITLE_NAMES = ("title", "headline", "subject")
TEXT_NAMES = (
    "text",
    "contents",
    "body",
    "content",
    "abstract",
    "passage",
    "segment",
    "description",
    "summary",
    "document",
    "article",
    "paragraph",
    "raw",
)
"""BEIR (``_id, title, text``), Pyserini and MS MARCO v1 (``id, contents``), MS MARCO v2 (``pid,
passage``; ``docid, title, body``; segments: ``docid, title, segment``), and what people usually
write. The first one present is taken.
"""
_KNOWN = frozenset((*ID_NAMES, *TITLE_NAMES, *TEXT_NAMES))


@dataclass(frozen=True, slots=True)
class Plan:
    """The role of each field, for records with the same fields; ``text`` is empty if there is none."""

    id: str | None
    title: str | None
    text: tuple[str, ...]
    metadata: tuple[str, ...]


def plan_for(keys: Iterable[str], fields: Fields, where: str) -> Plan:
    """The plan for records with ``keys``. Raises :class:`InputError`, naming ``where``,
    if a field asked for is missing.
    """
    names = list(keys)
    # Of a record with half a million fields the few that matter: a dictionary of all would be larger than the record.
    lower = {low: name for name in reversed(names) if (low := name.lower()) in _KNOWN}
    wanted = [name for name in (fields.id, fields.title, *(fields.text or ())) if name is not None]
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError(
            f"{where} has no field {', '.join(map(repr, missing))}; its fields are {', '.join(names[:20]) or 'none'}"
        )

    def first(candidates: tuple[str, ...]) -> str | None:
        return next((lower[name] for name in candidates if name in lower), None)

    identifier = fields.id if fields.id is not None else first(ID_NAMES)
    title = fields.title if fields.title is not None else first(TITLE_NAMES)
    if fields.text is not None:
        text = fields.text
    else:
        found = first(tuple(name for name in TEXT_NAMES if lower.get(name) not in (identifier, title)))
        text = (found,) if found is not None else ()
    used = {identifier, title, *text, PLACES}
    return Plan(identifier, title, text, tuple(name for name in names if name not in used))


def text_of(value: object) -> str:
    """A field's value as text: a string, a list of strings (one a line), a
    number; ``""`` for anything else.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(item for item in value if isinstance(item, str))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def flatten(record: Mapping[str, object], names: Iterable[str], left: dict[str, None]) -> dict[str, Value]:
    """The values among ``names``, of nested objects and lists too; an object ``metadata`` is opened. Nulls are left out.

    ``left``: see `flattened`.
    """
    found: dict[str, Value] = {}
    nested: dict[str, object] = {}
    for name in names:
        value = record[name]
        if isinstance(value, str | int | float):
            found[name] = value
        elif value is not None:
            nested[name] = value
    if nested:
        opened = nested.pop("metadata", None)
        found.update(flattened(nested, left))
        if isinstance(opened, dict):
            found = {**flattened(opened, left), **found}
    return found
