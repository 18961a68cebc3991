"""A two-layer Llama with random weights and a tokenizer of bytes: enough to prove the mathematics, small enough to make in a
test.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def tiny_model(seed: int = 0, layers: int = 2, **changes: Any) -> Any:
    """As transformers has it, float32, eager attention."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(seed)
    settings = {
        "vocab_size": 260,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 4096,
        "initializer_range": 0.4,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": 259,
        "pad_token_id": 258,
    }
    config = transformers.LlamaConfig(**{**settings, **changes}, attn_implementation="eager")
    return transformers.LlamaForCausalLM(config).eval()


def tiny_tokenizer() -> Any:
    """A token a byte; with a chat template of its own."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    inner = tokenizers.Tokenizer(tokenizers.models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    inner.add_special_tokens(["<a>", "<b>", "<pad>", "<end>"])
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", pad_token="<pad>")
    tokenizer.chat_template = (
        "{% for m in messages %}<a>{{ m['role'] }}: {{ m['content'] }}<b>{% endfor %}"
        "{% if add_generation_prompt %}<a>{% endif %}"
    )
    return tokenizer


def tiny_language_model(seed: int = 0, **changes: Any) -> Any:
    """The same as a `LocalModel`."""
    model = tiny_model(seed, **changes)
    from bookwheel.language.local import LocalModel

    return LocalModel("tiny", model, tiny_tokenizer())


def saved(folder: Path, seed: int = 0) -> Path:
    """The same as a transformers folder."""
    tiny_model(seed).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder
