"""The teacher of a static model: a sentence encoder run by onnxruntime (used by ``distil_static.py``)."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CHUNK = 4096
"""Texts encoded between two saves."""


class Teacher:
    """Mean-pooled, normalised sentence vectors of an ONNX encoder with a BERT-type tokenizer.

    ``onnx`` is the model file, ``tokenizer`` its tokenizer.json; ``tokens`` the number of tokens a text is cut to.
    """

    def __init__(self, onnx: Path, tokenizer: Path, tokens: int = 256, threads: int = 1) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        self.tokenizer: Any = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(tokens)
        self.names = {i.name for i in self.session.get_inputs()}

    def encode(self, texts: Sequence[str], batch_tokens: int = 512) -> NDArray[np.float32]:
        """Unit vectors (n, d) of ``texts``: batches of about ``batch_tokens`` tokens, sorted by length."""
        return self.encode_ids([e.ids for e in self.tokenizer.encode_batch(list(texts))], batch_tokens)

    def encode_ids(self, ids: Sequence[Sequence[int]], batch_tokens: int = 512) -> NDArray[np.float32]:
        """The same from token ids, [CLS] and [SEP] included."""
        order = sorted(range(len(ids)), key=lambda i: -len(ids[i]))
        out: NDArray[np.float32] | None = None
        at = 0
        while at < len(order):
            length = len(ids[order[at]])
            rows = order[at : at + max(1, batch_tokens // length)]
            at += len(rows)
            tokens = np.zeros((len(rows), length), np.int64)
            mask = np.zeros((len(rows), length), np.int64)
            for i, row in enumerate(rows):
                tokens[i, : len(ids[row])] = ids[row]
                mask[i, : len(ids[row])] = 1
            feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(tokens)}
            states = self.session.run(None, {k: v for k, v in feed.items() if k in self.names})[0]
            pooled = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            pooled /= np.linalg.norm(pooled, axis=1, keepdims=True)
            if out is None:
                out = np.empty((len(ids), pooled.shape[1]), np.float32)
            out[rows] = pooled
        return np.empty((0, 0), np.float32) if out is None else out


def encode_file(teacher: Teacher, texts: Sequence[str], out: Path) -> None:
    """Encode ``texts`` in chunks of `CHUNK` to ``out/NNNNN.npy`` (float16); chunks that exist are kept, so it resumes."""
    out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    for number, at in enumerate(range(0, len(texts), CHUNK)):
        path = out / f"{number:05d}.npy"
        if path.exists():
            continue
        vectors = teacher.encode(texts[at : at + CHUNK])
        temporary = path.with_suffix(".new")
        with temporary.open("wb") as file:
            np.save(file, vectors.astype(np.float16))
        temporary.rename(path)
        done = min(at + CHUNK, len(texts))
        print(f"{done}/{len(texts)} texts, {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)


def read_vectors(folder: Path) -> NDArray[np.float32]:
    """All chunks of ``folder`` that are there, in order, up to the first one missing."""
    parts = []
    for number, path in enumerate(sorted(folder.glob("*.npy"))):
        if path.name != f"{number:05d}.npy":
            break
        parts.append(np.load(path))
    if not parts:
        sys.exit(f"{folder} holds no vectors; run `distil_static.py encode` on the folder above it first")
    return np.concatenate(parts).astype(np.float32)
