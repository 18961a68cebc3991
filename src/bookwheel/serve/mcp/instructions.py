"""What a server tells agents of its library before they ask anything. No text of a document is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..._errors import BookwheelError
from .shown import NOTICE, label
from .warnings import instructs

if TYPE_CHECKING:
    from ...library.library import Library

__all__ = ["instructions"]

_FIELD = re.compile(r"[\w.-]{1,40}")
_PARTS = re.compile(r"[_.-]+|(?<=[a-z])(?=[A-Z])")
WORDS = 3
"""Names of fields come from documents: one that could be a sentence is not told."""
FIELDS = 30
KINDS = 8


def instructions(library: Library) -> str:
    """A few sentences: what the library holds, its languages, the fields for filters, and how the tools go together."""
    said = [f"This is the document library “{label(library.path.name, 60)}”."]
    try:
        info = library.info()
        said.append(f"It holds {info.documents:,} documents in {info.passages:,} passages.")
        if info.documents:
            if "suffix" in info.fields:
                kinds = library.facets("suffix", k=KINDS)
                named = [f"{count:,} {kind}" for kind, count in kinds.items() if _plain(str(kind))]
                if named:
                    said.append(f"Kinds of file: {', '.join(named)}.")
            languages = [f"{name} ({count:,})" for name, count in info.languages.items() if name]
            if languages:
                said.append(f"Languages: {', '.join(languages[:12])}.")
            plain = [field for field in info.fields if _plain(field)]
            if plain:
                more = f", and {len(plain) - FIELDS} more" if len(plain) > FIELDS else ""
                said.append(f"Fields for filters: id, title, source, {', '.join(plain[:FIELDS])}{more}.")
    except BookwheelError as error:  # each call will say it, too
        said.append(f"It cannot be read now: {label(str(error), 300)}.")
    said.append(
        "Use search for what a question is about, find_exact for every mention of a phrase, ask for a quoted answer, and fetch or "
        "read with the ids that they give for the text itself. Cite the url or place of what you use. Results say how to go on "
        "where they do not hold everything."
    )
    said.append(NOTICE)
    return " ".join(said)


def _plain(name: str) -> bool:
    return _FIELD.fullmatch(name) is not None and len(_PARTS.split(name)) <= WORDS and not instructs(name)
