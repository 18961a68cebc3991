"""Questions that a language model writes for passages with the passages' own words, where it has the choice."""

from __future__ import annotations

from typing import Any

from ..._errors import ModelError
from ...language import language_model, problem
from ...language.copying import CopyingFrom
from ...language.protocols import Generator
from .written import Written

__all__ = ["Copied"]


class Copied(Written):
    """As `Written`, by a model that copies from the passage while it writes (`language.copying`), so that it makes fewer things up."""

    name = "copied"
    summary = "a question that a language model wrote for a passage, copying words of it; its document"
    source = "Sun et al., “LargePiG: Your Large Language Model is Secretly a Pointer Generator” (2024)"

    def _opened(self, model: Any) -> Any:
        """Raises `ModelError` for a model that cannot copy."""
        found = language_model(model) if isinstance(model, str) else model
        if wrong := problem(found, copying=True):
            raise ModelError(wrong)
        return found

    def _reading(self, model: Any, passage: str) -> Generator:
        return CopyingFrom(model, passage)
