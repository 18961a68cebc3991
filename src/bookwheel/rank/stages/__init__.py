"""The stages of recipes, one file each in the folder of its kind; see `base` for what a stage is."""

from .base import Feedback, Rerank, Rewrite, Search, Stage, stacked
from .context import Context
from .registry import find_stage, stage_names

__all__ = ["Context", "Feedback", "Rerank", "Rewrite", "Search", "Stage", "find_stage", "stacked", "stage_names"]
