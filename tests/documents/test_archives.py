"""Archives are folders: their members are found, read, brought up to date and removed one by one, under limits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import struct
import tarfile
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from documents_files import paragraph, write_docx, write_pdf, zstd_compress

import bookwheel
from bookwheel import Document
from bookwheel.documents import members, zip_directory
from bookwheel.documents.paths import Skipped, Source, walk
from bookwheel.documents.read import read

TEXTS = {"notes/owl.txt": b"The owl sleeps.", "heron.md": b"# Heron\n\nstands", "rows.csv": b"id,text\n1,a kite\n2,a wren\n"}


def tar_of(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return data.getvalue()


def zip_of(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return data.getvalue()


MADE = {
    "a.zip": zip_of,
    "a.tar": tar_of,
    "a.tar.gz": lambda files: gzip.compress(tar_of(files)),
    "a.tgz": lambda files: gzip.compress(tar_of(files)),
    "a.tar.bz2": lambda files: bz2.compress(tar_of(files)),
    "a.txz": lambda files: lzma.compress(tar_of(files)),
    "a.tar.zst": lambda files: zstd_compress(tar_of(files)),
    "archive": lambda files: lzma.compress(tar_of(files)),  # no suffix at all
}


def found(*paths: Path, **options: bool | int) -> tuple[list[Source], Counter[str]]:
    items = list(walk(paths, **options))  # type: ignore[arg-type]
    return [item for item in items if isinstance(item, Source)], Counter(
        item.reason for item in items if isinstance(item, Skipped)
    )


def texts(path: Path, **options: int) -> dict[str, str]:
    sources, _ = found(path, **options)
    return {item.id: item.text for source in sources for item in read(source) if isinstance(item, Document)}


@pytest.mark.parametrize("name", MADE)
def test_members_are_read_as_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(MADE[name](TEXTS))
    assert texts(tmp_path) == texts(path) == {
        f"{path}/notes/owl.txt": "The owl sleeps.",
        f"{path}/heron.md": "# Heron\n\nstands",
        "1": "a kite",
        "2": "a wren",
    }  # fmt: skip


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_single_files_of_bz2_and_xz(tmp_path: Path, pack) -> None:  # type: ignore[no-untyped-def]
    suffix = ".bz2" if pack is bz2.compress else ".xz"
    (tmp_path / f"owl.txt{suffix}").write_bytes(pack(b"The owl ") + pack(b"sleeps."))
    (tmp_path / "heron").write_bytes(pack(b"a heron"))
    (tmp_path / f"not packed.txt{suffix}").write_text("plain words")
    assert sorted(texts(tmp_path).values()) == ["The owl sleeps.", "a heron", "plain words"]
    (tmp_path / f"cut.txt{suffix}").write_bytes(pack(random.Random(0).randbytes(3000).hex().encode())[:-30])
    (source,), _ = found(tmp_path / f"cut.txt{suffix}")
    with pytest.raises(bookwheel.InputError, match="damaged"):
        list(read(source))


def test_documents_in_archives_in_archives(tmp_path: Path) -> None:
    pdf = write_pdf(tmp_path / "x.pdf", ["a page"]).read_bytes()
    docx = write_docx(tmp_path / "x.docx", paragraph("a paragraph")).read_bytes()
    (tmp_path / "x.pdf").unlink()
    (tmp_path / "x.docx").unlink()
    inner = zip_of({"a/x.pdf": pdf, "x.docx": docx, "log.gz": gzip.compress(b"a log")})
    path = tmp_path / "outer.zip"
    path.write_bytes(zip_of({"in.tar.gz": gzip.compress(tar_of({"deep.zip": inner})), "deep.zip": inner}))
    read_ = texts(path)
    assert {name: text.strip() for name, text in read_.items()} == {
        f"{path}/{folder}deep.zip/{name}": text
        for folder in ("in.tar.gz/", "")
        for name, text in (("a/x.pdf", "a page"), ("x.docx", "a paragraph"), ("log.gz", "a log"))
    }
    for _ in range(3):
        path.write_bytes(zip_of({"again.zip": path.read_bytes()}))
    assert found(path) == ([], Counter({"archives too deep inside each other": 1}))


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_names_that_lead_elsewhere_are_told(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    names = ["/etc/x.txt", "../x.txt", "a/../../x.txt", "C:/x.txt", "a\\..\\..\\x.txt", ".hid/x.txt", "__MACOSX/x.txt"]
    (tmp_path / "a.x").write_bytes(make(dict.fromkeys(names, b"x") | {"./a//b.txt": b"good", "c\\d.txt": b"too"}))
    sources, skipped = found(tmp_path)
    assert [source.path for source in sources] == [f"{tmp_path}/a.x/a/b.txt", f"{tmp_path}/a.x/c/d.txt"]
    assert skipped == {"unsafe name in an archive": 5, "hidden": 2}
    assert {item.failed for item in walk([tmp_path]) if isinstance(item, Skipped)} == {True, False}
    assert [source.read_bytes() for source in sources] == [b"good", b"too"]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("cp437", "Übungäöü"), ("cp1252", "Übungäöü"), ("cp866", "документ"), ("cp1251", "отчёт"), ("cp932", "日本語表"),
        ("gb18030", "技术文档"), ("cp949", "한국어문서"), ("big5", "報告"), ("utf-8", "naïve 日本"),
    ],
)  # fmt: skip
def test_names_in_the_code_page_of_a_machine(tmp_path: Path, encoding: str, name: str) -> None:
    """Neither a zip file without the mark of UTF-8 nor a tar file says which; all names of a zip file are in one."""
    written = name.encode(encoding)
    held = b"\1" * len(written)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("plain.txt", "the heron")
        archive.writestr(f"{held.decode()}.txt", "the bittern")
    (tmp_path / "old.zip").write_bytes(made.getvalue().replace(held, written))
    found = sorted(source.path.rsplit("/", 1)[-1] for source in walk([tmp_path / "old.zip"]) if isinstance(source, Source))
    assert found == sorted([f"{name}.txt", "plain.txt"])
    if encoding != "cp437":
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding) as packed:
            info = tarfile.TarInfo(f"{name}.txt")
            info.size = 5
            packed.addfile(info, io.BytesIO(b"heron"))
        (tmp_path / "old.tar").write_bytes(made.getvalue())
        (source,) = walk([tmp_path / "old.tar"])
        assert isinstance(source, Source)
        assert source.path.endswith(f"old.tar/{name}.txt")
        assert [document.text for document in read(source) if isinstance(document, Document)] == ["heron"]


def test_links_and_repeated_names(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"{kind!r}.txt")
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
        for content in (b"one", b"two"):
            info = tarfile.TarInfo("x.txt")
            info.size = 3
            file.addfile(info, io.BytesIO(content))
    (tmp_path / "a.tar").write_bytes(data.getvalue())
    sources, skipped = found(tmp_path)
    assert [source.read_bytes() for source in sources] == [b"two"]
    assert skipped == {"link in an archive": 2, "not a regular file": 1, "name used twice in an archive": 1}
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert found(tmp_path / "b.zip")[1] == {"link in an archive": 1}


def test_bombs_are_told_and_read_no_further(tmp_path: Path) -> None:
    zeros = bytes(8 << 20)
    (tmp_path / "a.zip").write_bytes(zip_of({"zeros.txt": zeros, "good.txt": b"good"}))
    sources, skipped = found(tmp_path / "a.zip")
    assert [source.name for source in sources] == ["a.zip/good.txt"]
    assert skipped == {"looks like a zip bomb": 1}
    (tmp_path / "b.tar.xz").write_bytes(lzma.compress(tar_of({"good.txt": b"good", "zeros.txt": bytes(80 << 20)}), preset=0))
    sources, skipped = found(tmp_path / "b.tar.xz")
    assert [source.name for source in sources] == ["b.tar.xz/good.txt"]
    assert skipped == {"looks like a zip bomb": 1}
    (tmp_path / "c.zip").write_bytes(
        zip_of({f"{number}.md": random.Random(1).randbytes(9000).hex().encode() for number in range(9)})
    )
    sources, skipped = found(tmp_path / "c.zip", max_bytes=1000)
    assert skipped["too large"] >= 1
    # Members that share the same bytes: the list of members names one place many times.
    data = bytearray(zip_of({f"{number}.txt": b"%d" % number * 3000 for number in range(10, 40)}))
    at = 0
    while (at := data.find(b"PK\1\2", at + 1)) >= 0:
        data[at + 20 : at + 24] = struct.pack("<I", 60_000)
    (tmp_path / "d.zip").write_bytes(data)
    assert found(tmp_path / "d.zip") == ([], Counter({"looks like a zip bomb": 1}))


def test_numbers_of_members_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "MAX_MEMBERS", 3)
    monkeypatch.setattr(zip_directory, "MAX_DIRECTORY", 1000)
    many = {f"{number:03}.txt": b"x" for number in range(9)}
    (tmp_path / "a.tar").write_bytes(tar_of(many))
    assert (len(found(tmp_path / "a.tar")[0]), found(tmp_path / "a.tar")[1]) == (3, {"too large": 1})
    (tmp_path / "a.zip").write_bytes(zip_of({f"{number:03}.txt": b"x" for number in range(99)}))
    assert found(tmp_path / "a.zip") == ([], Counter({"too large": 1}))


@pytest.mark.parametrize("name", MADE)
def test_damaged_archives_never_break(tmp_path: Path, name: str) -> None:
    whole = MADE[name](TEXTS | {"noise.txt": random.Random(0).randbytes(5000).hex().encode()})
    path = tmp_path / name
    dice = random.Random(1)
    for number in range(60):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data[: dice.randrange(len(data))] if number % 3 == 0 else data)
        for item in walk([tmp_path]):
            if isinstance(item, Source):
                with suppress(bookwheel.InputError):
                    assert all(isinstance(one, Document | bookwheel.InputError) for one in read(item))


@pytest.mark.parametrize("kind", ["w", "w:gz", "w:xz", "w:bz2"])
def test_a_tar_that_broke_off_keeps_what_is_there(tmp_path: Path, kind: str) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=kind) as file:  # type: ignore[call-overload]
        for number in range(200):
            noise = random.Random(number).randbytes(6000).hex().encode()
            info = tarfile.TarInfo(f"{number}.txt")
            info.size = len(noise)
            file.addfile(info, io.BytesIO(noise))
    data = made.getvalue()
    (tmp_path / f"a.tar.{kind[2:]}".rstrip(".")).write_bytes(data[: len(data) * 3 // 4])
    sources, skipped = found(tmp_path)
    assert skipped["damaged archive"] == 1
    whole = []
    for source in sources:
        with suppress(bookwheel.InputError):
            whole += [item.text for item in read(source) if isinstance(item, Document)]
    wanted = [random.Random(number).randbytes(6000).hex() for number in range(len(whole) - 1)]
    assert whole[:-1] == wanted
    assert len(whole) > 70


class _Pipe(io.RawIOBase):
    """What a zip file is written to that cannot be gone back in: sizes then follow the members."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        self.data += memoryview(data)  # type: ignore[call-overload]
        return len(memoryview(data))  # type: ignore[arg-type]


@pytest.mark.parametrize("packed", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("piped", [False, True])
def test_a_zip_file_that_broke_off_keeps_what_is_there(tmp_path: Path, packed: int, piped: bool) -> None:
    if piped and packed == zipfile.ZIP_STORED:
        pytest.skip("where a stored member ends, nothing says")
    pipe, made = _Pipe(), io.BytesIO()
    starts = []
    with zipfile.ZipFile(pipe if piped else made, "w", packed) as file:  # type: ignore[arg-type]
        for number in range(9):
            starts.append(len(pipe.data) if piped else made.tell())
            noise = random.Random(number).randbytes(3000).hex()
            file.writestr(f"notes/{number}.txt", f"heron number {number}. " + noise)
    data = bytes(pipe.data) if piped else made.getvalue()
    (tmp_path / "a.zip").write_bytes(data[: (starts[6] + starts[7]) // 2])
    sources, skipped = found(tmp_path)
    assert [source.name for source in sources] == [f"a.zip/notes/{number}.txt" for number in range(7)]
    assert skipped == {"damaged archive": 1}
    texts = []
    for source in sources[:6]:
        (document,) = read(source)
        assert isinstance(document, Document)
        texts.append(document.text)
    assert texts == [f"heron number {number}. " + random.Random(number).randbytes(3000).hex() for number in range(6)]
    items = read(sources[6])
    half = next(items)
    assert isinstance(half, Document)
    assert half.text.startswith("heron number 6. ")
    assert len(half.text) > 500


def test_a_tar_with_a_damaged_header_tells_it(tmp_path: Path) -> None:
    data = bytearray(tar_of({f"{number}.txt": b"word" for number in range(5)}))
    data[2 * 1024 + 150] ^= 0xFF
    (tmp_path / "a.tar").write_bytes(data)
    sources, skipped = found(tmp_path)
    assert [source.name for source in sources] == ["a.tar/0.txt", "a.tar/1.txt"]
    assert skipped == {"damaged archive": 1}


def test_encrypted_members_are_told(tmp_path: Path) -> None:
    data = bytearray(zip_of({"a.txt": b"x", "b.txt": b"y"}))
    at = data.index(b"PK\1\2")
    data[at + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    sources, skipped = found(tmp_path)
    assert [source.name for source in sources] == ["a.zip/b.txt"]
    assert skipped == {"protected by a password": 1}


def test_a_beir_collection_in_an_archive(tmp_path: Path) -> None:
    files = {"x/corpus.jsonl": b'{"_id": "1", "text": "a"}\n', "x/queries.jsonl": b'{"_id": "1", "text": "a"}\n'}
    (tmp_path / "x.zip").write_bytes(zip_of({**files, "x/qrels/test.tsv": b"a\tb\tc\n"}))
    sources, skipped = found(tmp_path)
    assert [source.name for source in sources] == ["x.zip/x/corpus.jsonl"]
    assert skipped == {"queries of a BEIR collection": 1, "judgments of a BEIR collection": 1}


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_library_follows_its_archives(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder / name
    path.write_bytes(MADE[name](TEXTS))
    (folder / "other.txt").write_text("a sparrow")
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        report = library.index([folder])
        assert (report.files, report.added, report.failures) == (4, 5, [])
        (result,) = library.search("owl", recipe="bm25")
        assert (result.source, result.place) == (f"{path}/notes/owl.txt", f"{path}/notes/owl.txt:1")

        again = library.index([folder])
        assert (again.files, again.unchanged, again.added, again.removed) == (0, 5, 0, 0)

        later = path.stat().st_mtime_ns + 10**9
        path.write_bytes(MADE[name]({**TEXTS, "notes/owl.txt": b"The owl wakes."}))
        changed = library.index([path])
        assert (changed.updated, changed.unchanged, changed.added, changed.removed) == (1, 3, 0, 0)
        assert [result.text for result in library.search("owl", recipe="bm25")] == ["The owl wakes."]
        assert later  # the archive's own time changed too: the other members were compared by content

        path.write_bytes(MADE[name]({"heron.md": TEXTS["heron.md"]}))
        fewer = library.index([path])
        assert (fewer.unchanged, fewer.removed) == (1, 3)

        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        broken = library.index([folder])
        assert broken.removed == 0, "what cannot be read is not gone"
        assert len(broken.failures) == 1
        assert library.search("heron", recipe="bm25")
        path.write_bytes(whole)
        assert library.index([folder]).unchanged == 2

        path.unlink()
        assert library.index([folder]).removed == 1
        assert not library.search("heron", recipe="bm25")


def test_magic_outranks_suffixes(tmp_path: Path) -> None:
    pdf = write_pdf(tmp_path / "x", ["a page"]).read_bytes()
    page = b"<!DOCTYPE html><html><body><p>a page</p></body></html>"
    for name in ("a.txt", "a.bin", "a.docx", "a.md.gz"):
        (tmp_path / name).write_bytes(pdf)
    for name in ("b.pdf", "b.doc", "b.xls", "b.docx", "b.zip"):
        (tmp_path / name).write_bytes(page)
    (tmp_path / "c.txt").write_bytes(gzip.compress(b"a text"))
    (tmp_path / "c.pdf").write_bytes(b"only words")
    (tmp_path / "d.sqlite").write_bytes(b"SQLite format 3\0" + bytes(200))
    (tmp_path / "d.txt").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    sources, skipped = found(tmp_path)
    assert {Path(source.path).name: source.format for source in sources} == {
        **dict.fromkeys(("x", "a.txt", "a.bin", "a.docx", "a.md.gz"), "pdf"),
        **dict.fromkeys(("b.pdf", "b.doc", "b.xls", "b.docx", "b.zip"), "html"),
        "c.txt": "text",
        "c.pdf": "text",
    }
    assert skipped == {"SQLite database": 1, "binary": 1}


KEY = (
    b"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n"
    + b"MIIEpAIBAAKCAQEA0000\n" * 20
    + b"-----END RSA PRIVATE KEY-----\n"
)


def test_keys_and_packed_scripts_are_left_out(tmp_path: Path) -> None:
    for name in ("id_rsa", "server.key", "x.pem", "notes.txt"):
        (tmp_path / name).write_bytes(KEY)
    (tmp_path / "x.ppk").write_bytes(b"PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n")
    (tmp_path / "a.js").write_bytes(b"var a=1;function b(c){return c+a}" * 400)
    (tmp_path / "a.min.css").write_bytes(b"a{b:c}\n" + b"d{e:f}" * 900)
    (tmp_path / "a.js.map").write_bytes(b'{"version":3,"mappings":"AAAA"}')
    (tmp_path / "good.js").write_bytes(b"// words\nfunction f() {\n  return 1;\n}\n" * 100)
    (tmp_path / "public.pem").write_bytes(b"-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n")
    sources, skipped = found(tmp_path)
    assert [source.name for source in sources] == ["good.js", "public.pem"]
    assert skipped == {"private key": 5, "minified script": 3}
    assert found(tmp_path / "id_rsa") == ([], Counter({"private key": 1}))
