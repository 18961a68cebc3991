"""``train tower --layers 0``: queries encoded by a table of token vectors, for passages that a whole model has embedded.

Ma et al., "LightRetriever: A LLM-based Text Retrieval Architecture with Extremely Faster Query Inference" (2025), for the extreme: no
layer at all reads a query. In part: their whole model is trained with the table; here it stays as it is, and so do its vectors.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ...encode.dense import TransformerEncoder
from ...encode.protocols import nbytes
from ...encode.safetensors import write_tensors
from ...encode.transformer.layout import TABLE, Module
from ...memory.shares import BASE
from ...memory.sizes import MIB
from ..objectives.stored_order import stored_order
from ..run import Run
from ..static.table import Table
from .drawn import Text
from .router import write_router
from .table_fit import Asked, cosine, mapped, moved, rarity
from .table_taught import CHUNK, asked, single_tokens

__all__ = ["TableFit", "fit_table", "write_table"]

DRAWN, SINGLE, ORDERED = 0.55, 0.75, 0.9
"""The shares of the minutes after which the teacher has read queries, then single tokens, and after which the last step is made."""
MOST = 100_000
"""Queries that the teacher reads, at most."""
FEWEST = 2 * CHUNK
HELD = 0.05
"""The share of the queries by which the settings of the regression are chosen."""
SHARE, RIDGE = 1e-2, 1e-3
"""Of smooth inverse frequency, and how much the map is drawn to nothing. On Medline both hardly matter."""
PULLS = (0.01, 0.03, 0.1)
"""How strongly tokens are drawn to where the map put them: the best is chosen on queries that are held out of the regression."""
BATCH, STEPS, PROBED = 256, 300, 3
RATE = 2e-3
STORED = 4096
"""Passages whose order counts."""


@dataclass(frozen=True)
class TableFit:
    """A table (tokens, dimension) for the queries of ``tokenizer``, and how it was come by."""

    table: NDArray[np.float32]
    tokenizer: Any
    queries: int
    singles: int
    """Tokens that the teacher has read by themselves; the others start from the mean of these."""
    cosines: dict[str, float]
    """To the teacher's vectors of queries that were not fitted, by what was tried; then of what was taken."""
    losses: tuple[float, ...]
    rates: tuple[float, ...]

    def told(self) -> str:
        """On one line."""
        tried = ", ".join(f"{name} {value:.3f}" for name, value in self.cosines.items())
        return f"{len(self.table):,} tokens, {self.singles:,} of them read by themselves; cosine to the whole model's vectors: {tried}"


def fit_table(run: Run, teacher: TransformerEncoder, texts: list[Text], stored: NDArray[np.float32], order: float) -> TableFit:
    """Fit a table to ``teacher``'s vectors of queries drawn from ``texts``, and to its order of ``stored`` passages.

    Raises `ModelError`, `BudgetError`, `StorageError`.
    """
    tokenizer = _plain(teacher)
    size = 1 + max(tokenizer.get_vocab().values())
    most = _planned(run, teacher, size)
    kept = run.kept
    with run.shown("asking the whole model", most, "queries") as advance:
        known = asked(teacher, tokenizer, texts, kept, most, run.left(DRAWN), run.seed, advance)
    frequency = np.bincount(known.bags.rows, minlength=size)
    ranked = np.argsort(-frequency, kind="stable")
    with run.shown("asking for single tokens", size, "tokens") as advance:
        some = single_tokens(teacher, tokenizer, ranked, kept, run.left(SINGLE), advance)
    alone = np.empty((size, teacher.dimension), np.float32)
    alone[ranked[: len(some)]] = some
    alone[ranked[len(some) :]] = some.mean(0)
    table, cosines = _regressed(alone, frequency, known)
    del alone
    table, losses, rates = _ordered(run, table, known, stored, order)
    return TableFit(table, tokenizer, len(known), len(some), cosines, losses, rates)


def _plain(teacher: TransformerEncoder) -> Any:
    """The teacher's tokenizer, as a StaticEmbedding reads with it: whole texts, and no padding."""
    from tokenizers import Tokenizer, normalizers

    found = Tokenizer.from_str(teacher.tokenizer.to_str())
    found.no_truncation()
    found.no_padding()
    if teacher.lower:
        steps = [normalizers.Lowercase(), *([found.normalizer] if found.normalizer is not None else [])]
        found.normalizer = normalizers.Sequence(steps)
    return found


def _planned(run: Run, teacher: TransformerEncoder, size: int) -> int:
    """Plan the memory; how many queries have room in it. Raises `BudgetError`."""
    memory, each = run.memory, 2 * (2 * teacher.dimension + QUERY)
    memory.plan("Python, numpy, compiled kernels", BASE)
    memory.plan("the whole model", nbytes(teacher))
    memory.plan("token vectors, and their moments", TABLES * 4 * size * teacher.dimension)
    memory.plan("a step", STEP)
    memory.plan("queries", FEWEST * each)
    memory.check("training a table of queries")
    most = min(MOST, FEWEST + (memory.ram - memory.planned()) // each) // CHUNK * CHUNK
    memory.plan("queries", most * each)
    return most


QUERY = 400
"""Bytes of a query as text and as a bag."""
TABLES = 5
"""Arrays as large as the table that there are at a time."""
STEP = 160 * MIB


def _regressed(
    alone: NDArray[np.float32], frequency: NDArray[np.int64], known: Asked
) -> tuple[NDArray[np.float32], dict[str, float]]:
    """The table by the settings under which the held-out queries' cosines are the highest, fitted to all queries."""
    held = max(1, round(HELD * len(known)))
    trained, test = known.take(np.arange(len(known) - held)), known.take(np.arange(len(known) - held, len(known)))
    cosines: dict[str, float] = {}

    table = alone * rarity(frequency, SHARE)[:, None]
    begun = mapped(table, trained, RIDGE)
    cosines["one map"] = cosine(begun, test)
    for pull in PULLS:
        cosines[f"pull {pull:g}"] = cosine(moved(begun, trained, pull), test)
    pull = max(PULLS, key=lambda one: cosines[f"pull {one:g}"])
    del begun
    return moved(mapped(table, known, RIDGE), known, pull), cosines


def _ordered(
    run: Run, table: NDArray[np.float32], known: Asked, stored: NDArray[np.float32], order: float
) -> tuple[NDArray[np.float32], tuple[float, ...], tuple[float, ...]]:
    """Steps of Adam down `stored_order`, from ``table`` on; how many follows from the time."""
    fit = Table(table)
    steps = run.kept.fact("steps")
    losses: list[float] = []
    rates: list[float] = []
    began = time.monotonic()
    with run.shown("training", STEPS if steps is None else int(steps), "steps") as advance:
        while len(losses) < (STEPS if steps is None else int(steps)):
            number = len(losses)
            if steps is None and number == PROBED:
                each = (time.monotonic() - began) / PROBED
                steps = max(PROBED, min(STEPS, number + int(run.left(ORDERED) / max(each, 1e-6))))
                run.kept.note(steps=steps)
            chosen = np.sort(np.random.default_rng([run.seed, 23, number]).permutation(len(known))[:BATCH])
            made = fit.forward(known.bags.take(chosen))
            loss, gradient = stored_order(made.units, known.vectors[chosen].astype(np.float32), stored, order)
            if not np.isfinite(loss):
                raise ModelError(
                    f"training went wrong at step {number + 1:,}: the loss is {loss}; nothing was changed; report it"
                )
            rate = RATE if steps is None or number < PROBED else RATE * (1 - (number - PROBED) / (int(steps) - PROBED))
            fit.step([(made, gradient)], rate)
            losses.append(loss)
            rates.append(rate)
            advance(1)
    return fit.vectors, tuple(losses), tuple(rates)


def write_table(folder: Path, teacher: Path, found: TableFit) -> None:
    """Write a Router into ``folder``: passages go to a copy of ``teacher``, queries to the table, and both are scaled to unit length."""
    scratch = folder / ".table"
    scratch.mkdir()
    write_tensors(scratch / "model.safetensors", {"embedding.weight": found.table})
    found.tokenizer.save(str(scratch / "tokenizer.json"))
    write_router(folder, teacher, [Module(TABLE, scratch, {}), Module("Normalize", folder, {})])
    shutil.rmtree(scratch)
