from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import MAX_ERRORS, Fields, read
from bookwheel.documents.seen_ids import SeenIds
from bookwheel.documents.source import Source


def items(path: Path, fields: Fields = Fields(), **options: int) -> list[Document | InputError]:  # noqa: B008
    (source,) = walk([path], **options)
    assert isinstance(source, Source), source
    return list(read(source, fields))


def documents(path: Path, fields: Fields = Fields(), **options: int) -> list[Document]:  # noqa: B008
    found = items(path, fields, **options)
    assert not [item for item in found if isinstance(item, InputError)], found
    return [item for item in found if isinstance(item, Document)]


def write(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"_id": "d1", "title": "T", "text": "x", "metadata": {"url": "u", "n": 3, "deep": {}}},
            ("d1", "T", "x", {"url": "u", "n": 3}),
        ),
        ({"id": 7, "contents": "x"}, ("7", "", "x", {})),
        ({"pid": "p_1", "passage": "x", "spans": "(0,3)", "docid": "D"}, ("p_1", "", "x", {"spans": "(0,3)", "docid": "D"})),
        (
            {"url": "u", "title": "T", "headings": "h", "body": "x", "docid": "D1"},
            ("D1", "T", "x", {"url": "u", "headings": "h"}),
        ),
        ({"docid": "D#0", "title": "T", "segment": "x", "start_char": 0}, ("D#0", "T", "x", {"start_char": 0})),
        ({"DOCNO": "L-1", "Headline": "T", "Text": ["x", "y"]}, ("L-1", "T", "x\ny", {})),
        (
            {"id": "a", "abstract": "x", "year": 2020, "open": True, "gone": None, "list": [1]},
            ("a", "", "x", {"year": 2020, "open": True, "list": (1,)}),
        ),
        ({"_id": "only title", "title": "T", "text": ""}, ("only title", "", "T", {})),
    ],
)
def test_the_usual_layouts_are_known(tmp_path: Path, record: dict[str, object], expected: tuple[object, ...]) -> None:
    (document,) = documents(write(tmp_path / "a.jsonl", record))
    assert (document.id, document.title, document.text, dict(document.metadata)) == expected


def test_fields_can_be_chosen(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"id": "no", "key": "yes", "name": "N", "text": "no", "q": "one?", "a": "two."})
    (document,) = documents(path, Fields(id="key", title="name", text=("q", "a")))
    assert (document.id, document.title, document.text) == ("yes", "N", "one?\n\ntwo.")
    assert document.metadata == {"id": "no", "text": "no"}
    (error,) = items(path, Fields(text=("body",)))
    assert "no field 'body'" in str(error)
    assert "key, name, text" in str(error)


def test_bad_records_are_told_with_their_line_and_reading_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"id": "a", "text": "one"}\n\n[1]\n{"id": "b"}\n{"id": "c", "text": "  "}\n{broken\n"x"\n'
        b'{"id": true, "text": "x"}\n{"id": "a", "text": "again"}\n{"id": "d", "text": "caf\xe9"}\n'
        b'{"id":"e","text":"x"} y\n{"id": "f", "text": "last"}'
    )
    found = items(path)
    assert [item.text for item in found if isinstance(item, Document)] == ["one", "café", "last"]
    errors = [str(item) for item in found if isinstance(item, InputError)]
    assert [error.removeprefix(f"{path}:").split(":")[0] for error in errors] == ["3", "4", "5", "6", "7", "8", "9", "11"]
    assert all("\n" not in error for error in errors)
    assert "occurs earlier in this file" in errors[6]
    assert [item.line for item in found if isinstance(item, Document)] == [1, 10, 12]


def test_many_bad_records_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *[{"id": number} for number in range(5000)], {"id": "good", "text": "x"})
    found = items(path)
    assert len(found) == MAX_ERRORS + 2
    assert "4,980 more records" in str(found[-1])
    assert isinstance(found[-2], Document)


def test_ids_are_exact_and_made_up_where_missing(tmp_path: Path) -> None:
    odd = "a/../b\n\t'; DROP TABLE documents; --\u2028"
    first, second = documents(write(tmp_path / "a.jsonl", {"id": odd, "text": "x"}, {"text": "y"}))
    assert first.id == odd
    assert second.id == f"{tmp_path / 'a.jsonl'}#2"


def test_escapes_cannot_smuggle_in_what_utf8_lacks(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "x\\ud800", "text": "nul \\u0000 half \\udc00 whole \\ud83d\\ude00", "\\ud800": "\\udfff"}\n')
    (document,) = documents(path)
    assert document.text == "nul   half \N{REPLACEMENT CHARACTER} whole 😀"
    for text in (document.id, *document.metadata, *document.metadata.values()):
        str(text).encode()


def test_a_line_beyond_the_limit_is_left_out_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    line = b'{"text": "' + b"x" * 30_000_000 + b'"}\n'
    path.write_bytes(gzip.compress(b'{"text": "one"}\n' + line + b'{"text": "three"}\n', 1))
    del line
    tracemalloc.start()
    first, error, third = items(path, max_bytes=1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(first, Document)
    assert isinstance(third, Document)
    assert ":2: the line has 28.6 MiB, more than the limit of 1.0 MiB" in str(error)
    assert (first.text, third.text, third.line) == ("one", "three", 3)
    assert peak < 8 << 20


def test_memory_stays_flat(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.jsonl"
        with path.open("w") as file:
            file.writelines(f'{{"id": "{number}", "text": "words {number} {"x" * 300}"}}\n' for number in range(count))
        (source,) = walk([path])
        assert isinstance(source, Source)
        tracemalloc.start()
        assert sum(1 for _ in read(source)) == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(16_000) < peak(2_000) + 16_000 * 32


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"id": 1, "text": "größer"}\n{"id": 2, "text": "schön"}\n'.encode("utf-16"))
    assert [document.text for document in documents(path)] == ["größer", "schön"]


def test_json_lists_are_records_and_other_json_is_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('\n[\n {"id": "a", "text": "one"},\n {"id": "b",\n "text": "two"} ]\n')
    assert [(item.id, item.text, item.line) for item in documents(tmp_path / "a.json")] == [("a", "one", 3), ("b", "two", 4)]
    (tmp_path / "b.json").write_text('{"setting": [1, 2]}')
    assert [(item.text, item.kind) for item in documents(tmp_path / "b.json")] == [('{"setting": [1, 2]}', "code")]
    (tmp_path / "d.json").write_text('[{"port": 80, "host": "a"}, {"port": 81}]')
    assert [item.kind for item in documents(tmp_path / "d.json")] == ["code"]
    assert [item.text for item in documents(tmp_path / "d.json", Fields(text=("port",)))] == ["80", "81"]
    (tmp_path / "c.json").write_text('[{"id": "a", "text": "one"}, {"id": ')
    (source,) = walk([tmp_path / "c.json"])
    assert isinstance(source, Source)
    reading = read(source)
    with pytest.raises(InputError, match="not JSON"):
        list(reading)


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id;Title;abstract;year;score;zip\n1;"A; title";"two\nlines ""quoted""";2020;3.5;007\n\n2;B;text;;-1;\n')
    first, second = documents(path)
    assert (first.id, first.title, first.text) == ("1", "A; title", 'two\nlines "quoted"')
    assert first.metadata == {"year": 2020, "score": 3.5, "zip": "007"}
    assert (second.id, second.metadata, first.line, second.line) == ("2", {"score": -1}, 2, 5)


def test_csv_without_a_text_column(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,city,age,name\nAda,London,36,Byron\n")
    (document,) = documents(path)
    assert document.text == "name: Ada; city: London; age: 36; name: Byron"
    assert document.metadata == {"name": "Ada", "city": "London", "age": 36, "name_2": "Byron"}
    (chosen,) = documents(path, Fields(text=("city",), id="name"))
    assert (chosen.id, chosen.text) == ("Ada", "London")


def test_tsv_has_no_quotes(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('docid\ttext\n1\t"an open quote\n2\tplain\n')
    assert [document.text for document in documents(path)] == ['"an open quote', "plain"]


def test_bad_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,a,b\n2,\n1,x\n1,y\n4," + "z" * 300 + "\n5,fine\n")
    found = items(path, max_bytes=200)
    assert [item.id for item in found if isinstance(item, Document)] == ["1", "5"]
    assert [str(item).split(":")[1] for item in found if isinstance(item, InputError)] == ["3", "4", "5", "6"]
    with pytest.raises(InputError, match="no field 'body'"):
        items(path, Fields(text=("body",)))


def test_a_quotation_mark_that_is_not_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,fine\n2,"open\n' + "3,swallowed\n" * 20_000)
    document, error = items(path)
    assert isinstance(document, Document)
    assert "a.csv:3: the row spans 20,000 lines" in str(error)


def test_latin_1_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,text\n1,größer und schöner\n2,übermäßig\n".encode("latin-1"))
    assert [document.text for document in documents(tmp_path / "a.csv")] == ["größer und schöner", "übermäßig"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=12))
def test_seen_ids_agree_with_a_set(batches: list[list[int]]) -> None:
    seen, known = SeenIds(), set[int]()
    for batch in batches:
        expected = []
        for value in batch:
            expected.append(value in known)
            known.add(value)
        assert seen.add(np.array(batch, np.int64)).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.one_of(st.none(), st.integers(), st.text()), max_size=4)
        | st.text()
        | st.none(),
        max_size=5,
    )
)
def test_any_json_gives_clean_documents_or_errors(tmp_path_factory: pytest.TempPathFactory, records: list[object]) -> None:
    path = tmp_path_factory.mktemp("any") / "a.jsonl"
    path.write_text("{}\n" + "".join(json.dumps(record) + "\n" for record in records))
    found = items(path)
    assert len(found) == 1 + len(records)
    for item in found:
        if isinstance(item, Document):
            (item.id + item.title + item.text).encode()
            assert "\0" not in item.text
            assert item.text.strip()


def test_rows_wider_than_the_header_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,heron\n2,stork,7,white\n")
    first, second = items(tmp_path / "a.csv")
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert (first.text, dict(first.metadata)) == ("heron", {})
    assert (second.text, dict(second.metadata)) == ("stork,7,white", {"column3": 7, "column4": "white"})


def test_columns_may_be_separated_by_bars(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id|text|year\n1|a heron, standing|2020\n")
    (found,) = items(tmp_path / "a.csv")
    assert isinstance(found, Document)
    assert (found.id, found.text, dict(found.metadata)) == ("1", "a heron, standing", {"year": 2020})
