"""Training in little memory: methods, a planner that chooses one for a budget, and a loop that can be resumed.

    batches = [...]                                # dictionaries of input_ids and attention_mask
    how = plan(model, largest_batch, "2GB")        # measures nothing yet: shapes tell what a step needs
    outcome = finetune(model, batches, how)        # the first steps measure it; outcome.model is the plain model

`plan` and `finetune` need the extra ``train``; they are imported when they are asked for.
"""

from typing import TYPE_CHECKING, Any

from .registry import METHODS, method

if TYPE_CHECKING:
    from .loop import Outcome, StepReport, finetune
    from .planner import Plan, plan

__all__ = ["METHODS", "Outcome", "Plan", "StepReport", "finetune", "method", "plan"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    places = {"finetune": "loop", "Outcome": "loop", "StepReport": "loop", "plan": "planner", "Plan": "planner"}
    if name not in places:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{places[name]}", __name__), name)
