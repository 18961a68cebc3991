"""In one prompt the model notes down what each passage says of the question, and answers behind its notes.

Source: Yu et al., "Chain-of-note: enhancing robustness in retrieval-augmented language models" (EMNLP 2024), by prompt and without
its training: of each passage whether it answers, only helps, or is irrelevant. The notes are no part of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..events import Token
from .base import OutOfCalls, Run

__all__ = ["answered", "draft"]

_ANSWER = re.compile(r"(?im)^[\W_]*(?:final\s+)?answer[\W_]*:[\W_]*")
MOST = 4
"""Passages that are noted down."""


def draft(run: Run) -> Iterator[Token]:
    """The answer behind the notes; a plain one where the model wrote only notes."""
    try:
        text = answered(run.of_passages("chain_of_note", run.evidence[:MOST]))
    except OutOfCalls:
        text = ""
    if not text:
        yield from run.final(run.evidence)
        return
    run.write(text)
    yield Token(text)


def answered(text: str) -> str:
    """What stands behind the last "Answer:" of a text; nothing where there is none."""
    found = [*_ANSWER.finditer(text)]
    return text[found[-1].end() :].strip() if found else ""
