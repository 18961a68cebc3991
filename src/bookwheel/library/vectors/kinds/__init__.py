"""The kinds of representation: what the library can do with each, whatever made it."""

from __future__ import annotations

from importlib import import_module

from .base import Kind, Payload

__all__ = ["Kind", "Payload", "kind_of"]


def kind_of(name: str) -> Kind:
    """The kind called ``name``: a module of this folder with a ``KIND``."""
    found: Kind = import_module(f".{name}", __package__).KIND
    return found
