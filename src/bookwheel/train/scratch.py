"""Models that only exist to be compared: what is made of them to run is deleted again."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..encode.model_cache import models_folder

__all__ = ["forget"]


def forget(model: Path) -> None:
    """Delete the file that runs, such as ``encoder._model.session.path``, where it was made into bookwheel's cache."""
    if models_folder() in model.parents:
        shutil.rmtree(model.parent, ignore_errors=True)
