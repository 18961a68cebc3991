"""The training loop: steps of a plan, saved now and then, resumed after a kill where they were."""

from __future__ import annotations

import hashlib
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ..._errors import BudgetError, TrainingError
from ...memory.sizes import format_size, round_up
from ...progress import Progress, silent
from .checkpointing import checkpointed
from .measuring import peak_of
from .objective import Batch, split
from .planner import Plan, settle
from .saved import load_saved, write_saved
from .tensors import generator

__all__ = ["Outcome", "StepReport", "finetune", "rate_at"]


@dataclass(frozen=True)
class StepReport:
    """One step. ``loss``: before it. ``rate``: the learning rate. ``seconds_left``: at the mean speed so far."""

    step: int
    steps: int
    loss: float
    rate: float
    seconds_left: float


@dataclass
class Outcome:
    """What came of training. ``losses`` and ``rates``: of all steps, also of those before it was resumed. ``seconds``: of those of
    this run.
    """

    model: Any
    losses: list[float]
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    resumed_at: int = 0
    plan: Plan | None = None


def finetune(
    model: Any,
    batches: Sequence[Batch],
    plan: Plan,
    *,
    steps: int | None = None,
    rate: float | None = None,
    warmup: float = 0.1,
    decay: str = "linear",
    seed: int = 0,
    folder: Path | None = None,
    save_seconds: float = 300.0,
    progress: Progress = silent,
    report: Callable[[StepReport], None] | None = None,
    shuffle: bool = True,
    before: Callable[[int, Any], None] | None = None,
) -> Outcome:
    """Train ``model`` on ``batches``, a step each, as ``plan`` says; returns the plain model with what it learned.

    ``batches`` are taken in a random order, or as they come where not ``shuffle``, all of them before one comes again; ``steps``:
    how many to take, once through for None. ``before``: called before each step with its number, from 0, and the model as it is
    then, so that data can depend on it. ``rate``: the learning rate, the method's own for None; it rises over the share ``warmup``
    of the steps, then follows ``decay``: ``linear``, ``cosine`` or ``constant``. ``folder``: where the run is saved every
    ``save_seconds`` and at its end; where it holds a run with the same settings, that goes on: with the same weights, up to
    rounding, as if nothing had happened. Ctrl-C ends the current step, saves, and then interrupts.

    Raises `TrainingError` where the numbers are no longer finite: then the model has the weights from before that step, and what
    was saved stays. Raises `BudgetError`, after saving, where a step takes more memory than the plan's budget.
    """
    if not len(batches):
        raise TrainingError("there is nothing to train on; give at least one batch of texts")
    if decay not in DECAYS:
        raise TrainingError(f"the learning rate can follow {', '.join(DECAYS)}, not {decay!r}")
    total = len(batches) if steps is None else steps
    way, goal = plan.made(), plan.objective
    peak_rate = way.rate if rate is None else rate
    settle(model)
    torch.manual_seed(seed)
    model.train()

    def batch_of(step: int) -> Batch:
        return batches[_place(step, len(batches), seed) if shuffle else step % len(batches)]

    name = f"{plan.method} {way} seed {seed} rate {peak_rate} {warmup} {decay} steps {total} {fingerprint(model, batches)}"
    file = None if folder is None else folder / "training.pt"
    out = Outcome(model, [], plan=plan)
    with peak_of() as peak, checkpointed(model, plan.checkpoint), _later_interrupt() as interrupted:
        attached = way.attach(model, _losses(goal, model, batch_of(0), plan.rows), seed)
        try:
            if file is not None:
                out.losses = load_saved(file, name, attached)
            out.rates = [rate_at(step, total, peak_rate, warmup, decay) for step in range(len(out.losses))]
            out.resumed_at = done = len(out.losses)
            task, saved = progress("training", total, "step"), time.monotonic()
            task.advance(done)
            try:
                while done < total:
                    began, now = time.monotonic(), rate_at(done, total, peak_rate, warmup, decay)
                    if before is not None:
                        before(done, attached.model)
                    batch = batch_of(done)
                    rows = len(next(iter(batch.values()))) if attached.one_part else plan.rows
                    try:
                        found = attached.step(_losses(goal, attached.model, batch, rows), now)
                    except TrainingError as error:
                        raise TrainingError(_gone_wrong(error, done, total, out, file)) from None
                    done += 1
                    out.losses.append(float(found))
                    out.rates.append(now)
                    out.seconds.append(time.monotonic() - began)
                    left = (total - done) * sum(out.seconds) / len(out.seconds)
                    task.advance(1, f"loss {out.losses[-1]:.4g}, rate {now:.2g}")
                    if report is not None:
                        report(StepReport(done, total, out.losses[-1], now, left))
                    plan.measured = max(peak.bytes, plan.measured or 0)
                    stop, above = interrupted.is_set(), plan.measured > plan.ram
                    if file is not None and (done == total or stop or above or time.monotonic() - saved > save_seconds):
                        write_saved(file, name, attached, out.losses)
                        saved = time.monotonic()
                    if above:
                        raise BudgetError(_above(plan, plan.measured, done))
                    if stop:
                        raise KeyboardInterrupt
            finally:
                task.close()
        finally:
            out.model = attached.finish()
    return out


def _above(plan: Plan, measured: int, step: int) -> str:
    return (
        f"training took {format_size(measured)} of memory by step {step}, {format_size(plan.planned)} were planned and "
        f"{format_size(plan.ram)} are allowed; give --ram {round_up(int(measured * 1.05))}, or shorter texts"
    )


def fingerprint(model: Any, batches: Sequence[Batch]) -> str:
    """Tells models and data apart: a digest of the first numbers of each weight, and of the first and the last batch."""
    digest = hashlib.sha256(str(len(batches)).encode())
    for name, weight in model.named_parameters():
        digest.update(f"{name} {tuple(weight.shape)}".encode())
        digest.update(weight.detach().reshape(-1)[:64].float().numpy().tobytes())
    for batch in (batches[0], batches[-1]):
        for name, value in sorted(batch.items()):
            digest.update(f"{name} {value.tolist()}".encode())
    return digest.hexdigest()


def _gone_wrong(error: TrainingError, done: int, total: int, out: Outcome, file: Path | None) -> str:
    last = f", after a loss of {out.losses[-1]:.4g}" if out.losses else ""
    kept = f"; what was saved in {file.parent} is as it was" if file is not None and file.exists() else ""
    return f"at step {done + 1} of {total}{last}, {error}{kept}"


DECAYS = ("linear", "cosine", "constant")


def rate_at(step: int, steps: int, peak: float, warmup: float, decay: str) -> float:
    """The learning rate of a step, counted from 0: a straight rise to ``peak``, then the way down.

    >>> [round(rate_at(step, 5, 1.0, 0.4, "linear"), 2) for step in range(5)]
    [0.5, 1.0, 1.0, 0.67, 0.33]
    """
    rise = math.ceil(warmup * steps)
    if step < rise:
        return peak * (step + 1) / rise
    part = (step - rise) / max(steps - rise, 1)
    return peak * {"linear": 1 - part, "cosine": (1 + math.cos(math.pi * part)) / 2, "constant": 1.0}[decay]


def _place(step: int, batches: int, seed: int) -> int:
    """Which batch a step takes: a new order each time through, known without going through the steps before."""
    through, at = divmod(step, batches)
    return int(torch.randperm(batches, generator=generator("order", seed, through))[at])


def _losses(goal: Any, model: Any, batch: Batch, rows: int) -> list[Any]:
    """The losses of a batch's parts; each part is prepared when its turn comes, the whole batch when that of the first does."""
    count = goal.count(batch)
    if not count:
        raise TrainingError("a batch holds nothing to learn from; leave out empty texts")
    whole = getattr(goal, "whole", None)
    parts: list[Any] = []

    def loss(at: int) -> Any:
        if not parts:
            parts.extend(split(batch if whole is None else whole(model, batch, rows), rows))
        return goal.total(model, goal.prepare(parts[at])) / count

    return [partial(loss, at) for at in range(-(-len(next(iter(batch.values()))) // rows))]


@contextmanager
def _later_interrupt() -> Iterator[threading.Event]:
    """Ctrl-C sets the event instead of interrupting in the middle of a step; a second Ctrl-C interrupts at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
