"""What a server was started with. Nothing of it can be changed by a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .._errors import UsageError
from .._http_address import is_loopback

__all__ = ["PORT", "Limits", "ServeConfig", "is_origin"]

PORT = 1588
"""The year of the bookwheel."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server takes on. Bytes and seconds."""

    body: int = 8 << 20
    """The largest body of a request."""
    bodies: int = 64 << 20
    """All bodies that are held at one time."""
    body_seconds: float = 20.0
    """The time in which a body must have arrived."""
    head_seconds: float = 10.0
    """The time in which the head of a request must have arrived."""
    seconds: float = 60.0
    """The time that a request may take; a stream of events may take `stream_seconds`."""
    stream_seconds: float = 600.0
    threads: int = 4
    """Requests that are worked on at one time."""
    waiting: int = 64
    """Requests that may wait for a thread; more are told to come again (503)."""
    answers: int = 4
    """Questions that are answered at one time, beside those requests: most of the time of one is its model's."""
    writers: int = 2
    """Requests that add, remove or embed at one time, or wait for one another's turn, beside those."""
    connections: int = 512
    """Open connections; more are told to come again."""
    k: int = 1000
    """The most results of one query."""
    batch: int = 100
    """The most queries, or texts to embed, of one request."""
    documents: int = 10_000
    """The most documents that one request adds or removes."""


def is_origin(text: str) -> bool:
    """Whether ``text`` is an origin that may be let in: neither a pattern nor ``null``, which any page can have itself called."""
    return re.fullmatch(r"https?://[^/\s*?#]+", text, re.IGNORECASE) is not None


def _as_sent(origin: str) -> str:
    """An origin as browsers send it: in lower case, without the port that its scheme implies."""
    low = origin.lower()
    return low.removesuffix(":443" if low.startswith("https:") else ":80")


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """How to serve. Raises `UsageError` for what makes no sense, or would not be safe."""

    libraries: Mapping[str, Path]
    """Name to folder; the first is the one meant where a request names none. A folder need not hold a library yet."""
    host: str = "127.0.0.1"
    port: int = PORT
    """0: any free one."""
    token: str | None = field(default=None, repr=False)
    """What requests must show; needed unless ``host`` is this machine itself."""
    hosts: tuple[str, ...] = ()
    """More host names by which the server may be called (that of a proxy before it)."""
    origins: tuple[str, ...] = ()
    """Origins of other sites whose scripts may ask (``https://notes.example``); none by default."""
    read_only: bool = False
    """Nothing of a library can be changed."""
    folders: tuple[Path, ...] = ()
    """Folders below which a request may name paths to index; none by default."""
    ram: int | None = None
    """Bytes for this process; None: as `bookwheel.open`."""
    model: str | None = None
    """The language model that writes answers; None: answers quote. Requests cannot name another."""
    models: tuple[str, ...] = ()
    """More models that recipes in requests may name."""
    limits: Limits = Limits()
    watch: tuple[Path, ...] = ()
    """Folders that are kept indexed."""
    embed: bool = False
    """Whether passages are embedded in the background."""
    clicks: bool = False
    """Whether the library keeps which results were opened after which query."""

    def __post_init__(self) -> None:
        if not self.libraries:
            raise UsageError("a server needs at least one library; name one, as in: bookwheel serve papers")
        for name in self.libraries:
            if not _NAME.fullmatch(name):
                raise UsageError(f"a library is served under a name of letters, digits, '.', '-' and '_', not {name!r:.120}")
        if not 0 <= self.port <= 65535:
            raise UsageError(f"the port must be a number from 0 to 65535, not {self.port}")
        if self.token is not None and not re.fullmatch(r"[!-~]{16,}", self.token):
            raise UsageError("the token must have at least 16 characters, none of them a space; leave it out to get one made")
        if self.token is None and not is_loopback(self.host):
            raise UsageError(
                f"{self.host} can be reached from other machines, so that a token is needed; give one, or let one be made"
            )
        changes = (
            ("--keep-clicks", self.clicks, "keeps no clicks"),
            ("--watch", self.watch, "indexes nothing"),
            ("--embed", self.embed, "embeds nothing"),
        )
        for option, wanted, does in changes:
            if wanted and self.read_only:
                raise UsageError(f"a read-only server {does}; leave out {option} or --read-only")
        object.__setattr__(self, "origins", tuple(map(_as_sent, self.origins)))
        for origin in self.origins:
            if not is_origin(origin):
                raise UsageError(
                    f"an origin is written as in https://notes.example, without a path or '*', not {origin!r:.120}"
                )

    @property
    def first(self) -> str:
        """The name of the library meant where none is named."""
        return next(iter(self.libraries))
