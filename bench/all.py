"""Everything that docs/measurements.md shows, step after step; a step whose result is there is not done again.

    python bench/all.py --text TEXTS.jsonl.gz                    at a million passages
    python bench/all.py --text TEXTS.jsonl.gz --passages 100000  smaller
    python bench/all.py --list                                   the steps, their minutes on two quiet cores, and which are done
    python bench/all.py --text … --only lexical cold --again     these, done or not

TEXTS is a JSONL file of ``{"_id", "title", "text"}``, or the script that makes it; ``--collections`` gives BEIR folders with
judgements. A step that fails is told at the end and leaves the others alone. Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from common import RESULTS, ROOT, SCRATCH, SHARED
from harness import say


@dataclass(frozen=True)
class Step:
    """A command of this folder, what it leaves behind, and about how many minutes it takes at a million passages."""

    name: str
    command: list[str]
    result: Path
    minutes: float


def steps(arguments: argparse.Namespace) -> list[Step]:
    n = str(arguments.passages)
    text = ["--text", str(arguments.text)] if arguments.text else []
    folders = [str(folder) for folder in arguments.collections]
    minilm = ["--model", str(arguments.model), "--minilm", str(arguments.minilm)] if arguments.model else []
    minilm += ["--minilm-rows", str(arguments.minilm_rows)] if arguments.minilm_rows else []

    def result(name: str) -> Path:
        return RESULTS / f"{name}.json"

    made = SCRATCH / "data" / f"real-{n}"
    last = made / ("pooled" if arguments.model else "learned") / "truth.npy"
    listed = [
        Step("environments", ["peers.py"], SCRATCH / "venvs" / "complete", 15),
        Step("data", ["data.py", *text, "--passages", n, *minilm], last, 12),
        Step("lexical", ["lexical.py", "--passages", n], result(f"lexical-{n}"), 35),
        Step("recipes", ["recipes.py", "--passages", n], result(f"recipes-{n}"), 8),
        Step("cold", ["cold.py", "--passages", n], result(f"cold-{n}"), 8),
        Step("sparse-index", ["sparse_index.py", "--passages", n], result(f"sparse-index-{n}"), 4),
        Step("sparse", ["sparse.py", "--passages", n], result(f"sparse-{n}"), 30),
        Step("dense", ["dense.py", "--passages", n, "--vectors", "static"], result(f"dense-static-{n}"), 75),
        Step("dense-pooled", ["dense.py", "--passages", n, "--vectors", "pooled"], result(f"dense-pooled-{n}"), 100),
        Step("budget", ["budget.py", "--passages", n, "--peers"], result(f"budget-{n}"), 25),
        Step("serving", ["serving.py", *text, "--passages", n], result(f"serving-{n}"), 60),
        Step("quality", ["quality.py", *folders, "--among", n], result("quality"), 12),
        Step("feedback", ["feedback.py", *folders], result("feedback"), 4),
    ]
    if not arguments.model:
        listed = [step for step in listed if step.name != "dense-pooled"]
    return [step for step in listed if (ROOT / "bench" / step.command[0]).is_file()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path)
    parser.add_argument("--passages", type=int, default=1_000_000)
    parser.add_argument("--collections", type=Path, nargs="*", default=None, help="BEIR folders [those of ../shared/data]")
    parser.add_argument(
        "--model", type=Path, help="folder of all-MiniLM-L6-v2; without it there are no vectors of 384 dimensions"
    )
    parser.add_argument("--minilm", type=int, default=0, help="passages to encode with it, beside pooling its word embeddings")
    parser.add_argument("--minilm-rows", type=Path, help="its vectors of TEXTS, made elsewhere (see data.py)")
    parser.add_argument("--only", nargs="*", default=[], metavar="STEP")
    parser.add_argument("--without", nargs="*", default=[], metavar="STEP")
    parser.add_argument("--again", action="store_true", help="do steps that are done")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.collections is None:
        arguments.collections = sorted(p.parent for p in SHARED.glob("data/*/corpus.jsonl"))
    listed = steps(arguments)
    if unknown := (set(arguments.only) | set(arguments.without)) - {step.name for step in listed}:
        parser.error(f"there is no step {', '.join(sorted(unknown))}; there are {', '.join(step.name for step in listed)}")
    failed = []
    for step in listed:
        chosen = (not arguments.only or step.name in arguments.only) and step.name not in arguments.without
        done = step.result.is_file() and not arguments.again
        if arguments.list:
            print(f"{step.name:<14}{'done' if done else f'{step.minutes:.0f} min':<10}python bench/{' '.join(step.command)}")
        elif chosen and not done:
            say(f"=== {step.name}: about {step.minutes:.0f} minutes at a million passages")
            started = time.perf_counter()
            code = subprocess.run([sys.executable, ROOT / "bench" / step.command[0], *step.command[1:]], check=False).returncode
            minutes = (time.perf_counter() - started) / 60
            say(f"=== {step.name}: {f'failed with exit code {code}' if code else 'done'} after {minutes:.1f} minutes")
            if code:
                failed.append(step.name)
            elif step.name == "environments":
                step.result.touch()
    if arguments.list:
        return
    subprocess.run([sys.executable, ROOT / "bench" / "report.py"], check=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; what they need may be missing, their words are above")


if __name__ == "__main__":
    main()
