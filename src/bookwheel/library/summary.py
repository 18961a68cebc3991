"""What `bookwheel info` tells of a library."""

from __future__ import annotations

from ..index.storage import ArrayFolder
from .memory_plan import HOT, hot_parts
from .results import Info
from .snapshot import Snapshot
from .sweeping import PRUNED, SIGNATURES

__all__ = ["summary"]


def summary(snapshot: Snapshot) -> Info:
    """The state of the generation being read, and its bytes on disk and in memory by part."""
    disk: dict[str, int] = dict(snapshot.store.sizes())
    for segment in snapshot.segments:
        for folder in segment.folders():
            kind = folder.folder.name.split("-0")[0]
            for name, size in folder.sizes().items():
                disk[f"{kind}/{name}"] = disk.get(f"{kind}/{name}", 0) + size
    for run in snapshot.manifest.signatures:
        for name, size in ArrayFolder(snapshot.library / SIGNATURES / run.name).sizes().items():
            disk[f"{SIGNATURES}/{name}"] = disk.get(f"{SIGNATURES}/{name}", 0) + size
    if snapshot.manifest.pruned is not None:
        for name, size in ArrayFolder(snapshot.library / PRUNED / snapshot.manifest.pruned.name).sizes().items():
            disk[f"{PRUNED}/{name}"] = size
    copies, orphans = snapshot.store.copies_at(snapshot.generation)
    return Info(
        path=str(snapshot.library),
        generation=snapshot.generation,
        documents=snapshot.documents,
        passages=snapshot.passages,
        removed_passages=snapshot.removed_passages,
        segments=len(snapshot.segments),
        settings=snapshot.manifest.settings,
        fields=tuple(dict.fromkeys([*snapshot.store.fields(), *snapshot.store.file_fields()])),
        copies=copies,
        orphans=orphans,
        pruned_passages=snapshot.pruned_passages,
        unjudged_passages=snapshot.unjudged_passages,
        languages={name: some.documents for name, some in snapshot.manifest.languages.items()},
        disk=disk,
        memory={HOT.get(name, name): size for name, size in hot_parts(snapshot).items()},
    )
