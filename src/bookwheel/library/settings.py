"""The settings that are fixed when a library is made, the few that can be changed later, and its representations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import Any

from .._errors import UsageError
from ..analysis.analyzer import Analyzer
from ..encode.load import KINDS

__all__ = ["UNITS", "EncoderInfo", "Representation", "Settings"]

UNITS = ("sentence", "passage", "document")
RESERVED = frozenset({"bm25", "hybrid", "static", "late", "cross", "none", "all"})
"""Names that mean something else in recipes or on the command line."""


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """Which encoder made the library's vectors."""

    name: str
    revision: str
    dimension: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Representation:
    """What an added encoder makes of the passages, beside BM25 and the vectors made while indexing."""

    name: str
    """What recipes call it."""
    kind: str
    """One of `bookwheel.encode.load.KINDS`."""
    encoder: str | None
    """The name or folder of the encoder; None where it was given as an object, or only its vectors were imported."""
    info: EncoderInfo
    key: str
    """The name of its folders: `name`, with a number where that name had another encoder before."""
    bits: int = 0
    """Bits a dimension of token vectors on disk; 0 for other kinds."""
    replaces: str | None = None
    """The key of the one that serves under this name until every passage is embedded (``dense``: the built-in one)."""
    adapter: str | None = None
    """The folder of the map from its query vectors to those of the one it replaces."""
    line: tuple[float, float, float] | None = None
    """Slope, intercept and residual spread of its scores over the fallback's, for score imputation."""

    def __post_init__(self) -> None:
        name = self.name
        if not (name.isascii() and name.isidentifier() and len(name) <= 40) or iskeyword(name) or name in RESERVED:
            raise UsageError(
                f"{name!r:.60} cannot be the name of an encoder; use up to 40 letters, digits and '_', as in minilm "
                f"(reserved are {', '.join(sorted(RESERVED))})"
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
    """A library's settings; ``analyzer`` and ``encoder_info`` are set with the first documents."""

    unit: str = "passage"
    """What is retrieved: ``sentence``, ``passage`` or ``document``."""
    words: int = 120
    """Target length of a passage, in words."""
    language: str = "auto"
    """A Snowball language, ``none``, or ``auto``: detected from the first documents."""
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
            raise UsageError(f"k1 must be 0 or more and b between 0 and 1, not {self.k1} and {self.b}")

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
