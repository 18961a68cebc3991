"""``bookwheel embed``: encodes the passages of a library with the encoders that were added to it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .._allowed import allow
from .._errors import UsageError
from .command import argument, command, option
from .encoders import as_json as status_as_json
from .encoders import print_statuses
from .options import Number, Whole, json_option, library_option, memory_option
from .output import clean, json_document, print_memory_plan

if TYPE_CHECKING:
    from ..library.library import Library

__all__ = ["embed"]


@command(
    "embed",
    examples=[
        ("bookwheel embed", "with every encoder; Ctrl-C loses nothing"),
        ("bookwheel embed minilm --cpu 0.5 --minutes 30", "with one of them, on half of the cores"),
    ],
    writes=True,
)
@argument("names", nargs=-1, metavar="[NAME]...")
@library_option
@option("--minutes", type=Number(0, 1e6), metavar="N", help="Stop after N minutes; the same command continues later.")
@option("--passages", type=Whole(), metavar="N", help="Stop after N passages.")
@option("--cpu", type=Number(0.01, 1), default=1.0, metavar="SHARE", help="Share of all cores to use. [default: 1]")
@option("--yes", is_flag=True, help="Allow the remote models, and send texts to them without asking, whatever it costs.")
@memory_option
@json_option
def embed(
    library: Library,
    names: tuple[str, ...],
    minutes: float | None,
    passages: int | None,
    cpu: float,
    yes: bool,
    memory: bool,
    as_json: bool,
) -> None:
    """Embed the passages with the encoders NAME, or with all that `bookwheel encoders add` has added.

    The library can be searched meanwhile. The candidates of earlier queries are embedded first, and
    everything is committed every few thousand passages: after Ctrl-C the same command continues. A
    recipe that names an encoder uses its scores where passages are embedded, and imputes the others
    from the scores of the vectors made while indexing, or of BM25.
    """
    from ..progress import auto, silent
    from .compiling import announced

    chosen = names or None
    announced()
    _ask(library, chosen, passages, yes=yes)
    show = silent if as_json else auto
    found = library.embed(chosen, cpu=cpu, minutes=minutes, passages=passages, progress=show)
    if as_json:
        json_document({"library": str(library.path), "encoders": [status_as_json(one) for one in found]})
    else:
        print_statuses(library, found)
    if memory:
        for one in found:
            print_memory_plan(one.memory_plan)


def _ask(library: Library, names: tuple[str, ...] | None, passages: int | None, *, yes: bool) -> None:
    """Say what would be sent to remote models and what that costs, and go on only where it is wanted."""
    if yes:
        for address in library.addresses(names):
            allow(address)
    costs = library.embedding_cost(names, passages=passages)
    for name, (encoder, estimate) in costs.items():
        click.echo(f"{clean(name)}, at {clean(encoder.url)}: {estimate}", err=True)
    if yes or all(encoder.here for encoder, _ in costs.values()):
        return
    if not sys.stdin.isatty():
        raise UsageError("texts would be sent to a remote model, as listed above; add --yes to send them")
    if not click.confirm("Send them?", err=True):
        others = [one.name for one in library.encoders() if one.name not in costs]
        instead = (
            f"name the encoders to use instead: bookwheel embed {' '.join(others)}" if others else "add a local encoder instead"
        )
        raise UsageError(f"nothing was sent; {instead}")
