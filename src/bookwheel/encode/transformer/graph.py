"""Builds the ONNX graph of a transformer encoder straight from its weights: neither torch nor an export is needed.

The graph takes texts of equal length only, so it has no attention mask and nothing is ever padded; what onnxruntime runs
slowest was measured and left out (its fused SkipLayerNormalization takes eight times as long as an addition and a
LayerNormalization, its fused attention loses to two matrix products from 256 tokens on).

In int8 the linear layers and the embeddings have one scale an output column; activations are quantised while it runs, with one
scale a text, since texts are run one at a time: a text's vector never depends on its neighbours. Two things keep large values
from spoiling the scale of all others. What goes into a block's first layer is normalised without the norm's gain and shift,
which go into the layer's weights; what goes into its second is divided by each token's largest value, and multiplied again
after. By 1 - cosine to float32, a third (all-MiniLM-L6-v2) or a twenty-fifth (granite-embedding-30m) of the error is left.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..options import Precision
from ..safetensors import Tensors
from .architectures import Architecture, prefix_of
from .onnx_file import MICROSOFT, Graph

__all__ = ["BUILDER", "Head", "build"]

Head = Literal["states", "terms", "summed_terms", "scores"]
"""What comes out: ``states`` (batch, tokens, hidden), ``terms`` (batch, vocabulary: the largest masked-LM logit over the
tokens), ``summed_terms`` (likewise: the sum of log(1 + relu(logit))), or ``scores`` (batch, labels: a cross-encoder's
logits)."""
BUILDER = 2
"""Changes whenever a graph built from the same weights would; kept graphs of other numbers are built again."""


class _Builder:
    def __init__(self, tensors: Tensors, kind: Architecture, precision: Precision) -> None:
        self.graph = Graph()
        self.tensors = tensors
        self.kind = kind
        self.int8 = precision == "int8"
        self.prefix = prefix_of(kind.family, tensors)

    def tensor(self, name: str, shape: tuple[int, ...] | None = None) -> NDArray[np.float32]:
        if name not in self.tensors:
            # Checkpoints of BERT's first years.
            old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            name = old if old in self.tensors else name
        found = self.tensors.shape(name)
        if shape is not None and found != shape:
            raise ModelError(
                f"{self.tensors.path} does not fit its config.json: {name} has shape {found} where {shape} was expected; "
                "get the model's files again"
            )
        return self.tensors[name]

    def norm(self, value: str, name: str) -> str:
        size = (self.kind.hidden,)
        gain, shift = (self.graph.array(self.tensor(f"{name}.{part}", size)) for part in ("weight", "bias"))
        return self.graph.node("LayerNormalization", value, gain, shift, epsilon=self.kind.epsilon, axis=-1)

    def linear(self, value: str, weight: NDArray[np.float32], bias: NDArray[np.float32] | None) -> str:
        """``value`` (…, in) times ``weight`` (out, in), plus ``bias`` (out)."""
        graph = self.graph
        if self.int8:
            rows, scales = quantised(weight)
            zeros = np.zeros(len(scales), np.int8)
            inputs = [value, graph.array(rows.T), graph.array(scales), graph.array(zeros)]
            if bias is not None:
                inputs.append(graph.array(bias))
            return graph.node("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)
        product = graph.node("MatMul", value, graph.array(weight.T))
        return product if bias is None else graph.node("Add", product, graph.array(bias))

    def layer(self, value: str, name: str, outputs: int, inputs: int) -> str:
        weight = self.tensor(f"{name}.weight", (outputs, inputs))
        bias = self.tensor(f"{name}.bias", (outputs,)) if f"{name}.bias" in self.tensors else None
        return self.linear(value, weight, bias)

    def rows(self, name: str, numbers: str, count: int, width: int) -> str:
        """The rows of a table of embeddings that ``numbers`` names."""
        graph, table = self.graph, self.tensor(f"{name}.weight")
        if table.shape != (count, width):
            self.tensor(f"{name}.weight", (count, width))
        if not self.int8:
            return graph.node("Gather", graph.array(table), numbers)
        rows, scales = quantised(table)
        found = graph.node("Cast", graph.node("Gather", graph.array(rows), numbers), to=1)
        return graph.node("Mul", found, graph.node("Gather", graph.array(scales[:, None]), numbers))

    def activation(self, value: str, name: str) -> str:
        if name == "relu":
            return self.graph.node("Relu", value)
        return self.graph.node("Gelu" if name == "gelu" else "FastGelu", value, domain=MICROSOFT)

    def embeddings(self, ids: str, types: str | None) -> str:
        graph, kind, names = self.graph, self.kind, self.kind.family.embeddings
        name = {part: self.prefix + value for part, value in names.items()}
        width = self.tensors.shape(f"{name['word']}.weight")[-1] if "project" in name else kind.hidden
        value = self.rows(name["word"], ids, kind.vocabulary, width)
        positions = self.tensor(f"{name['position']}.weight")[kind.offset : kind.offset + kind.positions]
        if "type" in names:
            table = self.tensor(f"{name['type']}.weight")
            if types is None:
                positions = positions + table[0]
            else:
                value = graph.node("Add", value, graph.node("Gather", graph.array(table), types))
        length = graph.node("Slice", graph.node("Shape", ids), graph.ints(1), graph.ints(2), graph.ints(0))
        here = graph.node("Slice", graph.array(positions), graph.ints(0), length, graph.ints(0))
        value = graph.node("Add", value, here)
        if width == kind.hidden:
            return self.norm(value, name["norm"])
        gain, shift = (graph.array(self.tensor(f"{name['norm']}.{part}", (width,))) for part in ("weight", "bias"))
        value = graph.node("LayerNormalization", value, gain, shift, epsilon=kind.epsilon, axis=-1)
        return self.layer(value, name["project"], kind.hidden, width)

    def bias(self, ids: str) -> str | None:
        """MPNet's attention bias by relative position, (heads, tokens, tokens)."""
        relative = self.kind.family.relative
        if relative is None:
            return None
        graph, most = self.graph, self.kind.positions
        table = self.tensor(self.prefix + relative)
        by_distance = table[relative_buckets(np.arange(-(most - 1), most), len(table))].T
        length = graph.node(
            "Squeeze", graph.node("Slice", graph.node("Shape", ids), graph.ints(1), graph.ints(2), graph.ints(0))
        )
        one = graph.array(np.array(1, np.int64))
        here = graph.node("Range", graph.array(np.array(0, np.int64)), length, one)
        apart = graph.node("Sub", graph.node("Unsqueeze", here, graph.ints(0)), graph.node("Unsqueeze", here, graph.ints(1)))
        where = graph.node("Add", apart, graph.array(np.array(most - 1, np.int64)))
        return graph.node("Gather", graph.array(np.ascontiguousarray(by_distance)), where, axis=1)

    def attention(self, value: str, name: dict[str, str], bias: str | None, attended: str | None) -> str:
        graph, kind = self.graph, self.kind
        size, each = kind.hidden, kind.hidden // kind.heads
        weights, biases = [], []
        for part in ("query", "key", "value"):
            # The scale of the products goes into the query's weights: one operation less.
            scale = np.float32(each**-0.5 if part == "query" else 1)
            weights.append(self.tensor(f"{name[part]}.weight", (size, size)) * scale)
            biases.append(self.tensor(f"{name[part]}.bias", (size,)) * scale)
        together = self.linear(value, np.concatenate(weights), np.concatenate(biases))
        heads = graph.node("Reshape", together, graph.ints(0, 0, 3, kind.heads, each))
        queries, keys, values = graph.nodes("Split", 3, heads, graph.ints(1, 1, 1), axis=2)
        queries, keys, values = (graph.node("Squeeze", part, graph.ints(2)) for part in (queries, keys, values))
        if attended is not None:
            # Tokens that nobody may look at are left out of keys and values: the same as a mask, and less to compute.
            keys, values = (graph.node("Slice", part, graph.ints(0), attended, graph.ints(1)) for part in (keys, values))
        queries, values = (graph.node("Transpose", part, perm=[0, 2, 1, 3]) for part in (queries, values))
        products = graph.node("MatMul", queries, graph.node("Transpose", keys, perm=[0, 2, 3, 1]))
        if bias is not None:
            if attended is not None:
                bias = graph.node("Slice", bias, graph.ints(0), attended, graph.ints(2))
            products = graph.node("Add", products, bias)
        mixed = graph.node("MatMul", graph.node("Softmax", products, axis=-1), values)
        return graph.node("Reshape", graph.node("Transpose", mixed, perm=[0, 2, 1, 3]), graph.ints(0, 0, size))

    def states(self, ids: str, types: str | None, attended: str | None) -> str:
        kind = self.kind
        value, bias = self.embeddings(ids, types), self.bias(ids)
        for number in range(kind.layers):
            before = self.prefix + kind.family.layer.format(number)
            name = {part: before + own for part, own in kind.family.parts.items()}
            mixed = self.layer(self.attention(value, name, bias, attended), name["out"], kind.hidden, kind.hidden)
            value = self.block(self.graph.node("Add", value, mixed), name)
        return value

    def block(self, unnormed: str, name: dict[str, str]) -> str:
        """The feed-forward part of a layer, with the norms before and after it."""
        graph, kind = self.graph, self.kind
        value = self.norm(unnormed, name["attention_norm"])
        if not self.int8:
            inner = self.activation(self.layer(value, name["up"], kind.inner, kind.hidden), kind.activation)
            product = self.layer(inner, name["down"], kind.hidden, kind.inner)
            return self.norm(graph.node("Add", value, product), name["norm"])
        gain, shift = (self.tensor(f"{name['attention_norm']}.{part}", (kind.hidden,)) for part in ("weight", "bias"))
        up = self.tensor(f"{name['up']}.weight", (kind.inner, kind.hidden))
        ones, zeros = graph.array(np.ones_like(gain)), graph.array(np.zeros_like(gain))
        plain = graph.node("LayerNormalization", unnormed, ones, zeros, epsilon=kind.epsilon, axis=-1)
        bias = self.tensor(f"{name['up']}.bias", (kind.inner,)) + up @ shift
        inner = self.activation(self.linear(plain, up * gain, bias), kind.activation)
        # No activation goes below -0.17, so a token's largest value is also its largest absolute one, or nearly.
        largest = graph.node("Max", graph.node("ReduceMax", inner, axes=[-1], keepdims=1), graph.number(0.17))
        down = self.tensor(f"{name['down']}.weight", (kind.hidden, kind.inner))
        product = graph.node("Mul", self.linear(graph.node("Div", inner, largest), down, None), largest)
        product = graph.node("Add", product, graph.array(self.tensor(f"{name['down']}.bias", (kind.hidden,))))
        return self.norm(graph.node("Add", value, product), name["norm"])

    def head_name(self, part: str) -> str:
        name = self.kind.family.heads.get(part)
        if name is None:
            raise ModelError(f"a {self.kind.kind} model has no such output; take a model of another kind")
        return name

    def terms(self, states: str, summed: bool) -> str:
        kind, graph = self.kind, self.graph
        dense, decoder = self.head_name("mlm_dense"), self.head_name("mlm_decoder")
        value = self.activation(self.layer(states, dense, kind.hidden, kind.hidden), kind.activation)
        value = self.norm(value, self.head_name("mlm_norm"))
        # Usually tied: the output layer's weights are the word embeddings.
        tied = self.prefix + kind.family.embeddings["word"]
        name = f"{decoder}.weight" if f"{decoder}.weight" in self.tensors else f"{tied}.weight"
        bias = self.head_name("mlm_bias")
        bias = bias if bias in self.tensors else f"{decoder}.bias"
        weight = self.tensor(name, (kind.vocabulary, kind.hidden))
        shift = graph.array(self.tensor(bias, (kind.vocabulary,))) if bias in self.tensors else graph.number(0)
        logits = self.linear(value, weight, None)
        if summed:
            positive = graph.node("Relu", graph.node("Add", logits, shift))
            saturated = graph.node("Log", graph.node("Add", positive, graph.number(1)))
            return graph.node("ReduceSum", saturated, graph.ints(1), keepdims=0)
        # A bias by term can be added after the largest value over the tokens is taken: less to write.
        return graph.node("Add", graph.node("ReduceMax", logits, axes=[1], keepdims=0), shift)

    def scores(self, states: str) -> str:
        graph, kind = self.graph, self.kind
        first = graph.node("Gather", states, graph.array(np.array(0, np.int64)), axis=1)
        dense, out = self.head_name("class_dense"), self.head_name("class_out")
        value = self.layer(first, dense, kind.hidden, kind.hidden)
        if kind.kind == "distilbert":
            value = graph.node("Relu", value)
        elif kind.kind == "electra":
            value = graph.node("Gelu", value, domain=MICROSOFT)
        else:
            value = graph.node("Tanh", value)
        weight = self.tensor(f"{out}.weight")
        product = graph.node("MatMul", value, graph.array(weight.T))
        return graph.node("Add", product, graph.array(self.tensor(f"{out}.bias", (len(weight),))))


def build(
    tensors: Tensors, kind: Architecture, precision: Precision, head: Head, *, types: bool = False, attended: bool = False
) -> Graph:
    """The graph of that model: input ``input_ids`` int32 (batch, tokens), and ``token_type_ids`` likewise with ``types``.

    With ``attended`` it has an input of that name, int64 (1,): only the first so many tokens are looked at by the others. Its
    output is named as the head; see `Head`. Raises `ModelError` where the weights do not fit the configuration.
    """
    builder = _Builder(tensors, kind, precision)
    graph = builder.graph
    ids = graph.input("input_ids", "int32", ["batch", "tokens"])
    second = graph.input("token_type_ids", "int32", ["batch", "tokens"]) if types and "type" in kind.family.embeddings else None
    value = builder.states(ids, second, graph.input("attended", "int64", [1]) if attended else None)
    shape: list[int | str] = ["batch", "tokens", kind.hidden]
    if head == "scores":
        value, shape = builder.scores(value), ["batch", "labels"]
    elif head != "states":
        value, shape = builder.terms(value, head == "summed_terms"), ["batch", kind.vocabulary]
    graph.output(value, head, "float32", shape)
    return graph


def quantised(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """``weight`` in 8 bits with one scale a row: int8 of its shape, float32 (rows,)."""
    largest: NDArray[Any] = np.maximum(weight.max(1), -weight.min(1))
    scales = np.where(largest > 0, largest / np.float32(127), np.float32(1)).astype(np.float32)
    return np.rint(weight / scales[:, None]).astype(np.int8), scales


def relative_buckets(distance: NDArray[np.int64], buckets: int, furthest: int = 128) -> NDArray[np.int64]:
    """T5's buckets of (key position - query position), as MPNet uses them: exact when near, logarithmic up to ``furthest``.

    Keys after the query have the upper half of the buckets. Source: ``MPNetEncoder.relative_position_bucket`` of transformers.
    """
    half = buckets // 2
    away = np.abs(distance)
    exact = half // 2
    with np.errstate(divide="ignore"):
        far = exact + (np.log(away.astype(np.float32) / exact) / np.log(furthest / exact) * (half - exact)).astype(np.int64)
    bucket = np.where(away < exact, away, np.minimum(np.where(away < exact, 0, far), half - 1))
    return np.where(distance > 0, bucket + half, bucket)
