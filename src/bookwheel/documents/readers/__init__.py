"""The registry of formats. Adding one touches its own file and the tuple here."""

from . import (
    bibtex,
    calendar,
    code,
    docx,
    epub,
    fb2,
    feed,
    folders,
    html,
    ipynb,
    json,
    jsonl,
    latex,
    legacy,
    mail,
    man,
    markdown,
    odf,
    outlook,
    pdf,
    pptx,
    rst,
    rtf,
    subtitles,
    table,
    text,
    tnef,
    xlsx,
)
from .base import Format, Items

__all__ = ["BINARY_SUFFIXES", "FORMATS", "Format", "Items", "by_name"]

_NOT_READ = """
.7z .a .aac .ai .apk .avi .bin .bmp .cab .class .cur .dll .dmg .dylib .eot .exe .flac .gguf
.gif .h5 .heic .ico .iso .jar .jpeg .jpg .lib .lz4 .m4a .m4v .mkv .mo .mov .mp3 .mp4 .mpeg .mpg .msi .nbc .nbi
.npy .npz .o .obj .ogg .onnx .otf .parquet .pdb .pickle .pkl .png .psd .pt .pth .pyc
.pyd .pyo .rar .rpm .safetensors .so .swf .tif .tiff .ttf .war .wasm .wav .webm
.webp .whl .woff .woff2
"""

FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        text.TEXT,
        markdown.MARKDOWN,
        rst.RST,
        html.HTML,
        pdf.PDF,
        docx.DOCX,
        pptx.PPTX,
        xlsx.XLSX,
        odf.ODF,
        epub.EPUB,
        ipynb.IPYNB,
        code.CODE,
        mail.EML,
        mail.MBOX,
        mail.MHTML,
        rtf.RTF,
        latex.LATEX,
        man.MAN,
        man.INFO,
        calendar.ICS,
        calendar.VCARD,
        fb2.FB2,
        feed.FEED,
        feed.OPML,
        bibtex.BIBTEX,
        subtitles.SUBTITLES,
        outlook.MSG,
        tnef.TNEF,
        legacy.DOC,
        legacy.PPT,
        legacy.XLS,
        table.CSV,
        table.TSV,
        jsonl.JSONL,
        json.JSON,
        folders.ZIP,
        folders.TAR,
    )
}

_BY_SUFFIX = {suffix: item for item in FORMATS.values() for suffix in item.suffixes}
_BY_NAME = {name: item for item in FORMATS.values() for name in item.names}

BINARY_SUFFIXES = frozenset(_NOT_READ.split())
"""Suffixes of known binary formats: such files are read only if their first bytes prove that they are something else."""


def by_name(name: str) -> Format | None:
    """The format of a file name (without a compression suffix), or None if it is unknown."""
    lower = name.lower()
    if lower in _BY_NAME:
        return _BY_NAME[lower]
    dot = lower.rfind(".")
    return _BY_SUFFIX.get(lower[dot:]) if dot >= 0 else None
