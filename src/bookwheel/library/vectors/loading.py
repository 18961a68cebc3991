"""The encoders of a library, and the check that each is the one its vectors were made with."""

from __future__ import annotations

from typing import Any

from ..._errors import ModelError
from ...encode.load import load_encoder
from ...encode.protocols import DenseEncoder
from ..settings import EncoderInfo, Settings

__all__ = ["encoder_of", "info_of", "refuse_other"]


def info_of(encoder: Any) -> EncoderInfo:
    """What the manifest keeps of ``encoder``; a learned sparse one has no dimension."""
    return EncoderInfo(encoder.name, encoder.revision, int(getattr(encoder, "dimension", 0)), encoder.sha256)


def refuse_other(what: str, reference: str, info: EncoderInfo, encoder: Any) -> None:
    """Raise `ModelError` where ``encoder``, found as ``reference``, is not the one that ``info`` tells of."""
    now = info_of(encoder)
    if now.sha256 != info.sha256 or now.dimension != info.dimension:
        raise ModelError(
            f"the library's vectors {what!r} were made by {info.name} (revision {info.revision}, {info.dimension} dimensions, "
            f"sha256 {info.sha256[:12]}), but {reference} is now {now.name} (revision {now.revision}, "
            f"{now.dimension} dimensions, sha256 {now.sha256[:12]}); put the old model back, or fill {what!r} anew with: "
            f"bookwheel refine --replace {what}={reference}"
        )


def encoder_of(settings: Settings) -> DenseEncoder | None:
    """The library's dense encoder; raises `ModelError` where it is missing or not the one its vectors were made with."""
    if settings.encoder is None:
        return None
    encoder = load_encoder(settings.encoder)
    if settings.encoder_info is not None:
        refuse_other("dense", settings.encoder, settings.encoder_info, encoder)
    return encoder
