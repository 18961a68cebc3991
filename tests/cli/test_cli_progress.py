from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel import progress
from bookwheel.progress import clock, display_width, line


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_shows_share_rate_and_time_left() -> None:
    text = line("indexing", 50_000_000, 200_000_000, "B", 10.0, "papers/a.pdf", 120)
    assert "[######------------------]" in text
    assert "50.0 of 200 MB" in text
    assert "5.0 MB/s" in text
    assert "30 s left" in text
    assert text.endswith("papers/a.pdf")


def test_without_a_total_there_is_no_bar() -> None:
    assert line("reading", 1200, None, "files", 2.0, "", 80) == "reading  1,200 files  600/s"


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**12),
    st.one_of(st.none(), st.integers(0, 10**12)),
    st.sampled_from(["B", "files", ""]),
    st.floats(0, 1e6),
    st.text(max_size=80),
    st.integers(20, 200),
)
def test_a_line_is_never_wider_than_the_terminal(
    done: int, total: int | None, unit: str, seconds: float, note: str, width: int
) -> None:
    text = line("indexing", done, total, unit, seconds, note, width)
    assert display_width(text) <= width
    assert "\n" not in text
    assert "\x1b" not in text


@pytest.mark.parametrize(("seconds", "text"), [(8.4, "8 s"), (185, "3:05 min"), (7800, "2:10 h")])
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_nothing_is_drawn_where_stderr_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    task = progress.terminal("indexing", 10, "files")
    task.advance(10)
    task.close()
    assert stream.getvalue() == ""


def test_a_terminal_sees_one_line_that_is_wiped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    moments = iter([0.0, 1.0, 1.01, 1.02, 2.0])
    monkeypatch.setattr("bookwheel.progress.time.monotonic", lambda: next(moments))
    task = progress.terminal("indexing", 100, "files")
    for _ in range(4):
        task.advance(25)
    task.close()
    drawn = screen.getvalue().split("\r")
    shown = [text for text in drawn if text.strip()]
    assert [text.split("  ")[2] for text in shown] == ["25 of 100 files", "100 of 100 files"]
    assert drawn[-2].strip() == ""
    assert "\n" not in screen.getvalue()
