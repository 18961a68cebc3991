"""A causal language model as a reranker is trained from it: a head over the last token's state, behind a prompt that asks.

Ma et al., "Fine-Tuning LLaMA for Multi-Stage Text Retrieval" (SIGIR 2024, RankLLaMA). The head begins as the difference of what
predicts two words, as which Nogueira et al. read a score, "Document Ranking with a Pretrained Sequence-to-Sequence Model" (2020,
monoT5): so the first scores are the model's own log-odds of yes against no, rather than noise. In part: the words are yes and no.

Needs the extra ``train``; it is imported when training begins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from ..._errors import ModelError, UsageError
from ...encode.safetensors import Tensors
from ...encode.transformer.causal import ROOM, prompt_tokens
from ...encode.transformer.layout import read_layout
from ...language.prompts import load_prompt
from ..trainable import merged_weights
from .pair_model import PairModel

__all__ = ["ATTENTION", "HEAD", "CausalScorer", "asking"]

ATTENTION = ("k_proj", "o_proj", "q_proj", "v_proj")
"""The linear modules that get adapters."""
HEAD = "score.weight"
YES, NO = " yes", " no"
PIECES = ("<before>", "<between>", "<after>")


class CausalScorer(PairModel):
    """The model in ``folder``, float32 on the CPU, which reads at most ``tokens`` of a pair while it is trained.

    ``trained``: it has a head, and a tokenizer that asks, which are kept; otherwise it gets both (`asking`). Raises `ModelError` where
    transformers cannot load it, `UsageError` for too few ``tokens``.
    """

    def __init__(self, folder: Path, tokens: int, *, trained: bool) -> None:
        layout = read_layout(folder)
        transformers.utils.logging.disable_progress_bar()
        transformers.utils.logging.set_verbosity_error()
        try:
            inner, about = transformers.AutoModelForSequenceClassification.from_pretrained(
                str(layout.folder), num_labels=1, local_files_only=True, use_safetensors=True, dtype=torch.float32,
                output_loading_info=True,
            )  # fmt: skip
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(layout.folder), local_files_only=True)
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{folder} cannot be loaded as a language model by transformers ({problem})") from error
        if missing := sorted(name for name in about["missing_keys"] if trained or name != HEAD):
            raise ModelError(f"{folder} has no weights {missing[0]!r:.100}; get its files again")
        if not trained:
            tokenizer, yes, no = asking(tokenizer)
            with torch.no_grad():
                inner.score.weight.copy_(_word_difference(layout.weights, yes, no))
        inner.config.pad_token_id = tokenizer.pad_token_id
        inner.config.use_cache = False
        positions = getattr(inner.config, "max_position_embeddings", None) or tokens
        # A language model's tokenizer has no limit of its own, or that of the positions.
        super().__init__(inner, tokenizer, min(layout.max_tokens or positions, positions), tokens)
        if (least := ROOM * prompt_tokens(tokenizer.backend_tokenizer)) > self.tokens:
            raise UsageError(f"the prompt and a pair need {least} tokens, and {self.tokens} are read; allow more")

    def weights(self) -> dict[str, Any] | None:
        """With the adapters, where there are some, in the weights that they stand beside."""
        return merged_weights(self.inner)


def asking(tokenizer: Any) -> tuple[Any, int, int]:
    """``tokenizer`` with the prompt ``yes_no`` around each pair of query and passage; the tokens of the words that may follow.

    The passage comes first, so that the query has read it. What both words begin with, in a tokenizer that cuts them, ends the
    prompt. Raises `ModelError` for a tokenizer that does not know the words, or has no token to pad with.
    """
    from tokenizers import Tokenizer
    from tokenizers.processors import TemplateProcessing

    inner: Any = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    inner.no_padding()
    inner.no_truncation()

    def ids(text: str) -> list[int]:
        return list(inner.encode(text, add_special_tokens=False).ids)

    before, between, after = (ids(piece) for piece in load_prompt("yes_no").around("passage", "query"))
    yes, no = ids(YES), ids(NO)
    while yes and no and yes[0] == no[0]:
        after.append(yes.pop(0))
        no.pop(0)
    pad = tokenizer.pad_token or tokenizer.eos_token or tokenizer.unk_token
    if not yes or not no or tokenizer.unk_token_id in (yes[0], no[0]) or pad is None:
        raise ModelError(
            f"the tokenizer of {Path(str(tokenizer.name_or_path)).name} has no tokens for {YES!r} and {NO!r}, or none to pad with; "
            "take another model"
        )
    first = tokenizer.bos_token_id
    if first is not None and tokenizer("a")["input_ids"][:1] == [first]:
        before.insert(0, first)
    pieces = [
        {"id": name, "ids": some, "tokens": [inner.id_to_token(one) for one in some]}
        for name, some in zip(PIECES, (before, between, after), strict=True)
    ]
    inner.post_processor = TemplateProcessing(
        single="$A", pair=[PIECES[0], "$B", PIECES[1], "$A", PIECES[2]], special_tokens=pieces
    )
    told = {name: getattr(tokenizer, name) for name in ("bos_token", "eos_token", "unk_token") if getattr(tokenizer, name)}
    made = transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token=pad, padding_side="right", model_input_names=["input_ids", "attention_mask"], **told
    )
    return made, yes[0], no[0]


def _word_difference(weights: Path | None, yes: int, no: int) -> Any:
    """What predicts the one token less what predicts the other, float32 (1, width)."""
    assert weights is not None  # `Base` has seen to it
    tensors = Tensors(weights)
    name = next((one for one in ("lm_head.weight", "model.embed_tokens.weight") if one in tensors), "lm_head.weight")
    rows = tensors[name]
    return torch.from_numpy((rows[yes] - rows[no])[None].copy())
