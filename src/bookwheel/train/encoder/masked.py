"""Passages of a library with masks drawn into them, for an encoder lightly and for a decoder heavily."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..._errors import UsageError
from ...library.passage_texts import passage_texts
from ..data.pairs import LONGEST
from ..data.passages import Passages
from ..objectives.masked_autoencoding import NOT_ASKED
from .model import SentenceEncoder

__all__ = ["MaskedBatches", "chosen_to_mask", "rarities"]

COUNTED = 5000
"""Passages, at most, by which it is known how rare a token is."""
AT_ONCE = 64


class MaskedBatches(Sequence[dict[str, Any]]):
    """The batch of each step, made when it is asked for; `MaskedAutoencoding` says what is in it.

    ``shares``: of a text's tokens, those that are masked for the encoder and for the decoder, drawn by ``weights`` (vocabulary,),
    all alike where None. ``neighbour``: the decoder rebuilds the next passage of the same document, or the one before the last.
    """

    def __init__(
        self,
        passages: Passages,
        model: SentenceEncoder,
        prefix: str,
        batch: int,
        steps: int,
        seed: int,
        shares: tuple[float, float],
        *,
        neighbour: bool = False,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        tokenizer: Any = model.inner.tokenizer
        if getattr(tokenizer, "mask_token_id", None) is None:
            raise UsageError(
                "the encoder's tokenizer has no token for a mask, so that it cannot be pre-trained; leave out --pretrain"
            )
        self.mask, self.special = int(tokenizer.mask_token_id), torch.tensor(sorted(tokenizer.all_special_ids))
        self.passages, self.model, self.prefix = passages, model, prefix
        self.batch, self.steps, self.seed, self.shares = min(batch, len(passages)), steps, seed, shares
        self.neighbour, self.weights = neighbour, weights

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: Any) -> Any:
        """Rows by length, so that parts of a batch have little padding."""
        number = step % self.steps
        ids = self.chosen(number)
        draw = np.random.default_rng([self.seed, 31, number])
        read = self.tokens(ids)
        rebuilt = self.tokens(self.neighbours(ids)) if self.neighbour else read
        own, told = read["input_ids"], rebuilt["input_ids"]
        hidden = self._masks(own, read["attention_mask"], self.shares[0], draw)
        asked = self._masks(told, rebuilt["attention_mask"], self.shares[1], draw)
        found = {**read, "input_ids": own.masked_fill(hidden, self.mask)}
        found["left"] = told.masked_fill(asked, self.mask)[:, None]
        found["there"] = rebuilt["attention_mask"][:, None]
        found["wanted"] = told.masked_fill(~asked, NOT_ASKED)[:, None]
        order = torch.argsort(read["attention_mask"].sum(1), stable=True)
        return {name: value[order] for name, value in found.items()}

    def chosen(self, step: int) -> NDArray[np.int64]:
        """The passages of a step: all of them in a random order before one comes again."""
        places: list[int] = []
        while len(places) < self.batch:
            through, place = divmod(step * self.batch + len(places), len(self.passages))
            order = np.random.default_rng([self.seed, 29, through]).permutation(len(self.passages))
            places += order[place : place + self.batch - len(places)].tolist()
        chosen: NDArray[np.int64] = self.passages.ids[np.array(places)]
        return chosen

    def neighbours(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The passage that follows each of ``ids`` in its document, or comes before it, or itself where it is alone."""
        store = self.passages.snapshot.store
        owners = store.documents_of(np.concatenate([ids, ids + 1, ids - 1]).tolist())

        def of(number: int) -> int:
            own = owners[number][0]
            return next((at for at in (number + 1, number - 1) if at in owners and owners[at][0] == own), number)

        return np.array([of(number) for number in ids.tolist()], np.int64)

    def tokens(self, ids: NDArray[np.int64]) -> dict[str, Any]:
        """Of passages, as the encoder reads them."""
        texts = passage_texts(self.passages.snapshot.store, ids.tolist(), LONGEST)
        return self.model.tokenise([self.prefix + text for text in texts])

    def largest(self) -> dict[str, Any]:
        """A batch as large as any: what memory is planned for."""
        one = self.model.tokenise(["a " * self.model.tokens])
        found = {name: value[:1].expand(self.batch, -1) for name, value in one.items()}
        ids = found["input_ids"]
        return found | {"left": ids[:, None], "there": torch.ones_like(ids)[:, None], "wanted": ids[:, None]}

    def _masks(self, ids: Any, mask: Any, share: float, draw: np.random.Generator) -> Any:
        able = mask.bool() & ~torch.isin(ids, self.special)
        return torch.from_numpy(chosen_to_mask(ids.numpy(), able.numpy(), share, draw, self.weights))


def chosen_to_mask(
    ids: NDArray[np.int64],
    able: NDArray[np.bool_],
    share: float,
    draw: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Which tokens of ``ids`` (rows, width) are masked: ``share`` of each row's ``able`` ones, at least one, where ``share`` is above 0.

    Drawn without putting back, by the ``weights`` (vocabulary,) of tokens: those with the largest u^(1/weight) (Efraimidis and Spirakis,
    Weighted Random Sampling with a Reservoir, 2006). With rare tokens more often, as Long et al., "Retrieval Oriented Masking Pre-training
    Language Model for Dense Passage Retrieval" (2022).
    """
    keys = np.log(draw.random(ids.shape)) / (1.0 if weights is None else np.maximum(weights[ids], 1e-6))
    keys[~able] = -np.inf
    counts = able.sum(1)
    wanted = np.minimum(counts, np.maximum(np.rint(share * counts), 1)).astype(int) if share else np.zeros(len(ids), int)
    ranks = np.argsort(np.argsort(-keys, axis=1, kind="stable"), axis=1, kind="stable")
    return ranks < wanted[:, None]


def rarities(batches: MaskedBatches, advance: Callable[[int], None]) -> NDArray[np.float64]:
    """How rare each token of the vocabulary is in passages, by BM25's formula; never 0."""
    size = len(batches.model.inner.tokenizer)
    ids = batches.passages.ids[:COUNTED]
    held = np.zeros(size)
    for start in range(0, len(ids), AT_ONCE):
        found = batches.tokens(ids[start : start + AT_ONCE])
        for row in found["input_ids"].numpy():
            held[np.unique(row)] += 1
        advance(min(AT_ONCE, len(ids) - start))
    return np.log1p((len(ids) - held + 0.5) / (held + 0.5))
