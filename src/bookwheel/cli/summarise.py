"""``bookwheel summarise``: the sentences that say most of what documents say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._errors import UsageError
from .._numba import import_numba
from .answers import print_bill
from .command import argument, command, option
from .options import Where, Whole, json_option, library_option
from .output import Terminal, json_document, notice, print_notes
from .quotes import print_answer
from .writing_options import writing_options

if TYPE_CHECKING:
    from ..library.library import Library


@command(
    "summarise",
    examples=[
        ("bookwheel summarise FILE", "its five most central sentences, each with its place"),
        ("bookwheel summarise --where 'year = 2020' --query \"costs\" --words 150", "of many documents, about one thing"),
    ],
)
@argument("names", nargs=-1, metavar="[FILE|FOLDER|ID...]")
@library_option
@option("--where", type=Where(), metavar="FILTER", help="Summarise the documents that match, for example 'year >= 2020'.")
@option("--sentences", type=Whole(), default=5, metavar="N", help="Most sentences. [default: 5]")
@option("--words", type=Whole(), metavar="N", help="Most words. [default: no limit]")
@writing_options("the summary", calls=16, seconds=300, without="the documents' own sentences")
@option("--query", default="", metavar="QUERY", help="What the summary is to be about.")
@option("--hidden", is_flag=True, help="Also take text that readers of the documents do not see.")
@option("--bill", is_flag=True, help="Also print what it cost: memory and time.")
@json_option
def summarise(
    names: tuple[str, ...],
    library: Library,
    where: str | None,
    sentences: int,
    words: int | None,
    query: str,
    hidden: bool,
    bill: bool,
    as_json: bool,
    **writing: Any,
) -> int:
    """Print a summary of documents of a library: their most central sentences, word for word.

    Every sentence is stored text, shown with its place, in the order of the text. What a document is
    about is what most of its sentences are like (LexRank), with those at its beginning ahead; none is
    taken that repeats another. The documents are named by files, folders, IDs or a filter.

    With --model a language model writes the summary, group by group of passages, within --calls
    prompts; every sentence of it is checked and shown with the place that it rests on.
    """
    if not names and where is None:
        raise UsageError("name a file, folder or ID to summarise, or a filter with --where")
    import_numba()
    found = library.summarise(names, where=where, sentences=sentences, words=words, query=query, hidden=hidden, **writing)
    if as_json:
        json_document({"library": str(library.path), **found.to_dict()})
    elif found.refused:
        notice(found.reason)
    else:
        print_answer(found, Terminal.of_stdout())
    if not as_json:
        print_notes(found.notes)
    if bill:
        print_bill(library, found)
    return 1 if found.refused else 0
