"""A worker that a text can end, as a fault in a library in C would."""

from __future__ import annotations

import os
from typing import Any

from bookwheel.library.workers import analysis, child


def main(memory: int, life: int, parent: int) -> None:
    original = analysis.Analysis.analyse

    def analyse(self: analysis.Analysis, documents: Any) -> Any:
        if any("TRAP" in document.text for document in documents):
            os.abort()
        return original(self, documents)

    analysis.Analysis.analyse = analyse  # type: ignore[method-assign]
    child.main(memory, life, parent)
