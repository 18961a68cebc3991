"""What the transformer encoders of the hub call their arrays and settings, brought to one set of names.

Sources: ``modeling_bert``, ``modeling_roberta``, ``modeling_xlm_roberta``, ``modeling_electra``, ``modeling_distilbert`` and
``modeling_mpnet`` of transformers. An architecture is one entry of `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..._errors import ModelError
from ..safetensors import Tensors

__all__ = ["FAMILIES", "Architecture", "Family", "architecture", "prefix_of"]


@dataclass(frozen=True)
class Family:
    """Names of one kind of encoder; ``{}`` in ``layer`` is the layer's number.

    ``parts`` maps bookwheel's names to the family's, below the layer; ``heads`` its arrays outside of the layers;
    ``settings`` the names that its config.json uses for BERT's.
    """

    prefix: str
    layer: str
    parts: Mapping[str, str]
    embeddings: Mapping[str, str]
    heads: Mapping[str, str]
    settings: Mapping[str, str]
    offset: bool = False
    """Whether positions are counted from the padding token's number plus one."""
    relative: str | None = None
    """The array of relative position biases, by bucket and head."""


_BERT_PARTS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "output.LayerNorm",
}
_EMBEDDINGS = {
    "word": "embeddings.word_embeddings",
    "position": "embeddings.position_embeddings",
    "type": "embeddings.token_type_embeddings",
    "norm": "embeddings.LayerNorm",
}
_ROBERTA_HEADS = {
    "mlm_dense": "lm_head.dense",
    "mlm_norm": "lm_head.layer_norm",
    "mlm_bias": "lm_head.bias",
    "mlm_decoder": "lm_head.decoder",
    "class_dense": "classifier.dense",
    "class_out": "classifier.out_proj",
}
FAMILIES: dict[str, Family] = {
    "bert": Family(
        "bert.",
        "encoder.layer.{}.",
        _BERT_PARTS,
        _EMBEDDINGS,
        {
            "mlm_dense": "cls.predictions.transform.dense",
            "mlm_norm": "cls.predictions.transform.LayerNorm",
            "mlm_bias": "cls.predictions.bias",
            "mlm_decoder": "cls.predictions.decoder",
            "class_dense": "bert.pooler.dense",
            "class_out": "classifier",
        },
        {},
    ),
    "roberta": Family("roberta.", "encoder.layer.{}.", _BERT_PARTS, _EMBEDDINGS, _ROBERTA_HEADS, {}, offset=True),
    "electra": Family(
        "electra.",
        "encoder.layer.{}.",
        _BERT_PARTS,
        {**_EMBEDDINGS, "project": "embeddings_project"},
        {"class_dense": "classifier.dense", "class_out": "classifier.out_proj"},
        {},
    ),
    "distilbert": Family(
        "distilbert.",
        "transformer.layer.{}.",
        {
            "query": "attention.q_lin",
            "key": "attention.k_lin",
            "value": "attention.v_lin",
            "out": "attention.out_lin",
            "attention_norm": "sa_layer_norm",
            "up": "ffn.lin1",
            "down": "ffn.lin2",
            "norm": "output_layer_norm",
        },
        {name: _EMBEDDINGS[name] for name in ("word", "position", "norm")},
        {
            "mlm_dense": "vocab_transform",
            "mlm_norm": "vocab_layer_norm",
            "mlm_bias": "vocab_projector.bias",
            "mlm_decoder": "vocab_projector",
            "class_dense": "pre_classifier",
            "class_out": "classifier",
        },
        {
            "hidden_size": "dim",
            "num_hidden_layers": "n_layers",
            "num_attention_heads": "n_heads",
            "intermediate_size": "hidden_dim",
            "hidden_act": "activation",
        },
    ),
    "mpnet": Family(
        "mpnet.",
        "encoder.layer.{}.",
        {
            "query": "attention.attn.q",
            "key": "attention.attn.k",
            "value": "attention.attn.v",
            "out": "attention.attn.o",
            "attention_norm": "attention.LayerNorm",
            "up": "intermediate.dense",
            "down": "output.dense",
            "norm": "output.LayerNorm",
        },
        {name: _EMBEDDINGS[name] for name in ("word", "position", "norm")},
        _ROBERTA_HEADS,
        {},
        offset=True,
        relative="encoder.relative_attention_bias.weight",
    ),
}
for _same in ("xlm-roberta", "camembert"):
    FAMILIES[_same] = FAMILIES["roberta"]


@dataclass(frozen=True)
class Architecture:
    """One model: its family's names and its own sizes."""

    family: Family
    kind: str
    hidden: int
    layers: int
    heads: int
    inner: int
    activation: str
    epsilon: float
    vocabulary: int
    positions: int
    """Tokens that a text may have, markers included."""
    offset: int
    """The row of the position table for a text's first token."""


def architecture(config: Mapping[str, Any], where: object) -> Architecture | None:
    """What ``config`` (a config.json) describes; None where no graph can be built for it here. Raises `ModelError`."""
    kind = str(config.get("model_type"))
    family = FAMILIES.get(kind)
    if family is None or config.get("position_embedding_type", "absolute") != "absolute" or config.get("is_decoder"):
        return None

    def setting(name: str, default: Any = None) -> Any:
        value = config.get(family.settings.get(name, name), config.get(name, default))
        if value is None:
            raise ModelError(f"{where} lacks {name!r}; get the model's files again")
        return value

    activation = str(setting("hidden_act", "gelu"))
    if activation not in ACTIVATIONS:
        return None
    offset = int(config.get("pad_token_id") or 0) + 1 if family.offset else 0
    try:
        return Architecture(
            family,
            kind,
            hidden=int(setting("hidden_size")),
            layers=int(setting("num_hidden_layers")),
            heads=int(setting("num_attention_heads")),
            inner=int(setting("intermediate_size")),
            activation=activation,
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            vocabulary=int(setting("vocab_size")),
            positions=int(setting("max_position_embeddings")) - offset,
            offset=offset,
        )
    except (TypeError, ValueError) as error:
        raise ModelError(f"{where} has a setting that is no number ({error}); get the model's files again") from error


ACTIVATIONS = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "relu")
"""What config.json may say between the two layers of a block."""


def prefix_of(family: Family, tensors: Tensors) -> str:
    """What stands before the encoder's arrays: nothing where it was saved alone, the family's name where with a head."""
    name = family.embeddings["word"] + ".weight"
    if name in tensors:
        return ""
    found = [other.removesuffix(name) for other in tensors if other.endswith("." + name)]
    return family.prefix if not found or family.prefix in found else found[0]
