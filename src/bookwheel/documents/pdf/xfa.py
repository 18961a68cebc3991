"""Forms in XFA, which only Adobe's programs draw: PDFs whose one page stands for a form that is not read."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["is_placeholder", "xfa_of"]

_NONE, _BESIDE, _INSTEAD = range(3)
_SAYS_WAIT = re.compile(r"\s*Please wait\s*\.\.\.\s+If this message is not eventually replaced")
"""What Adobe's programs put on that page, in English."""


def xfa_of(pdf: Any) -> int:
    """Whether ``pdf``, PDFium's, has a form in XFA, and whether that is drawn instead of its pages; for `is_placeholder`."""
    import pypdfium2.raw as raw

    kind = raw.FPDF_GetFormType(pdf)
    return {raw.FORMTYPE_XFA_FULL: _INSTEAD, raw.FORMTYPE_XFA_FOREGROUND: _BESIDE}.get(kind, _NONE)


def is_placeholder(xfa: int, text: str) -> bool:
    """Whether the ``text`` of the pages only stands for a form. ``xfa``: what `xfa_of` gave."""
    return xfa == _INSTEAD or (xfa == _BESIDE and _SAYS_WAIT.match(text) is not None)
