"""A library from a stranger: links, pipes, names that lead out of it, triggers, views, sizes that are not true."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import bookwheel
from bookwheel import LibraryDamaged, LibraryError
from bookwheel.cli.main import main
from bookwheel.index.plain_files import LARGEST, read_plain
from bookwheel.index.sealed import seal, with_checksum
from bookwheel.index.storage import ArrayFolder, FolderWriter

SOON = 10.0
"""Seconds within which each ends, also on a loaded machine."""


class Encoder:
    name, revision, dimension, sha256 = "eight", "1", 8, "8" * 64

    def encode(self, texts: list[str]) -> np.ndarray:
        return np.eye(8, dtype=np.float32)[[len(text) % 8 for text in texts]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "library"
    with bookwheel.open(path, create=True) as library:
        library.add([{"id": f"d{n}", "text": f"wheel number {n}", "colour": "red"} for n in range(12)])
        library.add_encoder("eight", Encoder())
        library.embed()
        library.save_recipe("mine", "bm25")
    return path


@pytest.fixture
def library(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "library"))


@pytest.fixture
def treasure(tmp_path: Path) -> Path:
    """A folder of the victim, with folders that look like segments and files that look like a library's."""
    folder = tmp_path / "treasure"
    for name in ("thesis", "000001", "000007", "impacts-000009"):
        (folder / name).mkdir(parents=True)
        (folder / name / "chapter.txt").write_text("years of work")
    (folder / "ids.npy").write_text("years of work")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def everything(library: Path, new: Path) -> None:
    """What a victim may do with it; whatever is refused is refused in a sentence about the library."""
    new.write_text("a new text")
    place = ["--library", str(library)]
    for command in (
        ["search", "wheel"],
        ["search", "wheel", "--recipe", "eight"],
        ["search", "wheel", "--recipe", "mine"],
        ["check"],
        ["configure", "--k1", "0.9"],
        ["index", str(new)],
        ["remove", "d1"],
        ["compact"],
        ["recipes", "--save", "other=bm25"],
        ["encoders", "remove", "eight"],
    ):
        assert main([*command, *place]) in (0, 1, 2)


def swapped(path: Path, target: Path) -> None:
    """Put a link to ``target``, which gets what ``path`` was where it is a part of the library, in its place."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


PLACES = [
    "manifest.json",
    "documents.sqlite",
    "documents.sqlite-wal",
    "documents.sqlite-shm",
    "documents.sqlite-journal",
    "recipes.json",
    "experiments.json",
    "cache.sqlite",
    "cache.sqlite-wal",
    "segments",
    "segments/000001",
    "segments/000002",
    "segments/000001/rows",
    "segments/000001/dense",
    "segments/000001/sparse-bm25",
    "segments/000001/rows/ids.npy",
    "segments/000001/rows/index.json",
    "IMPACTS",
    "PART",
    "NEXT IMPACTS",
    "writer.lock",
    "recipes.json.lock",
    "manifest.json.new",
]


def _place(library: Path, name: str) -> Path:
    entry = json.loads((library / "manifest.json").read_text())["segments"][0]
    segment = library / "segments" / entry["name"]
    if name == "NEXT IMPACTS":
        return segment / f"impacts-{json.loads((library / 'manifest.json').read_text())['generation'] + 1:06d}"
    if name == "IMPACTS":
        return segment / entry["impacts"]
    if name == "PART":
        return segment / entry["parts"][0]["folder"]
    return library / name.replace("000001", entry["name"])


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("copied", [True, False], ids=["to a copy", "to the victim's"])
def test_no_link_is_followed(library: Path, treasure: Path, tmp_path: Path, name: str, copied: bool) -> None:
    place = _place(library, name)
    target = treasure / "copy" if copied else treasure
    if copied:
        if place.is_dir():
            shutil.copytree(place, target)
        elif place.exists():
            shutil.copy(place, target)
        else:
            target.write_text("years of work")
    elif "." in place.name:
        target = treasure / "ids.npy"
    swapped(place, target)
    before = contents(treasure)
    everything(library, tmp_path / "new.txt")
    assert contents(treasure) == before


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "documents.sqlite", "recipes.json", "segments/000001/rows", "segments/000001/rows/ids.npy", "segments"],
)
def test_a_link_is_told(library: Path, tmp_path: Path, name: str) -> None:
    place = _place(library, name)
    shutil.move(place, tmp_path / "moved")
    place.symlink_to(tmp_path / "moved")
    with pytest.raises(LibraryDamaged, match="symbolic link"), bookwheel.open(library) as opened:
        opened.search("wheel", recipe="mine")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize(
    "name", ["manifest.json", "recipes.json", "segments/000001/rows/index.json", "segments/000001/rows/ids.npy", "writer.lock"]
)
def test_a_pipe_is_not_waited_for(library: Path, tmp_path: Path, name: str) -> None:
    place = _place(library, name)
    place.unlink(missing_ok=True)
    os.mkfifo(place)
    began = time.monotonic()
    everything(library, tmp_path / "new.txt")
    assert time.monotonic() - began < 3 * SOON


def _changed(library: Path, change: Callable[[dict], None]) -> None:
    manifest = json.loads((library / "manifest.json").read_text())
    change(manifest)
    (library / "manifest.json").write_bytes(seal(manifest))


@pytest.mark.parametrize(
    "name", ["../treasure", "/tmp", "..", "", "000001/../../treasure", "०००००१", "000001\n", "x", 5, None, []]
)
@pytest.mark.parametrize("place", ["segment", "impacts", "part", "key", "adapter"])
def test_names_that_lead_out_are_refused(library: Path, treasure: Path, tmp_path: Path, place: str, name: object) -> None:
    if place == "adapter" and name is None:
        pytest.skip("none is usual")

    def change(manifest: dict) -> None:
        entry = manifest["segments"][0]
        if place == "segment":
            entry["name"] = name
        elif place == "impacts":
            entry["impacts"] = name
        elif place == "part":
            entry["parts"][0]["folder"] = f"dense-{name}-g000001" if isinstance(name, str) and name != "x" else name
        elif place == "key":
            manifest["representations"][0]["key"] = "1" if name == "x" else name
        else:
            manifest["representations"][0]["adapter"] = name

    _changed(library, change)
    before = contents(treasure)
    with pytest.raises(LibraryDamaged):
        bookwheel.open(library)
    everything(library, tmp_path / "new.txt")
    assert contents(treasure) == before


FOREIGN = [
    "CREATE TRIGGER t AFTER UPDATE ON documents BEGIN DELETE FROM texts; END",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TABLE other (x)",
    "CREATE INDEX other ON texts(length(text))",
    "CREATE VIRTUAL TABLE f USING fts5(x)",
    "DROP TABLE sources; CREATE VIEW sources AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT i AS id, 'x' AS path FROM n",
    "DROP TABLE documents; CREATE VIEW documents AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT i AS id FROM n",
    "DROP TABLE metadata",
    "DROP INDEX documents_name",
    "DROP TABLE state; CREATE TABLE state (key TEXT PRIMARY KEY, value DEFAULT (randomblob(1000000000))) WITHOUT ROWID",
    "DROP TABLE texts; CREATE TABLE texts (document INTEGER PRIMARY KEY, text TEXT GENERATED ALWAYS AS ('mine'))",
]


@pytest.mark.parametrize("sql", FOREIGN, ids=lambda sql: sql[:40])
def test_a_database_of_other_tables_is_refused(library: Path, tmp_path: Path, sql: str) -> None:
    db = sqlite3.connect(library / "documents.sqlite")
    try:
        db.executescript(sql)
    except sqlite3.OperationalError as error:
        pytest.skip(str(error))
    finally:
        db.close()
    began = time.monotonic()
    with bookwheel.open(library) as opened:
        with pytest.raises(LibraryDamaged, match=r"has the |lacks the "):
            opened.search("wheel")
        with pytest.raises(LibraryDamaged, match=r"has the |lacks the "):
            opened.remove("d1")
    assert time.monotonic() - began < SOON
    everything(library, tmp_path / "new.txt")
    db = sqlite3.connect(library / "documents.sqlite")
    if "texts" not in sql or "TRIGGER" in sql:
        assert db.execute("SELECT count(*) FROM texts").fetchone() == (12,)
    db.close()


def test_a_rollback_journal_is_not_played_back(library: Path) -> None:
    (library / "documents.sqlite-journal").write_bytes(b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))
    with pytest.raises(LibraryDamaged, match="journal is a file that no library contains"), bookwheel.open(library) as opened:
        opened.search("wheel")


def test_a_cache_of_other_tables_is_begun_anew(library: Path) -> None:
    cache = library / "cache.sqlite"
    cache.unlink(missing_ok=True)
    db = sqlite3.connect(cache)
    db.executescript(
        "CREATE VIEW vectors AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT 'k' AS key, i AS passage, x'00' AS data FROM n"
    )
    db.close()
    began = time.monotonic()
    with bookwheel.open(library) as opened:
        opened.add(["one more"])
        opened.add_encoder("eight", Encoder())
        opened.search("wheel", recipe="bm25 + eight")
        opened.embed()
    assert time.monotonic() - began < SOON
    db = sqlite3.connect(cache)
    assert not db.execute("SELECT 1 FROM sqlite_master WHERE type = 'view'").fetchone()
    db.close()


def _header(text: str) -> bytes:
    body = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<i8', 'fortran_order': False, 'shape': (9223372036854775807,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (18446744073709551617,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|V1000000000', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|S0', 'fortran_order': False, 'shape': (9999999999999999999,)}",
        "{'descr': '(1000000,1000000)f8', 'fortran_order': False, 'shape': (0,)}",
        "{'descr': 'nothing', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<i8', 'fortran_order': False, 'shape': " + "(" * 50 + "}",
    ],
)
def test_the_header_of_an_array_is_checked_against_its_file(tmp_path: Path, header: str) -> None:
    with FolderWriter(tmp_path / "x") as writer:
        writer.write("ids", np.arange(10))
    path = tmp_path / "x" / "ids.npy"
    data = path.read_bytes()
    path.write_bytes(_header(header) + data[128:])
    with pytest.raises(LibraryDamaged):
        ArrayFolder(tmp_path / "x").array("ids")


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"name": "rows", "attributes": [], "files": {}}',
        '{"name": "rows", "attributes": {}, "files": {"../../x": {"bytes": 1, "header": 1, "blake2b": ""}}}',
        '{"name": "rows", "attributes": {}, "files": {"x": {"bytes": "1", "header": 1, "blake2b": ""}}}',
        '{"name": "rows", "attributes": {}, "files": []}',
        '{"name": "rows", "attributes": {}, "files": {"x": 1}}',
        '{"name": "other", "attributes": {}, "files": {}}',
        "null",
    ],
    ids=range(9),
)
def test_a_list_of_arrays_of_another_form(library: Path, text: str) -> None:
    (_place(library, "segments/000001/rows") / "index.json").write_bytes(with_checksum(text[1:].encode()))
    with pytest.raises(LibraryDamaged), bookwheel.open(library) as opened:
        opened.search("wheel")


@pytest.mark.parametrize("name", ["manifest.json", "recipes.json"])
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1e999", "{}", '{"format": 4}', "9" * 100_000])
def test_a_manifest_or_recipes_of_another_form(library: Path, name: str, text: str) -> None:
    (library / name).write_bytes(text.encode() if text[0] != "{" else with_checksum(text[1:].encode()))
    began = time.monotonic()
    with pytest.raises(LibraryError), bookwheel.open(library) as opened:
        opened.search("wheel", recipe="mine")
    assert time.monotonic() - began < SOON


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "x").open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(LibraryDamaged, match="more than the"):
        read_plain(tmp_path / "x")
