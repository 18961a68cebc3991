"""Judged collections through ir_datasets (MacAvaney et al., "Simplified Data Wrangling with
ir_datasets", SIGIR 2021).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._errors import InputError
from ..documents.document import Document
from .collection import Collection

__all__ = ["IR_DATASETS", "from_ir_dataset", "load_ir_dataset"]

IR_DATASETS = "ir_datasets:"
"""Prefix of a name that the ir_datasets package knows."""


def load_ir_dataset(name: str) -> Collection:
    """The collection that ir_datasets calls ``name``, such as ``beir/scifact/test``; it downloads
    what it lacks.

    Raises `InputError` where the package is not installed, does not know the name, or cannot get
    the data.
    """
    try:
        import ir_datasets
    except ImportError:
        raise InputError(
            f"{IR_DATASETS}{name} needs the ir_datasets package; install it with: pip install 'bookwheel[datasets]'"
        ) from None
    try:
        dataset = ir_datasets.load(name)
    except KeyError:
        raise InputError(f"ir_datasets knows no {name!r}; its names are listed at https://ir-datasets.com") from None
    return from_ir_dataset(name, dataset)


def from_ir_dataset(name: str, dataset: Any) -> Collection:
    """The collection that a dataset object of ir_datasets holds. Raises `InputError`."""
    missing = [part for part in ("queries", "qrels") if not getattr(dataset, f"has_{part}")()]
    if missing:
        raise InputError(f"{IR_DATASETS}{name} has no {' and no '.join(missing)}; take one of its splits, such as {name}/test")
    qrels: dict[str, dict[str, int]] = {}
    try:
        queries = {str(query.query_id): _text(query) for query in dataset.queries_iter()}
        for judgment in dataset.qrels_iter():
            qrels.setdefault(str(judgment.query_id), {})[str(judgment.doc_id)] = int(judgment.relevance)
    except Exception as error:  # whatever its downloads and parsers raise
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise InputError(f"ir_datasets could not provide {name}: {reason}") from error

    def documents() -> Iterator[Document]:
        for record in dataset.docs_iter():
            title = str(getattr(record, "title", "") or "")
            text = str(record.text) if hasattr(record, "text") else _text(record)
            yield Document(id=str(record.doc_id), text=text, title=title)

    collection = Collection(name, queries, qrels, read=documents if dataset.has_docs() else None)
    if not collection.judged:
        raise InputError(f"{IR_DATASETS}{name} has no query with a judgment")
    return collection


def _text(record: Any) -> str:
    """``default_text()`` is what ir_datasets recommends; versions before 0.5.6 do not have it."""
    if hasattr(record, "default_text"):
        return str(record.default_text())
    return str(next(getattr(record, name) for name in ("text", "title", "query") if hasattr(record, name)))
