"""What the measurements share: real text at scale, tables, and where results are kept."""

from __future__ import annotations

import gzip
import json
import os
import platform
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
SHARED = ROOT.parent / "shared"
SCRATCH = ROOT / ".bench"


def read_texts(path: str | Path, limit: int | None = None) -> Iterator[dict[str, str]]:
    """Records ``{"_id", "title", "text"}`` of a JSONL file, .gz or plain."""
    opener = gzip.open if str(path).endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file):
            if limit is not None and number >= limit:
                return
            yield json.loads(line)


def subset(path: str | Path, limit: int) -> Path:
    """The first ``limit`` records of ``path`` as a plain JSONL file, made once."""
    out = SCRATCH / "data" / f"{Path(path).name.split('.')[0]}-{limit}.jsonl"
    if not out.is_file():
        out.parent.mkdir(parents=True, exist_ok=True)
        with out.with_suffix(".part").open("w", encoding="utf-8") as file:
            for record in read_texts(path, limit):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
        out.with_suffix(".part").replace(out)
    return out


def machine() -> dict[str, Any]:
    """Where a figure comes from."""
    model = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000  # noqa: E731
    return {"p50_ms": statistics.median(ordered) * 1000, "p95_ms": at(0.95), "p99_ms": at(0.99)}


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def keep(name: str, result: Any, text: str) -> None:
    """Print a result, and keep it as JSON and as Markdown for ``docs/measurements.md``."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({"machine": machine(), **result}, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text + "\n")
    print(text)
