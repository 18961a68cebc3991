"""Queries and relevance judgments from files: BEIR's layout and TREC's."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .._errors import InputError
from .lines import read_lines, read_text

__all__ = ["Qrels", "Queries", "read_qrels", "read_queries"]

Queries = dict[str, str]
"""Query id to text."""
Qrels = dict[str, dict[str, int]]
"""Query id to document id to grade; above 0 is relevant."""

LARGEST_GRADE = 1_000_000
_ID_KEYS = ("_id", "id", "query_id", "qid")
_TEXT_KEYS = ("text", "query", "title", "question")


def read_qrels(path: Path) -> Qrels:
    """Judgments: ``query document grade`` separated by tabs (BEIR, with or without a heading), or
    TREC's four columns ``query iteration document grade``.

    Raises `InputError` with the line where there is no such thing, or where a document is judged
    twice and differently.
    """
    qrels: Qrels = {}
    for number, line in read_lines(path):
        fields = line.split("\t") if line.count("\t") in (2, 3) else line.split()
        if len(fields) == 4:
            query, _, document, grade = fields
        elif len(fields) == 3:
            query, document, grade = fields
        else:
            raise InputError(
                f"{path}:{number}: expected query, document and grade (BEIR) or query, 0, document and grade (TREC), "
                f"not {len(fields)} columns"
            )
        try:
            value = int(grade)
        except ValueError:
            if not qrels and number == 1 and not grade.strip()[:1].isdigit():
                continue  # the heading
            raise InputError(f"{path}:{number}: the grade is {grade!r:.30}; expected a whole number") from None
        if abs(value) > LARGEST_GRADE:
            raise InputError(
                f"{path}:{number}: the grade is {grade:.30}; expected one between -{LARGEST_GRADE:,} and {LARGEST_GRADE:,}"
            )
        if qrels.setdefault(query, {}).setdefault(document, value) != value:
            raise InputError(f"{path}:{number}: document {document!r} is judged twice for query {query!r}; keep one grade")
    if not qrels:
        raise InputError(f"{path} holds no judgments; a line is: query, document and grade")
    return qrels


def read_queries(path: Path, field: str = "title") -> Queries:
    """Queries from JSONL (BEIR's layout), ``id<TAB>text``, or TREC topics (``<top>`` or ``<topic
    number="1">``).

    ``field`` says what of a TREC topic is the query: ``title`` (also called ``query``), ``desc`` or
    ``narr``. Raises `InputError`.
    """
    name = path.name.removesuffix(".gz")
    if name.endswith((".jsonl", ".json")):
        pairs: Iterable[tuple[str, str, str]] = _from_jsonl(path)
    else:
        first = next(read_lines(path), (0, ""))[1].lstrip()
        pairs = _from_topics(path, field) if first.startswith("<") else _from_tsv(path)
    queries: Queries = {}
    for place, query, text in pairs:
        if query in queries:
            raise InputError(f"{place}: there are two queries {query!r}; ids must differ")
        queries[query] = text
    if not queries:
        raise InputError(f"{path} holds no queries; expected JSONL, 'id<TAB>text' lines or TREC topics")
    return queries


def _from_jsonl(path: Path) -> Iterable[tuple[str, str, str]]:
    for number, line in read_lines(path):
        place = f"{path}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise InputError(f"{place}: this is not JSON; a line is one object with _id and text") from None
        query = _first(record, _ID_KEYS) if isinstance(record, dict) else None
        text = _first(record, _TEXT_KEYS) if isinstance(record, dict) else None
        if query is None or text is None:
            raise InputError(f"{place}: expected an object with _id and text")
        yield place, query, text


def _first(record: Mapping[str, object], keys: Iterable[str]) -> str | None:
    for key in keys:
        value = record.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool):
            return str(value)
    return None


def _from_tsv(path: Path) -> Iterable[tuple[str, str, str]]:
    for number, line in read_lines(path):
        query, tab, text = line.partition("\t")
        if not tab:
            raise InputError(f"{path}:{number}: expected an id, a tab and the query's text")
        yield f"{path}:{number}", query.strip(), text.strip()


_TOPIC = re.compile(r"<(top|topic)\b([^>]*)>(.*?)</\1>", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(r"<(\w+)[^>]*>([^<]*)")
_LABEL = re.compile(r"^\s*(?:Number|Topic|Title|Description|Narrative)\s*:", re.IGNORECASE)
_NAMES = {
    "title": ("title", "query"),
    "desc": ("desc", "description", "question"),
    "narr": ("narr", "narrative"),
}


def _from_topics(path: Path, field: str) -> Iterable[tuple[str, str, str]]:
    for count, topic in enumerate(_TOPIC.finditer(read_text(path)), 1):
        fields: dict[str, str] = {}
        for tag, content in _FIELD.findall(topic[3]):
            fields.setdefault(tag.lower(), " ".join(_LABEL.sub("", html.unescape(content)).split()))
        attribute = re.search(r"\b(?:number|id)\s*=\s*[\"']?([^\"'\s>]+)", topic[2])
        query = attribute[1] if attribute else fields.get("num", fields.get("number", ""))
        text = next((fields[name] for name in _NAMES.get(field, (field,)) if name in fields), None)
        if not query or text is None:
            missing = f"<{field}>" if query else "number"
            there = ", ".join(sorted(fields)) or "nothing"
            raise InputError(f"{path}: topic {query or count} has no {missing}; it has {there}")
        yield str(path), query, text
