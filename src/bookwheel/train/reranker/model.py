"""A cross-encoder as it is trained: transformers' model with one output, from pairs of texts to scores.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from ..._errors import ModelError
from ...encode.transformer.layout import read_layout
from .pair_model import PairModel

__all__ = ["CrossScorer"]

SEED = 0
"""Of a new head."""


class CrossScorer(PairModel):
    """The model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a pair while it is trained, without dropout.

    Of a cross-encoder with one output the head is kept; anything else gets a new one, whose first scores are nearly equal. Raises
    `ModelError` where transformers cannot load it.
    """

    def __init__(self, folder: Path, tokens: int) -> None:
        layout = read_layout(folder)
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(SEED)
                inner: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                    str(layout.folder), num_labels=1, local_files_only=True, dtype=torch.float32
                )
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(layout.folder), local_files_only=True)
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{folder} cannot be loaded as a cross-encoder by transformers ({problem}); take another model"
            ) from error
        positions = getattr(inner.config, "max_position_embeddings", None) or tokens
        super().__init__(inner, tokenizer, min(layout.max_tokens or positions, positions), tokens)
