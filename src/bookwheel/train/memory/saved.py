"""A training run on disk: written whole or not at all, and read without running anything that is in the file."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from ..._errors import StorageError, TrainingError
from .protocols import Attached

__all__ = ["load_saved", "write_saved"]

VERSION = 1


def write_saved(file: Path, name: str, attached: Attached, losses: list[float]) -> None:
    """Write weights, states, the random generator and the losses so far of the run ``name``. Raises `StorageError`."""
    found = {
        "version": VERSION,
        "name": name,
        "losses": losses,
        "random": torch.get_rng_state(),
        "weights": {key: weight.detach() for key, weight in attached.trained().items()},
        "state": attached.state(),
    }
    scratch = file.with_name(f"{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as stream:
            torch.save(found, stream)
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(file)
    except (OSError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError
        scratch.unlink(missing_ok=True)
        number, told = (error.errno, error.strerror) if isinstance(error, OSError) else (errno.ENOSPC, "")
        why = "the disk is full" if number in (errno.ENOSPC, errno.EDQUOT) else told
        raise StorageError(
            f"the training run could not be saved to {file} ({why}); "
            "what was saved before is as it was: make room and run the same command to go on from there"
        ) from error


def load_saved(file: Path, name: str, attached: Attached) -> list[float]:
    """Make ``attached`` what was saved of the run ``name``, and return the losses; an empty list where there is nothing.

    Raises `TrainingError` for a run with other settings, or a damaged file.
    """
    if not file.exists():
        return []
    instead = f"remove {file} to begin again, or give another folder"
    try:
        found = torch.load(file, weights_only=True, mmap=True)
        if found["version"] != VERSION:
            raise TrainingError(f"the training run in {file} is of another version of bookwheel; {instead}")
        if found["name"] != name:
            raise TrainingError(f"the training run in {file} has other settings than this one; {instead}")
        weights, mine = found["weights"], attached.trained()
        if {key: weight.shape for key, weight in weights.items()} != {key: weight.shape for key, weight in mine.items()}:
            raise TrainingError(f"the training run in {file} is of another model; {instead}")
        losses = [float(loss) for loss in found["losses"]]
        attached.load(_copied(found["state"]))
        with torch.no_grad():
            for key, weight in mine.items():
                weight.copy_(weights[key])
        torch.set_rng_state(found["random"].clone())
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, AttributeError, pickle.UnpicklingError) as error:
        raise TrainingError(f"the training run in {file} is damaged; {instead}") from error
    return losses


def _copied(found: Any) -> Any:
    """Tensors of a mapped file as memory of this process."""
    if isinstance(found, torch.Tensor):
        return found.clone()
    if isinstance(found, dict):
        return {key: _copied(value) for key, value in found.items()}
    return [_copied(value) for value in found] if isinstance(found, list) else found
