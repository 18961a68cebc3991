"""HotpotQA's JSON (Yang et al., EMNLP 2018), also 2WikiMultihopQA's: questions, each with paragraphs of which some support the answer.

The paragraphs of all questions are one collection; a question is answered by the paragraphs that its ``supporting_facts`` name. Both the
lists of the original and the columns of dataset hubs are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._errors import InputError
from ...documents.document import Document
from ..answers.base import Gold
from ..collection import Collection
from ..judgments import Qrels, Queries
from .base import JsonFile, Place, named_split, text_value

__all__ = ["Hotpot"]


class Hotpot:
    """A file of questions with their paragraphs, or a folder with one for each split."""

    name = "HotpotQA's questions"
    looks = "HotpotQA's JSON (questions with context and supporting_facts)"

    def recognises(self, place: Place) -> bool:
        """Records with ``question``, ``context`` and ``supporting_facts``."""
        return bool(_files(place))

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Paragraphs as documents, by their titles."""
        file = named_split(_files(place), split, "HotpotQA's JSON")
        queries: Queries = {}
        qrels: Qrels = {}
        gold: dict[str, Gold] = {}
        fields: dict[str, dict[str, str]] = {}
        for number, (where, record) in enumerate(file.records(), 1):
            paragraphs = dict(_paragraphs(record, where))
            query = text_value(record.get("_id", record.get("id"))) or f"q{number}"
            if not isinstance(record.get("question"), str):
                raise InputError(f"{where} has no question")
            if query in queries:
                raise InputError(f"{where}: there are two questions {query!r:.80}; ids must differ")
            facts = [(title, at) for title, at in _facts(record) if title in paragraphs]
            queries[query] = record["question"]
            qrels[query] = {title: 1 for title, _ in facts}
            sentences = tuple(paragraphs[title][at] for title, at in facts if 0 <= at < len(paragraphs[title]))
            answer = text_value(record.get("answer"))
            gold[query] = Gold((answer,) if answer else (), evidence=tuple(one.strip() for one in sentences))
            fields[query] = {key: text_value(record[key]) for key in ("type", "level") if text_value(record.get(key))}
        found = Collection(place.name, queries, qrels, read=lambda: _documents(file), kind=self.name, gold=gold, fields=fields)
        if not found.judged:
            raise InputError(f"{file.path} has no question whose supporting facts are among its paragraphs")
        return found


def _files(place: Place) -> list[JsonFile]:
    return place.json_with("question", "context", "supporting_facts")


def _pairs(given: Any, first: str, second: str) -> Iterator[tuple[Any, Any]]:
    """Of ``[[a, b], …]``, ``{first: [a, …], second: [b, …]}`` or ``[{first: a, second: b}, …]``."""
    if isinstance(given, dict):
        firsts, seconds = given.get(first), given.get(second)
        if isinstance(firsts, list) and isinstance(seconds, list):
            yield from zip(firsts, seconds, strict=False)
    for one in given if isinstance(given, list) else []:
        if isinstance(one, list) and len(one) == 2:
            yield one[0], one[1]
        elif isinstance(one, dict):
            yield one.get(first), one.get(second)


def _paragraphs(record: Any, where: str) -> Iterator[tuple[str, list[str]]]:
    """Titles and sentences."""
    found = 0
    for title, sentences in _pairs(record.get("context") if isinstance(record, dict) else None, "title", "sentences"):
        if not isinstance(title, str) or not isinstance(sentences, list):
            raise InputError(f"{where}: a paragraph of context is no title with sentences")
        found += 1
        yield title, [text_value(one) for one in sentences]
    if not found:
        raise InputError(f"{where}: expected an object with question, context and supporting_facts")


def _facts(record: Mapping[str, Any]) -> list[tuple[str, int]]:
    pairs = _pairs(record.get("supporting_facts"), "title", "sent_id")
    return [(title, at if isinstance(at, int) else -1) for title, at in pairs if isinstance(title, str)]


def _documents(file: JsonFile) -> Iterator[Document]:
    done: set[str] = set()
    for where, record in file.records():
        for title, sentences in _paragraphs(record, where):
            if title not in done:
                done.add(title)
                yield Document(id=title, text="".join(sentences), title=title)
