"""Jupyter notebooks: Markdown and code cells in order; outputs are left out."""

from __future__ import annotations

import json
import re

from ..._errors import InputError
from ..document import Document, Scalar
from ..encoding import clean, decode
from ..source import Fields, Source
from .base import Format, Items
from .markdown import first_heading

__all__ = ["IPYNB"]

_FENCE = re.compile(r"^ {0,3}(`{3,})", re.MULTILINE)


def _source_of(cell: object) -> tuple[str, str]:
    if not isinstance(cell, dict):
        return "", ""
    lines = cell.get("source") or cell.get("input") or ""  # "input" in notebooks of version 3
    text = "".join(line for line in lines if isinstance(line, str)) if isinstance(lines, list) else str(lines)
    return str(cell.get("cell_type", "")), clean(text).strip("\n")


def _read(source: Source, fields: Fields) -> Items:
    try:
        notebook = json.loads(decode(source.read_bytes()))
        cells = (
            notebook["cells"] if "cells" in notebook else [cell for sheet in notebook["worksheets"] for cell in sheet["cells"]]
        )
        metadata = notebook.get("metadata") or {}
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{source.label} is damaged or not a notebook ({error if isinstance(error, ValueError) else 'it has no cells'})"
        ) from error
    texts: list[str] = []
    title = ""
    for cell in cells if isinstance(cells, list) else ():
        kind, text = _source_of(cell)
        if not text.strip():
            continue
        if kind == "code":
            # The fence keeps comments from being taken for headings, and is longer than any that the code itself has.
            fence = max(_FENCE.findall(text), key=len, default="``") + "`"
            text = f"{fence}\n{text}\n{fence}"
        elif kind == "markdown":
            title = title or first_heading(text)
        texts.append(text)
    if texts:
        found: dict[str, Scalar] = {}
        info = metadata.get("kernelspec") if isinstance(metadata, dict) else None
        if isinstance(info, dict) and isinstance(info.get("language"), str):
            found["language"] = clean(info["language"])
        yield Document(source.path, "\n\n".join(texts), title or source.stem, found, kind="markup", line=0)


IPYNB = Format("ipynb", (".ipynb",), _read)
