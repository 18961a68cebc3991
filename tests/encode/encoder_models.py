"""Small transformer models with random weights in the layouts of the hub, and BERT's mathematics in plain numpy."""

from __future__ import annotations

import json
import math
import string
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 64, 40
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]"]
# fmt: off
WORDS = ["the", "of", "red", "green", "blue", "sea", "sky", "stone", "river", "bird", "sings", "flows", "falls", "over",
         "under", "near", "far", "is", "was"]
# fmt: on
VOCABULARY = [*SPECIAL, *string.punctuation, *WORDS, *string.ascii_lowercase, *(f"##{c}" for c in string.ascii_lowercase)]
TEXTS = [
    "the red bird sings",
    "a river flows over the stone.",
    "sky",
    "",
    "the blue sea is far, far under the green stone; the bird was near the river and falls over " * 3,
    "xylophone?!",
]


def write_tokenizer(folder: Path, vocabulary: list[str] = VOCABULARY) -> None:
    """A lower-casing WordPiece tokenizer with BERT's markers."""
    import tokenizers

    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", numbers["[CLS]"]), ("[SEP]", numbers["[SEP]"])],
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "model_max_length": POSITIONS, "do_lower_case": True})
    )
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in vocabulary))


def bert_weights(seed: int = 0, *, prefix: str = "", mlm: bool = False, labels: int = 0) -> dict[str, NDArray[np.float32]]:
    """Random weights under BERT's names."""
    rng = np.random.default_rng(seed)
    count = len(VOCABULARY)

    def draw(*shape: int, scale: float = 0.3) -> NDArray[np.float32]:
        return (rng.standard_normal(shape) * scale).astype(np.float32)

    out: dict[str, NDArray[np.float32]] = {
        "embeddings.word_embeddings.weight": draw(count, HIDDEN),
        "embeddings.position_embeddings.weight": draw(POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": draw(2, HIDDEN),
    }

    def norm(name: str) -> None:
        out[f"{name}.weight"] = 1 + draw(HIDDEN)
        out[f"{name}.bias"] = draw(HIDDEN)

    def linear(name: str, outputs: int, inputs: int) -> None:
        out[f"{name}.weight"] = draw(outputs, inputs)
        out[f"{name}.bias"] = draw(outputs)

    norm("embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        for part in ("query", "key", "value"):
            linear(f"{layer}.attention.self.{part}", HIDDEN, HIDDEN)
        linear(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
        norm(f"{layer}.attention.output.LayerNorm")
        linear(f"{layer}.intermediate.dense", INNER, HIDDEN)
        linear(f"{layer}.output.dense", HIDDEN, INNER)
        norm(f"{layer}.output.LayerNorm")
    if labels:
        linear("pooler.dense", HIDDEN, HIDDEN)
    out = {prefix + name: array for name, array in out.items()}
    if mlm:
        linear("cls.predictions.transform.dense", HIDDEN, HIDDEN)
        norm("cls.predictions.transform.LayerNorm")
        out["cls.predictions.bias"] = draw(count)
    if labels:
        linear("classifier", labels, HIDDEN)
    return out


def write_bert(folder: Path, weights: dict[str, NDArray[np.float32]], **config: Any) -> Path:
    """A transformers folder: config.json, model.safetensors and the tokenizer."""
    from safetensors.numpy import save_file

    write_tokenizer(folder)
    about = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(VOCABULARY),
        "hidden_size": HIDDEN,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "intermediate_size": INNER,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2,
        "pad_token_id": 0,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(about))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_modules(folder: Path, *steps: tuple[str, str, dict[str, Any]]) -> None:
    """modules.json with a Transformer and ``steps``: (type, path, its config.json)."""
    listed = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
    for number, (kind, path, config) in enumerate(steps, 1):
        listed.append({"idx": number, "name": str(number), "path": path, "type": kind})
        (folder / path).mkdir(exist_ok=True)
        (folder / path / "config.json").write_text(json.dumps(config))
    (folder / "modules.json").write_text(json.dumps(listed))


def _norm(x: NDArray[Any], w: dict[str, NDArray[np.float32]], name: str) -> NDArray[Any]:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
    return np.asarray(scaled * w[f"{name}.weight"] + w[f"{name}.bias"])


def _linear(x: NDArray[Any], w: dict[str, NDArray[np.float32]], name: str) -> NDArray[Any]:
    return np.asarray(x @ w[f"{name}.weight"].T.astype(np.float64) + w[f"{name}.bias"])


def gelu(x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2))))


def bert_states(
    w: dict[str, NDArray[np.float32]], ids: list[int], types: list[int] | None = None, attended: int | None = None
) -> NDArray[Any]:
    """BERT's last states (tokens, hidden) in float64: what its paper says, nothing fused."""
    word, position, kind = (w[f"embeddings.{n}_embeddings.weight"] for n in ("word", "position", "token_type"))
    x = word[ids].astype(np.float64) + position[: len(ids)] + kind[types or [0] * len(ids)]
    x = _norm(x, w, "embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        q, k, v = (_linear(x, w, f"{layer}.attention.self.{n}").reshape(len(ids), HEADS, -1) for n in ("query", "key", "value"))
        logits = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(HIDDEN // HEADS)
        logits[:, :, attended if attended is not None else len(ids) :] = -np.inf
        share = np.exp(logits - logits.max(-1, keepdims=True))
        share /= share.sum(-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", share, v).reshape(len(ids), HIDDEN)
        x = _norm(x + _linear(mixed, w, f"{layer}.attention.output.dense"), w, f"{layer}.attention.output.LayerNorm")
        inner = _linear(gelu(_linear(x, w, f"{layer}.intermediate.dense")), w, f"{layer}.output.dense")
        x = _norm(x + inner, w, f"{layer}.output.LayerNorm")
    return x


def mlm_logits(w: dict[str, NDArray[np.float32]], states: NDArray[Any]) -> NDArray[Any]:
    """The masked-LM head with tied embeddings: (tokens, vocabulary)."""
    x = _norm(gelu(_linear(states, w, "cls.predictions.transform.dense")), w, "cls.predictions.transform.LayerNorm")
    return np.asarray(x @ w["embeddings.word_embeddings.weight"].T.astype(np.float64) + w["cls.predictions.bias"])


def tokens_of(folder: Path, text: str, limit: int = POSITIONS) -> list[int]:
    """The token numbers of a text, markers included."""
    import tokenizers

    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(limit)
    ids: list[int] = tokenizer.encode(text).ids
    return ids
