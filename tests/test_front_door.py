"""`import bookwheel`: what a type checker sees, what an error is called, and what the import costs."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import bookwheel
from bookwheel import _errors

ROOT = Path(__file__).parents[1]

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


TYPES = f"import bookwheel\n{''.join(f'reveal_type(bookwheel.{name})' + chr(10) for name in sorted(bookwheel.__all__))}"
PROGRAMS = {"good": GOOD, "bad": BAD, "staged": STAGES, "names": TYPES}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, str]]]:
    """What mypy says of each program, as a user would write them: line and message."""
    api = pytest.importorskip("mypy.api")
    folder = tmp_path_factory.mktemp("programs")
    for name, program in PROGRAMS.items():
        (folder / f"{name}.py").write_text(program)
    depth, before = sys.getrecursionlimit(), Path.cwd()
    try:
        # From here, with the project's settings: what `mypy --strict -p bookwheel` left in its cache is not made again.
        os.chdir(ROOT)
        options = ("--config-file", "pyproject.toml", "--strict", "--no-color-output")
        out, err, _ = api.run([*options, *(str(folder / f"{name}.py") for name in PROGRAMS)])
    finally:
        os.chdir(before)
        sys.setrecursionlimit(depth)  # mypy raises it for good, and tests of deep files run in this process
    assert not err
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in PROGRAMS}
    for line in out.splitlines():
        place, _, rest = line.partition(".py:")
        if Path(place).stem in found and str(folder.name) in place:
            number, _, message = rest.partition(": ")
            found[Path(place).stem].append((int(number), message))
    return found


def test_a_program_type_checks(told: dict[str, list[tuple[int, str]]]) -> None:
    assert told["good"] == []


@pytest.mark.parametrize("name", ["bad", "staged"])
def test_mistakes_in_a_program_are_type_errors(name: str, told: dict[str, list[tuple[int, str]]]) -> None:
    wrong = [number for number, line in enumerate(PROGRAMS[name].splitlines(), 1) if line.endswith("# E")]
    assert sorted({number for number, message in told[name] if "error:" in message}) == wrong


def test_every_public_name_is_typed_and_there(told: dict[str, list[tuple[int, str]]]) -> None:
    names = [name for name in bookwheel.__all__ if name != "__version__"]
    assert set(_errors.__all__) <= set(names)
    assert {*bookwheel._ATTRIBUTES, *bookwheel._MODULES, *_errors.__all__} == set(names)
    for name in names:
        assert getattr(bookwheel, name) is not None
    assert dir(bookwheel) == sorted(bookwheel.__all__)
    assert len(told["names"]) == len(bookwheel.__all__)
    for name, (_, message) in zip(sorted(bookwheel.__all__), told["names"], strict=True):
        assert "Any" not in message.split("->")[-1], (name, message)


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
