"""A causal language model with one output over its last token, run by torch in the place of an ONNX session.

That is how Ma et al. rerank, "Fine-Tuning LLaMA for Multi-Stage Text Retrieval" (SIGIR 2024, RankLLaMA). The folder is as transformers
has it (``LlamaForSequenceClassification`` and the like). The prompt around a pair is in its tokenizer: what ``tokenizer.json`` adds to
a pair of texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..options import Options
from ..static.lookup import read_tokenizer
from .layout import Layout
from .runner import OnnxModel, OnnxSession

__all__ = ["CAUSAL", "INSTALL", "ROOM", "fast_bfloat16", "open_causal", "prompt_tokens"]

CAUSAL = ("llama", "mistral", "qwen2", "qwen3", "smollm3")
"""Types of models, as config.json has them, that transformers gives a head over the last token alone."""
INSTALL = "pip install 'bookwheel[language]'"
ROOM = 4
"""Times the prompt's tokens, that a model must read at least: half is for a query, and a quarter is left for the passage."""


class _TorchSession(OnnxSession):
    """Texts one at a time, on torch's threads."""

    def __init__(self, layout: Layout, options: Options) -> None:
        try:
            import torch
            import transformers
        except ImportError as error:
            raise ModelError(
                f"{layout.whole} holds a language model of type {layout.config.get('model_type')!r}, and to score passages with it "
                f"{error.name} is needed, which is not installed; type: {INSTALL}"
            ) from None
        transformers.utils.logging.disable_progress_bar()
        small = options.precision != "fp32" and fast_bfloat16(torch)
        try:
            # No pickle of weights is read, and no code that comes with a model is run.
            self._model: Any = transformers.AutoModelForSequenceClassification.from_pretrained(
                str(layout.folder),
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.bfloat16 if small else torch.float32,
            ).eval()
        except Exception as error:  # transformers raises a dozen kinds for a folder it cannot read
            problem = " ".join(str(error).split())[:200]
            raise ModelError(f"{layout.whole} cannot be loaded as a cross-encoder by transformers ({problem})") from error
        self.path: Path = layout.weights or layout.folder
        self.inputs = {"input_ids": np.int64}
        self.outputs = {"scores": ("texts", int(self._model.config.num_labels))}

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[np.float32]:
        """The outputs over the last token of each row, float32 (rows, outputs)."""
        import torch

        with torch.inference_mode():
            hidden = self._model.get_decoder()(torch.from_numpy(feeds["input_ids"]), use_cache=False).last_hidden_state[:, -1]
            found = self._model.score(hidden).float()
        return np.asarray(found.numpy(), np.float32)


def open_causal(layout: Layout, options: Options) -> OnnxModel:
    """The model of a folder, as `open_scorer` gives it: in bfloat16 where the processor multiplies in it, else, and for ``fp32``, in
    float32. Raises `ModelError` where torch or transformers is not installed, or the folder is damaged.
    """
    tokenizer = read_tokenizer(layout.folder / "tokenizer.json")
    positions = layout.config.get("max_position_embeddings")
    limit = min(n for n in (options.max_tokens, layout.max_tokens, positions, 1 << 15) if isinstance(n, int) and n > 0)
    if ROOM * prompt_tokens(tokenizer) > limit:
        raise ModelError(
            f"{layout.whole} reads {limit} tokens, and its prompt takes {prompt_tokens(tokenizer)} of them; get its files again"
        )
    return OnnxModel(_TorchSession(layout, options), tokenizer, "scores", limit, replace(options, threads=1))


def prompt_tokens(tokenizer: Any) -> int:
    """What ``tokenizer``, of the package tokenizers, adds to a pair of texts."""
    return int(tokenizer.num_special_tokens_to_add(True))


def fast_bfloat16(torch: Any) -> bool:
    """Whether this processor has instructions that multiply bfloat16."""
    capabilities = torch.backends.cpu.get_cpu_capability()
    if "AVX512" not in capabilities and "SVE" not in capabilities:
        return False
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(errors="replace") if cpuinfo.is_file() else ""
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))
