"""Reranking by a cross-encoder: a transformer that reads query and passage together and gives one number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError, UsageError
from ...encode.options import Options
from ...encode.transformer.layout import read_json
from ...encode.transformer.open import open_scorer
from ...encode.transformer.runner import OnnxModel, Tokens
from .base import Reranked

__all__ = ["AGGREGATIONS", "CrossEncoder"]

AGGREGATIONS = ("first", "max", "sum", "mean")
OVERLAP = 32
"""Tokens that neighbouring windows of a long passage share."""
POSITIVE = ("relevant", "entailment", "true", "yes", "positive")
"""Labels that say that a passage answers, of models with several."""


class CrossEncoder:
    """A model in the layout of sentence-transformers' CrossEncoder, run by onnxruntime (Nogueira and Cho, 2019, monoBERT).

    ``folder`` holds config.json, tokenizer.json and model.safetensors, or an ONNX file; ``options.precision`` is int8 unless
    set. A passage longer than the model reads is cut into windows that overlap, at most ``windows`` of them, each read with the
    query, and its score is that of the ``first``, their ``max``, ``sum`` or ``mean`` (Dai and Callan, "Deeper Text
    Understanding for IR with Contextual Neural Language Modeling", SIGIR 2019: FirstP, MaxP, SumP; the plainer kin of PARADE,
    Li et al. 2020). ``label`` says which output is the score, where the model has several. Raises `ModelError`.
    """

    def __init__(
        self,
        folder: str | Path,
        options: Options | None = None,
        *,
        long: str = "max",
        windows: int = 4,
        label: int | None = None,
    ) -> None:
        if long not in AGGREGATIONS:
            raise UsageError(f"a long passage's score is its windows' {', '.join(AGGREGATIONS)}, not {long!r}")
        if windows < 1:
            raise UsageError(f"a passage has 1 window or more, not {windows}")
        path = Path(folder).expanduser()
        if not path.is_dir():
            raise ModelError(
                f"there is no cross-encoder in {path}; give the folder of one (config.json, tokenizer.json, weights)"
            )
        self._model: OnnxModel
        self._model, layout = open_scorer(path, options)
        self.name = str(folder)
        self._long = long
        self._windows = 1 if long == "first" else windows
        outputs = self._model.session.outputs[self._model.output]
        self.labels = outputs[-1] if len(outputs) == 2 and isinstance(outputs[-1], int) else _label_count(layout.config)
        self._label = _positive(layout.config, self.labels, label, path)
        self._sigmoid = self._squashed(path, layout.config)

    def rerank(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> Reranked:
        """The model's raw outputs (logits): a sigmoid would not change their order, only make the best ones equal.

        Without a deadline the longest are run first, on all cores; with one the best candidates.
        """
        pieces: list[Tokens] = []
        owner: list[int] = []
        for number, windows in enumerate(self._cut(query, texts)):
            pieces += windows
            owner += [number] * len(windows)
        values = self._model.each(pieces, lambda output, _: np.atleast_1d(output), until=deadline)
        found: list[list[float] | None] = [[] for _ in texts]
        for number, value in zip(owner, values, strict=True):
            if value is None:
                found[number] = None
            elif (kept := found[number]) is not None:
                kept.append(self._score(value))
        return Reranked.of([None if scores is None else _aggregate(scores, self._long) for scores in found])

    def predict(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """As sentence-transformers' ``predict``: each pair cut to what the model reads, its activation applied.

        float32 (n,) of a model with one output, else (n, labels).
        """
        values = self._model.each(self._pairs(pairs), lambda output, _: np.atleast_1d(output))
        logits = np.array(values, np.float32).reshape(len(pairs), self.labels)
        scores = (1 / (1 + np.exp(-logits.astype(np.float64)))).astype(np.float32) if self._sigmoid else logits
        return scores[:, 0] if self.labels == 1 else scores

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Tokens]:
        self._model.tokenizer.enable_truncation(self._model.max_tokens)
        return self._model.tokenise(pairs)

    def _cut(self, query: str, texts: Sequence[str]) -> list[list[Tokens]]:
        """Each text's windows, with the query before each."""
        tokenizer = self._model.tokenizer
        most = self._model.max_tokens
        tokenizer.no_truncation()
        asked = tokenizer.encode(query, add_special_tokens=False)
        if len(asked.ids) > most // 2:  # a whole document as the query
            query = query[: asked.offsets[most // 2 - 1][1]]
        if self._windows == 1:
            return [[tokens] for tokens in self._pairs([(query, text) for text in texts])]
        tokenizer.enable_truncation(most, stride=min(OVERLAP, most // 8), strategy="only_second")
        found = []
        for encoding in tokenizer.encode_batch([(query, text) for text in texts]):
            parts = [encoding, *encoding.overflowing][: self._windows]
            found.append([Tokens(part.ids, part.type_ids, part.offsets) for part in parts])
        return found

    def _score(self, output: NDArray[np.float32]) -> float:
        """The logit of a model with one output; of several, how far the chosen one lies above the rest (its log-odds)."""
        if len(output) == 1:
            return float(output[0])
        others = np.delete(output.astype(np.float64), self._label)
        top = float(others.max())
        return float(output[self._label]) - top - math.log(float(np.exp(others - top).sum()))

    def _squashed(self, folder: Path, config: Mapping[str, Any]) -> bool:
        """Whether sentence-transformers applies a sigmoid: as the settings say, else for models with one output."""
        overall = folder / "config_sentence_transformers.json"
        settings = [read_json(overall)] if overall.is_file() else []
        settings += [config.get("sentence_transformers") or {}, config]
        for one in settings:
            for key in ("activation_fn", "activation_fct", "sbert_ce_default_activation_function"):
                named = one.get(key) if isinstance(one, dict) else None
                if isinstance(named, str):
                    kind = named.rsplit(".", 1)[-1]
                    if kind not in ("Sigmoid", "Identity"):
                        raise ModelError(f"{folder} applies {kind} to its scores; bookwheel knows Sigmoid and Identity")
                    return kind == "Sigmoid"
        return self.labels == 1


def _label_count(config: Mapping[str, Any]) -> int:
    labels = config.get("id2label")
    return len(labels) if isinstance(labels, dict) and labels else int(config.get("num_labels", 1))


def _positive(config: Mapping[str, Any], count: int, label: int | None, folder: Path) -> int:
    if label is not None:
        if not 0 <= label < count:
            raise UsageError(f"the model in {folder} has outputs 0 to {count - 1}, not {label}")
        return label
    if count == 1:
        return 0
    names = {str(name).lower(): int(number) for number, name in (config.get("id2label") or {}).items()}
    for name in POSITIVE:
        if name in names:
            return names[name]
    if count == 2:
        return 1
    raise ModelError(
        f"the model in {folder} has {count} outputs ({', '.join(names)}); say which is the score with label=NUMBER"
    )


def _aggregate(scores: Sequence[float], how: str) -> float:
    if how == "max":
        return max(scores)
    if how == "sum":
        return math.fsum(scores)
    if how == "mean":
        return math.fsum(scores) / len(scores)
    return scores[0]
