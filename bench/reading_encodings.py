"""Texts whose encoding nothing declares: how many each detector decodes exactly.

The texts are real: Debian's translated manual pages (markup removed) and, for languages that have none, the translations of
programs' messages. Each is cut to 3 000 characters, or to about 200 (a short note), encoded as such files are, and decoded by
what the detector says. Only texts that have a character outside ASCII, and that the encoding can hold, count.
"""

from __future__ import annotations

import gettext
import gzip
import random
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from reading import unpacked

TEXTS = 60
"""Texts of a language, at most."""
LONG, SHORT = 3000, 200

MANUALS = {
    "de": "manpages-de", "fr": "manpages-fr", "es": "manpages-es", "it": "manpages-it", "nl": "manpages-nl",
    "pt": "manpages-pt-br", "sv": "manpages-sv", "da": "manpages-da", "nb": "manpages-nb", "fi": "manpages-fi",
    "pl": "manpages-pl", "cs": "manpages-cs", "hu": "manpages-hu", "ro": "manpages-ro", "tr": "manpages-tr",
    "ru": "manpages-ru", "uk": "manpages-uk", "el": "manpages-el", "mk": "manpages-mk", "ja": "manpages-ja",
    "zh_CN": "manpages-zh", "zh_TW": "manpages-zh",
}  # fmt: skip
MESSAGES = (
    "libglib2.0-data",
    "libgtk-3-common",
    "nautilus-data",
    "evince-common",
    "gedit-common",
    "totem-common",
    "vim-runtime",
)
"""Packages with message catalogues of many languages."""

WESTERN = ("de", "fr", "es", "it", "nl", "pt", "sv", "da", "nb", "fi")
ENCODINGS: tuple[tuple[str, Sequence[str], Sequence[str]], ...] = (
    ("Western", WESTERN, ("cp1252",)),
    ("Western, old Macs", ("fr", "de", "es"), ("mac_roman",)),
    ("Central European", ("pl", "cs", "hu", "sk", "sl", "hr"), ("cp1250", "iso8859_2")),
    ("Romanian", ("ro",), ("cp1250", "iso8859_2", "iso8859_16")),
    ("Turkish", ("tr",), ("cp1254", "iso8859_9")),
    ("Baltic", ("lt", "lv", "et"), ("cp1257", "iso8859_13")),
    ("Cyrillic", ("ru", "uk", "bg", "mk"), ("cp1251", "iso8859_5")),
    ("Russian", ("ru",), ("koi8_r", "cp866", "mac_cyrillic")),
    ("Ukrainian", ("uk",), ("koi8_u",)),
    ("Greek", ("el",), ("cp1253", "iso8859_7")),
    ("Hebrew", ("he",), ("cp1255", "iso8859_8")),
    ("Arabic", ("ar",), ("cp1256",)),
    ("Thai", ("th",), ("cp874",)),
    ("Vietnamese", ("vi",), ("cp1258",)),
    ("Chinese", ("zh_CN",), ("gb18030", "hz")),
    ("Chinese, traditional", ("zh_TW",), ("big5",)),
    ("Japanese", ("ja",), ("cp932", "euc_jp", "iso2022_jp")),
    ("Korean", ("ko",), ("cp949", "iso2022_kr")),
    ("UTF-16 without a mark", ("de", "ru", "el", "he", "th", "zh_CN", "ja", "ko", "ar"), ("utf_16_le", "utf_16_be")),
)  # fmt: skip

_MARKUP = re.compile(r"\\f(?:\[\w*\]|\(..|.)|\\[&/,|^]|\\\*?(?:\(..|\[\w+\])|^[.'].*$", re.MULTILINE)


@cache
def texts(language: str) -> list[str]:
    """Texts of a language, in an order drawn with a seed."""
    found = sorted(set(_manuals(language) if language in MANUALS else _messages(language)))
    random.Random(20261128).shuffle(found)
    return found[:TEXTS]


def _manuals(language: str) -> Iterator[str]:
    folder = unpacked(MANUALS[language])
    for path in sorted(folder.glob(f"usr/share/man/{language}*/man*/*.gz")):
        if path.is_symlink():
            continue
        text = _MARKUP.sub("", gzip.decompress(path.read_bytes()).decode(errors="ignore")).replace("\\-", "-")
        text = re.sub(r"\n\s*\n+", "\n\n", text).strip()
        if len(text) > 500:
            yield text[:LONG]


def _messages(language: str) -> Iterator[str]:
    for package in MESSAGES:
        for path in sorted(unpacked(package).glob(f"usr/share/**/locale/{language}/LC_MESSAGES/*.mo")) + sorted(
            unpacked(package).glob(f"usr/share/**/lang/{language}/LC_MESSAGES/*.mo")
        ):
            with path.open("rb") as file:
                catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
            said = [value for key, value in catalog.items() if key and isinstance(value, str) and len(value) > 20]
            joined = "\n".join(said)
            for at in range(0, len(joined) - LONG, LONG):
                yield joined[at : at + LONG]


def samples(language: str, encoding: str, length: int) -> Iterator[tuple[str, bytes]]:
    """Texts that ``encoding`` can hold, with their bytes."""
    for text in texts(language):
        text = text[:length]
        if language == "ro" and encoding != "iso8859_16":  # older code pages have the letters with a cedilla
            text = text.translate(str.maketrans("șțȘȚ", "şţŞŢ"))
        elif language == "vi":
            continue
        if text.isascii() and not encoding.startswith("utf"):
            continue
        try:
            data = text.encode(encoding)
        except UnicodeEncodeError:
            # Typographic characters that a code page lacks are what its files do without.
            text = text.translate(_PLAIN)
            data = text.encode(encoding, "ignore")
            if len(text) - len(kept := data.decode(encoding, "ignore")) > 0.02 * len(text):
                continue
            text, data = kept, kept.encode(encoding)
        if data.isascii() and not encoding.startswith(("utf", "iso2022", "hz")):
            continue
        yield text, data


_PLAIN = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\N{NO-BREAK SPACE}": " ",
                        "‐": "-", "−": "-", "•": "*", "«": '"', "»": '"', "©": "(c)"})  # fmt: skip


def detectors() -> dict[str, Callable[[bytes], str]]:
    """What is compared, by name: from bytes to text."""
    import cchardet
    import chardet
    from charset_normalizer import from_bytes

    from bookwheel.documents.encoding import decode

    def told(name: str | None, data: bytes) -> str:
        return data.decode(name or "cp1252", "replace")

    return {
        "bookwheel": decode,
        "chardet": lambda data: told(chardet.detect(data)["encoding"], data),
        "charset-normalizer": lambda data: told(best.encoding if (best := from_bytes(data).best()) else None, data),
        "faust-cchardet": lambda data: told(cchardet.detect(data)["encoding"], data),
    }


def table() -> list[list[object]]:
    """A row for each language and encoding."""
    compared = detectors()
    rows: list[list[object]] = []
    totals: dict[str, list[int]] = {}
    for group, languages, encodings in ENCODINGS:
        for length in (LONG, SHORT):
            label = group + (", short" if length == SHORT else "")
            for encoding in encodings:
                for language in languages:
                    given = list(samples(language, encoding, length))
                    counts = [sum(_exact(read, *one) for one in given) for read in compared.values()]
                    if given:
                        rows.append([f"{group} {language}", encoding, length, len(given), *counts])
                    sums = totals.setdefault(label, [0] * (len(compared) + 1))
                    totals[label] = [a + b for a, b in zip(sums, [len(given), *counts], strict=True)]
    for label, sums in totals.items():
        rows.append([f"all {label}", "", "", *sums])
    return [["texts", "encoding", "length", "number", *compared], *rows]


def _exact(read: Callable[[bytes], str], text: str, data: bytes) -> bool:
    try:
        found = read(data)
    except (LookupError, UnicodeError):
        return False
    return found == text
