"""Where requests may go, and the key that goes with them: to the host that it is for, and to no other."""

from __future__ import annotations

import ipaddress
import os
import re
from urllib.parse import urlsplit

from ._errors import ModelError

__all__ = ["KEYS", "checked_address", "is_loopback", "key_for", "key_variable"]

KEYS = "BOOKWHEEL_API_KEY"
"""The environment variable with keys, each with its host: ``HOST=KEY HOST=KEY``."""
OWN_KEYS = {"api.openai.com": "OPENAI_API_KEY"}
"""Hosts whose key has an environment variable of its own, which is sent to no other host."""


def key_for(base: str) -> str:
    """The key for the host of ``base`` from the environment, or none: ``""``.

    `OWN_KEYS` names the variables of well-known hosts; `KEYS` has those of any other, as ``HOST=KEY`` or
    ``HOST:PORT=KEY``, several with a space between them. Raises `ModelError` for a value without a host.
    """
    parts = urlsplit(base)
    host = parts.hostname or ""
    if own := os.environ.get(OWN_KEYS.get(host, "")):
        return own
    pairs = [pair.partition("=") for pair in re.split(r"[\s,]+", os.environ.get(KEYS, "")) if pair]
    if not all(place and sign and value for place, sign, value in pairs):
        raise ModelError(
            f"{KEYS} must be of the form HOST=KEY, as in {host or 'api.example.com'}=KEY, so that a key goes only to the host "
            "it is for"
        )
    keys = {place.lower(): value for place, _, value in pairs}
    return keys.get(f"{host}:{parts.port}", keys.get(host, ""))


def key_variable(host: str) -> str:
    """How the key of ``host`` is set in the environment, for people."""
    return OWN_KEYS.get(host, f"{KEYS}='{host}=KEY'")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_address(base: str) -> tuple[str, bool]:
    """The host of an address, and whether it is this machine; raises `ModelError`."""
    try:
        parts = urlsplit(base)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ModelError(f"{base!r} is not an address ({error}); write one as in https://api.example.com/v1") from None
    if parts.username or parts.password:
        raise ModelError(f"an address must not have a password in it; set {KEYS}='HOST=KEY' instead")
    if parts.scheme not in ("http", "https") or not host:
        raise ModelError(f"{base!r} is not an address; write one as in https://api.example.com/v1")
    loopback = is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise ModelError(f"texts are not sent unencrypted to {host}; use https://, or a tunnel to this machine")
    return host, loopback
