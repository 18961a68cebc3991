"""An error that is the system's, or the calling program's, is not told as damage."""

from __future__ import annotations

import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bookwheel
from bookwheel import Document, InputError, Library, LibraryDamaged, LibraryNotFound, StorageError, UsageError
from bookwheel.library.database_errors import meaning


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([{"id": f"d{n}", "text": "owl"} for n in range(5)])
    return library


@contextmanager
def no_handles() -> Iterator[None]:
    held = []
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, old[1]), old[1]))
        try:
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        yield
    finally:
        for descriptor in held:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, old)


def test_out_of_file_handles(library: Library) -> None:
    def attempt() -> Any:
        with bookwheel.open(library.path) as fresh:
            return fresh.search("owl")

    attempt()  # what is imported by the first search is there
    with no_handles(), pytest.raises(StorageError, match="too many open files"):
        attempt()
    fresh = bookwheel.open(library.path)
    with no_handles(), pytest.raises(StorageError, match="too many open files"):
        fresh.search("owl")
    assert len(fresh.search("owl")) == 5


@pytest.mark.parametrize("name", ["manifest.json", "documents.sqlite"])
def test_sqlite_and_manifest_out_of_handles(library: Library, name: str) -> None:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = 14
    with no_handles():
        assert "too many open files" in str(meaning(error, library.path / name))
    assert "permission" in str(meaning(error, library.path / name))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        *((code, "LibraryDamaged") for code in (1, 11, 26)),
        *((code, "LibraryLocked") for code in (5, 6)),
        *((code, "StorageError") for code in (7, 8, 13, 1034)),
        (18, "InputError"),
    ],
)
def test_what_sqlite_says(code: int, kind: str) -> None:
    error = sqlite3.DatabaseError("said")
    error.sqlite_errorcode = code
    assert type(meaning(error, Path("x"))).__name__ == kind
    assert ("damaged" in str(meaning(error, Path("x")))) == (kind == "LibraryDamaged")


def test_a_value_that_sqlite_cannot_bind_is_not_damage(library: Library) -> None:
    with pytest.raises(InputError, match="a type that .* cannot hold"):
        library._snapshot.store.execute("SELECT ?", (object(),))


@pytest.mark.parametrize("name", [None, 5, b"a", ["a"], object(), 1.5, np.int64(5), 10**30])
@pytest.mark.parametrize("what", ["get", "count", "remove"])
def test_an_id_that_is_no_string(library: Library, what: str, name: Any) -> None:
    given = [name] if what == "remove" else name
    with pytest.raises(InputError, match="a document's id is a string, not "):
        getattr(library, what)(given)
    assert name not in library if not isinstance(name, list) else True
    assert len(library) == 5


@pytest.mark.parametrize("names", [None, 5, b"d1"])
def test_ids_to_remove_that_are_none(library: Library, names: Any) -> None:
    with pytest.raises(InputError, match="a document's id is a string, not "):
        library.remove(names)
    assert len(library) == 5


@pytest.mark.parametrize("name", ["\0", "\ud800", "d1\0"])
def test_an_id_that_no_document_can_have(library: Library, name: str) -> None:
    assert library.get(name) == []
    assert name not in library
    with pytest.raises(UsageError, match="there is no document"):
        library.remove([name])


def test_odd_ids_are_found_again(library: Library) -> None:
    library.add([{"id": np.int64(7), "text": "seven"}, {"id": 10**30, "text": "large"}, {"id": np.str_("s"), "text": "s"}])
    assert {"7", str(10**30), "s"} <= {document.id for document in library}
    library.add([{"id": "e", "text": "first"}, {"id": "e", "text": "second"}])
    assert [document.text for document in library.get("e")] == ["second"]


@pytest.mark.parametrize(
    "document",
    [
        Document("a", "t", line=10**30),
        Document("a", "t", line="7"),  # type: ignore[arg-type]
        Document("a", "t", pages=("x",)),  # type: ignore[arg-type]
        Document("a", "t", pages=7),  # type: ignore[arg-type]
        Document("a", b"t"),  # type: ignore[arg-type]
        Document("a", "t", None),  # type: ignore[arg-type]
    ],
)
def test_a_field_of_a_wrong_type_is_named(library: Library, document: Document) -> None:
    with pytest.raises(InputError, match="document 1 .'a'.: (line|pages|text|title) must be "):
        library.add([document])
    assert len(library) == 5


@pytest.mark.parametrize("k", [np.int64(3), np.uint8(3), np.int32(3)])
def test_whole_numbers_of_numpy_work(library: Library, k: Any) -> None:
    assert len(library.search("owl", k)) == 3
    assert len(library.search_many(["owl"], k, threads=np.int8(1))[0]) == 3


@pytest.mark.parametrize(
    "call",
    [
        lambda library: library.search("owl", 3.0),
        lambda library: library.search("owl", True),
        lambda library: library.search("owl", np.bool_(True)),
        lambda library: library.search("owl", "3"),
        lambda library: library.search("owl", None),
        lambda library: library.search("owl", np.arange(3)),
        lambda library: library.search("owl", cutoff="x"),
        lambda library: library.search("owl", seconds="x"),
        lambda library: library.search_many(["owl"], threads=1.5),
        lambda library: bookwheel.open(library.path / "new", create=True, k1="x"),
        lambda library: bookwheel.open(library.path / "new", create=True, words=50.5),
    ],
)
def test_numbers_that_are_none(library: Library, call: Callable[[Library], Any]) -> None:
    with pytest.raises(UsageError, match="must be a (whole )?number"):
        call(library)


def test_settings_of_numpy_numbers(tmp_path: Path) -> None:
    made = bookwheel.open(tmp_path / "n", create=True, words=np.int64(50), k1=np.float32(1), b=np.float64(0.5), encoder=None)
    made.add("owl")
    assert len(bookwheel.open(tmp_path / "n").search("owl", cutoff=np.float32(0))) == 1


def test_a_path_that_cannot_be() -> None:
    with pytest.raises(LibraryNotFound):
        bookwheel.open("/tmp/\ud800")


def test_damage_is_damage(library: Library) -> None:
    path = library.path
    library.close()
    (path / "documents.sqlite").write_bytes(b"junk" * 5000)
    with pytest.raises(LibraryDamaged, match="damaged"), bookwheel.open(path) as opened:
        opened.search("owl")
