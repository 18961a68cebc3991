"""Questions with right answers and evidence, beside the documents that hold it: what retrieval-augmented generation is measured on.

A folder with a file of questions, and the documents as ``corpus.jsonl``, ``corpus.json`` or ``documents.jsonl``. A question is an
object with ``question`` (or ``query``), ``answer`` or ``answers``, and ``evidence`` (or ``evidence_list``): each piece of it names its
document by ``document``, ``doc_id``, ``url`` or ``title``, and may have ``start`` and ``end`` (offsets in characters of the document's
text) or the words (``text``, ``fact``). MultiHop-RAG (Tang and Yang, 2024) is one: ``MultiHopRAG.json`` and ``corpus.json``.

Documents that stay the same and evidence that people have verified let one tell what a search found from what a model made of it:
Chen et al., "BrowseComp-Plus: A More Fair and Transparent Evaluation Benchmark of Deep-Research Agent" (2025). In part: its questions
must be brought into this layout, and negatives that were mined for them count as not judged.
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

__all__ = ["Rag"]

_IDS = ("_id", "id", "doc_id", "docid", "url")
_TEXTS = ("text", "body", "content", "contents", "passage")
_NAMED = ("document", "doc_id", "docid", "document_id", "corpus_id", "_id", "id", "url", "title")
_WORDS = ("text", "fact", "quote", "span")
_ABOUT = ("question_type", "type", "category", "difficulty", "source", "domain")


class Rag:
    """A folder with questions and documents."""

    name = "questions with evidence"
    looks = "a folder of questions with answers and evidence beside a corpus.jsonl or corpus.json"

    def recognises(self, place: Place) -> bool:
        """A corpus, and records with a question and evidence."""
        return place.is_folder and _corpus(place) is not None and bool(_questions(place))

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Which documents hold evidence of which question, and the words of it."""
        corpus = _corpus(place)
        assert corpus is not None
        file = named_split(_questions(place), split, "questions")
        asked = list(enumerate(file.records(), 1))
        known = _Known(corpus, {one for _, (_, record) in asked for one in _names(record)})
        queries: Queries = {}
        qrels: Qrels = {}
        gold: dict[str, Gold] = {}
        fields: dict[str, dict[str, str]] = {}
        missing = 0
        for number, (where, record) in asked:
            text = record.get("question", record.get("query")) if isinstance(record, dict) else None
            if not isinstance(text, str):
                raise InputError(f"{where}: expected an object with question, answer and evidence")
            query = next(
                (text_value(record[key]) for key in ("_id", "id", "question_id") if text_value(record.get(key))), f"q{number}"
            )
            if query in queries:
                raise InputError(f"{where}: there are two questions {query!r:.80}; ids must differ")
            queries[query] = text
            words = []
            for piece in _evidence(record):
                name = known.id_of(piece)
                missing += name is None
                if name is not None:
                    qrels.setdefault(query, {})[name] = 1
                    words.append(known.words(name, piece, where))
            given = record.get("answers", record.get("answer"))
            answers = tuple(filter(None, (text_value(one) for one in (given if isinstance(given, list) else [given]))))
            gold[query] = Gold(answers, evidence=tuple(filter(None, words)))
            fields[query] = {key: text_value(record[key]) for key in _ABOUT if text_value(record.get(key))}
        if not qrels:
            raise InputError(f"no evidence of {file.path} is in a document of {corpus.path}; are they of the same collection?")
        notes = (f"{missing} pieces of evidence name a document that the corpus does not have",) if missing else ()
        return Collection(
            place.name, queries, qrels, read=lambda: _documents(corpus), kind=self.name, gold=gold, fields=fields, notes=notes
        )


class _Known:
    """The documents that evidence names, by any of their names, with their texts."""

    def __init__(self, corpus: JsonFile, names: set[str]) -> None:
        self.ids: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        for document in _documents(corpus):
            for name in (document.id, text_value(document.metadata.get("url")), document.title):
                if name in names:
                    self.ids.setdefault(name, document.id)
                    self.texts[document.id] = document.text

    def id_of(self, piece: Mapping[str, Any]) -> str | None:
        """The document that a piece of evidence names."""
        return next((self.ids[one] for key in _NAMED if (one := text_value(piece.get(key))) in self.ids), None)

    def words(self, name: str, piece: Mapping[str, Any], where: str) -> str:
        """The words of the evidence: those given, or those at its place."""
        if said := next((text_value(piece[key]) for key in _WORDS if text_value(piece.get(key))), ""):
            return said
        start, end, text = piece.get("start"), piece.get("end"), self.texts[name]
        if start is None and end is None:
            return ""
        if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= len(text):
            raise InputError(
                f"{where}: the evidence from {start!r:.20} to {end!r:.20} is outside of document {name!r:.80} ({len(text):,})"
            )
        return text[start:end]


def _corpus(place: Place) -> JsonFile | None:
    named = [one for one in place.json if one.path.name.split(".")[0].lower() in ("corpus", "documents", "docs")]
    return next((one for one in named if any(isinstance(one.first.get(key), str) for key in _TEXTS)), None)


def _questions(place: Place) -> list[JsonFile]:
    found = [*place.json_with("question"), *place.json_with("query")]
    return [one for one in found if any(isinstance(one.first.get(key), list | dict) for key in ("evidence", "evidence_list"))]


def _evidence(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given = record.get("evidence", record.get("evidence_list"))
    pieces = given if isinstance(given, list) else [given]
    return [one if isinstance(one, dict) else {"document": one} for one in pieces if one is not None]


def _names(record: Any) -> Iterator[str]:
    for piece in _evidence(record) if isinstance(record, dict) else ():
        yield from filter(None, (text_value(piece.get(key)) for key in _NAMED))


def _documents(corpus: JsonFile) -> Iterator[Document]:
    for number, (where, record) in enumerate(corpus.records(), 1):
        text = (
            next((record[key] for key in _TEXTS if isinstance(record.get(key), str)), None)
            if isinstance(record, dict)
            else None
        )
        if text is None:
            raise InputError(f"{where}: expected a document with text or body")
        name = next((text_value(record[key]) for key in _IDS if text_value(record.get(key))), f"d{number}")
        about = {key: value for key, value in record.items() if key not in (*_TEXTS, "title", "_id", "id", "metadata")}
        plain = {key: value for key, value in about.items() if isinstance(value, str | int | float | bool)}
        yield Document(id=name, text=text, title=text_value(record.get("title")), metadata=plain)
