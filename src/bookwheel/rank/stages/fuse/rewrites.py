"""``rewrites(bm25, count=3, model="smollm2")``: searches several rewrites of the query and fuses
the rankings.

Beside RAG-Fusion: Dhole, Chandradevan and Agichtein, "Generative Query Reformulation Using Ensemble
Prompting, Document Fusion, and Relevance Feedback" (2024); in part: the fusion of rankings, from one
instruction instead of paraphrases of it. Kostric and Balog, "A Surprisingly Simple yet Effective
Multi-Query Rewriting Method for Conversational Passage Retrieval" (2024); in part: several rewrites
searched beside each other, asked for in one answer instead of taken from a beam, and equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from ....language.ask import Asker
from ..asking import write_queries
from ..written import WrittenQueries

__all__ = ["Rewrites"]


@dataclass(frozen=True, slots=True)
class Rewrites(WrittenQueries):
    """Searches the query and several rewrites of it, and fuses the rankings; the query's own
    ranking gets ``own``.
    """

    name = "rewrites"
    summary = "searches several rewrites of the query by a language model, and fuses the rankings"
    source = "Rackauckas, RAG-Fusion, 2024; Cormack et al., Reciprocal Rank Fusion, 2009"
    cost = "one answer of the model (about 3 s with smollm2; cached), and the recipe once per rewrite"

    def write(self, asker: Asker, query: str) -> list[str]:
        """What it wrote."""
        return write_queries(asker, query, self.count)
