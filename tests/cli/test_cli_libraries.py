from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from cli_helpers import Carrel


@pytest.fixture
def indexed(carrel: Carrel, records: Path) -> Path:
    assert carrel("index", records).code == 0
    return records


@pytest.mark.parametrize(
    "command", [["search", "x"], ["show", "x"], ["info"], ["remove", "x"], ["compact"], ["check"], ["export"], ["configure"]]
)
def test_a_library_that_is_not_there(carrel: Carrel, command: list[str]) -> None:
    done = carrel(*command, "--library", "nowhere")
    assert done.code == 2
    assert "nowhere" in done.err
    assert "carrel index" in done.err
    assert done.out == ""


def test_show(carrel: Carrel, indexed: Path) -> None:
    done = carrel("show", "a")
    assert done.code == 0
    assert done.out.splitlines()[0] == "Lighthouses"
    assert "year: 1900" in done.out
    assert "A lighthouse warns ships of rocks." in done.out
    assert "warns" in carrel("show", "a", "--passage", "1").out
    assert carrel("show", "a", "--passage", "9").code == 1
    missing = carrel("show", "zebra")
    assert missing.code == 1
    assert "'zebra'" in missing.err
    (document,) = carrel("show", "a", "--json").json
    assert document["metadata"]["author"] == "Ann"


def test_several_documents_of_one_id_are_all_shown(carrel: Carrel, indexed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps({"_id": "a", "title": "Another", "text": "Not the same at all."}) + "\n")
    assert carrel("index", other).code == 0
    done = carrel("show", "a")
    assert "2 documents have the id 'a'" in done.err
    assert "Lighthouses" in done.out
    assert "Another" in done.out


def test_info(carrel: Carrel, indexed: Path) -> None:
    done = carrel("info")
    assert done.code == 0
    assert "3 passages of 3 documents" in done.out
    assert "on disk" in done.out
    found = carrel("info", "--recall", "--sample", "3", "-k", "2", "--json").json
    assert found["documents"] == 3
    assert set(found["fields"]) >= {"year", "author"}
    assert sum(found["disk"].values()) > 0
    assert 0 <= found["recall"]["recall"] <= 1


def test_remove(carrel: Carrel, indexed: Path) -> None:
    done = carrel("remove", "a")
    assert (done.code, done.out) == (0, "1 document removed, 2 left\n")
    assert carrel("show", "a").code == 1
    done = carrel("remove", "b", "zebra")
    assert done.code == 2
    assert "zebra" in done.err
    assert carrel("show", "b").code == 0, "nothing is removed where a name is wrong"


def test_compact_and_check(carrel: Carrel, indexed: Path) -> None:
    assert carrel("remove", "a").code == 0
    before = carrel("search", "granite ships", "--json").json["results"]
    found = carrel("compact", "--json").json
    assert found["segments"]["after"] == 1
    assert carrel("search", "granite ships", "--json").json["results"] == before
    done = carrel("check")
    assert done.code == 0
    assert "is sound" in done.out
    assert carrel("check", "--json").json["sound"] is True


def test_check_names_what_is_damaged(carrel: Carrel, indexed: Path, home: Path) -> None:
    files = sorted((home / "default" / "segments").rglob("*.npy"), key=lambda file: file.stat().st_size)
    victim = files[-1]
    data = bytearray(victim.read_bytes())
    data[-1] ^= 1
    victim.write_bytes(data)
    done = carrel("check")
    assert done.code == 2
    assert str(victim) in done.out
    assert "damaged in 1 place" in done.err
    victim.write_bytes(data[:-1])
    assert carrel("search", "ships").code == 2


def test_export_can_be_indexed_again(carrel: Carrel, indexed: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl.gz"
    done = carrel("export", file)
    assert (done.code, done.out) == (0, f"3 documents written to {file}\n")
    rows = [json.loads(line) for line in gzip.decompress(file.read_bytes()).decode().splitlines()]
    assert {row["_id"] for row in rows} == {"a", "b", "c"}
    assert {row["metadata"]["year"] for row in rows} == {1900, 2000, 2020}
    assert carrel("index", file, "--library", "again").code == 0
    ids = [
        [result["id"] for result in carrel("search", "rocks and ships", "--library", name, "--json").json["results"]]
        for name in ("default", "again")
    ]
    assert ids[0] == ids[1]
    passages = [json.loads(line) for line in carrel("export", "--passages").out.splitlines()]
    assert {row["_id"] for row in passages} == {"a#1", "b#1", "c#1"}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="rights do not bind the administrator")
def test_export_without_permission(carrel: Carrel, indexed: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = carrel("export", tmp_path / "out.jsonl")
    tmp_path.chmod(0o700)
    assert done.code == 2
    assert "no permission" in done.err


def test_export_to_a_folder_that_is_not_there(carrel: Carrel, indexed: Path, tmp_path: Path) -> None:
    done = carrel("export", tmp_path / "nowhere" / "out.jsonl")
    assert done.code == 2
    assert "no such file or directory" in done.err


def test_configure(carrel: Carrel, indexed: Path) -> None:
    before = carrel("search", "ships", "--recipe", "bm25", "--json").json["results"]
    done = carrel("configure", "--k1", "0.4", "--b", "0.1", "--recipe", "bm25", "--json")
    assert {key: done.json[key] for key in ("k1", "b", "recipe")} == {"k1": 0.4, "b": 0.1, "recipe": "bm25"}
    after = carrel("search", "ships", "--json").json["results"]
    assert [r["score"] for r in after] != [r["score"] for r in before]
    assert carrel("configure").code == 2
    done = carrel("configure", "--b", "1.5", "--recipe", "magic")
    assert done.code == 2
    assert "1.5" in done.err
    done = carrel("configure", "--recipe", "magic")
    assert done.code == 2
    assert "magic" in done.err
    assert carrel("info", "--json").json["settings"]["recipe"] == "bm25"


def test_recipes(carrel: Carrel) -> None:
    assert "bm25" in carrel("recipes").out
    assert {row["name"] for row in carrel("recipes", "--json").json} >= {"bm25", "dense", "hybrid"}
    assert carrel("recipes", "dense + bm25", "--json").json["retrievers"] == ["bm25", "dense"]
    done = carrel("recipes", "bm25 ** 2")
    assert done.code == 2
    assert "^" in done.err


def test_libraries(carrel: Carrel, indexed: Path, home: Path) -> None:
    (row,) = carrel("libraries", "--json").json
    assert row["name"] == "default"
    assert row["passages"] == 3
    (home / "default" / "manifest.json").write_text("{")
    done = carrel("libraries")
    assert done.code == 0
    assert "default" in done.out


def test_no_libraries(carrel: Carrel) -> None:
    done = carrel("libraries")
    assert done.code == 1
    assert "carrel index PATH" in done.err


def test_a_library_in_a_folder(carrel: Carrel, records: Path, tmp_path: Path) -> None:
    place = tmp_path / "somewhere" / "library"
    assert carrel("index", records, "--library", place).code == 0
    assert carrel("search", "lighthouse", "--library", place, "--json").json["results"][0]["id"] == "a"
    done = carrel("index", records, "--library", tmp_path)
    assert done.code == 2
    assert "other files" in done.err


def test_a_newer_format(carrel: Carrel, indexed: Path, home: Path) -> None:
    manifest = home / "default" / "manifest.json"
    data = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**data, "format": 999}))
    done = carrel("search", "ships")
    assert done.code == 2
    assert "999" in done.err
    assert "Traceback" not in done.err
