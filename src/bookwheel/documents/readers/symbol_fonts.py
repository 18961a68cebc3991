"""The characters of Symbol, Wingdings and Webdings, fonts that show other signs than their codes say.

Sources: Unicode's ``VENDORS/ADOBE/symbol.txt``; for Wingdings and Webdings L2/11-344, with the check marks, boxes and arrows
that other fonts have too in the place of rare ones.
"""

from __future__ import annotations

import re

__all__ = ["PRIVATE", "in_font", "is_symbol_font", "sign"]

PRIVATE = re.compile("[\uf020-\uf0ff]")
"""Where programs put the characters 0x20 to 0xFF of such fonts."""

_SYMBOL = dict(
    zip(
        (*range(0x20, 0x7F), *range(0xA0, 0xFF)),
        " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"
        "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\ufffd⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭",
        strict=True,
    )
)
_WINGDINGS = {
    0x28: "☎", 0x2A: "✉", 0x45: "☜", 0x46: "☞", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6D: "○", 0x6E: "■", 0x6F: "☐", 0x71: "❑",
    0x72: "❒", 0x75: "◆", 0x76: "❖", 0x77: "⬥", 0x78: "☒", 0x9E: "·", 0x9F: "•", 0xA1: "○", 0xA7: "▪", 0xA8: "☐", 0xAB: "★",
    0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE3: "↖", 0xE4: "↗", 0xE5: "↙", 0xE6: "↘", 0xE7: "←", 0xE8: "→",
    0xE9: "↑", 0xEA: "↓", 0xEF: "⇦", 0xF0: "⇨", 0xF1: "⇧", 0xF2: "⇩", 0xF3: "⇔", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
    **{0x81 + number: chr(0x2780 + number) for number in range(10)},  # digits in circles, white …
    **{0x8C + number: chr(0x278A + number) for number in range(10)},  # … and black
}  # fmt: skip
_FONTS: dict[str, dict[int, str]] = {
    "symbol": _SYMBOL,
    "wingdings": _WINGDINGS,
    "wingdings 2": dict(zip(b"OPQRST\x97\x98\xa2\xa3", "✗✓☒☑☒☒•●■☐", strict=True)),
    "webdings": {0x61: "✓", 0x63: "☐", 0x67: "■", 0x6E: "●", 0x72: "✗"},
    "wingdings 3": {},
    "mt extra": {},
}


def is_symbol_font(font: str) -> bool:
    """Whether a font is one of those whose characters are other ones than their codes say."""
    return font.strip().lower() in _FONTS


def sign(code: int, font: str) -> str:
    """What ``font`` shows for a code, which may be given as a private one (0xF061 for 0x61); U+FFFD if that is not known."""
    signs = _FONTS.get(font.strip().lower())
    if signs is not None:
        return signs.get(code - 0xF000 if 0xF000 <= code <= 0xF0FF else code, "\ufffd")
    usable = 0x20 <= code <= 0x10FFFF and not (0xD800 <= code < 0xF900 or code >= 0xF0000)
    return chr(code) if usable else "\ufffd"


def in_font(text: str, font: str) -> str:
    """``text`` with its private characters as the signs that ``font`` shows; as it is if the font is an ordinary one."""
    if not is_symbol_font(font) or PRIVATE.search(text) is None:
        return text
    return PRIVATE.sub(lambda found: sign(ord(found[0]), font), text)
