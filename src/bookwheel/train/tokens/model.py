"""A late-interaction model as it is trained: sentence-transformers' MultiVectorEncoder, from queries and passages to scores.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Transformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

from ..._errors import ModelError, UsageError
from ...encode.transformer.layout import read_layout
from ..objectives.lists import READ
from ..trainable import TOKENS, Trainable

__all__ = ["TokenScorer"]

NOWHERE = -2.0
"""Below any cosine: what a place without a token scores."""


class TokenScorer(Trainable):
    """The model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a text while it is trained, without dropout.

    A sentence encoder gets a projection of its token states to ``dimension`` numbers, ``projection``, float32 (dimension, hidden), or
    the first rows of the identity where None; passages leave out punctuation, as ColBERT's do. Of a model that `save` has written the
    projection is kept. ``scale``: what the mean best match, a cosine, is multiplied by. Raises `ModelError` where
    sentence-transformers cannot load it, `UsageError` for a late-interaction model with markers or query augmentation.
    """

    def __init__(
        self,
        folder: Path,
        tokens: int,
        dimension: int = 128,
        projection: NDArray[np.float32] | None = None,
        *,
        trained: bool = False,
        scale: float = 20.0,
    ) -> None:
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        layout = read_layout(folder)
        try:
            with torch.random.fork_rng(devices=()):
                torch.manual_seed(0)  # weights that the folder lacks, such as a pooler's that nothing uses, are drawn
                inner = _loaded(folder) if trained else _made(layout, dimension, projection)
        except UsageError:
            raise
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(
                f"{folder} cannot be loaded as a late-interaction model by sentence-transformers ({problem}); take another model"
            ) from error
        super().__init__(inner)
        self.prefixes = (layout.query_prefix, layout.passage_prefix)
        self.scale = scale
        self.limit = min(layout.max_tokens or tokens, self.inner.max_seq_length or tokens)
        self.tokens = min(tokens, self.limit)
        skipped = self.inner[-1]._skiplist_ids
        self._skipped = torch.empty(0, dtype=torch.long) if skipped is None else skipped

    def states(self, batch: Mapping[str, Any]) -> Any:
        """Unit vectors of all tokens, float32 (rows, tokens, dimension)."""
        found = {name: batch[name] for name in TOKENS if name in batch}
        for module in list(self.inner)[:-1]:  # the last one only says which tokens count
            found = module(found)
        return torch.nn.functional.normalize(found["token_embeddings"], dim=-1)

    def forward(self, batch: Mapping[str, Any]) -> Any:
        """Scores, float32 (pairs,), of the tokens of `ListLoss.prepare`: the mean over a query's tokens of their best match."""
        passages = self.states(batch)
        counts = batch["attention_mask"].bool() & ~torch.isin(batch["input_ids"], self._skipped)
        asked = self.states({"input_ids": batch["query_ids"], "attention_mask": batch["query_mask"]})
        queries = len(asked)
        cosines = torch.einsum("qid,qpjd->qpij", asked, passages.view(queries, -1, *passages.shape[1:]))
        best = cosines.masked_fill(~counts.view(queries, -1, 1, counts.shape[1]), NOWHERE).max(-1).values
        mask = batch["query_mask"][:, None].to(best.dtype)
        return (self.scale * (best * mask).sum(-1) / mask.sum(-1)).flatten()

    def tokenise(self, texts: Sequence[str], *, query: bool = False) -> dict[str, Any]:
        """Tokens of ``texts``, int64 (rows, tokens), padded on the right."""
        prefix = self.prefixes[not query]
        found = self.inner.tokenizer(
            [prefix + text for text in texts], truncation=True, max_length=self.tokens, padding=True, return_tensors="pt"
        )
        return {name: found[name] for name in TOKENS if name in found}

    def lists(self, queries: Sequence[str], texts: Sequence[str], wanted: NDArray[np.float32]) -> dict[str, Any]:
        """See `ListModel`."""
        tokens, asked = self.tokenise(texts), self.tokenise(queries, query=True)
        columns = {name: tokens[known].reshape((*wanted.shape, -1)) for name, known in READ.items() if known in tokens}
        columns |= {"query_ids": asked["input_ids"], "query_mask": asked["attention_mask"]}
        return columns | {"wanted": torch.from_numpy(wanted)}

    def save(self, folder: Path, whole: bool) -> None:
        """Write the model, in sentence-transformers' layout; it reads as much of a text as before, whether ``whole`` or not."""
        training = self.training
        self.eval()
        self.inner.save_pretrained(str(folder), create_model_card=False)
        self.train(training)


def _made(layout: Any, dimension: int, projection: NDArray[np.float32] | None) -> Any:
    """An encoder of single texts, with a projection of its token states."""
    body: Any = Transformer(
        str(layout.folder), model_kwargs={"dtype": torch.float32, "local_files_only": True},
        processor_kwargs={"local_files_only": True}, config_kwargs={"local_files_only": True},
        max_seq_length=layout.max_tokens,
    )  # fmt: skip
    hidden = int(body.get_embedding_dimension())
    start = np.eye(min(dimension, hidden), hidden, dtype=np.float32) if projection is None else projection
    dense: Any = Dense(
        hidden, len(start), bias=False, activation_function=torch.nn.Identity(), init_weight=torch.from_numpy(start.copy()),
        module_input_name="token_embeddings", module_output_name="token_embeddings",
    )  # fmt: skip
    prompts = {"query": layout.query_prefix, "document": layout.passage_prefix}
    mask: Any = MultiVectorMask(skiplist_words=list(string.punctuation))
    return MultiVectorEncoder(modules=[body, dense, mask], prompts=prompts, device="cpu")


def _loaded(folder: Path) -> Any:
    """A model that `TokenScorer.save` has written. Raises `UsageError` for another kind of late interaction."""
    inner: Any = MultiVectorEncoder(str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32})
    kinds = [type(module).__name__ for module in inner]
    if kinds != ["Transformer", "Dense", "MultiVectorMask"] or inner[0].query_expansion is not None:
        raise UsageError(
            f"{folder} has markers, query augmentation or steps that are not trained here ({', '.join(kinds)}); take the sentence "
            "encoder that it was made from"
        )
    return inner
