"""Writes a report in the form that the name of its file asks for."""

from __future__ import annotations

from pathlib import Path

from ..._errors import UsageError
from ...index.storage import storage
from ...index.whole_file import whole_file
from .report import Report

__all__ = ["FORMATS", "check_name", "write_report"]

FORMATS = {".html": Report.html, ".htm": Report.html, ".md": Report.markdown, ".json": Report.json}


def check_name(path: str | Path) -> Path:
    """``path`` as one; raises `UsageError` where no report can be written under that name."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"a report is written as .html, .md or .json, and {str(path)!r:.200} ends with none of them")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file for the report")
    return path


def write_report(report: Report, path: str | Path) -> Path:
    """Write ``report``: HTML, Markdown or JSON by the suffix of ``path``, whose folder is made where there is none.

    A file that is there is replaced. Raises `UsageError` for another suffix, `StorageError`.
    """
    path = check_name(path)
    data = FORMATS[path.suffix.lower()](report).encode("utf-8", "replace")
    with storage(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(data)
    return path
