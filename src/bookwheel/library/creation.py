"""Creating an empty library."""

from __future__ import annotations

import secrets
from pathlib import Path

from .._allowed import allow
from .._errors import LibraryDamaged, StorageError, UsageError
from ..analysis.analyzer import Analyzer
from ..encode.load import load_encoder
from ..index.storage import NEW, fsync_folder, storage
from .default_recipe import kept_text
from .leases import READERS, prepare
from .lock import LOCK, WriterLock
from .manifest import MANIFEST, Manifest
from .retrieval.registry import representations
from .settings import Settings
from .store import DATABASE, Store

__all__ = ["create"]

_UNFINISHED = {LOCK, READERS, MANIFEST + NEW, DATABASE, *(DATABASE + ending for ending in ("-wal", "-shm", "-journal"))}
"""All that can be in a folder where making a library was interrupted."""
AGAIN = "index the sources again into a new library"


def create(library: Path, settings: Settings, wait: float = 0.0) -> None:
    """Create an empty library, where another process has not done so meanwhile, which is waited for ``wait`` seconds.

    Raises `StorageError` if the folder contains something else, `UsageError` for an unknown
    language, `ModelError` for an unknown encoder and `RecipeError` for a recipe that the library could not run; nothing is
    created then.
    """
    if not isinstance(settings.language, str):
        raise UsageError(f"the language is a name, as in language='english', not {settings.language!r:.80}")
    if settings.language not in ("auto", "none"):
        Analyzer.for_language(settings.language)
    if settings.encoder is not None:
        if settings.encoder.startswith(("http://", "https://")):
            allow(settings.encoder)
        load_encoder(settings.encoder)
    settings = settings.change(recipe=kept_text(settings.recipe, {}, representations(Manifest(settings))))
    if library.exists() and not library.is_dir():
        raise StorageError(f"{library} is a file, not a folder; choose another folder with --library")
    with storage(library):
        others = library.is_dir() and any(path.name not in _UNFINISHED for path in library.iterdir())
        if (library / MANIFEST).exists():  # another process was faster
            return
        if others:
            raise StorageError(f"the folder {library} contains other files; choose another folder with --library")
        try:
            library.mkdir(parents=True, exist_ok=True)
        except (FileNotFoundError, NotADirectoryError, FileExistsError) as error:
            raise StorageError(f"the folder {library} cannot be created; choose another folder with --library") from error
        fsync_folder(library.parent)
    with WriterLock(library, wait):
        if not (library / MANIFEST).exists():
            store = Store(library, write=True)
            try:
                if store.execute("SELECT EXISTS (SELECT 1 FROM documents)")[0][0]:
                    raise LibraryDamaged(f"{library} holds documents but its {MANIFEST} is missing; put it back, or {AGAIN}")
                identity = store.identify(secrets.token_hex(16))
            finally:
                store.close()
            prepare(library)
            Manifest(settings, identity).write(library)
