"""``bookwheel serve``: the page, the HTTP interface and MCP."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .. import kernels
from .._allowed import asking, check
from .._errors import BookwheelError, UsageError
from .._numba import import_numba
from .command import argument, command, option
from .compiling import announced
from .options import Whole, json_option, ram_option
from .output import clean, json_line, notice, plural

if TYPE_CHECKING:
    from ..serve.config import ServeConfig
    from ..serve.run import Ready

TOKEN = "BOOKWHEEL_TOKEN"
"""The environment variable with the token that requests must show."""


@command(
    "serve",
    examples=[
        ("bookwheel serve", "the page of the default library, at http://127.0.0.1:1588/"),
        ("bookwheel serve papers ./notes --open", "two libraries, opened in the browser"),
    ],
)
@argument("names", nargs=-1, metavar="[LIBRARY...]")
@option("--host", default="127.0.0.1", metavar="ADDRESS", help="Address to listen at. [default: 127.0.0.1, this machine only]")
@option("--port", type=Whole(0), default=1588, metavar="N", help="Port to listen at, 0 for any free one. [default: 1588]")
@option("--open", "browser", is_flag=True, help="Open the page in the browser.")
@option("--read-only", is_flag=True, help="Refuse whatever changes a library.")
@option("--model", metavar="MODEL", help="Language model that phrases answers. [default: none; answers quote]")
@option("--folder", "folders", multiple=True, metavar="DIR", help="Folder below which the page may add files; may be repeated.")
@option("--watch", "watched", multiple=True, metavar="DIR", help="Keep the first library current with DIR; may be repeated.")
@option("--embed", is_flag=True, help="Embed what is not embedded yet, in the background, giving way to queries.")
@option("--keep-clicks", is_flag=True, help="Keep in the library which results were opened, for `make-queries --way clicks`.")
@option(
    "--host-name", "hosts", multiple=True, metavar="NAME", help="Another name that the server is called by; may be repeated."
)
@option("--origin", "origins", multiple=True, metavar="URL", help="Site whose scripts may ask, https://SITE; may be repeated.")
@option("--require-token", is_flag=True, help="Ask for a token on this machine, too.")
@option("--token-file", type=click.Path(dir_okay=False), metavar="FILE", help="Read the token from FILE. [default: made anew]")
@ram_option("Memory of the server, for all libraries. [default: unlimited for searching, 1 GB for indexing]")
@json_option
def serve(
    names: tuple[str, ...],
    host: str,
    port: int,
    browser: bool,
    read_only: bool,
    model: str | None,
    folders: tuple[str, ...],
    watched: tuple[str, ...],
    embed: bool,
    keep_clicks: bool,
    hosts: tuple[str, ...],
    origins: tuple[str, ...],
    require_token: bool,
    token_file: str | None,
    ram: int | None,
    as_json: bool,
) -> int:
    """Serve libraries: a page to search, read and ask, and the same over HTTP for programs.

    Only this machine is served unless --host says otherwise; then a token is needed, which is
    printed once, or read from --token-file or the variable BOOKWHEEL_TOKEN. Traffic is not
    encrypted. Ctrl-C stops the server. See docs/serving.md.
    """
    from .._http_address import is_loopback
    from .._paths import locate
    from ..serve.config import ServeConfig
    from ..serve.run import make_token, named, require_packages
    from ..serve.run import serve as run

    require_packages()
    for name in names:
        _refuse_folder_of_files(locate(name))
    token = _token(token_file)
    made = token is None and (require_token or not is_loopback(host))
    config = ServeConfig(
        libraries=named([(name, locate(name)) for name in names or ("default",)]),
        host=host,
        port=port,
        token=make_token() if made else token,
        hosts=hosts,
        origins=origins,
        read_only=read_only,
        folders=tuple(Path(folder).expanduser().absolute() for folder in folders),
        ram=ram,
        model=model,
        embed=embed,
        clicks=keep_clicks,
        watch=tuple(Path(folder).expanduser().absolute() for folder in watched),
    )
    if model is not None and model.startswith(("http://", "https://")):
        check(model)  # asked now, on the terminal: nobody sits there later
    import_numba()
    announced()
    kernels.prepare()  # a request that waits for a compiler would be given up
    for folder in config.watch:
        if not folder.exists():
            notice(f"{folder} is not there; what comes there is indexed, so wait for it, or give another --watch")
    holdings = _holdings(config)

    def ready(found: Ready) -> None:
        if as_json:
            json_line({"url": found.address, "token": config.token if made else None, "libraries": holdings})
        else:
            for sentence in holdings.values():
                click.echo(clean(sentence))
            click.echo(f"open {found.link if made else found.address + '/'}")
            if made:
                click.echo(f"programs show the token: Authorization: Bearer {config.token}")
        sys.stdout.flush()
        if not is_loopback(host):
            notice("traffic is not encrypted: anybody on the network between can read it; put a proxy with TLS before it")
        if browser:
            import webbrowser

            webbrowser.open(found.link)

    with asking(lambda address: False):
        done = run(config, ready)
    if not done:
        sys.stdout.flush()
        os._exit(0)
    return 0


def _refuse_folder_of_files(path: Path) -> None:
    """Raise `UsageError` for a folder of documents, which is easily taken for what to serve."""
    from .._paths import MANIFEST

    try:
        there = any(True for _ in path.iterdir()) and not any(path.glob("*.sqlite"))
    except OSError:  # not there yet
        return
    if there and not (path / MANIFEST).exists():
        kept = re.sub(r"[^\w.-]+", "-", path.name).strip("-.") or "papers"
        raise UsageError(
            f"{path} is a folder of files, not a library; to make a library {kept} of it and keep it current, type: "
            f"bookwheel serve {kept} --watch {shlex.quote(str(path))}"
        )


def _token(file: str | None) -> str | None:
    if file is None:
        return os.environ.get(TOKEN) or None
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--token-file {file} cannot be read ({error})") from None


def _holdings(config: ServeConfig) -> dict[str, str]:
    """What each library holds, a sentence each; what is missing or empty is said, and served all the same."""
    from ..library.library import open_library

    told = {}
    watched = ", ".join(map(str, config.watch))
    for name, path in config.libraries.items():
        if watched and name == config.first and not config.read_only and not path.exists():
            told[name] = f"{name}: a new library, which is made of {watched} now; searches find what is indexed so far"
            continue
        try:
            with open_library(path) as library:
                holds = f"{plural(library.passage_count, 'passage')} of {plural(library.document_count, 'document')}"
                told[name] = f"{name}: {holds}"
                if not library.passage_count:
                    told[name] = f"{name} is empty; add documents with: bookwheel index PATH --library {path}"
        except BookwheelError as error:
            told[name] = f"{name}: {error}"
    return told
