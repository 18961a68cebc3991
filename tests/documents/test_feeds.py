"""News feeds and outlines, as programs write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Skipped, Source

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<!-- made by a program --><?xml-stylesheet type="text/xsl" href="rss.xsl"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Field &amp; Stream Notes</title><link>https://notes.example</link><description>About rivers</description>
<atom:link href="https://notes.example/feed" rel="self"/><language>en</language>
<item><title>Owls &lt;b&gt;at&lt;/b&gt; night</title><link>https://notes.example/owls</link><guid isPermaLink="false">tag:17</guid>
<dc:creator><![CDATA[Ann Reed]]></dc:creator><pubDate>Tue, 05 Mar 2024 10:00:00 +0100</pubDate>
<category><![CDATA[Birds]]></category><category>Night</category>
<description><![CDATA[<p>Owls hunt&#8230;</p>]]></description>
<content:encoded><![CDATA[<p>Owls hunt at dusk &amp; dawn.</p>
<ul><li>barn owl</li><li>tawny owl</li></ul><script>track()</script>]]></content:encoded>
</item>
<item><title>Only a title</title><link>https://notes.example/2</link></item>
<item><guid>tag:17</guid><title>Again</title><description>The same ID.</description></item>
<item/>
</channel></rss>"""

ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title type="text">Release notes</title><id>urn:feed</id>
<entry><title type="html">Version 2 &amp;amp; 3</title><id>urn:2</id><link rel="edit" href="https://e/edit"/><link href="https://e/2"/>
<author><name>Bo Lund</name><email>bo@e</email></author><author><name>Cy</name></author><updated>2023-02-01T00:00:00Z</updated>
<published>2022-12-31T23:00:00Z</published><category term="python"/><summary>Short.</summary>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><h1>Changes</h1><p>Faster <em>joins</em> than before.</p>
<ul><li>one</li><li>two</li></ul></div></content></entry></feed>"""

RDF = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="u"><title>News</title></channel>
<item rdf:about="u1"><title>First</title><link>https://n/1</link><description>Rain is coming.</description><dc:date>2004-05-06</dc:date>
</item></rdf:RDF>"""

OPML = """<?xml version="1.0" encoding="ISO-8859-1"?><opml version="2.0"><head><title>Reading list</title>
<ownerName>Ann Reed</ownerName><dateModified>Tue, 05 Mar 2024 10:00:00 GMT</dateModified></head>
<body><outline text="Science"><outline text="Nature" title="Nature" type="rss" xmlUrl="https://n.example/rss" htmlUrl="https://n.example"/>
<outline text="Caf\xe9 physics" _note="weekly&#10;by letter"/></outline><outline text="A thought by itself"/></body></opml>"""


def documents(path: Path) -> list[Document]:
    (source,) = [item for item in walk([path]) if isinstance(item, Source)]
    return [item for item in read(source) if isinstance(item, Document)]


def test_rss(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"  # its first bytes tell
    path.write_text(RSS)
    (source,) = [item for item in walk([path]) if isinstance(item, Source)]
    first, second, again = read(source)
    assert isinstance(first, Document)
    assert isinstance(second, Document)
    assert first.id == "tag:17"
    assert first.title == "Owls at night"
    assert first.text == "Owls hunt at dusk & dawn.\n\nbarn owl\ntawny owl"
    assert first.metadata == {
        "author": "Ann Reed",
        "date": "2024-03-05T09:00:00Z",
        "year": 2024,
        "categories": ("Birds", "Night"),
        "url": "https://notes.example/owls",
        "site": "Field & Stream Notes",
    }
    assert (second.id, second.text) == ("https://notes.example/2", "Only a title")
    assert isinstance(again, InputError)
    assert "tag:17" in str(again)


def test_atom(tmp_path: Path) -> None:
    path = tmp_path / "releases.atom"
    path.write_text(ATOM)
    (entry,) = documents(path)
    assert (entry.id, entry.title) == ("urn:2", "Version 2 & 3")
    assert entry.text == "Changes\n\nFaster joins than before.\n\none\n\ntwo"
    assert entry.metadata == {
        "author": "Bo Lund, Cy",
        "date": "2022-12-31T23:00:00Z",
        "year": 2022,
        "categories": ("python",),
        "url": "https://e/2",
        "site": "Release notes",
    }


def test_rss_1_has_its_items_beside_the_channel(tmp_path: Path) -> None:
    (tmp_path / "news.rdf").write_text(RDF)
    (entry,) = documents(tmp_path / "news.rdf")
    assert (entry.id, entry.title, entry.text) == ("https://n/1", "First", "Rain is coming.")
    assert entry.metadata == {"date": "2004-05-06", "year": 2004, "url": "https://n/1", "site": "News"}


def test_outlines(tmp_path: Path) -> None:
    path = tmp_path / "feeds.opml"
    path.write_bytes(OPML.encode("latin-1"))
    (outline,) = documents(path)
    assert outline.title == "Reading list"
    assert outline.text.split("\n") == [
        "Science",
        "  Nature – https://n.example – https://n.example/rss",
        "  Café physics",
        "    weekly",
        "    by letter",
        "A thought by itself",
    ]
    assert [heading.title for heading in outline.headings] == ["Science"]
    assert outline.metadata == {"author": "Ann Reed", "date": "2024-03-05T10:00:00Z", "year": 2024}


def test_entities_and_depth_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "bomb.rss").write_text(
        '<!DOCTYPE rss [<!ENTITY a "aaaa">]><rss><channel><item><title>&a;</title></item></channel></rss>'
    )
    (tmp_path / "deep.opml").write_text(
        "<opml><body>" + '<outline text="x">' * 20_000 + "</outline>" * 20_000 + "</body></opml>"
    )
    with pytest.raises(InputError, match="entities"):
        documents(tmp_path / "bomb.rss")
    (deep,) = documents(tmp_path / "deep.opml")
    assert deep.text.count("x") == 20_000
    assert len(deep.text) < 600_000


def test_svg_and_other_xml_are_no_feeds(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<?xml version='1.0'?>" + "<!-- x --><?a b?>" * 400 + "<note><rss>no</rss></note>")
    (document,) = documents(tmp_path / "a.xml")
    assert "<note>" in document.text


def test_postscript_is_told(tmp_path: Path) -> None:
    (tmp_path / "paper.ps").write_text(
        "%!PS-Adobe-3.0\n%%Title: x\n/Times findfont 12 scalefont setfont (Hello) show showpage\n"
    )
    (tmp_path / "figure.eps").write_bytes(b"\xc5\xd0\xd3\xc6" + b"\0" * 28 + b"%!PS-Adobe-3.0 EPSF-3.0\n")
    skipped = [item for item in walk([tmp_path]) if isinstance(item, Skipped)]
    assert [item.reason for item in skipped] == ["PostScript", "PostScript"]
