"""``bookwheel info``: a library's contents, settings and size."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .command import command, option
from .options import Whole, json_option, library_option
from .output import clean, json_document, languages_found, plural, table

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.results import Info


@command(
    "info",
    examples=[
        ("bookwheel info", "contents, settings and size"),
        ("bookwheel info --recall", "also measure the recall of dense search"),
    ],
)
@library_option
@option("--recall", is_flag=True, help="Measure the recall of dense search against an exact scan of the float vectors.")
@option("-k", type=Whole(), default=10, metavar="N", help="With --recall: recall of the N best passages. [default: 10]")
@option(
    "--sample", type=Whole(), default=100, metavar="N", help="With --recall: number of passages used as queries. [default: 100]"
)
@option("--copies", is_flag=True, help="List the documents that --distinct left out, and which one each nearly repeats.")
@json_option
def info(library: Library, recall: bool, k: int, sample: int, copies: bool, as_json: bool) -> None:
    """Show a library's contents, settings and size: bytes on disk and in memory, by part."""
    found = library.info()
    share = library.recall(k, sample) if recall else None
    if as_json:
        document = asdict(found)
        if recall:
            document["recall"] = {"k": k, "sample": sample, "recall": share}
        if copies:
            document["copied"] = [copy.to_dict() for copy in library.copies()]
        json_document(document)
        return
    _print(found)
    if copies:
        click.echo()
        for copy in library.copies():
            repeated = copy.original or "a document that is gone: index its file again"
            click.echo(f"{clean(copy.id)}: nearly repeats {clean(repeated)} ({copy.resemblance:.2f})")
    if share is not None:
        click.echo()
        click.echo(f"dense recall@{k} against an exact scan of the float vectors, {sample} passages as queries: {share:.4f}")


def _print(found: Info) -> None:
    settings = found.settings
    language = settings.language
    if found.languages:
        language = languages_found(found.languages)
    encoder = settings.encoder_info
    rows: list[tuple[str, Any]] = [
        ("library", found.path),
        ("contents", f"{plural(found.passages, 'passage')} of {plural(found.documents, 'document')}"),
        ("removed", plural(found.removed_passages, "passage") + " still on disk; `bookwheel compact` frees the space"),
        ("left out", _left_out(found)),
        ("pruned", _pruned(found)),
        ("segments", f"{found.segments}, generation {found.generation}"),
        ("unit", f"{settings.unit}, {settings.words} words"),
        ("language", f"{language}, BM25 k1 {settings.k1:g} b {settings.b:g}"),
        ("encoder", settings.encoder or "none" if encoder is None else f"{encoder.name}, dimension {encoder.dimension}"),
        ("recipe", settings.recipe),
        ("metadata", ", ".join(found.fields) or "none"),
    ]
    for name, value in rows:
        if (name != "removed" or found.removed_passages) and value:
            click.echo(f"{name:<9} {clean(str(value))}")
    parts = sorted({*found.disk, *found.memory}, key=lambda part: -found.disk.get(part, 0))
    cells = [[clean(part), _size(found.disk.get(part)), _size(found.memory.get(part))] for part in parts]
    cells.append(["total", _size(sum(found.disk.values())), _size(sum(found.memory.values()))])
    click.echo()
    for line in table(cells, ("part", "on disk", "in memory")):
        click.echo(line)


def _left_out(found: Info) -> str:
    if not found.copies:
        return ""
    gone = f", {found.orphans:,} of them of documents that are gone: index again to have them back" if found.orphans else ""
    return f"{plural(found.copies, 'near-duplicate')}{gone}; --copies lists them"


def _pruned(found: Info) -> str:
    if not found.pruned_passages:
        return ""
    new = f"; {found.unjudged_passages:,} passages are newer and not judged" if found.unjudged_passages else ""
    return f"{plural(found.pruned_passages, 'passage')} left out of searches{new}; `bookwheel prune --list` lists them"


def _size(size: int | None) -> str:
    from ..memory.sizes import format_size

    return "-" if size is None else format_size(size)
