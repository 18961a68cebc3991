"""The dense encoder that teaches another model: one of the library, a folder or a package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._errors import UsageError
from ..encode.load import load_encoder
from ..encode.protocols import DenseEncoder
from ..encode.static.built_in import StaticEncoder
from ..encode.static.lookup import LookupEncoder
from ..library.reader import Reader

__all__ = ["dense_teacher"]


def dense_teacher(library: Reader, named: str | Path) -> DenseEncoder:
    """The encoder ``named``. Raises `UsageError` for a static one, `ModelError`."""
    known = library._snapshot.manifest.representation(str(named))
    found: Any = load_encoder(str(named)) if known is None else library._encoders.encoder(known)
    if isinstance(found, StaticEncoder | LookupEncoder):
        raise UsageError(f"{named} is a static model, which has nothing to teach another; name a transformer")
    teacher: DenseEncoder = found
    return teacher
