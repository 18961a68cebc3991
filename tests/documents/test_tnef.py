"""``winmail.dat``: messages and attachments packed by Outlook. Its parts are made here, as [MS-OXTNEF] says."""

from __future__ import annotations

import email.message
import struct
from pathlib import Path

import pytest

import bookwheel
from bookwheel import Document, InputError
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read

SIGNATURE = struct.pack("<IH", 0x223E9F78, 1)


def attribute(number: int, data: bytes, level: int = 1) -> bytes:
    return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def text(number: int, value: str) -> bytes:
    data = value.encode("utf-16-le") + b"\0\0"
    return struct.pack("<HHII", 0x1F, number, 1, len(data)) + data + b"\0" * (-len(data) % 4)


def properties(*given: bytes) -> bytes:
    return struct.pack("<I", len(given)) + b"".join(given)


NAMED = struct.pack("<HH16sII", 0x03, 0x8001, b"g" * 16, 0, 7) + struct.pack("<I", 5)
BY_NAME = struct.pack("<HH16sII4sI", 0x0B, 0x8002, b"g" * 16, 1, 4, "né".encode("utf-16-le"), 1)
SEVERAL = struct.pack("<HHI", 0x1003, 0x1234, 2) + struct.pack("<II", 1, 2)


def attached(name: str, data: bytes) -> bytes:
    return (
        attribute(0x69002, b"\0" * 14, 2)
        + attribute(0x18010, b"SHORT~1.TXT\0", 2)
        + attribute(0x6800F, data, 2)
        + attribute(0x69005, properties(text(0x3707, name)), 2)
    )


def packed(*attachments: bytes, body: str = "The kite flies at noon.") -> bytes:
    sent = struct.pack("<7H", 2024, 1, 31, 10, 5, 0, 3)
    said = properties(NAMED, BY_NAME, SEVERAL, text(0x37, "Kites at noon"), text(0x1000, body), text(0x0C1A, "Ada Byron"))
    return SIGNATURE + attribute(0x38005, sent) + attribute(0x69003, said) + b"".join(attachments)


def documents(path: Path) -> list[Document | InputError]:
    return [one for source in walk([path]) for one in read(source)]  # type: ignore[arg-type]


def test_text_fields_and_attachments(tmp_path: Path) -> None:
    path = tmp_path / "winmail.dat"
    inner = packed(body="The inner kite rests.")
    path.write_bytes(
        packed(attached("Größe.txt", b"The string is long."), attached("inner.dat", inner), attached("x.bin", b"\0\1\2" * 99))
    )
    (document,) = documents(path)
    assert isinstance(document, Document)
    assert document.title == "Kites at noon"
    assert document.text.startswith("The kite flies at noon.")
    assert "The string is long." in document.text
    assert "The inner kite rests." in document.text
    assert document.metadata == {
        "from": "Ada Byron",
        "date": "2024-01-31T10:05:00",
        "year": 2024,
        "attachments": "Größe.txt, inner.dat, x.bin",
    }
    assert [part.name for part in document.parts][0] == "attachment Größe.txt"


def test_in_a_mail(tmp_path: Path) -> None:
    mail = email.message.EmailMessage()
    mail["Subject"], mail["From"] = "Fwd", "a@example.org"
    mail.set_content("See the attachment.")
    data = packed(attached("plan.txt", b"Bring a spool of string."))
    mail.add_attachment(data, maintype="application", subtype="ms-tnef", filename="winmail.dat")
    (tmp_path / "m.eml").write_bytes(mail.as_bytes())
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        assert library.index(tmp_path / "m.eml").notes == []
        (result,) = library.search("spool string", recipe="bm25")
        assert "winmail.dat" in result.text
        assert library.search("kite noon", recipe="bm25")


@pytest.mark.parametrize("cut", [3, 40, 100, 250])
def test_what_comes_before_the_damage_is_kept(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "winmail.dat"
    whole = packed(attached("a.txt", b"The string is long."))
    path.write_bytes(whole[:-cut])
    found: list[object] = []

    def every() -> None:
        for source in walk([path]):
            for one in read(source):  # type: ignore[arg-type]
                found.append(one)

    with pytest.raises(InputError, match="damaged"):
        every()
    assert len(found) == 1 or cut > 200


def test_hostile_numbers(tmp_path: Path) -> None:
    for number, data in enumerate(
        (
            SIGNATURE + attribute(0x69003, struct.pack("<I", 2**32 - 1)),
            SIGNATURE + attribute(0x69003, struct.pack("<IHHI", 1, 0x101F, 0x37, 2**32 - 1)),
            SIGNATURE + struct.pack("<BII", 1, 0x69003, 2**32 - 1),
            SIGNATURE + b"\xff" * 5000,
            SIGNATURE,
        )
    ):
        path = tmp_path / f"{number}.dat"
        path.write_bytes(data)
        failures: list[str] = []
        try:
            assert documents(path) == []
        except InputError as error:
            failures.append(str(error))
        assert all("damaged" in failure for failure in failures)
