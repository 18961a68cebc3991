"""QuALITY (Pang et al., "QuALITY: Question Answering with Long Input Texts, Yes!", NAACL 2022): a line has an article and questions on it,
each with four options. Two lines have the same article.

A question is answered by its article; the right option is the right answer. The files are named ``QuALITY.v1.0.1.dev`` and the like;
those named ``htmlstripped`` have text for HTML.
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

__all__ = ["Quality"]

_ABOUT = ("author", "topic", "source", "year", "url", "license")


class Quality:
    """A file of articles with questions, or a folder with one for each split."""

    name = "QuALITY's articles"
    looks = "QuALITY's lines (articles with questions)"

    def recognises(self, place: Place) -> bool:
        """Lines with ``article``, ``article_id`` and ``questions``."""
        return bool(_files(place))

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Articles as documents, by their ``article_id``."""
        files = _files(place)
        stripped = [one for one in files if "htmlstripped" in one.path.name.lower()]
        file = named_split(stripped or files, split, "QuALITY")
        queries: Queries = {}
        qrels: Qrels = {}
        gold: dict[str, Gold] = {}
        fields: dict[str, dict[str, str]] = {}
        for where, record in _records(file):
            about = text_value(record.get("set_unique_id")) or text_value(record["article_id"])
            for number, question in enumerate(record["questions"], 1):
                text = question.get("question") if isinstance(question, dict) else None
                if not isinstance(text, str):
                    raise InputError(f"{where}: question {number} has no question")
                query = text_value(question.get("question_unique_id")) or f"{about}_{number}"
                if query in queries:
                    raise InputError(f"{where}: there are two questions {query!r:.80}; ids must differ")
                queries[query] = text
                qrels[query] = {text_value(record["article_id"]): 1}
                fields[query] = {"hard": "yes" if question.get("difficult") in (1, "1") else "no"}
                gold[query] = Gold(_answer(question, f"{where}, question {number}"))
        if not queries:
            raise InputError(f"{file.path} holds no questions")
        name = file.path.name if place.is_folder else place.name
        return Collection(name, queries, qrels, read=lambda: _documents(file), kind=self.name, gold=gold, fields=fields)


def _files(place: Place) -> list[JsonFile]:
    return place.json_with("article", "article_id", "questions")


def _records(file: JsonFile) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for where, record in file.records():
        fits = isinstance(record, dict) and isinstance(record.get("article"), str) and text_value(record.get("article_id"))
        if not fits or not isinstance(record.get("questions"), list):
            raise InputError(f"{where}: expected an object with article_id, article and questions")
        yield where, record


def _answer(question: Mapping[str, Any], where: str) -> tuple[str, ...]:
    """The text of the right option; () where the labels are held back, as those of the test split."""
    label, options = question.get("gold_label"), question.get("options")
    if label is None or not isinstance(options, list):
        return ()
    if not isinstance(label, int) or not 1 <= label <= len(options):
        raise InputError(f"{where}: gold_label is {label!r:.20} and there are {len(options)} options; they are counted from 1")
    return (text_value(options[label - 1]).strip(),)


def _documents(file: JsonFile) -> Iterator[Document]:
    done: set[str] = set()
    for where, record in _records(file):
        name = text_value(record["article_id"])
        if name in done:
            continue
        done.add(name)
        about = {key: text_value(record[key])[:300] for key in _ABOUT if text_value(record.get(key))}
        yield Document(id=name, text=_plain(record["article"], where), title=text_value(record.get("title")), metadata=about)


def _plain(article: str, where: str) -> str:
    """The text of an article, which may be HTML."""
    if article.lstrip()[:1] != "<" and "</p>" not in article:
        return article
    from ...documents.readers.html import parse_html, visible_text

    return visible_text(parse_html(article.encode(), where).body)
