"""The metadata filter: against a plain evaluator in Python, over a real SQLite database."""

from __future__ import annotations

import operator
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import FilterError
from bookwheel.documents.metadata import comparable
from bookwheel.library.filters.parse import MAX_TESTS, MAX_TEXT, MAX_VALUES, parse_filter, register

Value = str | int | float


@dataclass
class Doc:
    name: str
    title: str = ""
    source: str | None = None
    metadata: dict[str, list[Value]] = field(default_factory=dict)

    def values(self, name: str) -> list[Value]:
        if name in ("id", "title", "source"):
            value = {"id": self.name, "title": self.title, "source": self.source}[name]
            return [value] if value else []
        return self.metadata.get(name, [])


def database(docs: list[Doc]) -> sqlite3.Connection:
    """The tables of the library's store, as far as filters see them."""
    connection = sqlite3.connect(":memory:")
    register(connection)
    connection.executescript(
        "CREATE TABLE sources (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);"
        "CREATE TABLE documents (id INTEGER PRIMARY KEY, name TEXT NOT NULL, source INTEGER, title TEXT);"
        "CREATE INDEX documents_name ON documents(name);"
        "CREATE TABLE metadata (key TEXT, value, document INTEGER, PRIMARY KEY (key, value, document)) WITHOUT ROWID;"
    )
    for number, doc in enumerate(docs):
        source = None
        if doc.source is not None:
            connection.execute("INSERT OR IGNORE INTO sources (path) VALUES (?)", (doc.source,))
            source = connection.execute("SELECT id FROM sources WHERE path = ?", (doc.source,)).fetchone()[0]
        connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", (number, doc.name, source, doc.title))
        for key, values in doc.metadata.items():
            rows = [(key, comparable(value), number) for value in values]
            connection.executemany("INSERT OR IGNORE INTO metadata VALUES (?, ?, ?)", rows)
    return connection


def matching(connection: sqlite3.Connection, text: str) -> set[int]:
    sql, parameters = parse_filter(text).sql()
    rows = connection.execute(f"SELECT d.id, ({sql}) FROM documents d", parameters).fetchall()
    assert {value for _, value in rows} <= {0, 1}  # never NULL
    found = {number for (number,) in connection.execute(f"SELECT d.id FROM documents d WHERE {sql}", parameters)}
    assert found == {number for number, value in rows if value}
    return found


# -- a plain evaluator -----------------------------------------------------------------------------------------------------

Test = Callable[[Doc], bool]
NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\v\f\r]*")
ORDER: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def meets(value: Value, op: str, literal: Value) -> bool:
    if isinstance(literal, str):
        # SQLite compares text by its bytes in UTF-8, which is the order of code points. Spellings of one text are equal.
        value, literal = comparable(value), comparable(literal)
        return isinstance(value, str) and ORDER[op](value, literal)
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
            dated = re.match(r"[12][0-9]{3}-[0-9]{2}", value)
            year = isinstance(literal, int) and 1000 <= literal < 3000
            return bool(dated and year) and ORDER[op](int(value[:4]), literal)
        value = float(value) if re.search(r"[.eE]", value) else int(value)
    return ORDER[op](value, literal)


def compare(name: str, op: str, literal: Value) -> Test:
    if op == "!=":
        return lambda doc: bool(doc.values(name)) and not any(meets(v, "=", literal) for v in doc.values(name))
    return lambda doc: any(meets(v, op, literal) for v in doc.values(name))


def written(value: Value) -> str:
    if isinstance(value, str):
        for mark, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
            value = value.replace(mark, escaped)
        return f'"{value}"'
    return str(value)


# -- strategies --------------------------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.sampled_from(
        ["2020", " 7 ", "1e3", "-3.50", "Knuth", "knuth", "ÖSTEN", "östen", "", "2020-05-01", "0x1", "1e", "';", "%_"]
    ),
    st.sampled_from(["ÖSTEN", "o\u0308sten", "\ufb2a", "\u05e9\u05c1", "\u212b", "\u00c5", "A\u030a"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
)
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 7, 1000, 2020, -3.5, 2**62, 0.1]),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)
VALUES = st.one_of(TEXTS, NUMBERS, st.booleans().map(int))
KEYS = ["year", "author name", "x.y-z", "in", "id", "title", "source"]
NAMES = dict(zip(KEYS, ["year", '"author name"', "x.y-z", "[in]", "id", "title", "source"], strict=True))
DOCS = st.builds(
    Doc,
    name=TEXTS,
    title=TEXTS,
    source=st.none() | TEXTS,
    metadata=st.dictionaries(st.sampled_from(KEYS[:4]), st.lists(VALUES, min_size=1, max_size=2), max_size=4),
)


def comparisons(key: str, op: str, value: Value) -> tuple[str, Test]:
    return f"{NAMES[key]} {op} {written(value)}", compare(key, op, value)


def lists(key: str, values: list[Value], negated: bool) -> tuple[str, Test]:
    text = f"{NAMES[key]} {'not ' if negated else ''}in ({', '.join(map(written, values))})"
    if negated:
        return text, lambda doc: all(compare(key, "!=", value)(doc) for value in values)
    return text, lambda doc: any(compare(key, "=", value)(doc) for value in values)


def contains(key: str, part: str) -> tuple[str, Test]:
    def folded(text: str) -> str:
        return unicodedata.normalize("NFC", text.casefold())

    return f"{NAMES[key]} ~ {written(part)}", lambda doc: any(
        isinstance(value, str) and folded(part) in folded(value) for value in map(comparable, doc.values(key))
    )


def exists(key: str, text: str, there: bool) -> tuple[str, Test]:
    return text.format(NAMES[key]), lambda doc: bool(doc.values(key)) == there


CASES = [("{} exists", True), ("exists({})", True), ("{} != null", True), ("{} = null", False)]
KEY = st.sampled_from(KEYS)
SIMPLE = st.one_of(
    st.builds(comparisons, KEY, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), VALUES),
    st.builds(lists, KEY, st.lists(VALUES, min_size=1, max_size=3), st.booleans()),
    st.builds(contains, KEY, TEXTS),
    st.builds(
        lambda key, case: exists(key, *case),
        KEY,
        st.sampled_from([("{} exists", True), ("exists({})", True), ("{} = null", False)]),
    ),
)


def negation(inner: tuple[str, Test]) -> tuple[str, Test]:
    return f"not ({inner[0]})", lambda doc: not inner[1](doc)


def both(a: tuple[str, Test], b: tuple[str, Test]) -> tuple[str, Test]:
    return f"({a[0]}) and {b[0]}" if " or " not in b[0] else f"({a[0]}) AND ({b[0]})", lambda doc: a[1](doc) and b[1](doc)


def either(a: tuple[str, Test], b: tuple[str, Test]) -> tuple[str, Test]:
    return f"{a[0]} or {b[0]}", lambda doc: a[1](doc) or b[1](doc)


FILTERS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(inner.map(negation), st.builds(both, inner, inner), st.builds(either, inner, inner)),
    max_leaves=4,
)


@settings(max_examples=250, deadline=None)
@given(st.lists(DOCS, min_size=1, max_size=6), FILTERS)
def test_sql_agrees_with_a_plain_evaluator(docs: list[Doc], condition: tuple[str, Test]) -> None:
    text, test = condition
    connection = database(docs)
    assert matching(connection, text) == {number for number, doc in enumerate(docs) if test(doc)}
    connection.close()


@pytest.fixture(scope="module")
def library() -> Iterator[sqlite3.Connection]:
    connection = database(
        [
            Doc("a", "On Trees", "/notes/a.txt", {"year": [2020], "author": ["Knuth"]}),
            Doc("b", "Graphs", "/notes/b.txt", {"year": ["2021"], "author": ["knuth", "Dijkstra"]}),
            Doc("c", "", None, {"year": [2019.5], "date": ["2020-05-01"], "draft": [1]}),
            Doc("42", "ÜBER Bäume", "/c.csv", {"year": ["n/a"], "draft": [0]}),
        ]
    )
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("year >= 2020", "01"),
        ("year >= 2020 and author = 'Knuth'", "0"),
        ("year = 2021 OR year < 2020", "12"),
        ("year != 2020", "123"),
        ("not year = 2020", "123"),
        ("author != 'Knuth'", "1"),
        ("not author = 'Knuth'", "123"),
        ("author not in ('Dijkstra')", "0"),
        ("author like 'KNU' and not year = 2020", "1"),
        ("title ~ 'bäu'", "3"),
        ("title ~ 'über'", "3"),
        ("source ~ '/notes/'", "01"),
        ("source = null", "2"),
        ("title exists and draft = false", "3"),
        ("draft = true", "2"),
        ("draft exists", "23"),
        ("exists draft or exists (author)", "0123"),
        ("id = 42 or id in ('a', 'c')", "023"),
        ("id > 'a' and id <= 'c'", "12"),
        ("date < '2021-01-01' and date >= \"2020\"", "2"),
        ("year in (2020, 'n/a', 2021)", "013"),
        ("a = 1 or b = 2 and not c exists", ""),
        ("year=2020 or(year=2021)", "01"),
        ('[year] <> 2020 and "year" == 2019.5', "2"),
    ],
)
def test_examples(library: sqlite3.Connection, text: str, found: str) -> None:
    assert matching(library, text) == set(map(int, found))


@pytest.mark.parametrize(
    "evil",
    [
        "'); DROP TABLE documents; --",
        '"; DELETE FROM metadata; --',
        "x' OR '1'='1",
        "] OR 1=1 --",
        "{0}",
        "{}",
        "%s",
        "?1",
        "\x00",
        "\\",
    ],
)
def test_sql_in_the_text_is_only_text(evil: str) -> None:
    connection = database([Doc(evil, evil, evil, {evil: [evil]}), Doc("b", "b", "b", {"b": ["b"]})])
    quoted = written(evil)
    for text in (f"{quoted} = {quoted}", f"id = {quoted}", f"title in ({quoted})", f"source = {quoted}", f"{quoted} exists"):
        assert matching(connection, text) == {0}
        assert evil not in parse_filter(text).sql()[0].replace("?", "").replace("''", "") or evil in ("?1", "\\")
    assert connection.execute("SELECT count(*) FROM metadata").fetchone() == (2,)
    connection.close()


def test_the_sql_is_of_fixed_pieces() -> None:
    one = parse_filter("year >= 2020 and author = 'a' and title ~ 'x' and source in ('s')")
    two = parse_filter("\"; drop\" >= 1999 and [?] = 'it''s' and title ~ '%' and source in (\"'\")".replace("''", "\\'"))
    assert one.sql()[0] == two.sql()[0]
    assert two.sql()[1].count("; drop") == 3


def test_equality_and_ranges_search_the_index(library: sqlite3.Connection) -> None:
    def plan(text: str) -> str:
        sql, parameters = parse_filter(text).sql()
        rows = library.execute(f"EXPLAIN QUERY PLAN SELECT d.id FROM documents d WHERE {sql}", parameters)
        return " ".join(row[-1] for row in rows)

    assert "SEARCH metadata USING PRIMARY KEY (key=? AND value=?)" in plan("author = 'Knuth'")
    assert (
        plan("year >= 2020").count("SEARCH metadata USING PRIMARY KEY (key=? AND value>? AND value<?)") == 3
    )  # numbers, text that looks like one, dates
    assert "SCAN metadata" not in plan("year != 2020 and author ~ 'x' and not (year in (1, 'a'))")
    assert "documents_name (name=?" in plan("id = 'a'")


def test_fields_are_told() -> None:
    assert parse_filter("year = 1 and id = 'a' and (\"b c\" exists or year < 3) and source ~ 'x'").fields == ("year", "b c")


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("year", 5, "expected a comparison after the field 'year'"),
        ("year >", 7, "expected a value"),
        ("year > 2020-05-01-x", 8, 'in quotes: "2020-05-01-x"'),
        ("version = 1.2.3", 11, 'in quotes: "1.2.3"'),
        ("author = Knuth", 10, 'in quotes: "Knuth"'),
        ("2020 <= year", 1, "on the left"),
        ("'author' = 2", 1, "double quotes"),
        ("draft > true", 9, "only be compared with = or !="),
        ("draft <= null", 10, "only be compared with = or !="),
        ("year in 3", 9, "a list after 'in'"),
        ("year in ()", 10, "expected a value"),
        ("year in (1 2)", 12, "a comma or a closing"),
        ("year in (1, null)", 13, "cannot contain null"),
        ("(year = 1", 10, "a closing parenthesis"),
        ("year = 1)", 9, "the end of the filter"),
        ("year = 1 year = 2", 10, "the end of the filter"),
        ("exists(year", 12, "closing parenthesis"),
        ("author = 'Knuth", 10, "not closed"),
        ("[author = 3", 1, "not closed"),
        ("year = 1 && a = 2", 10, "write 'and'"),
        ("year = 1 || a = 2", 10, "write 'or'"),
        ("!year = 1", 1, "write 'not'"),
        ("path = 'C:\\docs'", 11, "write a backslash"),
        ("in = 3", 1, "write [in]"),
        ("title like 3", 12, "in quotes"),
        ("x = 1e999", 5, "too large"),
        ("year >= 2020 and", 17, "expected a field name"),
        ("= 3", 1, "expected a field name"),
        ("x is null", 3, "expected a comparison"),
        ("year % 3", 6, "is not allowed here"),
        ("é = 'ü' and ñ ? 3", 15, "is not allowed here"),
    ],
)
def test_mistakes_are_placed(text: str, column: int, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    sentence, shown, mark = str(caught.value).split("\n")
    assert sentence.startswith(f"filter, column {column}: ")
    assert words in sentence
    assert shown == f"  {text}"
    assert mark.index("^") == column + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("x = 'a\ud800'", "unpaired surrogate at column 7"),
        ("x" * (MAX_TEXT + 1), "shorten"),
        ("(" * 60 + "x = 1" + ")" * 60, "nested"),
        ("not " * 60 + "x = 1", "nested"),
        (" or ".join(["x = 1"] * (MAX_TESTS + 1)), f"at most {MAX_TESTS}"),
        (f"x in ({', '.join('1' * (MAX_VALUES + 1))})", f"at most {MAX_VALUES}"),
    ],
)
def test_limits(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=words):
        parse_filter(text)


def test_the_largest_filters_run(library: sqlite3.Connection) -> None:
    many = " or ".join(["year = 2020 and not x != 3"] * (MAX_TESTS // 2))
    assert matching(library, many) == {0}
    assert matching(library, "not " * 40 + "(" * 5 + "year = 2020" + ")" * 5) == {0}
    values = ", ".join(map(str, range(1, MAX_VALUES)))
    assert matching(library, f"year in ({values}, 2020)") == {0, 1}


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab1. =<>!~()',\"[]\\-\n"), max_size=25) | st.text(max_size=20))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        sql, parameters = parse_filter(text).sql()
    except FilterError:
        return
    assert sql.count("?") == len(parameters)
