"""What is fixed when a library is made, and the few things that can be changed later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import Any

from .._errors import UsageError
from ..analysis.analyzer import Analyzer

__all__ = ["KINDS", "UNITS", "EncoderInfo", "Representation", "Settings"]

UNITS = ("sentence", "passage", "document")
KINDS = ("dense", "sparse", "tokens")
"""Of representations: one vector a passage, weighted terms, or one vector a token."""
RESERVED = frozenset({"bm25", "hybrid", "static", "late", "cross", "none", "all"})


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """Which encoder made the library's vectors."""

    name: str
    revision: str
    dimension: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Representation:
    """One more way in which passages are held, beside BM25 and the instant vectors; filled in the background."""

    name: str
    """What recipes call it."""
    kind: str
    encoder: str | None
    """How the encoder is found again; None where it was given as an object, or the vectors as a file."""
    info: EncoderInfo
    key: str
    """What its folders are called: the name, with a number where the name had another encoder before."""
    bits: int = 0
    """Token vectors: bits a dimension on disk."""
    replaces: str | None = None
    """The key of the one that serves under this name until this one is filled (``dense``: the built-in)."""
    adapter: str | None = None
    """The folder of the map from its query vectors to those of the one it replaces."""
    line: tuple[float, float, float] | None = None
    """Slope, intercept and remaining spread of its scores over those of what stands in for it; fitted on passages of both."""

    def __post_init__(self) -> None:
        name = self.name
        if not (name.isascii() and name.isidentifier() and len(name) <= 40) or iskeyword(name) or name in RESERVED:
            raise UsageError(
                f"{name!r:.60} cannot name a representation; use up to 40 letters, digits and '_', as in minilm "
                f"(taken are {', '.join(sorted(RESERVED))})"
            )
        if self.kind not in KINDS:
            raise UsageError(f"there is no kind of representation {self.kind!r}; kinds are {', '.join(KINDS)}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Representation:
        """From the manifest."""
        line = data.get("line")
        values = {**data, "info": EncoderInfo(**data["info"]), "line": None if line is None else tuple(map(float, line))}
        return cls(**values)


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
