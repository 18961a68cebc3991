"""A cross-encoder: a transformer that reads query and passage together and gives one score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError, UsageError
from .options import Options
from .transformer.open import open_scorer
from .transformer.runner import OnnxModel, Tokens

__all__ = ["AGGREGATIONS", "CrossEncoder"]

AGGREGATIONS = ("first", "max", "sum", "mean")
OVERLAP = 32
"""Tokens shared by neighbouring windows of a long passage."""
POSITIVE = ("relevant", "entailment", "true", "yes", "positive")
"""Labels that mark a relevant passage, for models with several outputs."""


class CrossEncoder:
    """A model in the layout of sentence-transformers' CrossEncoder, run by onnxruntime (Nogueira
    and Cho, 2019, monoBERT).

    ``folder`` has config.json, tokenizer.json and model.safetensors, or an ONNX file;
    ``options.precision`` is int8 unless set. A passage longer than the model reads is cut into at
    most ``windows`` overlapping windows, each read with the query. Its score is that of the
    ``first``, or the ``max``, ``sum`` or ``mean`` of all (``long``; Dai and Callan, "Deeper Text
    Understanding for IR with Contextual Neural Language Modeling", SIGIR 2019: FirstP, MaxP, SumP).
    ``label`` is the output that is the score, for a model with several. Raises `ModelError`.
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
            raise UsageError(f"long must be one of {', '.join(AGGREGATIONS)}, not {long!r}")
        if windows < 1:
            raise UsageError(f"windows must be 1 or more, not {windows}")
        path = Path(folder).expanduser()
        if not path.is_dir():
            raise ModelError(f"there is no cross-encoder in {path}; give its folder (config.json, tokenizer.json, weights)")
        self._model: OnnxModel
        self._model, layout = open_scorer(path, options)
        self.name = str(folder)
        self._long = long
        self._windows = 1 if long == "first" else windows
        outputs = self._model.session.outputs[self._model.output]
        self.labels = outputs[-1] if len(outputs) == 2 and isinstance(outputs[-1], int) else _label_count(layout.config)
        self._label = _positive(layout.config, self.labels, label, path)

    def score(self, query: str, texts: Sequence[str], *, deadline: float | None = None) -> list[float | None]:
        """A score for each text, higher is better; None for those not done by ``deadline`` (of
        ``time.monotonic()``).

        Scores are the model's raw outputs: an activation such as a sigmoid would not change their
        order, only make the best ones equal. Without a deadline the longest texts are run first, on
        all cores; with one, the first texts.
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
            elif (scores := found[number]) is not None:
                scores.append(self._score(value))
        return [None if scores is None else _aggregate(scores, self._long) for scores in found]

    def pair_scores(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """A score for each pair of texts, in the order given; of a pair that is too long, the longer text is cut."""
        values = self._model.each(self._pairs(pairs), lambda output, _: np.atleast_1d(output))
        return [self._score(value) for value in values if value is not None]

    def _pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Tokens]:
        self._model.tokenizer.enable_truncation(self._model.max_tokens)
        return self._model.tokenise(pairs)

    def _cut(self, query: str, texts: Sequence[str]) -> list[list[Tokens]]:
        """The windows of each text, with the query before each."""
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
        """The logit of a model with one output; of several, the log-odds of the chosen one."""
        if len(output) == 1:
            return float(output[0])
        others = np.delete(output.astype(np.float64), self._label)
        top = float(others.max())
        return float(output[self._label]) - top - math.log(float(np.exp(others - top).sum()))


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
    raise ModelError(f"the model in {folder} has {count} outputs ({', '.join(names)}); choose the score with label=NUMBER")


def _aggregate(scores: Sequence[float], how: str) -> float:
    if how == "max":
        return max(scores)
    if how == "sum":
        return math.fsum(scores)
    if how == "mean":
        return math.fsum(scores) / len(scores)
    return scores[0]
