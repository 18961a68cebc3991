"""What a library will need is told before there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel


def test_a_plan_of_files_is_a_plan_of_their_passages(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The heron stands in shallow water.\n")
    (tmp_path / "b.txt").write_text("The stilt wades.\n")
    made = bookwheel.plan(tmp_path, ram="512MB", encoder=None)
    assert made.files is not None
    assert (made.passages, made.files.files, made.files.exact) == (2, 2, True)
    assert made.dimension == 0
    same = bookwheel.plan(passages=2, ram="512MB", encoder=None)
    assert same.files is None
    assert [line.planned for line in made.searching] == [line.planned for line in same.searching]


def test_what_does_not_fit_is_refused_by_check_alone() -> None:
    made = bookwheel.plan(passages=100_000_000, dimension=384, ram="512MB")
    assert not made.fits
    with pytest.raises(bookwheel.BudgetError):
        made.check()
    assert bookwheel.plan(passages=100_000, dimension=384, ram="512MB").fits
    assert bookwheel.plan(passages=1000).dimension == 256, "of the built-in encoder"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, "either paths or a number of passages"),
        ({"paths": "x", "passages": 3}, "either paths or a number of passages"),
        ({"passages": 0}, "at least 1, not 0"),
        ({"passages": 5, "dimension": 7}, "dimension must be a multiple of 8"),
    ],
)
def test_a_plan_of_nothing(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(bookwheel.UsageError, match=told):
        bookwheel.plan(**wrong)  # type: ignore[arg-type]
