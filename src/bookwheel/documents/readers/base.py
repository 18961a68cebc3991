"""What a reader of one format declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..._errors import InputError
from ..document import Document
from ..source import Fields, Source

__all__ = ["Attachment", "Format", "Items", "Letter"]

Items = Iterator[Document | InputError]
"""What a reader yields: documents, and an error (not raised) for each record
or page that could not be read.
"""


class Attachment(NamedTuple):
    """A file that is attached to a document."""

    name: str
    data: bytes
    taken_for: str = ""
    """A name whose suffix says its format, where its own may say another; ``""``: its own."""


@dataclass(frozen=True, slots=True)
class Letter(Document):
    """A document with files attached to it, which `bookwheel.documents.read` reads and adds to its text."""

    attachments: tuple[Attachment, ...] = ()
    is_mail: bool = True
    """Whether its title, the subject, is its text where it has no other."""


@dataclass(frozen=True, slots=True)
class Format:
    """One file format. A new one is a module with a ``Format`` and one line in
    :mod:`bookwheel.documents.readers`.
    """

    name: str
    suffixes: tuple[str, ...]
    """Lower case, with the dot, without a compression's suffix."""
    read: Callable[[Source, Fields], Items]
    """Yields documents as it reads. Raises :class:`InputError` for a
    file that cannot be read at all.
    """
    names: tuple[str, ...] = ()
    """Whole file names (lower case) of this format."""
    streamed: bool = False
    """True if read record by record: the file may be of any size, the limit holds for each record."""
    container: bool = False
    """True for zip and PDF files: NUL bytes are expected, and most of the bytes are not text."""
    folder: bool = False
    """True for archives: what is read is their members."""
