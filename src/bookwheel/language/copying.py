"""Copying decode: the next token is the model's own, or one that its attention points to in a source text of the prompt.

A pointer-generator without training (Sun et al., “LargePiG: Your Large Language Model is Secretly a Pointer Generator”, 2024). Each
next token has the probability ``(1 - p) * own + p * pointed``. ``own``: the model's distribution. ``pointed``: the attention of the last
layer, averaged over its heads, from the current token to the tokens of the source. ``p``: by the largest Jensen-Shannon divergence
between the distribution of the last layer and those of high layers (early exit): what the last layers change is taken for content rather
than form, and content is to be the source's.

In part: the paper's idea as its authors' program has it (github.com/Jeryi-Sun/LargePiG), where the pointer is normalised over the source,
special tokens are left out, ``p`` is at most a half, and the most probable token is taken. Otherwise: the divergence is in bits, 0 to 1,
and ``p`` half of it, where the program takes a mean over the vocabulary of the reversed divergences, times a factor that is set for each
collection, and cuts it off at a half; high layers are read through the model's last norm and its head, the program reads them through the
head alone; their numbers follow from the depth (`high_layers`), where the authors list them for each model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._errors import ModelError
from .attention_weights import recording
from .decoding import Step, log_softmax
from .forward import cache_argument
from .protocols import Copier, OneByOne, Reply

__all__ = [
    "CopyingFrom",
    "copy_probability",
    "copying_step",
    "divergence",
    "high_layers",
    "mixture",
    "pointed",
    "source_tokens",
]

Floats = NDArray[np.float64]

MOST = 0.5
"""The probability that a token is copied where the layers share nothing. The largest in the authors' program, too."""
BELOW = (2, 4, 6)
"""How far below the last of 32 layers the high ones are; the authors' first example has layers 26, 28 and 30."""
_NORMS = ("norm", "final_layernorm", "final_layer_norm", "ln_f", "final_norm")
"""What models call the norm after their last layer."""
_DIFFERENT = 0.05
"""Of the largest logit: so much may the logits of the head by itself and of the whole model differ, by rounding."""


# -- the mixture ---------------------------------------------------------------------------------------------------------


def divergence(first: Floats, second: Floats) -> Floats:
    """The Jensen-Shannon divergence in bits, 0 to 1, of distributions (…, vocabulary) along their last axis: float64 (…)."""
    middle = (first + second) / 2

    def relative(one: Floats) -> Floats:
        parts = np.divide(one, middle, out=np.ones_like(middle), where=(one > 0) & (middle > 0))
        return np.asarray((one * np.log2(parts)).sum(-1), np.float64)

    return np.clip((relative(first) + relative(second)) / 2, 0.0, 1.0)


def copy_probability(last: Floats, high: Floats) -> float:
    """The probability that the next token is copied: the largest `divergence` of a high layer from the last one, times `MOST`.

    ``last``: the distribution of the last layer, (vocabulary,); ``high``: of high layers, (layers, vocabulary). 0 without high layers.
    """
    if not len(high):
        return 0.0
    return MOST * float(divergence(high, last[None, :]).max())


def pointed(attention: Floats, tokens: Sequence[int], size: int) -> Floats:
    """The distribution over ``size`` tokens that ``attention`` to the source points to: float64 (size,).

    ``attention``: 0 or more each, (source tokens,), of any sum; ``tokens``: their ids. A token that is in the source several times gets
    the sum. All zeros where there is no attention to the source at all.
    """
    found = np.zeros(size, np.float64)
    np.add.at(found, np.asarray(tokens, np.int64), attention)
    total = float(found.sum())
    return found / total if total > 0 else found


def mixture(own: Floats, pointer: Floats, copied: float) -> Floats:
    """``(1 - copied) * own + copied * pointer``, float64 (vocabulary,); ``own`` where the pointer points nowhere (is all zeros)."""
    if not pointer.any():
        return own
    return (1 - copied) * own + copied * pointer


# -- what it is mixed of -------------------------------------------------------------------------------------------------


def high_layers(layers: int) -> list[int]:
    """The high layers of a model of so many layers, each as the number of layers that were run, rising; none for a single layer."""
    steps = {max(1, round(below * layers / 32)) for below in BELOW}
    return sorted(layers - step for step in steps if layers - step >= 1)


def source_tokens(tokenizer: Any, text: str, prompt: str, source: str) -> tuple[list[int], list[int]]:
    """The tokens of ``text``, in which the chat template has put ``prompt``, and the places of those of ``source``.

    Where the prompt has the source several times, the last one counts. Special tokens are not the source's. Raises `ModelError` where
    the source is empty or not part of the prompt, or the tokens' places are not known.
    """
    wanted, asked = source.strip(), prompt.strip()
    inner, outer = asked.rfind(wanted), text.rfind(asked)
    if not wanted or inner < 0 or outer < 0:
        raise ModelError("the source to copy from is not part of the prompt; give a text of it, word for word")
    start = outer + inner
    try:
        read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    except NotImplementedError:
        raise ModelError(
            "the tokenizer of this language model does not tell where its tokens are, so that it cannot copy; give a model with a "
            "tokenizer.json"
        ) from None
    special = {*tokenizer.all_special_ids, *(token for token, added in tokenizer.added_tokens_decoder.items() if added.special)}
    ids = list(read["input_ids"])
    places = [
        at
        for at, (token, (first, last)) in enumerate(zip(ids, read["offset_mapping"], strict=True))
        if first < start + len(wanted) and last > start and token not in special
    ]
    return ids, places


def copying_step(name: str, model: Any, ids: Sequence[int], known: int, cache: Any, places: Sequence[int]) -> Step:
    """The step of `decoding.decoded` that copies: the most probable token of the `mixture`, and its log-probability.

    ``model``: a causal language model of transformers with bookwheel's attention function; ``ids``: the prompt, whose first ``known``
    tokens ``cache`` has; ``places``: of the source in it. Raises `ModelError` for a model whose high layers cannot be read.
    """
    source = [ids[at] for at in places]

    def step(last: int | None) -> tuple[int, float]:
        new = [ids[-1]] if last is None else [last]
        if last is None and len(ids) - known > 1:
            _pass(model, ids[known:-1], cache)
        logits, high, attention = _read(name, model, new, cache, check=last is None)
        own = _softmax(logits)
        chances = mixture(own, pointed(attention[places], source, len(own)), copy_probability(own, _softmax(high)))
        best = int(chances.argmax())
        return best, float(np.log(max(float(chances[best]), 1e-300)))

    return step


def _softmax(logits: NDArray[np.float32]) -> Floats:
    return np.exp(log_softmax(logits), dtype=np.float64)


def _pass(model: Any, ids: Sequence[int], cache: Any) -> None:
    """Reads ``ids`` into ``cache``, without the weights of attention, which would be of the square of their number."""
    import torch

    decoder = model.get_decoder()
    with torch.inference_mode():
        decoder(torch.tensor([list(ids)]), use_cache=True, **{cache_argument(decoder): cache})


def _read(
    name: str, model: Any, ids: Sequence[int], cache: Any, *, check: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], Floats]:
    """What the model says after ``ids``: logits (vocabulary,), those of high layers (layers, vocabulary), attention (all tokens,)."""
    import torch

    weights: list[Any] = []

    def reader(_: int, found: Any) -> None:
        weights[:] = [found[0, :, -1].mean(0)]  # of the last layer in the end

    with torch.inference_mode(), recording(reader):
        out = model(
            torch.tensor([list(ids)]),
            use_cache=True,
            output_hidden_states=True,
            logits_to_keep=1,
            **{cache_argument(model): cache},
        )
    decoder, states = model.get_decoder(), out.hidden_states
    norm = next((getattr(decoder, one) for one in _NORMS if hasattr(decoder, one)), None)
    if norm is None or not states or not weights or len(weights[0]) != cache.get_seq_length():
        raise ModelError(_UNREADABLE.format(name=name))
    logits = np.asarray(out.logits[0, -1].float().numpy(), np.float32)
    chosen = high_layers(len(states) - 1)
    with torch.inference_mode():
        rows = [norm(states[layer][0, -1]) for layer in chosen] + ([states[-1][0, -1]] if check else [])
        high = model.get_output_embeddings()(torch.stack(rows)).float().numpy() if rows else np.zeros((0, len(logits)))
    if check:
        if float(np.abs(high[-1] - logits).max()) > _DIFFERENT * float(np.abs(logits).max()):
            raise ModelError(_UNREADABLE.format(name=name))
        high = high[:-1]
    return logits, np.asarray(high, np.float32), np.asarray(weights[0].double().numpy(), np.float64)


_UNREADABLE = "{name!r} cannot copy: what its layers say before the last cannot be read through its norm and head; give smollm2"


# -- asking --------------------------------------------------------------------------------------------------------------


class CopyingFrom(OneByOne):
    """A `Generator` and `Streamer` whose answers copy from ``source``, which has to be part of each prompt (`Copier.copying`).

    Its name is not the model's own, so that its answers are cached apart.
    """

    def __init__(self, model: Copier, source: str) -> None:
        self.name = f"{model.name} (copying)"
        self._model = model
        self._source = source

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
        """See `Copier.copying`."""
        return self._model.copying(
            prompt, self._source, system=system, max_tokens=max_tokens, stop=stop, deadline=deadline, reply=reply
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Generator.count_tokens`."""
        return self._model.count_tokens(texts)

    def close(self) -> None:
        """Nothing: the model stays open."""
