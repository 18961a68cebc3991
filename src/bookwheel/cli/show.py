"""``bookwheel show``: print a document as it is stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from ..index.whole_file import whole_file
from .command import argument, command, option
from .options import Whole, json_option, library_option
from .output import Terminal, clean, json_document, notice, plural

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.results import StoredDocument


SHOWN = 10
AROUND = 40
"""Characters printed on each side of what was found."""


@command(
    "show",
    examples=[
        ("bookwheel show ID", "the ID or path printed with a search result"),
        ("bookwheel show ID --passage 2", "its second passage only"),
    ],
)
@argument("id_", metavar="ID")
@library_option
@option("--passage", type=Whole(), metavar="N", help="Print only the Nth passage.")
@option(
    "--limit",
    type=Whole(),
    default=SHOWN,
    metavar="N",
    help=f"Documents to print if several have this ID or path. [default: {SHOWN}]",
)
@option("--passages", is_flag=True, help="Mark where each passage begins.")
@option("--terms", metavar="NAME", help="Print the highest-weighted terms of each passage for this sparse encoder.")
@option("--find", "words", metavar="WORDS", help="Print only the places of words that match WORDS.")
@option("--page", type=Whole(), metavar="N", help="With --picture: the page of a PDF.")
@option("--picture", metavar="FILE", help="Write the page as a picture (PNG), with what --find finds on it marked.")
@option("--open", "opened", is_flag=True, help="Open the document's file in the system's program.")
@option("--no-color", is_flag=True, help="Do not use colour (as with the NO_COLOR variable).")
@json_option
def show(
    id_: str,
    library: Library,
    passage: int | None,
    limit: int,
    passages: bool,
    terms: str | None,
    words: str | None,
    page: int | None,
    picture: str | None,
    opened: bool,
    no_color: bool,
    as_json: bool,
) -> int:
    """Print a document: title, metadata and text.

    ID is a document's ID, or the path of its file. If several documents have it (the records of one
    JSONL file, for example, have the same path), the first ones are printed.
    """
    count = library.count(id_)
    documents = library.get(id_, limit)
    if not documents:
        _no_document(as_json)
        notice(f"there is no document {id_[:200]!r} in {library.path}; `bookwheel search` prints IDs and paths")
        return 1
    if (page is None) != (picture is None):
        raise UsageError("--page and --picture belong together, as in: --page 3 --picture page.png")
    if opened:
        file = library.open_file(documents[0].number)
        notice(f"opened {file}")
        if as_json:
            json_document({"opened": str(file)})
        return 0
    if page is not None and picture is not None:
        return _draw(library, documents[0], page, picture, words, as_json)
    if words is not None:
        return _print_places(library, documents, words, Terminal.of_stdout(colour=not no_color), as_json)
    if passage is not None:
        documents = [document for document in documents if passage <= len(document.passages)]
        if not documents:
            _no_document(as_json)
            notice(f"document {id_[:200]!r} has no passage {passage}; `bookwheel show --passages` numbers its passages")
            return 1
    if count > limit:
        notice(f"these are the first {limit:,} of {count:,} documents of {id_[:200]!r}; --limit prints more")
    weighed = [_terms(library, document, terms, passage) for document in documents]
    if as_json:
        json_document([_as_json(one, passage, why) for one, why in zip(documents, weighed, strict=True)])
        return 0
    terminal = Terminal.of_stdout(colour=not no_color)
    if several := library.full_ids(id_):
        notice(f"documents of {len(several):,} files have the ID {id_[:200]!r}; for one of them: {', '.join(several[:SHOWN])}")
    elif 1 < count <= limit:
        notice(f"{plural(len(documents), 'document')} have the ID {id_[:200]!r}")
    for document, why in zip(documents, weighed, strict=True):
        _print(document, terminal, passage, passages, why)
    return 0


def _no_document(as_json: bool) -> None:
    if as_json:
        json_document([])


def _draw(library: Library, document: StoredDocument, page: int, picture: str, words: str | None, as_json: bool) -> int:
    """Write a page as a picture."""
    spans = library.highlights(document.number, words) if words is not None else []
    drawn = library.draw_page(document.number, page, spans=spans)
    try:
        with whole_file(Path(picture)) as file:
            file.write(drawn.png)
    except OSError as error:
        raise UsageError(f"{picture!r:.200} cannot be written ({error.strerror or error})") from error
    notice(f"wrote {picture}: page {page} of {drawn.pages}, {drawn.width} x {drawn.height} pixels")
    if as_json:
        size = {"width": drawn.width, "height": drawn.height}
        json_document({"picture": picture, "page": page, "pages": drawn.pages, **size})
    return 0


def _print_places(library: Library, documents: list[StoredDocument], words: str, terminal: Terminal, as_json: bool) -> int:
    """Print the lines, or what surrounds, the words that match."""
    found: list[dict[str, Any]] = []
    for document in documents:
        spans = library.highlights(document.number, words)
        for (start, end), place in zip(spans, library.places(document.number, spans), strict=True):
            said = place.text(document.id if document.source == "-" else document.source)
            found.append({"id": document.id, "start": start, "end": end, "place": said})
            if not as_json:
                before, after = document.text[max(0, start - AROUND) : start], document.text[end : end + AROUND]
                click.echo(terminal.dim(clean(said)))
                shown = [clean(" ".join(f"|{part}|".split())[1:-1]) for part in (before, document.text[start:end], after)]
                click.echo(f"    {shown[0]}{terminal.match(shown[1])}{shown[2]}")
    if as_json:
        json_document(found)
    elif not found:
        notice(f"nothing in {documents[0].id!r:.200} matches {words!r:.100}")
    return 0 if found else 1


Terms = list[list[tuple[str, float]]]


def _terms(library: Library, document: StoredDocument, name: str | None, passage: int | None) -> Terms | None:
    """The highest-weighted terms of each printed passage."""
    if name is None:
        return None
    numbers = range(document.first, document.first + len(document.passages))
    return library.terms(name, list(numbers) if passage is None else [numbers[passage - 1]])


def _line(terms: list[tuple[str, float]]) -> str:
    return "terms: " + (", ".join(f"{clean(term)} {weight:.2f}" for term, weight in terms) or "none yet")


def _as_json(document: StoredDocument, passage: int | None, why: Terms | None) -> dict[str, Any]:
    start, end = document.passages[passage - 1] if passage else (0, len(document.text))
    return {
        "id": document.id,
        "source": document.source,
        "title": document.title,
        "metadata": document.metadata,
        "file": dict(document.file),
        "passages": [list(span) for span in document.passages],
        "start": start,
        "end": end,
        "text": document.text[start:end],
        **({} if why is None else {"terms": [dict(terms) for terms in why]}),
    }


def _print(document: StoredDocument, terminal: Terminal, passage: int | None, passages: bool, why: Terms | None) -> None:
    click.echo(terminal.bold(clean(document.title or document.id)))
    for name, value in [("id", document.id), ("source", document.source), *_of_file(document), *document.metadata.items()]:
        if value not in (None, ""):
            click.echo(terminal.dim(f"{clean(name)}: {clean(shown(value))}"))
    click.echo()
    text = clean(document.text, lines=True)
    if passage is not None:
        start, end = document.passages[passage - 1]
        click.echo(text[start:end])
        if why is not None:
            click.echo(terminal.dim(_line(why[0])))
    elif passages or why is not None:
        for number, (start, end) in enumerate(document.passages, 1):
            click.echo(terminal.dim(f"[{number}] {start}-{end}"))
            click.echo(text[start:end].strip("\n"))
            if why is not None:
                click.echo(terminal.dim(_line(why[number - 1])))
            click.echo()
    else:
        click.echo(text)


def _of_file(document: StoredDocument) -> list[tuple[str, object]]:
    return [
        (name, document.file[name]) for name in ("size", "modified") if name in document.file and name not in document.metadata
    ]


def shown(value: object) -> str:
    """A value of metadata, or several, for the terminal."""
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
