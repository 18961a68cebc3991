"""What a library is at a moment, small enough to be kept: for telling later what has changed since."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .snapshot import Snapshot

__all__ = ["state"]


def state(snapshot: Snapshot) -> dict[str, Any]:
    """Identity, generation, counts, settings and encoders of the generation being read, for JSON."""
    manifest = snapshot.manifest
    settings = asdict(manifest.settings)
    info = settings.pop("encoder_info", None)
    return {
        "id": manifest.id,
        "generation": snapshot.generation,
        "documents": snapshot.documents,
        "passages": snapshot.passages,
        "settings": {**settings, "encoder_sha256": info["sha256"] if info else None},
        "encoders": {
            one.name: {"kind": one.kind, "model": one.info.name, "sha256": one.info.sha256, "bits": one.bits}
            for one in manifest.representations
        },
    }
