"""`bookwheel.train` beside sentence-transformers' own trainer: the same model, pairs, steps and optimiser; losses, memory and seconds.

    OMP_NUM_THREADS=1 python bench/train_peer.py MODEL --collection scifact [--batch 64] [--steps 8] [--tokens 128]

Each way trains in a process of its own under a limit that the kernel enforces: `finetune` with `CachedContrast`, in parts of as many
texts as fit ``--ram`` beside what the process holds already; and `SentenceTransformerTrainer` with `MultipleNegativesRankingLoss`, and
with `CachedMultipleNegativesRankingLoss` in parts of 16. Pairs are titles with their abstracts. AdamW, all weights, a constant rate, no
dropout, gradients of norm 1 at most, as both have it. Memory is the most anonymous memory above what the process held once the model
was loaded. Needs the extra ``train``, and `datasets` and `accelerate` for the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import ROOT, SHARED, keep, table

sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT / "tests" / "budget"))

WAYS = {
    "bookwheel": "bookwheel, within --ram",
    "whole": "sentence-transformers, MultipleNegativesRankingLoss",
    "cached": "sentence-transformers, CachedMultipleNegativesRankingLoss, 16 texts at a time",
}
SCALE, RATE = 20.0, 2e-5
LIMIT = 12 << 30


def pairs(collection: str, count: int) -> list[tuple[str, str]]:
    """Titles with their abstracts, in the collection's order."""
    found = []
    for line in (SHARED / "data" / collection / "corpus.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        title, text = row.get("title", "").strip(), row["text"].strip()
        if title and text:
            found.append((title, text.removeprefix(title).strip() or text))
        if len(found) == count:
            return found
    raise SystemExit(f"{collection} has only {len(found)} documents with a title")


def ours(options: argparse.Namespace) -> dict[str, Any]:
    """`finetune`, as ``bookwheel train encoder`` does without hard negatives."""
    import torch

    from bookwheel._system import anonymous_bytes
    from bookwheel.memory.sizes import parse_size
    from bookwheel.train.encoder.model import SentenceEncoder
    from bookwheel.train.memory.loop import finetune
    from bookwheel.train.memory.planner import plan, settle
    from bookwheel.train.objectives.cached_contrast import ANSWER, QUERY, CachedContrast

    model = SentenceEncoder(Path(options.model), options.tokens)
    settle(model)
    held = anonymous_bytes() or 0
    some = pairs(options.collection, options.batch * options.steps)

    def batch(step: int) -> dict[str, Any]:
        chosen = some[step * options.batch : (step + 1) * options.batch]
        rows = [(QUERY, at, title) for at, (title, _) in enumerate(chosen)]
        rows += [(ANSWER, at, text) for at, (_, text) in enumerate(chosen)]
        tokens = model.tokenise([text for _, _, text in rows])
        order = torch.argsort(tokens["attention_mask"].sum(1), stable=True)  # so that parts have little padding
        columns = {"role": [row[0] for row in rows], "pair": [row[1] for row in rows], "document": [row[1] for row in rows]}
        batch = tokens | {name: torch.tensor(values) for name, values in columns.items()}
        return {name: value[order] for name, value in batch.items()} | {"draw": torch.arange(len(rows))}

    batches = [batch(step) for step in range(options.steps)]
    rows, dimension = 2 * options.batch, model.inner.get_embedding_dimension()
    largest = {
        name: value[:1].expand(rows, -1) for name, value in model.tokenise(["a " * model.tokens]).items()
    }  # none is longer
    largest |= {name: torch.arange(rows) for name in ("role", "pair", "document", "draw")}
    largest |= {"slopes": torch.zeros(rows, 1, dimension), "shares": torch.zeros(rows)}
    chosen = plan(model, largest, parse_size(options.ram) + held, objective=CachedContrast(SCALE), methods=("adamw",))
    found = finetune(model, batches, chosen, rate=RATE, warmup=0.0, decay="constant", shuffle=False)
    return {"held": held, "losses": found.losses, "seconds": found.seconds, "plan": chosen.told()}


def theirs(options: argparse.Namespace, way: str) -> dict[str, Any]:
    """sentence-transformers' trainer, with the same pairs in the same order."""
    import torch
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
        losses,
    )
    from sentence_transformers.sampler import DefaultBatchSampler
    from transformers import TrainerCallback

    from bookwheel._system import anonymous_bytes

    model = SentenceTransformer(options.model, device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32})
    model.max_seq_length = options.tokens
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    held = anonymous_bytes() or 0
    some = pairs(options.collection, options.batch * options.steps)
    data = Dataset.from_dict({"anchor": [title for title, _ in some], "positive": [text for _, text in some]})
    loss: Any = losses.MultipleNegativesRankingLoss(model, scale=SCALE)
    if way == "cached":
        loss = losses.CachedMultipleNegativesRankingLoss(model, scale=SCALE, mini_batch_size=16)
    seconds: list[float] = []

    class InOrder(DefaultBatchSampler):
        def __iter__(self) -> Any:
            yield from (list(range(at, at + options.batch)) for at in range(0, len(some), options.batch))

    class Timed(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            seconds.append(-time.monotonic())

        def on_step_end(self, *_: Any, **__: Any) -> None:
            seconds[-1] += time.monotonic()

    with tempfile.TemporaryDirectory() as folder:
        told = SentenceTransformerTrainingArguments(
            output_dir=folder, max_steps=options.steps, per_device_train_batch_size=options.batch, learning_rate=RATE,
            lr_scheduler_type="constant", weight_decay=0.0, max_grad_norm=1.0, logging_steps=1, save_strategy="no", report_to="none",
            use_cpu=True, disable_tqdm=True, batch_sampler=InOrder, optim="adamw_torch", logging_nan_inf_filter=False,
        )  # fmt: skip
        trainer = SentenceTransformerTrainer(model=model, args=told, train_dataset=data, loss=loss, callbacks=[Timed()])
        trainer.train()
    return {"held": held, "losses": [row["loss"] for row in trainer.state.log_history if "loss" in row], "seconds": seconds}


def ask(options: argparse.Namespace, way: str) -> dict[str, Any]:
    """One way, in a process of its own; its answer with its peak."""
    from limits import LOOK, run_within

    command = [sys.executable, __file__, options.model, "--worker", way]
    for name in ("collection", "batch", "steps", "tokens", "ram"):
        command += [f"--{name}", str(getattr(options, name))]
    outcome = run_within(LIMIT, command, {**os.environ, "PYTHONPATH": str(ROOT / "src")}, timeout=7200, look=LOOK)
    lines = [line for line in outcome.output.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise SystemExit(f"{way}: {outcome.errors.strip()[-600:]}")
    found = json.loads(lines[-1].removeprefix("RESULT "))
    return {**found, "extra": outcome.peak - found["held"], "how": outcome.how}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("model")
    parser.add_argument("--collection", default="scifact")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--ram", default="500MB", help="for training, above what the process holds with the model")
    parser.add_argument("--worker", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        found = ours(options) if options.worker == "bookwheel" else theirs(options, options.worker)
        found["processor_seconds"] = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        print("RESULT " + json.dumps(found))
        return
    rows = {way: ask(options, way) for way in WAYS}
    base = rows["whole"]
    body = []
    for way, row in rows.items():
        apart = max(abs(one - other) for one, other in zip(row["losses"], base["losses"], strict=True))
        body.append(
            [WAYS[way], f"{row['extra'] / 2**20:,.0f}", f"{row['extra'] / base['extra']:.2f}", f"{statistics.median(row['seconds']):.1f}",
             f"{row['losses'][0]:.4f} → {row['losses'][-1]:.4f}", f"{apart:.1e}"]
        )  # fmt: skip
    head = ["", "MB above the loaded model", "of the first peer's", "s a step", "loss", "losses differ by, at most"]
    told = {name: getattr(options, name) for name in ("collection", "batch", "steps", "tokens", "ram")}
    keep("train_peer", {"model": Path(options.model).name, **told, "rows": rows}, table(head, body))


if __name__ == "__main__":
    main()
