"""A causal language model of transformers that runs in this process, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .attention_weights import recording
from .decoding import Step, decoded, log_softmax, mixed, shares
from .forward import ForwardModel, cache_argument
from .key_values import Block, moved
from .protocols import OneByOne, Reply, stopped

__all__ = ["LocalModel"]

BATCH = 4
"""Texts read at once. More gain nothing on a few cores, and the deadline is checked between
batches.
"""

SHARED = 32
"""Tokens that two prompts must begin with alike for the second to go on from the first."""


class LocalModel(ForwardModel, OneByOne):
    """A model and its tokenizer; `bookwheel.language.language_model` makes one.

    One thread at a time runs it; others wait. ``cache`` has the blocks that it read last
    (`blocks`), at most 256 MiB of them.
    """

    _moves: bool | None = None
    """Whether its blocks can be moved to other positions; None until that was tried."""

    # -- answers -------------------------------------------------------------------------------------------------------

    def _chat(self, system: str, prompt: str) -> list[int]:
        tokenizer = self._open_tokenizer()
        if not tokenizer.chat_template:
            return self.tokens(f"{system}\n\n{prompt}\n" if system else f"{prompt}\n")
        messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": prompt}]
        return self.tokens(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))

    def stream(
        self,
        prompt: str,
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Streamer.stream`. What the prompt and the last one begin with alike is not read again."""
        with self._lock:
            yield from self._pieces(self._chat(system, prompt), max_tokens, stop, deadline, reply or Reply())

    def ensemble(
        self,
        prompts: Sequence[str],
        weights: Sequence[float],
        *,
        system: str = "",
        max_tokens: int = 128,
        stop: Sequence[str] = (),
        deadline: float | None = None,
        reply: Reply | None = None,
    ) -> Iterator[str]:
        """See `Ensemble.ensemble`."""
        from transformers import DynamicCache

        parts = shares(weights, len(prompts))
        told = reply or Reply()
        with self._lock:
            rows = [self._chat(system, prompt) for prompt in prompts]
            self._room(max(map(len, rows)), max_tokens)
            told.prompt_tokens = sum(map(len, rows))
            caches = [DynamicCache() for _ in rows]

            def step(last: int | None) -> tuple[int, float]:
                pairs = zip(rows, caches, strict=True)
                return mixed([log_softmax(self._next(ids if last is None else [last], cache)) for ids, cache in pairs], parts)

            yield from self._decoded(step, max_tokens, stop, deadline, told)

    def _pieces(self, ids: list[int], most: int, stop: Sequence[str], deadline: float | None, reply: Reply) -> Iterator[str]:
        """The pieces of the answer to ``ids``. What was read of the prompt is kept for the next one."""
        self._room(len(ids), most)
        stopped("", stop)
        reply.prompt_tokens = len(ids)
        cache, known = self._kept_for(ids)

        def step(last: int | None) -> tuple[int, float]:
            logits = self._next(ids[known:] if last is None else [last], cache)
            token = int(logits.argmax())
            return token, float(log_softmax(logits)[token]) if reply.probabilities else 0.0

        yield from self._decoded(step, most, stop, deadline, reply)
        self._kept = (ids, cache)

    def _decoded(self, step: Step, most: int, stop: Sequence[str], deadline: float | None, reply: Reply) -> Iterator[str]:
        def text(answer: Sequence[int]) -> str | None:
            made: str = self._tokenizer.decode(answer, skip_special_tokens=True)
            return made

        return decoded(step, text, self._ends().__contains__, most=most, stop=stop, deadline=deadline, reply=reply)

    def _next(self, ids: list[int], cache: Any) -> NDArray[np.float32]:
        """The logits of the next token after ``ids``, which are read behind what ``cache`` has: float32 (vocabulary,)."""
        import torch

        model = self._open_model()
        with torch.inference_mode():
            out = model(torch.tensor([ids]), use_cache=True, logits_to_keep=1, **{cache_argument(model): cache})
        return np.asarray(out.logits[0, -1].float().numpy(), np.float32)

    def _room(self, prompt: int, answer: int) -> None:
        if prompt + answer > self.context:
            raise ModelError(
                f"a prompt of {prompt} tokens and an answer of {answer} exceed the context of {self.name!r}, {self.context} "
                "tokens; give fewer or shorter passages"
            )

    def _kept_for(self, ids: list[int]) -> tuple[Any, int]:
        """A cache with the tokens that ``ids`` and the last prompt begin with alike, and their number."""
        from transformers import DynamicCache

        held, self._kept = self._kept, None  # the pieces of an answer that is given up leave nothing behind
        if held is not None:
            before, cache = held
            shared = _common([before, ids], min(len(before), len(ids) - 1))
            extra = cache.get_seq_length() - shared
            if shared >= SHARED and extra > 0:
                try:
                    cache.crop(-extra)
                except (ValueError, RuntimeError, TypeError):  # a kind of cache that cannot be cropped
                    return DynamicCache(), 0
                if cache.get_seq_length() == shared:
                    return cache, shared
        return DynamicCache(), 0

    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id if self._model.generation_config else None
        found = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
        if self._tokenizer.eos_token_id is not None:
            found.add(self._tokenizer.eos_token_id)
        return found

    # -- probabilities -------------------------------------------------------------------------------------------------

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """See `Scorer.log_likelihoods`. The beginning that all contexts share is read once.

        Context and continuation are tokenised separately, so that a continuation has the same
        tokens after every context.
        """
        befores = [self.tokens(context) for context in contexts]
        afters = [self.tokens(text) for text in continuations]
        if any(not before for before in befores):
            raise ModelError("the likelihood of a text needs a context; give every text a context of one word or more")
        self._fits(max((len(a) + len(b) for a, b in zip(befores, afters, strict=True)), default=0))
        # The last token of a context is always read again: the first token of the continuation is
        # predicted from it.
        shared = _common(befores, min((len(before) for before in befores), default=1) - 1)
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


def _common(lists: Sequence[Sequence[int]], most: int) -> int:
    """The number of first items that all lists share, at most ``most``; 0 for a single list."""
    if len(lists) < 2:
        return 0
    count = 0
    while count < most and all(one[count] == lists[0][count] for one in lists):
        count += 1
    return count


def _batches(count: int) -> list[range]:
    return [range(at, min(at + BATCH, count)) for at in range(0, count, BATCH)]
