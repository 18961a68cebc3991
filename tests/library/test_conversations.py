"""Conversations are kept where it is asked for, told apart, and really forgotten."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

import bookwheel
from bookwheel.library import conversations as kept

TEXTS = [
    {"id": "wheel", "text": "Ramelli drew a wheel in 1588. It held twelve books. Nobody built one for long."},
    {"id": "tea", "text": "Tea is dried in the sun. Then it is rolled by hand."},
    {"id": "owl", "text": "Owls hunt at night. Their feathers are soft, so that they fly without a sound."},
]


@pytest.fixture
def library(tmp_path: Path) -> bookwheel.Library:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add(TEXTS)
    return library


def test_nothing_is_kept_unless_it_is_asked_for(library: bookwheel.Library) -> None:
    library.ask("How many books did the wheel hold?")
    assert not (library.path / kept.CONVERSATIONS).exists()
    assert library.conversations() == []
    assert library.forget_conversations() == 0
    assert not (library.path / kept.CONVERSATIONS).exists()


def test_a_conversation_goes_on(library: bookwheel.Library) -> None:
    talk = library.conversation("wheels")
    first = talk.ask("Who drew the wheel of Ramelli?")
    assert first.claims
    bookwheel.open(library.path).conversation("wheels").ask("How many books did it hold?")
    turns = library.conversation("wheels").turns
    assert [turn.question for turn in turns] == ["Who drew the wheel of Ramelli?", "How many books did it hold?"]
    assert "Ramelli" in turns[1].understood
    assert turns[1].answer["claims"][0]["quotes"][0]["id"] == "wheel"
    assert [(one.name, one.questions) for one in library.conversations()] == [("wheels", 2)]
    told = talk.export()
    assert told["turns"][0]["question"] == "Who drew the wheel of Ramelli?"
    assert told["turns"][0]["answer"]["answer"] == first.text


def test_the_last_one_is_first(library: bookwheel.Library) -> None:
    for name in ("a", "b", "a"):
        library.conversation(name).ask("When do owls hunt?")
    assert [one.name for one in library.conversations()][0] == "a"


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_only_its_owner_reads_it(library: bookwheel.Library) -> None:
    library.conversation("a").ask("When do owls hunt?")
    assert (library.path / kept.CONVERSATIONS).stat().st_mode & 0o077 == 0


def test_what_is_forgotten_is_gone_from_the_disk(library: bookwheel.Library) -> None:
    secret = "zanzibarquux"
    for number in range(60):  # enough for several pages
        library.conversation("secret").ask(f"What is {secret} number {number} of the owls?")
    library.conversation("other").ask("When do owls hunt?")
    assert any(secret.encode() in file.read_bytes() for file in library.path.glob("conversations*"))
    assert library.conversation("secret").forget() == 60
    library.close()
    for file in library.path.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file
    assert [one.name for one in library.conversations()] == ["other"]
    with pytest.raises(bookwheel.UsageError, match="nothing was forgotten"):
        library.forget_conversations(["other", "secret"])
    assert library.forget_conversations() == 1
    assert library.conversations() == []


def test_a_library_that_cannot_be_written_answers_and_says_that_it_keeps_nothing(
    library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.conversation("a").ask("Who drew the wheel of Ramelli?")

    def refuse(self: kept.Conversations) -> None:
        raise bookwheel.StorageError(f"{self.path} cannot be written (permission denied)")

    monkeypatch.setattr(kept.Conversations, "_create", refuse)
    talk = library.conversation("a")
    answer = talk.ask("How many books did it hold?")
    assert answer.claims
    assert any("not kept" in note and "permission denied" in note for note in answer.notes)
    assert len(talk.turns) == 1
    assert "Ramelli" in talk.ask("Was it built?").asked  # what was asked here is known all the same


def test_links_foreign_tables_and_other_libraries_are_refused(library: bookwheel.Library, tmp_path: Path) -> None:
    file = library.path / kept.CONVERSATIONS
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    file.symlink_to(victim)
    with pytest.raises(bookwheel.LibraryDamaged, match="symbolic link"):
        library.conversation("a").turns  # noqa: B018
    answer = library.conversation
    with pytest.raises(bookwheel.LibraryDamaged, match="symbolic link"):
        answer("a").ask("When do owls hunt?")
    assert victim.read_bytes() == b""
    file.unlink()
    with sqlite3.connect(file) as db:
        db.execute("CREATE TABLE turns (x)")
    db.close()
    with pytest.raises(bookwheel.LibraryDamaged, match="altered"):
        library.conversation("a").ask("When do owls hunt?")
    assert library.check()
    file.unlink()
    library.conversation("a").ask("When do owls hunt?")
    assert library.check() == []
    other = bookwheel.open(tmp_path / "other", create=True, encoder=None)
    other.add(TEXTS)
    (other.path / kept.CONVERSATIONS).write_bytes(file.read_bytes())
    with pytest.raises(bookwheel.LibraryDamaged, match="another library"):
        other.conversations()


def test_a_damaged_row_is_named(library: bookwheel.Library) -> None:
    library.conversation("a").ask("When do owls hunt?")
    with sqlite3.connect(library.path / kept.CONVERSATIONS) as db:
        db.execute("UPDATE turns SET question = 'something else'")
    db.close()
    with pytest.raises(bookwheel.LibraryDamaged, match="question 1"):
        library.conversation("a").turns  # noqa: B018
    assert "do not match" in library.check()[0]
    assert library.conversation("a").forget() == 1


def test_sizes_are_bounded(library: bookwheel.Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_TURNS", 2)
    talk = library.conversation("a")
    for _ in range(3):
        answer = talk.ask("When do owls hunt?")
    assert len(talk.turns) == 2
    assert any("not kept" in note for note in answer.notes)
    monkeypatch.setattr(kept, "MOST_BYTES", 1000)
    assert any("forget some" in note for note in library.conversation("b").ask("When do owls hunt?").notes)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 300, 7, None])
def test_what_is_no_name(library: bookwheel.Library, name) -> None:
    with pytest.raises(bookwheel.UsageError):
        library.conversation(name)


def test_several_ask_at_once(library: bookwheel.Library) -> None:
    def ask(number: int) -> None:
        bookwheel.open(library.path).conversation("all").ask(f"When do {number} owls hunt?")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turn.number for turn in library.conversation("all").turns) == [1, 2, 3, 4, 5, 6]
