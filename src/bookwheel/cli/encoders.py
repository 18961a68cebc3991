"""``bookwheel encoders``: lists the encoders of a library, adds, replaces and removes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from .._errors import UsageError
from .command import Group, argument, command, option
from .options import Value, json_option, library_option, wait_option
from .output import clean, json_document, memory_rows, plural, table

if TYPE_CHECKING:
    from ..library.library import Library
    from ..library.results import EncoderStatus

__all__ = ["as_json", "encoders", "library_flag", "print_statuses"]


@click.group(
    "encoders",
    cls=Group,
    examples=[
        ("bookwheel encoders add minilm=MODEL", "then: bookwheel embed minilm"),
        ("bookwheel encoders", "list the encoders, and how many passages are embedded"),
    ],
)
def encoders() -> None:
    """List, add, replace or remove the encoders of a library.

    An encoder turns passages and queries into vectors or weighted terms. `bookwheel models` lists the
    models on this machine; `bookwheel embed` encodes the passages; recipes name the result, as in
    `bookwheel search --recipe "bm25 + minilm"`. Without a command, the encoders are listed.
    """


class NameAndModel(Value):
    """``NAME=MODEL``, or NAME alone, as a pair."""

    name = "encoder"

    def read(self, text: str) -> tuple[str, str | None]:
        """The name, and the model or None."""
        name, sign, model = text.partition("=")
        if not name or (sign and not model):
            raise UsageError(f"an encoder must be of the form NAME=MODEL, as in minilm=MODEL, not {text!r:.60}")
        return name, model or None


class KindName(Value):
    """A kind of representation."""

    name = "kind"

    def read(self, text: str) -> str:
        """The kind's name."""
        from ..encode.load import KINDS

        if text not in KINDS:
            raise UsageError(f"must be one of {', '.join(KINDS)}, not {text!r:.50}")
        return text


def _model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What ``add`` and ``replace`` have in common."""
    for one in (
        json_option,
        option(
            "--vectors",
            metavar="FILE",
            help="Import the vectors from a .npy file, or weighted terms from .jsonl or .ciff, instead of computing them.",
        ),
        option(
            "--bits",
            type=click.Choice(["1", "2", "4"]),
            help="Bits per dimension on disk, with --kind tokens. [default: 2]",
        ),
        option(
            "--kind",
            type=KindName(),
            default="dense",
            metavar="KIND",
            help="What the model gives: dense vectors, sparse weighted terms, or a vector per token (tokens). [default: dense]",
        ),
        wait_option,
        library_option,
        argument("encoder", type=NameAndModel(), metavar="NAME=MODEL"),
    ):
        function = one(function)
    return function


@command(
    "status",
    examples=[
        ("bookwheel encoders status", "how many passages each encoder has embedded"),
        ("bookwheel encoders status --json", "the same as JSON"),
    ],
)
@library_option
@json_option
def status(library: Library, as_json: bool) -> None:
    """List the encoders, and how many passages are embedded with each."""
    found = library.encoders()
    if as_json:
        _print_json(library, found)
    else:
        print_statuses(library, found)


@command(
    "add",
    examples=[
        ("bookwheel encoders add minilm=MODEL", "then: bookwheel embed minilm"),
        ("bookwheel encoders add mine=MODEL --vectors emb.npy", "with vectors that were computed elsewhere"),
    ],
)
@_model_options
def add(
    library: Library, encoder: tuple[str, str | None], kind: str, bits: str | None, vectors: str | None, as_json: bool
) -> None:
    """Add an encoder to a library under a NAME that recipes then use.

    MODEL is the name or folder of a model, an installed package that holds one, or `https://HOST/v1#MODEL`
    for a remote one. Nothing is encoded yet: `bookwheel embed NAME` does that. With --vectors, =MODEL may
    be left out; queries must then bring their own vector (in Python).
    """
    _put(library, encoder, kind, bits, vectors, as_json, replace=False)


@command(
    "replace",
    examples=[
        ("bookwheel encoders replace minilm=OTHER", "then: bookwheel embed minilm"),
        ("bookwheel encoders replace mine=MODEL --vectors new.npy", "with vectors that were computed elsewhere"),
    ],
)
@_model_options
def replace(
    library: Library, encoder: tuple[str, str | None], kind: str, bits: str | None, vectors: str | None, as_json: bool
) -> None:
    """Replace the model of an encoder.

    The old vectors are searched until `bookwheel embed NAME` has embedded every passage with the new
    model. With --vectors, the new vectors replace the old ones at once.
    """
    _put(library, encoder, kind, bits, vectors, as_json, replace=True)


@command(
    "remove",
    examples=[
        ("bookwheel encoders remove minilm", "with its vectors"),
        ("bookwheel encoders remove minilm splade", "two of them"),
    ],
)
@argument("names", nargs=-1, required=True, metavar="NAME...")
@library_option
@wait_option
@json_option
def remove(library: Library, names: tuple[str, ...], as_json: bool) -> None:
    """Remove encoders from a library, with their vectors."""
    known = [one.name for one in library.encoders()]
    if unknown := [name for name in names if name not in known]:
        added = ", ".join(map(repr, dict.fromkeys(known))) or "none"
        raise UsageError(f"there is no encoder {', '.join(map(repr, unknown))} to remove; those added are: {added}")
    removed = {name: library.remove_encoder(name) for name in dict.fromkeys(names)}
    if as_json:
        json_document({"library": str(library.path), "removed": removed})
        return
    for name, embedded in removed.items():
        click.echo(f"removed {clean(name)}, with the vectors of {plural(embedded, 'passage')}")


for one in (status, add, replace, remove):
    encoders.add_command(one)


def _put(
    library: Library,
    encoder: tuple[str, str | None],
    kind: str,
    bits: str | None,
    vectors: str | None,
    as_json: bool,
    *,
    replace: bool,
) -> None:
    from .compiling import announced

    announced()
    name, model = encoder
    if vectors is not None:
        if bits is not None:
            raise UsageError("--bits goes with --kind tokens, whose vectors cannot be imported; leave it out")
        done = library.import_vectors(name, vectors, encoder=model, replace=replace)
    elif model is None:
        raise UsageError(f"{name!r} names no model; write {name}=MODEL, or give its vectors with --vectors FILE")
    else:
        put = library.replace_encoder if replace else library.add_encoder
        done = put(name, model, kind=kind, bits=None if bits is None else int(bits))
    if as_json:
        _print_json(library, [done])
        return
    click.echo(f"{'replaced' if replace else 'added'} {clean(done.name)}: {done.kind}, by {clean(done.model)}")
    flag = library_flag(library)
    if done.complete:
        click.echo(f'next: bookwheel search "words" --recipe "bm25 + {clean(done.name)}"{flag}')
    else:
        click.echo(f"next: bookwheel embed {clean(done.name)}{flag}")


def library_flag(library: Library) -> str:
    """`` --library NAME`` (or its path) for the next command to type; empty for the default library."""
    from .._paths import as_typed

    typed = as_typed(library.path)
    return "" if typed == "default" else f" --library {typed}"


def as_json(found: EncoderStatus) -> dict[str, Any]:
    """One encoder's status for ``--json``."""
    document = asdict(found)
    del document["memory_plan"]
    document["memory"] = memory_rows(found.memory_plan or ())
    return document


def _print_json(library: Library, found: Sequence[EncoderStatus]) -> None:
    json_document({"library": str(library.path), "encoders": [as_json(one) for one in found]})


def print_statuses(library: Library, found: Sequence[EncoderStatus]) -> None:
    """A table of encoders, and the next command to type."""
    flag = library_flag(library)
    if not found:
        click.echo(f"{clean(str(library.path))} has no encoders yet; add one with: bookwheel encoders add minilm=MODEL{flag}")
        return
    rows = []
    for one in found:
        share = f"{one.embedded / one.passages:.0%}" if one.passages else "-"
        done = f"{one.embedded:,} of {plural(one.passages, 'passage')}"
        row = [clean(one.name), one.kind, clean(one.model), done, share]
        if one.encoded:
            rate = one.encoded / one.seconds if one.seconds > 0 else 0.0
            row += [f"{one.encoded:,}", f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"]
        rows.append(row)
    header = ["name", "kind", "model", "embedded", ""]
    if any(one.encoded for one in found):
        header += ["now", "rate"]
        rows = [row + ["-"] * (len(header) - len(row)) for row in rows]
    for line in table(rows, tuple(header), left=3):
        click.echo(line)
    if not all(one.complete for one in found):
        click.echo(f"next: bookwheel embed{flag}")
