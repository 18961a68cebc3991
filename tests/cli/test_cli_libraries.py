from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest
from cli_helpers import Bookwheel

from bookwheel.index.sealed import seal


@pytest.fixture
def indexed(bookwheel: Bookwheel, records: Path) -> Path:
    assert bookwheel("index", records).code == 0
    return records


@pytest.mark.parametrize(
    "command", [["search", "x"], ["show", "x"], ["info"], ["remove", "x"], ["compact"], ["check"], ["export"], ["configure"]]
)
def test_a_library_that_is_not_there(bookwheel: Bookwheel, command: list[str]) -> None:
    done = bookwheel(*command, "--library", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err
    assert "bookwheel index" in done.err
    assert done.out == ""


def test_show(bookwheel: Bookwheel, indexed: Path) -> None:
    done = bookwheel("show", "a")
    assert done.code == 0
    assert done.out.splitlines()[0] == "Lighthouses"
    assert "year: 1900" in done.out
    assert "A lighthouse warns ships of rocks." in done.out
    assert "warns" in bookwheel("show", "a", "--passage", "1").out
    assert bookwheel("show", "a", "--passage", "9").code == 1
    missing = bookwheel("show", "zebra")
    assert missing.code == 1
    assert "'zebra'" in missing.err
    (document,) = bookwheel("show", "a", "--json").json
    assert document["metadata"]["author"] == "Ann"


def test_several_documents_of_one_id_are_all_shown(bookwheel: Bookwheel, indexed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"_id": "a", "title": "Another", "text": "Not the same at all."}) + "\n")
    assert bookwheel("index", other).code == 0
    done = bookwheel("show", "a")
    assert "documents of 2 files have the ID 'a'" in done.err
    assert "Lighthouses" in done.out
    assert "Another" in done.out


def test_info(bookwheel: Bookwheel, indexed: Path) -> None:
    done = bookwheel("info")
    assert done.code == 0
    assert "3 passages of 3 documents" in done.out
    assert "on disk" in done.out
    found = bookwheel("info", "--recall", "--sample", "3", "-k", "2", "--json").json
    assert found["documents"] == 3
    assert set(found["fields"]) >= {"year", "author"}
    assert sum(found["disk"].values()) > 0
    assert 0 <= found["recall"]["recall"] <= 1


def test_remove(bookwheel: Bookwheel, indexed: Path) -> None:
    done = bookwheel("remove", "a")
    assert (done.code, done.out) == (0, "1 document removed, 2 remain\n")
    assert bookwheel("show", "a").code == 1
    done = bookwheel("remove", "b", "zebra")
    assert done.code == 2
    assert "zebra" in done.err
    assert bookwheel("show", "b").code == 0, "nothing is removed where a name is wrong"


def test_compact_and_check(bookwheel: Bookwheel, indexed: Path) -> None:
    assert bookwheel("remove", "a").code == 0
    before = bookwheel("search", "granite ships", "--json").json["results"]
    found = bookwheel("compact", "--json").json
    assert found["segments"]["after"] == 1
    assert bookwheel("search", "granite ships", "--json").json["results"] == before
    done = bookwheel("check")
    assert done.code == 0
    assert "is sound" in done.out
    assert bookwheel("check", "--json").json["sound"] is True


def test_check_names_what_is_damaged(bookwheel: Bookwheel, indexed: Path, home: Path) -> None:
    files = sorted((home / "default" / "segments").rglob("*.npy"), key=lambda file: file.stat().st_size)
    victim = files[-1]
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    done = bookwheel("check")
    assert done.code == 2
    assert str(victim) in done.out
    assert "damaged in 1 place" in done.err
    victim.write_bytes(data[:-1])
    assert bookwheel("search", "ships").code == 2


def test_export_can_be_indexed_again(bookwheel: Bookwheel, indexed: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl.gz"
    done = bookwheel("export", file)
    assert (done.code, done.out) == (0, f"3 documents written to {file}\n")
    rows = [json.loads(line) for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
    assert {row["_id"] for row in rows} == {"a", "b", "c"}
    assert {row["metadata"]["year"] for row in rows} == {1900, 2000, 2020}
    assert bookwheel("index", file, "--library", "again").code == 0
    ids = [
        [result["id"] for result in bookwheel("search", "rocks and ships", "--library", name, "--json").json["results"]]
        for name in ("default", "again")
    ]
    assert ids[0] == ids[1]
    passages = [json.loads(line) for line in bookwheel("export", "--passages").out.splitlines()]
    assert {row["_id"] for row in passages} == {"a#1", "b#1", "c#1"}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="rights do not bind the administrator")
def test_export_without_permission(bookwheel: Bookwheel, indexed: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = bookwheel("export", tmp_path / "out.jsonl")
    tmp_path.chmod(0o700)
    assert done.code == 2
    assert "no permission" in done.err


def test_configure(bookwheel: Bookwheel, indexed: Path) -> None:
    before = bookwheel("search", "ships", "--recipe", "bm25", "--json").json["results"]
    done = bookwheel("configure", "--k1", "0.4", "--b", "0.1", "--recipe", "bm25", "--json")
    assert {key: done.json[key] for key in ("k1", "b", "recipe")} == {"k1": 0.4, "b": 0.1, "recipe": "bm25"}
    after = bookwheel("search", "ships", "--json").json["results"]
    assert [r["score"] for r in after] != [r["score"] for r in before]
    assert bookwheel("configure").code == 2
    done = bookwheel("configure", "--b", "1.5", "--recipe", "magic")
    assert done.code == 2
    assert "1.5" in done.err
    done = bookwheel("configure", "--recipe", "magic")
    assert done.code == 2
    assert "magic" in done.err
    assert bookwheel("info", "--json").json["settings"]["recipe"] == "bm25"


def test_recipes(bookwheel: Bookwheel) -> None:
    assert "bm25" in bookwheel("recipes").out
    assert {row["name"] for row in bookwheel("recipes", "--json").json["recipes"]} >= {"bm25", "dense", "hybrid"}
    assert bookwheel("recipes", "dense + bm25", "--json").json["retrievers"] == ["bm25", "dense"]
    done = bookwheel("recipes", "bm25 ** 2")
    assert done.code == 2
    assert "^" in done.err


def test_libraries(bookwheel: Bookwheel, indexed: Path, home: Path) -> None:
    (row,) = bookwheel("libraries", "--json").json
    assert row["name"] == "default"
    assert row["passages"] == 3
    (home / "default" / "manifest.json").write_text("{")
    done = bookwheel("libraries")
    assert done.code == 0
    assert "default" in done.out


@pytest.mark.parametrize("name", ["papers (copy)", "n" * 120, "~owls", "papers"])
def test_one_odd_folder_does_not_hide_the_libraries(bookwheel: Bookwheel, indexed: Path, home: Path, name: str) -> None:
    shutil.copytree(home / "default", home / name)
    rows = {row["name"]: row for row in bookwheel("libraries", "--json").json}
    assert rows.keys() == {"default", name}
    assert rows["default"]["problem"] is None
    assert rows[name]["path"] == str(home / name)
    assert rows[name]["passages"] == 3
    assert (rows[name]["problem"] is None) == (name == "papers")
    shown = bookwheel("libraries")
    assert shown.code == 0
    assert "3 passages" in shown.out
    assert ("by its path only" in shown.out) == (name != "papers")


@pytest.mark.parametrize(
    "command",
    [["show", "nosuch"], ["show", "a", "--passage", "9"], ["show", "a", "--find", "zebra"], ["conversations"], ["experiments"]],
)
def test_nothing_is_a_json_document_too(bookwheel: Bookwheel, indexed: Path, command: list[str]) -> None:
    done = bookwheel(*command, "--json")
    assert done.code == 1
    assert done.json == []


def test_no_libraries(bookwheel: Bookwheel) -> None:
    done = bookwheel("libraries")
    assert done.code == 1
    assert "bookwheel index PATH" in done.err


def test_a_library_in_a_folder(bookwheel: Bookwheel, records: Path, tmp_path: Path) -> None:
    place = tmp_path / "somewhere" / "library"
    assert bookwheel("index", records, "--library", place).code == 0
    assert bookwheel("search", "lighthouse", "--library", place, "--json").json["results"][0]["id"] == "a"
    done = bookwheel("index", records, "--library", tmp_path)
    assert done.code == 2
    assert "other files" in done.err


def test_a_newer_format(bookwheel: Bookwheel, indexed: Path, home: Path) -> None:
    manifest = home / "default" / "manifest.json"
    data = json.loads(manifest.read_text())
    manifest.write_bytes(seal({**data, "format": 999}))
    done = bookwheel("search", "ships")
    assert done.code == 2
    assert "999" in done.err
    assert "Traceback" not in done.err
