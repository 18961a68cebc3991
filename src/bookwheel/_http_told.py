"""What a server says of an error, fit to be shown: one line, short, and without the key that it was sent.

Servers repeat the key that they refuse, in answers with any status and in the middle of a stream.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ._printable import clean

__all__ = ["LONGEST", "told"]

LONGEST = 200
"""The most characters that are shown."""
READ = 2000
"""The most bytes that are looked at of an answer that is no JSON."""


def told(said: Any, key: str, longest: int = LONGEST) -> str:
    """The words about an error in ``said``: an answer's bytes, or what its JSON holds; an exception's text as it is.

    The message is looked for under ``error`` and ``message``. The key is ``[key]``, also where quotes and backslashes in it are
    escaped, and is taken out before anything is cut, so that no part of it stays.
    """
    hidden = re.compile(r"\\*".join(map(re.escape, key))) if key else None
    if isinstance(said, bytes):
        try:
            said = json.loads(said)
        except (ValueError, RecursionError):
            # The key is ASCII, which looks the same in all likely encodings.
            whole = said.replace(key.encode(), b"[key]") if key else said
            said = whole[:READ].decode("utf-8", "replace")
    for name in ("error", "message"):
        said = said.get(name, said) if isinstance(said, dict) else said
    try:
        line = " ".join(clean(str(said)).split())
    except RecursionError:
        return ""
    return (line if hidden is None else hidden.sub("[key]", line))[:longest]
