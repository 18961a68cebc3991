"""Attachments of mails: each is read for itself, whatever is damaged beside it and whatever others are called."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from one_file import items, one

from bookwheel import Document
from bookwheel.documents import letters, members
from bookwheel.documents.failures import Note
from bookwheel.documents.paths import walk

BROKEN = b"%PDF-1.4 broken"


def zip_of(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        for name, content in files.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


def mail(files: list[tuple[str, bytes]], subject: str = "Report") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Message-ID"] = "a@b.c", subject, f"<{subject}@x>"
    made.set_content("See the files.")
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made


def parted(document: Document) -> list[tuple[str, str]]:
    """The names of a document's parts, and what each says below its name."""
    ends = [part.start for part in document.parts[1:]] + [len(document.text)]
    found = zip(document.parts, ends, strict=True)
    return [(part.name, document.text[part.start : end].strip().rpartition("\n\n")[2]) for part, end in found]


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("broken_first", [False, True])
def test_each_mail_has_the_texts_of_its_own_archive(tmp_path: Path, nested: bool, broken_first: bool) -> None:
    """Although both archives have the same name, size and time."""
    box = b""
    for number, text in enumerate((b"forty otters", b"ninety gulls")):
        files = {"a.txt": text, "b.pdf": BROKEN}
        packed = zip_of(dict(reversed(files.items())) if broken_first else files)
        packed = zip_of({"in.zip": packed}) if nested else packed
        box += b"From a@b.c Mon Jan  1 10:00:00 2024\n" + mail([("report.zip", packed)], f"{number}").as_bytes() + b"\n"
    found = items(tmp_path / "a.mbox", box)
    name = "report.zip/in.zip/a.txt" if nested else "report.zip/a.txt"
    assert [parted(item) for item in found if isinstance(item, Document)] == [
        [(f"attachment {name}", "forty otters")],
        [(f"attachment {name}", "ninety gulls")],
    ]
    assert len([item for item in found if isinstance(item, Note)]) == 2


def test_a_damaged_member_costs_only_itself(tmp_path: Path) -> None:
    packed = zip_of({"a.pdf": BROKEN, "b.txt": b"otters", "c.docx": b"PK\3\4 junk", "d.txt": b"puffins"})
    *notes, document = items(tmp_path / "a.eml", mail([("r.zip", packed), ("e.txt", b"terns")]).as_bytes())
    assert isinstance(document, Document)
    assert parted(document) == [
        ("attachment r.zip/b.txt", "otters"),
        ("attachment r.zip/d.txt", "puffins"),
        ("attachment e.txt", "terns"),
    ]
    assert ["'r.zip/a.pdf' was not read:" in str(notes[0]), "'r.zip/c.docx' was not read:" in str(notes[1])] == [True, True]
    assert {type(note) for note in notes} == {Note}


@pytest.mark.parametrize("name", ["in.mbox.gz", "in.txt.gz"])
def test_what_comes_before_the_damage_is_kept_and_told(tmp_path: Path, name: str) -> None:
    noise = random.Random(0).randbytes(4000).hex().encode()
    box = (
        b"From a@b.c Mon Jan  1 10:00:00 2024\nSubject: x\n\nfirst words\n\nFrom a@b.c Mon Jan  1 10:00:00 2024\nSubject: y\n\n"
    )
    data = mail([(name, gzip.compress(box + noise)[:-1000]), ("b.txt", b"after it")]).as_bytes()
    note, document = items(tmp_path / "a.eml", data)
    assert isinstance(note, Note)
    assert f"{name!r} was not read to its end: " in str(note)
    assert "damaged" in str(note)
    assert isinstance(document, Document)
    assert "first words" in document.text
    assert document.text.endswith("after it")


def test_archives_are_closed_where_reading_stops_early(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"a.txt": b"otters", "b.txt": b"gulls"}))
    found = walk([tmp_path])
    next(found)
    assert members._archives()
    found.close()  # type: ignore[attr-defined]
    assert not members._archives()


@pytest.mark.parametrize(
    "names",
    [("plan.txt.old.txt", "plan.txt"), ("notes.txt", "notes.txt"), ("a.zip/b.txt", "b.txt"), ("b.txt", "a.txt", "b.txt")],
)
def test_each_attachment_has_its_part_and_its_name(tmp_path: Path, names: tuple[str, ...]) -> None:
    files = [(name, f"text {number}".encode()) for number, name in enumerate(names)]
    document = one(tmp_path / "a.eml", mail(files).as_bytes())
    bare = [name.rpartition("/")[2] for name in names]
    assert parted(document) == [(f"attachment {name}", f"text {number}") for number, name in enumerate(bare)]
    assert document.text == "See the files." + "".join(f"\n\n{name}\n\ntext {number}" for number, name in enumerate(bare))


def test_the_documents_of_one_attachment_share_its_name(tmp_path: Path) -> None:
    """Also behind one that ends in a part of its own: here a mail with an attachment, in a mailbox that is attached."""
    box = b"".join(
        b"From a@b.c Mon Jan  1 10:00:00 2024\n" + one_mail.as_bytes() + b"\n"
        for one_mail in (mail([("deep.txt", b"deep words")], "first"), mail([], "second"))
    )
    document = one(tmp_path / "a.eml", mail([("box.mbox", box)]).as_bytes())
    names = [part.name for part in document.parts]
    assert names == ["attachment box.mbox", "attachment box.mbox attachment deep.txt", "attachment box.mbox"]
    assert document.text[document.parts[2].start :].startswith("second\n\nSee the files.")
    assert document.text.count("box.mbox") == 1


def test_mails_attached_too_deep_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "MAX_DEPTH", 1)
    deepest = mail([("deep.txt", b"deep words")], "second")
    middle = mail([], "first")
    middle.add_attachment(deepest)
    outer = mail([], "outer")
    outer.add_attachment(middle)
    note, document = items(tmp_path / "a.eml", outer.as_bytes())
    assert isinstance(note, Note)
    assert "'second.eml': its attachments were left out" in str(note)
    assert isinstance(document, Document)
    assert "deep words" not in document.text
    assert document.text.count("See the files.") == 3
