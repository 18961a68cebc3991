"""A causal language model of transformers that runs in this process, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .attention_weights import recording
from .key_values import Block, moved
from .writing import WritingModel, common

__all__ = ["LocalModel"]

BATCH = 4
"""Texts read at once. More gain nothing on a few cores, and the deadline is checked between
batches.
"""


class LocalModel(WritingModel):
    """A model and its tokenizer; `bookwheel.language.language_model` makes one.

    One thread at a time runs it; others wait. ``cache`` has the blocks that it read last
    (`blocks`), at most 256 MiB of them.
    """

    _moves: bool | None = None
    """Whether its blocks can be moved to other positions; None until that was tried."""

    # -- probabilities -------------------------------------------------------------------------------------------------

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """See `Scorer.log_likelihoods`. The beginning that all contexts share is read once.

        Context and continuation are tokenised separately, so that a continuation has the same
        tokens after every context.
        """
        self._whole()
        befores = [self.tokens(context) for context in contexts]
        afters = [self.tokens(text) for text in continuations]
        if any(not before for before in befores):
            raise ModelError("the likelihood of a text needs a context; give every text a context of one word or more")
        self._fits(max((len(a) + len(b) for a, b in zip(befores, afters, strict=True)), default=0))
        # The last token of a context is always read again: the first token of the continuation is
        # predicted from it.
        shared = common(befores, min((len(before) for before in befores), default=1) - 1)
        found: list[NDArray[np.float32] | None] = [None] * len(befores)
        with self._lock:
            head = self._read([[]], [befores[0][:shared]])[1][0] if shared else None
            past = [head] if head is not None else []
            for batch in _batches(len(befores)):
                new = [befores[i][shared:] + afters[i][:-1] if afters[i] else [] for i in batch]
                if not self._in_time(sum(map(len, new)), deadline):
                    break
                hidden, _ = self._read([past for _ in batch], new)
                for row, i in enumerate(batch):
                    found[i] = self._predicted(hidden[row], len(befores[i]) - shared, afters[i])
        return found

    def block_likelihoods(
        self, prefix: Block, blocks: Sequence[Block], suffix: str, continuation: str, *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """`log_likelihoods` of ``continuation`` after ``prefix``, each block and ``suffix``.

        Only ``suffix`` and ``continuation`` are read.
        """
        self._whole()
        between, after = self.tokens(suffix), self.tokens(continuation)
        if not between:
            raise ModelError("the text between block and continuation must not be empty")
        new = between + after[:-1]
        self._fits(max((block.end for block in blocks), default=0) + len(new))
        found: list[NDArray[np.float32] | None] = [None] * len(blocks)
        if not after:
            return [np.zeros(0, np.float32) for _ in blocks]
        with self._lock:
            for batch in _batches(len(blocks)):
                if not self._in_time(len(new) * len(batch), deadline):
                    break
                hidden, _ = self._read([[prefix, blocks[i]] for i in batch], [new] * len(batch))
                for row, i in enumerate(batch):
                    found[i] = self._predicted(hidden[row], len(between), after)
        return found

    def _predicted(self, hidden: Any, first: int, after: list[int]) -> NDArray[np.float32]:
        """The log-probabilities of the tokens ``after``, float32 (tokens,).

        The first of them is predicted from row ``first - 1`` of ``hidden``.
        """
        import torch

        if not after:
            return np.zeros(0, np.float32)
        with torch.inference_mode():
            logits = self._model.get_output_embeddings()(hidden[first - 1 : first - 1 + len(after)]).float()
            chosen = logits.log_softmax(-1).gather(-1, torch.tensor(after)[:, None])
        return np.asarray(chosen[:, 0].numpy(), np.float32)

    # -- blocks --------------------------------------------------------------------------------------------------------

    def blocks(
        self,
        prefix: str,
        texts: Sequence[str],
        *,
        max_tokens: int = 256,
        layers: int | None = None,
        deadline: float | None = None,
    ) -> tuple[Block, list[Block | None]]:
        """``prefix`` as a block, and one block per text, each read after the prefix alone.

        Texts are cut to ``max_tokens`` tokens; blocks that were read before come from ``cache``.
        ``layers``: the number of first layers to run, all for None; fewer are enough for the
        `attention` of heads in them. A text for which there is no time has None. Raises
        `ModelError` for an empty prefix: without a first token that all share, the first token of
        every block would attract attention.
        """
        ids = [self.tokens(text)[:max_tokens] or self.tokens(" ") for text in texts]
        head = self.tokens(prefix)
        if not head:
            raise ModelError("the prefix before the blocks must not be empty")
        self._fits(len(head) + max(map(len, ids), default=0))
        found: list[Block | None] = [None] * len(ids)
        with self._lock:
            first = self.cache.get((prefix, layers))
            if first is None:
                first = self._read([[]], [head], layers=layers)[1][0]
                self.cache.put((prefix, layers), first)
            todo = []
            for i, one in enumerate(ids):
                found[i] = self.cache.get((prefix, layers, tuple(one)))
                if found[i] is None:
                    todo.append(i)
            for batch in _batches(len(todo)):
                rows = [todo[n] for n in batch]
                if not self._in_time(sum(len(ids[i]) for i in rows), deadline):
                    break
                for i, block in zip(
                    rows, self._read([[first]] * len(rows), [ids[i] for i in rows], layers=layers)[1], strict=True
                ):
                    found[i] = block
                    self.cache.put((prefix, layers, tuple(ids[i])), block)
        return first, found

    def sequence(self, parts: Sequence[str], *, max_tokens: int = 256) -> list[Block]:
        """One block per part, all ``parts`` read as one text, each after those before it.

        Each part is cut to ``max_tokens`` tokens.
        """
        ids = [self.tokens(part)[:max_tokens] for part in parts]
        self._fits(sum(map(len, ids)))
        with self._lock:
            whole = self._read([[]], [[token for one in ids for token in one]])[1][0]
        out, at = [], 0
        for one in ids:
            piece = slice(at, at + len(one))
            out.append(Block(whole.keys[:, :, piece], whole.values[:, :, piece], at))
            at += len(one)
        return out

    def attention(
        self,
        blocks: Sequence[Block],
        suffix: str,
        query: str,
        *,
        heads: Sequence[tuple[int, int]] | None = None,
        move: bool = False,
    ) -> list[NDArray[np.float32]]:
        """The attention of the tokens of ``query``, read after ``blocks`` and ``suffix``.

        Returns for each block the attention to its tokens, averaged over the query's tokens:
        float32 (heads, tokens). ``heads``: pairs (layer, head); all for None, layer by layer.
        ``move``: move the blocks one behind the other first; otherwise they keep their positions,
        which may be the same. Raises `ModelError` for a model whose blocks cannot be moved.
        """
        import torch

        if move:
            blocks = self._consecutive(blocks)
        asked, between = self.tokens(query), self.tokens(suffix)
        new = between + asked
        if not asked:
            raise ModelError("the query must not be empty; give it one word or more")
        last = max((block.end for block in blocks), default=0)
        self._fits(last + len(new))
        total = sum(map(len, blocks))
        chosen = [(layer, head) for layer in range(self.layers) for head in range(self.heads)] if heads is None else list(heads)
        at: dict[int, list[tuple[int, int]]] = {}
        for row, (layer, head) in enumerate(chosen):
            if not (0 <= layer < self.layers and 0 <= head < self.heads):
                raise ModelError(
                    f"{self.name!r} has no head {head} in layer {layer}: it has {self.layers} layers of {self.heads}"
                )
            at.setdefault(layer, []).append((row, head))
        weights = np.zeros((len(chosen), total), np.float32)

        def read(layer: int, found: Any) -> None:
            for row, head in at.get(layer, ()):
                weights[row] = found[0, head, len(between) :, :total].mean(0).numpy()

        with self._lock, recording(read):
            self._read(
                [list(blocks)],
                [new],
                places=torch.arange(last, last + len(new))[None],
                keep=False,
                layers=max(at, default=0) + 1,
            )
        ends = np.cumsum([len(block) for block in blocks])
        return np.split(weights, ends[:-1], axis=1)

    def _consecutive(self, blocks: Sequence[Block]) -> list[Block]:
        import torch

        rotary = getattr(self._open_model().get_decoder(), "rotary_emb", None)
        with self._lock, torch.inference_mode():
            if self._moves is None:
                self._moves = rotary is not None and self._movable(rotary)
            if not self._moves:
                raise ModelError(f"the positions of {self.name!r} cannot be moved; use move=False")
            out: list[Block] = []
            for block in blocks:
                out.append(moved(block, out[-1].end if out else block.start, rotary))
            return out

    def _movable(self, rotary: Any) -> bool:
        """Whether moving a block gives the keys that reading it there gives, tried on a few tokens."""
        import torch

        ids = self.tokens("one two three four")
        here = self._read([[]], [ids])[1][0]
        there = self._read([[]], [ids], places=torch.arange(11, 11 + len(ids))[None])[1][0]
        try:
            there_too = moved(here, 11, rotary).keys.float()
        except (RuntimeError, TypeError, IndexError):
            return False
        return float((there_too - there.keys).norm() / there.keys.float().norm()) < 0.05


def _batches(count: int) -> list[range]:
    return [range(at, min(at + BATCH, count)) for at in range(0, count, BATCH)]
