"""A judge's file: nothing acknowledged is ever lost, whenever its process ends."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bookwheel._errors import InputError, LibraryDamaged, StorageError, UsageError
from bookwheel.evaluate.judgments import read_qrels
from bookwheel.tune.judging.grades import Judgment, grades_of, qrels_lines
from bookwheel.tune.judging.journal import Journal, Pooled, journal_path

CHILD = """
import sys
from pathlib import Path
from bookwheel.tune.judging.journal import Journal
journal = Journal(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(100_000):
    journal.judge(f"q{number % 7}", f"document {sys.argv[2]} {number}", number % 4)
    print(number, flush=True)
"""


def started(path: Path, name: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), name], stdout=subprocess.PIPE, text=True, env=environment
    )  # fmt: skip


def killed(child: subprocess.Popen[str], seconds: float) -> int:
    """How many judgments it acknowledged before it was killed, so many seconds after its first."""
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    assert child.stdout.readline() == "0\n"
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    return len(child.stdout.read().split("\n"))


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is another thing elsewhere")
def test_a_process_killed_at_any_instant_loses_at_most_what_it_was_writing(
    tmp_path: Path, child_environment: dict[str, str]
) -> None:
    path, chance, acknowledged = tmp_path / "judgments" / "me.jsonl", random.Random(4), 0
    for turn in range(4):
        with started(path, str(turn), child_environment) as child:
            told = killed(child, 0.05 + 0.2 * chance.random())
        journal = Journal(path)
        kept = [one for one in journal.judgments if one.document.startswith(f"document {turn} ")]
        assert told <= len(kept) <= told + 1
        assert kept == [Judgment(f"q{n % 7}", f"document {turn} {n}", n % 4) for n in range(len(kept))]
        acknowledged += told
        assert len(journal.judgments) >= acknowledged
    assert acknowledged > 10


@pytest.mark.skipif(os.name != "posix", reason="locks are another thing elsewhere")
def test_two_judge_into_one_file(tmp_path: Path, child_environment: dict[str, str]) -> None:
    path = tmp_path / "me.jsonl"
    with started(path, "a", child_environment) as one, started(path, "b", child_environment) as other:
        told = killed(one, 0.4) + killed(other, 0)
    assert 0 <= len(Journal(path).judgments) - told <= 2


def test_cut_off_at_every_byte(tmp_path: Path) -> None:
    path = tmp_path / "me.jsonl"
    journal = Journal(path)
    journal.pool(Pooled({"q": "héron"}, {"bm25": {"q": ["a", "b", "c"]}}, 3, ("id", 4)))
    journal.judge("q", "a", 3)
    journal.judge("q", "b", None)
    journal.judge("q", "c", 0)
    whole = path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    for cut in range(ends[0], len(whole) + 1):
        path.write_bytes(whole[:cut])
        found = Journal(path)
        assert len(found.judgments) == sum(end <= cut for end in ends) - 1
        assert found.dropped == (cut not in ends)
        assert found.pooled == journal.pooled
        found.judge("q", "again", 1)
        assert Journal(path).judgments[-1] == Judgment("q", "again", 1)
        assert not Journal(path).dropped


def test_judging_again_and_taking_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "me.jsonl")
    assert journal.undo() is None
    journal.judge("q", "a", 1)
    journal.judge("q", "b", 2)
    journal.judge("q", "a", 3)
    size = journal.path.stat().st_size
    journal.judge("q", "a", 3)
    assert journal.path.stat().st_size == size, "the same said twice is one line"
    assert grades_of(Journal(journal.path).judgments) == {"q": {"b": 2, "a": 3}}
    assert journal.undo() == Judgment("q", "a", 3)
    assert journal.undo() == Judgment("q", "b", 2)
    assert journal.undo() is None
    assert Journal(journal.path).judgments == []
    with pytest.raises(UsageError, match="from 0 to 3, not 4"):
        journal.judge("q", "a", 4)


def test_another_process_is_seen(tmp_path: Path) -> None:
    one, other = Journal(tmp_path / "me.jsonl"), Journal(tmp_path / "me.jsonl")
    one.judge("q", "a", 1)
    other.judge("q", "b", 2)
    assert len(other.judgments) == 2
    assert one.undo() == Judgment("q", "b", 2)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense",
        b'{"query": "q"}',
        b"[1]",
        b'{"query": "q", "document": "d", "grade": 7}',
        b'{"query": "q", "document": "d", "grade": "1"}',
        b'{"query": 1, "document": "d", "grade": 1}',
        b'{"pooled": [], "runs": {}}',
        b'{"undo": 3}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_wrong_line_is_one_sentence_with_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "me.jsonl"
    path.write_bytes(b'{"query": "q", "document": "d", "grade": 1}\n' + line + b"\n")
    with pytest.raises(InputError, match="me.jsonl:2 is no line that a judge's file has"):
        Journal(path)


def test_links_pipes_and_odd_names(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    link = tmp_path / "judgments" / "me.jsonl"
    link.parent.mkdir()
    link.symlink_to(outside)
    with pytest.raises(InputError, match="symbolic link"):
        Journal(link)
    link.unlink()
    journal = Journal(link)
    link.symlink_to(outside)
    with pytest.raises((LibraryDamaged, InputError), match="symbolic link"):
        journal.judge("q", "d", 1)
    assert outside.read_text() == "mine"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(InputError, match="not a plain file"):
            Journal(tmp_path / "pipe")
    for name in ("", "../me", "a/b", ".hidden", "x" * 100, "a\nb", "end."):
        with pytest.raises(UsageError, match="a judge has a name"):
            journal_path(tmp_path, name)


@pytest.mark.skipif(os.name != "posix", reason="needs limits on file sizes")
def test_a_full_disk_keeps_what_was_judged(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    journal = Journal(tmp_path / "me.jsonl")
    journal.judge("q", "a", 1)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.path.stat().st_size + 20, before[1]))
        with pytest.raises(StorageError, match="the disk is full"):
            journal.judge("q", "b", 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert Journal(journal.path).judgments == [Judgment("q", "a", 1)]
    journal.judge("q", "b", 2)
    assert len(Journal(journal.path).judgments) == 2


def test_qrels_are_read_back(tmp_path: Path) -> None:
    grades = {"q 1": {"/a folder/x.txt": 3, "b": 0}, "q2": {"c": 1, "tab\there": 2, "line\nend": 1, "sep\u2028": 1}}
    file = tmp_path / "out.qrels"
    file.write_text("".join(line + "\n" for line in qrels_lines(grades)))
    assert read_qrels(file) == {"q 1": {"/a folder/x.txt": 3, "b": 0}, "q2": {"c": 1}}
