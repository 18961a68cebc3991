"""A sentence encoder as it is trained: sentence-transformers' model, from texts to unit vectors.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from sentence_transformers import SentenceTransformer

from ..._errors import ModelError

__all__ = ["SentenceEncoder"]

TOKENS = ("input_ids", "attention_mask", "token_type_ids")


class SentenceEncoder(torch.nn.Module):
    """The model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a text while it is trained, without dropout.

    Raises `ModelError` where sentence-transformers cannot load it.
    """

    def __init__(self, folder: Path, tokens: int) -> None:
        super().__init__()
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(0)  # weights that the folder lacks, such as a pooler's that nothing uses, are drawn
                self.inner: Any = SentenceTransformer(
                    str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32}
                )
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{folder} cannot be loaded by sentence-transformers ({problem}); take another model") from error
        for module in self.modules():
            if isinstance(module, torch.nn.Dropout):  # drawing the masks takes a third of a step
                module.p = 0.0
        self.limit = self.inner.max_seq_length
        self.tokens = min(tokens, self.limit or tokens)
        self.supports_gradient_checkpointing = bool(self._checkpointed())

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Unit vectors, float32 (rows, dimension), of a batch of `tokenise`."""
        found = self.inner({name: batch[name] for name in TOKENS if name in batch})
        return torch.nn.functional.normalize(found["sentence_embedding"], dim=-1)

    def activation_checkpointing_enable(self, options: Any, every_n_layers: int = 1) -> None:
        """As transformers has it."""
        for module in self._checkpointed():
            if hasattr(module, "activation_checkpointing_enable"):
                module.activation_checkpointing_enable(options, every_n_layers=every_n_layers)
            else:  # before transformers 5.20
                module.gradient_checkpointing_enable(gradient_checkpointing_kwargs=options)

    def activation_checkpointing_disable(self) -> None:
        """As transformers has it."""
        for module in self._checkpointed():
            new = hasattr(module, "activation_checkpointing_disable")
            (module.activation_checkpointing_disable if new else module.gradient_checkpointing_disable)()

    def _checkpointed(self) -> list[Any]:
        """The models inside that can compute activations again."""
        return [module for module in self.inner.modules() if getattr(module, "supports_gradient_checkpointing", False)]

    def tokenise(self, texts: Sequence[str]) -> dict[str, Any]:
        """Tokens of ``texts``, int64 (rows, tokens), padded on the right."""
        self.inner.max_seq_length = self.tokens
        try:
            found = self.inner.preprocess(list(texts))
        finally:
            self.inner.max_seq_length = self.limit
        return {name: found[name] for name in TOKENS if name in found}

    def towards(self, other: SentenceEncoder, share: float) -> None:
        """Put the weights at ``share`` of the way from those of ``other`` to their own (Wortsman et al., CVPR 2022)."""
        with torch.no_grad():
            for mine, theirs in zip(self.parameters(), other.parameters(), strict=True):
                mine.copy_(theirs + share * (mine - theirs))

    def save(self, folder: Path) -> None:
        """Write the model, in sentence-transformers' layout."""
        training = self.training
        self.eval()
        self.inner.save_pretrained(str(folder), create_model_card=False)
        self.train(training)
