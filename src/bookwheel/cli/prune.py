"""``bookwheel prune``: leaves passages that no query will want out of searches, and brings them back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._errors import UsageError
from .._paths import as_typed
from .command import argument, command, option
from .options import Value, json_option, wait_of, wait_option
from .output import clean, json_document, json_line, notice, plural, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..library.library import Library
    from ..library.static_pruning.report import PrunedPassage, Pruning


class Share(Value):
    """A share such as ``25%`` or ``0.25``."""

    name = "share"

    def read(self, text: str) -> float:
        """Above 0 and below 1."""
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = float("nan")
        if not 0 < share < 1:
            raise UsageError(f"must be a share above 0 and below 1, as in 25% or 0.25, not {text!r:.50}")
        return share


@command(
    "prune",
    examples=[
        ("bookwheel prune papers --dry-run", "which passages are boilerplate, and why"),
        ("bookwheel prune papers --undo", "bring back all that was left out"),
    ],
)
@argument("name", required=False, default="default", metavar="[LIBRARY]")
@option(
    "--share", type=Share(), metavar="SHARE", help="Leave out this share of all passages, as in 25%. [default: boilerplate]"
)
@option("--judged", metavar="COLLECTION", help="Only if by these queries and judgments the ranking is as good without.")
@option("--dry-run", is_flag=True, help="Change nothing.")
@option("--undo", is_flag=True, help="Bring back all that was left out.")
@option("--list", "listing", is_flag=True, help="List what is left out by now, and why.")
@wait_option
@json_option
def prune(
    name: str, share: float | None, judged: str | None, dry_run: bool, undo: bool, listing: bool, as_json: bool
) -> int | None:
    """Leave passages out of searches that no query will want: static pruning by quality.

    Passages that repeat earlier ones, in the same document or another, licences, tables of contents, indexes,
    navigation, and passages with hardly a word are told by their text alone, without judgments or a model. They
    stay in the library: documents, `bookwheel find` and exports have them, and --undo brings them back at once.

    Without --share all that shows such a sign is left out. With it exactly that share of the passages is, the
    likeliest boilerplate first; if ordinary ones must make it up, it says so. A second run takes the place of
    the first. See docs/pruning.md.
    """
    from ..library.library import open_library
    from .compiling import announced

    if undo + listing + bool(dry_run or share or judged) > 1:
        raise UsageError("--undo and --list go with no other option of prune; give one of them alone")
    announced()
    with open_library(name, wait=wait_of(click.get_current_context())) as library:
        if undo:
            return _undo(library, as_json=as_json)
        if listing:
            return _list(library, as_json=as_json)
        return _prune(library, share, judged, dry_run=dry_run, as_json=as_json)


def _undo(library: Library, *, as_json: bool) -> int:
    count = library.restore()
    if as_json:
        json_document({"library": str(library.path), "restored": count})
    else:
        click.echo(f"{plural(count, 'passage')} brought back" if count else "no passage was left out")
    return 0


def _list(library: Library, *, as_json: bool) -> int:
    found = library.pruned()
    for one in found:
        if as_json:
            json_line(one.to_dict())
        else:
            click.echo(_line(one))
    if not found:
        notice("no passage is left out")
    return 0 if found else 1


def _prune(library: Library, share: float | None, judged: str | None, *, dry_run: bool, as_json: bool) -> int:
    from ..progress import auto, silent

    progress = silent if as_json else auto
    trial = None
    if judged is not None:
        from ..evaluate import load_collection
        from ..tune.pruned import try_pruning

        trial = try_pruning(library, load_collection(judged), share, progress=progress)
        dry_run = dry_run or not trial.harmless
    found = library.prune(share, trial=dry_run, progress=progress)
    if as_json:
        document = {"library": str(library.path), **found.to_dict()}
        json_document(document if trial is None else {**document, "judged_queries": trial.to_dict()})
        return 0
    _print(library, found)
    if trial is not None:
        click.echo(str(trial))
        if not trial.harmless:
            notice("nothing was left out; ask for a smaller share, or leave --judged away to prune all the same")
    return 0


def _print(library: Library, found: Pruning) -> None:
    verb = "are left out" if found.done else "would be left out"
    click.echo(f"{found.pruned:,} of {plural(found.judged, 'passage')} {verb} ({100 * found.share:.1f} %)")
    for line in table([[clean(reason), f"{count:,}"] for reason, count in found.reasons.items()], ("reason", "passages")):
        click.echo(line)
    if found.emptied:
        click.echo(f"{plural(found.emptied, 'document')} with no passage left in searches")
    _examples(found.examples)
    if found.warning:
        notice(found.warning)
    if found.done and found.pruned:
        click.echo(f"bring them back with: bookwheel prune {as_typed(library.path)} --undo")


def _examples(some: Sequence[PrunedPassage]) -> None:
    for one in some:
        click.echo(_line(one))


def _line(one: PrunedPassage) -> str:
    return f"{clean(one.place)}: {one.reason}: {clean(' '.join(one.text.split())[:100])}"
