"""What fitting a linear map after an encoder begins with, checks, and writes, whatever the map is fitted to."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._errors import LibraryChanged, ModelError, UsageError
from ...encode.catalogue import licence_of
from ...encode.find import find_folder
from ...encode.protocols import unit
from ...library.library import Library
from ...library.retrieval.registry import representations
from ...library.settings import EncoderInfo, Representation
from ...library.vectors.encoders import BUILT_IN
from ...library.vectors.importing import import_vectors, stored_passages
from ...library.vectors.stored import passage_vectors
from ..finished import FILE as RECORD
from ..finished import recorded
from ..folder import card, write_folder
from ..plot import FILE
from ..result import Training
from ..run import Job, Run
from .writing import check_mappable, write_mapped

__all__ = ["Map", "MapRun"]

LIKE = 0.98
"""The least median cosine between the vectors of queries by the model, as it is written, and the mapped ones of the encoder."""
MAP = "map.npy"
"""The map by itself, in a model's folder: of a static model it could not be told from its table."""
_AT_ONCE = 2048
_TRIES = 3
"""Of mapping the vectors of a library that others write to."""

Map = NDArray[np.float32]
"""(width, dimension); vectors (n, dimension) become ``unit(vectors @ map.T)``."""


class MapRun(Run):
    """A run for the encoder ``name``, whose result the library gets as ``add``."""

    def __init__(self, job: Job, name: str, add: str | None) -> None:
        super().__init__(job)
        self.name, self.add = name, add
        self.encoder, reference = self._encoder(self.library)
        check_mappable(name, self.encoder)
        self.folder = find_folder(reference)
        self.called = Path(self.encoder.name).name
        """On cards, which need not say where the model lies here."""
        if add is not None:
            Representation(add, "dense", None, EncoderInfo(add, "", self.encoder.dimension, ""), add)  # may it be called so?
            if add in representations(self.library._snapshot.manifest):
                raise UsageError(f"the library has {add!r} already; give --add another name")
        embedded, size = self._embedded(self.library), self.library.passage_count
        if add is not None and embedded < size:
            raise UsageError(
                f"{name} has embedded {embedded:,} of {size:,} passages, and --add maps the vectors of all; type: bookwheel embed {name}"
            )

    def _embedded(self, library: Library) -> int:
        """Passages that have a vector: all, by the built-in encoder; by the newest of the name, which may be replacing another."""
        found = [one.embedded for one in library.encoders() if one.name == self.name]
        return found[-1] if found else library.passage_count

    def _encoder(self, library: Library) -> tuple[Any, str]:
        """The encoder, and how it is found."""
        manifest = library._snapshot.manifest
        known = manifest.representation(self.name)
        if known is not None and known.kind == "dense" and known.encoder is not None:
            return library._encoders.encoder(known), known.encoder
        own = library._encoders.built_in(manifest) if known is None and self.name == BUILT_IN else None
        if own is not None and manifest.settings.encoder is not None:
            return own, manifest.settings.encoder
        names = [one.name for one in manifest.representations if one.kind == "dense" and one.encoder]
        if manifest.settings.encoder is not None and BUILT_IN not in names:
            names.append(BUILT_IN)
        raise UsageError(
            f"{self.name!r:.60} is no dense encoder of the library; there are {', '.join(names) or 'none'}: "
            "bookwheel encoders add NAME=MODEL"
        )

    def require_like(self, asked: NDArray[np.float32], mapped: NDArray[np.float32]) -> None:
        """Raise `ModelError` unless vectors of queries by the written model, ``asked`` (n, width), are the ``mapped`` ones."""
        cosine = float(np.median((unit(asked) * unit(mapped)).sum(1)))
        if cosine < LIKE:
            raise ModelError(
                f"{self.name} cannot be mapped: the model that comes of it gives other vectors (cosine {cosine:.2f}); nothing was "
                "changed, report it with the model's name"
            )

    def fill(self, part: Path, name: str, weights: Map) -> None:
        """Write the encoder with ``weights`` after it into ``part``; ``name`` goes into the description of a static model."""
        source = f"{self.called} (sha256 {self.encoder.sha256[:12]}), mapped by bookwheel train projection"
        write_mapped(part, self.folder, self.encoder, weights, name, source)

    def write(
        self,
        found: Training,
        weights: Map,
        tags: tuple[str, ...],
        says: str,
        facts: Mapping[str, Any],
        rows: Sequence[Sequence[str]],
        picture: str | None = None,
    ) -> None:
        """Write the model's folder, with its map by itself, what was ``found``, a card that ``says`` what it is, and the ``picture``
        of how training went.

        ``rows``: the card's table, its header first.
        """
        folder = self.target

        def written(part: Path) -> None:
            self.fill(part, folder.name, weights)
            np.save(part / MAP, weights.astype(np.float32))
            (part / RECORD).write_text(recorded(found, self.kept.folder.name), encoding="utf-8")
            if picture is not None:
                (part / FILE).write_text(picture, encoding="utf-8")

        begun = {"started from": f"{self.called}, sha256 {self.encoder.sha256}", "compared by": self.compared_by}
        about = card(folder.name, licence_of(self.folder, self.folder.resolve().name), tags, says, {**begun, **facts}, rows)
        write_folder(folder, written, about)

    def added(self, weights: Map | None) -> str | None:
        """Add the model that was written, where it is to be; under which name. ``weights``: None for those in its folder.

        Raises what `import_mapped` raises, and `ModelError` for a folder whose map is damaged.
        """
        if self.add is not None:
            self.import_mapped(self.library, self.add, self.target, self._map() if weights is None else weights)
        self.kept.clear()
        return self.add

    def _map(self) -> Map:
        path = self.target / MAP
        with suppress(OSError, ValueError, EOFError), path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            if found.dtype == np.float32 and found.ndim == 2 and found.shape[1] == self.encoder.dimension:
                return np.asarray(found)
        raise ModelError(f"{path} is damaged; delete {self.target}, and the same command trains anew")

    def import_mapped(self, library: Library, name: str, folder: Path, weights: Map) -> None:
        """Add the model in ``folder`` to ``library`` as ``name``, with the mapped vectors of all its passages.

        They are those of the library as it is now: what was indexed or removed since training began is in them. Raises
        `LibraryChanged` where it changes faster than vectors are mapped, `UsageError` where vectors to map are gone or missing,
        `StorageError`, `BudgetError`, and what `Library.import_vectors` raises.
        """
        for _ in range(_TRIES):
            library.refresh()
            self._require_vectors(library, name, folder)
            with suppress(LibraryChanged):
                self._import(library, name, folder, weights)
                return
        raise LibraryChanged(
            f"{folder} was written, but {name} not added: the library changed {_TRIES} times while vectors were mapped; when nothing "
            f"writes to it, type: bookwheel encoders add {name}={folder}, then bookwheel embed {name}"
        )

    def _require_vectors(self, library: Library, name: str, folder: Path) -> None:
        """Raise `UsageError` unless ``library`` still has a vector of each passage by the encoder that was mapped."""
        try:
            encoder, _ = self._encoder(library)
        except UsageError:
            encoder = None
        embedded, size = self._embedded(library), library.passage_count
        left = None
        if encoder is None:
            left = f"{self.name} was removed"
        elif _of_passages(encoder) != _of_passages(self.encoder):
            left = f"{self.name} was replaced"
        elif embedded < size:
            left = f"the library changed, and {self.name} has embedded {embedded:,} of {size:,} passages"
        if left is not None:
            raise UsageError(
                f"{folder} was written, but {name} not added: meanwhile {left}; type: bookwheel encoders add {name}={folder}, "
                f"then bookwheel embed {name}"
            )

    def _import(self, library: Library, name: str, folder: Path, weights: Map) -> None:
        """Once, of the library as it was last refreshed. Raises `LibraryChanged` where that is over, too."""
        snapshot = library._snapshot
        ids, _, _ = stored_passages(snapshot)
        with tempfile.TemporaryDirectory(prefix="vectors-", dir=self.kept.folder, ignore_cleanup_errors=True) as scratch:
            path = Path(scratch) / "vectors.npy"
            array = np.lib.format.open_memmap(path, "w+", np.float16, (len(ids), len(weights)))
            for start in range(0, len(ids), _AT_ONCE):
                rows = passage_vectors(library._encoders, snapshot, self.name, ids[start : start + _AT_ONCE])
                array[start : start + _AT_ONCE] = unit(rows[:, : weights.shape[1]] @ weights.T)
            array.flush()
            import_vectors(
                library.path, library._encoders, name, path,
                encoder=str(folder), ram=library.ram, wait=library.wait, rows_of=snapshot,
            )  # fmt: skip
        library.refresh()


def _of_passages(encoder: Any) -> Any:
    """The hash of what makes passages' vectors."""
    return getattr(encoder, "passages_sha256", encoder.sha256)
