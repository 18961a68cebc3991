"""The stages of recipes, one file each; see `base` for what a stage is."""

from .base import Context, Feedback, Rerank, Rewrite, Search, Stage, stacked
from .registry import find_stage, stage_names

__all__ = ["Context", "Feedback", "Rerank", "Rewrite", "Search", "Stage", "find_stage", "stacked", "stage_names"]
