"""Small encoders that tests fill representations with: real vectors, fast, and unlike the built-in ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bookwheel.encode.load import load_encoder
from bookwheel.encode.protocols import SparseVectors, TokenVectors
from bookwheel.library.passage_texts import passage_texts


class Rotated:
    """The built-in vectors in other coordinates, with a little noise: what another model of the same family might give."""

    def __init__(self, seed: int = 1, dimension: int = 48, noise: float = 0.1) -> None:
        self.name, self.revision, self.dimension = f"rotated{seed}", "1", dimension
        self.sha256 = hashlib.sha256(f"{seed} {dimension} {noise}".encode()).hexdigest()
        self.inner = load_encoder("static")
        self.seed, self.noise = seed, noise
        self.map = np.random.default_rng(seed).standard_normal((self.inner.dimension, dimension))
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded += texts
        rows = self.inner.encode(texts) @ self.map
        for row, text in zip(rows, texts, strict=True):
            seed = int.from_bytes(hashlib.blake2b(f"{self.seed} {text}".encode(), digest_size=8).digest())
            row += (
                self.noise * np.linalg.norm(row) / self.dimension**0.5 * np.random.default_rng(seed).standard_normal(len(row))
            )
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


class Words:
    """One vector a word, with where the word stands: the shape of a token encoder, made of the built-in model."""

    name, revision, sha256 = "words", "1", hashlib.sha256(b"words").hexdigest()

    def __init__(self) -> None:
        self.inner = load_encoder("static")
        self.dimension = self.inner.dimension

    def encode(self, texts: Sequence[str]) -> TokenVectors:
        counts, words, spans = [0], [], []
        for text in texts:
            found = [(match[0], match.span()) for match in re.finditer(r"\w+", text)]
            words += [word for word, _ in found]
            spans += [span for _, span in found]
            counts.append(len(words))
        vectors = self.inner.encode(words) if words else np.zeros((0, self.dimension), np.float32)
        return TokenVectors(np.array(counts, np.int64), vectors, np.array(spans, np.int32).reshape(-1, 2))

    encode_queries = encode


class Weighted:
    """A word's weight by how often it comes and by its letters, and a second term for it: the shape of a learned sparse encoder."""

    name, revision, sha256 = "weighted", "1", hashlib.sha256(b"weighted").hexdigest()

    def __init__(self) -> None:
        self.vocabulary = [*(f"w{n}" for n in range(4000)), *(f"##{n}" for n in range(40))]
        self.encoded: list[str] = []

    def terms(self, text: str) -> dict[int, float]:
        out: dict[int, float] = {}
        for word in re.findall(r"\w+", text.lower()):
            number = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest())
            term = number % 4000
            out[term] = out.get(term, 0.0) + 0.1 + number % 97 / 97
            out[4000 + number % 40] = max(out.get(4000 + number % 40, 0.0), number % 31 / 31)
        return {term: float(np.float32(np.log1p(weight))) for term, weight in out.items() if weight > 0}

    def encode(self, texts: Sequence[str]) -> SparseVectors:
        self.encoded += texts
        return self._encode(texts)

    def encode_queries(self, texts: Sequence[str]) -> SparseVectors:
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> SparseVectors:
        counts, terms, weights = [0], [], []
        for text in texts:
            found = sorted(self.terms(text).items())
            terms += [term for term, _ in found]
            weights += [weight for _, weight in found]
            counts.append(len(terms))
        return SparseVectors(np.array(counts, np.int64), np.array(terms, np.int32), np.array(weights, np.float32))


def texts_of(library: Any, ids: np.ndarray) -> list[str]:
    """The passages' texts as encoders get them."""
    return passage_texts(library._snapshot.store, ids.tolist())
