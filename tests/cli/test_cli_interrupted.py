from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_helpers import SOURCE, Bookwheel

from bookwheel.library.lock import WriterLock

DOCUMENTS = 60_000


@pytest.fixture
def long_work(tmp_path: Path, compiled: None) -> Path:
    """A file that takes seconds to index."""
    file = tmp_path / "many.jsonl"
    with file.open("w") as output:
        for number in range(DOCUMENTS):
            text = f"Document {number} speaks of {number % 97} owls and of {number % 89} bees by the river."
            output.write(json.dumps({"_id": str(number), "text": text}) + "\n")
    return file


@pytest.mark.skipif(os.name != "posix", reason="Ctrl-C is another thing elsewhere")
def test_ctrl_c_keeps_what_was_done(long_work: Path, home: Path, bookwheel: Bookwheel) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bookwheel", "index", str(long_work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    # Documents go to the database batch by batch: a journal of some size shows that work is under way.
    journal = home / "default" / "documents.sqlite-wal"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 200_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert err == "bookwheel: stopped; committed work is kept: run the same command again to continue\n"
    assert bookwheel("check").code == 0
    kept = bookwheel("info", "--json").json["documents"]
    assert 0 < kept < DOCUMENTS
    assert bookwheel("search", "owls", "--json").code == 0


@pytest.mark.skipif(os.name != "posix", reason="needs limits on file sizes")
def test_a_full_disk_is_a_sentence_and_the_library_stays_sound(long_work: Path, bookwheel: Bookwheel) -> None:
    resource = pytest.importorskip("resource")
    limit = 400_000
    done = subprocess.run(
        [sys.executable, "-m", "bookwheel", "index", str(long_work)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "the disk is full" in done.stderr
    assert done.stderr.count("\n") == 1
    assert bookwheel("check").code == 0


def test_a_library_that_is_being_written(bookwheel: Bookwheel, folder: Path, home: Path) -> None:
    assert bookwheel("index", folder).code == 0
    with WriterLock(home / "default"):
        done = bookwheel("index", folder)
        assert done.code == 2
        assert f"process {os.getpid()}" in done.err
        assert bookwheel("search", "owl").code == 0, "readers go on"
    assert bookwheel("index", folder).code == 0
