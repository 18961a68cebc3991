"""``bm25 >> expand_seen("smollm2", docs=3) >> bm25``: expansion by a passage written after reading
the first ones found.

Source: Shen et al., "Large Language Models are Strong Zero-Shot Retriever" (2023), LameR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....language.ask import Asker
from ..asking import write_passage
from ..written import WrittenExpansion

__all__ = ["ExpandSeen"]


@dataclass(frozen=True, slots=True)
class ExpandSeen(WrittenExpansion):
    """Adds to the query, with ``weight``, a passage that a language model writes after reading the
    first ``docs`` passages.
    """

    name = "expand_seen"
    summary = "adds a passage that a language model writes after reading the first passages found"
    source = "Shen et al., Large Language Models are Strong Zero-Shot Retriever, 2023 (LameR)"

    def write(self, asker: Asker, query: str, passages: Sequence[str]) -> list[str]:
        """The one passage that it wrote."""
        return [write_passage(asker, query, passages)]
