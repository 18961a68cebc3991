"""Runs transformer models on texts with onnxruntime: shared by every encoder and by the cross-encoders.

A text is run alone, without padding, on one core; as many texts run at the same time as there are cores. From some 32 tokens
on that is as fast as a batch (the matrix products are large enough, nothing waits for a neighbour), and a text's result never
depends on what else was encoded with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..options import Options
from ..static.lookup import EXTRA

__all__ = ["OnnxModel", "OnnxSession", "Tokens"]

T = TypeVar("T")
AT_ONCE = 512
"""Texts tokenised at a time: enough to sort by length, little enough to hold."""
TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(float)": np.float32}


@dataclass(frozen=True)
class Tokens:
    """One tokenised text: token numbers, their segments (0, or 1 for the second of a pair) and where they stand.

    ``attended`` is how many tokens, from the first on, the others may look at; None for all.
    """

    ids: Sequence[int]
    types: Sequence[int]
    spans: Sequence[tuple[int, int]] = ()
    attended: int | None = None

    def __len__(self) -> int:
        return len(self.ids)


class OnnxSession:
    """An ONNX model that several threads may run at the same time, each on one core. Raises `ModelError`."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ModelError(f"running {path.parent.name} needs another package; type: {EXTRA}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # Texts come in all lengths: remembering the memory of each would only ever grow.
        options.enable_mem_pattern = False
        # Processors without VNNI add products of 8 bits in 16, which overflow, unless they are asked not to. By 1 - cosine to float32
        # that leaves a third (all-MiniLM-L6-v2) to two thirds (granite-embedding-30m) of the error, for a quarter more time.
        options.add_session_config_entry("session.x64quantprecision", "1")
        if not path.is_file():
            raise ModelError(f"{path} is missing; get the model's files again")
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions have no common base
            raise ModelError(f"{path} is truncated or no ONNX model ({_first_line(error)}); get it again") from error
        self.path = path
        self.inputs: dict[str, Any] = {i.name: TYPES.get(i.type, np.int64) for i in self._session.get_inputs()}
        self.outputs: dict[str, Sequence[Any]] = {o.name: tuple(o.shape) for o in self._session.get_outputs()}

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[np.float32]:
        """The output of that name, as float32."""
        try:
            (value,) = self._session.run([output], dict(feeds))
        except Exception as error:
            raise ModelError(f"{self.path} does not run on this text ({_first_line(error)}); get it again") from error
        result: NDArray[np.float32] = value.astype(np.float32, copy=False)
        return result


class OnnxModel:
    """A tokenizer and a session: texts, or pairs of texts, to one output each.

    ``output`` is the name of the session's output that is wanted; ``max_tokens`` how many tokens of a text count, markers
    included.
    """

    def __init__(self, session: OnnxSession, tokenizer: Any, output: str, max_tokens: int, options: Options) -> None:
        self.session = session
        self.tokenizer = tokenizer
        self.output = output
        self.max_tokens = max_tokens
        self.workers = options.workers
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        self._pool: ThreadPoolExecutor | None = None

    def tokenise(self, texts: Sequence[str] | Sequence[tuple[str, str]]) -> list[Tokens]:
        """The tokens of texts or of pairs, cut to ``max_tokens`` (of a pair the longer text gives way first)."""
        found = self.tokenizer.encode_batch(list(texts), add_special_tokens=True)
        return [Tokens(e.ids, e.type_ids, e.offsets) for e in found]

    def feeds(self, tokens: Tokens) -> dict[str, NDArray[Any]]:
        """What the session takes for one text."""
        ids = np.array([tokens.ids])
        count = len(tokens) if tokens.attended is None else tokens.attended
        known = {
            "input_ids": ids,
            "attention_mask": (np.arange(len(tokens)) < count)[None],
            "token_type_ids": np.array([tokens.types]),
            "attended": np.array([count]),
        }
        missing = [name for name in self.session.inputs if name not in known]
        if missing:
            raise ModelError(
                f"{self.session.path} needs an input {missing[0]!r}, which text encoders do not have; use another model"
            )
        return {name: known[name].astype(kind) for name, kind in self.session.inputs.items()}

    def run(self, tokens: Tokens) -> NDArray[np.float32]:
        """The output for one text, without its batch dimension."""
        value = self.session.run(self.feeds(tokens), self.output)
        row: NDArray[np.float32] = value[0]
        return row

    def each(
        self, tokens: Sequence[Tokens], then: Callable[[NDArray[np.float32], Tokens], T], *, until: float | None = None
    ) -> list[T | None]:
        """``then(output, tokens)`` of every text, in the order given; run longest first, on all cores.

        With ``until`` (a time of `time.monotonic`) they are run in the order given, and the result of those not done by
        then is None.
        """

        def one(number: int) -> T | None:
            if until is not None and time.monotonic() >= until:
                return None
            return then(self.run(tokens[number]), tokens[number])

        order = list(range(len(tokens)))
        if self.workers == 1 or len(order) == 1:
            return [one(number) for number in order]
        if until is None:
            order.sort(key=lambda number: -len(tokens[number]))
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.workers, thread_name_prefix="encode")
        out: list[T | None] = [None] * len(order)
        for number, value in zip(order, self._pool.map(one, order), strict=True):
            out[number] = value
        return out

    def batches(self, texts: Sequence[str], then: Callable[[NDArray[np.float32], Tokens], T]) -> Iterator[tuple[int, list[T]]]:
        """As `each`, of any number of texts: (number of the first, results) of some hundreds at a time."""
        for at in range(0, len(texts), AT_ONCE):
            done = self.each(self.tokenise(texts[at : at + AT_ONCE]), then)
            yield at, [value for value in done if value is not None]

    @property
    def nbytes(self) -> int:
        """Bytes of memory: the weights, and the longest text on each core."""
        return self.session.path.stat().st_size + self.workers * self.max_tokens * TOKEN_BYTES


TOKEN_BYTES = 64_000
"""Memory that one token takes while it goes through a layer, measured with MiniLM at 512 tokens."""


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
