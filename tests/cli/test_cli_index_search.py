from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cli_helpers import Bookwheel, run_lines_of

ESCAPE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.fixture
def indexed(bookwheel: Bookwheel, folder: Path) -> Path:
    assert bookwheel("index", folder).code == 0
    return folder


@pytest.fixture
def indexed_records(bookwheel: Bookwheel, records: Path) -> Path:
    assert bookwheel("index", records, "--library", "records").code == 0
    return records


def test_two_commands_in_processes_of_their_own(process: Bookwheel, folder: Path) -> None:
    done = process("index", folder)
    assert done.code == 0, done.err
    assert "documents: 3 added" in done.out
    assert 'next: bookwheel search "words"' in done.out
    found = process("search", "barn", "owl", cwd=folder)
    assert found.code == 0, found.err
    first = found.out.splitlines()[0]
    assert first.startswith(" 1  owls.txt:")
    assert "\x1b" not in found.out


def test_indexing_again_reads_only_what_changed(bookwheel: Bookwheel, indexed: Path) -> None:
    (indexed / "owls.txt").write_text("Owls sleep by day, all of them.\n")
    (indexed / "bees.md").unlink()
    (indexed / "new.txt").write_text("Something new under the sun.\n")
    done = bookwheel("index", indexed, "--json").json
    assert [done[name] for name in ("added", "updated", "unchanged", "removed")] == [1, 1, 1, 1]
    assert done["total"]["documents"] == 3
    assert bookwheel("search", "honey bee hive", "--recipe", "bm25").code == 1


def test_no_prune_keeps_what_is_gone(bookwheel: Bookwheel, indexed: Path) -> None:
    (indexed / "bees.md").unlink()
    assert bookwheel("index", indexed, "--no-prune", "--json").json["removed"] == 0
    assert bookwheel("search", "honey bee hive", "--recipe", "bm25").code == 0


def test_a_damaged_file_is_named_and_the_rest_indexed(bookwheel: Bookwheel, folder: Path) -> None:
    (folder / "broken.jsonl").write_text('{"_id": "x", "text": "a whole line of it"}\n{"_id": "y", "te\n')
    (folder / "picture.bin").write_bytes(bytes(range(256)) * 20)
    done = bookwheel("index", folder)
    assert done.code == 2
    assert "broken.jsonl:2" in done.err
    assert re.search(r"^skipped: .*binary", done.out, re.M)
    assert bookwheel("search", "barn owl").code == 0
    report = bookwheel("index", folder, "--json", "--library", "other")
    assert report.code == 2
    assert len(report.json["failures"]) == 1


def test_failures_beyond_ten_are_counted(bookwheel: Bookwheel, folder: Path) -> None:
    (folder / "broken.jsonl").write_text("{oops\n" * 25)
    done = bookwheel("index", folder)
    assert done.err.count("broken.jsonl:") == 10
    assert re.search(r"\d+ more failures; --json lists all of them", done.err)


def test_fields_of_json_lines_are_chosen(bookwheel: Bookwheel, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"key": 7, "head": "Tides", "one": "The moon pulls.", "two": "The sea rises."}) + "\n")
    assert bookwheel("index", file, "--id", "key", "--title", "head", "--text", "one", "--text", "two").code == 0
    (document,) = bookwheel("show", "7", "--json").json
    assert document["title"] == "Tides"
    assert "moon" in document["text"]
    assert "sea" in document["text"]


def test_standard_input_is_indexed(process: Bookwheel) -> None:
    assert process("index", "-", stdin="A text that came through a pipe.\n").code == 0
    assert "pipe" in process("search", "pipe").out


def test_a_path_that_is_not_there(bookwheel: Bookwheel, tmp_path: Path) -> None:
    done = bookwheel("index", tmp_path / "nowhere", tmp_path / "neither")
    assert done.code == 2
    assert "nowhere" in done.err
    assert "neither" in done.err
    assert done.out == ""


def test_settings_that_differ_from_the_librarys(bookwheel: Bookwheel, indexed: Path) -> None:
    done = bookwheel("index", indexed, "--unit", "document")
    assert done.code == 2
    assert "unit" in done.err
    assert "Traceback" not in done.err


def test_wrong_settings_leave_no_library_behind(bookwheel: Bookwheel, folder: Path, home: Path) -> None:
    done = bookwheel(
        "index", folder, "--language", "klingon", "--encoder", folder / "no-model", "--words", "1", "--unit", "page"
    )
    assert done.code == 2
    for part in ("klingon", "no-model", "--words", "'page'"):
        assert part in done.err
    assert list(home.iterdir()) == []


def test_a_budget_too_small_is_refused_before_work(bookwheel: Bookwheel, folder: Path, indexed: Path) -> None:
    for command in (["index", folder, "--ram", "100MB"], ["search", "owl", "--ram", "100MB"]):
        done = bookwheel(*command)
        assert done.code == 3
        assert "100 MB" in done.err
        assert done.out == ""


def test_bill_has_planned_and_measured_columns(bookwheel: Bookwheel, folder: Path) -> None:
    done = bookwheel("index", folder, "--memory")
    header, *rows = [line for line in done.err.splitlines() if line]
    assert header.split() == ["memory", "planned", "measured"]
    assert rows
    assert "memory" in bookwheel("search", "owl", "--memory").err


def test_search_as_json(bookwheel: Bookwheel, indexed: Path) -> None:
    document = bookwheel("search", "barn owl", "-k", "2", "--json").json
    assert document["query"] == "barn owl"
    first = document["results"][0]
    assert first["rank"] == 1
    assert first["source"] == str(indexed / "owls.txt")
    assert {first["text"][start:end].lower() for start, end in first["highlights"]} >= {"owl"}
    assert sum(first["parts"].values()) == pytest.approx(first["score"], abs=1e-4)
    assert first["text"] == (indexed / "owls.txt").read_text()[first["start"] : first["end"]]


def test_scores_show_their_parts(bookwheel: Bookwheel, indexed: Path) -> None:
    assert re.search(r"\d\.\d\d = bm25 \d\.\d\d \+ dense \d\.\d\d", bookwheel("search", "barn owl", "--recipe", "hybrid").out)
    assert re.search(r"\d\.\d\d bm25$", bookwheel("search", "barn owl", "--recipe", "bm25").out, re.M)


def test_where_filters(bookwheel: Bookwheel, indexed_records: Path) -> None:
    found = bookwheel(
        "search", "rocks ships", "--where", 'year >= 1950 and author = "Ann"', "--json", "--library", "records"
    ).json
    assert [result["id"] for result in found["results"]] == ["c"]
    done = bookwheel("search", "rocks", "--where", "colour = 'red'", "--library", "records")
    assert done.code == 2
    assert "colour" in done.err


def test_nothing_found(bookwheel: Bookwheel, indexed: Path) -> None:
    done = bookwheel("search", "xylophone", "--recipe", "bm25")
    assert done.code == 1
    assert done.out == ""
    assert done.err.startswith("bookwheel: nothing found for 'xylophone'")
    done = bookwheel("search", "xylophone", "--recipe", "bm25", "--json")
    assert done.code == 1
    assert done.json["results"] == []


@pytest.mark.parametrize("query", ["", "   ", "word\0word", "word " * 200_000])
def test_queries_that_cannot_be_searched(bookwheel: Bookwheel, indexed: Path, query: str) -> None:
    done = bookwheel("search", query)
    assert done.code == 2
    assert done.err.startswith("bookwheel: the query")
    assert len(done.err) < 300


def test_documents_cannot_steer_the_terminal(bookwheel: Bookwheel, tmp_path: Path) -> None:
    file = tmp_path / "evil.jsonl"
    record = {
        "_id": "\x1b]0;owned\x07",
        "title": "\x1b[31mred\x1b[0m\rtitle",
        "text": "poison \x1b[2J\x08\x9b31m ivy\u202e leaf",
    }
    file.write_text(json.dumps(record) + "\n")
    assert bookwheel("index", file).code == 0
    for command in (["search", "poison ivy"], ["search", "poison ivy", "--full"], ["show", record["_id"]]):
        done = bookwheel(*command)
        assert done.code == 0, done.err
        assert "ivy" in done.out
        assert not ESCAPE.search(done.out)
        assert "\u202e" not in done.out


def test_run_is_in_trec_format(bookwheel: Bookwheel, indexed_records: Path) -> None:
    done = bookwheel("search", "rocks and ships", "--run", "--tag", "mine", "--library", "records")
    rows = run_lines_of(done.out)
    assert {row[2] for row in rows} == {"a", "b", "c"}
    assert [row[3] for row in rows] == ["1", "2", "3"]
    assert all(row[0] == "1" and row[1] == "Q0" and row[5] == "mine" for row in rows)
    scores = [float(row[4]) for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_queries_from_standard_input(process: Bookwheel, bookwheel: Bookwheel, indexed_records: Path) -> None:
    done = process("search", "-", "--json", "--library", "records", stdin="q7\tlighthouse\ngrain and oil\n")
    documents = [json.loads(line) for line in done.out.splitlines()]
    assert [document["id"] for document in documents] == ["q7", "2"]
    assert [document["results"][0]["id"] for document in documents] == ["a", "b"]
    rows = run_lines_of(process("search", "-", "--run", "-k", "1", "--library", "records", stdin="q7\tlighthouse\n").out)
    assert [(row[0], row[2]) for row in rows] == [("q7", "a")]
    assert process("search", "-", "--library", "records", stdin="").code == 2


def test_group_gives_each_document_once(bookwheel: Bookwheel, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text(
        "".join(f"Paragraph {number} speaks of granite and of nothing else. " * 10 + "\n\n" for number in range(20))
    )
    assert bookwheel("index", file, "--words", "30").code == 0
    many = bookwheel("search", "granite", "--json").json["results"]
    assert len(many) > 1
    assert len(bookwheel("search", "granite", "--group", "--json").json["results"]) == 1


def test_an_empty_library(bookwheel: Bookwheel, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = bookwheel("index", tmp_path / "empty")
    assert "the library is still empty" in done.err
    done = bookwheel("search", "owl")
    assert done.code == 2
    assert "is empty" in done.err


def test_what_is_skipped_more_than_once_is_told_in_the_plural(bookwheel: Bookwheel, folder: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (folder / name).symlink_to("owls.txt")
    (folder / "loop").symlink_to("loop")
    done = bookwheel("index", folder)
    assert re.search(r"^skipped: .*2 links to files already read, 1 link loop", done.out, re.M), done.out
