from __future__ import annotations

import io
import re
import subprocess
import sys
import threading
import types
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookwheel import progress
from bookwheel._width import display_width


class Screen(io.StringIO):
    """A terminal that remembers what was drawn on its one line."""

    def isatty(self) -> bool:
        return True

    @property
    def drawn(self) -> list[str]:
        return [text for text in self.getvalue().split("\r") if text.strip()]


Show = Callable[..., Screen]


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Puts a terminal of so many columns in place of stderr."""

    def inner(columns: int = 120) -> Screen:
        screen = Screen()
        monkeypatch.setattr("sys.stderr", screen)
        monkeypatch.setattr("tqdm.std._screen_shape_wrapper", lambda: lambda stream: (columns, 24))
        return screen

    return inner


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the time that has passed."""
    now = [1000.0]
    monkeypatch.setattr("tqdm.std.time", lambda: now[0])

    def later(seconds: float) -> None:
        now[0] += seconds

    return later


def test_a_bar_shows_share_rate_and_time_left(show: Show, clock: Callable[[float], None]) -> None:
    screen = show()
    task = progress.auto("indexing", 200_000_000, "B")
    clock(10)
    task.advance(50_000_000, "papers/a.pdf")
    last = screen.drawn[-1]
    for part in ("indexing:  25%|", "50.0M/200M", "00:10<00:30", "5.00MB/s", "papers/a.pdf"):
        assert part in last
    task.close()


def test_a_narrow_bar_gives_up_its_speed_before_its_note(show: Show, clock: Callable[[float], None]) -> None:
    screen = show(80)
    task = progress.auto("training", 1000, "step")
    clock(4000)
    task.advance(400, "loss 0.5123, rate 2.3e-05")
    last = screen.drawn[-1]
    assert "400/1000 [1:06:40<1:40:00, loss 0.5123, rate 2.3e-05]" in last
    assert "step" not in last
    task.close()


def test_without_a_total_there_is_a_count_and_a_rate(show: Show, clock: Callable[[float], None]) -> None:
    screen = show()
    task = progress.auto("reading", None, "files")
    clock(2)
    task.advance(1200)
    assert screen.drawn[-1].strip() == "reading: 1200 files [00:02, 600.00 files/s]"
    task.close()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 10**12),
    st.one_of(st.none(), st.integers(0, 10**12)),
    st.sampled_from(["B", "files", ""]),
    st.text(max_size=80),
    st.integers(20, 200),
)
def test_a_line_is_never_wider_than_the_terminal(
    show: Show, monkeypatch: pytest.MonkeyPatch, done: int, total: int | None, unit: str, note: str, width: int
) -> None:
    screen = show(width)
    monkeypatch.setattr(progress, "REDRAW", 0)
    task = progress.auto("indexing", total, unit)
    task.advance(done, note)
    task.close()
    assert screen.drawn
    assert all(display_width(text) <= width for text in screen.drawn)
    assert "\n" not in screen.getvalue()
    assert "\x1b" not in screen.getvalue()


def test_nothing_is_drawn_and_nothing_imported_where_stderr_is_no_terminal() -> None:
    code = (
        "import sys; from bookwheel import progress; task = progress.auto('indexing', 10, 'files');"
        " task.advance(10); task.close(); print('tqdm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_terminal_sees_one_line_that_is_wiped_at_the_end(show: Show, clock: Callable[[float], None]) -> None:
    screen = show()
    task = progress.auto("indexing", 100, "files")
    for seconds in (1.0, 0.01, 0.01, 1.0):
        clock(seconds)
        task.advance(25)
    task.close()
    assert [re.search(r"\d+/100", text)[0] for text in screen.drawn] == ["0/100", "25/100", "100/100"]
    assert screen.getvalue().split("\r")[-2].strip() == ""
    assert "\n" not in screen.getvalue()


def test_a_bar_starts_no_thread(show: Show) -> None:
    show()
    before = threading.active_count()
    task = progress.auto("indexing", 100, "files")
    assert threading.active_count() == before
    task.close()


def test_a_notebook_gets_the_bar_of_notebooks(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    class Widget:
        def __init__(self, **values: object) -> None:
            asked.append(values)

        def close(self) -> None: ...

    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "tqdm.auto", types.SimpleNamespace(tqdm=Widget))
    progress.auto("adding", 7, "documents").close()
    assert asked[0]["desc"] == "adding"
    assert asked[0]["total"] == 7
    assert asked[0]["unit"] == " documents"
