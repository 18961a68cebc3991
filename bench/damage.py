"""Damage on purpose: single bits flipped and whole files altered in a library, and what of it reading and ``check`` find.

    python bench/damage.py [--flips 150] [--text TEXTS.jsonl.gz] [--kind KIND ...] [--seed 0] [--show]

The library has two segments, removed documents, metadata, a saved recipe, a second dense and a sparse representation, an
adapter, and vectors that are not committed yet. Each flip is one random bit of a random file of its kind. It is read (opened,
described, searched by every representation, with filters and grouped, documents shown, all exported) and checked, in a process
of its own. A flip is

- *named on reading* where something that reads it raises one of bookwheel's errors or notes what it left out;
- *by check only* where reading gives what it gave before, or (counted apart) other results in silence, and ``check`` names it;
- *not in use* where neither says anything and all results are those of the sound library;
- *silent and wrong* where results are others and neither says anything: there must be none.

Results go to ``docs/results/damage.json``.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import pickle
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common import ROOT, keep

sys.path.insert(0, str(ROOT / "src"))

import bookwheel
from bookwheel import BookwheelError
from bookwheel.encode.load import load_encoder
from bookwheel.encode.protocols import SparseVectors
from bookwheel.library.vectors.on_demand import OnDemand

KINDS = ("*.npy", "index.json", "manifest.json", "documents.sqlite", "recipes.json", "cache.sqlite")
SECONDS = 120
RECIPES = ("bm25", "dense", "other", "words", "bm25 + dense", "bm25 + other", "mine", "bm25 >> rm3(docs=3, terms=5) >> bm25")
FILTERS = ("year >= 1990 and year < 2010", 'part like "a"', 'title like "e"', 'id = "d17"')


class Other:
    """The built-in vectors in other coordinates: a second dense representation."""

    revision, dimension = "1", 48

    def __init__(self, seed: int) -> None:
        self.name, self.sha256 = f"other{seed}", hashlib.sha256(b"other %d" % seed).hexdigest()
        self.inner = load_encoder("static")
        self.map = np.random.default_rng(seed).standard_normal((self.inner.dimension, self.dimension))

    def encode(self, texts: Sequence[str]) -> Any:
        rows = self.inner.encode(list(texts)) @ self.map
        return (rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)).astype(np.float32)


class Words:
    """Words weighted by their length: a sparse representation."""

    name, revision, sha256 = "words", "1", hashlib.sha256(b"words").hexdigest()
    vocabulary = tuple(f"w{n}" for n in range(500))

    def encode(self, texts: Sequence[str]) -> SparseVectors:
        indptr, terms, weights = [0], [], []
        for text in texts:
            counts = Counter(
                int.from_bytes(hashlib.blake2b(w.encode(), digest_size=4).digest()) % 500 for w in text.lower().split()
            )
            terms += sorted(counts)
            weights += [float(counts[term]) for term in sorted(counts)]
            indptr.append(len(terms))
        return SparseVectors(np.array(indptr, np.int64), np.array(terms, np.int32), np.array(weights, np.float32))

    encode_queries = encode


def encode_nothing_on_demand() -> None:
    """Let no passage be encoded while a search waits: how many are depends on the clock, and so would results."""
    OnDemand.encode = lambda self, snapshot, ids, limit: {}  # type: ignore[method-assign]


def texts_of(path: Path | None) -> Iterator[tuple[str, str]]:
    """Titles and texts: of a JSONL file, or the documentation of the standard library."""
    if path is not None:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
            yield from ((record["title"], record["text"]) for record in map(json.loads, file))
        return
    import ast
    import sysconfig

    for source in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(errors="replace"))):
            if (
                isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                and len(text := ast.get_docstring(node) or "") > 80
            ):
                yield f"{source.stem}.{getattr(node, 'name', '')}", text


def build(path: Path, texts: Sequence[tuple[str, str]], encoders: Sequence[Any]) -> None:
    """The library that is damaged."""
    other, replacement, words = encoders
    documents = [
        {"id": f"d{n}", "title": title, "text": text, "year": 1980 + n % 40, "part": title.split(".")[0][:20]}
        for n, (title, text) in enumerate(texts)
    ]
    half = 2 * len(documents) // 3
    with bookwheel.open(path, create=True, language="english") as library:
        library.add(documents[:half])
        library.add(documents[half:])
        library.remove([f"d{n}" for n in range(3, len(documents), 40)])
        library.add_encoder("words", words, kind="sparse")
        library.add_encoder("other", other)
        library.embed()
        library.replace_encoder("other", replacement)
        library.embed("other", passages=100)
        library.save_recipe("mine", "0.3*bm25 + 0.7*dense")
        library._encoders.cache.put("kept:0", {n: bytes(range(100)) for n in range(1, 1500)})
        library._encoders.cache.request(range(1, 50))


def questions(texts: Sequence[tuple[str, str]]) -> list[str]:
    dice = random.Random(1)
    return [" ".join(dice.sample(text.split(), 3)) for _, text in dice.sample(list(texts), 8) if len(text.split()) > 3]


def readings(path: Path, queries: Sequence[str], encoders: Sequence[Any]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is read of a library, each by its name."""
    library: list[bookwheel.Library] = []

    def opened() -> None:
        library.append(bookwheel.open(path))
        for encoder in encoders:
            library[0]._encoders.give(encoder)

    def search(query: str, **options: Any) -> tuple[Any, list[str]]:
        found = library[0].search(query, 8, **options)
        return [(r.id, round(r.score, 4), r.text, r.title, r.place, dict(r.metadata), r.start) for r in found], list(
            found.notes
        )

    yield "open", opened
    yield "info", lambda: (library[0].info().documents, library[0].info().passages, library[0].info().fields)
    for recipe in RECIPES:
        yield f"search by {recipe}", lambda recipe=recipe: [search(query, recipe=recipe) for query in queries]
    for where in FILTERS:
        yield f"search where {where}", lambda where=where: [search(query, where=where, recipe="bm25") for query in queries[:3]]
    yield "search grouped", lambda: [search(query, group=True) for query in queries]
    yield "show", lambda: [library[0][f"d{n}"] for n in (0, 17, 42, 101)]
    yield "export", lambda: list(library[0])


def read(path: Path, queries: Sequence[str], encoders: Sequence[Any]) -> dict[str, Any]:
    """The outcome of each reading: what it gave; ``("named", sentence)``; or ``("raw", error)``."""
    found: dict[str, Any] = {}
    for name, action in readings(path, queries, encoders):
        try:
            given = action()
        except BookwheelError as error:
            found[name] = ("named", str(error))
        except Exception as error:
            found[name] = ("raw", f"{type(error).__name__}: {error}")
        else:
            left_out = next((note for note in _notes(given) if note.startswith("left out")), None)
            found[name] = ("named", left_out) if left_out else ("gave", hashlib.sha256(pickle.dumps(given)).hexdigest())
        if name == "open" and found[name][0] != "gave":
            break
    return found


def _notes(given: Any) -> Iterator[str]:
    if isinstance(given, list):
        for one in given:
            if isinstance(one, tuple) and len(one) == 2 and isinstance(one[1], list):
                yield from one[1]


def outcome(path: Path, sound: dict[str, Any], queries: Sequence[str], encoders: Sequence[Any]) -> dict[str, Any]:
    """What reading and checking the library at ``path`` found, in a process of its own."""
    receiver, sender = os.pipe()
    if (child := os.fork()) == 0:
        signal.alarm(SECONDS)
        os.close(receiver)
        result: dict[str, Any] = {}
        try:
            try:
                with bookwheel.open(path) as library:
                    result["check"] = library.check()
            except BookwheelError as error:
                result["check"] = [str(error)]
            except Exception as error:
                result["check raw"] = f"{type(error).__name__}: {error}"
            found = read(path, queries, encoders)
            result["named"] = [f"{name}: {text}" for name, (kind, text) in found.items() if kind == "named"]
            result["raw"] = [f"{name}: {text}" for name, (kind, text) in found.items() if kind == "raw"]
            result["other"] = [name for name, one in found.items() if one[0] == "gave" and one != sound[name]]
            with os.fdopen(sender, "wb") as pipe:
                pickle.dump(result, pipe)
        finally:
            os._exit(0)
    os.close(sender)
    with os.fdopen(receiver, "rb") as pipe:
        data = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(data) if data else {"died": status}


def verdict(result: dict[str, Any]) -> str:
    """One word for what happened to a flip."""
    if "died" in result:
        return "died"
    if result["raw"] or "check raw" in result:
        return "raw error"
    checked = bool(result.get("check"))
    if result["other"]:
        return "wrong until checked" if checked else "silent and wrong"
    if result["named"]:
        return "named on reading" if checked else "named on reading, not by check"
    return "by check only" if checked else "not in use"


class Damage:
    """Damages a copy of the library, asks, and repairs it."""

    def __init__(self, sound: Path, queries: Sequence[str], encoders: Sequence[Any], show: bool) -> None:
        self.sound, self.queries, self.encoders, self.show = sound, queries, encoders, show
        self.copy = sound.with_name("copy")
        self.results: dict[str, Counter[str]] = {}
        self._restore()
        self.before = read(self.copy, queries, encoders)
        assert all(kind == "gave" for kind, _ in self.before.values()), self.before
        with bookwheel.open(self.copy) as library:
            assert library.check() == []
        self._restore()
        assert read(self.copy, queries, encoders) == self.before
        self._restore()

    def _restore(self) -> None:
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.sound, self.copy)

    def files(self, kind: str) -> list[Path]:
        return sorted(path.relative_to(self.sound) for path in self.sound.rglob(kind))

    def do(self, row: str, what: str, change: Callable[[Path], None]) -> None:
        change(self.copy)
        result = outcome(self.copy, self.before, self.queries, self.encoders)
        self.results.setdefault(row, Counter())[said := verdict(result)] += 1
        if self.show and said not in ("named on reading", "by check only", "not in use"):
            print(f"{row}: {said}: {what}\n   {result}", flush=True)
        self._restore()

    def flips(self, kind: str, count: int, dice: random.Random) -> None:
        """Flip ``count`` single bits of files of ``kind``."""
        files = self.files(kind)
        for _ in range(count):
            name = dice.choice(files)
            at, bit = dice.randrange(max((self.sound / name).stat().st_size, 1)), dice.randrange(8)

            def flip(library: Path, name: Path = name, at: int = at, bit: int = bit) -> None:
                data = bytearray((library / name).read_bytes())
                if data:
                    data[at] ^= 1 << bit
                (library / name).write_bytes(data)

            self.do(kind, f"bit {bit} of byte {at} of {name}", flip)

    def whole(self, dice: random.Random) -> None:
        """Delete, halve, empty and zero whole files, swap them, and damage the database's pages."""
        files = [name for kind in KINDS for name in self.files(kind)]
        for name in files:
            size = (self.sound / name).stat().st_size
            self.do("a file deleted", str(name), lambda library, name=name: (library / name).unlink())
            self.do("a file halved", str(name), lambda library, name=name, size=size: os.truncate(library / name, size // 2))
            self.do("a file emptied", str(name), lambda library, name=name: os.truncate(library / name, 0))

            def zero(library: Path, name: Path = name, size: int = size) -> None:
                data = (library / name).read_bytes()
                (library / name).write_bytes(data[: max(size - 4096, 0)] + bytes(min(size, 4096)))

            self.do("the last 4 KB of a file zeroed", str(name), zero)
        for name in files:
            if name.parts[:2] == ("segments", "000001") and (other := Path("segments", "000002", *name.parts[2:])) in files:

                def swap(library: Path, name: Path = name, other: Path = other) -> None:
                    one, two = (library / name).read_bytes(), (library / other).read_bytes()
                    (library / name).write_bytes(two)
                    (library / other).write_bytes(one)

                if (self.sound / name).read_bytes() != (self.sound / other).read_bytes():
                    self.do("files swapped between segments", str(name), swap)
        for folder in sorted({name.parent for name in files if name.parts[:2] == ("segments", "000001")}):
            other = Path("segments", "000002", *folder.parts[2:])
            if (self.sound / other).is_dir() and len(folder.parts) == 3:

                def swap_folders(library: Path, folder: Path = folder, other: Path = other) -> None:
                    (library / folder).rename(library / "aside")
                    (library / other).rename(library / folder)
                    (library / "aside").rename(library / other)

                self.do("folders swapped between segments", str(folder), swap_folders)
        pages = (self.sound / "documents.sqlite").stat().st_size // 4096
        for _ in range(60):
            one, two, how = dice.randrange(pages), dice.randrange(pages), dice.choice(("zeroed", "replaced", "swapped"))

            def page(library: Path, one: int = one, two: int = two, how: str = how) -> None:
                data = bytearray((library / "documents.sqlite").read_bytes())
                a, b = slice(4096 * one, 4096 * one + 4096), slice(4096 * two, 4096 * two + 4096)
                first, second = bytes(data[a]), bytes(data[b])
                data[a] = bytes(4096) if how == "zeroed" else second
                if how == "swapped":
                    data[b] = first
                (library / "documents.sqlite").write_bytes(data)

            self.do("a page of the database zeroed, replaced or swapped", f"pages {one}, {two} {how}", page)


ORDER = (
    "named on reading",
    "named on reading, not by check",
    "by check only",
    "wrong until checked",
    "not in use",
    "raw error",
    "died",
    "silent and wrong",
)


def main() -> None:
    """Measure, print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=150, help="flips for each kind of file")
    parser.add_argument("--text", type=Path)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--whole", action="store_true", help="whole files and pages too")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print each raw error and each silent change")
    arguments = parser.parse_args()
    os.environ["BOOKWHEEL_HOME"] = scratch = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    try:
        texts = [pair for _, pair in zip(range(arguments.documents), texts_of(arguments.text), strict=False)]
        encode_nothing_on_demand()
        encoders = Other(1), Other(2), Words()
        sound = Path(scratch) / "sound"
        build(sound, texts, encoders)
        damage = Damage(sound, questions(texts), encoders, arguments.show)
        dice = random.Random(arguments.seed)
        for kind in arguments.kind or KINDS:
            damage.flips(kind, arguments.flips, dice)
            print(kind, dict(damage.results.get(kind, {})), flush=True)
        if arguments.whole:
            damage.whole(dice)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    rows = {row: {said: found[said] for said in ORDER} for row, found in damage.results.items()}
    for row, found in rows.items():
        print(f"| {row} | {sum(found.values())} | " + " | ".join(str(found[said]) for said in ORDER) + " |")
    if arguments.kind is None:
        keep("damage", {"rows": rows, "files": len(list(damage.files("*"))) if sound.is_dir() else None})


if __name__ == "__main__":
    main()
