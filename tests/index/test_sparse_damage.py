"""Altered bytes in any array of a sparse index may give wrong results, but never a crash or an endless loop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sparse_reference import zipf

import bookwheel

WORKER = """
import sys
from pathlib import Path
import numpy as np
from bookwheel._errors import BookwheelError
from bookwheel.index.storage import ArrayFolder
from bookwheel.index.inverted.bm25 import Bm25Index
from bookwheel.kernels.bm25 import Bm25
from bookwheel.index.inverted.merge import merge, reweigh
import os
os.fsync = lambda _: None

folder, seed = Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(seed)
mask = rng.integers(0, 2**63, (40_000 + 63) // 64, dtype=np.int64).astype(np.uint64)
sound = {p: p.read_bytes() for p in sorted(folder.glob("*/*.npy")) if p.stat().st_size > 128}
searched = refused = 0
for trial in range(int(sys.argv[3])):
    path = list(sound)[trial % len(sound)]
    data = bytearray(sound[path])
    size = len(data) - 128
    kind = trial // len(sound) % 3
    if kind == 0:
        for place in rng.integers(128, len(data), max(1, min(40, size // 4))):
            data[place] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        data[128:] = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    else:
        data[128:] = b"\\xff" * size
    path.write_bytes(data)
    try:
        index = Bm25Index(folder / "structure", folder / "impacts")
        for count in (1, 3, 30):
            terms = [f"t{i}" for i in rng.choice(60 if trial % 2 else 1500, count, replace=False)]
            weights = rng.random(count) + 0.1
            for k in (10, 1000):
                hits = index.search(terms, weights, k)
                assert len(hits) <= k and (len(hits) == 0 or 0 <= hits.ids.min() <= hits.ids.max() < 40_000)
            index.search(terms, weights, 10, mask=mask, bm25=Bm25(2.0, 0.1))
            index.score(terms, weights, np.arange(0, 40_000, 97))
            index.document_frequencies(terms, np.arange(0, 40_000, 997))
        if trial % 3 == 0:
            merge([(index, mask), (index, None)], folder / "m", folder / "mi", Bm25())
            reweigh(index, folder / "w", Bm25(), 3.0)
        searched += 1
    except (BookwheelError, IndexError, ValueError, OverflowError, MemoryError):
        refused += 1
    finally:
        path.write_bytes(sound[path])
print(searched, refused)
"""


def test_altered_arrays_do_no_harm(tmp_path: Path) -> None:
    zipf(40_000, 2000, seed=6, mean=5).build(tmp_path, batch=4096)
    environment = {**os.environ, "PYTHONPATH": str(Path(bookwheel.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path), "1", "84"],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    searched, refused = map(int, done.stdout.split())
    assert searched + refused == 84
    assert searched > 40
