"""``bookwheel export``: write a library's documents or passages as JSON lines."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from .._errors import LibraryDamaged, UsageError
from ..index.whole_file import whole_file
from .command import argument, command, option
from .options import json_option, library_option
from .output import clean, json_document, json_line, plural

if TYPE_CHECKING:
    from ..library.library import Library

STDOUT = "-"


@command(
    "export",
    examples=[
        ("bookwheel export corpus.jsonl", "documents, as in a BEIR corpus"),
        ("bookwheel export --passages passages.jsonl.gz", "passages, compressed"),
    ],
)
@argument("file", required=False, default=STDOUT, metavar="[FILE]")
@library_option
@option("--passages", is_flag=True, help='Write passages instead of documents; the Nth of document ID gets the ID "ID#N".')
@json_option
def export(file: str, library: Library, passages: bool, as_json: bool) -> None:
    """Write a library's documents or passages as JSON lines with _id, title, text and metadata.

    The output is compressed if FILE ends in .gz. Without FILE, or if it is -, it goes to standard
    output. A FILE that is there is replaced once all is written. `bookwheel index FILE` reads such a
    file, pages, parts, headings and hidden text (_places) included. Passages that `bookwheel prune`
    left out of searches are written too, and say why (left_out).
    Damaged documents are left out, and named at the end with exit code 2.
    """
    count = 0
    damage: LibraryDamaged | None = None
    from ..documents.written_places import PLACES, written

    with _opened(file) as output:
        try:
            for document in library:
                base: dict[str, Any] = {
                    "title": document.title,
                    "metadata": {**document.file, **document.metadata, "source": document.source},
                }
                if not passages:
                    if places := written(document.layout):
                        base[PLACES] = places
                    json_line({"_id": document.id, "text": document.text, **base}, output)
                    count += 1
                    continue
                out = library.pruned_among(range(document.first, document.first + len(document.passages)))
                for number, (start, end) in enumerate(document.passages, 1):
                    name = f"{document.id}#{number}"
                    place: dict[str, Any] = {"document": document.id, "start": start, "end": end}
                    if (reason := out.get(document.first + number - 1)) is not None:
                        place["left_out"] = reason
                    said = document.place(start, end).text(document.id if document.source == "-" else document.source)
                    json_line({"_id": name, "text": document.text[start:end], **base, **place, "place": said}, output)
                    count += 1
        except LibraryDamaged as error:  # told once all that is sound is written
            damage = error
    if file != STDOUT:
        if as_json:
            json_document({"file": file, "kind": "passages" if passages else "documents", "count": count})
        else:
            click.echo(f"{plural(count, 'passage' if passages else 'document')} written to {clean(file)}")
    if damage is not None:
        raise damage


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    if file == STDOUT:
        yield sys.stdout
        return
    path = Path(file)
    if path.is_dir():
        raise UsageError(f"{path} is a folder; give the name of a file")
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} to write {path.name} to; create it, or give another file")
    with whole_file(path) as raw, _packed(path, raw) as packed:
        text = io.TextIOWrapper(packed, encoding="utf-8", errors="replace")
        yield text
        text.flush()
        text.detach()


def _packed(path: Path, raw: IO[bytes]) -> Any:
    return gzip.GzipFile(fileobj=raw, mode="wb") if path.suffix == ".gz" else nullcontext(raw)
