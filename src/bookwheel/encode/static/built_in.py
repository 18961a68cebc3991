"""Static embeddings: the vector of a text is the normalised sum of the vectors of its word pieces.

Words are looked up and no network is evaluated, so tens of thousands of passages per second are encoded on
one core. The weight of a piece is part of its vector; punctuation has no vector. Each piece has an int8 row
and a scale, memory-mapped: a query reads only the rows of its own words. ``docs/static-model.md`` describes
how the built-in model was made and how good it is.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..._errors import ModelError
from ..._system import PARSING
from ...analysis.whole_forms import MARK
from ...analysis.words import WordTable, split_words
from .wordpiece import MEMO, UNITS, WordPiece

__all__ = ["StaticEncoder", "Words", "load", "recognises", "write"]

FORMAT = 1
FILES = ("vectors.npy", "scales.npy", "vocabulary.txt")
SCANS = 64
"""Words that are looked up by scanning the vocabulary file; beyond them a dictionary is built."""
SCANNED = 1 << 13
"""Pieces whose place is remembered: in a script without spaces each character is one, and a word may have a million."""
POOLED = 1 << 13
"""Vectors that plain numpy adds up at a time."""
FEW = 4096
"""The most words for which plain numpy is used, because importing the compiled loop costs more than it saves."""


class Words(Protocol):
    """What is needed of a `bookwheel.analysis.words.WordTable`: its words, which only ever grow in number."""

    words: list[str]


class _Pieces:
    """Word number -> pieces, for a growing table of words."""

    def __init__(self) -> None:
        self.words = 0
        self._indptr = np.zeros(1, np.int64)
        self._pieces = np.empty(0, np.int32)

    @property
    def indptr(self) -> NDArray[np.int64]:
        return self._indptr[: self.words + 1]

    @property
    def pieces(self) -> NDArray[np.int32]:
        return self._pieces[: self._indptr[self.words]]

    def extend(self, indptr: NDArray[np.int64], pieces: NDArray[np.int32]) -> None:
        used = int(self._indptr[self.words])
        words = self.words + len(indptr) - 1
        self._indptr = _room(self._indptr, words + 1)
        self._pieces = _room(self._pieces, used + len(pieces))
        self._indptr[self.words + 1 : words + 1] = indptr[1:] + used
        self._pieces[used : used + len(pieces)] = pieces
        self.words = words


def _room(array: NDArray[Any], length: int) -> NDArray[Any]:
    if length <= len(array):
        return array
    larger = np.empty(max(length, 2 * len(array)), array.dtype)
    larger[: len(array)] = array
    return larger


class StaticEncoder:
    """A model folder: ``config.json``, ``vectors.npy`` (int8: pieces, dimension), ``scales.npy`` (float32), ``vocabulary.txt``.

    Raises `ModelError` where a file is missing, damaged, of another size than recorded, or of a newer format.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = _config(folder)
        try:
            self.name: str = config["name"]
            self.revision: str = config["revision"]
            self.dimension: int = config["dimension"]
            self.sha256: str = config["sha256"]
            self.description: dict[str, Any] = config
            self._longest: int = config["longest_piece"]
            sizes: dict[str, int] = {name: config["files"][name]["bytes"] for name in FILES}
        except (KeyError, TypeError) as error:
            raise ModelError(f"{folder / 'config.json'} lacks {error}; {REMEDY}") from error
        for name, size in sizes.items():
            path = folder / name
            if not path.is_file():
                raise ModelError(f"{path} is missing; {REMEDY}")
            if path.stat().st_size != size:
                raise ModelError(f"{path} has {path.stat().st_size} bytes where {size} were written; {REMEDY}")
        try:
            with PARSING:
                vectors = np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False)
                self._scales: NDArray[np.float32] = np.load(folder / "scales.npy", allow_pickle=False)
            self._vectors: NDArray[np.int8] = np.asarray(vectors)
        except (ValueError, OSError) as error:
            raise ModelError(f"the arrays of {folder} are not readable ({error}); {REMEDY}") from error
        expected = (len(self._scales), self.dimension)
        if self._vectors.shape != expected or self._vectors.dtype != np.int8 or self._scales.dtype != np.float32:
            raise ModelError(
                f"the model in {folder} does not fit together: vectors of shape {self._vectors.shape} and type "
                f"{self._vectors.dtype} where {expected} and int8 were expected; {REMEDY}"
            )
        self._tokenizer: WordPiece | None = None
        self._words = 0
        self._tables: WeakKeyDictionary[Words, _Pieces] = WeakKeyDictionary()

    @property
    def nbytes(self) -> int:
        """Bytes of memory while encoding many texts: the dictionary of the vocabulary, known words, and vectors read."""
        return 200 * len(self._vectors) + 300 * MEMO + self._vectors.nbytes // 4

    def verify(self) -> list[str]:
        """One sentence for each file whose contents do not match their checksum; reads everything."""
        problems = []
        for name in FILES:
            if _digest(self.folder / name) != self.description["files"][name]["sha256"]:
                problems.append(f"{self.folder / name} does not match its checksum; {REMEDY}")
        return problems

    @property
    def pieces(self) -> int:
        """How many word pieces have a vector."""
        return len(self._scales)

    def table(self) -> NDArray[np.float32]:
        """The vectors of all pieces, float32 (pieces, dimension), a copy; their weights are in their lengths."""
        return self._vectors.astype(np.float32) * self._scales[:, None]

    def _wordpiece(self, words: int) -> WordPiece:
        """A tokenizer for the next ``words`` words; the dictionary of the vocabulary is built only for many."""
        before, self._words = self._words, self._words + words
        if self._tokenizer is not None and (before > SCANS or self._words <= SCANS):
            return self._tokenizer
        try:
            listed = (self.folder / "vocabulary.txt").read_bytes()
            pieces = listed.count(b"\n")
            if pieces != len(self._vectors):
                raise ModelError(
                    f"the model in {self.folder} does not fit together: {pieces} words in vocabulary.txt, "
                    f"{len(self._vectors)} vectors; {REMEDY}"
                )
            self._tokenizer = _scanning(listed, self._longest) if self._words <= SCANS else _looking_up(listed)
        except (OSError, UnicodeDecodeError) as error:
            raise ModelError(f"{self.folder / 'vocabulary.txt'} is not readable ({error}); {REMEDY}") from error
        return self._tokenizer

    def word_rows(self, words: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """``indptr`` (n + 1) and ``rows``: word ``i`` is the sum of the vectors ``rows[indptr[i]:indptr[i + 1]]``.

        Pieces without a vector (punctuation, unknown characters) are left out.
        """
        cut = self._wordpiece(len(words))
        rows = array("i")  # a word of a script without spaces has thousands of pieces
        ends = [0]
        for word in words:
            if word[:1] != MARK:  # a whole form, of which no text given here has any
                rows.extend(cut(word))
            ends.append(len(rows))
        found, indptr = np.array(rows, np.int32), np.array(ends, np.int64)
        del rows
        unknown = np.flatnonzero(found < 0)
        if len(unknown):
            indptr -= np.searchsorted(unknown, indptr)
            found = found[found >= 0]
        return indptr, found

    def encode_words(self, indptr: NDArray[np.int64], ids: NDArray[np.int32], table: Words) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of texts given as numbers of ``table``'s words, as `WordTable.ids` gives them.

        Each word of the table is cut into pieces once, for as long as the table lives. A text has the same vector whatever
        other texts it comes with.
        """
        from ...kernels.pool import pool

        known = self._tables.get(table)
        if known is None:
            known = self._tables[table] = _Pieces()
        if len(table.words) > known.words:
            known.extend(*self.word_rows(table.words[known.words :]))
        out = np.zeros((len(indptr) - 1, self.dimension), np.float32)
        pool(indptr, ids, known.indptr, known.pieces, self._vectors, self._scales, out)
        return out

    def _sum(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """The unit vector (dimension,) of a text with the pieces ``rows``: what the compiled loop does."""
        # In parts, as a script without spaces may have millions of characters in one word.
        total = np.zeros(self.dimension, np.float32)
        for at in range(0, len(rows), POOLED):
            some = rows[at : at + POOLED]
            total += self._scales[some] @ self._vectors[some].astype(np.float32)
        length = np.sqrt(total @ total)
        return total / length if length > 0 else np.zeros(self.dimension, np.float32)

    def forget(self) -> None:
        """Let go of what is remembered of words met so far: kept among much that is freed, it would hold on to its room."""
        UNITS.clear()
        if self._tokenizer is not None:
            self._tokenizer.forget()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (n, dimension) of ``texts``; zeros for a text without a known word.

        Few words, as a query's, are added up without the compiled loop, which may differ in the last bit.
        """
        words = list(map(split_words, texts))
        if sum(map(len, words)) > FEW:
            table = WordTable()
            return self.encode_words(*table.ids(texts), table)
        out = np.zeros((len(texts), self.dimension), np.float32)
        for number, some in enumerate(words):
            if some:
                out[number] = self._sum(self.word_rows(some)[1])
        return out


def _scanning(listed: bytes, longest: int) -> WordPiece:
    """Scans the file for each piece, which takes a hundredth of the time of building a dictionary for one query."""
    lines = b"\n" + listed

    @lru_cache(SCANNED)
    def row(piece: str) -> int | None:
        at = lines.find(b"\n%b\n" % piece.encode())
        return None if at < 0 else lines.count(b"\n", 0, at)

    return WordPiece(row, lambda part: row(f"##{part}"), longest, -1)


def _looking_up(listed: bytes) -> WordPiece:
    pieces = listed.decode("utf-8").split("\n")[:-1]
    return WordPiece.of(dict(zip(pieces, range(len(pieces)), strict=True)), -1)


def recognises(folder: Path) -> bool:
    """Whether ``folder`` is laid out as a bookwheel static model."""
    return (folder / "vectors.npy").is_file() or (folder / "vocabulary.txt").is_file()


def load(folder: Path) -> StaticEncoder:
    """The model in ``folder``; raises `ModelError`."""
    return StaticEncoder(folder)


def write(
    folder: Path, vectors: NDArray[np.float32], vocabulary: Sequence[str], *, name: str, revision: str, **about: Any
) -> None:
    """Write a model folder: ``vectors`` (pieces, dimension) are rounded to 8 bits a value, with one scale a row.

    ``vocabulary`` has one piece a row; ``about`` goes into config.json (licence, source, how it was made).
    """
    folder.mkdir(parents=True, exist_ok=True)
    largest = np.abs(vectors).max(1)
    scales = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    np.save(folder / "vectors.npy", np.rint(vectors / scales[:, None]).astype(np.int8))
    np.save(folder / "scales.npy", scales)
    (folder / "vocabulary.txt").write_bytes("".join(f"{piece}\n" for piece in vocabulary).encode())
    files = {n: {"bytes": (folder / n).stat().st_size, "sha256": _digest(folder / n)} for n in FILES}
    whole = hashlib.sha256("".join(str(files[n]["sha256"]) for n in FILES).encode()).hexdigest()
    config: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "revision": revision,
        "dimension": vectors.shape[1],
        "sha256": whole,
    }
    config["longest_piece"] = max(map(len, vocabulary))
    text = json.dumps({**config, **about, "files": files}, indent=1, ensure_ascii=False)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        version = config["format"]
    except FileNotFoundError as error:
        raise ModelError(f"{path} is missing; {REMEDY}") from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} is not readable as a model's description; {REMEDY}") from error
    if version != FORMAT:
        raise ModelError(
            f"the model in {folder} is of format {version}, this bookwheel knows {FORMAT}; install a newer bookwheel"
        )
    if not isinstance(config, dict):
        raise ModelError(f"{path} is not readable as a model's description; {REMEDY}")
    return config


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


REMEDY = "get the model's files again (the built-in model comes back with `pip install --force-reinstall bookwheel`)"
