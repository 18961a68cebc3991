"""`bookwheel judge` by hand: keys from a pipe and from a terminal, hostile texts, wrong input."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bookwheel
from bookwheel.cli.main import main
from bookwheel.evaluate.judgments import read_qrels
from bookwheel.tune.judging.journal import Journal

HOSTILE = "A heron \x1b[31mred\x1b[0m \x07\u202e waits\u2028 in winter \x1b]0;owned\x07 by the \x9b water."
BAD = ("\x1b", "\x07", "\x9b", "\u202e", "\u2028")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library whose two recipes differ."""
    path = tmp_path_factory.mktemp("judged") / "library"
    with bookwheel.open(path, create=True, language="english", unit="document") as library:
        birds = ("heron", "gull", "osprey", "bittern", "avocet", "dunlin")
        library.add(
            [
                bookwheel.Document(f"{b}-{n}", f"The {b} number {n} eats {n * 3} fish in winter.")
                for b in birds
                for n in range(4)
            ]
        )
        library.add([bookwheel.Document("hostile \x1b[2J", HOSTILE, "<b>\x1b[1mtitle</b>\u202e")])
        library.search("heron", 3)
    return path


@pytest.fixture
def library(made: Path) -> Path:
    import shutil

    shutil.rmtree(made / "judgments", ignore_errors=True)
    return made


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    file = tmp_path / "queries.txt"
    file.write_text("heron in winter\nwhat does a gull eat\n")
    return file


Judge = Callable[..., tuple[int, str, str]]


@pytest.fixture
def judge(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Judge:
    def run(*arguments: object, keys: str = "") -> tuple[int, str, str]:
        capfd.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(keys))
        code = main(["judge", *map(str, arguments)])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


BOTH = ("--recipe", "bm25", "--recipe", "dense", "--depth", "5", "--measure", "DCG@5")


def test_keys_from_a_pipe(library: Path, queries: Path, judge: Judge, tmp_path: Path) -> None:
    out = tmp_path / "qrels.tsv"
    code, said, told = judge(library, queries, *BOTH, "--out", out, keys="3 x0\nu2 s m1q3")
    assert code == 0, told
    assert "there is no key 'x'" in told
    assert "taken back" in said
    assert "3 judgments of" in said
    assert "1 skipped" in said
    assert not any(bad in said for bad in BAD)
    assert sorted(grade for row in read_qrels(out).values() for grade in row.values()) == [1, 2, 3]
    kept = Journal(library / "judgments" / "me.jsonl")
    assert [one.grade for one in kept.judgments] == [3, 2, None, 1]
    # The same command goes on; without the queries too; the end of the input is the end.
    code, said, _ = judge(library, "--all", keys="0")
    assert code == 0
    assert "4 judgments of" in said
    assert len(Journal(kept.path).judgments) == 5, "nothing is asked twice"


def test_it_ends_by_itself_and_says_why(library: Path, queries: Path, judge: Judge) -> None:
    _, said, _ = judge(library, queries, *BOTH, "--judge", "b", keys="3" + "0" * 60)
    assert "done: the order of the recipes is known with a confidence of 0.95" in said or "done: no further" in said
    _, said, _ = judge(library, "--judge", "b", "--measure", "DCG@5", "--confidence", "1", keys="0" * 60)
    assert "done: no further judgment can change the order" in said
    _, said, _ = judge(library, "--judge", "b", "--measure", "DCG@5", "--all", keys="0" * 60)
    assert "done: all of the pool is judged" in said
    _, said, _ = judge(library, queries, *BOTH, "--judge", "c", keys="s" * 60)
    assert "done: what is left was skipped" in said


def test_as_json_a_program_can_judge(library: Path, queries: Path, judge: Judge) -> None:
    code, said, _ = judge(library, queries, *BOTH, "--json", keys="31q")
    assert code == 0
    decoder, at, found = json.JSONDecoder(), 0, list[Any]()
    while at < len(said.rstrip()):
        value, at = decoder.raw_decode(said, at)
        found.append(value)
        at += len(said[at:]) - len(said[at:].lstrip())
    assert [set(one) >= {"query", "question", "document", "text", "highlights"} for one in found[:-1]] == [True] * 3
    assert found[-1]["judged"] == 2
    assert found[-1]["recipes"][0]["least"] <= found[-1]["recipes"][0]["expected"] <= found[-1]["recipes"][0]["most"]


def test_hostile_text_does_nothing_to_the_terminal(library: Path, tmp_path: Path, judge: Judge) -> None:
    file = tmp_path / "q.tsv"
    file.write_text("q\x1b[2J\theron \x1b[31m waits by water\n")
    code, said, told = judge(library, file, "--recipe", "bm25", "--depth", "3", "--out", tmp_path / "o", keys="3m210")
    assert code == 0
    assert "water." in said
    assert not any(bad in said + told for bad in BAD)
    code, said, _ = judge(library, file, "--recipe", "bm25", "--depth", "3", "--json", "--judge", "other", keys="q")
    assert not any(bad in said for bad in BAD)


def test_a_changed_library_is_ranked_anew_and_what_was_judged_stays(tmp_path: Path, queries: Path, judge: Judge) -> None:
    path = tmp_path / "library"
    with bookwheel.open(path, create=True, language="english", unit="document") as library:
        library.add([bookwheel.Document(f"d{n}", f"heron {n}") for n in range(3)])
    judge(path, queries, "--recipe", "bm25", "--depth", "5", "--measure", "P@5", keys="3q")
    with bookwheel.open(path) as library:
        library.add([bookwheel.Document("new", "heron in winter")])
        library.remove(["d2"])
    assert bookwheel.open(path).check() == []
    _, said, _ = judge(path, queries, "--recipe", "bm25", "--depth", "5", "--measure", "P@5", keys="")
    assert "1 judgment of" in said or "0 judgments of" in said
    found = Journal(path / "judgments" / "me.jsonl")
    assert found.pooled is not None
    assert "new" in found.pooled.runs["bm25"]["1"]
    assert len(found.judgments) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "nothing is pooled yet; name the queries"),
        (("missing.txt",), "there is no file missing.txt"),
        (("EMPTY",), "holds no queries"),
        (("BINARY",), "is not UTF-8 text"),
        (("QUERIES", "--recipe", "bm26"), "bm26"),
        (("QUERIES", "--depth", "5"), ""),
        (("QUERIES", "--depth", "5", "--measure", "P@10"), "only 5 are pooled"),
        (("QUERIES", "--measure", "nDCG@10"), "DCG@k or P@k"),
        (("QUERIES", "--judge", "../x"), "a judge has a name"),
        (("QUERIES", "--confidence", "0.5"), "above 0.5"),
        (("--recipe", "bm25"), "QUERIES is missing"),
        (("QUERIES", "--out", "/nowhere/at/all"), "there is no folder"),
        (("QUERIES", "--by", "gain"), "are for --model"),
    ],
)
def test_wrong_input_is_one_sentence(
    library: Path, queries: Path, tmp_path: Path, judge: Judge, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "EMPTY").write_text("\n")
    (tmp_path / "BINARY").write_bytes(b"\xff\xfe\x00")
    files = {"QUERIES": queries, "EMPTY": tmp_path / "EMPTY", "BINARY": tmp_path / "BINARY"}
    code, _, told = judge(library, *(files.get(one, one) for one in arguments))
    assert sentence in told
    assert code == (2 if sentence else 0)
    assert "Traceback" not in told
    assert "bug" not in told


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_on_a_real_terminal(library: Path, queries: Path, child_environment: dict[str, str]) -> None:
    import pty

    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bookwheel", "judge", str(library), str(queries), *BOTH],
        stdin=child,
        stdout=child,
        stderr=child,
        env={**child_environment, "TERM": "xterm", "COLUMNS": "80"},
        start_new_session=True,
    )
    os.close(child)
    seen = b""

    def until(text: str, seconds: float = 60) -> None:
        nonlocal seen
        end = time.monotonic() + seconds
        while text.encode() not in seen:
            assert time.monotonic() < end, seen.decode(errors="replace")[-1500:]
            if select.select([parent], [], [], 0.5)[0]:
                try:
                    seen += os.read(parent, 65536)
                except OSError:
                    break
        seen = seen.partition(text.encode())[2]

    try:
        _at_the_keyboard(parent, until, process)
    finally:
        process.kill()
        process.wait()
        os.close(parent)
    assert [one.grade for one in Journal(library / "judgments" / "me.jsonl").judgments] == [3, 1]


def _at_the_keyboard(parent: int, until: Callable[[str], None], process: subprocess.Popen[bytes]) -> None:
    until("q quit: ")
    os.write(parent, b"2")
    until("1 judged")
    until("q quit: ")
    os.write(parent, b"\x1b[A")  # an arrow is one key that does nothing
    until("there is no key")
    os.write(parent, b"u")
    until("taken back")
    until("q quit: ")
    os.write(parent, b"31")
    until("2 judged")
    until("q quit: ")
    process.send_signal(signal.SIGINT)
    until("committed work is kept")
    assert process.wait(30) == 130
