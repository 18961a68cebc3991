"""Counts of a field's values: against counting all documents in Python."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

import bookwheel
from bookwheel import FilterError, UsageError
from bookwheel.cli.main import main

TAGS = ["red", "blue", "green"]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty documents with tags and years, of which ten were removed."""
    path = tmp_path_factory.mktemp("facets") / "library"
    with bookwheel.open(path, create=True, encoder=None) as library:
        library.add(
            {
                "id": str(n),
                "text": f"kites number {n} {'fly' if n % 2 else 'rest'}",
                "tags": [TAGS[n % 3], TAGS[n % 2]],
                **({"year": 2000 + n % 7} if n % 5 else {}),
            }
            for n in range(60)
        )
        library.remove([str(n) for n in range(10)])
    return path


def test_counts_are_those_of_all_documents(path: Path) -> None:
    library = bookwheel.open(path)
    tags, years = Counter[object](), Counter[object]()
    for document in library:
        tags.update(set(document.metadata["tags"]))  # type: ignore[arg-type]
        years.update([document.metadata["year"]] if "year" in document.metadata else [])
    found = library.facets("tags")
    assert dict(found) == dict(tags)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert (found.documents, found.missing, found.distinct) == (50, 0, 3)
    found = library.facets("year", k=3)
    assert list(found.items()) == sorted(years.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    assert (found.documents, found.missing, found.distinct) == (50, 10, 7)


def test_with_a_filter_and_a_query(path: Path) -> None:
    library = bookwheel.open(path)
    chosen = [d for d in library if d.metadata.get("year", 0) >= 2003]  # type: ignore[operator]
    found = library.facets("tags", where="year >= 2003")
    assert found.documents == len(chosen)
    assert dict(found) == dict(Counter(tag for d in chosen for tag in set(d.metadata["tags"])))  # type: ignore[arg-type]
    flying = [d for d in library if "fly" in d.text]
    found = library.facets("year", "fly", recipe="bm25")
    assert found.documents == len(flying)
    assert dict(found) == dict(Counter(d.metadata["year"] for d in flying if "year" in d.metadata))
    both = library.facets("year", "fly", recipe="bm25", where='tags = "red"')
    assert sum(both.values()) == sum("red" in d.metadata["tags"] for d in flying if "year" in d.metadata)  # type: ignore[operator]
    assert library.facets("year", "fly", recipe="bm25", depth=4).documents == 4


def test_fields_that_every_document_has(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/one.txt", "a/two.md", "three.txt"):
        (tmp_path / name).write_text("kites fly")
    (tmp_path / "r.jsonl").write_text('{"id": "1", "text": "kites", "suffix": "own", "folder": "inbox"}\n')
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index([tmp_path / "a", tmp_path / "three.txt", tmp_path / "r.jsonl"])
        assert dict(library.facets("suffix")) == {"txt": 2, "md": 1, "own": 1}
        assert dict(library.facets("folder")) == {str(tmp_path / "a"): 2, str(tmp_path): 1, "inbox": 1}
        assert dict(library.facets("folder", where='suffix = "txt"')) == {str(tmp_path / "a"): 1, str(tmp_path): 1}
        assert sum(library.facets("modified").values()) == 4
        assert all(len(str(day)) == 10 for day in library.facets("modified"))
        assert len(library.facets("id")) == 4
        assert library.facets("title").missing == 1


def test_mistakes(path: Path) -> None:
    library = bookwheel.open(path)
    with pytest.raises(FilterError, match="no document has a field 'colour'"):
        library.facets("colour")
    with pytest.raises(UsageError, match="k must be"):
        library.facets("tags", k=0)
    with pytest.raises(FilterError):
        library.facets("tags", where="year >")


def test_on_the_command_line(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["facets", "tags", "fly", "--where", "year >= 2003", "--recipe", "bm25", "--json", "--library", str(path)]) == 0
    told = json.loads(capfd.readouterr().out)
    expected = bookwheel.open(path).facets("tags", "fly", where="year >= 2003", recipe="bm25")
    assert {row["value"]: row["documents"] for row in told["counts"]} == dict(expected)
    assert (told["field"], told["query"], told["documents"]) == ("tags", "fly", expected.documents)
    assert main(["facets", "year", "-k", "2", "--library", str(path)]) == 0
    done = capfd.readouterr()
    assert done.out.splitlines()[0].split() == ["year", "documents"]
    assert len(done.out.splitlines()) == 3
    assert "5 more values" in done.err
    assert "10 of 50 documents have no value" in done.err
    assert main(["facets", "year", "--where", 'tags = "none"', "--library", str(path)]) == 1


def test_several_fields_at_once_are_each_as_alone(path: Path) -> None:
    library = bookwheel.open(path)
    fields = [*library.info().fields, "title", "nobody has this"]
    found = library.facets_of(fields, k=3)
    assert list(found) == fields[:-1]
    for name, counts in found.items():
        alone = library.facets(name, k=3)
        assert (list(counts.items()), counts.missing, counts.distinct) == (list(alone.items()), alone.missing, alone.distinct)


def test_a_query_counts_as_a_filter_of_the_same_documents_does(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/one.txt", "a/two.md", "three.txt"):
        (tmp_path / name).write_text("kites fly")
    records: list[dict[str, object]] = [
        {"id": "1", "text": "kites", "suffix": "own", "tags": ["x", "x", "y"], "n": 1, "yes": True, "size": None},
        {"id": "2", "text": "kites", "title": "T", "tags": [], "n": 1.0, "yes": 1, "size": "XL", "modified": ""},
        {"id": "3", "text": "kites", "n": "1", "yes": False, "folder": ["in", "out"], "big": 1 << 70, "odd": ""},
        {"id": "4", "text": "none of it", "n": 7, "deep": {"a": [1.5, "é"]}},
        {"id": "5", "text": "kites", "deep": {"a": ["e\u0301", 1.5, 2]}, "e\u0301": "x", "é": ["x", "y"]},
    ]
    (tmp_path / "r.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index([tmp_path / "a", tmp_path / "three.txt", tmp_path / "r.jsonl"])
        library.add([{**one, "id": f"p{one['id']}"} for one in records])
        ids = [document.id for document in library if "kites" in document.text]
        where = "id in (" + ", ".join(json.dumps(one) for one in ids) + ")"
        for field in ("id", "title", "source", *library.info().fields):
            asked, filtered = library.facets(field, "kites", recipe="bm25"), library.facets(field, where=where)
            assert dict(asked) == dict(filtered), field
            assert list(asked) == list(filtered), field
            assert (asked.documents, asked.missing, asked.distinct) == (len(ids), filtered.missing, filtered.distinct), field


def test_a_search_counts_among_what_it_finds(path: Path) -> None:
    library = bookwheel.open(path)
    fields = ["tags", "year", "nowhere"]
    for options in ({}, {"where": "year >= 2003"}, {"group": True, "k": 3}, {"fold": True}, {"offset": 2}):
        found = library.search("fly kites", recipe="bm25", facets=fields, **options)  # type: ignore[arg-type]
        alone = library.facets_of(
            fields,
            "fly kites",
            recipe="bm25",
            depth=200,
            where=options.get("where"),  # type: ignore[arg-type]
        )
        assert found.facets == alone
        assert set(alone) == {"tags", "year"}
        assert [found.facets["year"].documents, found.facets["year"].missing] == [
            alone["year"].documents,
            alone["year"].missing,
        ]
        plain = library.search("fly kites", recipe="bm25", **options)  # type: ignore[arg-type]
        assert [one.id for one in found] == [one.id for one in plain]
        assert plain.facets == {}
        assert "facets" in found.timings


def test_fields_are_names_in_a_list(path: Path) -> None:
    library = bookwheel.open(path)
    for wrong in ("tags", [1], [None]):
        with pytest.raises(UsageError, match="names of fields"):
            library.search("kites", facets=wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="facets"):
        library.rank_documents(["kites"], facets=["tags"])
