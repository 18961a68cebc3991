"""What the database says twice is made anew from the half that is sound; nothing else is touched."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document
from bookwheel.cli.main import main


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with bookwheel.open(tmp_path / "l", create=True, encoder=None, language="english") as library:
        library.add(
            Document(
                f"d{n}",
                f"heron {n}",
                metadata={"year": 2000 + n, "tags": ("red", f"t{n}"), "caf\u0065\u0301": 1.5, "big": 1 << 70},
            )
            for n in range(30)
        )
        library.remove(["d3", "d4"])
        library.add([Document("d5", "heron anew", metadata={"year": 1999})])
    return tmp_path / "l"


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path / "documents.sqlite") as db:
        return sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr)


DAMAGE = {
    "a value": "UPDATE metadata SET value = 2099 WHERE key = 'year' AND document = 7",
    "a row too many": "INSERT INTO metadata VALUES ('year', 7, 8)",
    "a row gone": "DELETE FROM metadata WHERE key = 'tags' AND document = 9",
    "a key": "UPDATE metadata SET key = 'yeaz' WHERE key = 'year' AND document = 2",
    "a sum": "UPDATE fields SET total = total + 1 WHERE key = 'year'",
    "all values": "DELETE FROM metadata",
    "a removal's count": "UPDATE removals SET documents = documents + 1",
    "the list of removals": "DELETE FROM removals",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_follows_from_sound_documents_is_made_anew(path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = {table: rows(path, table) for table in ("metadata", "fields", "removals", "documents", "texts", "passages")}
    with sqlite3.connect(path / "documents.sqlite") as db:
        db.execute(DAMAGE[name])
    with bookwheel.open(path) as library:
        assert library.check() != []
    assert main(["check", "--repair", "--json", "--library", str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sound"]
    assert len(told["repaired"]) == 1
    assert {table: rows(path, table) for table in before} == before
    with bookwheel.open(path) as library:
        assert {r.id for r in library.search("heron", 50, where="year > 2020")} == {f"d{n}" for n in range(21, 30)}
        assert library.repair() == []


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE documents SET metadata = replace(metadata, '2007', '2008') WHERE name = 'd7'",
        "UPDATE documents SET removed = 1 WHERE name = 'd7'",
        "DELETE FROM documents WHERE name = 'd7'",
    ],
)
def test_nothing_is_made_from_damaged_documents(path: Path, damage: str) -> None:
    with sqlite3.connect(path / "documents.sqlite") as db:
        db.execute(damage)
        db.execute(DAMAGE["a value"])
        db.execute(DAMAGE["the list of removals"])
    before = {table: rows(path, table) for table in ("metadata", "fields", "removals")}
    with bookwheel.open(path) as library:
        assert library.repair() == []
        assert len(library.check()) >= 2
    assert {table: rows(path, table) for table in before} == before
