"""The file behind a document: its pages drawn, and itself opened in the system's program.

Only files that the library read, as they were when it read them: what else lies at a path is not touched.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .._errors import InputError, UsageError
from ..documents.source import Skipped, Source
from .filters.file_fields import file_values
from .results import StoredDocument

if TYPE_CHECKING:
    from ..documents.pdf.picture import Picture

__all__ = ["OPENED", "draw", "open_in_program", "source_of"]

OPENED = frozenset(
    {"pdf", "txt", "text", "log", "md", "rst", "tex", "docx", "doc", "odt", "rtf", "xlsx", "xls", "ods", "csv", "tsv", "pptx"}
    | {"ppt", "odp", "epub", "fb2", "eml", "mbox", "ics", "ipynb", "json", "jsonl", "yaml", "toml"}
)
"""Suffixes of files that the system's program may open: those that are shown. Scripts, programs and web pages would run."""
MARKED = 200
"""Spans of one page that are marked."""
_BUDGET_SHARE = 2
"""The process that draws may take so many parts of the budget: one in two."""


def source_of(document: StoredDocument) -> Source:
    """The file that ``document`` was read from. Raises `InputError` where there is none, or another one by now."""
    from ..documents.paths import recognised

    path = document.source
    if path in ("", "-"):
        raise InputError(f"the document {document.id!r:.200} was added by a program: there is no file of it")
    try:
        status = os.stat(path)  # noqa: PTH116
    except (OSError, ValueError):
        raise InputError(f"{path} is gone, or is in an archive, so that it cannot be opened as a file") from None
    now = file_values(path, status.st_size, status.st_mtime_ns)
    if not stat.S_ISREG(status.st_mode) or any(now.get(name) != document.file.get(name) for name in ("size", "modified")):
        raise InputError(f"{path} has changed since it was indexed; index it again with: bookwheel index {path}")
    try:
        found = recognised(Source(path, status.st_size, status.st_mtime_ns, "text", explicit=True))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    if isinstance(found, Skipped):
        raise InputError(f"{path} is not read ({found.reason})")
    return found


def draw(document: StoredDocument, page: int, spans: Sequence[tuple[int, int]], width: int, ram: int | None) -> Picture:
    """See `Library.draw_page`."""
    from ..documents.isolated.drawing import MEMORY
    from ..documents.isolated.drawing import draw as drawn

    source = source_of(document)
    if source.format != "pdf" or not document.layout.pages:
        raise InputError(f"{source.path} has no pages that can be drawn; only those of a PDF can")
    if isinstance(page, bool) or not isinstance(page, int) or not 1 <= page <= len(document.layout.pages):
        raise UsageError(f"{source.path} has pages 1 to {len(document.layout.pages):,}, not {page!r:.40}")
    pages = [*document.layout.pages, len(document.text)]
    low, high = pages[page - 1], pages[page]
    here = [(max(start, low), min(end, high)) for start, end in spans if max(start, low) < min(end, high)]
    quotes = [(document.text[start:end], document.text[low:start]) for start, end in here[:MARKED]]
    memory = MEMORY if ram is None else min(MEMORY, ram // _BUDGET_SHARE)
    return drawn(replace(source, inside=None), page, width, quotes, memory=memory)


def open_in_program(document: StoredDocument) -> str:
    """See `Library.open_file`."""
    source = source_of(document)
    suffix = source.path.rpartition(".")[2].lower()
    if suffix not in OPENED:
        raise UsageError(f"{source.path} is not opened, since a program might run it; open it yourself")
    if sys.platform == "win32":
        os.startfile(source.path)
        return source.path
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None:
        raise UsageError(f"{source.path} is not opened: this system has no xdg-open; open it yourself")
    subprocess.Popen(
        [program, source.path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    return source.path
