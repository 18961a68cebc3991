"""``bookwheel allow``: the addresses that texts and keys may be sent to."""

from __future__ import annotations

import sys

import click

from .command import argument, command, option
from .options import json_option
from .output import clean, json_document, notice

__all__ = ["allow", "ask"]


@command(
    "allow",
    examples=[
        ("bookwheel allow https://api.example.com/v1", "queries and texts may be sent there"),
        ("bookwheel allow", "list the addresses that are allowed"),
    ],
)
@argument("urls", nargs=-1, metavar="[URL]...")
@option("--remove", is_flag=True, help="Take the permission back.")
@json_option
def allow(urls: tuple[str, ...], remove: bool, as_json: bool) -> int:
    """Allow texts and keys to be sent to remote models, or list where they may be sent.

    A library or a recipe from somebody else can name a remote model; nothing is sent to one before you
    allow its address, here or when you are asked. `bookwheel encoders add NAME=URL#MODEL` allows it, too.
    A key is sent only to the host that it was set for.
    """
    from .. import _allowed

    known = set(_allowed.addresses())
    given = [_allowed.address_of(url) for url in urls]
    for address in given:
        if remove:
            _allowed.disallow(address)
        else:
            _allowed.allow(address)
    if missing := [address for address in given if remove and address not in known]:
        notice(f"not allowed before: {', '.join(missing)}")
    listed = _allowed.addresses()
    if as_json:
        json_document({"allowed": listed})
        return 0
    for address in listed:
        click.echo(clean(address))
    if not listed:
        notice("no address is allowed; nothing is sent to remote models")
    return 1 if missing else 0


def ask(address: str) -> bool:
    """Ask on a terminal whether ``address`` may be used; false where there is none."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    click.echo(f"Queries, texts and the key for this host, if you have set one, would be sent to {clean(address)}.", err=True)
    return click.confirm("Allow it on this machine from now on?", err=True)
