"""The kinds of representation, each a module of this folder named as in `bookwheel.encode.load.KINDS`, with a ``KIND``."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ...._errors import UsageError

if TYPE_CHECKING:
    from .base import Kind

__all__ = ["kind_of"]


def kind_of(name: str) -> Kind:
    """The kind called ``name``; raises `UsageError` for a name that is none."""
    from ....encode.load import KINDS

    if name not in KINDS:
        raise UsageError(f"there is no kind of representation {name!r}; kinds are {', '.join(KINDS)}")
    found: Kind = import_module(f".{name}", __package__).KIND
    return found
