"""The one owner of a library's encoders: each found by its name, checked, held once, and counted once."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from ..._errors import ModelError, RecipeError
from ...encode.find import BUILT_IN_MODELS, find_folder, weight_files
from ...encode.load import load_encoder
from ...encode.protocols import DenseEncoder, nbytes
from ...language.query_writer import QueryWriter, is_writer
from ...memory.shares import STATIC
from ..manifest import Manifest
from ..settings import EncoderInfo, Representation
from .cache import VectorCache
from .on_demand import OnDemand

__all__ = ["BUILT_IN", "Encoders", "info_of", "is_encoder", "named"]

BUILT_IN = "dense"
"""The name of the vectors made while indexing, until another encoder replaces theirs."""


_built_in: WeakValueDictionary[str, Any] = WeakValueDictionary()
"""By sha256: the models that come with bookwheel, which libraries share as long as one of them holds it."""


class Encoders:
    """The encoders of one library, loaded when first needed. Thread-safe."""

    def __init__(self, library: Path) -> None:
        self.library = library
        self.cache = VectorCache(library)
        self._given: dict[str, Any] = {}
        """By sha256: encoders that a program gave as objects."""
        self._loaded: dict[tuple[str, str], Any] = {}
        """By kind and sha256, so that a model which serves several representations is held once."""
        self._references: dict[tuple[str, str], str] = {}
        """By kind and name or folder: the sha256 of what was found there."""
        self._on_demand: dict[str, OnDemand] = {}
        self._lock = threading.RLock()

    def renewed(self) -> Encoders:
        """The same for another library made at the same path: the models loaded, none of the cached vectors."""
        other = Encoders(self.library)
        with self._lock:
            other._given, other._loaded, other._references = self._given, self._loaded, self._references
        return other

    def after_fork(self) -> None:
        """In a forked child: locks that another thread held are never released, and connections are the parent's."""
        self._lock = threading.RLock()
        self.cache.after_fork()

    def give(self, encoder: Any) -> None:
        """Use this object for every representation whose vectors it made."""
        with self._lock:
            self._given[info_of(encoder).sha256] = encoder

    def load(self, encoder: Any, kind: str, *, again: bool = False, download: bool = True) -> Any:
        """The encoder that ``encoder`` names (a model's name or folder, a function), or itself.

        A named one is loaded once, unless ``again`` asks to look whether it changed. ``download``: see `load_encoder`. Raises `ModelError`.
        """
        if is_encoder(encoder):
            return encoder
        if not isinstance(encoder, str):
            return load_encoder(encoder, kind)
        with self._lock:
            known = self._references.get((kind, encoder))
            if known is None or again:
                found = _found(encoder, kind, download)
                known = self._references[kind, encoder] = found.sha256
                if encoder in BUILT_IN_MODELS:  # one for all libraries of the process
                    found = _built_in.setdefault(known, found)
                self._loaded.setdefault((kind, known), found)
            return self._loaded[kind, known]

    def encoder(self, representation: Representation) -> Any:
        """The encoder of ``representation``.

        Raises `ModelError` where it is missing, or is not the one that made the vectors.
        """
        with self._lock:
            if (given := self._given.get(representation.info.sha256)) is not None:
                return given
            if representation.encoder is None:
                raise ModelError(
                    f"the vectors {representation.name!r} were made outside this library, by {representation.info.name}, so no "
                    f"query can be encoded; in Python, give their encoder with library.add_encoder({representation.name!r}, "
                    "encoder)"
                )
            return self._of(representation.encoder, representation.kind, representation.name, representation.info)

    def built_in(self, manifest: Manifest) -> DenseEncoder | None:
        """The encoder of the vectors made while indexing; None for a library without them. Raises `ModelError`."""
        settings = manifest.settings
        if settings.encoder is None:
            return None
        found: DenseEncoder = self._of(settings.encoder, "dense", BUILT_IN, settings.encoder_info)
        return found

    def _of(self, reference: str, kind: str, name: str, info: EncoderInfo | None) -> Any:
        with self._lock:
            if info is not None and (kind, info.sha256) in self._loaded:
                return self._loaded[kind, info.sha256]
            found = self.load(reference, kind, download=False)  # it is the library that names it
            if info is not None:
                try:
                    _check_same(name, reference, info, found)
                except ModelError:
                    self._references.pop((kind, reference))  # so that it is found once it is put back
                    raise
            return found

    def available(self, representation: Representation) -> bool:
        """Whether its encoder has a name or was given: not where its vectors were imported without one."""
        return representation.encoder is not None or representation.info.sha256 in self._given

    def on_demand(self, representation: Representation) -> OnDemand | None:
        """What encodes passages of ``representation`` while a query waits; None without an encoder."""
        if not self.available(representation):
            return None
        with self._lock:
            key = representation.key
            if key not in self._on_demand:
                self._on_demand[key] = OnDemand(self.cache, self.encoder(representation), representation)
            return self._on_demand[key]

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the encoders that are held now; each counts once."""
        with self._lock:
            held = {id(one): one for one in (*self._loaded.values(), *self._given.values())}
        return sum(map(nbytes, held.values()))

    def parts(self, manifest: Manifest, names: Iterable[str] | None = None) -> dict[Hashable, int]:
        """Bytes of memory by encoder: of those held now, and of those that searching ``names`` (all where None) will load."""
        with self._lock:
            held = {one.sha256: one for one in (*self._loaded.values(), *self._given.values())}
        found: dict[Hashable, int] = {("encoder", sha256): nbytes(one) for sha256, one in held.items()}
        settings = manifest.settings
        wanted = [(BUILT_IN, settings.encoder, settings.encoder_info)]
        wanted += [(one.name, one.encoder, one.info) for one in manifest.representations]
        for name, reference, info in wanted:
            if reference is None or info is None or ("encoder", info.sha256) in found:
                continue
            if (names is None or name in names) and not reference.startswith(("http://", "https://")):
                found["encoder", info.sha256] = _bytes_on_disk(reference)
        return found

    def close(self) -> None:
        """Write what searching cached, and close the files."""
        self.cache.close()


def _bytes_on_disk(reference: str) -> int:
    """About as many bytes as the model takes once it is loaded; 0 where it is not there, which is told when it is loaded."""
    if reference in BUILT_IN_MODELS:
        return STATIC
    try:
        files = [path.stat().st_size for path in weight_files(find_folder(reference))]
    except (ModelError, OSError):
        return 0
    return max(files, default=0)


def named(manifest: Manifest, name: str) -> Representation:
    """The representation that an encoder was added for as ``name``; raises `RecipeError` where there is none."""
    found = manifest.representation(name)
    if found is None:
        added = ", ".join(dict.fromkeys(one.name for one in manifest.representations)) or "none"
        raise RecipeError(
            f"the library has no encoder {name!r}; those added are: {added}; add it with: bookwheel encoders add {name}=MODEL"
        )
    return found


def is_encoder(thing: Any) -> bool:
    """Whether ``thing`` is an encoder itself, not the name of one or a function."""
    return hasattr(thing, "encode") and hasattr(thing, "sha256")


def info_of(encoder: Any) -> EncoderInfo:
    """What the manifest keeps of ``encoder``; a learned-sparse one has no dimension."""
    return EncoderInfo(encoder.name, encoder.revision, int(getattr(encoder, "dimension", 0)), encoder.sha256)


def _check_same(name: str, reference: str, info: EncoderInfo, encoder: Any) -> None:
    """Raise `ModelError` where ``encoder``, found as ``reference``, is not the one that ``info`` describes."""
    now = info_of(encoder)
    if now.sha256 != info.sha256 or now.dimension != info.dimension:
        raise ModelError(
            f"the library's vectors {name!r} were made by {info.name} (revision {info.revision}, {info.dimension} dimensions, "
            f"sha256 {info.sha256[:12]}), but {reference} is now {now.name} (revision {now.revision}, "
            f"{now.dimension} dimensions, sha256 {now.sha256[:12]}); put the old model back, or embed the passages anew with: "
            f"bookwheel encoders replace {name}={reference}"
        )


def _found(named: str, kind: str, download: bool) -> Any:
    """What ``named`` names, in a library: a trained writer of queries, too, which is a sparse encoder."""
    if is_writer(folder := Path(named).expanduser()):
        if kind != "sparse":
            raise ModelError(f"{named} writes queries, whose terms are searched; add it with --kind sparse")
        return QueryWriter(folder)
    return load_encoder(named, kind, download=download)
