"""Reads the right answers from a file: lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..._errors import InputError
from ..lines import json_values
from .base import Gold, Insight, Nugget

__all__ = ["json_lines", "read_gold"]

LONGEST = 64 << 20
"""Bytes of one line."""


def read_gold(path: Path) -> dict[str, Gold]:
    """The right answers by id and by question, of lines of JSON or of a judged collection. Raises `InputError` naming what is wrong.

    A line is ``{"id": …, "question": …, "answers": [text, …]}``; an id or a question is enough, ``answer`` may be one text, and
    none, or ``"is_impossible": true``, means that the documents do not have it. ``answers`` as SQuAD has them (``{"text": […]}``,
    or ``[{"text": …}]``) are read too. What else may be there:

    - ``language``: a name or a code of two letters, for its articles (English);
    - ``qa_pairs``: ``[{"short_answers": [text, …]}, …]``, as ASQA and ALCE have them, or a list of such lists;
    - ``nuggets``: ``[{"text": …, "vital": true, "aliases": […]}, …]``, or ``"importance": "vital"`` or ``"okay"``, or texts, all
      of them vital;
    - ``insights``: ``[{"text": …, "documents": [id, …], "aliases": […]}, …]``;
    - ``evidence``: the texts on which the answer rests, or ``[{"text": …}, …]``.

    Of a collection (see `load_collection`) it is the answers that it comes with: SQuAD's, QuALITY's, LoCoMo's and the like.
    """
    if (collection := _collection(path)) is not None:
        return collection
    found: dict[str, Gold] = {}
    for number, record in json_lines(path):
        keys = [str(record[key]) for key in ("id", "_id", "question") if record.get(key) is not None]
        try:
            if not keys:
                raise ValueError
            gold = _gold(record)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            why = f" ({error})" if type(error) is ValueError and str(error) else ""
            raise InputError(
                f'{path}:{number} is no gold answer{why}; a line is {{"id": "q1", "question": "…", "answers": ["…"]}}, without answers '
                "where there is none"
            ) from None
        for key in keys:
            found[key] = gold
    if not found:
        raise InputError(f"{path} has no gold answer")
    return found


def _collection(path: Path) -> dict[str, Gold] | None:
    """The answers of the collection at ``path``; None where it is none."""
    from ..layouts.base import Place
    from ..layouts.registry import LAYOUTS
    from ..load import load_collection

    if not path.exists() or not (path.is_dir() or any(one.recognises(Place(path)) for one in LAYOUTS)):
        return None
    collection = load_collection(path)
    if not collection.gold:
        raise InputError(f"{path}, {collection.kind}, has no answers; name a file of them, or a collection that has")
    texts = {collection.queries[query]: gold for query, gold in collection.gold.items() if query in collection.queries}
    return {**texts, **collection.gold}


def _gold(record: Mapping[str, Any]) -> Gold:
    given = record.get("answers", record.get("answer"))
    if isinstance(given, Mapping):
        given = given.get("text")
    answers = () if record.get("is_impossible") else tuple(text for text in _texts(given, "answers") if text)
    parts = record.get("qa_pairs") or ()
    return Gold(
        answers,
        language=_text(record.get("language") or "english", "language"),
        parts=tuple(_texts(part["short_answers"] if isinstance(part, Mapping) else part, "qa_pairs") for part in parts),
        nuggets=tuple(_nugget(one) for one in record.get("nuggets") or ()),
        insights=tuple(_insight(one) for one in record.get("insights") or ()),
        evidence=_texts(record.get("evidence"), "evidence"),
    )


def _nugget(given: Any) -> Nugget:
    if isinstance(given, str):
        return Nugget(given)
    vital = given.get("vital", given.get("importance", "vital"))
    if vital not in (True, False, "vital", "okay"):
        raise ValueError("a nugget is vital or okay")
    return Nugget(_text(given["text"], "nuggets"), vital in (True, "vital"), _texts(given.get("aliases"), "aliases"))


def _insight(given: Any) -> Insight:
    documents = given.get("documents") or ()
    if isinstance(documents, str):
        documents = [documents]
    return Insight(_text(given["text"], "insights"), frozenset(map(str, documents)), _texts(given.get("aliases"), "aliases"))


def _texts(given: Any, name: str) -> tuple[str, ...]:
    """A text, texts, or objects with a text, as texts."""
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, list):
        raise ValueError(f"{name} must be a list of texts")
    return tuple(_text(one.get("text") if isinstance(one, Mapping) else one, name) for one in given)


def _text(given: Any, name: str) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{name} must be text")
    return given


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON lines, with their line numbers. Raises `InputError`."""
    for number, record in json_values(path, LONGEST):
        if not isinstance(record, dict):
            raise InputError(f"{path}:{number} is no JSON object")
        yield number, record
