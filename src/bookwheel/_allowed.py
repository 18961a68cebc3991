"""The addresses that texts and keys may be sent to: those that this user has allowed on this machine.

They are kept in the user's configuration, outside every library. What a library, a recipe or a model from somebody else
names is therefore not enough for anything to be sent.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ._errors import ModelError, StorageError, UsageError

__all__ = ["address_of", "addresses", "allow", "asking", "check", "disallow"]

FILE = "addresses.txt"
LARGEST = 1 << 20
"""Bytes of the list that are read."""
_PORTS = {"https": 443, "http": 80}

Ask = Callable[[str], bool]
_ask: Ask | None = None
_lock = threading.Lock()


def address_of(url: str) -> str:
    """``url`` in the one form that is compared: without ``#MODEL``, the usual port and a slash at the end.

    Raises `UsageError` for what is no address, or has a password or a query in it.
    """
    base = url.partition("#")[0].rstrip("/")
    try:
        parts = urlsplit(base)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    plain = base.isascii() and base.isprintable() and not set(base) & set(" \\@?")
    if not host or not plain or parts.scheme not in _PORTS:
        raise UsageError(f"{url!r:.200} is not an address; write one as in https://api.example.com/v1")
    place = f"[{host}]" if ":" in host else host
    if port is not None and port != _PORTS[parts.scheme]:
        place += f":{port}"
    return f"{parts.scheme}://{place}{parts.path}"


def addresses() -> list[str]:
    """The addresses that are allowed, in the order in which they were."""
    try:
        with _file().open("rb") as file:
            lines = file.read(LARGEST).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    return list(dict.fromkeys(line.strip() for line in lines if line.strip()))


def allow(url: str) -> str:
    """Allow texts, and the key for its host if there is one, to be sent to ``url``, by this user on this machine.

    ``url`` is an address as in ``https://api.example.com/v1``; a ``#MODEL`` after it does not matter. Returns the address
    as it is kept. Raises `UsageError` for what is no address, `StorageError` where it cannot be kept.
    """
    address = address_of(url)
    if address not in addresses():
        path = _file()
        with _storing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            # One line in one write: of two processes that allow something, neither loses its own.
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, f"{address}\n".encode())
            finally:
                os.close(descriptor)
    return address


def disallow(url: str) -> bool:
    """Take back `allow`; returns whether ``url`` was allowed. Raises `UsageError`, `StorageError`."""
    address, known = address_of(url), addresses()
    if address not in known:
        return False
    path = _file()
    with _storing(path):
        new = path.with_name(f"{FILE}.{os.getpid()}")
        new.write_text("".join(f"{one}\n" for one in known if one != address), encoding="utf-8")
        new.replace(path)
    return True


def check(url: str) -> None:
    """Return where ``url`` is allowed; on a terminal the user is asked once. Raises `ModelError` where it is not."""
    try:
        address = address_of(url)
    except UsageError as error:
        raise ModelError(str(error)) from None
    with _lock:  # one question at a time, and one for each address
        if address in addresses():
            return
        if _ask is not None and _ask(address):
            allow(address)
            return
    raise ModelError(
        f"nothing was sent to {address}, which you have not allowed on this machine; if you trust it with queries and texts, "
        f"type: bookwheel allow {address}"
    )


@contextlib.contextmanager
def asking(ask: Ask) -> Iterator[None]:
    """While in use, ``ask`` decides about an address that is not allowed yet; a yes is kept."""
    global _ask
    before, _ask = _ask, ask
    try:
        yield
    finally:
        _ask = before


def _file() -> Path:
    from ._paths import config

    return config() / FILE


@contextlib.contextmanager
def _storing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror or error}), so nothing was allowed or taken back"
        ) from None
