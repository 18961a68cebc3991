"""Names in Unicode's composed and decomposed form: each leads to its own document, and to another's only where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bookwheel
from bookwheel import InputError, UsageError

COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"
MIXED = "caf\u00e9 cafe\u0301"
"""A spelling that neither form is."""
TEXTS = {
    COMPOSED: "The composed house opens in the morning and serves coffee until noon.",
    DECOMPOSED: "The decomposed house opens in the evening and serves wine until midnight.",
}


@pytest.fixture
def both(tmp_path: Path) -> bookwheel.Library:
    library = bookwheel.open(tmp_path / "l", create=True, encoder=None, language="english")
    library.add([{"id": COMPOSED, "text": TEXTS[COMPOSED]}, {"id": DECOMPOSED, "text": TEXTS[DECOMPOSED]}])
    return library


def test_each_spelling_is_its_own_document(both: bookwheel.Library) -> None:
    for name, text in TEXTS.items():
        assert both[name].text == both.piece(name).text == text
    assert both.count(DECOMPOSED) == 1
    assert both.summarise(DECOMPOSED).claims[0].text == TEXTS[DECOMPOSED]


@pytest.mark.parametrize(("name", "left"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_only_the_one_named_is_removed(both: bookwheel.Library, name: str, left: str) -> None:
    assert both.remove(name) == 1
    assert [one.id for one in both] == [left]


def test_the_only_spelling_there_is_found_by_the_other(both: bookwheel.Library) -> None:
    assert both.remove(COMPOSED) == 1
    assert both[COMPOSED].id == DECOMPOSED
    assert both.remove(COMPOSED) == 1
    assert len(both) == 0


def test_a_third_spelling_of_several_is_ambiguous(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "l", create=True, encoder=None, language="english")
    composed, decomposed = "caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301"
    library.add([{"id": composed, "text": "the composed one"}, {"id": decomposed, "text": "the decomposed one"}])
    for ask in (library.__getitem__, library.piece, library.remove):
        with pytest.raises(UsageError, match=r"is spelled in 2 ways; name one: -::caf"):
            ask(MIXED)
    assert len(library) == 2
    for address in library.full_ids(MIXED):
        assert library.remove(address) == 1
    assert len(library) == 0


@pytest.fixture
def files(tmp_path: Path) -> tuple[bookwheel.Library, Path]:
    folder = tmp_path / "files"
    for name in (COMPOSED, DECOMPOSED):
        (folder / name).mkdir(parents=True)
        (folder / f"{name}.txt").write_text(f"a file of {len(name)} characters")
        records = ({"id": f"{name} {number}", "text": f"record {number} of {len(name)}"} for number in (1, 2))
        (folder / name / "records.jsonl").write_text("\n".join(map(json.dumps, records)))
    if len(list(folder.iterdir())) < 4:
        pytest.skip("this file system has one spelling of each name")
    library = bookwheel.open(tmp_path / "l", create=True, encoder=None, language="english")
    library.index(folder)
    return library, folder


def test_a_path_is_that_file(files: tuple[bookwheel.Library, Path]) -> None:
    library, folder = files
    path = str(folder / f"{DECOMPOSED}.txt")
    assert library[path].text == library[f"{path}::{path}"].text == "a file of 5 characters"
    assert library.remove(f"{path}::{path}") == 1
    assert library[str(folder / f"{COMPOSED}.txt")].text == "a file of 4 characters"


def test_a_path_in_one_spelling_with_an_id_in_another(files: tuple[bookwheel.Library, Path]) -> None:
    library, folder = files
    path = folder / DECOMPOSED / "records.jsonl"
    assert library[f"{path}::{COMPOSED} 1"].text == "record 1 of 5"
    assert library.remove(f"{path}::{COMPOSED} 1") == 1


def test_only_the_folder_named_is_removed(files: tuple[bookwheel.Library, Path]) -> None:
    library, folder = files
    assert library.remove(folder / DECOMPOSED) == 2
    assert library.count(str(folder / COMPOSED / "records.jsonl")) == 2
    assert library.remove(folder / DECOMPOSED) == 2  # the other is the only one left


def test_a_path_that_may_be_several_removes_nothing(tmp_path: Path) -> None:
    folder, there = tmp_path / "files", len("caf\u00e9 caf\u00e9")
    for name in ("caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301"):
        (folder / name).mkdir(parents=True)
        (folder / name / "records.jsonl").write_text(json.dumps({"id": str(len(name) - there), "text": "a record"}))
    library = bookwheel.open(tmp_path / "l", create=True, encoder=None, language="english")
    library.index(folder)
    for given in (folder / MIXED, folder / MIXED / "records.jsonl"):
        with pytest.raises(UsageError, match="another spelling of several names; .*nothing was removed"):
            library.remove(given)
    assert len(library) == 2


def test_half_a_character_names_no_document(both: bookwheel.Library) -> None:
    with pytest.raises(InputError, match="there is no document, file or folder"):
        both.summarise("\ud800")
