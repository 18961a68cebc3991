"""Archives: no reader of their own, since their members are read as the files of a folder are."""

from __future__ import annotations

from collections.abc import Iterator

from ..._errors import InputError
from ..document import Document
from ..source import Fields, Source
from .base import Format

__all__ = ["TAR", "ZIP"]


def _read(source: Source, fields: Fields) -> Iterator[Document | InputError]:
    raise InputError(f"{source.label} is an archive, whose members are read, not itself")


ZIP = Format("zip", (".zip",), _read, streamed=True, container=True, folder=True)
TAR = Format("tar", (".tar",), _read, streamed=True, container=True, folder=True)
