"""The ways to make queries, by name."""

from __future__ import annotations

from types import MappingProxyType

from .base import Way
from .cloze import Cloze
from .headings import Headings
from .links import Links
from .logged import Answers, Clicks
from .replies import Replies
from .sentences import Sentences
from .titles import Titles
from .written import Written

__all__ = ["WAYS"]

WAYS: MappingProxyType[str, Way] = MappingProxyType(
    {way.name: way for way in (Titles(), Headings(), Sentences(), Cloze(), Links(), Replies(), Written(), Answers(), Clicks())}
)
"""In the order in which they are told."""
