"""What `bookwheel ask` does around one answer: questions from standard input, the log, the bill, the listing of all places."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..index.whole_file import named_file
from .output import Lazy, Terminal, as_json, clean, json_in_pieces, nearby, plural, print_memory_plan, table

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.mentions import Mentions
    from ..read.answer import Answer
    from ..read.everywhere import MentionList
    from ..read.mentions import DocumentMentions, Mention

__all__ = ["as_document", "log_answer", "print_bill", "print_json", "print_mentions", "require_log"]

LISTED = 20
"""Documents whose places are listed on a terminal."""
EACH = 3
"""Places of each of them."""


def as_document(library: Library, answer: Answer, number: str | None = None) -> dict[str, Any]:
    """The answer for JSON; to a whole-collection question with every document and every place, read as they are written."""
    told = answer.to_dict()
    if answer.everywhere is not None:
        told["everywhere"]["found"] = Lazy(answer.everywhere, lambda one: one.to_dict())
    return {**({} if number is None else {"id": number}), "library": str(library.path), **told}


def print_json(document: dict[str, Any], *, line: bool) -> None:
    """Print one answer as JSON, on one ``line`` or indented."""
    json_in_pieces(document, indent=None if line else 2)


def log_answer(path: Path, record: Mapping[str, Any]) -> None:
    """Add one line to a log of answers; `bookwheel evaluate --answers` reads it. Raises `StorageError`."""
    with named_file(path), path.open("a", encoding="utf-8") as file:
        file.write(as_json(record) + "\n")


def require_log(path: Path) -> None:
    """Raise `StorageError` where answers could not be added to the log ``path``, which is made: before any is paid for."""
    with named_file(path), path.open("a", encoding="utf-8"):
        pass


def print_bill(library: Library, answer: Answer) -> None:
    """Print on stderr what an answer cost: memory planned and measured, the model's calls and tokens, milliseconds by part."""
    from .._system import peak_memory
    from ..memory.sizes import format_size

    print_memory_plan(library.memory_plan())
    if (peak := peak_memory()) is not None:
        click.echo(f"most memory this process held: {format_size(peak)}", err=True)
    rows = [(name, f"{1000 * seconds:.1f}") for name, seconds in answer.timings.items()]
    for text in table(rows, ("part", "ms")):
        click.echo(text, err=True)
    spent = answer.spent
    click.echo(
        f"{plural(spent.calls, 'call')} of the model, {plural(spent.prompt_tokens, 'token')} read and "
        f"{spent.completion_tokens:,} written",
        err=True,
    )


def print_mentions(found: MentionList | Mentions, terminal: Terminal, limit: int = LISTED) -> None:
    """Print the first documents with their first places; all others are counted."""
    for number, document in enumerate(found, 1):
        if number > limit:
            more = len(found) - limit
            click.echo(terminal.dim(f"and {plural(more, 'more document')}; --json prints every place of every document"))
            return
        _print_document(document, terminal, number)


def _print_document(document: DocumentMentions, terminal: Terminal, number: int) -> None:
    count = plural(len(document.mentions), "place")
    source = clean(document.source if document.source not in ("", "-") else document.id)
    click.echo(f"{number:>3}  {terminal.bold(nearby(source))}  {terminal.dim(count)}")
    for mention in document.mentions[:EACH]:
        where = "title" if mention.in_title else clean(mention.place).removeprefix(source).strip(" :") or "text"
        note = " (hidden text)" if mention.hidden and not where.endswith("hidden text") else ""
        click.echo(f"     {terminal.dim(f'{where}{note}:')} {_line(mention, terminal, terminal.width - 8 - len(where))}")
    if len(document.mentions) > EACH:
        click.echo(terminal.dim(f"     and {plural(len(document.mentions) - EACH, 'more place')}"))


def _line(mention: Mention, terminal: Terminal, width: int) -> str:
    """One line of what stands around a place."""
    width = max(width, 20)
    start, end = mention.offset, mention.offset + len(mention.text)
    side = max((width - (end - start)) // 2, 8)
    low, high = max(0, start - side), min(len(mention.around), end + side)
    before, after = mention.around[low:start], mention.around[end:high]
    left = ("…" if low else "") + " ".join(clean(before).split()) + (" " if before[-1:].isspace() else "")
    right = (" " if after[:1].isspace() else "") + " ".join(clean(after).split()) + ("…" if high < len(mention.around) else "")
    return left + terminal.match(" ".join(clean(mention.text).split())) + right
