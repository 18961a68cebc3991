"""``train reranker`` from a causal language model: low-rank adapters on the attention, and a head over the last token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ...encode.cross import CrossEncoder
from ...language.load import folder_of
from ...library.library import Library
from ..lists.base import Base
from ..lists.comparing import Scorer
from .stage import RerankerRun

__all__ = ["CausalRun", "base_of"]

LADDER = ("lora",)
READ = 256
"""Tokens of most passages, at most, where models are compared."""


def base_of(named: str | Path) -> Base:
    """The model ``named``; of ``smollm2`` or a .gguf file, which is converted once, the folder that comes of it.

    Raises `UsageError` where no reranker can be trained from it, `ModelError`.
    """
    text = str(named)
    if text != "smollm2" and not text.lower().endswith(".gguf"):
        return Base.of(named, "cross-encoder")
    return replace(Base.of(folder_of(text), "cross-encoder"), name=Path(text).stem)


class CausalRun(RerankerRun):
    """A run from a causal language model.

    It reads a prompt with the passage and then the query, and the score is read from its last token: at first the log-odds of yes
    against no, which the untrained model gives (monoT5); so the weights before the first step are compared, too. Low-rank factors
    beside the attention's weights are trained with the head, and merged when they are written (RankLLaMA). Sources: see
    `causal_model`.
    """

    from_start = True
    read: ClassVar[int] = READ
    ladder: ClassVar[Sequence[str]] = LADDER
    modules: ClassVar[tuple[str, ...]] = ("torch", "transformers", "peft")

    def scorer(self, copy: Library) -> Any:
        """See `ListRun`."""
        from .causal_model import CausalScorer

        return CausalScorer(self.base.folder, self.options.tokens, trained=self.base.trained)

    def changes(self) -> Mapping[str, Any]:
        """See `ListRun`: adapters on the attention, and the head itself."""
        from .causal_model import ATTENTION, HEAD

        return {"only": ATTENTION, "whole": (HEAD,)}

    def timed(self, model: Any) -> AbstractContextManager[None]:
        """See `ListRun`."""
        from ..trainable import adapted
        from .causal_model import HEAD

        return adapted(model, HEAD)

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Scorer]:
        """By torch, as the stage runs it."""
        yield CrossEncoder(folder)

    def export(self, folder: Path) -> None:
        """Nothing more: torch runs it."""

    def says(self, weight: float) -> str:
        """See `ListRun`."""
        return (
            "A causal language model with a head over its last token, fitted to one collection; its tokenizer puts the prompt around a "
            f"pair. Search with `bm25 >> {self.stage(weight, 'FOLDER')}`; it needs torch."
        )
