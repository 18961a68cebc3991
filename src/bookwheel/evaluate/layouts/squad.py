"""SQuAD's JSON (Rajpurkar et al., 2016): paragraphs with questions whose answers are spans of them. XQuAD, MLQA, TyDi QA's gold passages,
ViQuAD and others are in it; also flat, a question a line with its ``context``, as dataset hubs have it.

A question is answered by its paragraph. Questions without an answer (SQuAD 2.0) have no relevant document, and are kept as such.
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

__all__ = ["Squad"]


class Squad:
    """A file of paragraphs with questions, or a folder with one for each split."""

    name = "questions in SQuAD's JSON"
    looks = "SQuAD's JSON (SQuAD, XQuAD: paragraphs with questions)"

    def recognises(self, place: Place) -> bool:
        """An object with ``data`` whose entries have ``paragraphs``, or lines with ``context``, ``question`` and ``answers``."""
        return bool(_files(place))

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Paragraphs as documents, named ARTICLE_PARAGRAPH by their numbers, with the article's title."""
        file = named_split(_files(place), split, "SQuAD's JSON")
        queries: Queries = {}
        qrels: Qrels = {}
        gold: dict[str, Gold] = {}
        for name, _, context, questions in _paragraphs(file):
            for number, question in enumerate(questions, 1):
                text = question.get("question") if isinstance(question, dict) else None
                if not isinstance(text, str):
                    raise InputError(f"{file.path}: question {number} of paragraph {name} has no question")
                query = text_value(question.get("id")) or f"{name}_{number}"
                if query in queries:
                    raise InputError(f"{file.path}: there are two questions {query!r:.80}; ids must differ")
                queries[query] = text
                answers = _answers(question)
                gold[query] = Gold(answers, evidence=(context,) if answers else ())
                if answers:
                    qrels[query] = {name: 1}
        if not qrels:
            raise InputError(f"{file.path} holds no question with an answer")
        return Collection(
            file.path.name if place.is_folder else place.name,
            queries,
            qrels,
            read=lambda: _documents(file),
            kind=self.name,
            gold=gold,
        )


def _files(place: Place) -> list[JsonFile]:
    nested = [one for one in place.json_with("data") if _nested(one.first)]
    return nested or [one for one in place.json_with("context", "question", "answers") if isinstance(one.first["context"], str)]


def _nested(record: Mapping[str, Any]) -> bool:
    data = record["data"]
    return isinstance(data, list) and bool(data) and isinstance(data[0], dict) and isinstance(data[0].get("paragraphs"), list)


def _documents(file: JsonFile) -> Iterator[Document]:
    for name, title, context, _ in _paragraphs(file):
        yield Document(id=name, text=context, title=title)


def _paragraphs(file: JsonFile) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Each paragraph once: its id, its article's title, its text and its questions."""
    if "data" not in file.first:
        yield from _flat(file)
        return
    for where, record in file.records():
        for number, article in enumerate(
            record["data"] if isinstance(record, dict) and isinstance(record.get("data"), list) else []
        ):
            paragraphs = article.get("paragraphs") if isinstance(article, dict) else None
            if not isinstance(paragraphs, list):
                raise InputError(f"{where}: article {number + 1} has no paragraphs")
            title = text_value(article.get("title")).replace("_", " ")
            for at, paragraph in enumerate(paragraphs):
                context = paragraph.get("context") if isinstance(paragraph, dict) else None
                questions = paragraph.get("qas", []) if isinstance(context, str) else None
                if not isinstance(context, str) or not isinstance(questions, list):
                    raise InputError(
                        f"{where}: paragraph {at + 1} of article {number + 1} has no context, or qas that are no list"
                    )
                yield f"{number}_{at}", title, context, questions


def _flat(file: JsonFile) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Questions with equal contexts belong to one paragraph."""
    texts: dict[str, tuple[str, list[Any]]] = {}
    for where, record in file.records():
        if not isinstance(record, dict) or not isinstance(record.get("context"), str):
            raise InputError(f"{where}: expected an object with context, question and answers")
        texts.setdefault(record["context"], (text_value(record.get("title")).replace("_", " "), []))[1].append(record)
    for number, (context, (title, questions)) in enumerate(texts.items()):
        yield f"p{number}", title, context, questions


def _answers(question: Mapping[str, Any]) -> tuple[str, ...]:
    given = question.get("answers") or []
    texts = given.get("text", []) if isinstance(given, dict) else given
    found = [one.get("text") if isinstance(one, dict) else one for one in (texts if isinstance(texts, list) else [texts])]
    return (
        ()
        if question.get("is_impossible")
        else tuple(dict.fromkeys(one for one in found if isinstance(one, str) and one.strip()))
    )
