"""The kinds of needle tests. To add one: a file with its ``KIND``, and a line here."""

from __future__ import annotations

from . import conflict, correction, distractors, facts, moves, several, single, threaded, variables
from .base import Hidden, Kind, NeedleTask

__all__ = ["KINDS", "Hidden", "Kind", "NeedleTask"]

KINDS: dict[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (single, several, threaded, variables, distractors, correction, conflict, facts, moves)
}
