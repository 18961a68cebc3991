"""Reading in a process of its own: it yields what reading in this one yields, and its death costs one file, told by name."""

from __future__ import annotations

import datetime
import io
import os
import random
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document, InputError
from bookwheel.documents.failures import Note
from bookwheel.documents.isolated import frames, process
from bookwheel.documents.isolated.reading import Reading
from bookwheel.documents.parts import Part
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read
from bookwheel.documents.source import DEFAULT_FIELDS

MB = 1 << 20
SHARED = Path(__file__).parents[2] / "shared" / "cases"

posix = pytest.mark.skipif(os.name != "posix", reason="signals and /proc")
linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="/proc tells of child processes")


def pdf(content: bytes, pages: int = 1) -> bytes:
    """A PDF whose pages all show ``content``."""
    content = zlib.compress(content)
    kids = b" ".join(b"%d 0 R" % (4 + number) for number in range(pages))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(content), content),
        *[b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 3 0 R>>"] * pages,
    ]
    return (
        b"%PDF-1.4\n"
        + b"".join(b"%d 0 obj\n%s\nendobj\n" % item for item in enumerate(objects, 1))
        + b"trailer<</Root 1 0 R>>\n"
    )


SLOW = pdf(b"1 2 m " + b"3 4 l " * 60_000, 20_000)
"""Takes minutes, and little memory."""
MAIL = b"".join(
    b"From a Mon Jan 1 00:00:00 2024\nMessage-ID: <%d@x>\nSubject: mail %d\n\nthe text of mail %d\n\n" % (n, n, n)
    for n in range(1500)
)


def everything(found: Iterator[Document | InputError]) -> list[object]:
    """What was yielded, and the error that ended it."""
    out: list[object] = []
    try:
        for item in found:
            out.append(item if isinstance(item, Document) else (type(item), str(item)))
    except InputError as error:
        out.append((type(error), str(error), "raised"))
    return out


def reading(**options: object) -> Reading:
    return Reading(64 * MB, 128 * MB, **options)  # type: ignore[arg-type]


def sources(*paths: Path) -> list[Source]:
    return [item for item in walk(list(paths)) if isinstance(item, Source)]


def children() -> list[int]:
    """The child processes of this one."""
    found = [path.read_text().split() for path in Path("/proc/self/task").glob("*/children")]
    return [int(number) for numbers in found for number in numbers]


def gone(pid: int, within: float = 10) -> bool:
    """Whether the process ends in time (one that nobody waited for counts)."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of some formats, good and damaged."""
    place = tmp_path / "files"
    place.mkdir()
    made = {
        "page.html": b"<title>T\xc3\xa9</title><html lang=fr><p>un \xe2\x82\xac<pre>a  b\n c</pre>",
        "empty.html": b"<p> ",
        "box.mbox": MAIL[:20_000] + b"From b Mon Jan 1 00:00:00 2024\n\n",
        "list.json": b'[{"id": 1, "text": "a", "n": 123456789012345678901234567890, "f": 1e400, "s": "\\ud800"}, '
        b'{"id": 1, "text": "b"}, 3, {',
        "bad.pdf": b"%PDF-1.4 nothing",
        "no text.pdf": pdf(b""),
        "bad.docx": b"PK\x03\x04rubbish",
        "note.ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["# T\\n", "x"]}], "nbformat": 4}',
        "deep.ipynb": b'{"cells":' * 50_000,
        "mail.eml": b"Subject: =?utf-8?q?caf=C3=A9?=\nDate: Mon, 1 Jan 2024 10:00:00 +0100\nFrom: a@b\n\nx\x00y\xff",
        "cut.html.gz": b"\x1f\x8b\x08\x00rubbish",
        "errors.json": b"[" + b",".join(b'{"text": "t%d"},%d' % (n, n) for n in range(40)) + b"]",
    }
    for name, data in made.items():
        (place / name).write_bytes(data)
    return place


def test_it_yields_what_reading_here_yields(folder: Path) -> None:
    paths = [folder, *([SHARED] if SHARED.is_dir() else [])]
    with reading() as apart:
        found = sources(*paths)
        assert sum(apart.isolates(source) for source in found) >= 10
        for source in found:
            # By their representation too: 1 and True and 1.0 are equal.
            assert repr(everything(apart.read(source))) == repr(everything(read(source))), source.path


def test_streams_and_fields(tmp_path: Path) -> None:
    box = tmp_path / "b.mbox"
    box.write_bytes(MAIL)
    (source,) = sources(box)
    part = replace(source, stream=io.BytesIO(MAIL[:5000]))
    again = replace(source, stream=io.BytesIO(MAIL[:5000]))
    listed = tmp_path / "l.json"
    listed.write_text('[{"key": "k", "text": "no", "story": "yes"}]')
    fields = bookwheel.Fields(text=("story",), id="key")
    with reading() as apart:
        assert everything(apart.read(part)) == everything(read(again))
        (only,) = apart.read(sources(listed)[0], fields)
        assert (only.id, only.text) == ("k", "yes")  # type: ignore[union-attr]


PARTS = (Part(0, "slide 1"), Part(3, "sheet", "A:F", 2))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.dates()
    | st.datetimes(timezones=st.just(datetime.UTC) | st.none())
    | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("$"), inner) | st.lists(inner).map(tuple),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.dictionaries(st.text(), values), st.lists(st.integers(0, 1 << 70)))
def test_documents_survive_the_way(text: str, metadata: dict[str, object], pages: list[int]) -> None:
    sent = Document(text[::-1], text, text[:5], metadata, "code", tuple(pages), len(text), True, parts=PARTS)  # type: ignore[arg-type]
    head, body = frames.document_frame(sent)
    kind, size, length = frames.HEAD.unpack(head[: frames.HEAD.size])
    assert length == len(body)
    assert len(head) == frames.HEAD.size + size
    got = frames.item_of(kind, head[frames.HEAD.size :], body)
    assert repr(got) == repr(sent)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([frames.DOCUMENT, frames.ITEM]),
    st.binary()
    | st.recursive(
        values,
        lambda inner: st.fixed_dictionaries(
            {
                "$": st.sampled_from(["int", "data", "error", "dict", "tuple", "date", "x"]),
                "v": inner,
                "n": st.sampled_from(["Document", "Note", "Span", "InputError", "Source"]),
                "s": inner,
            }
        ),
    ).map(lambda value: str(value).encode("utf-8", "replace")),
    st.binary(),
)
def test_no_frame_gets_through_that_no_reader_sends(kind: bytes, head: bytes, text: bytes) -> None:
    try:
        found = frames.item_of(kind, head, text)
    except frames.FrameError:
        return
    assert isinstance(found, Document | InputError)


@pytest.mark.parametrize(
    "head",
    [
        b'{"id": 1, "metadata": {}}',
        b'{"id": "a", "metadata": {"x": {"$": "data", "n": "Span", "v": {"start": 1, "end": 2}}}}',
        b'{"id": "a", "metadata": {"x": {"$": "error", "n": "Note", "v": ["x"], "s": {}}}}',
        b'{"id": "a", "pages": [1]}',
        b'{"id": "a", "text": "twice"}',
        b'{"id": "a", "metadata": {}, "parts": {"$": "tuple", "v": [{"$": "row", "n": "Part", "v": [1, 2, "", 0]}]}}',
        b'{"id": "a", "metadata": {}, "parts": {"$": "tuple", "v": [1]}}',
        b'{"id": "a", "line": true}',
        b'{"id": "a", "__class__": "x"}',
        b'{"title": "no id"}',
        b"[" * 100_000,
        b'{"id": "a", "metadata": {"x": ' + b"9" * 10_000 + b"}}",
        b"[]",
    ],
)
def test_documents_of_wrong_types_are_refused(head: bytes) -> None:
    with pytest.raises(frames.FrameError):
        frames.item_of(frames.DOCUMENT, head, b"text")


def test_errors_of_other_classes_are_refused() -> None:
    assert isinstance(frames.decoded(frames.encoded(Note("x"))), Note)
    for name in ("SystemExit", "OSError", "object"):
        with pytest.raises(frames.FrameError):
            frames.decoded(b'{"$":"error","n":"%s","v":["x"],"s":{}}' % name.encode())


@linux
def test_one_process_reads_many_files_and_none_is_started_for_text(tmp_path: Path) -> None:
    before = children()
    (tmp_path / "a.txt").write_text("plain")
    with reading() as apart:
        assert len(everything(apart.read(sources(tmp_path / "a.txt")[0]))) == 1
        assert children() == before
        seen = set()
        for number in range(5):
            (tmp_path / f"{number}.html").write_text(f"<p>page {number}")
            (found,) = apart.read(sources(tmp_path / f"{number}.html")[0])
            assert found.text == f"page {number}"  # type: ignore[union-attr]
            seen |= set(children()) - set(before)
        assert len(seen) == 1
    assert children() == before


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_killed_at_any_moment_it_loses_nothing(tmp_path: Path, number: int) -> None:
    box = tmp_path / "box.mbox"
    box.write_bytes(MAIL)
    (source,) = sources(box)
    expected = everything(read(source))
    before, dice = set(children()), random.Random(number)
    for _ in range(2):
        with reading() as apart:
            next(apart.read(source))
            stop_at, found = dice.randrange(1500), []
            for item in apart.read(source):
                found.append(item)
                if len(found) == stop_at:
                    for pid in set(children()) - before:
                        os.kill(pid, number)
            assert found == expected


@linux
def test_killed_again_and_again_it_costs_one_file(tmp_path: Path) -> None:
    slow, page = tmp_path / "slow.pdf", tmp_path / "page.html"
    slow.write_bytes(SLOW)
    page.write_text("<p>fine")
    before, done = set(children()), threading.Event()

    def kill() -> None:
        while not done.wait(0.3):
            for pid in set(children()) - before:
                os.kill(pid, signal.SIGSEGV)

    killer = threading.Thread(target=kill)
    with reading() as apart:
        killer.start()
        found = everything(apart.read(sources(slow)[0]))
        done.set()
        killer.join()
        told = f"{slow} cannot be read as pdf (its reader was ended by SIGSEGV); it may be damaged"
        assert found == [(InputError, told, "raised")]
        assert [item.text for item in apart.read(sources(page)[0])] == ["fine"]  # type: ignore[union-attr]


@linux
def test_what_takes_too_long_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "slow.pdf").write_bytes(SLOW)
    (tmp_path / "good.html").write_text("<p>fine")
    slow, good = sources(tmp_path / "slow.pdf", tmp_path / "good.html")
    with reading(seconds=0.5) as apart:
        found = everything(apart.read(slow))
        assert len(found) == 1
        assert "slow.pdf takes more than " in str(found[0])
        assert [item.text for item in apart.read(good)] == ["fine"]  # type: ignore[union-attr]


@linux
def test_a_process_that_hangs_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.mbox").write_bytes(MAIL)
    (tmp_path / "good.html").write_text("<p>fine")
    hung, good = sources(tmp_path / "a.mbox", tmp_path / "good.html")
    before = set(children())
    with reading(seconds=1) as apart:
        found = apart.read(hung)
        next(found)
        for pid in set(children()) - before:
            os.kill(pid, signal.SIGSTOP)
        assert "a.mbox takes more than" in str(everything(found)[-1])
        assert [item.text for item in apart.read(good)] == ["fine"]  # type: ignore[union-attr]


def test_what_needs_more_memory_is_told_and_the_next_is_read(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("elsewhere a process is ended for its memory some time after it exceeds it")
    (tmp_path / "large.html").write_bytes(b"<b>word</b>" * 700_000)
    (tmp_path / "large.pdf").write_bytes(pdf(b" " * 200_000_000))
    (tmp_path / "large.ipynb").write_bytes(b'{"cells": [' + b"{}," * 1_500_000 + b"{}]}")
    (tmp_path / "good.html").write_text("<p>fine")
    with Reading(48 * MB, 72 * MB) as apart:
        for source in sources(tmp_path):
            found = everything(apart.read(source))
            if source.name == "good.html":
                assert [item.text for item in found] == ["fine"]  # type: ignore[attr-defined]
            else:
                told = f"{source.path} needs more than 72.0 MB of memory to be read as {source.format}; give more with --ram, or split it"
                assert found == [(InputError, told, "raised")]


def test_what_the_first_amount_is_too_little_for_is_read_with_the_second(tmp_path: Path) -> None:
    page = tmp_path / "large.html"
    page.write_bytes(b"<p>word word <b>word</b>" * 60_000)
    (source,) = sources(page)
    lent: list[int] = []
    with Reading(24 * MB, 400 * MB, lend=lent.append) as apart:
        assert everything(apart.read(source)) == everything(read(source))
    if sys.platform.startswith("linux"):
        assert lent == [24 * MB, 400 * MB]


@linux
@pytest.mark.parametrize("moment", ["idle", "busy", "forked"])
def test_it_ends_with_its_parent(tmp_path: Path, moment: str, child_environment: dict[str, str]) -> None:
    (tmp_path / "slow.pdf").write_bytes(SLOW)
    (tmp_path / "page.html").write_text("<p>fine")
    script = """
import os, sys, threading, time
from pathlib import Path
from bookwheel.documents.isolated.reading import Reading
from bookwheel.documents.paths import walk
folder, moment = sys.argv[1:]
apart = Reading(64 << 20, 64 << 20)
list(apart.read(next(walk([folder + "/page.html"]))))
if moment != "idle":
    threading.Thread(target=lambda: list(apart.read(next(walk([folder + "/slow.pdf"])))), daemon=True).start()
    time.sleep(1)
pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
if moment == "forked" and not os.fork():
    time.sleep(30)
print(*pids, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path), moment],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment,
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        (pid,) = map(int, parent.stdout.readline().split())
        assert not gone(pid, 0.2)
        parent.kill()
        parent.wait()
        assert gone(pid)
        if moment == "forked":
            os.killpg(parent.pid, signal.SIGKILL)


@posix
def test_a_fork_reads_by_a_process_of_its_own(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>fine")
    (source,) = sources(page)
    with reading() as apart:
        assert len(everything(apart.read(source))) == 1
        pid = os.fork()
        if not pid:
            try:
                good = [item.text for item in apart.read(source)] == ["fine"]  # type: ignore[union-attr]
                apart.close()
                os._exit(0 if good else 1)
            except BaseException:
                os._exit(2)
        assert os.waitpid(pid, 0)[1] == 0
        assert [item.text for item in apart.read(source)] == ["fine"]  # type: ignore[union-attr]


def test_scripts_without_a_guard_threads_and_files_of_the_standard_librarys_names(
    tmp_path: Path, child_environment: dict[str, str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "page.html").write_text("<p>a word")
    (tmp_path / "in" / "mail.eml").write_text("Subject: s\n\nanother word")
    for name in ("email", "zipfile", "selectolax", "sitecustomize", "usercustomize"):
        (tmp_path / f"{name}.py").write_text(
            f"import sys\nopen({str(tmp_path / 'loaded')!r}, 'a').write('{name} ' + sys.argv[0] + chr(10))\n"
        )
    (tmp_path / "script.py").write_text(
        "import sys, threading\nsys.path.append(sys.path.pop(0))\nimport bookwheel\n"
        "library = bookwheel.open(sys.argv[1] + '/library', create=True)\n"
        "reports = []\n"
        "thread = threading.Thread(target=lambda: reports.append(library.index(sys.argv[1] + '/in')))\n"
        "thread.start(); thread.join()\n"
        "print(reports[0].added, reports[0].failures, reports[0].notes)\n"
    )
    environment = {**child_environment, "PYTHONNOUSERSITE": "1", "OPENAI_API_KEY": "secret"}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == "2 [] []\n", done.stderr
    loaded = (tmp_path / "loaded").read_text() if (tmp_path / "loaded").exists() else ""
    assert "-c" not in loaded.split(), "the reading process loaded a user's file"


@pytest.mark.parametrize("executable", ["", "/usr/bin/uwsgi", "/nowhere/python3"])
def test_where_no_python_can_be_started_files_are_read_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    expected = [everything(read(source)) for source in sources(folder)]
    monkeypatch.setattr(sys, "executable", executable)
    with reading() as apart:
        found = [everything(apart.read(source)) for source in sources(folder)]
    notes = [item for some in found for item in some if isinstance(item, tuple) and "no other one could be started" in item[1]]
    assert [[item for item in some if item not in notes] for some in found] == expected
    assert len(notes) == (1 if "python" in executable else 0), "told once, where it was tried"


def test_a_process_that_sends_nonsense_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>fine")
    (source,) = sources(page)
    greeting = "import os, struct, sys; os.write(1, struct.pack('<cII', b'H', 4, 0) + b'null'); "
    for reply in (
        "os.write(1, b'X' * 1000)",
        "os.write(1, struct.pack('<cII', b'D', 1 << 31, 0))",
        "os.write(1, struct.pack('<cII', b'D', 2, 1) + b'{}x')",
        "os.write(1, struct.pack('<cII', b'X', 2, 0) + b'{}')",
        "os.write(1, struct.pack('<cII', b'F', 2, 0) + b'[]')",
        "os.write(1, struct.pack('<cII', b'Q', 2, 0) + b'{}')",
        "sys.exit(3)",
    ):
        monkeypatch.setattr(process, "_BOOT", greeting + "sys.stdin.buffer.read(1); " + reply + "; import time; time.sleep(1)")
        with reading() as apart:
            (found,) = everything(apart.read(source))
            assert "page.html cannot be read as html (its reader " in str(found)


@linux
def test_standard_input_given_as_a_file(tmp_path: Path, child_environment: dict[str, str]) -> None:
    (tmp_path / "page").write_text("<!doctype html><title>t</title><p>from a file")
    script = (
        "import bookwheel, sys\nlibrary = bookwheel.open(sys.argv[1], create=True)\n"
        "report = library.index('/dev/stdin')\nprint(report.added, report.failures, [d.text for d in library])\n"
    )
    with (tmp_path / "page").open() as file:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "library")],
            stdin=file,
            capture_output=True,
            text=True,
            env=child_environment,
            check=False,
        )
    assert done.stdout == "1 [] ['from a file']\n", done.stderr


@linux
def test_interrupted_while_a_parser_computes(tmp_path: Path, child_environment: dict[str, str]) -> None:
    place = tmp_path / "in"
    place.mkdir()
    (place / "a.html").write_text("<p>first")
    (place / "b.pdf").write_bytes(SLOW)
    (place / "c.html").write_text("<p>last")
    script = (
        "import bookwheel, sys, threading, time\nfrom bookwheel.library.writer import Writer\n"
        "library, added, add = bookwheel.open(sys.argv[2], create=True), threading.Event(), Writer.add\n"
        "Writer.add = lambda *given, **named: (add(*given, **named), added.set())[0]\n"
        "threading.Thread(target=lambda: (added.wait(), time.sleep(1), print('now', flush=True)), daemon=True).start()\n"
        "try:\n    library.index(sys.argv[1])\nexcept KeyboardInterrupt:\n    print('interrupted', library.document_count)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(place), str(tmp_path / "library")],
        stdout=subprocess.PIPE, text=True, env=child_environment, start_new_session=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline() == "now\n"
        began = time.monotonic()
        os.killpg(parent.pid, signal.SIGINT)  # as a terminal does
        assert parent.stdout.readline() == "interrupted 1\n"
        assert time.monotonic() - began < 20
    (place / "b.pdf").unlink()
    with bookwheel.open(tmp_path / "library") as library:
        report = library.index(place)
        assert (report.added, report.unchanged, library.document_count) == (1, 1, 2)


def test_fields_are_the_default_ones(folder: Path) -> None:
    (source,) = sources(folder / "note.ipynb")
    with reading() as apart:
        assert everything(apart.read(source, DEFAULT_FIELDS)) == everything(read(source))
