"""Run files: rankings in TREC's format, ``query Q0 document rank score tag`` a line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from .._errors import InputError, StorageError, UsageError
from ..index.whole_file import whole_file
from .lines import read_lines

__all__ = ["AnyRun", "Run", "ranked_documents", "ranked_pairs", "read_run", "run_lines", "write_run"]

Run = Mapping[str, Sequence[tuple[str, float]]]
"""Query id to its documents with their scores, best first."""
AnyRun = Mapping[str, Sequence[tuple[str, float]] | Mapping[str, float]]
"""A `Run`, or query id to document id to score, in no order."""


def ranked_documents(ranking: Sequence[tuple[str, float]] | Mapping[str, float]) -> list[str]:
    """The document ids, best first and without duplicates; see `ranked_pairs`."""
    return list(dict.fromkeys(document for document, _ in ranked_pairs(ranking)))


def ranked_pairs(ranking: Sequence[tuple[str, float]] | Mapping[str, float]) -> Sequence[tuple[str, float]]:
    """Documents with scores, best first: a list in its order, a mapping as trec_eval sorts it."""
    return _sorted_as_trec_eval(ranking) if isinstance(ranking, Mapping) else ranking


def _sorted_as_trec_eval(scores: Mapping[str, float]) -> list[tuple[str, float]]:
    """By falling score, equal scores by falling document id. trec_eval holds scores in float32, so those are equal that it has no
    two numbers for.
    """
    pairs = sorted(scores.items(), reverse=True)
    with np.errstate(over="ignore"):
        held = np.array([score for _, score in pairs], np.float64).astype(np.float32)
    return [pairs[at] for at in np.argsort(-held, kind="stable").tolist()]


def run_lines(run: Run, tag: str = "bookwheel") -> Iterator[str]:
    """The lines of a run file, without line ends.

    Every evaluator sees the same order: trec_eval ignores ranks, sorts by score in float32 and
    breaks ties by document id, so a score that is not below the one before is written one float32
    step below it. Raises `UsageError`, before the first line, where an id contains white space,
    which the format cannot hold.
    """
    for what, name in _names(run, tag):
        if name.split() != [name]:
            raise UsageError(
                f"a run file cannot hold the {what} {name!r}, since white space separates its columns; use JSON instead"
            )
    return _lines(run, tag)


def _lines(run: Run, tag: str) -> Iterator[str]:
    for query, ranking in run.items():
        below = np.float32(np.inf)
        for rank, (document, score) in enumerate(ranking, 1):
            written = min(np.float32(score), np.nextafter(below, np.float32(-np.inf)))
            below = written
            yield f"{query} Q0 {document} {rank} {written:.9g} {tag}"


def write_run(path: str | Path, run: Run, tag: str = "bookwheel") -> None:
    """Write a run file. Raises `UsageError` (see `run_lines`) and `StorageError`."""
    lines = run_lines(run, tag)
    try:
        with whole_file(Path(path)) as file:
            file.writelines(f"{line}\n".encode() for line in lines)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror or error}") from None


def read_run(path: str | Path) -> dict[str, list[tuple[str, float]]]:
    """Read a run file (gz too). Documents are sorted as trec_eval does: by falling score in float32,
    equal scores by falling id.

    Raises `InputError` with the line: other than six columns, a score that is no number, a document
    twice for a query.
    """
    path = Path(path)
    scores: dict[str, dict[str, float]] = {}
    for number, line in read_lines(path):
        columns = line.split()
        if len(columns) != 6:
            raise InputError(f"{path}:{number}: expected six columns (query Q0 document rank score tag), not {len(columns)}")
        query, _, document, _, written, _ = columns
        try:
            score = float(written)
        except ValueError:
            score = math.nan
        if math.isnan(score):
            raise InputError(f"{path}:{number}: the score is {written!r}; expected a number")
        ranking = scores.setdefault(query, {})
        if document in ranking:
            raise InputError(f"{path}:{number}: document {document!r} is ranked twice for query {query!r}")
        ranking[document] = score
    if not scores:
        raise InputError(f"{path} holds no ranking; a line is: query Q0 document rank score tag")
    return {query: _sorted_as_trec_eval(ranking) for query, ranking in scores.items()}


def _names(run: Run, tag: str) -> Iterator[tuple[str, str]]:
    yield "tag", tag
    for query, ranking in run.items():
        yield "query id", query
        for document, _ in ranking:
            yield "document id", document
