"""Files inside a PDF: those of the document (a portfolio has nothing else), and those that hang on its pages as annotations."""

from __future__ import annotations

import ctypes
import re
from functools import partial
from typing import Any

from ..encoding import clean
from ..source import megabytes
from .strings import utf16

__all__ = ["MAX_FILES", "Files"]

MAX_FILES = 200
"""Files of one document that are read."""
_SETTINGS = ".joboptions"
"""What Adobe Distiller attaches by itself: how it made the file."""


class Files:
    """Collects the files of one document, each once, up to ``limit`` bytes in all."""

    def __init__(self, limit: int) -> None:
        self.found: list[tuple[str, bytes]] = []
        """Name and content of each."""
        self.notes: list[str] = []
        """What was left out, a sentence each."""
        self._left = limit
        self._limit = limit
        self._left_out = 0

    def take_all(self, pdf: Any) -> None:
        """Take the files of the document. ``pdf`` is PDFium's."""
        import pypdfium2.raw as raw

        count = raw.FPDFDoc_GetAttachmentCount(pdf)
        for index in range(min(count, MAX_FILES)):
            self.take(raw.FPDFDoc_GetAttachment(pdf, index))
        self._left_out += max(0, count - MAX_FILES)

    def take(self, file: Any) -> None:
        """Take one that PDFium has found."""
        import pypdfium2.raw as raw

        if not file:
            return
        if len(self.found) >= MAX_FILES:
            self._left_out += 1
            return
        name = _name(clean(utf16(partial(raw.FPDFAttachment_GetName, file)))) or f"attachment {len(self.found) + 1}"
        if name.lower().endswith(_SETTINGS):
            return
        size = ctypes.c_ulong()
        if not raw.FPDFAttachment_GetFile(file, None, 0, size):
            self._note(f"attachment {name!r} was not read: it is not in the file")
            return
        if size.value > self._left:
            self._note(
                f"attachment {name!r} ({megabytes(size.value)}) was left out: attachments of a PDF are read up to "
                f"{megabytes(self._limit)} in all"
            )
            return
        data = ctypes.create_string_buffer(size.value)
        if size.value and not raw.FPDFAttachment_GetFile(file, data, size, size):
            self._note(f"attachment {name!r} was not read: it is damaged")
            return
        made = name, data.raw[: size.value]
        if size.value and made not in self.found:
            self.found.append(made)
            self._left -= size.value

    def _note(self, said: str) -> None:
        if said not in self.notes and len(self.notes) < MAX_FILES:
            self.notes.append(said)

    def all_notes(self) -> list[str]:
        """`notes`, and how many files were too many."""
        if not self._left_out:
            return self.notes
        return [*self.notes, f"{self._left_out:,} attachments were left out: {MAX_FILES} of a PDF are read"]


def _name(name: str) -> str:
    """A file's name without folders, in one line."""
    return " ".join(re.split(r"[/\\]", name)[-1].split())[:200]
