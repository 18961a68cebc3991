"""Reading several sources at a time yields what reading one after another does."""

from __future__ import annotations

import os
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookwheel._errors import InputError
from bookwheel.documents.isolated import ahead as ahead_module
from bookwheel.documents.isolated.ahead import ReadingAhead
from bookwheel.documents.isolated.process import Process
from bookwheel.documents.isolated.reading import Reading
from bookwheel.documents.paths import walk
from bookwheel.documents.source import DEFAULT_FIELDS, Source

MB = 1 << 20
DOCX = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    "<w:p><w:r><w:t>Text of number {}.</w:t></w:r></w:p></w:body></w:document>"
)


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    for number in range(6):
        (tmp_path / f"{number}a.html").write_text(f"<title>Page {number}</title><p>{'words of a page ' * (500 * number + 1)}")
        (tmp_path / f"{number}b.mbox").write_text(
            "".join(f"From a Mon Jan 1 00:00:00 2024\nSubject: s{n}\n\ntext {n} of box {number}\n\n" for n in range(200))
        )
        (tmp_path / f"{number}c.txt").write_text("read in this process")
    (tmp_path / "3bad.docx").write_bytes(b"PK\x03\x04rubbish")
    (tmp_path / "4bad.pdf").write_bytes(b"%PDF-1.4 nothing")
    with zipfile.ZipFile(tmp_path / "5.docx", "w") as packed:
        packed.writestr("word/document.xml", DOCX.format(5))
    return [item for item in walk([tmp_path]) if isinstance(item, Source)]


def everything(reading: Reading | ReadingAhead, sources: list[Source]) -> list[object]:
    found: list[object] = []
    for source in sources:
        try:
            found += [repr(item) for item in reading.read(source)]
        except InputError as error:
            found.append(str(error))
    return found


@pytest.fixture
def expected(sources: list[Source]) -> Iterator[list[object]]:
    with Reading(96 * MB, 128 * MB) as reading:
        yield everything(reading, sources)


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReadingAhead]:
    monkeypatch.setattr(ahead_module, "FILES", 2)
    reading = ReadingAhead(Reading(192 * MB, 256 * MB), 2)
    yield reading
    reading.close()


def test_the_same_is_read_in_the_same_order(
    sources: list[Source], expected: list[object], ahead: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead_module, "WAITING", 10_000)  # processes must wait for their turn
    ahead.expect(sources, DEFAULT_FIELDS)
    assert everything(ahead, sources) == expected
    assert ahead.begun == sum(ahead.takes(source) for source in sources) > 12
    assert ahead.count == 2
    assert ahead.memory == 96 * MB


def test_sources_that_are_left_out_or_come_unexpected(
    sources: list[Source], expected: list[object], ahead: ReadingAhead
) -> None:
    """Whoever reads may find that a source did not change; and archives' members are not read ahead."""
    ahead.expect([source for at, source in enumerate(sources) if at not in (4, 7)], DEFAULT_FIELDS)
    some = sources[:1] + sources[3:12]
    with Reading(96 * MB, 128 * MB) as reading:
        wanted = everything(reading, some)
    assert everything(ahead, some) == wanted


def test_digests_are_of_the_time_before_a_source_was_read(sources: list[Source], ahead: ReadingAhead) -> None:
    ahead.expect(sources, DEFAULT_FIELDS)
    taken = [source for source in sources if ahead.takes(source)]
    before = [source.digest() for source in taken]
    list(ahead.read(taken[0]))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(job.done for job in ahead._jobs):
        time.sleep(0.02)
    Path(taken[1].path).write_text("changed while others were read")
    assert ahead.digest(taken[1]) == before[1] != taken[1].digest()
    Path(taken[-1].path).unlink()
    with pytest.raises(InputError, match="No such file"):
        ahead.digest(taken[-1])


def test_a_process_that_is_killed_costs_nothing(
    sources: list[Source], expected: list[object], ahead: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Mortal(Process):
        def receive(self, patience: float, most: int) -> tuple[bytes, bytearray, bytearray]:
            got = super().receive(patience, most)
            if got[0] == b"D" and chosen and b"box 2" in got[2]:
                os.kill(self.pid, chosen.pop())
            return got

    chosen = [signal.SIGKILL]
    monkeypatch.setattr(ahead_module, "Process", Mortal)
    ahead.expect(sources, DEFAULT_FIELDS)
    assert everything(ahead, sources) == expected
    assert not chosen


def test_none_where_processes_cannot_start(
    sources: list[Source], expected: list[object], ahead: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(ahead_module, "Process", refuse)
    ahead.expect(sources, DEFAULT_FIELDS)
    assert everything(ahead, sources) == expected
    assert ahead._failing


def test_a_few_small_sources_are_not_worth_it(sources: list[Source]) -> None:
    reading = ReadingAhead(Reading(192 * MB, 256 * MB), 2)
    reading.expect(sources[:8], DEFAULT_FIELDS)
    assert len(everything(reading, sources[:1])) == 1
    assert reading.begun == 0
    reading.close()


def test_small_budgets_and_one_worker_have_one_process() -> None:
    assert ReadingAhead(Reading(48 * MB, 72 * MB), 8).count == 1
    assert ReadingAhead(Reading(512 * MB, 512 * MB), 8).count == 5
    assert ReadingAhead(Reading(512 * MB, 512 * MB), 1).count == 1
