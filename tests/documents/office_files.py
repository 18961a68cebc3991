"""Writers of small Office and OpenDocument files, as Word, PowerPoint, Excel and LibreOffice lay them out."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
O = "urn:oasis:names:tc:opendocument:xmlns:"  # noqa: E741


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return data.getvalue()


def rels(**targets: str) -> str:
    """Relationships: ``id="type:target"``."""
    items = "".join(
        f'<Relationship Id="{name}" Type="{REL}{value.split(":")[0]}" Target="{value.split(":", 1)[1]}"/>'
        for name, value in targets.items()
    )
    return f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{items}</Relationships>'


def paragraphs(*texts: str) -> str:
    return "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts)


def shape(*texts: str, kind: str = "") -> str:
    placeholder = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>' if kind else ""
    return f"<p:sp>{placeholder}<p:txBody>{paragraphs(*texts)}</p:txBody></p:sp>"


def pptx(slides: list[str], more: Mapping[str, str] | None = None, main: str = "ppt/presentation.xml") -> bytes:
    folder = main.rpartition("/")[0]
    names = {f"rId{number}": f"slide:slides/slide{number}.xml" for number in range(1, len(slides) + 1)}
    listed = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in range(len(slides), 0, -1))  # the last file comes first
    members: dict[str, str | bytes] = {
        "_rels/.rels": rels(rId1=f"officeDocument:{main}"),
        main: f'<p:presentation xmlns:p="{P}" xmlns:r="{REL[:-1]}"><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>',
        f"{folder}/_rels/{main.rpartition('/')[2]}.rels": rels(**names),
    }
    for number, body in enumerate(slides, 1):
        members[f"{folder}/slides/slide{number}.xml"] = f'<p:sld xmlns:p="{P}" xmlns:a="{A}"><p:cSld>{body}</p:cSld></p:sld>'
    return zipped({**members, **(more or {})})


def xlsx(sheets: Mapping[str, str], strings: list[str], more: Mapping[str, str] | None = None, states: str = "") -> bytes:
    names = {f"rId{number}": f"worksheet:worksheets/sheet{number}.xml" for number in range(1, len(sheets) + 1)}
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"{states if n == len(sheets) else ""}/>'
        for n, name in enumerate(sheets, 1)
    )
    members: dict[str, str | bytes] = {
        "_rels/.rels": rels(rId1="officeDocument:xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{S}" xmlns:r="{REL[:-1]}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": rels(**names, rIdS="sharedStrings:sharedStrings.xml", rIdY="styles:styles.xml"),
        "xl/sharedStrings.xml": f'<sst xmlns="{S}">' + "".join(f"<si><t>{text}</t></si>" for text in strings) + "</sst>",
        "xl/styles.xml": f'<styleSheet xmlns="{S}"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy;@"/>'
        '<numFmt numFmtId="165" formatCode="0.0&quot; days&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/>'
        '<xf numFmtId="22"/><xf numFmtId="165"/></cellXfs></styleSheet>',
    }
    for number, body in enumerate(sheets.values(), 1):
        members[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{S}">{body}</worksheet>'
    return zipped({**members, **(more or {})})


def opendocument(kind: str, body: str, more: Mapping[str, str] | None = None, *, flat: bool = False) -> bytes:
    names = ["office", "text", "table", "draw", "presentation", "dc", "meta", "style"]
    spaces = " ".join(f'xmlns:{n}="{O}{n}:1.0"' if n != "dc" else 'xmlns:dc="http://purl.org/dc/elements/1.1/"' for n in names)
    mime = f"application/vnd.oasis.opendocument.{kind}"
    tag = {"text": "text", "spreadsheet": "spreadsheet", "presentation": "presentation"}[kind]
    inner = f"<office:body><office:{tag}>{body}</office:{tag}></office:body>"
    if flat:
        root = f'<office:document {spaces} office:mimetype="{mime}">{(more or {}).get("meta.xml", "")}{inner}</office:document>'
        return f'<?xml version="1.0"?>{root}'.encode()
    others = {name: f"<office:document-meta {spaces}>{text}</office:document-meta>" for name, text in (more or {}).items()}
    content = f"<office:document-content {spaces}>{inner}</office:document-content>"
    return zipped({"mimetype": mime, "content.xml": content, **others})
