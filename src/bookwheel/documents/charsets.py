"""Which encoding bytes are in: what a file declares, and what its bytes show where it declares nothing.

Tools: chardet for the legacy code pages (``bench/reading.py encodings`` compares it with others), and webencodings for declared
names, which mean what browsers take them for (the WHATWG Encoding Standard: ``iso-8859-1`` is Windows-1252).
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

__all__ = ["SAMPLE", "by_mark", "declared", "detect", "detect_names", "escaped", "is_latin", "wide"]

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE = 1 << 15
"""Bytes that are looked at."""
UNSURE = 0.02
"""A confidence, of chardet's, that says nothing: a word or two."""

_NAMES = (
    "cp1250 cp1252 cp1254 cp1257 cp1258 iso8859-1 iso8859-2 iso8859-4 iso8859-9 iso8859-13 iso8859-15 iso8859-16 cp437 cp850 cp852 "
    "mac-roman ascii",
    "cp1251 cp1253 cp1255 cp1256 iso8859-5 iso8859-6 iso8859-7 iso8859-8 koi8-r koi8-u cp862 cp866 mac-cyrillic",
    "cp874 tis-620 gb18030 big5hkscs cp932 shift_jis_2004 euc_jis_2004 cp949 euc_kr utf-8",
)
# Code pages that files are written in. Left out: those of mainframes and of a few old computers, which chardet knows too, and
# which only cost texts in the others.
_LATIN, _OTHERS, _ASIAN = (frozenset(names.split()) for names in _NAMES)
_CANDIDATES = sorted(_LATIN | _OTHERS | _ASIAN)
_NOT_LATIN = sorted(_OTHERS | _ASIAN)
"""``_OTHERS``: code pages of one byte a letter, of other scripts that have spaces between words."""

_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "euc_kr": "cp949",
    "shift_jis_2004": "cp932",
    "euc_jis_2004": "euc_jp",
}
"""What else is in such files: the same letters where both have them, and more. Not so for ISO 8859-2 and Windows-1250."""

_RIVALS = {
    "iso8859-15": "cp1252",
    "cp437": "cp1252",
    "cp850": "cp1252",
    "iso8859-16": "cp1250",
    "iso8859-4": "iso8859-13",
    "mac-cyrillic": "cp1251",
}
"""Code pages that are rare, and the frequent one that is taken where it reads as well."""

_TWINS = ("cp1250", "iso8859-2")
"""Code pages of the same languages, most of whose letters are in the same places: others are signs in the other one."""

_ESCAPE = re.compile(rb"\x1b(?:\$[@AB]|\$\([CD]|\$\)C|\([IJ])")
_TILDE = re.compile(rb"~\{((?:[!-w][!-~]){2,})~\}")

_NOT_TEXT = frozenset(("utf-7", "replacement", "x-user-defined"))


def by_mark(data: bytes) -> str | None:
    """The encoding that a byte order mark shows."""
    return next((name for mark, name in MARKS if data.startswith(mark)), None)


def declared(label: str) -> str | None:
    """Python's name of the encoding that a page or a message declares; None for an unknown one, or one that is no text's.

    Mail has encodings that browsers no longer read: ISO-2022-KR and HZ.
    """
    from webencodings import lookup

    label = label.strip().lower()
    if label in ("iso-2022-kr", "csiso2022kr", "hz-gb-2312", "hz"):
        return "hz" if label.startswith("hz") else "iso2022_kr"
    if label.startswith("utf-32"):
        return label
    found = lookup(label)
    if found is None or found.codec_info.name in _NOT_TEXT:
        return None
    name: str = found.codec_info.name
    return "gb18030" if name == "gbk" else name


def is_latin(name: str) -> bool:
    """Whether an encoding that `detect` found is a code page of the Latin script."""
    return name in _LATIN


def detect(data: bytes) -> str:
    """Python's name of the encoding of ``data`` (not UTF-8), judged from 32 KiB of it at most; Windows-1252 where nothing fits."""
    if found := wide(data) or escaped(data):
        return found
    sample = _sample(data)
    name = _detected(sample, _CANDIDATES)
    if name in _LATIN and _whole(_WHOLE, sample) > 0.6:
        name = _detected(sample, _NOT_LATIN)
    elif name in _OTHERS and _whole(_ANY_WHOLE, sample) < 0.3:
        name = "cp1252" if not _oddities(sample.decode("cp1252", "replace")) else _detected(sample, sorted(_LATIN))
    name = _SUPERSETS.get(name, name)
    return _better(sample, name) if name in _LATIN or name in _OTHERS else name


def detect_names(names: Iterable[bytes]) -> str:
    """Python's name of the encoding of file names, all in the same one, that may be of programs of DOS and Windows.

    Code page 437, which archives are said to use, where it makes of them nothing but Latin letters.
    """
    data = b"\n".join(name for name in names if not name.isascii())
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    text = data.decode("cp437")
    if not _oddities(text) and all(character.isascii() or (character < "\u0250" and character.isalpha()) for character in text):
        return "cp437"
    found = detect(data)
    return "cp437" if "\N{REPLACEMENT CHARACTER}" in data.decode(found, "replace") else found


def _better(sample: bytes, name: str) -> str:
    """The code page ``name``, or a more frequent one in which the text looks no worse; Windows-1252 where it looks better."""
    others = _TWINS if name in _TWINS else (name, _RIVALS.get(name, name))
    odd = {other: _oddities(sample.decode(other, "replace")) for other in (*others, "cp1252")}
    if name in _TWINS:
        name = min(_TWINS, key=lambda twin: (odd[twin], twin != name))
    rival = _RIVALS.get(name)
    if rival is not None and odd[rival] < odd[name] + (name != "mac-cyrillic"):
        name = rival
    return "cp1252" if odd["cp1252"] < odd[name] else name


def _detected(sample: bytes, candidates: list[str]) -> str:
    import chardet

    # What it calls a superset is not always one: Windows-1250 has some letters of ISO 8859-2 elsewhere.
    found = chardet.detect(sample, compat_names=False, prefer_superset=False, include_encodings=candidates, max_bytes=SAMPLE)
    name = found["encoding"] or "cp1252"
    return "cp1252" if found["confidence"] < UNSURE and name in _LATIN else name


def wide(data: bytes) -> str | None:
    """The kind of UTF-16 without a mark; None where ``data`` is anything else.

    In text of any script most characters share a few high bytes, and spaces and line ends have the high byte 0. Read in the
    other order these are scattered over blocks that hold no text.
    """
    sample = data[: SAMPLE // 4]
    sample = sample[: len(sample) & ~1]
    if len(sample) < 4 or (len(data) % 2 and len(data) <= SAMPLE // 4):
        return None
    # Spaces, line ends and the full stops of East Asia, at even offsets in the one order and at odd ones in the other.
    best = max(("utf-16-le", "utf-16-be"), key=lambda name: _plain_share(sample, name))
    return best if _plain_share(sample, best) > 0 else None


def _plain_share(sample: bytes, name: str) -> float:
    """The share of spaces, line ends and ASCII in ``sample`` read as UTF-16; 0 where it is not text."""
    try:
        text = codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return 0.0
    plain = sum(1 for character in text if character in " \t\r\n\N{IDEOGRAPHIC SPACE}。、，" or "!" <= character <= "~")
    if not plain:
        return 0.0
    kinds = Counter(map(unicodedata.category, text))
    controls = kinds["Cc"] - sum(map(text.count, "\t\r\n\f"))
    if controls or kinds["Cn"] + kinds["Co"] > len(text) // 200:
        return 0.0
    if sum(map(len, _PAIRS.findall(text))) > 0.5 * len(text):  # ASCII with a few NULs
        return 0.0
    # Text of one script, East Asian or not: the rest is neither ASCII nor scattered over many blocks.
    blocks = Counter(_block(ord(character)) for character in text)
    return plain / len(text) if sum(count for _, count in blocks.most_common(6)) > 0.9 * len(text) else 0.0


_LETTERS = (0x20, *range(0x61, 0x7B))
_PAIRS = re.compile(f"[{''.join(chr(high << 8 | low) for high in _LETTERS for low in _LETTERS)}]+")
"""Characters of which both bytes are small ASCII letters or spaces."""


def _block(code: int) -> int:
    """A number for the 256 code points around ``code``; the Han characters and the Hangul syllables count as one each."""
    if 0x3400 <= code < 0xA000:
        return 0x4E
    return 0xAC if 0xAC00 <= code < 0xD7A4 else code >> 8


def escaped(data: bytes) -> str | None:
    """ISO-2022-JP, ISO-2022-KR or HZ: the encodings of East Asian mail that are ASCII bytes only."""
    sample = data[: SAMPLE * 4]
    if match := _ESCAPE.search(sample):
        name = "iso2022_kr" if match.group() == b"\x1b$)C" else "iso2022_jp_ext"
        return name if _reads(sample, name) else None
    # Programs write ~{ too: what it encloses must be frequent characters, as most of a text's are.
    pairs = b"".join(_TILDE.findall(sample))
    if len(pairs) >= 8 and sum(byte < 0x58 for byte in pairs[::2]) >= 0.45 * len(pairs) and _reads(sample, "hz"):
        return "hz"
    return None


def _reads(sample: bytes, name: str) -> bool:
    try:
        codecs.getincrementaldecoder(name)().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _sample(data: bytes) -> bytes:
    """The lines that are not ASCII, or what is around the first such byte of a file of few lines."""
    start = _first_non_ascii(data)
    begin = max(0, start - 2048)
    sample = data[begin : begin + SAMPLE]
    if len(sample) == SAMPLE:  # end at a space or line end, so that no multi-byte character is cut
        cut = max(sample.rfind(b"\n"), sample.rfind(b" "))
        sample = sample[: cut + 1] if cut > SAMPLE // 2 else sample
    return sample


def _first_non_ascii(data: bytes) -> int:
    step = 1 << 16
    for begin in range(0, len(data), step):
        chunk = data[begin : begin + step]
        if not chunk.isascii():
            return begin + len(chunk) - len(chunk.lstrip(bytes(range(128))))
    return len(data)


_WORD = re.compile(r"[^\W\d_]+")
_INSIDE = re.compile(r"(?<=[^\W\d_])[^\w\s'’\-.,/\u00b7\u00ad](?=[^\W\d_])")
_MIXED = re.compile(r"[A-Za-z][\u02b0-\u1cff\u2070-\u209f]|[\u02b0-\u1cff\u2070-\u209f][A-Za-z]")


def _oddities(text: str) -> int:
    """How often something is in ``text`` that real text hardly has: a sign, a capital or a letter of another script inside a
    word, a control character.
    """
    odd = len(_MIXED.findall(text)) + text.count("\N{REPLACEMENT CHARACTER}")
    odd += sum(1 for character in _INSIDE.findall(text) if not unicodedata.category(character).startswith("M"))
    odd += sum(1 for character in text if "\x7f" <= character < "\xa0")
    for word in _WORD.findall(text):
        if not word.isascii() and not word.isupper() and not word[1:].islower():
            odd += any(a.islower() and b.isupper() for a, b in pairwise(word))
    return odd


_WHOLE = re.compile(rb"(?<![A-Za-z\x80-\xff])[\xa1-\xff]{2,}(?![A-Za-z\x80-\xff])")
_ANY_WHOLE = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]{2,}(?![A-Za-z\x80-\xff])")


def _whole(words: re.Pattern[bytes], sample: bytes) -> float:
    """The share of the bytes that are not ASCII, nor signs in most code pages, which is in words of such bytes only.

    In the Latin script such letters stand among ASCII letters.
    """
    letters = sum(map(len, words.findall(sample)))
    return letters / max(1, sum(byte >= 0xC0 for byte in sample)) if letters >= 4 else 0.0
