"""Judgments written as TREC qrels, whoever judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .._errors import UsageError
from ..index.whole_file import whole_file
from .output import notice, plural

if TYPE_CHECKING:
    from ..evaluate.judgments import Qrels

__all__ = ["write_qrels"]


def write_qrels(out: str, grades: Qrels) -> None:
    """Write ``grades`` to the file ``out``, and tell what cannot be in it. Raises `UsageError`."""
    from ..tune.judging.grades import qrels_lines, unwritable

    count = sum(map(len, grades.values()))
    odd = sum(unwritable(query) or unwritable(document) for query, row in grades.items() for document in row)
    spaced = any(" " in one for query, row in grades.items() for one in (query, *row))
    lines = list(qrels_lines(grades))
    try:
        with whole_file(Path(out)) as file:
            file.writelines(f"{line}\n".encode("utf-8", "replace") for line in lines)
    except OSError as error:
        raise UsageError(f"{out!r:.200} cannot be written ({error.strerror or error}); name another file") from None
    notice(f"wrote {plural(count - odd, 'judgment')} to {out}")
    if odd:
        notice(f"{plural(odd, 'judgment')} of documents whose ID has a tab or a line end cannot be in qrels, and are left out")
    elif spaced:
        notice("some IDs have spaces: bookwheel reads them, separated by tabs; trec_eval does not")
