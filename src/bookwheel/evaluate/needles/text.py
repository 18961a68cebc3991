"""The text in which needles are hidden: a library's, that of files, or what comes with Python."""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from ..._errors import InputError, LibraryNotFound
from ...documents.document import Document
from ...documents.sentences import cuts

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["Counter", "Filler", "estimated", "filler"]

Counter = Callable[[Sequence[str]], list[int]]
"""The length of each text in tokens."""
LARGEST = 64 << 20
"""Characters of text that are held, at most."""
PIECE = 64 << 10
"""Characters in which sentences are looked for at a time: a document may have no end of them."""


@dataclass(frozen=True, eq=False)
class Filler:
    """A running text in sentences, with their lengths in tokens."""

    name: str
    sentences: tuple[str, ...]
    """With the white space after each; one after the other they are the text."""
    tokens: tuple[int, ...]

    @cached_property
    def total(self) -> int:
        """Tokens of the whole text."""
        return sum(self.tokens)

    @cached_property
    def digest(self) -> str:
        """What results were reached with this text are kept under."""
        return hashlib.sha256("\0".join(self.sentences).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @cached_property
    def text(self) -> str:
        """The whole."""
        return "".join(self.sentences)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(self.tokens))

    def part(self, tokens: int, random_: random.Random) -> list[str]:
        """Sentences of at most ``tokens`` tokens that follow each other; the first is drawn by chance.

        After the last sentence of the text comes its first. Raises `InputError` where there is too little text.
        """
        if tokens > self.total:
            raise InputError(
                f"{self.name} has only {self.total:,} tokens of text and {tokens:,} are needed; name a folder or a library with more, "
                "or take shorter --lengths"
            )
        start = random_.randrange(len(self.sentences))
        before = self._ends[start - 1] if start else 0
        if before + tokens <= self.total:
            return list(self.sentences[start : bisect_right(self._ends, before + tokens)])
        rest = tokens - (self.total - before)
        return [*self.sentences[start:], *self.sentences[: bisect_right(self._ends, rest)]]


def estimated(texts: Sequence[str]) -> list[int]:
    """Lengths in tokens without a tokenizer: one token per 4 bytes of UTF-8, as of English text."""
    return [-(-len(text.encode("utf-8", "surrogatepass")) // 4) for text in texts]


def filler(source: str | Path | Library | None, tokens: int, count: Counter = estimated) -> Filler:
    """The text of ``source``: an open library, the name or path of one, a file or a folder of any format that can be indexed.

    None: the chapters of Python's own documentation that are installed with it. About four times ``tokens`` are read, so
    that repetitions differ. Raises `InputError` where there is less than ``tokens``.
    """
    name, texts = _texts(source)
    sentences: list[str] = []
    characters, enough = 0, min(LARGEST, max(1 << 18, 24 * tokens))
    for text in texts:
        for sentence in _sentences(text):
            sentences.append(sentence)
            characters += len(sentence)
        if characters >= enough:
            break
    if not sentences:
        raise InputError(f"{name} has no text; name a folder or a library with documents")
    found = Filler(name, tuple(sentences), tuple(count(sentences)))
    if tokens > found.total:
        found.part(tokens, random.Random(0))
    return found


def _sentences(text: str) -> Iterator[str]:
    """``text`` in sentences, all of it, with an empty line after it."""
    whole = text.strip() + "\n\n"
    for at in range(0, len(whole), PIECE):
        piece = whole[at : at + PIECE]
        starts, _ = cuts(Document("", piece))
        bounds = [0, *(start for start in starts if 0 < start < len(piece)), len(piece)]
        yield from (piece[start:end] for start, end in pairwise(bounds) if end > start)


def _texts(source: str | Path | Library | None) -> tuple[str, Iterator[str]]:
    if source is None:
        return "the documentation that comes with Python", _pythons()
    from ...library.library import Library, open_library

    if isinstance(source, Library):
        return f"the library {source.path.name}", _of_library(source)
    try:
        return f"the library {source}", _of_library(open_library(source))
    except (LibraryNotFound, ValueError) as error:
        if not Path(source).expanduser().exists():
            raise InputError(f"{source} is neither a library nor a file or folder ({error})") from None
        return str(source), _of_files(Path(source).expanduser())


def _of_library(library: Library) -> Iterator[str]:
    return (document.text for document in library)


def _of_files(path: Path) -> Iterator[str]:
    from ...documents.paths import walk
    from ...documents.read import read
    from ...documents.source import Skipped

    for source in walk([path]):
        if isinstance(source, Skipped):
            continue
        try:
            for document in read(source):
                if isinstance(document, Document) and document.text.strip():
                    yield document.text
        except InputError:  # a damaged file among others: its text is not needed
            continue


def _pythons() -> Iterator[str]:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise InputError(
            "the documentation that comes with Python is not installed here; name a library, a file or a folder whose text is to be read"
        ) from None
    for name in sorted(topics):
        yield topics[name]
