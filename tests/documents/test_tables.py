"""Tables of delimited text: what separates cells, which row names columns, and that no cell is lost."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import Fields, read
from bookwheel.documents.source import Source


def found(path: Path, text: str | None = None, fields: Fields = Fields()) -> list[Document]:  # noqa: B008
    if text is not None:
        path.write_text(text)
    (source,) = walk([path])
    assert isinstance(source, Source), source
    items = list(read(source, fields))
    assert not [item for item in items if isinstance(item, InputError)], items
    return [item for item in items if isinstance(item, Document)]


PEOPLE = ["name: Ada; born: 1815", "name: Grace; born: 1906"]
STATES = ["state: Texas; capital: Austin", "state: Ohio; capital: Columbus"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name,born\nAda,1815\nGrace,1906\n", PEOPLE),
        ("name;born\nAda;1815\nGrace;1906\n", PEOPLE),
        ("name|born\nAda|1815\nGrace|1906\n", PEOPLE),
        ("name\tborn\nAda\t1815\nGrace\t1906\n", PEOPLE),
        ("sep=;\nname;born\nAda;1815\nGrace;1906\n", PEOPLE),
        ('"name"\t"born"\nAda\t1815\nGrace\t1906\n', PEOPLE),
        ('"name","born"\n"Ada",1815\n"Grace",1906\n', PEOPLE),
        ("# made by hand\n# in 2024, at home\nname,born\nAda,1815\nGrace,1906\n", ["made by hand\nin 2024, at home", *PEOPLE]),
        ("#name,born\nAda,1815\nGrace,1906\n", PEOPLE),
        ("## two people\n#name\tborn\nAda\t1815\nGrace\t1906\n", ["two people", *PEOPLE]),
        ("Pioneers of computing\n\nname,born\nAda,1815\nGrace,1906\n", ["Pioneers of computing", *PEOPLE]),
        ("Pioneers,,\nname,born,of\nAda,1815,UK\n", ["Pioneers", "name: Ada; born: 1815; of: UK"]),
        ('"name" "born"\n"1" "Ada" 1815\n"2" "Grace" 1906\n', [f"{n}; {text}" for n, text in enumerate(PEOPLE, 1)]),
        ('"mpg","cyl"\n"Mazda RX4",21,6\n"Fiat 128",32.4,4\n', ["Mazda RX4; mpg: 21; cyl: 6", "Fiat 128; mpg: 32.4; cyl: 4"]),
        (",name\n0,Ada\n1,Grace\n", ["0; name: Ada", "1; name: Grace"]),
        ("price;dish\n3,50;soup\n4,20;stew\n", ["price: 3,50; dish: soup", "price: 4,20; dish: stew"]),
        ("state,capital\nTexas,Austin\nOhio,Columbus\n", STATES),
        ("State,Capital\nTexas,Austin\n", ["State\tCapital", "State: Texas; Capital: Austin"]),  # or a row as the other
        ("a@b.org,Ada\nc@d.org,Grace\n", ["a@b.org\tAda", "c@d.org\tGrace"]),
        ("Ada,1815\nGrace,1906\n", ["Ada\t1815", "Grace\t1906"]),
        ("land,2019,2020\nPeru,1.5,2\n", ["land: Peru; 2019: 1.5; 2020: 2"]),
        ("When?,Who?\n2024-01-31,Ada\n", ["When?: 2024-01-31; Who?: Ada"]),
        ('"x"\n"1" "foo bar"\n"2" "baz"\n', ["x", "1; x: foo bar", "2; x: baz"]),
        ("hello world\nfoo bar\n", ["hello world", "foo bar"]),
        ("name\nSmith, John\nfoo\n", ["name: Smith, John", "name: foo"]),
        ("text\nhello, world\nfoo\n", ["hello, world", "foo"]),
        ("id,text,year\n1,heron,2020,white, grey\n", ["heron\n\nwhite, grey"]),
        ('"\ta"\n"1"\n', ['"\ta"', '": "1"']),  # the tab looks like a delimiter
        ("one;two\n", ["one\ttwo"]),
        ("good words\n", ["good words"]),
        ("name,born\n", ["name\tborn"]),
        ("id,name\n7,Ada\n7,Grace\n", ["id: 7; name: Ada", "id: 7; name: Grace"]),
        ("id,text,note\n1,,only a note\n", ["id: 1; note: only a note"]),
    ],
)
def test_what_rows_say(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert [document.text for document in found(tmp_path / "a.csv", text)] == expected


def test_rows_have_names_where_the_header_is_one_short(tmp_path: Path) -> None:
    first, second = found(tmp_path / "a.csv", '"mpg","cyl"\n"Mazda RX4",21,6\n"Fiat 128",32.4,4\n')
    assert dict(first.metadata) == {"row": "Mazda RX4", "mpg": 21, "cyl": 6}
    assert (second.metadata["row"], second.line) == ("Fiat 128", 3)


def test_collections_without_a_header_keep_their_ids_and_first_row(tmp_path: Path) -> None:
    passages = '0\tThe presence of "communication" amid minds\n1\t"Kites fly by day\n2\tThe heron, it stands\tin water\n'
    rows = found(tmp_path / "collection.tsv", passages)
    assert [row.id for row in rows] == ["0", "1", "2"]
    assert [row.text for row in rows[:2]] == ['The presence of "communication" amid minds', '"Kites fly by day']
    assert (rows[2].text, dict(rows[2].metadata)) == ("The heron, it stands\tin water", {"column3": "in water"})
    web = "D1\thttps://a.org/x\tOwls\tThe owl sleeps all day long\nD2\thttps://b.org\tKites\tThe kite flies over the hill\n"
    first, second = found(tmp_path / "docs.tsv", web)
    assert (first.id, first.title, first.text) == ("D1", "Owls", "The owl sleeps all day long")
    assert (second.id, dict(second.metadata)) == ("D2", {"column2": "https://b.org"})


def test_a_guessed_id_that_occurs_twice_loses_no_row(tmp_path: Path) -> None:
    lines = [f"{number}\tthe {number}th long enough text of a collection" for number in range(150)]
    rows = found(tmp_path / "a.tsv", "\n".join([*lines, "3\tanother text under the same number", "4"]))
    assert len(rows) == 152
    assert (rows[150].id, rows[150].text) == (f"{tmp_path / 'a.tsv'}#151", "another text under the same number")
    assert rows[150].metadata == {"column1": 3}
    assert rows[151].text == "4"


def test_columns_without_names_can_be_chosen(tmp_path: Path) -> None:
    rows = found(tmp_path / "a.csv", "7,Ada,London\n8,Grace,New York\n", Fields(id="column1", text=("column3",)))
    assert [(row.id, row.text, dict(row.metadata)) for row in rows] == [
        ("7", "London", {"column2": "Ada"}),
        ("8", "New York", {"column2": "Grace"}),
    ]


def test_a_table_of_numbers_is_one_sentence(tmp_path: Path) -> None:
    rows = "".join(f"{n},{n / 2},\n" for n in range(2000))
    (document,) = found(tmp_path / "walk.csv", "time,speed,slope\n" + rows)
    assert document.text == "A table of numbers with 2,000 rows and 3 columns: time (0 to 1999), speed (0.0 to 999.5), slope."
    assert document.title == "walk"
    (document,) = found(tmp_path / "b.csv", "1;2,5\n3;-1e3\n")
    assert document.text == "A table of numbers with 2 rows and 2 columns: column1 (1 to 3), column2 (-1000.0 to 2.5)."
    row, document = found(tmp_path / "walk.csv", "time,speed,slope\n" + rows + "2000,1,steep\n")
    assert (row.text, row.line) == ("time: 2000; speed: 1; slope: steep", 2002)
    assert "with 2,000 rows" in document.text


def test_a_table_of_texts_is_as_it_was(tmp_path: Path) -> None:
    (document,) = found(tmp_path / "a.csv", "id,title,text,year\n1,Owls,The owl,2020\n")
    assert (document.id, document.title, document.text, dict(document.metadata)) == ("1", "Owls", "The owl", {"year": 2020})


def test_memory_stays_flat(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        path.write_text("number,word\n" + "".join(f"{n},word{n}\n" for n in range(count)))
        (source,) = walk([path])
        assert isinstance(source, Source)
        tracemalloc.start()
        assert sum(1 for _ in read(source)) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(16_000) < peak(4_000) + 500_000


CELLS = st.text(st.sampled_from("ab éЖ界1,;|\t\"'#:.@-"), max_size=12)
NAMES = st.sampled_from(["name", "id", "text", "Title", "x", "year", "2020", "", "Über uns", "key", "a b"])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=6)),
    names=st.none() | st.lists(NAMES, min_size=4, max_size=4),
    short=st.booleans(),
    delimiter=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC]),
    title=st.sampled_from(["", "# a comment\n", "A title\n", "sep=;\n", "\n"]),
    suffix=st.sampled_from([".csv", ".tsv"]),
)
def test_every_cell_is_found(
    tmp_path: Path,
    rows: list[list[str]],
    names: list[str] | None,
    short: bool,
    delimiter: str,
    quoting: int,
    title: str,
    suffix: str,
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    if names is not None:
        writer.writerow(names[: max(1, len(rows[0]) - short)])
    writer.writerows(rows)
    path = tmp_path / f"t{suffix}"
    path.write_text(title + file.getvalue())
    (source,) = walk([path])
    assert isinstance(source, Source), source
    try:
        items = list(read(source))
    except InputError:  # nothing but white space
        assert not (title + file.getvalue()).strip()
        return
    told = [str(item) for item in items if isinstance(item, InputError)]
    assume(not any("no text" in text or "occurs earlier" in text for text in told))  # by the names of a table of texts
    assert not told
    everything = "\n".join(
        part
        for item in items
        if isinstance(item, Document)
        for part in (item.id, item.title, item.text, *map(str, item.metadata), *map(str, item.metadata.values()))
    )
    numbers = everything.startswith("A table of numbers") or "A table of numbers with" in everything
    for row in rows:
        for cell in row:
            for word in "".join(c if c.isalpha() else " " for c in cell).split():
                assert word in everything, (cell, items)
            if not numbers and cell.strip().isdigit():
                assert cell.strip() in everything
