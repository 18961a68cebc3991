"""Runs contenders beside each other: one process each, builds one after the other, rounds of queries in turn.

    result = compare("lexical", contenders, data, {"titles": path}, ks=(10, 1000), rounds=5)

`compare` builds what is not built yet by the code as it is (kept under ``.bench/indexes``), opens every index in a fresh
process, warms it, and goes around: each round asks every contender all queries, in an order that shifts from round to round,
so that noise of the machine falls on all alike. Figures are medians over rounds of each round's percentile. Memory is
anonymous memory (RssAnon, with children) and all resident memory (VmHWM for the process itself, VmRSS with children): sampled
every 10 ms while building, and after each command while searching, where a thread that samples would take time from the
searchers.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import ROOT, SCRATCH, machine, percentiles, read_bandwidth
from peers import environment_of, python_of
from sources import builder_of

THREADS = 2
ANSWERING = 40.0
"""Seconds for the answers of one contender, query set and k that recall is measured on."""


@dataclass(frozen=True)
class Contender:
    """One tool in one configuration. ``build`` and ``search`` are the keyword arguments of its two methods."""

    name: str
    script: str
    environment: str | None = None
    """A key of `peers.PEERS`; None is bookwheel itself, in the running environment."""
    build: dict[str, Any] = field(default_factory=dict)
    search: dict[str, Any] = field(default_factory=dict)
    data: Path | None = None
    """Where it takes other data than the rest (the same vectors in another format, say)."""
    queries: dict[str, Path] | None = None
    build_threads: int = THREADS
    built_as: str | None = None
    """What to call its index, where several contenders share one."""

    def key(self, data: Path) -> str:
        """Names its index: contenders that build alike share one."""
        what = json.dumps([self.script, self.environment, self.build, str(data.resolve())], sort_keys=True)
        return f"{self.script.removeprefix('peer_').removesuffix('.py')}-{hashlib.sha256(what.encode()).hexdigest()[:10]}"


class Memory(threading.Thread):
    """Samples the memory of a process and its children until stopped; bytes."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.anonymous = self.total = 0
        self._stop_now = threading.Event()

    def run(self) -> None:
        while not self._stop_now.wait(0.01):
            self.look()

    def look(self) -> tuple[int, int]:
        """Anonymous and resident bytes at present."""
        anonymous = total = 0
        for number, pid in enumerate(_family(self.pid)):
            status = _status(pid)
            anonymous += status.get("RssAnon", 0)
            total += status.get("VmRSS", 0)
            if number == 0:
                self.total = max(self.total, status.get("VmHWM", 0))
        self.anonymous, self.total = max(self.anonymous, anonymous), max(self.total, total)
        return anonymous, total

    def stop(self) -> None:
        self._stop_now.set()
        if self.is_alive():
            self.join()


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found, waiting = [], [pid]
    while waiting:
        found.append(one := waiting.pop())
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += map(int, task.read_text().split())
    return found


def _status(pid: int) -> dict[str, int]:
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return {name: int(value) * 1024 for name, value in re.findall(r"^(RssAnon|VmRSS|VmHWM):\s+(\d+) kB", text, re.M)}


class PeerError(Exception):
    """A peer said that it failed, or ended."""


class Process:
    """One contender's process, obeying the commands of ``peer.serve``."""

    def __init__(self, contender: Contender, threads: int, *, sampled: bool = False) -> None:
        self.contender = contender
        self.process = subprocess.Popen(
            [python_of(contender.environment), ROOT / "bench" / contender.script],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
            env=environment_of(contender.environment, threads),
        )  # fmt: skip
        self.memory = Memory(self.process.pid)
        self._answer()
        self.base = self.memory.look()[0]
        if sampled:
            self.memory.start()

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Obey ``do`` and wait for the answer. Raises `PeerError`."""
        assert self.process.stdin is not None
        try:
            print(json.dumps({"do": do, **arguments}, default=str), file=self.process.stdin, flush=True)
        except OSError:
            raise PeerError(f"{self.contender.name} has ended") from None
        answer = self._answer()
        self.memory.look()
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise PeerError(f"{self.contender.name} ended with exit code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer

    def close(self) -> None:
        self.memory.stop()
        for pid in reversed(_family(self.process.pid)[1:]):  # servers it left running
            with contextlib.suppress(OSError):
                subprocess.run(["kill", str(pid)], check=False)
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def build(contender: Contender, data: Path, count: int, *, again: bool = False) -> dict[str, Any]:
    """Build a contender's index in a process of its own, or tell how it went when it was built. Raises `PeerError`."""
    data = contender.data or data
    place = SCRATCH / "indexes" / contender.key(data)
    kept = place / "build.json"
    source = source_of(contender)
    if kept.is_file() and not again:
        built = dict(json.loads(kept.read_text()))
        if built.get("builder") == source:
            return built
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    say(f"{contender.name}: building from {data.name}")
    python_of(contender.environment)
    started = time.perf_counter()
    process = Process(contender, contender.build_threads, sampled=True)
    try:
        told = process.ask("build", data=str(data.resolve()), folder=str(place / "index"), options=contender.build)
        seconds = time.perf_counter() - started
    finally:
        process.close()
    disk = sum(p.stat().st_size for p in (place / "index").rglob("*") if p.is_file() and not p.is_symlink())
    result = {
        **told,
        "builder": source,
        "seconds": seconds,
        "items_per_second": count / seconds,
        "base_anonymous_bytes": process.base,
        "peak_anonymous_bytes": process.memory.anonymous,
        "peak_total_bytes": process.memory.total,
        "disk_bytes": disk,
        "load": round(os.getloadavg()[0], 2),
    }
    kept.write_text(json.dumps(result, indent=1) + "\n")
    say(f"{contender.name}: built in {seconds:.1f} s, {process.memory.anonymous >> 20} MB anonymous, {disk >> 20} MB on disk")
    return result


def is_built(contender: Contender, data: Path) -> bool:
    """Whether a contender's index is there, built by the code as it is."""
    kept = SCRATCH / "indexes" / contender.key(contender.data or data) / "build.json"
    return kept.is_file() and json.loads(kept.read_text()).get("builder") == source_of(contender)


def compile_kernels() -> None:
    """Have bookwheel's kernels in numba's cache, as an installed bookwheel has: no measured process compiles."""
    code = "import bookwheel.kernels; bookwheel.kernels.warm()"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment_of(None, 1))


def source_of(contender: Contender) -> str:
    """Changes whenever what builds the index does."""
    return builder_of(ROOT / "bench" / contender.script, own=contender.environment is None)


def index_folder(contender: Contender, data: Path) -> Path:
    """Where the index of a contender lies."""
    return SCRATCH / "indexes" / contender.key(contender.data or data) / "index"


def recall(found: Any, truth: Any) -> float:
    """Mean share of each row of ``truth`` (-1: nothing) that the same row of ``found`` has: arrays (queries, k)."""
    shares = []
    for got, true in zip(found, truth, strict=True):
        wanted = set(true[true >= 0].tolist())
        if wanted:
            shares.append(len(wanted.intersection(got.tolist())) / len(wanted))
    return statistics.fmean(shares) if shares else 1.0


def compare(
    name: str,
    contenders: Sequence[Contender],
    data: Path,
    count: int,
    queries: Mapping[str, Path],
    *,
    ks: Sequence[int] = (10, 1000),
    rounds: int = 5,
    at_most: float = 8.0,
    truth: Mapping[tuple[str, int], Any] | None = None,
    builds: int = 1,
    threads: int = THREADS,
) -> dict[str, Any]:
    """All contenders on ``data`` (``count`` items) and on every query set, as a dictionary ready for JSON.

    ``truth`` gives the exact answers by (query set, k), int arrays of shape (queries, k); recall is against it. A round of one
    contender, query set and k ends after ``at_most`` seconds, with the queries it came to. ``builds`` > 1 builds that many
    times, in turn, and keeps the median of the seconds. ``threads`` are those of the throughput; 0 leaves it out.
    """
    results: dict[str, dict[str, Any]] = {
        c.name: {"name": c.name, "built_as": c.built_as or c.name, "search_options": c.search} for c in contenders
    }
    if any(c.environment is None for c in contenders):
        compile_kernels()
    for turn in range(builds):
        for contender in contenders if turn % 2 == 0 else list(reversed(contenders)):
            result = results[contender.name]
            if "error" in result:
                continue
            try:
                built = build(contender, data, count, again=turn > 0)
                result.setdefault("build_seconds", []).append(built["seconds"])
                seconds = statistics.median(result["build_seconds"])
                result["build"] = {**built, "seconds": seconds, "items_per_second": count / seconds}
            except (PeerError, subprocess.CalledProcessError, OSError) as error:
                result["error"] = f"build: {error}"
                say(f"{contender.name}: {error}")
    running: list[Process] = []
    try:
        for contender in contenders:
            if "error" not in results[contender.name]:
                with _telling(results[contender.name], "open"):
                    running.append(_opened(contender, data, queries, ks, results[contender.name], at_most))
        _rounds(running, results, queries, ks, rounds, at_most)
        for process in running:
            _answers(process, results[process.contender.name], name, data, queries, ks, truth or {})
        for turn in range(2 if threads else 0):
            for process in running if turn % 2 == 0 else running[::-1]:
                result = results[process.contender.name]
                with _telling(result, "throughput"):
                    for title, k, path in _cases(process.contender, queries, ks[:1]):
                        told = process.ask("throughput", queries=path, k=k, threads=threads, at_most=at_most)
                        best = result.setdefault("throughput", {}).setdefault(title, {})
                        best[str(k)] = max(best.get(str(k), 0.0), told["queries_per_second"])
        for process in running:
            anonymous, total = process.memory.look()
            results[process.contender.name]["memory"] = {
                "anonymous_bytes": anonymous,
                "total_bytes": total,
                "peak_anonymous_bytes": process.memory.anonymous,
                "peak_total_bytes": process.memory.total,
            }
    finally:
        for process in running:
            process.close()
    return {
        "benchmark": name, "machine": machine(), "read_bytes_per_second": read_bandwidth(),
        "data": data.name, "items": count, "rounds": rounds, "threads": threads,
        "contenders": list(results.values()),
    }  # fmt: skip


def _opened(
    contender: Contender, data: Path, queries: Mapping[str, Path], ks: Sequence[int], result: dict[str, Any], at_most: float
) -> Process:
    process = Process(contender, 1)
    try:
        told = process.ask("open", folder=str(index_folder(contender, data)), options=contender.search)
        result["open"] = {**told, "anonymous_bytes": process.memory.look()[0]}
        for _, k, path in _cases(contender, queries, ks):  # compiles, and brings pages in
            process.ask("round", queries=path, k=k, at_most=at_most / 4)
    except PeerError:
        process.close()
        raise
    say(f"{contender.name}: open, {process.memory.anonymous >> 20} MB anonymous")
    return process


def _rounds(
    running: list[Process], results: dict[str, dict[str, Any]], queries: Mapping[str, Path], ks: Sequence[int], rounds: int,
    at_most: float,
) -> None:  # fmt: skip
    seen: dict[tuple[str, str, int], list[dict[str, float]]] = {}
    for turn in range(rounds):
        for title, k in ((title, k) for title in queries for k in ks):
            for process in running[turn % len(running) :] + running[: turn % len(running)]:
                contender = process.contender
                if "error" in results[contender.name]:
                    continue
                with _telling(results[contender.name], "search"):
                    told = process.ask("round", queries=str((contender.queries or queries)[title]), k=k, at_most=at_most)
                    figures = percentiles(told["seconds"])
                    figures["processor_ms"] = told["processor_seconds"] / len(told["seconds"]) * 1000
                    figures["queries"] = len(told["seconds"])
                    seen.setdefault((contender.name, title, k), []).append(figures)
        say(f"round {turn + 1} of {rounds} done")
    for (name, title, k), all_rounds in seen.items():
        medians = {key: statistics.median(one[key] for one in all_rounds) for key in all_rounds[0]}
        medians["least_p50_ms"] = min(one["p50_ms"] for one in all_rounds)
        results[name].setdefault("latency", {}).setdefault(title, {})[str(k)] = medians


def _answers(
    process: Process, result: dict[str, Any], name: str, data: Path, queries: Mapping[str, Path], ks: Sequence[int],
    truth: Mapping[tuple[str, int], Any],
) -> None:  # fmt: skip
    """Recall; that of another tool's index is kept beside it, as it stays the same (bookwheel's code may have changed)."""
    if not truth:
        return
    import numpy as np

    contender = process.contender
    what = hashlib.sha256(json.dumps(contender.search, sort_keys=True).encode()).hexdigest()[:10]
    kept = index_folder(contender, data).parent / f"recall-{what}.json"
    source = source_of(contender)
    known: dict[str, Any] = {}
    if contender.environment is not None and kept.is_file() and (told := json.loads(kept.read_text())).get("builder") == source:
        known = told["recall"]
    for title, k, path in _cases(contender, queries, ks):
        if (title, k) not in truth:
            continue
        with _telling(result, "answers"):
            place = f"{title} {k} of {len(truth[title, k])}"
            if place not in known:
                out = SCRATCH / "answers" / f"{name}-{result['name']}-{title}-{k}.npy".replace("/", "_").replace(" ", "-")
                out.parent.mkdir(parents=True, exist_ok=True)
                some = process.ask("answers", queries=path, k=k, out=str(out), at_most=ANSWERING)["queries"]
                known[place] = {"recall": recall(np.load(out), truth[title, k][:some]), "queries": some}
            for key, part in (("recall", "recall"), ("recall_queries", "queries")):
                result.setdefault(key, {}).setdefault(title, {})[str(k)] = known[place][part]
    if contender.environment is not None:
        kept.write_text(json.dumps({"builder": source, "search": contender.search, "recall": known}, indent=1) + "\n")


def _cases(contender: Contender, queries: Mapping[str, Path], ks: Sequence[int]) -> Iterable[tuple[str, int, str]]:
    for title in queries:
        for k in ks:
            yield title, k, str((contender.queries or queries)[title])


@contextlib.contextmanager
def _telling(result: dict[str, Any], when: str) -> Any:
    """What goes wrong with one contender is written down and leaves the others alone."""
    try:
        yield
    except PeerError as error:
        result["error"] = f"{when}: {error}"
        say(f"{result['name']}: {when}: {error}")


def say(words: str) -> None:
    """A word on how far it is."""
    print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True)
