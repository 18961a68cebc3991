"""Adding encoders to a library, replacing them, and removing them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..._allowed import allow
from ..._errors import ModelError, UsageError
from ..default_recipe import needs
from ..manifest import Manifest
from ..retrieval.registry import representations
from ..saved_recipes import read_recipes
from ..settings import Representation
from ..writer import Writer
from .encoders import BUILT_IN, Encoders, info_of
from .kinds import kind_of

__all__ = ["add", "reference_of", "remove", "replace_encoder", "unused_key"]


def add(
    library: Path,
    encoders: Encoders,
    name: str,
    encoder: Any,
    *,
    kind: str = "dense",
    bits: int | None = None,
    wait: float = 0.0,
) -> Representation:
    """Add ``encoder``, a reference to one or an encoder itself, under ``name``; nothing is embedded yet.

    Where ``name`` is by the same model already, it stays, and an ``encoder`` given as an object is used
    for it from now on. Raises `UsageError` where ``name`` is by another model or of another kind,
    `ModelError`, `LibraryLocked`.
    """
    new, manifest = _made(library, encoders, name, encoder, kind, bits)
    old = manifest.representation(name)
    if old is not None and _same(old, new):
        return old
    if name in representations(manifest):
        known = old.info if old is not None else manifest.settings.encoder_info
        by = f"{known.name} (revision {known.revision}, sha256 {known.sha256[:12]})" if known else "another retriever"
        raise UsageError(
            f"{name!r} is made by {by}, not by {new.info.name} (revision {new.info.revision}, sha256 {new.info.sha256[:12]}); "
            f"vectors of two models must not be mixed: replace it with `bookwheel encoders replace {name}=MODEL`, or add the "
            "new one under another name"
        )
    return _written(library, new, wait)


def replace_encoder(
    library: Path,
    encoders: Encoders,
    name: str,
    encoder: Any,
    *,
    kind: str = "dense",
    bits: int | None = None,
    wait: float = 0.0,
) -> Representation:
    """Put ``encoder`` in the place of the one called ``name``, whose vectors serve until the new ones are complete.

    Where both encode passages alike and only queries otherwise, the vectors stay.

    Raises `UsageError` where there is none of that name and kind, or it is being replaced already,
    `ModelError`, `LibraryLocked`.
    """
    new, manifest = _made(library, encoders, name, encoder, kind, bits)
    old = manifest.representation(name)
    if old is not None and _same(old, new):
        return old
    if old is not None and old.replaces:
        raise UsageError(
            f"{name!r} is already being replaced, by {old.info.name}; complete that with `bookwheel embed {name}`, then try again"
        )
    if old is None and (name != BUILT_IN or manifest.settings.encoder is None):
        raise UsageError(f"there is no encoder {name!r} to replace; add it with: bookwheel encoders add {name}=MODEL")
    if old is not None and old.encoder is not None and _same_passages(encoders, old, new):
        with Writer(library, wait=wait) as writer:
            kept = replace(old, encoder=new.encoder, info=new.info)
            writer.set_representations([kept if one == old else one for one in writer.manifest.representations])
        return kept
    return _written(library, replace(new, replaces=BUILT_IN if old is None else old.key), wait)


def _made(
    library: Path, encoders: Encoders, name: str, encoder: Any, kind: str, bits: int | None
) -> tuple[Representation, Manifest]:
    """The representation to be, and the manifest that it was checked against."""
    checked = kind_of(kind).checked_bits(bits)
    reference = reference_of(encoder)
    loaded = encoders.load(encoder if reference is None else reference, kind, again=True)
    if reference is None:
        encoders.give(loaded)
    manifest = Manifest.read(library)
    known = representations(manifest).get(name, kind)
    if known != kind:
        raise UsageError(f"{name!r} is a {known} representation; add the {kind} one under another name")
    return Representation(name, kind, reference, info_of(loaded), unused_key(manifest, name), bits=checked), manifest


def _same(old: Representation, new: Representation) -> bool:
    return (old.info.sha256, old.info.dimension) == (new.info.sha256, new.info.dimension)


def _same_passages(encoders: Encoders, old: Representation, new: Representation) -> bool:
    """Whether both encode passages alike, so that only queries are encoded otherwise."""
    if new.encoder is None or old.bits != new.bits or old.info.dimension != new.info.dimension:
        return False
    found = getattr(encoders.load(new.encoder, new.kind), "passages_sha256", None)
    if found is None or found == old.info.sha256:
        return found is not None
    try:
        return bool(getattr(encoders.encoder(old), "passages_sha256", None) == found)
    except ModelError:  # the old one is gone: it is replaced as any other
        return False


def _written(library: Path, new: Representation, wait: float) -> Representation:
    with Writer(library, wait=wait) as writer:
        writer.set_representations((*writer.manifest.representations, new))
    return new


def remove(library: Path, name: str, wait: float = 0.0) -> int:
    """Remove the encoder called ``name`` with its vectors; returns how many passages were embedded.

    Raises `UsageError` where there is none, or the library's default recipe needs it.
    """
    with Writer(library, wait=wait) as writer:
        gone = {one.key for one in writer.manifest.representations if one.name == name}
        if not gone:
            known = ", ".join(dict.fromkeys(one.name for one in writer.manifest.representations)) or "none"
            raise UsageError(f"the library has no encoder {name!r} to remove; those added are: {known}")
        left = [one for one in writer.manifest.representations if one.key not in gone]
        default, saved = writer.manifest.settings.recipe, read_recipes(library)
        before, after = representations(writer.manifest), representations(replace(writer.manifest, representations=tuple(left)))
        if needs(default, saved, before, after):
            raise UsageError(
                f"the library's default recipe, '{default}', uses {name!r}; choose another first with `bookwheel configure --recipe`"
            )
        embedded = sum(entry.embedded(key) for entry in writer.manifest.segments for key in gone)
        entries = [
            replace(entry, parts=tuple(part for part in entry.parts if part.key not in gone))
            for entry in writer.manifest.segments
        ]
        writer.set_representations(left, entries)
    return embedded


def reference_of(encoder: Any) -> str | None:
    """How an encoder is found again from any folder: its own folder as an absolute path, any other name as it is.

    None for an object. An address is allowed from now on: who writes it down means it.
    """
    if not isinstance(encoder, str | Path):
        return None
    if str(encoder).startswith(("http://", "https://")):
        allow(str(encoder))
        return str(encoder)
    folder = Path(encoder).expanduser()
    try:
        return str(folder.absolute()) if folder.is_dir() else str(encoder)
    except OSError:  # a name too long for a path
        return str(encoder)


def unused_key(manifest: Manifest, name: str) -> str:
    """The name of the folders of a new representation ``name``."""
    taken = {representation.key for representation in manifest.representations} | {BUILT_IN}
    if name not in taken:
        return name
    return next(f"{name}~{number}" for number in range(2, 1 << 20) if f"{name}~{number}" not in taken)
