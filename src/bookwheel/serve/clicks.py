"""Results that are opened from the page of results, kept in the library where the server was asked to.

A link counts only if this process made it: its place in the ranking carries a tag (HMAC), so that a link on another site cannot
say what was searched and opened here.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from .._errors import BookwheelError
from ..library.clicks import Clicks
from .route import Asked

__all__ = ["note_click", "place_in_ranking"]

_KEY = secrets.token_bytes(32)


def place_in_ranking(request: Asked, query: str, address: str, rank: int) -> str:
    """What a link to a result carries so that opening it counts; "" where clicks are not kept."""
    return f"{rank}.{_tag(request, query, address, rank)}" if request.config.clicks else ""


def note_click(request: Asked, query: str, address: str, place: str, document: str) -> None:
    """Keep that ``document`` was opened from the results of ``query``. What cannot be kept is not, and stops nobody from reading."""
    rank, _, tag = place.partition(".")
    if not request.config.clicks or not rank.isdecimal() or len(rank) > 6:
        return
    if hmac.compare_digest(_tag(request, query, address, int(rank)).encode(), tag.encode("utf-8", "replace")):
        try:
            Clicks(request.served.path).note(query, document, int(rank))
        except BookwheelError:
            return


def _tag(request: Asked, query: str, address: str, rank: int) -> str:
    said = "\0".join((request.served.name, query, address, str(rank)))
    return hmac.new(_KEY, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:20]
