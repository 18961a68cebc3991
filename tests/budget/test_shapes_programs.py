"""What a program adds in awkward shapes, whole books, and searching them, within 256 MB under a real limit: held, or told by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapes import MB, english, lines, within

pytestmark = pytest.mark.usefixtures("compiled")

ADD = """
import random
def birds(word, n=50):
    return ({"id": f"{word}{i}", "text": f"The {word} number {i} stands here."} for i in range(n))
def large(field, n):
    for i in range(n):
        yield {"id": f"{field}{i}", "text": f"heron {i}", field: f"{i} " + "word " * 800_000}

class Frame:
    # The part of a polars frame that is used; each row is made when it is asked for.
    height = 40
    iter_slices = None
    def __init__(self, first=0, count=40):
        self.first, self.count = first, count
    def slice(self, at, count):
        return Frame(at, min(count, 40 - at))
    def to_dicts(self):
        return [{"id": f"row{i}", "text": "heron", "note": f"{i} " + "word " * 800_000} for i in range(self.first, self.first + self.count)]

GIVEN = {
    "a generator with titles of 4 MB": lambda: large("title", 25),
    "a generator with metadata of 4 MB": lambda: large("note", 40),
    "a frame with cells of 4 MB": Frame,
}
for name, given in GIVEN.items():
    began = time.process_time()
    with bookwheel.open(Path(sys.argv[1]) / name, create=True, language="english", ram="256MB") as library:
        library.add(birds("ibis"))
        report = library.add(given())
        library.add(birds("quokka"))
        tell(name, began, documents=library.document_count, failures=report.failures,
             good=[len(library.search(word, 3, recipe="bm25")) for word in ("ibis", "quokka")],
             found=len(library.search("heron", 60)))
"""

WHOLE = """
import random
signs = [chr(0x4e00 + n) for n in range(3_000)]
GIVEN = {
    "a book of fifty signs": "".join(signs[:50]) * 34_000,
    "a book of one sign": signs[0] * 1_700_000,
    "a book of 150 signs": "".join(random.Random(0).choices(signs[:150], k=1_700_000)),
    "a book of 150 signs and stops": "。".join("".join(random.Random(n).choices(signs[:149], k=19)) for n in range(50_000)),
    "a longer book of 150 signs": "".join(random.Random(0).choices(signs[:150], k=2_800_000)),
    "a book of 3,000 signs": "".join(random.Random(0).choices(signs, k=2_800_000)),
}
for name, text in GIVEN.items():
    began = time.process_time()
    with bookwheel.open(Path(sys.argv[1]) / name, create=True, language="english", unit="document", ram="256MB") as library:
        report = library.add([{"id": "a", "text": "ibis"}, {"id": "t", "text": text}, {"id": "z", "text": "quokka"}])
        tell(name, began, documents=library.document_count, failures=report.failures,
             good=[len(library.search(word, 3, recipe="bm25")) for word in ("ibis", "quokka")],
             found=[result.id for result in library.search(text[1000:1004], 3, recipe="bm25")])
"""

SEARCH = """
import pickle
place = Path(sys.argv[1])
with bookwheel.open(place, ram="256MB") as library:
    def run(name, found):
        began = time.process_time()
        tell(name, began, **found())
    def read(results, marked=3):
        # The highlights of each, once: they take longer than all the rest.
        sizes = [(len(r.text), len(r.title), len(r.metadata)) for r in results]
        marks = [len(r.highlights) for r in results[:marked]]
        return {"found": len(results), "characters": sum(size[0] for size in sizes), "marks": marks}
    library.search("ibis", 3)
    peak.take()
    run("60 books", lambda: read(library.search("heron", 60, recipe="bm25"), 60))
    run("60 books, rm3", lambda: read(library.search("heron", 60, recipe="bm25 >> rm3() >> bm25")))
    run("60 books, hybrid, mmr", lambda: read(library.search("heron", 60, recipe="hybrid % 60 >> mmr()")))
    run("60 books, fold", lambda: read(library.search("heron", 60, recipe="bm25 >> fold()")))
    run("60 books, a phrase", lambda: read(library.search('"heron stands"', 60, recipe="syntax() >> bm25")))
    run("60 books, by document", lambda: read(library.search("heron", 60, recipe="bm25", group=True)))
    run("a book of one word", lambda: read(library.search("egret", 60, recipe="bm25")))
    run("one book, pickled", lambda: {"same": (r := library.search("egret", 1)[0]).text == pickle.loads(pickle.dumps(r)).text})
    from bookwheel.cli.main import main
    import contextlib, io
    class Count(io.TextIOBase):
        count = 0
        def write(self, text):
            self.count += len(text)
            return len(text)
    def shown(*arguments):
        out = Count()
        with contextlib.redirect_stdout(out):
            code = main(["search", "heron", "-k", "60", "--recipe", "bm25", "--library", str(place), "--ram", "256MB", *arguments])
        return {"code": code, "characters": out.count}
    run("60 books, printed", shown)
    run("60 books, as JSON", lambda: shown("--json"))
"""

TWO = """
one, two, files = map(Path, sys.argv[1:4])
began = time.process_time()
with bookwheel.open(one, create=True, language="english", ram="256MB") as a:
    with bookwheel.open(two, create=True, language="english", ram="256MB") as b:
        a.index(files / "1.jsonl"), b.index(files / "2.jsonl")
        assert a.encoder is b.encoder, "the built-in encoder is held once"
        errors = []
        def work(task):
            try:
                task()
            except BaseException as error:
                errors.append(repr(error))
        def search(library):
            for n in range(60):
                assert library.search("heron", 30) and library.search(f"ibis {n}", 30)
        tasks = [lambda: a.index(files), lambda: b.index(files), lambda: search(a), lambda: search(b), lambda: search(b)]
        threads = [threading.Thread(target=work, args=(task,)) for task in tasks]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        tell("two libraries", began, errors=errors, documents=[a.document_count, b.document_count],
             planned=[a.memory_plan().planned(), b.memory_plan().planned()])
"""


def test_what_a_program_adds(tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    told = within(python, child_environment, ADD, tmp_path)
    assert [found["documents"] for found in told.values()] == [125, 140, 140]
    for name, found in told.items():
        assert found["good"] == [3, 3], name
        assert found["failures"] == [], name
        assert found["found"] >= 25, name


def test_whole_books_without_spaces(tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    """A document indexed as one passage, in a script without spaces or stops, is held or refused by name."""
    told = within(python, child_environment, WHOLE, tmp_path)
    for name in ("a book of 3,000 signs", "a longer book of 150 signs"):
        refused = told.pop(name)
        assert "document 't' has at least" in refused["failures"][0], name
        assert refused["good"] == [1, 1], name
    assert len(told) == 4
    for name, found in told.items():
        assert (found["documents"], found["failures"], found["good"], found["found"]) == (3, [], [1, 1], ["t"]), name


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of 62 whole books of 4 MB, 60 of which are made of few words so that they are quickly indexed."""
    import bookwheel

    place = tmp_path_factory.mktemp("books")
    filler = ("x" * 499 + " ") * 8_000
    book = english(200_000)
    with bookwheel.open(place / "library", create=True, language="english", unit="document", ram="1GB") as library:
        library.add(
            {"id": f"b{n}", "title": f"Book {n}", "text": f"The heron stands {n} times. {book} {filler}", "note": "n" * 200_000}
            for n in range(60)
        )
        library.add([{"id": "flood", "text": "egret " * 700_000}, {"id": "real", "text": english(4_000_000) + " egret"}])
        library.add([{"id": f"i{n}", "text": f"The ibis number {n}."} for n in range(20)])
    return place / "library"


@pytest.mark.slow
def test_searching_books(books: Path, python: str, child_environment: dict[str, str]) -> None:
    """Texts of results are read when they are looked at; late stages read the beginning of each."""
    told = within(python, child_environment, SEARCH, books)
    for name, found in told.items():
        if name.startswith("60") and "found" in found and "fold" not in name:
            assert found["found"] == 60, name
            assert found["characters"] > 60 * 4_000_000, name
    assert told["60 books, fold"]["found"] >= 1
    flood = told["a book of one word"]
    assert flood["found"] == 2
    assert max(flood["marks"]) == 10_000, "the first ten thousand highlights"
    assert len(told["60 books"]["marks"]) == 60
    assert min(told["60 books"]["marks"]) >= 1
    assert told["one book, pickled"]["same"]
    assert told["60 books, printed"]["characters"] < 200_000
    assert told["60 books, as JSON"]["code"] == 0
    assert told["60 books, as JSON"]["characters"] > 60 * 4_000_000


@pytest.mark.slow
def test_two_libraries_share_one_budget(tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    """Two libraries searched and indexed at once by five threads stay within the budget that each was given."""
    files = tmp_path / "files"
    files.mkdir()
    for number in (1, 2, 3):
        records = ({"_id": f"f{number}r{n}", "text": f"heron {n} ibis {english(700, n)}"} for n in range(8_000))
        lines(files / f"{number}.jsonl", records)
    told = within(python, child_environment, TWO, tmp_path / "one", tmp_path / "two", files)["two libraries"]
    assert told["errors"] == []
    assert told["documents"] == [24_000, 24_000]
    assert max(told["planned"]) <= 256 * MB
