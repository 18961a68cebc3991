"""Recipes in Python: the retrievers, and every stage as a class.

    from bookwheel.stages import Mmr, Rm3, bm25, dense

    recipe = bm25 >> Rm3(docs=5) >> 0.4 * bm25 + 0.6 * dense >> Mmr()
    library.search("how are block maxima used", recipe=recipe)

Retrievers and stages combine with ``+`` (fuse), ``*`` and a number (weigh), ``%`` (cut) and ``>>``
(go on with); the result is a `Recipe`, equal to the one that `bookwheel.parse_recipe` makes of its
text. `Retrieve` names any other retriever of a library, as in ``Retrieve("minilm")``. A stage with
wrong parameters raises `bookwheel.RecipeError` when it is made. `Stage` is the base of all; its
four kinds, `Search`, `Rewrite`, `Feedback` and `Rerank`, are for stages of your own.
"""

from __future__ import annotations

from .rank.recipe import Cut, Fuse, Pipe, Recipe, Retrieve, bm25, dense
from .rank.stages.base import Feedback, Rerank, Rewrite, Search, Stage
from .rank.stages.feedback.expand_seen import ExpandSeen
from .rank.stages.feedback.guard import Guard
from .rank.stages.feedback.rm3 import Rm3
from .rank.stages.feedback.rocchio import Rocchio
from .rank.stages.feedback.sentences import Sentences
from .rank.stages.feedback.steer import Steer
from .rank.stages.feedback.token_feedback import TokenFeedback
from .rank.stages.feedback.vector_feedback import VectorFeedback
from .rank.stages.fuse.aspects import Aspects
from .rank.stages.fuse.decompose import Decompose
from .rank.stages.fuse.normalised import Normalised
from .rank.stages.fuse.rewrites import Rewrites
from .rank.stages.fuse.rrf import Rrf
from .rank.stages.rerank.attention import Attention
from .rank.stages.rerank.cross import Cross
from .rank.stages.rerank.fold import Fold
from .rank.stages.rerank.interpolate import Interpolate
from .rank.stages.rerank.late import Late
from .rank.stages.rerank.likelihood import Likelihood
from .rank.stages.rerank.listwise import Listwise
from .rank.stages.rerank.mmr import Mmr
from .rank.stages.rerank.neighbours import Neighbours
from .rank.stages.rerank.prior import Prior
from .rank.stages.rewrite.expand import Expand
from .rank.stages.rewrite.follow_up import FollowUp
from .rank.stages.rewrite.keywords import Keywords
from .rank.stages.rewrite.rewrite import RewriteQuery
from .rank.stages.rewrite.spell import Spell
from .rank.stages.rewrite.syntax import Syntax

__all__ = [
    "Aspects",
    "Attention",
    "Cross",
    "Cut",
    "Decompose",
    "Expand",
    "ExpandSeen",
    "Feedback",
    "Fold",
    "FollowUp",
    "Fuse",
    "Guard",
    "Interpolate",
    "Keywords",
    "Late",
    "Likelihood",
    "Listwise",
    "Mmr",
    "Neighbours",
    "Normalised",
    "Pipe",
    "Prior",
    "Recipe",
    "Rerank",
    "Retrieve",
    "Rewrite",
    "RewriteQuery",
    "Rewrites",
    "Rm3",
    "Rocchio",
    "Rrf",
    "Search",
    "Sentences",
    "Spell",
    "Stage",
    "Steer",
    "Syntax",
    "TokenFeedback",
    "VectorFeedback",
    "bm25",
    "dense",
]
