"""A library's settings: most are fixed when it is created, a few can be changed later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import Any

from .._errors import UsageError
from .._numbers import real, whole
from ..analysis.analyzer import ANALYSIS, Analyzer
from ..encode.load import KINDS

__all__ = ["UNITS", "EncoderInfo", "Representation", "Settings"]

UNITS = ("sentence", "passage", "document")
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
    """The vectors of one encoder, beside BM25 and the built-in dense
    vectors; computed in the background.
    """

    name: str
    """Its name in recipes."""
    kind: str
    encoder: str | None
    """Name or folder of the encoder; None if it was given as an object, or the vectors as a file."""
    info: EncoderInfo
    key: str
    """The name of its folders: ``name``, with a number if the name had another encoder before."""
    bits: int = 0
    """Token vectors: bits per dimension on disk."""
    replaces: str | None = None
    """The key of the representation used under this name until this one is
    complete (``dense``: the built-in).
    """
    adapter: str | None = None
    """The folder of the map from its query vectors to those of the representation it replaces."""
    line: tuple[float, float, float] | None = None
    """Slope, intercept and residual spread of its scores over the fallback's,
    fitted on passages that have both.
    """

    def __post_init__(self) -> None:
        name = self.name
        if not (name.isascii() and name.isidentifier() and len(name) <= 40) or iskeyword(name) or name in RESERVED:
            raise UsageError(
                f"the name of an encoder must be up to 40 letters, digits and '_', as in minilm, and none of "
                f"{', '.join(sorted(RESERVED))}; not {name!r:.60}"
            )
        if self.kind not in KINDS:
            raise UsageError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Representation:
        """From the manifest."""
        line = data.get("line")
        values = {**data, "info": EncoderInfo(**data["info"]), "line": None if line is None else tuple(map(float, line))}
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Settings:
    """A library's settings; ``encoder_info`` is set with the first documents."""

    unit: str = "passage"
    """Unit of retrieval: ``sentence``, ``passage`` or ``document``."""
    words: int = 120
    """Target length of a passage, in words."""
    language: str = "auto"
    """A Snowball language, ``none``, or ``auto``: each document's own."""
    encoder: str | None = "static"
    """Name or folder of the dense encoder; None for a library without vectors."""
    k1: float = 1.2
    b: float = 0.75
    recipe: str = "hybrid"
    seed: int = 0
    analyzer: Analyzer | None = None
    """An analyzer for all documents, in place of the usual one of ``language``."""
    analysis: int = ANALYSIS
    """The version of the rules by which texts become terms."""
    encoder_info: EncoderInfo | None = None

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise UsageError(f"unit must be one of {', '.join(UNITS)}, not {self.unit!r}")
        object.__setattr__(self, "words", whole(self.words, "words"))
        for name in ("k1", "b"):
            object.__setattr__(self, name, real(getattr(self, name), name))
        if not 5 <= self.words <= 100_000:
            raise UsageError(f"words must be between 5 and 100000, not {self.words}")
        if not 0 <= self.k1 < float("inf"):
            raise UsageError(f"k1 must be a number of 0 or more (1.2 is usual), not {self.k1}")
        if not 0 <= self.b <= 1:
            raise UsageError(f"b must be between 0 and 1 (0.75 is usual), not {self.b}")

    @property
    def fixed_analyzer(self) -> Analyzer | None:
        """The analyzer of all documents, where it or their language was given; None where each document has its own."""
        if self.analyzer is not None:
            return self.analyzer
        return None if self.language == "auto" else Analyzer.for_language(self.language)

    def change(self, **changes: Any) -> Settings:
        """These settings with ``changes``. Raises `UsageError` for unknown names or wrong values."""
        if unknown := changes.keys() - self.__dataclass_fields__.keys():
            raise UsageError(
                f"there is no setting {', '.join(sorted(unknown))}; choose from {', '.join(self.__dataclass_fields__)}"
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
