"""Outlook messages, Office files before 2007, calendars, address books and FictionBook."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from told_places import places

from bookwheel import Document, InputError
from bookwheel.documents.passages import split_document
from bookwheel.documents.paths import Skipped, Source, walk
from bookwheel.documents.read import read

olefile = pytest.importorskip("olefile", reason="olefile is not installed")


def items(path: Path, data: bytes | str) -> list[Document | InputError]:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    (source,) = walk([path])
    assert isinstance(source, Source), source
    return list(read(source))


def one(path: Path, data: bytes | str) -> Document:
    (document,) = items(path, data)
    assert isinstance(document, Document), document
    return document


def ole(streams: dict[str, bytes]) -> bytes:
    """A compound file (MS-CFB) of these streams; those below others are named ``storage/stream``."""
    names = ["Root Entry"]
    for path in streams:
        parts = path.split("/")
        names += [name for end in range(1, len(parts) + 1) if (name := "/".join(parts[:end])) not in names]
    sectors: list[bytes] = []
    fat: list[int] = []

    def put(data: bytes) -> int:
        first = len(sectors)
        count = max(1, -(-len(data) // 512))
        for number in range(count):
            sectors.append(data[512 * number : 512 * number + 512].ljust(512, b"\0"))
            fat.append(first + number + 1 if number + 1 < count else 0xFFFFFFFE)
        return first

    small = bytearray()
    small_fat: list[int] = []
    starts: dict[str, int] = {}
    for path, data in streams.items():
        if len(data) >= 4096:
            starts[path] = put(data)
            continue
        first, count = len(small_fat), -(-len(data) // 64)
        starts[path] = first
        small_fat += [first + number + 1 if number + 1 < count else 0xFFFFFFFE for number in range(count)]
        small += data.ljust(64 * count, b"\0")
    starts["Root Entry"] = put(bytes(small))
    small_table = put(b"".join(struct.pack("<I", value) for value in small_fat).ljust(512, b"\xff"))
    entries = []
    for number, path in enumerate(names):
        inside = [other for other in names[1:] if (other.rpartition("/")[0] or "Root Entry") == path]
        above = path.rpartition("/")[0] or "Root Entry"
        beside = [
            other for other in names[1:] if (other.rpartition("/")[0] or "Root Entry") == above and names.index(other) > number
        ]
        name = path.rpartition("/")[2].encode("utf-16-le") + b"\0\0"
        stream = path in streams
        entries.append(
            name.ljust(64, b"\0")
            + struct.pack("<HBB", len(name), 5 if number == 0 else 2 if stream else 1, 1)
            + struct.pack(
                "<III",
                0xFFFFFFFF,
                names.index(beside[0]) if beside and number else 0xFFFFFFFF,
                names.index(inside[0]) if inside else 0xFFFFFFFF,
            )
            + bytes(36)
            + struct.pack(
                "<IQ", starts.get(path, 0xFFFFFFFE), len(streams[path]) if stream else len(small) if number == 0 else 0
            )
        )
    directory = put(b"".join(entries))
    fat_sector = len(sectors)
    fat.append(0xFFFFFFFD)
    sectors.append(b"".join(struct.pack("<I", value) for value in fat).ljust(512, b"\xff"))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack(
        "<IIIIIIIII", 0, 1, directory, 0, 4096, small_table, -(-len(small_fat) // 128), 0xFFFFFFFE, 0
    ) + struct.pack("<I", fat_sector)
    return head.ljust(512, b"\xff") + b"".join(sectors)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def test_outlook_messages(tmp_path: Path) -> None:
    when = (1_704_103_200 + 11_644_473_600) * 10_000_000
    data = ole(
        {
            "__properties_version1.0": bytes(32) + struct.pack("<HHIQ", 0x40, 0x39, 6, when),
            "__substg1.0_0037001F": wide("Drachen über dem See"),
            "__substg1.0_0C1A001F": wide("Ada"),
            "__substg1.0_0C1F001E": b"ada@b.c",
            "__substg1.0_10130102": "<p>The näme of the wind</p>".encode(),
            "__attach_version1.0_#00000000/__substg1.0_3707001F": wide("plan.txt"),
            "__attach_version1.0_#00000000/__substg1.0_37010102": b"attached words",
            "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_0037001F": wide("inner"),
            "__attach_version1.0_#00000001/__substg1.0_3701000D/__substg1.0_1000001F": wide("inner words"),
        }
    )
    document = one(tmp_path / "a.msg", data)
    assert document.title == "Drachen über dem See"
    assert document.text.split("\n\n") == [
        "The näme of the wind",
        "plan.txt",
        "attached words",
        "inner.txt",
        "inner",
        "inner words",
    ]
    assert [part.name for part in document.parts] == ["attachment plan.txt", "attachment inner.txt"]
    assert document.metadata == {
        "from": "Ada ada@b.c", "date": "2024-01-01T10:00:00+00:00", "year": 2024, "attachments": "plan.txt, inner.txt",
    }  # fmt: skip
    assert one(tmp_path / "b.bin2", data).text == document.text


def test_word_97(tmp_path: Path) -> None:
    text = "Plain caf\xe9.\rA \x13 HYPERLINK x \x14link\x15 here.\rcell\x07two\x07\x07"
    main = bytearray(1024) + text.encode("cp1252")
    far = len(main)
    main += wide("Ünïcode 日本.\r")
    struct.pack_into("<H", main, 0, 0xA5EC)
    struct.pack_into("<H", main, 10, 0x200)
    pieces = struct.pack("<III", 0, len(text), len(text) + 12)
    pieces += struct.pack("<HIH", 0, 0x40000000 | (1024 * 2), 0) + struct.pack("<HIH", 0, far, 0)
    clx = b"\x02" + struct.pack("<I", len(pieces)) + pieces
    struct.pack_into("<II", main, 0x1A2, 0, len(clx))
    document = one(tmp_path / "a.doc", ole({"WordDocument": bytes(main), "1Table": clx}))
    assert document.text.split("\n\n") == ["Plain café.", "A link here.", "cell\ttwo", "Ünïcode 日本."]
    struct.pack_into("<H", main, 10, 0x300)
    with pytest.raises(InputError, match="password"):
        items(tmp_path / "b.doc", ole({"WordDocument": bytes(main), "1Table": clx}))


def test_powerpoint_97(tmp_path: Path) -> None:
    def record(kind: int, body: bytes, version: int = 0) -> bytes:
        return struct.pack("<HHI", version, kind, len(body)) + body

    slide = record(0x03F3, bytes(20))
    listed = slide + record(0x0FA0, wide("First slide")) + record(0x0FA8, b"a\rb") + slide + record(0x0FA0, wide("Second"))
    masters = record(0x03F8, record(0x0FA0, wide("Click to edit")), 0xF)
    document = one(tmp_path / "a.ppt", ole({"PowerPoint Document": masters + record(0x0FF0, listed, 0xF)}))
    assert document.text.split("\n\n") == ["First slide", "a\nb", "Second"]
    assert [part.name for part in document.parts] == ["slide 1", "slide 2"]


def test_protected_office_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(ole({"EncryptedPackage": bytes(100), "EncryptionInfo": bytes(100)}))
    (tmp_path / "b.db").write_bytes(ole({"Other": bytes(10)}))
    assert [(item.reason, item.failed) for item in walk([tmp_path]) if isinstance(item, Skipped)] == [
        ("protected by a password", True), ("binary", False),
    ]  # fmt: skip


def test_excel_97(tmp_path: Path) -> None:
    pytest.importorskip("xlrd", reason="xlrd is not installed")
    xlwt = pytest.importorskip("xlwt", reason="xlwt is not installed")
    import datetime

    book = xlwt.Workbook()
    sheet = book.add_sheet("Sales")
    for column, value in enumerate(("Region", "Amount", "Day")):
        sheet.write(1, column, value)
    sheet.write(2, 0, "North")
    sheet.write(2, 1, 0.1 + 0.2)
    sheet.write(2, 2, datetime.date(2024, 1, 31), xlwt.easyxf(num_format_str="DD.MM.YYYY"))
    book.save(str(tmp_path / "x"))
    document = one(tmp_path / "a.xls", (tmp_path / "x").read_bytes())
    assert document.text.split("\n")[2:] == ["Region\tAmount\tDay", "Region: North; Amount: 0.3; Day: 2024-01-31"]
    assert places(document, split_document(document, "sentence"))[-1] == ("Sales!A3:C3", None)


@pytest.mark.parametrize("name", ["WordDocument", "PowerPoint Document", "Workbook", "__properties_version1.0"])
def test_damaged_containers_are_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a"
    for data in (b"", b"\xff" * 600, bytes(600), b"\xec\xa5" + bytes(700)):
        path.write_bytes(ole({name: data, "1Table": data, "0Table": data}))
        (source,) = walk([path])
        assert isinstance(source, Source)
        try:
            assert all(isinstance(item, Document | InputError) for item in read(source))
        except InputError as error:
            assert str(path) in str(error)  # noqa: PT017 - either is right


ICS = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1@x
SUMMARY:Flying kites\\, together
DTSTART;TZID=Europe/Berlin:20240131T100000
DTEND:20240131T120000Z
LOCATION:The hill
DESCRIPTION:Bring a kite\\nand a very
  long line.
ORGANIZER;CN="Ada Lovelace":mailto:ada@b.c
BEGIN:VALARM
DESCRIPTION:Reminder
END:VALARM
END:VEVENT
BEGIN:VTODO
SUMMARY:Buy string
DUE;VALUE=DATE:20240201
END:VTODO
END:VCALENDAR
"""


def test_calendars(tmp_path: Path) -> None:
    for name in ("a.ics", "b"):
        event, task = items(tmp_path / name, ICS.replace("\n", "\r\n"))
        assert isinstance(event, Document)
        assert isinstance(task, Document)
        assert (event.id, event.title, event.line) == ("1@x", "Flying kites, together", 3)
        assert event.text.split("\n") == [
            "From: 2024-01-31T10:00:00", "Until: 2024-01-31T12:00:00+00:00", "Location: The hill", "Bring a kite", "and a very long line.",
            "Organizer: Ada Lovelace ada@b.c",
        ]  # fmt: skip
        assert event.metadata == {
            "start": "2024-01-31T10:00:00", "end": "2024-01-31T12:00:00+00:00", "location": "The hill", "organizer": "Ada Lovelace ada@b.c",
            "year": 2024,
        }  # fmt: skip
        assert (task.title, task.text) == ("Buy string", "Until: 2024-02-01")


def test_categories_of_an_event_are_several_values(tmp_path: Path) -> None:
    several = ICS.replace("LOCATION", "CATEGORIES:Sport,Wind\\, weather\nCATEGORIES:Sport,Air\nLOCATION")
    event = items(tmp_path / "a.ics", several)[0]
    assert isinstance(event, Document)
    assert event.metadata["categories"] == ("Sport", "Wind, weather", "Air")
    assert "Categories: Sport, Wind, weather" in event.text
    event = items(tmp_path / "b.ics", ICS.replace("LOCATION", "CATEGORIES:Sport\nLOCATION"))[0]
    assert isinstance(event, Document)
    assert event.metadata["categories"] == "Sport"


VCARD = """BEGIN:VCARD
VERSION:3.0
N:Müller;Jürgen;;;
FN:Jürgen Müller
ORG:Kites\\; Inc.;Sales
item1.EMAIL;TYPE=work:j@b.c
TEL;TYPE=cell:+49 1
ADR:;;Hill 1;Berlin;;10115;Germany
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQ
 AAAQABAAD
NOTE:likes wind
END:VCARD
BEGIN:VCARD
VERSION:2.1
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=84da=20
=C3=96
END:VCARD
"""


def test_address_books(tmp_path: Path) -> None:
    first, second = items(tmp_path / "a.vcf", VCARD)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert first.title == "Jürgen Müller"
    assert first.text.split("\n") == [
        "Organization: Kites; Inc., Sales", "E-mail: j@b.c", "Telephone: +49 1", "Address: Hill 1, Berlin, 10115, Germany", "likes wind",
    ]  # fmt: skip
    assert first.metadata == {"organization": "Kites; Inc., Sales", "e-mail": "j@b.c", "telephone": "+49 1"}
    assert (second.title, second.line) == ("Äda", 13)


FB2 = """<?xml version="1.0" encoding="windows-1251"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description><title-info>
<author><first-name>Лев</first-name><last-name>Толстой</last-name></author><book-title>Война и мир</book-title><date>1869</date>
<lang>ru</lang></title-info></description><body><title><p>Война и мир</p></title><section><title><p>Глава 1</p></title>
<p>Первый <emphasis>текст</emphasis>.</p>
</section><section><poem><stanza><v>строка</v></stanza></poem></section></body><body name="notes"><section><p>сноска</p></section></body>
<binary id="x">AAAA</binary></FictionBook>"""


def test_fictionbook(tmp_path: Path) -> None:
    for name in ("a.fb2", "b.xml"):
        document = one(tmp_path / name, FB2.encode("cp1251"))
        assert (document.title, document.metadata["author"], document.metadata["year"]) == ("Война и мир", "Лев Толстой", 1869)
        assert document.text.split("\n\n") == ["Война и мир", "Глава 1", "Первый текст.", "строка", "сноска"]
        assert [part.name for part in document.parts] == ["title page", "chapter 1", "chapter 2", "chapter 3"]
