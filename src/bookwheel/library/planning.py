"""What indexing and searching will need, told before there is a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import UsageError
from .._numbers import whole
from ..memory.sizes import DEFAULT, ram_of
from .memory_plan import STATIC, LibraryPlan, plan_library, sketch_bits

if TYPE_CHECKING:
    from .estimate import Estimate

__all__ = ["LibraryPlan", "plan"]


def plan(
    paths: str | Path | Sequence[str | Path] | None = None,
    *,
    passages: int | None = None,
    dimension: int | None = None,
    encoder: Any = "static",
    unit: str = "passage",
    words: int = 120,
    ram: str | int | None = None,
) -> LibraryPlan:
    """The memory and disk that indexing and searching need, by part; nothing is written.

    Give ``paths``, of which a sample is read to estimate their number of passages, or ``passages``. ``dimension`` is that of
    the dense vectors (0 for none), by default that of ``encoder`` (None: no vectors); ``unit``, ``words`` and ``ram`` as
    `bookwheel.open` takes them. Nothing is refused: `LibraryPlan.check` raises `BudgetError` for a plan that does not fit.
    Raises `UsageError`, `InputError` for paths that match nothing, `ModelError`.
    """
    if (paths is None) == (passages is None):
        raise UsageError("a plan needs either paths or a number of passages")
    if passages is not None and (passages := whole(passages, "passages")) < 1:
        raise UsageError(f"the number of passages must be at least 1, not {passages}")
    width, model = _vectors(dimension, encoder)
    files: Estimate | None = None
    if passages is None:
        from .estimate import estimate

        given = [paths] if isinstance(paths, str | Path) else list(paths or ())
        files = estimate(given, unit=unit, words=words)
        passages = files.passages
    allowed = None if ram is None else ram_of(ram)
    bits = sketch_bits(passages, width, allowed, model)
    made = plan_library(passages, width, DEFAULT if allowed is None else allowed, encoder=model, bits=bits)
    return replace(made, files=files)


def _vectors(dimension: int | None, encoder: Any) -> tuple[int, int]:
    """Dimension of the vectors, and bytes of memory of their encoder."""
    from ..encode.load import load_encoder
    from ..encode.protocols import nbytes

    if dimension is not None:
        if dimension and (dimension % 8 or not 8 <= dimension <= 4096):
            raise UsageError(f"dimension must be a multiple of 8 between 8 and 4096, or 0 for no vectors, not {dimension}")
        return dimension, STATIC
    if encoder is None:
        return 0, 0
    loaded = load_encoder(encoder)
    return loaded.dimension, nbytes(loaded) or STATIC
