"""Small sound files of the formats that many parts make up: seeds for the fuzz test."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile

_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"


def _zip(members: dict[str, str]) -> bytes:
    """A zip file whose members are stored as they are, so that changes reach what is in them."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return data.getvalue()


def _tar(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as file:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            file.addfile(info, io.BytesIO(text))
    return data.getvalue()


def _rels(*targets: str) -> str:
    items = "".join(
        f'<Relationship Id="{number}" Type="{_REL}{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate((one.split(":") for one in targets), 1)
    )
    return f"<R>{items}</R>"


MORE: dict[str, bytes] = {
    ".pptx": _zip(
        {
            "_rels/.rels": _rels("officeDocument:ppt/presentation.xml"),
            "ppt/presentation.xml": '<p:p xmlns:p="p" xmlns:r="r"><p:sldIdLst><p:sldId id="256" r:id="1"/></p:sldIdLst></p:p>',
            "ppt/_rels/presentation.xml.rels": _rels("slide:slides/slide1.xml"),
            "ppt/slides/slide1.xml": '<p:sld xmlns:p="p" xmlns:a="a"><p:sp><p:txBody><a:p><a:r><a:t>x</a:t></a:r></a:p></p:txBody>'
            "</p:sp><a:tbl><a:tr><a:tc><a:p><a:r><a:t>y</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:sld>",
        }
    ),
    ".xlsx": _zip(
        {
            "xl/workbook.xml": '<w xmlns:r="r"><workbookPr date1904="1"/><sheets><sheet name="S" r:id="1"/></sheets></w>',
            "xl/_rels/workbook.xml.rels": _rels("worksheet:s.xml", "sharedStrings:t.xml", "styles:y.xml"),
            "xl/t.xml": "<sst><si><t>one</t></si><si><r><t>two</t></r></si></sst>",
            "xl/y.xml": '<y><numFmts><numFmt numFmtId="164" formatCode="yyyy"/></numFmts><cellXfs><xf numFmtId="0"/>'
            '<xf numFmtId="164"/></cellXfs></y>',
            "xl/s.xml": '<s><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="3"><c r="A3">'
            '<v>1.5</v></c><c r="B3" s="1"><v>40000.25</v></c></row><mergeCell ref="A1:B2"/></s>',
        }
    ),
    ".odt": _zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f'<o:d xmlns:o="{_ODF}office:1.0" xmlns:t="{_ODF}text:1.0"><o:body><o:text><t:h>x</t:h><t:p>y'
            '<t:s t:c="3"/>z<t:note><t:note-body><t:p>n</t:p></t:note-body></t:note></t:p></o:text></o:body></o:d>',
        }
    ),
    ".ods": _zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f'<o:d xmlns:o="{_ODF}office:1.0" xmlns:t="{_ODF}text:1.0" xmlns:b="{_ODF}table:1.0"><o:body>'
            '<o:spreadsheet><b:table b:name="S"><b:table-row b:number-rows-repeated="2"><b:table-cell '
            'b:number-columns-repeated="3" o:value-type="float" o:value="1"><t:p>1</t:p></b:table-cell></b:table-row></b:table>'
            "</o:spreadsheet></o:body></o:d>",
        }
    ),
    ".zip": _zip({"a/b.txt": "text", "c.md": "# x", "../d.txt": "y"}),
    ".tar": _tar({"a/b.txt": b"text", "c.md": b"# x"}),
    ".txt.bz2": bz2.compress(b"x"),
    ".txt.xz": lzma.compress(b"x"),
    ".mhtml": b"From: <Saved by Blink>\nSubject: s\nContent-Type: multipart/related; boundary=x\n\n--x\nContent-Type: text/html\n\n"
    b"<p>a\n--x--\n",
    "2.eml": b"From: a\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\na\n--x\n"
    b"Content-Type: message/rfc822\n\nSubject: b\n\nc\n--x\nContent-Disposition: attachment; filename*=utf-8''a%C3%A4.csv\n\n"
    b"a,b\n1,2\n--x--\n",
    ".rtf": rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset204 A;}}{\info{\title t}}\pard\f0 \'e4\u8364 ?{\footnote n}"
    rb"\trowd\intbl a\cell b\cell"
    rb"\row\pard x\par}",
    ".tex": rb"\documentclass{a}\title{T \'e}\begin{document}\section{a}\label{b}x \emph{y} $\alpha$ \verb|z| % c"
    + b"\n\\end{document}\n",
    ".man": b".TH a 1\n.SH NAME\na \\- \\fBb\\fP \\(bu\n.TP\n.BR c (1)\nd\n.TS\nl l.\na\tb\n.TE\n"
    b".if n \\{\\\nx\n.\\}\n.Op Fl a Ns Ar b\n.It Xr a 1\n",
    ".info": b"This is a, produced by makeinfo\n\x1f\nFile: a,  Node: Top\n\nx\n\x1f\nEnd Tag Table\n",
    ".ics": b'BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:s\\, t\nDTSTART:20240131T100000Z\nATTENDEE;CN="a":mailto:b\n'
    b"END:VEVENT\nEND:VCALENDAR\n",
    ".vcf": b"BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=C3=84=\n=20x\nN:a;b\nORG:c\nEND:VCARD\n",
    ".fb2": b"<FictionBook><description><title-info><book-title>t</book-title></title-info></description>"
    b"<body><section><p>x</p></section></body>"
    b"</FictionBook>",
    ".doc": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1600),
}
