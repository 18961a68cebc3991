"""What a way of making queries is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .drawn import Drawn
from .query import Draft

__all__ = ["Way"]


class Way(Protocol):
    """One way to make queries. A way proposes; `made_collection` checks each draft and takes its words out of the documents."""

    name: str
    summary: str
    """What a query is and what answers it, in a few words."""
    source: str
    """The paper that it follows."""
    needs: str
    """``model`` or ``logs`` where it needs one, else ``""``."""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """Queries in an order that depends on the seed alone, made as they are asked for."""
