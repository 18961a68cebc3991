"""Writing the lists of an `IvfDenseIndex` within given memory: one pass over the vectors, one over what it spilled to disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..storage import ArrayStream, FolderWriter, storage
from .calibration import DEEPEST, TARGETS, Need, calibration_queries, depth_rows, find_rows, measured_depths, need_of
from .clusters import Clusters, cluster
from .depth import DepthRow
from .exact import exact_search
from .ivf import PENALTIES, IvfLists
from .keys import numbers_of, scores_of
from .size import GROUP, sketch_columns
from .sketch import encode_rows, grouped

__all__ = ["LIST_ROWS", "IvfWriter", "calibrate_ivf", "list_count"]

LIST_ROWS = 1024
"""The approximate number of rows in a list."""
_SAMPLE_ROWS = 32
"""Rows per list in the sample that is clustered."""
_PIECE = 8192
_MOST_SPILLS = 256
_NO_FACTORS = np.empty(0, dtype=np.uint16)
_NOWHERE = np.uint32(0xFFFFFFFF)


def list_count(rows: int) -> int:
    """The number of lists for ``rows``."""
    return max(1, round(rows / LIST_ROWS))


class IvfWriter:
    """Writes the arrays of the lists of the finished ``vectors`` (n, d) to ``writer``."""

    def __init__(
        self,
        writer: FolderWriter,
        vectors: NDArray[np.float16],
        rotation: NDArray[np.float32],
        *,
        bits: int,
        seed: int,
        memory: int,
        release: Callable[[], None],
    ) -> None:
        self.writer, self.vectors, self.rotation = writer, vectors, rotation
        self.bits, self.seed, self.release = bits, seed, release
        self._half = max(memory // 2, 1 << 22)
        self.dimension = vectors.shape[1]
        self.width = bits * sketch_columns(self.dimension)
        self._record = np.dtype([("row", "<u4"), ("list", "<u4"), ("factor", "<f2"), ("code", "u1", (self.width,))])

    def cluster(self) -> Clusters:
        """Cluster a sample that takes at most half of the memory."""
        n = len(self.vectors)
        count = list_count(n)
        size = min(n, max(_SAMPLE_ROWS * count, 256), self._half // (2 * self.dimension))
        rows = np.sort(np.random.default_rng(self.seed).choice(n, size, replace=False))
        sample = np.empty((len(rows), self.dimension), dtype=np.float16)
        for start in range(0, len(rows), _PIECE):
            sample[start : start + _PIECE] = self.vectors[rows[start : start + _PIECE]]
            self.release()
        return cluster(sample, count, self.seed)

    def write(self, clusters: Clusters) -> dict[str, ArrayStream]:
        """Assign and sketch every row into files by ranges of lists, then write list after list; returns the arrays written."""
        count = len(clusters.centres)
        self.writer.write("centroids", clusters.centres)
        total = len(self.vectors) * self._record.itemsize
        # Sorting a spilled part takes about four times its size.
        spills = min(_MOST_SPILLS, count, max(1, -(-4 * total // self._half)))
        edges = np.arange(spills + 1) * count // spills
        with ExitStack() as stack:
            paths = [self.writer.folder / f"spill-{number}.bin" for number in range(spills)]
            for path in paths:
                stack.callback(path.unlink, missing_ok=True)
            return {"known": self._spill(clusters, paths, edges), **self._gather(paths, edges)}

    def _spill(self, clusters: Clusters, paths: list[Path], edges: NDArray[np.int64]) -> ArrayStream:
        known = self.writer.stream("known", np.uint64)
        with storage(self.writer.folder), ExitStack() as stack:
            files = [stack.enter_context(path.open("wb", buffering=1 << 16)) for path in paths]
            for start in range(0, len(self.vectors), _PIECE):
                rows = self.vectors[start : start + _PIECE].astype(np.float32)
                lists = clusters.assign(rows)
                records = np.empty(len(rows), dtype=self._record)
                records["row"] = np.arange(start, start + len(rows))
                records["list"] = lists
                codes, factors = encode_rows(rows, clusters.centres[lists], self.rotation, self.bits)
                records["code"], records["factor"] = codes, factors
                flags = np.zeros(-(-len(rows) // GROUP) * GROUP, dtype=np.bool_)
                flags[: len(rows)] = factors != 0
                known.append(np.packbits(flags, bitorder="little").view(np.uint64))
                parts = np.searchsorted(edges, lists, side="right") - 1
                order = np.argsort(parts, kind="stable")
                ends = np.searchsorted(parts[order], np.arange(len(paths) + 1))
                for part in np.flatnonzero(np.diff(ends)).tolist():
                    files[part].write(records[order[ends[part] : ends[part + 1]]].tobytes())
                self.release()
        return known

    def _gather(self, paths: list[Path], edges: NDArray[np.int64]) -> dict[str, ArrayStream]:
        codes = self.writer.stream("sketch", np.uint8, (self.width, GROUP))
        factors = self.writer.stream("factors", np.float16, (GROUP,))
        numbers = self.writer.stream("numbers", np.uint32, (GROUP,))
        starts = self.writer.stream("starts", np.int64)
        starts.append(np.zeros(1, dtype=np.int64))
        written = 0
        for path, first, last in zip(paths, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            records = np.fromfile(path, dtype=self._record)
            path.unlink()
            lists = records["list"].astype(np.int64) - first
            held = np.bincount(lists, minlength=last - first)
            ends = np.cumsum(-(-held // GROUP))
            begins, before = ends - -(-held // GROUP), np.cumsum(held) - held
            order = np.argsort(lists, kind="stable")
            lists = lists[order]
            places = GROUP * begins[lists] + np.arange(len(lists)) - before[lists]
            groups = int(ends[-1])
            code, factor = grouped(records["code"][order], records["factor"][order], places, groups)
            rows = np.full(groups * GROUP, _NOWHERE, dtype=np.uint32)
            rows[places] = records["row"][order]
            codes.append(code)
            factors.append(factor)
            numbers.append(rows.reshape(groups, GROUP))
            starts.append(ends + written)
            written += groups
        return {"sketch": codes, "factors": factors, "numbers": numbers, "starts": starts}


def calibrate_ivf(
    vectors: NDArray[np.float16],
    lists: IvfLists,
    clusters: Clusters,
    known: NDArray[np.uint64],
    seed: int,
    ahead: Callable[[int, int], None] | None = None,
) -> tuple[float, list[DepthRow]]:
    """The penalty that ranks lists best (`PENALTIES`), and the rows of the segment's `SearchDepthTable`."""
    depths = measured_depths(len(vectors))
    queries = calibration_queries(
        vectors, seed, lambda rows: (known[rows >> 6] >> (rows & 63).astype(np.uint64)) & np.uint64(1) != 0, mixed=True
    )
    if not len(queries) or not depths:
        return PENALTIES[0], []
    exact = exact_search(vectors, _NO_FACTORS, queries, depths[-1], np.ascontiguousarray(known), ahead)
    best: tuple[float, float, IvfLists, list[NDArray[np.float64]]] | None = None
    owners = [clusters.assign(vectors[hits.ids].astype(np.float32)) for hits in exact]
    for penalty in PENALTIES:
        some = IvfLists.of(lists.sketches, lists.centroids, lists.starts, lists.numbers, penalty)
        ranks = []
        for query, own in zip(queries, owners, strict=True):
            order, _ = some.closest(query, len(some))
            place = np.empty(len(some))
            place[order] = np.arange(1, len(some) + 1)
            ranks.append(place[own])
        needed = float(np.quantile(np.concatenate([rank[: depths[0]] for rank in ranks]), 0.99))
        if best is None or needed < best[0]:
            best = (needed, penalty, some, ranks)
    assert best is not None
    _, penalty, some, ranks = best
    most = int(np.ceil(np.quantile(np.concatenate(ranks), (1 + TARGETS[-1]) / 2)))
    want = min(len(vectors), DEEPEST * depths[-1])
    needs: list[list[Need]] = [[] for _ in depths]
    factors = lists.sketches.factors.reshape(-1)
    for query, hits, rank in zip(queries, exact, ranks, strict=True):
        keys = some.candidates(query, want, most)
        places, estimates = numbers_of(keys), scores_of(keys).astype(np.float64)
        error = factors[places].view(np.float16).astype(np.float64) * np.linalg.norm(query)
        at = find_rows(lists.numbers[places], hits.ids[: depths[-1]])
        for depth, found in zip(depths, needs, strict=True):
            inside = rank[:depth] <= most
            if inside.any():
                found.append(need_of(at[:depth][inside], estimates, error, hits.scores[:depth][inside], rank[:depth][inside]))
            if not inside.all():
                # Their lists are not probed, so nothing is known of their estimates.
                far = rank[:depth][~inside]
                found.append(Need(np.empty(0), np.empty(0), far))
    return penalty, depth_rows(needs, depths, len(vectors))
