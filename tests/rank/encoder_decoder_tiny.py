"""T5 and BART of two layers with random weights, and the tokenizer of bytes with an end behind what an encoder reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from language_tiny import tiny_tokenizer

BEGIN, PAD, END = 257, 258, 259
"""``<b>``, ``<pad>`` and ``<end>`` of the tokenizer."""


def plain_tokenizer() -> Any:
    """As T5's: no chat template, and the end behind a text."""
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    tokenizer.backend_tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="$A <end>", special_tokens=[("<end>", END)]
    )
    return tokenizer


def tiny_t5(seed: int = 0, **changes: Any) -> Any:
    """As transformers has it, float32. Its decoder begins with ``<pad>``; its positions are relative.

    Of most seeds it repeats one token; of the first one here it does not.
    """
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(12 + seed)
    settings = {
        "vocab_size": 260, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "initializer_factor": 4.0,
        "decoder_start_token_id": PAD, "pad_token_id": PAD, "eos_token_id": END,
    }  # fmt: skip
    return transformers.T5ForConditionalGeneration(transformers.T5Config(**{**settings, **changes})).eval()


def tiny_bart(seed: int = 0, **changes: Any) -> Any:
    """Its decoder begins with ``<end>``, after which ``<b>`` is forced, as BART's; it has 256 positions."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(seed)
    settings = {
        "vocab_size": 260, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
        "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 256,
        "init_std": 0.1, "tie_word_embeddings": False, "bos_token_id": BEGIN, "pad_token_id": PAD, "eos_token_id": END, "decoder_start_token_id": END,
    }  # fmt: skip
    model = transformers.BartForConditionalGeneration(transformers.BartConfig(**{**settings, **changes})).eval()
    model.generation_config.forced_bos_token_id = BEGIN
    model.generation_config.forced_eos_token_id = None
    return model


MAKERS = {"t5": tiny_t5, "bart": tiny_bart}


def tiny_encoder_decoder(kind: str, seed: int = 0, **changes: Any) -> Any:
    """The same as an `EncoderDecoderModel`."""
    model = MAKERS[kind](seed, **changes)
    from bookwheel.language.encoder_decoder import EncoderDecoderModel

    return EncoderDecoderModel(kind, model, plain_tokenizer())


def saved_encoder_decoder(folder: Path, kind: str = "t5", seed: int = 0) -> Path:
    """The same as a transformers folder."""
    MAKERS[kind](seed).save_pretrained(folder)
    plain_tokenizer().save_pretrained(folder)
    return folder
