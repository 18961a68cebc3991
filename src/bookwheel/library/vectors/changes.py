"""Adding representations to a library, replacing them, and taking them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._errors import UsageError
from ...encode.load import load_encoder
from ..manifest import Manifest
from ..settings import KINDS, Representation
from ..writer import Writer
from .encoders import BUILT_IN, Represented
from .loading import info_of

__all__ = ["forget", "reference_of", "represent", "unused_key"]

BITS = 2
"""Of token vectors, where none are named; see ``docs/refinement.md`` for what each size loses."""


def represent(
    library: Path,
    represented: Represented,
    name: str,
    encoder: Any,
    *,
    kind: str = "dense",
    replacing: bool = False,
    bits: int | None = None,
) -> Representation:
    """Add representation ``name`` by ``encoder``, a reference that finds one or an encoder itself; nothing is encoded yet.

    Where there is one of that name by the same model, that one is kept, and an ``encoder`` given as an object is used for it from
    now on. By another model it is refused, unless ``replacing``: then the old one serves until the new one is filled. Raises
    `UsageError`, `ModelError`, `LibraryLocked`.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no kind of representation {kind!r}; kinds are {', '.join(KINDS)}")
    if bits is not None and (kind != "tokens" or bits not in (1, 2, 4)):
        raise UsageError(f"{bits!r} bits a dimension; token vectors take 1, 2 or 4, other representations none")
    reference = reference_of(encoder)
    # An object that is an encoder already is taken as it is; a name or a function becomes one.
    ready = reference is None and hasattr(encoder, "encode") and hasattr(encoder, "sha256")
    loaded = encoder if ready else load_encoder(reference or encoder, kind=kind)
    info = info_of(loaded)
    represented.give(loaded)
    manifest = Manifest.read(library)
    old = manifest.representation(name)
    if old is not None and old.kind != kind:
        raise UsageError(f"{name!r} is a {old.kind} representation; give the {kind} one another name")
    if old is not None and (old.info.sha256, old.info.dimension) == (info.sha256, info.dimension):
        return old
    exists = old is not None or (name == BUILT_IN and manifest.settings.encoder is not None)
    if exists and not replacing:
        known = old.info if old is not None else manifest.settings.encoder_info
        by = f"{known.name} (revision {known.revision}, sha256 {known.sha256[:12]})" if known else "another model"
        raise UsageError(
            f"{name!r} is made by {by}, not by {info.name} (revision {info.revision}, sha256 {info.sha256[:12]}); vectors of two "
            f"models do not mix: replace it with `bookwheel refine --replace {name}=MODEL`, or give the new one another name"
        )
    if replacing and not exists:
        raise UsageError(f"there is no {name!r} to replace; add it with: bookwheel refine --add {name}=MODEL")
    if replacing and name == BUILT_IN and kind != "dense":
        raise UsageError(f"{name!r} is a dense representation; give the {kind} one another name")
    if old is not None and old.replaces:
        raise UsageError(
            f"{name!r} is being replaced already, by {old.info.name}; finish that with `bookwheel refine`, then again"
        )
    new = Representation(
        name,
        kind,
        reference,
        info,
        unused_key(manifest, name),
        bits=(bits or BITS) if kind == "tokens" else 0,
        replaces=(old.key if old is not None else BUILT_IN) if exists else None,
    )
    with Writer(library) as writer:
        writer.represent((*writer.manifest.representations, new))
    return new


def forget(library: Path, name: str) -> int:
    """Take representation ``name`` out; returns how many passages it held. Raises `UsageError` where there is none."""
    with Writer(library) as writer:
        gone = {r.key for r in writer.manifest.representations if r.name == name}
        if not gone:
            known = ", ".join(r.name for r in writer.manifest.representations) or "none"
            raise UsageError(f"the library has no representation {name!r} to take out; those added are: {known}")
        held = sum(entry.filled(key) for entry in writer.manifest.segments for key in gone)
        kept: Sequence[Representation] = [r for r in writer.manifest.representations if r.key not in gone]
        entries = [
            replace(entry, parts=tuple(part for part in entry.parts if part.key not in gone))
            for entry in writer.manifest.segments
        ]
        writer.represent(kept, entries)
    return held


def reference_of(encoder: Any) -> str | None:
    """How an encoder is found again from anywhere: a folder by its whole path, any other name as it is; None for an object."""
    if not isinstance(encoder, str | Path):
        return None
    folder = Path(encoder).expanduser()
    try:
        return str(folder.absolute()) if folder.is_dir() else str(encoder)
    except OSError:  # a name too long for a path
        return str(encoder)


def unused_key(manifest: Manifest, name: str) -> str:
    """What the folders of a new representation ``name`` are called."""
    taken = {representation.key for representation in manifest.representations} | {BUILT_IN}
    if name not in taken:
        return name
    return next(f"{name}~{number}" for number in range(2, 1 << 20) if f"{name}~{number}" not in taken)
