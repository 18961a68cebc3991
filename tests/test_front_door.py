"""`import bookwheel`: what a type checker sees, what an error is called, and what the import costs."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import bookwheel
from bookwheel import _errors

SOURCE = Path(__file__).parents[1] / "src"

GOOD = """
import bookwheel

library: bookwheel.Library = bookwheel.open("papers", create=True, ram="512MB")
library.add([bookwheel.Document("1", "a text", "a title", {"year": 2021})])
try:
    results = library.search("how are block maxima used", 5, where="year >= 2020")
except (bookwheel.FilterError, bookwheel.LibraryEmpty):
    raise SystemExit(1) from None
best: bookwheel.Result = results[0]
seconds: dict[str, float] = results.timings
many: list[bookwheel.Results] = library.search_many(["one", "two"], k=3, recipe="bm25", threads=2)
print(len(library), "1" in library, library["1"].title, [row["id"] for row in results.to_dicts()], many[0].notes, seconds)
recipe: bookwheel.Recipe = bookwheel.parse_recipe("bm25 + dense")
print(best.place, best.score, best.highlights, best.metadata.get("year"), recipe)
print(bookwheel.evaluate.load_collection, bookwheel.stages.Stage)
"""

BAD = """
import bookwheel

library = bookwheel.open(3)  # E
library.serch("words")  # E
library.search("words", "ten")  # E
library.search("words", wher="year >= 2020")  # E
bookwheel.nothing  # E
"""

STAGES = """
import bookwheel
from bookwheel import stages
from bookwheel.stages import Rm3, bm25, dense

recipe: bookwheel.Recipe = bm25 >> Rm3(docs=10, terms=20) >> bm25 + dense
again: bookwheel.Recipe = 0.5 * recipe % 20 >> stages.Mmr(balance=0.5)
fused: stages.Rrf = stages.Rrf((bm25, dense), k=10)
Rm3(dcos=3)  # E
Rm3(docs="three")  # E
"""


def types(folder: Path, program: str) -> list[str]:
    """What mypy says of a user's program."""
    api = pytest.importorskip("mypy.api")
    (folder / "program.py").write_text(program)
    (folder / "mypy.ini").write_text(f"[mypy]\nmypy_path = {SOURCE}\nstrict = True\nfollow_imports = silent\n")
    depth = sys.getrecursionlimit()
    try:
        out, err, _ = api.run([str(folder / "program.py"), "--config-file", str(folder / "mypy.ini"), "--no-color-output"])
    finally:
        sys.setrecursionlimit(depth)  # mypy raises it for good, and tests of deep files run in this process
    assert not err
    return [line.split("program.py:")[1] for line in out.splitlines() if "program.py:" in line]


def test_a_program_type_checks(tmp_path: Path) -> None:
    assert types(tmp_path, GOOD) == []


@pytest.mark.parametrize("program", [BAD, STAGES], ids=["library", "stages"])
def test_mistakes_in_a_program_are_type_errors(program: str, tmp_path: Path) -> None:
    wrong = [number for number, line in enumerate(program.splitlines(), 1) if line.endswith("# E")]
    told = types(tmp_path, program)
    assert sorted({int(line.split(":")[0]) for line in told if "error:" in line}) == wrong


def test_every_public_name_is_typed_and_there(tmp_path: Path) -> None:
    names = [name for name in bookwheel.__all__ if name != "__version__"]
    assert set(_errors.__all__) <= set(names)
    assert {*bookwheel._ATTRIBUTES, *bookwheel._MODULES, *_errors.__all__} == set(names)
    for name in names:
        assert getattr(bookwheel, name) is not None
    assert dir(bookwheel) == sorted(bookwheel.__all__)
    told = types(tmp_path, "import bookwheel\n" + "\n".join(f"reveal_type(bookwheel.{name})" for name in names))
    assert len(told) == len(names)
    for name, line in zip(names, told, strict=True):
        assert "Any" not in line.split("note:")[1].split("->")[-1], (name, line)


def test_errors_are_named_as_they_are_imported() -> None:
    for name in _errors.__all__:
        error = getattr(bookwheel, name)
        assert (error.__module__, error.__qualname__) == ("bookwheel", name)
        assert issubclass(error, bookwheel.BookwheelError)
    copy = pickle.loads(pickle.dumps(bookwheel.FilterError("no field")))
    assert type(copy) is bookwheel.FilterError
    assert str(copy) == "no field"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        bookwheel.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_loads_next_to_nothing(python: str, child_environment: dict[str, str]) -> None:
    program = (
        "import sys; before = set(sys.modules); import bookwheel; new = sorted(set(sys.modules) - before);"
        "print([m for m in new if m.split('.')[0] not in ('bookwheel', 'typing') and m not in sys.builtin_module_names]);"
        "print([m for m in new if m.startswith('bookwheel')])"
    )
    done = subprocess.run([python, "-c", program], env=child_environment, capture_output=True, text=True, check=True)
    others, own = map(eval, done.stdout.splitlines())
    assert own == ["bookwheel", "bookwheel._errors", "bookwheel._version"]
    assert not {"numpy", "numba", "click", "sqlite3", "json", "re", "dataclasses"} & set(others)
    assert len(others) < 5, others
