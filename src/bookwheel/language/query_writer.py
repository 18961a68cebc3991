"""A language model trained to write queries, as an encoder of weighted terms: a passage's terms are those of what it writes.

Nogueira and Lin, "From doc2query to docTTTTTquery" (2019): queries are drawn, several for each passage; Gospodinov, MacAvaney and
Macdonald, "Doc2Query--: When Less is More" (2023): those that do not fit their passage are left out. `bookwheel train writer` makes
such folders: a transformers model, and `FILE` beside it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .._errors import ModelError, UsageError
from ..analysis.analyzer import Analyzer
from ..encode.doc2query import Doc2QueryEncoder
from ..encode.expansion import similarity
from ..encode.load import load_encoder
from .prompts import load_prompt
from .registry import language_model

__all__ = ["FILE", "PROMPT", "QueryWriter", "WriterSettings", "drawn_queries", "is_writer", "weights_sha256", "written_prompt"]

FILE = "writer.json"
FORMAT = 1
PROMPT = "question"
"""What a writer is asked, in training and later: the prompt of the ways `written` and `doc2query` alike."""
LARGEST = 1 << 16
"""Bytes of `FILE`."""


@dataclass(frozen=True)
class WriterSettings:
    """What a writer's folder says of how it is used."""

    sha256: str
    """Of the weights and the tokenizer."""
    analyzer: Analyzer
    """What cuts queries into terms."""
    count: int = 5
    """Queries drawn for a passage."""
    top: int = 10
    """Tokens that one is drawn from."""
    max_tokens: int = 32
    """Of a query."""
    characters: int = 600
    """Of a passage, that are read."""
    threshold: float | None = None
    """The least cosine of query and passage, by the built-in model; None for all queries."""

    def to_json(self) -> str:
        """For `FILE`."""
        return json.dumps({"format": FORMAT, **asdict(self), "analyzer": self.analyzer.to_dict()}, indent=1)

    @classmethod
    def read(cls, folder: Path) -> WriterSettings:
        """Of ``folder``. Raises `ModelError` for a file that is missing, damaged, or of a newer format."""
        path = folder / FILE
        try:
            if path.stat().st_size > LARGEST:
                raise ValueError(f"it has {path.stat().st_size} bytes")
            known = json.loads(path.read_text(encoding="utf-8"))
            if known.pop("format") != FORMAT:
                raise ValueError("it is of another format")
            known["analyzer"] = Analyzer.from_dict(known["analyzer"])
            found = cls(**known)
            numbers = (found.count, found.top, found.max_tokens, found.characters)
            if not all(isinstance(one, int) and 1 <= one <= 10_000 for one in numbers) or not isinstance(found.sha256, str):
                raise ValueError("a number is out of range")
            if found.threshold is not None and not -1 <= float(found.threshold) <= 1:
                raise ValueError("the threshold is out of range")
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError) as error:
            raise ModelError(f"{path} cannot be read ({' '.join(str(error).split())[:100]}); train the writer again") from None
        return found


def is_writer(folder: Path) -> bool:
    """Whether ``folder`` is that of a trained writer."""
    return (folder / FILE).is_file()


def written_prompt(passage: str, characters: int) -> str:
    """What a writer is asked of ``passage``."""
    return load_prompt(PROMPT).fill(passage=passage[:characters])


def drawn_queries(model: Any, passage: str, settings: WriterSettings) -> str:
    """The queries that ``model``, a `Sampler`, draws for ``passage``, one a line; the same ones for the same text."""
    seed = int.from_bytes(hashlib.sha256(passage.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    asked = written_prompt(passage, settings.characters)
    found = model.sample(asked, settings.count, max_tokens=settings.max_tokens, top=settings.top, seed=seed)
    return "\n".join(" ".join(one.split()) for one in found)


class QueryWriter(Doc2QueryEncoder):
    """The writer in ``folder``. The model is loaded when the first passage is encoded: a query needs none.

    Raises `ModelError` for a damaged folder, and where torch is missing once passages are encoded.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = settings = WriterSettings.read(folder)
        self._fits = False
        # The passage is cut where the prompt is filled in, so that the draw depends on the whole text.
        super().__init__(
            self._written, folder.resolve().name, settings.analyzer, prompt="{text}", count=settings.count,
            score=None if settings.threshold is None else similarity(load_encoder()), threshold=settings.threshold,
            revision=settings.sha256[:12],
        )  # fmt: skip
        self.sha256 = hashlib.sha256(f"{self.sha256} {settings.to_json()}".encode()).hexdigest()

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use while passages are encoded: the weights, in float32."""
        return sum(path.stat().st_size for path in self.folder.glob("*.safetensors"))

    def _written(self, passages: Sequence[str]) -> list[str]:
        if not self._fits and weights_sha256(self.folder) != self.settings.sha256:
            raise ModelError(
                f"{self.folder} does not fit together: its weights are not those of {FILE}; train the writer again"
            )
        self._fits = True
        model = language_model(str(self.folder.resolve()))
        return [drawn_queries(model, passage, self.settings) for passage in passages]


def weights_sha256(folder: Path) -> str:
    """Of the weights and the tokenizer in ``folder``, in hexadecimal digits. Raises `ModelError`."""
    whole = hashlib.sha256()
    try:
        for path in sorted([*folder.glob("*.safetensors"), folder / "tokenizer.json"]):
            with path.open("rb") as file:
                whole.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    except OSError as error:
        raise ModelError(f"{folder} cannot be read ({error.strerror or error}); train the writer again") from None
    return whole.hexdigest()
