"""``bookwheel index``: add files to a library, or update it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._errors import InputError, UsageError
from .._paths import MANIFEST, locate
from .command import argument, command, option
from .options import (
    NO_ENCODER,
    Encoder,
    Language,
    Number,
    Whole,
    json_option,
    memory_option,
    name_and_value,
    new_library_option,
    ram_option,
    wait_of,
    wait_option,
    workers_option,
)
from .output import clean, json_document, json_line, languages_found, memory_rows, notice, plural, print_memory_plan

if TYPE_CHECKING:
    from ..documents.read import Fields
    from ..library.library import Library
    from ..library.results import IndexReport

FAILURES_SHOWN = 10
KINDS_SHOWN = 8
DAMAGED = 2
WAIT = 30.0
"""Seconds that an update of a watched folder waits for another writer; then it is tried again later."""


@command(
    "index",
    examples=[
        ("bookwheel index FOLDER", 'then: bookwheel search "words"'),
        ("bookwheel index articles.jsonl --text abstract --text body", "choose the fields to index"),
    ],
    writes=True,
)
@argument("paths", nargs=-1, required=True, metavar="PATH...")
@new_library_option
@option("--id", "id_", metavar="FIELD", help="JSONL and CSV: field with the document ID.")
@option("--title", metavar="FIELD", help="JSONL and CSV: field with the title.")
@option("--text", multiple=True, metavar="FIELD", help="JSONL and CSV: field with text; may be repeated.")
@option("--unit", type=click.Choice(["sentence", "passage", "document"]), help="Unit of retrieval. [default: passage]")
@option("--words", type=Whole(5), metavar="N", help="Target passage length in words. [default: 120]")
@option(
    "--language",
    type=Language(),
    metavar="NAME",
    help="Language for stemming and stop words, auto (detect it) or none. [default: auto]",
)
@option("--k1", type=Number(0, 1000), metavar="X", help="BM25 k1: term-frequency saturation. [default: 1.2]")
@option("--b", type=Number(0, 1), metavar="X", help="BM25 b: document-length normalisation. [default: 0.75]")
@option("--encoder", type=Encoder(), metavar="NAME|PATH", help="Encoder of the dense vectors, or none. [default: static]")
@option("--vectors", multiple=True, metavar="NAME=FILE", help="Import vectors computed elsewhere under NAME; may be repeated.")
@option("--hidden", is_flag=True, help="Include hidden files.")
@option("--follow-links", is_flag=True, help="Follow links that lead out of a folder given as PATH.")
@option(
    "--skipped",
    "list_skipped",
    is_flag=True,
    help="List every file that gave no document, and every near-duplicate, with the reason.",
)
@option("--distinct", is_flag=True, help="Leave out documents that nearly repeat another one; without it they come back.")
@option("--watch", is_flag=True, help="Keep running, and index what changes in the folder PATH, until Ctrl-C.")
@option("--no-prune", is_flag=True, help="Keep documents whose files no longer exist.")
@ram_option("Memory budget, at least 256MB. [default: 1GB]")
@workers_option()
@wait_option
@memory_option
@json_option
def index(
    paths: tuple[str, ...],
    name: str,
    id_: str | None,
    title: str | None,
    text: tuple[str, ...],
    vectors: tuple[str, ...],
    hidden: bool,
    follow_links: bool,
    list_skipped: bool,
    distinct: bool,
    watch: bool,
    no_prune: bool,
    ram: int | None,
    workers: int | None,
    memory: bool,
    as_json: bool,
    **settings: Any,
) -> int:
    """Add files and folders to a library, or update it.

    A PATH is a file, a folder, a glob pattern, or - for standard input. When a folder is indexed
    again, only new and changed files are read, and documents whose files no longer exist are
    removed. Supported formats: text, Markdown, HTML, PDF, EPUB, Word, Excel, PowerPoint and
    OpenDocument files, mail, notebooks, source code, CSV, JSONL and others (docs/formats.md), also
    compressed and in archives. With --distinct, each document is compared with all before it;
    `bookwheel info --copies` lists what was left out. The options --unit to --encoder apply when a library is
    created and cannot be changed later, except k1 and b (see `bookwheel configure`).
    """
    from ..documents.paths import walk
    from ..documents.read import Fields
    from ..library.library import open_library
    from ..progress import auto, silent
    from .compiling import announced

    if watch and (len(paths) != 1 or not Path(paths[0]).expanduser().is_dir()):
        raise UsageError("--watch goes with one PATH that is a folder")
    given = {key: value for key, value in settings.items() if value is not None}
    if given.get("encoder") == NO_ENCODER:
        given["encoder"] = None
    compile_the_others = announced()
    files = [name_and_value(pair, "--vectors", "FILE") for pair in vectors]
    for _, file in files:
        if not Path(file).expanduser().is_file():
            raise InputError(f"there is no file {file}; nothing was read")
    if not (locate(name) / MANIFEST).is_file():  # a wrong path must not leave an empty library
        walk(paths, hidden=hidden, follow_links=follow_links)
    with open_library(name, create=True, wait=wait_of(click.get_current_context()), **given) as library:
        report = library.index(
            paths,
            fields=Fields(id_, title, text or None),
            prune=not no_prune,
            hidden=hidden,
            follow_links=follow_links,
            distinct=distinct,
            progress=silent if as_json else auto,
            ram=ram,
            workers=workers,
        )
        for encoder, file in files:
            library.import_vectors(encoder, file, replace=True, ram=ram)
        compile_the_others()
        if as_json:
            json_document(_as_json(library, report))
        else:
            _print(library, name, report, list_skipped)
        if memory:
            print_memory_plan(report.memory_plan)
        if watch:
            how = hidden, follow_links, not no_prune, distinct
            _watch(library, paths[0], Fields(id_, title, text or None), how, as_json, report)
        touched = report.added or report.updated or report.unchanged or report.removed or report.copies
        if not report.failures and not touched:
            empty = "" if library.document_count else "; the library is still empty"
            listed = "; --skipped lists what was skipped" if report.skipped and not (list_skipped or as_json) else ""
            notice(f"nothing in {', '.join(paths)[:200]} was indexed{empty}{listed}")
    return DAMAGED if report.failures else 0


def _as_json(library: Library, report: IndexReport) -> dict[str, Any]:
    names = (
        "added",
        "updated",
        "unchanged",
        "removed",
        "moved",
        "copies",
        "passages",
        "files",
        "bytes_read",
        "seconds",
        "languages",
        "workers",
        "skipped",
        "binary",
        "not_indexed",
        "failures",
        "notes",
        "hidden",
    )
    return {
        "library": str(library.path),
        **{name: getattr(report, name) for name in names},
        "skipped_files": [{"path": path, "reason": reason} for path, reason in report.skipped_files],
        "copied": [copy.to_dict() for copy in report.copied],
        "memory": memory_rows(report.memory_plan or ()),
        "total": {"documents": library.document_count, "passages": library.passage_count},
    }


def _watch(
    library: Library, folder: str, fields: Fields, how: tuple[bool, bool, bool, bool], as_json: bool, before: IndexReport
) -> None:
    """Index what changes until Ctrl-C, a line for each time; what ``before`` told is not told again."""
    import threading
    import time

    from ..serve.watch import Watch

    hidden, follow_links, wanted, distinct = how
    library.wait = max(library.wait, WAIT)

    def update(only: Sequence[str] | None, prune: bool) -> IndexReport:
        return library.index(
            folder,
            fields=fields,
            prune=prune and wanted,
            hidden=hidden,
            follow_links=follow_links,
            only=only,
            distinct=distinct,
        )

    def tell(report: IndexReport) -> None:
        if as_json:
            json_line(_as_json(library, report))
        else:
            if report.added or report.updated or report.removed or report.moved:
                click.echo(f"{time.strftime('%H:%M:%S')} documents: {', '.join(_changes(report))}")
            _tell_failures(report)
        sys.stdout.flush()

    watch = Watch(folder, update, lambda: library.all_gone(folder), ignored=[library.path], hidden=hidden, told=notice)
    watch.know(before)
    watch.reports = tell
    notice(f"watching {folder} by {'looking every few seconds' if watch.polling else 'events'}; Ctrl-C ends it")
    watch.run(threading.Event())


_REASONS = {
    "SQLite database": "SQLite databases",
    "private key": "private keys",
    "minified script": "minified scripts",
    "not a regular file": "not regular files",
    "a bookwheel library": "bookwheel libraries",
    "link loop": "link loops",
    "broken link": "broken links",
    "link out of the folder": "links out of the folder",
    "link to a file already read": "links to files already read",
    "link to a folder already read": "links to folders already read",
    "link in an archive": "links in archives",
    "unsafe name in an archive": "unsafe names in archives",
    "name used twice in an archive": "names used twice in an archive",
    "name is not UTF-8": "names that are not UTF-8",
    "damaged archive": "damaged archives",
    "looks like a zip bomb": "look like zip bombs",
    "needs too much memory to unpack": "need too much memory to unpack",
    "damaged record in an unchanged file": "damaged records in unchanged files",
}
"""Why files are skipped, of more than one; other reasons are the same then."""


def _several(count: int, kind: str) -> str:
    return plural(count, kind, kind.replace("block ", "blocks ") if kind.startswith("block ") else "")


def _binary(report: IndexReport) -> str:
    """Which kinds of binary files there are: ``" (5 .pptx, 2 .odt)"``."""
    kinds = sorted(report.binary.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{count:,} {clean(kind) or 'without suffix'}" for kind, count in kinds[:KINDS_SHOWN]]
    if (more := sum(count for _, count in kinds[KINDS_SHOWN:])) > 0:
        shown.append(f"{more:,} others")
    return f" ({', '.join(shown)})"


def _changes(report: IndexReport) -> list[str]:
    changes = [f"{count:,} {what}" for what in ("added", "updated", "unchanged", "removed") if (count := getattr(report, what))]
    changes += [f"{plural(report.moved, 'file')} moved"] if report.moved else []
    return [*changes, f"{plural(report.copies, 'near-duplicate')} left out"] if report.copies else changes


def _tell_failures(report: IndexReport) -> None:
    for kind, sentences in (("failure", report.failures), ("note", report.notes)):
        for sentence in sentences[:FAILURES_SHOWN]:
            notice(sentence)
        if (more := len(sentences) - FAILURES_SHOWN) > 0:
            notice(f"{plural(more, f'more {kind}')}; --json lists all of them")


def _print(library: Library, name: str, report: IndexReport, list_skipped: bool = False) -> None:
    changes = _changes(report)
    rate = f", {report.passages / report.seconds:,.0f} passages/s" if report.passages and report.seconds > 0 else ""
    click.echo(f"documents: {', '.join(changes) or 'none'}")
    click.echo(f"passages: {report.passages:,} written in {report.seconds:.1f} s{rate}")
    if found := languages_found(report.languages):
        click.echo(f"languages: {found}")
    if report.not_indexed:
        told = [
            _several(count, kind) for kind, count in sorted(report.not_indexed.items(), key=lambda item: (-item[1], item[0]))
        ]
        click.echo(f"stored, but not indexed: {', '.join(told)}")
    if report.skipped:
        reasons = sorted(report.skipped.items(), key=lambda item: (-item[1], item[0]))
        told = [
            f"{plural(count, clean(reason), clean(_REASONS.get(reason, reason)))}{_binary(report) if reason == 'binary' else ''}"
            for reason, count in reasons
        ]
        click.echo(f"skipped: {', '.join(told)}")
    if list_skipped:
        for path, reason in report.skipped_files:
            click.echo(f"  {clean(path)}: {clean(reason)}")
        if (more := sum(report.skipped.values()) - len(report.skipped_files)) > 0:
            click.echo(f"  and {more:,} more")
        for copy in report.copied:
            repeated = copy.original or "a document that is gone"
            click.echo(f"  {clean(copy.id)}: nearly repeats {clean(repeated)} ({copy.resemblance:.2f})")
    _tell_failures(report)
    click.echo(
        f"{clean(str(library.path))} holds {plural(library.passage_count, 'passage')} of {plural(library.document_count, 'document')}"
    )
    if library.passage_count:
        chosen = "" if name == "default" else f" --library {clean(shlex.quote(name))}"
        click.echo(f'next: bookwheel search "words"{chosen}')
