"""The library's dense encoder, and the check that it is the one its vectors were made with."""

from __future__ import annotations

from .._errors import ModelError
from ..encode.base import DenseEncoder, load_encoder
from .settings import Settings

__all__ = ["encoder_of"]


def encoder_of(settings: Settings) -> DenseEncoder | None:
    """The library's dense encoder; raises `ModelError` where it is missing or not the one its vectors were made with."""
    if settings.encoder is None:
        return None
    encoder = load_encoder(settings.encoder)
    info = settings.encoder_info
    if info is not None and info.sha256 != encoder.sha256:
        raise ModelError(
            f"the library's vectors were made by {info.name} (revision {info.revision}, {info.dimension} dimensions, sha256 "
            f"{info.sha256[:12]}), but {settings.encoder} is now {encoder.name} (revision {encoder.revision}, "
            f"{encoder.dimension} dimensions, sha256 {encoder.sha256[:12]}); put the old model back, "
            "or index the sources again into a new library"
        )
    return encoder
