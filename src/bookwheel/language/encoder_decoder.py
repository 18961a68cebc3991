"""An encoder-decoder language model of transformers that runs in this process, on the CPU: T5, BART, mT5 and their like.

The encoder reads a text once, in both directions; the decoder writes, token by token, and looks at it. Raffel et al., "Exploring the
Limits of Transfer Learning with a Unified Text-to-Text Transformer" (JMLR 2020, T5); Lewis et al., "BART" (ACL 2020). docTTTTTquery
(Nogueira and Lin, 2019) is such a model, and writes the queries of a passage that is its whole prompt.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .decoding import decoded, log_softmax
from .forward import cache_argument
from .loaded import LoadedModel
from .protocols import OneByOne, Reply, stopped
from .sampling import Rows

__all__ = ["EncoderDecoderModel"]

UNLIMITED = 1 << 20
"""Tokens that a model without a limit of its own is taken to read."""


class EncoderDecoderModel(LoadedModel, OneByOne):
    """A model and its tokenizer; `bookwheel.language.language_model` makes one.

    It is a `Generator`, `Streamer`, `Sampler` and `Scorer`. It shows no attention over passages, and keeps nothing of a prompt for the
    next: the encoder's states of a text depend on all of it. ``context`` is what the encoder reads, in tokens: its positions, or what
    the tokenizer says it was trained on, whichever is less; an answer takes nothing of it. Of the presets that such models come with
    (beams, penalties, least lengths), only the tokens that an answer begins and ends with are used. One thread at a time runs it;
    others wait. Raises `ModelError` for a model that does not say which token its decoder begins with.
    """

    def __init__(self, name: str, model: Any, tokenizer: Any, *, precision: str = "float32") -> None:
        super().__init__(name, model, tokenizer, precision=precision)
        presets = (model.generation_config, model.config)
        begin = _token(presets, "decoder_start_token_id", "bos_token_id")
        if begin is None:
            raise ModelError(
                f"the language model {name!r} does not say which token its decoder begins with; set decoder_start_token_id in its "
                "config.json"
            )
        forced = _token(presets, "forced_bos_token_id")
        self._begin = [begin] if forced is None else [begin, forced]
        said = tokenizer.model_max_length  # a number beyond all texts where it was not set
        self.context = min(_positions(model.config, "encoder"), said if said and said < UNLIMITED else UNLIMITED)
        self._longest = _positions(model.config, "decoder") - len(self._begin)

    # -- writing -------------------------------------------------------------------------------------------------------

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
        """See `Streamer.stream`. The encoder runs once."""
        told = reply or Reply()
        with self._lock:
            ids = self._chat(system, prompt)
            self._room(len(ids), max_tokens)
            stopped("", stop)
            told.prompt_tokens = len(ids)
            reading = self._read(ids)

            def step(last: int | None) -> tuple[int, float]:
                logits = reading.next([self._begin if last is None else [last]])[0]
                token = int(logits.argmax())
                return token, float(log_softmax(logits)[token]) if told.probabilities else 0.0

            ends = self._ends().__contains__
            yield from decoded(step, self._text, ends, most=max_tokens, stop=stop, deadline=deadline, reply=told)

    def _rows(self, ids: list[int], count: int) -> Rows:
        """See `LoadedModel`."""
        reading = self._read(ids)

        def step(last: Sequence[int] | None) -> NDArray[np.float32]:
            if last is not None:
                return reading.next([[token] for token in last])
            many: NDArray[np.float32] = np.repeat(reading.next([self._begin]), count, 0)
            reading.repeat(count)
            return many

        return step

    def chat_text(self, prompt: str, system: str = "") -> str:
        """What the encoder reads: the model's chat template filled in, where it has one, otherwise the texts as they are."""
        tokenizer = self._open_tokenizer()
        plain = f"{system}\n\n{prompt}" if system else prompt
        if not tokenizer.chat_template:
            return plain
        user = [{"role": "user", "content": prompt}]
        given = {"tokenize": False, "add_generation_prompt": True}
        try:
            text: str = tokenizer.apply_chat_template(
                [{"role": "system", "content": system}, *user] if system else user, **given
            )
        except Exception:  # a template without a system role
            text = tokenizer.apply_chat_template([{"role": "user", "content": plain}], **given)
        return text

    def _chat(self, system: str, prompt: str) -> list[int]:
        text = self.chat_text(prompt, system)
        return self.tokens(text) if self._open_tokenizer().chat_template else self._source(text)

    def _source(self, text: str) -> list[int]:
        """The tokens of ``text`` with those that an encoder expects around a text, such as T5's end."""
        return list(self._open_tokenizer()(text)["input_ids"])

    def _room(self, prompt: int, answer: int) -> None:
        if not prompt:
            raise ModelError(f"{self.name!r} needs something to read; give it a prompt of one word or more")
        if prompt > self.context:
            raise ModelError(
                f"a prompt of {prompt} tokens exceeds the context of {self.name!r}, {self.context} tokens; give fewer or shorter "
                "passages"
            )
        if answer > self._longest:
            raise ModelError(
                f"an answer of {answer} tokens exceeds what {self.name!r} can write, {self._longest} tokens; allow fewer"
            )

    # -- probabilities -------------------------------------------------------------------------------------------------

    def log_likelihoods(
        self, contexts: Sequence[str], continuations: Sequence[str], *, deadline: float | None = None
    ) -> list[NDArray[np.float32] | None]:
        """See `Scorer.log_likelihoods`: the encoder reads the context, and the decoder would write the continuation.

        The tokens that end a text are read after a context, and not counted after a continuation. Of equal contexts that follow each
        other the encoder reads one.
        """
        befores = [self._source(context) for context in contexts]
        afters = [self.tokens(text) for text in continuations]
        for before, after in zip(befores, afters, strict=True):
            if not before:
                raise ModelError("the likelihood of a text needs a context; give every text a context of one word or more")
            self._room(len(before), len(after))
        found: list[NDArray[np.float32] | None] = [None] * len(befores)
        last, reading = None, None
        with self._lock:
            for at, (before, after) in enumerate(zip(befores, afters, strict=True)):
                new = 0 if before == last else len(before)
                if not self._in_time(new + len(after), deadline):
                    break
                if not after:
                    found[at] = np.zeros(0, np.float32)
                    continue
                if reading is None or new:
                    last, reading = before, self._read(before)
                began = time.perf_counter()
                rows = log_softmax(reading.all([*self._begin, *after[:-1]])[len(self._begin) - 1 :])
                found[at] = rows[np.arange(len(after)), after]
                self._took(time.perf_counter() - began, len(after))
        return found

    def cut(self, text: str, tokens: int) -> str:
        """``text``, or what its first ``tokens`` tokens say where it has more."""
        ids = self.tokens(text)
        return text if len(ids) <= tokens else self._text(ids[:tokens]).rstrip("\ufffd")

    def _read(self, ids: list[int]) -> _Reading:
        began = time.perf_counter()
        reading = _Reading(self._open_model(), ids)
        self._took(time.perf_counter() - began, len(ids))
        return reading


class _Reading:
    """A text that the encoder has read, and what the decoder has written to it so far."""

    def __init__(self, model: Any, ids: list[int]) -> None:
        import torch

        self._model = model
        self._named = cache_argument(model)
        self._cache: Any = None
        self._mask = torch.ones(1, len(ids), dtype=torch.long)
        with torch.inference_mode():
            self._states = model.get_encoder()(input_ids=torch.tensor([ids]), attention_mask=self._mask).last_hidden_state

    def next(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The logits of the token after each of ``rows``, which go on from those before: float32 (rows, vocabulary)."""
        out = self._run(rows, use_cache=True, **({} if self._cache is None else {self._named: self._cache}))
        self._cache = out[self._named]
        return np.asarray(out.logits[:, -1].float().numpy(), np.float32)

    def all(self, row: Sequence[int]) -> NDArray[np.float32]:
        """The logits of the token after each token of ``row``, which begins anew: float32 (tokens, vocabulary)."""
        return np.asarray(self._run([row], use_cache=False).logits[0].float().numpy(), np.float32)

    def repeat(self, count: int) -> None:
        """Go on in ``count`` ways."""
        self._mask = self._mask.expand(count, -1)
        self._states = self._states.expand(count, -1, -1)
        if count > 1:
            self._cache.batch_repeat_interleave(count)

    def _run(self, rows: Sequence[Sequence[int]], **more: Any) -> Any:
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        states = BaseModelOutput(last_hidden_state=self._states)
        with torch.inference_mode():
            return self._model(encoder_outputs=states, attention_mask=self._mask, decoder_input_ids=torch.tensor(rows), **more)


def _token(presets: Sequence[Any], *names: str) -> int | None:
    """The first of ``names`` that one of ``presets`` has a token for."""
    for name in names:
        for one in presets:
            value = getattr(one, name, None)
            if isinstance(value, int):
                return value
    return None


def _positions(config: Any, side: str) -> int:
    """Tokens that ``side``, encoder or decoder, has positions for; `UNLIMITED` where they are relative."""
    own = getattr(config, side, None) or config  # a model made of two has a config of each
    own = getattr(own, "text_config", None) or own
    names = [f"max_{side}_position_embeddings", "max_position_embeddings"]
    if side == "encoder":
        names.append("n_positions")  # of T5, whose positions are relative: what it was trained on
    return min((value for name in names if isinstance(value := getattr(own, name, None), int) and value > 0), default=UNLIMITED)
