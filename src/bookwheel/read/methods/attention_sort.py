"""Passages are put in the order of the attention that they get before the first token of the answer, the most attended last.

Source: Peysakhovich and Lerer, "Attention Sorting Combats Recency Bias In Long Context Language Models" (2023): one step of decoding,
sort by the mean attention to each passage over all layers and heads, once more, then answer. It needs a model of transformers in this
process: neither llama.cpp nor a server shows what a model attends to. With these the order is that of `stuff`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ...language.prompts import load_prompt
from ..answer import Spent
from ..events import Token
from ..evidence import Evidence
from ..hostile import Fence, bare
from .base import OutOfCalls, Run, model_context

__all__ = ["draft"]

ROUNDS = 2
"""Times that the passages are read and sorted."""
_HERE = "\0"


def draft(run: Run) -> Iterator[Token]:
    """The answer from the passages in this order."""
    if not hasattr(run.model, "attention") or not hasattr(run.model, "sequence"):
        run.notes.append(f"{run.model.name!r} does not show what it attends to; the passages were given worst first")
        return run.final(run.evidence[::-1])
    some = _fitting(run)
    try:
        for _ in range(ROUNDS if len(some) > 1 else 0):
            run.count()
            before = [one.passage for one in some]
            attended = _attended(run, some)
            some = [some[at] for at in np.argsort(attended, kind="stable")]
            if [one.passage for one in some] == before:
                break
    except OutOfCalls:
        pass
    return run.final(some)


def _fitting(run: Run) -> list[Evidence]:
    """As many passages, best first, as the model reads at once with an answer behind them; the best last."""
    fence = Fence([one.text for one in run.evidence])
    lengths = run.model.count_tokens([fence.around(one, run.options.hidden) for one in run.evidence])
    prompt = load_prompt("answer")
    (frame,) = run.model.count_tokens([prompt.fill(passages="", secret=fence.secret, question=bare(run.question))])
    room = model_context(run.model, run.options.context) - prompt.number("max_tokens", 300) - frame - 60
    ends = np.cumsum(np.array(lengths) + 2)
    count = int((ends <= room).sum())
    return run.evidence[: max(1, count)][::-1]


def _attended(run: Run, some: Sequence[Evidence]) -> list[float]:
    """The mean attention of the token that the answer would follow, to the tokens of each passage."""
    fence = Fence([one.text for one in some])
    whole = load_prompt("answer").fill(passages=_HERE, secret=fence.secret, question=bare(run.question))
    before, _, after = whole.partition(_HERE)
    texts = [f"{fence.around(one, run.options.hidden)}\n\n" for one in some]
    blocks = run.model.sequence([before, *texts], max_tokens=run.model.context)
    weights = run.model.attention(blocks, f"{after}\n\nAnswer", ":")[1:]
    run.spent += Spent(1, sum(map(len, blocks)), 0)
    return [float(one.mean()) if one.size else 0.0 for one in weights]
