"""How long a step of an encoder takes, before any is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..memory.planner import Plan
    from .model import SentenceEncoder

__all__ = ["seconds_of_step"]


def seconds_of_step(model: SentenceEncoder, batch: dict[str, Any], plan: Plan, layers: int = 0) -> float:
    """About how long a step over ``batch`` takes; where `CachedContrast` takes it in parts, each goes forward twice."""
    import torch

    from ..memory.modules import last_layers
    from ..trainable import step_seconds

    def once(part: dict[str, Any]) -> None:
        if plan.rows < len(batch.get("role", ())):
            with torch.no_grad():
                model(part)
        model(part).sum().backward()

    with last_layers(model, layers):
        return step_seconds(model, batch, plan.rows, once, lambda part: int(part["attention_mask"].numel()))
