"""Files inside PDFs, and forms of which a PDF has only a page that stands for them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from one_file import items as items_of
from pdf_files import lines, write

from bookwheel import Document
from bookwheel._errors import InputError
from bookwheel.documents.failures import Note
from bookwheel.documents.pdf import attached

WORDS = lines("A page of ordinary words about kites and bread.")
PLACEHOLDER = lines(
    "Please wait...",
    "If this message is not eventually replaced by the proper contents of the document, your PDF",
    "viewer may not be able to display this type of document.",
)
ANNOTATION = "<</Type/Annot/Subtype/FileAttachment/Rect[300 700 320 720]/F 4/Contents(see the plan)/FS 2 0 R>>"


def held(files: Sequence[tuple[str, str]]) -> list[str]:
    """Objects of files, two for each, from number 2 on."""
    return [
        body
        for at, (name, text) in enumerate(files)
        for body in (
            f"<</Type/Filespec/F({name})/UF({name})/EF<</F {2 * at + 3} 0 R>>>>",
            f"<</Type/EmbeddedFile/Length {len(text)}>>stream\n{text}\nendstream",
        )
    ]


def listed(files: Sequence[tuple[str, str]]) -> str:
    names = " ".join(f"({name}) {2 * at + 2} 0 R" for at, (name, _) in enumerate(files))
    return f"/Names<</EmbeddedFiles<</Names[{names}]>>>>"


def made(
    path: Path, files: Sequence[tuple[str, str]], page: Sequence[tuple[float, float, float, str]] = WORDS
) -> list[Document | InputError]:
    write(path, [page], more=held(files), catalog=listed(files))
    return items_of(path, path.read_bytes())


LEDGER = "The quokka ledger is kept in Perth now."


def test_attachments_are_parts_as_those_of_mails(tmp_path: Path) -> None:
    files = [("notes.txt", LEDGER), ("C:/tmp/page.html", "<title>On salt</title><p>Salt is dear.</p>")]
    (document,) = made(tmp_path / "a.pdf", files)
    assert isinstance(document, Document)
    assert [part.name for part in document.parts] == ["attachment notes.txt", "attachment page.html"]
    at = document.parts[0].start
    assert document.text[:at].strip() == WORDS[0][3]
    assert document.text[at : document.parts[1].start].split("\n\n")[:2] == ["notes.txt", LEDGER]
    assert "Salt is dear." in document.text[document.parts[1].start :]
    assert document.pages == (0,)
    assert document.title == "a"
    assert document.metadata["attachments"] == "notes.txt, page.html"


def test_a_portfolio_without_words_of_its_own(tmp_path: Path) -> None:
    (document,) = made(tmp_path / "a.pdf", [("notes.txt", LEDGER)], [])
    assert isinstance(document, Document)
    assert document.text.strip() == f"notes.txt\n\n{LEDGER}"


def test_no_words_in_pages_and_attachments_are_an_error(tmp_path: Path) -> None:
    found = made(tmp_path / "a.pdf", [("picture.png", "GIF89a\0\0\0")], [])
    assert [type(item) for item in found if not isinstance(item, Note)] == [InputError]
    assert "has no text that can be read" in str(found[-1])


def test_files_that_hang_on_a_page_are_read_once(tmp_path: Path) -> None:
    files = [("notes.txt", LEDGER)]
    path = tmp_path / "a.pdf"
    for catalog in ("", listed(files)):
        write(path, [WORDS], more=held(files), annotations={0: [ANNOTATION]}, catalog=catalog)
        (document,) = items_of(path, path.read_bytes())
        assert isinstance(document, Document)
        assert document.text.count(LEDGER) == 1
        assert "see the plan" in document.text
        assert [part.name for part in document.parts] == ["attachment notes.txt"]


def test_settings_of_the_program_are_no_attachment(tmp_path: Path) -> None:
    (document,) = made(tmp_path / "a.pdf", [("Press Quality.joboptions", "/Optimize true"), ("notes.txt", LEDGER)])
    assert isinstance(document, Document)
    assert [part.name for part in document.parts] == ["attachment notes.txt"]


def test_a_pdf_in_a_pdf_tells_the_page(tmp_path: Path) -> None:
    inner = write(tmp_path / "inner.pdf", [lines("One page."), lines("Another about gulls.")]).read_text("latin-1")
    (document,) = made(tmp_path / "a.pdf", [("inner.pdf", inner)])
    assert isinstance(document, Document)
    assert [part.name for part in document.parts] == [
        "attachment inner.pdf",
        "attachment inner.pdf p. 1",
        "attachment inner.pdf p. 2",
    ]
    assert "gulls" in document.text[document.parts[2].start :]


def test_what_is_not_in_the_file_is_told(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.pdf",
        [WORDS],
        more=["<</Type/Filespec/F(gone.txt)/UF(gone.txt)>>"],
        catalog="/Names<</EmbeddedFiles<</Names[(gone.txt) 2 0 R]>>>>",
    )
    note, document = items_of(path, path.read_bytes())
    assert isinstance(note, Note)
    assert "attachment 'gone.txt' was not read" in str(note)
    assert isinstance(document, Document)


def test_too_many_and_too_large_attachments_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "MAX_FILES", 2)
    files = [(f"{at}.txt", f"{LEDGER} {at}") for at in range(5)]
    note, document = made(tmp_path / "a.pdf", files)
    assert "3 attachments were left out: 2 of a PDF are read" in str(note)
    assert isinstance(document, Document)
    assert document.text.count(LEDGER) == 2
    taken = attached.Files(50)
    with_limit(taken, tmp_path / "a.pdf")
    assert [name for name, _ in taken.found] == ["0.txt"]
    assert len(taken.notes) == 1
    assert "attachment '1.txt'" in taken.notes[0]
    assert "was left out" in taken.notes[0]


def with_limit(files: attached.Files, path: Path) -> None:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(path)
    try:
        files.take_all(pdf)
    finally:
        pdf.close()


@pytest.mark.parametrize(
    ("page", "form", "told"),
    [
        (PLACEHOLDER, "/NeedsRendering true/AcroForm<</Fields[]/XFA 2 0 R>>", True),
        (WORDS, "/NeedsRendering true/AcroForm<</Fields[]/XFA 2 0 R>>", True),
        (PLACEHOLDER, "/AcroForm<</Fields[]/XFA 2 0 R>>", True),
        (WORDS, "/AcroForm<</Fields[]/XFA 2 0 R>>", False),
        (PLACEHOLDER, "", False),
    ],
)
def test_a_page_that_stands_for_a_form_is_told(
    tmp_path: Path, page: list[tuple[float, float, float, str]], form: str, told: bool
) -> None:
    xml = "<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'><template>Quokka permit</template></xdp:xdp>"
    stream = f"<</Length {len(xml)}>>stream\n{xml}\nendstream"
    path = write(tmp_path / "a.pdf", [page], more=[stream], catalog=form)
    *notes, document = items_of(path, path.read_bytes())
    assert isinstance(document, Document)
    assert ["is an XFA form" in str(note) for note in notes] == [True] * told
