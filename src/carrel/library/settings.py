"""What is fixed when a library is made, and the few things that can be changed later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._errors import UsageError
from ..documents.analyzers import Analyzer

__all__ = ["UNITS", "EncoderInfo", "Settings"]

UNITS = ("sentence", "passage", "document")


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """Which encoder made the library's vectors."""

    name: str
    revision: str
    dimension: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Settings:
    """A library's settings; ``analyzer`` and ``encoder`` are filled in with the first documents."""

    unit: str = "passage"
    """What is retrieved: ``sentence``, ``passage`` or ``document``."""
    words: int = 120
    """Target length of a passage, in words."""
    language: str = "auto"
    """A Snowball language, ``none``, or ``auto``: told from the first documents."""
    encoder: str | None = "static"
    """Name or folder of the dense encoder; None for a lexical library."""
    k1: float = 1.2
    b: float = 0.75
    recipe: str = "hybrid"
    seed: int = 0
    analyzer: Analyzer | None = None
    encoder_info: EncoderInfo | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UsageError(f"unit {self.unit!r} is not one of {', '.join(UNITS)}")
        if not 5 <= self.words <= 100_000:
            raise UsageError(f"a passage length of {self.words} words is not between 5 and 100000")
        if not (0 <= self.k1 < float("inf")) or not 0 <= self.b <= 1:
            raise UsageError(
                f"k1 = {self.k1}, b = {self.b}: k1 is a number from 0 up (1.2, say), b one from 0 to 1 (0.75, say)"
            )

    def change(self, **changes: Any) -> Settings:
        """These settings with ``changes``; raises `UsageError` for names that are no settings."""
        if unknown := changes.keys() - self.__dataclass_fields__.keys():
            raise UsageError(
                f"no such setting: {', '.join(sorted(unknown))}; settings are {', '.join(self.__dataclass_fields__)}"
            )
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """For the manifest."""
        data = {name: getattr(self, name) for name in self.__dataclass_fields__}
        data["analyzer"] = self.analyzer.to_dict() if self.analyzer else None
        info = self.encoder_info
        data["encoder_info"] = {n: getattr(info, n) for n in info.__dataclass_fields__} if info else None
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settings:
        """From the manifest."""
        values = dict(data)
        if values.get("analyzer") is not None:
            values["analyzer"] = Analyzer.from_dict(values["analyzer"])
        if values.get("encoder_info") is not None:
            values["encoder_info"] = EncoderInfo(**values["encoder_info"])
        return cls(**values)
