"""What every ``peer_*.py`` shares: a process that builds an index, opens it and answers rounds of queries on command.

It runs in the environment of its peer, so it needs the standard library and numpy and nothing else. A peer is a class with

    build(self, data: str, folder: str, **options) -> dict | None      read ``data`` and write an index into ``folder``
    open(self, folder: str, **options) -> dict | None                  make ready to search; returns what should be known
    search(self, query, k: int) -> sequence of int                     numbers of the best k, best first: this is timed
    queries(self, path: str) -> sequence                               optional: the queries as ``search`` takes them
    throughput(self, queries, k, threads) -> int | None                optional: the tool's own threads; how many it answered

and ends with ``serve(ThatClass)``. Commands come as JSON lines on standard input, answers go as JSON lines to what was standard
output; whatever the peer prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def read_queries(path: str) -> Sequence[Any]:
    """Queries of a file: a JSON list as it is, a ``.npy`` matrix row by row, a folder with CSR arrays as (indices, values)."""
    import numpy as np

    place = Path(path)
    if place.is_dir():
        indptr, indices, values = (np.load(place / f"{name}.npy") for name in ("indptr", "indices", "values"))
        return [(indices[a:b], values[a:b]) for a, b in zip(indptr[:-1].tolist(), indptr[1:].tolist(), strict=True)]
    if place.suffix == ".npy":
        return list(np.ascontiguousarray(np.load(place), np.float32))
    return list(json.loads(place.read_text(encoding="utf-8")))


def disk_bytes(folder: str | Path) -> int:
    """Bytes that the files under ``folder`` take."""
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def at(value: Any, k: int) -> Any:
    """An option of searching: one value, or a pair of which the second is for k=1000."""
    return value[k >= 100] if isinstance(value, list) else value


class Rescorer:
    """Scores candidates again with the vectors of a ``.npy`` file, which stay on disk: what users of compressed codes do."""

    def __init__(self, path: str) -> None:
        import numpy as np

        self.vectors = np.load(path, mmap_mode="r")

    @staticmethod
    def wanted(rescore: int, k: int) -> int:
        """Candidates to re-score: ``rescore`` at k=10, ten times as many at k=1000, as bookwheel measures that it needs; 0: just k."""
        return max(k, round(rescore * (k / 10) ** 0.5))

    def best(self, query: Any, ids: Any, k: int) -> Any:
        """The best ``k`` of the candidates ``ids`` by dot product."""
        import numpy as np

        ids = np.sort(np.asarray(ids, np.int64))
        ids = ids[ids >= 0]
        scores = self.vectors[ids] @ query
        if len(ids) > k:
            top = np.argpartition(-scores, k - 1)[:k]
            ids, scores = ids[top], scores[top]
        return ids[np.argsort(-scores, kind="stable")]


class _Server:
    def __init__(self, peer: Any) -> None:
        self.peer = peer
        self._read: dict[str, Sequence[Any]] = {}

    def _queries(self, path: str) -> Sequence[Any]:
        if path not in self._read:
            self._read[path] = getattr(self.peer, "queries", read_queries)(path)
        return self._read[path]

    def build(self, data: str, folder: str, options: dict[str, Any]) -> dict[str, Any]:
        Path(folder).mkdir(parents=True, exist_ok=True)
        started, processor = time.perf_counter(), time.process_time()
        told = self.peer.build(data, folder, **options) or {}
        seconds = time.perf_counter() - started
        return {"inner_seconds": seconds, "processor_seconds": time.process_time() - processor, **told}

    def open(self, folder: str, options: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        told = self.peer.open(folder, **options) or {}
        return {"open_seconds": time.perf_counter() - started, **told}

    def round(self, queries: str, k: int, at_most: float) -> dict[str, Any]:
        """Every query once, one after the other, each timed; stops after ``at_most`` seconds.

        Before that some are asked untimed: a system may have dropped the pages of mapped files while others had their turn.
        """
        search = self.peer.search
        seconds: list[float] = []
        clock = time.perf_counter
        self._warm(queries, k, at_most / 2)
        processor, end = time.process_time(), clock() + at_most
        for query in self._queries(queries):
            started = clock()
            search(query, k)
            done = clock()
            seconds.append(done - started)
            if done > end:
                break
        return {"seconds": seconds, "processor_seconds": time.process_time() - processor}

    def _warm(self, queries: str, k: int, at_most: float) -> None:
        end = time.perf_counter() + min(at_most, 1.0)
        for query in self._queries(queries):
            self.peer.search(query, k)
            if time.perf_counter() > end:
                break

    def answers(self, queries: str, k: int, out: str, at_most: float) -> dict[str, Any]:
        """The numbers found for the queries that ``at_most`` seconds suffice for: int64 (queries, k), -1 where there are fewer."""
        import numpy as np

        rows, end = [], time.perf_counter() + at_most
        for query in self._queries(queries):
            ids = np.fromiter(self.peer.search(query, k), np.int64)[:k]
            rows.append(np.pad(ids, (0, k - len(ids)), constant_values=-1))
            if time.perf_counter() > end:
                break
        np.save(out, np.array(rows))
        return {"queries": len(rows)}

    def throughput(self, queries: str, k: int, threads: int, at_most: float) -> dict[str, Any]:
        """Queries a second with ``threads`` threads, each taking the next query; the tool's own way where it has one."""
        asked = self._queries(queries)
        self._warm(queries, k, 1.0)
        own = getattr(self.peer, "throughput", None)
        started = time.perf_counter()
        if own is not None:
            done = own(asked, k, threads) or len(asked)
        else:
            end = started + at_most
            rest = iter(asked)

            def work() -> int:
                count = 0
                for query in rest:  # a list's iterator hands each item to one thread only
                    self.peer.search(query, k)
                    count += 1
                    if time.perf_counter() > end:
                        break
                return count

            with ThreadPoolExecutor(threads) as pool:
                done = sum(job.result() for job in [pool.submit(work) for _ in range(threads)])
        return {"queries_per_second": done / (time.perf_counter() - started)}


def serve(make: Callable[[], Any]) -> None:
    """Obey commands until standard input ends; or, called with ``build DATA FOLDER OPTIONS``, that one alone."""
    if sys.argv[1:2] == ["build"]:
        data, folder, options = sys.argv[2:5]
        _Server(make()).build(data, folder, json.loads(options))
        return
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    server = _Server(make())
    print(json.dumps({"ready": True, "python": sys.version.split()[0]}), file=answers, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            told = getattr(server, command.pop("do"))(**command)
        except Exception as error:
            traceback.print_exc()
            told = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(told), file=answers, flush=True)
    # Some tools leave threads or servers running that never end by themselves.
    answers.flush()
    os._exit(0)
