"""``bookwheel index``: files into a library."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import click

from .command import argument, command, option
from .options import (
    NO_ENCODER,
    Encoder,
    Language,
    Number,
    Whole,
    bill_option,
    json_option,
    name_and_value,
    new_library_option,
    ram_option,
)
from .output import bill_rows, clean, json_document, notice, plural, print_bill

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.results import IndexReport

FAILURES_SHOWN = 10
DAMAGED = 2


@command(
    "index",
    examples=[
        ("bookwheel index FOLDER", 'then: bookwheel search "words"'),
        ("bookwheel index articles.jsonl --text abstract --text body", ""),
    ],
    writes=True,
)
@argument("paths", nargs=-1, required=True, metavar="PATH...")
@new_library_option
@option("--id", "id_", metavar="FIELD", help="JSONL and CSV: the field that names a document.")
@option("--title", metavar="FIELD", help="JSONL and CSV: the field with the title.")
@option("--text", multiple=True, metavar="FIELD", help="JSONL and CSV: a field with text; may be repeated.")
@option("--unit", type=click.Choice(["sentence", "passage", "document"]), help="What is retrieved. [default: passage]")
@option("--words", type=Whole(5), metavar="N", help="Words a passage aims at.")
@option(
    "--language",
    type=Language(),
    metavar="NAME",
    help="For stemming and stop words; or none. [default: auto]",
)
@option("--k1", type=Number(0, 1000), metavar="X", help="BM25: how soon repeating a word stops to count.")
@option("--b", type=Number(0, 1), metavar="X", help="BM25: how much a long passage is marked down.")
@option("--encoder", type=Encoder(), metavar="NAME|PATH", help="Makes the dense vectors; or none. [default: static]")
@option("--vectors", multiple=True, metavar="NAME=FILE", help="Vectors made elsewhere, as with `bookwheel refine`.")
@option("--hidden", is_flag=True, help="Hidden files too.")
@option("--no-prune", is_flag=True, help="Keep documents whose file is gone.")
@ram_option("Memory that indexing may use, 256MB or more. [default: 1GB]")
@bill_option
@json_option
def index(
    paths: tuple[str, ...],
    name: str,
    id_: str | None,
    title: str | None,
    text: tuple[str, ...],
    vectors: tuple[str, ...],
    hidden: bool,
    no_prune: bool,
    ram: int | None,
    bill: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Add files and folders to a library, or bring them up to date.

    A PATH is a file, a folder, a glob, or - for standard input. Of what was indexed before, only files that changed are read;
    files that are gone from a folder are removed. Text, Markdown, HTML, PDF, DOCX, EPUB, notebooks, source code, mail, CSV and
    JSONL are read, also as .gz and .zst. The options from --unit to --encoder are fixed when a library is made (k1 and b can
    be changed with `bookwheel configure`).
    """
    from ..documents.paths import walk
    from ..documents.read import Fields
    from ..library.library import open_library
    from ..progress import silent, terminal
    from .compiling import announced

    given = {key: value for key, value in settings.items() if value is not None}
    if given.get("encoder") == NO_ENCODER:
        given["encoder"] = None
    compile_the_others = announced()
    files = [name_and_value(pair, "--vectors") for pair in vectors]
    walk(paths, hidden=hidden)  # a path that is not there must not leave an empty library
    with open_library(name, create=True, **given) as library:
        report = library.index(
            paths,
            fields=Fields(id_, title, text or None),
            prune=not no_prune,
            hidden=hidden,
            progress=silent if as_json else terminal,
            ram=ram,
        )
        for representation, file in files:
            library.attach(representation, file, replace=True, ram=ram)
        compile_the_others()
        if as_json:
            json_document(_as_json(library, report))
        else:
            _print(library, name, report)
        if bill:
            print_bill(report.bill)
        touched = report.added or report.updated or report.unchanged or report.removed
        if not report.failures and not (library.passages and touched):
            empty = "" if library.passages else "; the library is still empty"
            notice(f"there is no text in {', '.join(paths)[:200]}{empty}")
    return DAMAGED if report.failures else 0


def _as_json(library: Library, report: IndexReport) -> dict[str, Any]:
    names = ("added", "updated", "unchanged", "removed", "passages", "files", "bytes_read", "seconds", "skipped", "failures")
    return {
        "library": str(library.path),
        **{name: getattr(report, name) for name in names},
        "bill": bill_rows(report.bill or ()),
        "total": {"documents": library.documents, "passages": library.passages},
    }


def _print(library: Library, name: str, report: IndexReport) -> None:
    changes = [f"{count:,} {what}" for what in ("added", "updated", "unchanged", "removed") if (count := getattr(report, what))]
    rate = f", {report.passages / report.seconds:,.0f} passages/s" if report.passages and report.seconds > 0 else ""
    click.echo(f"documents: {', '.join(changes) or 'none'}")
    click.echo(f"passages: {report.passages:,} written in {report.seconds:.1f} s{rate}")
    if report.skipped:
        reasons = sorted(report.skipped.items(), key=lambda item: (-item[1], item[0]))
        click.echo(f"skipped: {', '.join(f'{count:,} {clean(reason)}' for reason, count in reasons)}")
    for failure in report.failures[:FAILURES_SHOWN]:
        notice(failure)
    if (more := len(report.failures) - FAILURES_SHOWN) > 0:
        notice(f"and {plural(more, 'more failure')}, all listed with --json")
    click.echo(
        f"{clean(str(library.path))} holds {plural(library.passages, 'passage')} of {plural(library.documents, 'document')}"
    )
    if library.passages:
        chosen = "" if name == "default" else f" --library {shlex.quote(name)}"
        click.echo(f'next: bookwheel search "words"{chosen}')
