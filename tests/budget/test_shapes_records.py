"""Records, tables and texts of awkward shapes within 256 MB under a real limit: held, or told by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapes import GOOD, SHAPES, Shape, english, lines, within

pytestmark = pytest.mark.usefixtures("compiled")

INDEX = """
for folder in map(Path, sys.argv[2:]):
    began = time.process_time()
    with bookwheel.open(folder / "library", create=True, language="english", ram="256MB") as library:
        report = library.index(folder / "files")
        tell(folder.name, began, documents=library.document_count, failures=report.failures,
             good=[len(library.search(word, 3, recipe="bm25")) for word in ("ibis", "quokka")],
             found=sum(len(result.text) > 0 for result in library.search("heron", 60)),
             named=len({result.id for result in library.search("heron", 60, recipe="bm25", group=True)}))
"""


def lay(shape: Shape, folder: Path) -> Path:
    """The shape's files between two files of good documents."""
    files = folder / shape.name / "files"
    files.mkdir(parents=True)
    first, last = GOOD
    lines(files / "a.jsonl", ({"_id": f"a{n}", "text": f"The {first} number {n} stands in water."} for n in range(100)))
    shape.write(files)
    lines(files / "z.jsonl", ({"_id": f"z{n}", "text": f"The {last} number {n} smiles."} for n in range(100)))
    return files.parent


QUICK = [shape for shape in SHAPES if not shape.slow]
SLOW = pytest.param([shape for shape in SHAPES if shape.slow], marks=pytest.mark.slow)


@pytest.mark.parametrize(
    "shapes",
    [QUICK[::2], pytest.param(QUICK[1::2], marks=pytest.mark.slow), SLOW],
    ids=lambda some: f"{len(some)} from {some[0].name}",
)
def test_records_and_tables(shapes: list[Shape], tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    """One process takes in several shapes, each into a library of its own, so that what one leaves behind counts as well."""
    folders = [lay(shape, tmp_path) for shape in shapes]
    told = within(python, child_environment, INDEX, tmp_path, *folders)
    for shape in shapes:
        found = told[shape.name]
        assert found["good"] == [3, 3], shape.name
        assert found["documents"] == 200 + shape.documents, (shape.name, found["failures"])
        assert bool(found["failures"]) == bool(shape.told), (shape.name, found["failures"])
        if shape.told:
            assert shape.told in found["failures"][0]
            assert "Traceback" not in found["failures"][0]
        if shape.find:
            assert found["named"] == min(shape.named or shape.documents, 60), shape.name
            assert found["found"] >= found["named"], shape.name


def test_standard_input(tmp_path: Path, python: str, child_environment: dict[str, str]) -> None:
    """A pipe of records is read one by one, whatever they weigh."""
    source = tmp_path / "m.jsonl"
    note = english(4_000_000)
    lines(source, ({"_id": f"t{n}", "text": f"heron number {n}", "note": note + str(n)} for n in range(40)))
    code = f"""
began = time.process_time()
sys.stdin = open({str(source)!r})
with bookwheel.open(Path(sys.argv[1]) / "library", create=True, language="english", ram="256MB") as library:
    report = library.index("-")
    tell("a pipe", began, documents=library.document_count, failures=report.failures)
"""
    told = within(python, child_environment, code, tmp_path)["a pipe"]
    assert told["documents"] == 40
    assert told["failures"] == []
