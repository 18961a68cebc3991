"""Words in disguise as what they are read as: full-width and mathematical letters, look-alikes of other scripts, marks, digits for letters.

Only for looking at (`hostile.speaks_to_models`): what is quoted is the stored text as it stands. Letters are folded by Unicode's
compatibility forms (UAX 15); look-alikes are those of UTS 39 that Latin words are commonly written with.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["undisguised"]

_LOOKS = str.maketrans(
    "аеорсухіјѕԁɡһкмтвнгпАВЕКМНОРСТУХІЈЅαεικνορτυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧıƖℓ",
    "aeopcyxijsdghkmtbhrnABEKMHOPCTYXIJSaeikvoptuxwABEZHIKMNOPTYXiIl",
)
_DIGITS = str.maketrans("0134578@$!", "oieastbasi")
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
"""Unicode's tag characters, with which text is written that nobody sees."""
_LATIN = re.compile(r"[A-Za-z]")
_LETTERED = re.compile(r"(?<!\w)(?:\w[ .\-_*]){4,}\w(?!\w)")
"""One letter after another."""
_JOINED = re.compile(r"(?<=\w)[._\-+]+(?=\w)")
_MIXED = re.compile(r"(?=[\w@$!]*[A-Za-z])(?=[\w@$!]*[0-9@$])[\w@$!]{3,}")
_SENTENCE = 600
"""Characters."""


def undisguised(text: str) -> list[str]:
    """``text`` as it is written, and, where that differs, as it is read, with and without digits read as letters.

    What is no longer than a sentence is also put on one line.
    """
    seen = text
    if not seen.isascii():
        seen = "".join(one for one in seen.translate(_TAGS) if unicodedata.category(one) != "Cf")
        seen = unicodedata.normalize("NFKC", seen)
    read = _JOINED.sub(" ", _LETTERED.sub(_closed, _unmarked(seen)))
    forms = [" ".join(form.split()) if len(form) <= _SENTENCE else form for form in (seen, read)]
    forms.append(_MIXED.sub(lambda found: found[0].translate(_DIGITS), forms[-1]))
    return list(dict.fromkeys(forms))


def _unmarked(text: str) -> str:
    """Without marks on Latin letters, and without letters of other scripts in Latin words."""
    if text.isascii():
        return text
    taken = "".join(one for one in unicodedata.normalize("NFD", text) if unicodedata.category(one) not in ("Mn", "Me"))
    return re.sub(r"\w+", lambda found: found[0].translate(_LOOKS) if _LATIN.search(found[0]) else found[0], taken)


def _closed(found: re.Match[str]) -> str:
    return re.sub(r"[ .\-_*]", "", found[0])
