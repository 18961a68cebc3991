"""``bm25 >> steer("smollm2", docs=5) >> bm25``."""

from __future__ import annotations

from dataclasses import dataclass

from ....hits import Hits
from ...query import Query
from ...rewrite.applied import added, asked_for, named_model
from ...rewrite.methods import steered
from ..base import Context, Feedback, bounded, whole

__all__ = ["Steer"]


@dataclass(frozen=True, slots=True)
class Steer(Feedback):
    """Adds to the query those sentences of the first passages that a language model picks; it can add nothing of its own.

    ``sentences`` picks them without a model.
    """

    name = "steer"
    summary = "adds the sentences of the first passages that a language model picks as answers"
    source = "Lei et al., Corpus-Steered Query Expansion with Large Language Models, EACL 2024"
    needs = ("a language model", "texts")
    cost = "one answer of the model: about 5 s with smollm2; kept for the next time"

    model: str = "smollm2"
    docs: int = 5
    weight: float = 0.3
    seconds: float = 20.0

    def __post_init__(self) -> None:
        named_model(self.model)
        whole("docs", self.docs, 1, 50)
        bounded("weight", self.weight, 0, 1)
        bounded("seconds", self.seconds, 0.001, 3600)

    def depth(self) -> int:
        """The passages read."""
        return self.docs

    def feed(self, context: Context, query: Query, hits: Hits) -> Query:
        """The query with weighted terms and turned vectors."""
        passages = context.texts(hits.ids[: self.docs])
        found = steered(asked_for(context, self.model, 1, self.seconds), query.text, passages)
        context.note(f"steer added: {found[0]:.200}")
        return added(context, query, found, self.weight)
