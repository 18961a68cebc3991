"""``follow_up(terms=10)``."""

from __future__ import annotations

from dataclasses import dataclass

from ...queries.conversation import resolved
from ...query import Query
from ..base import Context, Rewrite, whole

__all__ = ["FollowUp"]


@dataclass(frozen=True, slots=True)
class FollowUp(Rewrite):
    """Adds to a follow-up question the telling words of the earlier ones (``Query.history``)."""

    name = "follow_up"
    summary = "adds the telling words of earlier questions to a follow-up question"
    source = "Lin et al., Multi-stage conversational passage retrieval, 2021 (historical query expansion)"
    cost = "about 0.1 ms"

    terms: int = 10

    def __post_init__(self) -> None:
        whole("terms", self.terms, 1, 1000)

    def rewrite(self, context: Context, query: Query) -> Query:
        """The query with what it leaves unsaid."""
        return resolved(context, query, self.terms)
