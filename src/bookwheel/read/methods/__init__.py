"""Reading methods: how a model is asked about the evidence. One file each, one line here; `written` verifies whatever they draft.

None is the default: without a name the passages, best first, go into one prompt. A method is a function ``draft(run)`` in the
module of its name, which asks by `Run.ask`, may change `Run.evidence`, and yields the pieces of the final draft.

Together with recipes they are the flow patterns of Gao et al., "Modular RAG: Transforming RAG Systems into LEGO-like Reconfigurable
Frameworks" (2024): linear (``stuff``, ``compress``), conditional (``adaptive``, ``corrective``), branching (``replug``,
``speculative``, ``sure``) and looping (``iterate``, ``flare``). In part: search is composed freely, by a recipe; of the methods of
reading one is chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ..events import Token
    from .base import Run

__all__ = ["METHODS", "method"]

METHODS = {
    "stuff": "all passages in one prompt, the best last, where models read best",
    "compress": "of each passage only the sentences that say something of the question",
    "summarise_first": "each passage is judged and noted down before the answer, and what is irrelevant left out",
    "map_reduce": "each passage is asked apart, and the answers become one",
    "refine": "an answer from the best passage is improved by each of the others",
    "corrective": "where the model finds no passage relevant, it rewords the question, and the search is repeated",
    "self_ask": "the question is split into simpler ones, and what is found for each is read together",
    "replug": "each passage is read apart, and the next tokens, or whole answers, are averaged by the passages' scores",
    "chain_of_note": "the model notes down what each passage says of the question, and answers behind its notes",
    "flare": "where a sentence has an improbable token, it is searched for, and written again",
    "iterate": "the draft is the next query, until the passages have what was asked",
    "compress_by_model": "of the passages only the sentences that the question makes more probable to the model",
    "selective_context": "of the passages only the sentences that are least probable to the model",
    "speculative": "drafts from different passages, of which a larger model, or the stored text, chooses",
    "sure": "candidate answers, the passages summed up for each, and the candidate whose summary stands up best",
    "entailed": "passages from which a first answer does not follow are left out, and the rest is read again",
    "attention_sort": "passages in the order of the attention that they get, the most attended last",
    "adaptive": "quotes alone, one prompt or several searches, by how probably the passages answer",
}
"""Names and what they do."""


def method(name: str) -> Callable[[Run], Iterator[Token]]:
    """The method called ``name``, one of `METHODS`."""
    return cast("Callable[[Run], Iterator[Token]]", import_module(f".{name}", __package__).draft)
