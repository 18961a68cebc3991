"""Vectors that somebody else made, as a representation: checked as a whole before anything is written, then committed at once.

Rows of an array stand for passages in the order of ``bookwheel export --passages``, or for documents in that of ``bookwheel export``, and
then every passage of a document has its document's vector. Rows of weighted terms name their document (``ID``) or passage
(``ID#N``), as those commands do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import InputError, ModelError, UsageError
from ...encode.load import load_encoder
from ...encode.protocols import SparseVectors, unit
from ...encode.vector_files import SparseFile, read_ciff, read_dense, read_term_weights
from ...index.storage import storage
from ...memory.plan import MemoryPlan
from ...memory.shares import BASE
from ...memory.sizes import MIB, ram_of
from ..manifest import SegmentEntry
from ..passage_texts import passage_texts
from ..segment import SEGMENTS
from ..settings import EncoderInfo, Representation
from ..snapshot import Snapshot
from ..writer import Writer
from .changes import reference_of, unused_key
from .encoders import BUILT_IN, Represented
from .kinds.base import Payload
from .kinds.dense import MULTIPLE
from .kinds.sparse import KIND, TermWeights
from .loading import info_of
from .parts import write_part

__all__ = ["attach"]

COMPARED = 8
"""Passages that are encoded to see whether vectors are those of the model named."""
LIKE = 0.5
"""Their median cosine from which they are: other texts of the same documents reach more, other models or another order less."""
SPARSE = (".jsonl", ".json", ".ciff")
TIMES = {".ciff": 6, "": 2}
"""Bytes of memory for each byte of a file of weighted terms, by its ending."""


def attach(
    library: Path,
    represented: Represented,
    name: str,
    vectors: NDArray[Any] | str | Path,
    *,
    encoder: Any = None,
    replacing: bool = False,
    ram: str | int | None = None,
) -> Representation:
    """Add representation ``name`` with ``vectors``: an array (n, d), a ``.npy`` file, or weighted terms (``.jsonl``, ``.ciff``).

    ``encoder`` encodes queries, and what is added later; without it a query has to bring its own vector or weights. Raises
    `InputError` for vectors that are none, or do not fit the library, `UsageError` for a name that is taken, `ModelError` where
    they are not the encoder's, `BudgetError`; nothing is changed then.
    """
    path = None if isinstance(vectors, np.ndarray) else Path(vectors).expanduser()
    kind = "sparse" if path is not None and path.suffix in SPARSE else "dense"
    if path is not None and not path.is_file():
        raise InputError(f"there is no file {path}; give a .npy file of vectors, or .jsonl or .ciff of weighted terms")
    loaded: Any = None
    if encoder is not None:
        ready = hasattr(encoder, "encode") and hasattr(encoder, "sha256")
        loaded = encoder if ready else load_encoder(encoder, kind=kind)
    memory = MemoryPlan(ram_of(ram))
    memory.plan("Python, numpy, compiled kernels", BASE)
    if kind == "sparse" and path is not None:
        memory.plan(f"weighted terms of {path.name}", TIMES.get(path.suffix, TIMES[""]) * path.stat().st_size)
    memory.plan("a part while it is written", 96 * MIB)
    memory.check("attaching")
    with Writer(library, ram=ram) as writer:
        new, old = _named(writer, name, kind, path, vectors, loaded, replacing)
        snapshot = Snapshot(library, writer.manifest, writer.store)
        ids, rows, payload = _payload(snapshot, kind, path, vectors, loaded)
        info = new.info
        if loaded is None and kind == "dense":
            info = replace(info, dimension=payload.dimension)
        elif loaded is not None:
            _check_like(snapshot, name, path, loaded, kind, ids, rows, payload)
            represented.give(loaded)
        new = replace(new, info=info, encoder=None if loaded is None else reference_of(encoder))
        kept = [r for r in writer.manifest.representations if old is None or r.key != old.key]
        gone = {old.key} if old is not None else set()
        entries: list[SegmentEntry] = []
        seed = writer.manifest.settings.seed
        for segment in snapshot.segments:
            here, local = segment.locate(ids)
            entry = replace(segment.entry, parts=tuple(part for part in segment.entry.parts if part.key not in gone))
            if len(here):
                folder = library / SEGMENTS / entry.name
                chosen = _Picked(payload, rows[here]) if kind == "dense" else KIND.take(payload, rows[here])
                with storage(folder):
                    bits = writer.bits(info.dimension)
                    part = write_part(folder, new, writer.generation, seed, [(local.astype(np.int32), chosen)], bits)
                assert part is not None
                entry = replace(entry, parts=(*entry.parts, part))
            entries.append(entry)
        del snapshot
        writer.represent((*kept, new), entries)
    return new


def _named(
    writer: Writer, name: str, kind: str, path: Path | None, vectors: Any, loaded: Any, replacing: bool
) -> tuple[Representation, Representation | None]:
    """The representation to be, and the one whose place it takes. Raises `UsageError`."""
    manifest = writer.manifest
    old = manifest.representation(name)
    if name == BUILT_IN and manifest.settings.encoder is not None:
        raise UsageError(f"{name!r} is the name of the built-in vectors here; give these another name")
    if old is not None and not replacing:
        raise UsageError(
            f"the library has a representation {name!r} by {old.info.name}; forget it first, or name these otherwise"
        )
    if old is not None and old.kind != kind:
        raise UsageError(f"{name!r} is a {old.kind} representation; give the {kind} one another name")
    if loaded is not None:
        info = info_of(loaded)
    else:
        digest = hashlib.sha256()
        if path is not None:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
        else:
            digest.update(np.ascontiguousarray(vectors).tobytes())
        info = EncoderInfo(path.name if path is not None else "an array", "1", 0, digest.hexdigest())
    return Representation(name, kind, None, info, unused_key(manifest, name)), old


class _Rows:
    """Vectors of an array or a file, at unit length and filled up as a part wants them; some rows at a time."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.dimension = int(array.shape[1])

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        taken = unit(np.asarray(self.array[rows], np.float32))
        short = -self.dimension % MULTIPLE
        return np.pad(taken, ((0, 0), (0, short))) if short else taken


class _Picked:
    """Those of a segment's passages, as the payload of a part."""

    def __init__(self, source: _Rows, rows: NDArray[np.int64]) -> None:
        self.source = source
        self.rows = rows

    def __getitem__(self, at: NDArray[np.int64]) -> NDArray[np.float32]:
        return self.source[self.rows[at]]


def _payload(
    snapshot: Snapshot, kind: str, path: Path | None, vectors: Any, loaded: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64], Any]:
    """Living passages, rising; the row of each; and the rows."""
    spans = list(snapshot.store.spans(snapshot.generation))
    names = [document for document, _, _ in spans]
    first = np.array([start for _, start, _ in spans], np.int64)
    count = np.array([passages for _, _, passages in spans], np.int64)
    ends = np.cumsum(count)
    ids = np.repeat(first - (ends - count), count) + np.arange(int(count.sum()))
    if kind == "sparse":
        assert path is not None
        found = read_ciff(path) if path.suffix == ".ciff" else read_term_weights(path)
        return ids, _by_name(path, found, names, count), TermWeights(found.vectors, found.vocabulary)
    if path is not None:
        array = read_dense(path)
    else:
        array = np.asarray(vectors)
        if array.ndim != 2 or array.dtype.kind not in "fiu":
            raise InputError(f"an array of shape {array.shape} and type {array.dtype}; expected (texts, dimension) of numbers")
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array).all(1))[0])
            raise InputError(f"the array has a vector that is not finite in row {bad + 1}; make it again")
    what = str(path) if path is not None else "the array"
    if array.shape[1] < 1:
        raise InputError(f"{what} has vectors of no dimensions; make it again")
    if loaded is not None and array.shape[1] != loaded.dimension:
        raise ModelError(
            f"{what} has vectors of {array.shape[1]} dimensions where {loaded.name} makes {loaded.dimension}; name the model that "
            "made them"
        )
    if len(array) == len(ids):
        return ids, np.arange(len(ids)), _Rows(array)
    if len(array) == len(names):
        return ids, np.repeat(np.arange(len(names)), count), _Rows(array)
    raise InputError(
        f"{what} has {len(array):,} vectors where the library has {len(ids):,} passages of {len(names):,} documents; make one for "
        "each line of `bookwheel export --passages`, in its order (or of `bookwheel export`)"
    )


def _by_name(path: Path, found: SparseFile, names: Sequence[str], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The row of each passage; raises `InputError` where one has none, or a row has no passage."""
    rows = {name: row for row, name in enumerate(found.ids)}
    if len(rows) < len(found.ids):
        double = next(name for row, name in enumerate(found.ids) if rows[name] != row)
        raise InputError(f"{path} has two rows for {double!r}; leave one out")
    out, used = [], set()
    for name, count in zip(names, counts.tolist(), strict=True):
        whole = rows.get(name)
        for number in range(1, count + 1):
            row = rows.get(f"{name}#{number}", whole)
            if row is None:
                raise InputError(
                    f"{path} has no row for passage {number} of document {name[:100]!r}; each needs one, called as in "
                    "`bookwheel export --passages` (or `bookwheel export`)"
                )
            out.append(row)
            used.add(row)
    if len(used) < len(rows):
        other = next(name for row, name in enumerate(found.ids) if row not in used)
        raise InputError(
            f"{path} has {len(rows) - len(used):,} rows of documents that the library has not, {other[:100]!r} the first; leave "
            "them out, or index those documents first"
        )
    return np.array(out, np.int64)


def _check_like(
    snapshot: Snapshot,
    name: str,
    path: Path | None,
    loaded: Any,
    kind: str,
    ids: NDArray[np.int64],
    rows: NDArray[np.int64],
    payload: Payload,
) -> None:
    """Raise `ModelError` where a few passages, encoded by the model, have quite other vectors than those given."""
    if not len(ids):
        return
    at = np.unique(np.linspace(0, len(ids) - 1, COMPARED).astype(np.int64))
    texts = passage_texts(snapshot.store, ids[at].tolist())
    if kind == "dense":
        theirs, own = payload[rows[at]][:, : loaded.dimension], unit(np.asarray(loaded.encode(texts), np.float32))
        cosines = (theirs * own).sum(1)
    else:
        made: SparseVectors = loaded.encode(texts)
        cosines = np.array(
            [_cosine(payload, int(row), made, place, loaded.vocabulary) for place, row in enumerate(rows[at].tolist())]
        )
    if float(np.median(cosines)) < LIKE:
        what = str(path) if path is not None else "the array"
        raise ModelError(
            f"{what} was not made by {loaded.name}, or in another order than `bookwheel export --passages` has: of {len(at)} passages "
            f"the median cosine to its own vectors is {float(np.median(cosines)):.2f}; nothing was attached as {name!r}"
        )


def _cosine(payload: TermWeights, row: int, made: SparseVectors, place: int, vocabulary: Sequence[str]) -> float:
    theirs = {
        payload.vocabulary[term]: float(w) for term, w in zip(*map(np.ndarray.tolist, payload.vectors.row(row)), strict=True)
    }
    own = {vocabulary[term]: float(w) for term, w in zip(*map(np.ndarray.tolist, made.row(place)), strict=True)}
    product = sum(weight * theirs.get(term, 0.0) for term, weight in own.items())
    lengths = sum(w * w for w in theirs.values()) * sum(w * w for w in own.values())
    return product / lengths**0.5 if lengths > 0 else 0.0
