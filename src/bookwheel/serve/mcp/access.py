"""A library as agents get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .shown import Link, file_link

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """A library as agents get it."""

    library: Library
    link: Link = file_link
    model: Any = None
    """The language model that answers `ask`, by the server's own configuration; None: the quoting answer."""
