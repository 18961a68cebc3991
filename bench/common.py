"""What the measurements share: where things lie, real text at scale, tables, and where results are kept."""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import statistics
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
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


def text_of(record: dict[str, str]) -> str:
    """What every engine indexes of a record."""
    return f"{record['title']}\n{record['text']}" if record.get("title") else record["text"]


def machine() -> dict[str, Any]:
    """Where a figure comes from: processor, memory, disk and versions."""
    model, memory = platform.processor(), 0
    cpuinfo, meminfo = Path("/proc/cpuinfo"), Path("/proc/meminfo")
    if cpuinfo.is_file():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    if meminfo.is_file() and (found := re.search(r"MemTotal:\s+(\d+)", meminfo.read_text())):
        memory = int(found[1]) * 1024
    return {
        "processor": model,
        "avx512": cpuinfo.is_file() and "avx512f" in cpuinfo.read_text(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "memory_bytes": memory,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": version_of("numpy"),
        "numba": version_of("numba"),
        "commit": commit(),
        "date": __import__("datetime").date.today().isoformat(),
    }


def version_of(package: str) -> str | None:
    """None where it is not installed, as in the environment of a peer."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """The commit that was measured, with a + where files were changed since."""
    try:
        name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "src"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


def read_bandwidth() -> float:
    """Bytes a second that one core reads from memory at best: the floor of everything that scans. Takes half a second."""
    import numba
    import numpy as np

    @numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
    def total(words: Any) -> Any:
        found = np.uint64(0)
        for word in words:
            found += word
        return found

    words = np.ones(1 << 25, np.uint64)  # 256 MB: far beyond the caches
    total(words[:8])
    seconds = []
    for _ in range(7):
        started = time.perf_counter()
        total(words)
        seconds.append(time.perf_counter() - started)
    return words.nbytes / min(seconds)


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile, and mean, in milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000

    return {
        "p50_ms": statistics.median(ordered) * 1000,
        "p95_ms": at(0.95),
        "p99_ms": at(0.99),
        "mean_ms": statistics.fmean(ordered) * 1000,
    }


def drop_from_cache(paths: Iterable[Path], *, everything: bool = False) -> bool:
    """Let the system forget the contents of files (of folders, all that is in them).

    ``everything``: all clean pages, directories and inodes too (``/proc/sys/vm/drop_caches``, as root), the programs' own files
    among them; returns whether that was done. No page is forgotten that a living process has mapped.
    """
    os.sync()
    for path in paths:
        for file in [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]:
            handle = os.open(file, os.O_RDONLY)
            try:
                os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(handle)
    if everything:
        try:
            Path("/proc/sys/vm/drop_caches").write_text("3\n")
        except OSError:
            return False
    return everything


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def keep(name: str, result: dict[str, Any], text: str = "") -> Path:
    """Keep a result as ``docs/results/NAME.json``; `report.py` makes tables and plots of it, or takes ``text`` (Markdown)."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    told = {"machine": machine(), **result, **({"text": text} if text else {})}
    path.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if text:
        print(text)
    return path
