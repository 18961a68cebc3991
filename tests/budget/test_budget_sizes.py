"""Budgets as people state them, how they are split, and what is refused before any work."""

from __future__ import annotations

import json
from pathlib import Path

import click
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel.cli.main import COMMANDS, main
from bookwheel.cli.main import bookwheel as group
from bookwheel.documents.document import Document
from bookwheel.library import memory_plan
from bookwheel.memory.plan import MemoryPlan
from bookwheel.memory.shares import BASE, LEAST, MOST, share_out
from bookwheel.memory.sizes import DEFAULT, MIB, MINIMUM, parse_size, ram_of


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("256MB", 256 * MIB),
        ("1.5 GiB", 3 * 512 * MIB),
        (1 << 30, 1 << 30),
        ("300m", 300 * MIB),
        (np.int64(MIB << 9), 512 * MIB),
    ],
)
def test_sizes(text: str | int, size: int) -> None:
    assert parse_size(text) == size == ram_of(text)


HUGE = {
    "many digits": "9" * 400,
    "thousands": "9" * 5000,
    "with a unit": "9" * 310 + "GB",
    "int": 10**400,
    "negative": -(10**5000),
}
"""By names of their own: Python writes no number of 5,000 digits."""


@pytest.mark.parametrize(
    "wrong",
    ["abc", "", "12 parsecs", "-1GB", -1, "1e9", 1 << 70, True, 1e30, float("nan"), b"1GB", None,
     *(pytest.param(value, id=name) for name, value in HUGE.items())],
)  # fmt: skip
def test_what_is_no_size(wrong: str | int) -> None:
    with pytest.raises(bookwheel.UsageError, match="512MB|whole number") as caught:
        parse_size(wrong)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("small", [0, 1, "0", "255MB", MINIMUM - 1])
def test_less_than_the_smallest_budget_is_refused_everywhere(small: str | int, tmp_path: Path) -> None:
    """0 is a budget that is too small, not the absence of one."""
    with pytest.raises(bookwheel.BudgetError, match="--ram 256MB or more"):
        ram_of(small)
    with pytest.raises(bookwheel.BudgetError):
        bookwheel.open(tmp_path / "none", create=True, ram=small)
    assert not (tmp_path / "none").exists()
    library = bookwheel.open(tmp_path / "lib", create=True, language="english")
    with pytest.raises(bookwheel.BudgetError):
        library.add([Document("a", "heron")], ram=small)
    with pytest.raises(bookwheel.BudgetError):
        library.compact(ram=small)
    assert library.document_count == 0


@given(ram=st.integers(MINIMUM, 64 << 30), encoder=st.integers(0, 1 << 30), passages=st.integers(0, 50_000_000))
@settings(max_examples=200, deadline=None)
def test_shares_fit_the_budget_or_are_refused(ram: int, encoder: int, passages: int) -> None:
    shares = share_out(ram, encoder=encoder, passages=passages)
    memory = MemoryPlan(ram)
    memory.plan_building(shares)
    assert LEAST.gather <= shares.gather <= MOST.gather
    assert LEAST.database <= shares.database <= MOST.database
    assert LEAST.text <= shares.text <= MOST.text
    assert 0 < shares.record * 8 <= shares.text + shares.gather
    if memory.planned() > ram:
        # It is never the split that exceeds the budget: something is at its least.
        assert shares.gather == LEAST.gather
        with pytest.raises(bookwheel.BudgetError, match="give --ram"):
            memory.check("building")
    else:
        memory.check("building")


@given(ram=st.integers(MINIMUM, 4 << 30), passages=st.integers(0, 1_000_000))
@settings(max_examples=50, deadline=None)
def test_more_memory_never_gives_a_part_less(ram: int, passages: int) -> None:
    small, large = share_out(ram, passages=passages), share_out(ram + 64 * MIB, passages=passages)
    for name in ("database", "text", "gather", "record", "reserve"):
        assert getattr(small, name) <= getattr(large, name)


def test_the_refusal_says_what_would_do() -> None:
    memory = MemoryPlan(300 * MIB)
    memory.plan("Python", 100 * MIB)
    memory.plan("sketches", 201 * MIB + 1)
    with pytest.raises(
        bookwheel.BudgetError, match=r"needs 301 MB.*300 MB.*sketches 201 MB.*--ram 302MB or more, or go home"
    ) as caught:
        memory.check("searching", "go home")
    assert caught.value.exit_code == 3
    memory.ram = parse_size("302MB")
    memory.check("searching")


@pytest.mark.parametrize(
    ("passages", "dimension", "ram", "fits"),
    [
        (1_000_000, 256, "256MB", True),
        (1_000_000, 0, "256MB", True),
        (10_000_000, 768, "256MB", False),
        (10_000_000, 0, "256MB", False),
        (10_000_000, 256, "2GB", True),
        (10_000_000, 768, "2GB", True),
    ],
)
def test_plans_of_known_sizes(passages: int, dimension: int, ram: str, fits: bool) -> None:
    made = memory_plan.plan_library(passages, dimension, parse_size(ram))
    if fits:
        made.check()
    else:
        with pytest.raises(bookwheel.BudgetError) as caught:
            made.check()
        named = str(caught.value).split("--ram ")[1].split()[0]
        memory_plan.plan_library(passages, dimension, parse_size(named)).check()  # what it asks for is enough


def test_a_plan_is_printed_without_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"_id": str(n), "text": f"heron {n}"}) + "\n" for n in range(500)))
    assert main(["plan", "texts.jsonl", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["passages"], found["estimated"], found["fits"]) == (500, False, True)
    assert found["ram"] == DEFAULT
    assert found["dimension"] == 256
    for what in ("building", "searching"):
        assert found[what]["bytes"] == sum(line["planned"] for line in found[what]["memory"]) > BASE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["texts.jsonl"]
    assert main(["plan", "--passages", "10000000", "--dim", "768", "--ram", "256MB"]) == 3
    captured = capsys.readouterr()
    assert "10,000,000 passages" in captured.out, "a plan that does not fit is shown all the same"
    assert "BM25" in captured.out
    assert "give --ram" in captured.err
    assert main(["plan", "--passages", "1000", "--dim", "12"]) == 2
    assert main(["plan"]) == 2
    assert main(["plan", "texts.jsonl", "--passages", "5"]) == 2
    assert main(["plan", "nowhere.jsonl"]) == 2


def options_of(name: str) -> set[str]:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    return {text for parameter in command.params for text in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_opens_a_library_or_encodes_takes_a_budget(name: str) -> None:
    if options_of(name) & {"--library", "--encoder"}:
        assert "--ram" in options_of(name)


@pytest.fixture
def small(tmp_path: Path, prose: list[tuple[str, str]]) -> Path:
    path = tmp_path / "lib"
    with bookwheel.open(path, create=True, language="english") as library:
        library.add([Document(str(number), text, title) for number, (title, text) in enumerate(prose[:300])])
    return path


def test_the_command_line_refuses_too_little(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["search", "file"], ["info"], ["compact"], ["check"], ["show", "1"], ["export"]):
        assert main([*arguments, "--library", str(small), "--ram", "255MB"]) == 3
        assert "--ram 256MB or more" in capsys.readouterr().err
        assert main([*arguments, "--library", str(small), "--ram", "much"]) == 2
        capsys.readouterr()
    for position in (["--ram", "256MB", "search", "x"], ["search", "file", "--library", str(small), "--ram", "256MB"]):
        assert main(position) == (2 if position[0] == "--ram" else 0)
    assert main(["search", "--ram", "256MB", "file", "--library", str(small), "--memory"]) == 0
    assert "BM25" in capsys.readouterr().err


def test_searching_counts_what_the_recipe_uses(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with bookwheel.open(small, ram="256MB") as library:
        parts = memory_plan.hot_parts(library._snapshot)
        assert set(parts) == {"bm25", "dense"}
        assert all(size > 0 for size in parts.values())
        assert library.rank("open a file", recipe="hybrid").ids.tolist()
    # A budget in which the sketches no longer have room: hybrid is refused, and what fits is named.
    with bookwheel.open(small, ram="256MB") as library:
        room = 256 * MIB - BASE - parts["bm25"] - library.passage_count
        monkeypatch.setattr(memory_plan, "WORKING", room - library._encoders.nbytes)
        with pytest.raises(bookwheel.BudgetError, match=r"sketches.*--recipe bm25, which fits"):
            library.search("open a file", recipe="hybrid")
        assert library.search("open a file", recipe="bm25")
    with bookwheel.open(small) as library:
        assert library.search("open a file"), "where no budget is named, searching takes what it needs"
        assert library.memory_plan().ram >= DEFAULT


def test_kernels_are_compiled_elsewhere_before_a_search_in_a_small_budget(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of 256 MB the compiler itself would exceed the budget."""
    prepared: list[int] = []
    monkeypatch.setattr("bookwheel.kernels.prepare", lambda: prepared.append(1))
    with bookwheel.open(small) as library:
        library.rank("open a file")
    assert not prepared
    with bookwheel.open(small, ram="256MB") as library:
        library.rank("open a file")
        assert prepared
        del prepared[:]
        library.rank("close a file")
        assert not prepared, "looked at once"


def test_indexing_refuses_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text("".join(json.dumps({"_id": str(n), "text": f"heron {n}"}) + "\n" for n in range(2000)))
    monkeypatch.setattr("bookwheel.library.indexing.LOOKED_AT", 1000)
    monkeypatch.setattr(memory_plan, "SPARSE_HOT", 1 << 20)
    library = bookwheel.open(tmp_path / "lib", create=True, language="english")
    with pytest.raises(bookwheel.BudgetError, match=r"searching 1,600 passages x 256 dimensions needs .* --encoder none"):
        library.index(texts, ram="1GB")
    assert library.document_count == 0
    assert library.generation == 0
    monkeypatch.undo()
    assert library.index(texts, ram="1GB").added == 2000


def test_a_bill_after_work_has_both_columns(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "lib", create=True, language="english")
    report = library.add([Document(str(n), f"heron {n}") for n in range(1000)], ram="512MB")
    assert report.memory_plan is not None
    lines = {line.part: line for line in report.memory_plan}
    gathered = next(line for part, line in lines.items() if "gathered" in part)
    assert gathered.planned is not None
    assert gathered.measured is not None
    assert 0 < gathered.measured <= gathered.planned
    assert sum(line.planned or 0 for line in report.memory_plan) <= 512 * MIB
    assert lines["all anonymous memory"].measured
