"""What is judged and compared, from files: queries in any form, and a judge's file or qrels."""

from __future__ import annotations

from pathlib import Path

from ..._errors import InputError, UsageError
from ...evaluate.judgments import Qrels, Queries, read_qrels, read_queries
from ...evaluate.lines import read_lines
from .grades import grades_of
from .journal import Journal, Pooled

__all__ = ["judged_queries", "read_judge", "read_judged_queries"]


def read_judged_queries(path: Path, field: str = "title") -> Queries:
    """Queries from what `read_queries` reads, a BEIR folder, or plain lines, one query each, called by their numbers.

    Raises `InputError`.
    """
    if path.is_dir():
        inside = [one for name in ("queries.jsonl", "queries.jsonl.gz") if (one := path / name).is_file()]
        if not inside:
            raise InputError(f"{path} is a folder without queries.jsonl; name the file with the queries")
        path = inside[0]
    if not path.name.removesuffix(".gz").endswith((".jsonl", ".json")):
        lines = [line.strip() for _, line in read_lines(path)]
        if lines and not lines[0].startswith("<") and not any("\t" in line for line in lines):
            return {str(number): line for number, line in enumerate(lines, 1)}
    return read_queries(path, field)


def judged_queries(text: str) -> Queries:
    """Queries that somebody typed: one a line, called by their numbers, or an ID, a tab and the query.

    Raises `UsageError` for an ID that two have.
    """
    found: dict[str, str] = {}
    for number, line in enumerate((one for one in text.splitlines() if one.strip()), 1):
        name, tab, query = line.strip().partition("\t")
        name, query = (name.strip(), query.strip()) if tab else (str(number), name)
        if name in found:
            raise UsageError(f"two queries have the ID {name!r:.60}; give each its own")
        found[name] = query
    return found


def read_judge(path: Path) -> tuple[Qrels, Pooled | None]:
    """The grades in a judge's file, with what was pooled, or in a file of qrels (BEIR, TREC). Raises `InputError`."""
    first = next(read_lines(path), (0, ""))[1]
    if first.startswith("{"):
        journal = Journal(path)
        return grades_of(journal.judgments), journal.pooled
    return read_qrels(path), None
