"""Members of one archive whose names come to one path: the last is read, as it is the one that unpacking leaves."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.documents.paths import Skipped, Source, walk
from bookwheel.documents.read import read

Files = list[tuple[str, bytes]]

FILES: Files = [
    ("./a.txt", b"first owl"),
    ("d\\e.txt", b"first heron"),
    ("b.txt", b"only a kite"),
    ("a.txt", b"second owl"),
    ("same.txt", b"old wren"),
    ("d/e.txt", b"second heron"),
    ("same.txt", b"mid wren"),
    ("same.txt", b"new wren"),
    ("z.txt", b"only a gull"),
]
READ = {
    "b.txt": "only a kite",
    "a.txt": "second owl",
    "d/e.txt": "second heron",
    "same.txt": "new wren",
    "z.txt": "only a gull",
}


def tar_of(files: Files) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return data.getvalue()


def zip_of(files: Files) -> bytes:
    data = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(data, "w") as file:
        warnings.simplefilter("ignore")  # of Python, about the same name
        for name, content in files:
            file.writestr(name, content)
    return data.getvalue()


def torn(files: Files) -> bytes:
    """A zip file whose list of members is missing."""
    data = zip_of(files)
    return data[: data.index(b"PK\1\2")]


MADE: dict[str, Callable[[Files], bytes]] = {
    "a.tar": tar_of,
    "a.tar.gz": lambda files: gzip.compress(tar_of(files)),
    "a.tar.xz": lambda files: lzma.compress(tar_of(files)),
    "a.zip": zip_of,
    "torn.zip": torn,
}


@pytest.mark.parametrize("name", MADE)
def test_the_last_of_a_path_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(MADE[name](FILES))
    items = list(walk([tmp_path]))
    sources = [item for item in items if isinstance(item, Source)]
    for order in (sources, sources[::-1]):
        documents = [document for source in order for document in read(source)]
        texts = {item.id[len(f"{tmp_path}/{name}/") :]: item.text for item in documents if isinstance(item, Document)}
        assert texts == READ
        assert len(documents) == len(READ)
    skipped = [item for item in items if isinstance(item, Skipped) and item.reason != "damaged archive"]
    assert [(item.path[len(f"{tmp_path}/{name}/") :], item.reason, item.failed) for item in skipped] == [
        (path, "name used twice in an archive", False) for path in ("a.txt", "d/e.txt", "same.txt", "same.txt")
    ]


@pytest.mark.parametrize("name", MADE)
def test_nothing_changes_when_it_is_indexed_again(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_bytes(MADE[name](FILES))
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        first = library.index([folder])
        assert (first.added, first.updated, first.removed) == (5, 0, 0)
        again = library.index([folder])
        assert (again.added, again.updated, again.unchanged, again.removed) == (0, 0, 5, 0)
        assert again.skipped["name used twice in an archive"] == 4
        assert not library.search("old", recipe="bm25")
        assert {document.text for document in library} == set(READ.values())


def test_a_link_to_itself_hides_no_file(tmp_path: Path) -> None:
    """As tar writes it where a file was named twice: the second time as a link to the first."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        info = tarfile.TarInfo("a.txt")
        info.size = 3
        file.addfile(info, io.BytesIO(b"owl"))
        info = tarfile.TarInfo("a.txt")
        info.type, info.linkname = tarfile.LNKTYPE, "a.txt"
        file.addfile(info)
        info = tarfile.TarInfo("a.txt")
        info.type = tarfile.DIRTYPE
        file.addfile(info)
    (tmp_path / "a.tar").write_bytes(data.getvalue())
    source, link = walk([tmp_path])
    assert isinstance(source, Source)
    assert [source.read_bytes() for _ in range(2)] == [b"owl"] * 2
    assert isinstance(link, Skipped)
    assert link.reason == "link in an archive"


@pytest.mark.parametrize("name", ["a.tar", "a.zip", "torn.zip"])
def test_an_archive_that_changed_since_it_was_listed_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(MADE[name](FILES))
    sources = [item for item in walk([tmp_path]) if isinstance(item, Source)]
    for files in (FILES[1:], FILES[:2]):
        (tmp_path / name).write_bytes(MADE[name](files))
        with pytest.raises(bookwheel.InputError):
            list(read(sources[-1]))
