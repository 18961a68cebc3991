"""BibTeX files, as Zotero, JabRef and people write them."""

from __future__ import annotations

from pathlib import Path

from bookwheel._errors import InputError
from bookwheel.documents.document import Document
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Source

BIB = r"""% Encoding: UTF-8
A line that is no entry.
@string{jml = "Journal of {Made-up} Learning"}
@preamble{"\newcommand{\x}{y}"}

@Article{knuth84,
  author    = {Knuth, Donald E. and G{\"o}del, Kurt and {The {TeX} Users}},
  title     = "Literate {Programming}: 100\% of na{\"\i}ve text",
  journal   = jml # { (New Series)},
  year      = 1984,
  volume    = {27},
  number    = 2,
  pages     = {97--111},
  month     = may,
  doi       = {10.1093/comjnl/27.2.97},
  url       = {https://example.org/~knuth/a\_b%20c},
  keywords  = {programs, documentation},
  abstract  = {We found 50% more {\emph owls}.

    A second paragraph with $x^2$ and an @ sign.},
  file      = {:C\:\\papers\\knuth.pdf:PDF},
}

@inproceedings(vaswani,
  author = "Ashish Vaswani and Noam Shazeer",
  title = {Attention},
  booktitle = {Proc. of Examples},
  date = {2017-06-12}
)

@comment{jabref-meta: databaseType:bibtex;}
@book{broken, title = {Never closed, year = 1999
@misc{last, title={The last one}, note={Found.},}
@misc{knuth84, title={Twice}}
"""


def items(path: Path) -> list[object]:
    (source,) = [item for item in walk([path]) if isinstance(item, Source)]
    return list(read(source))


def test_entries(tmp_path: Path) -> None:
    path = tmp_path / "refs.bib"
    path.write_text(BIB)
    found = items(path)
    knuth, vaswani, last = (item for item in found if isinstance(item, Document))
    assert (knuth.id, knuth.title, knuth.line) == ("knuth84", "Literate Programming: 100% of naïve text", 6)
    assert knuth.text == (
        "Donald E. Knuth; Kurt Gödel; The TeX Users. Literate Programming: 100% of naïve text. "
        "Journal of Made-up Learning (New Series). 1984\n\n"
        "We found 50% more owls.\nA second paragraph with x^2 and an @ sign.\n\nprograms, documentation"
    )
    assert knuth.metadata == {
        "type": "article",
        "author": "Donald E. Knuth; Kurt Gödel; The TeX Users",
        "date": "1984",
        "year": 1984,
        "doi": "10.1093/comjnl/27.2.97",
        "url": "https://example.org/~knuth/a_b%20c",
        "journal": "Journal of Made-up Learning (New Series)",
        "volume": 27,
        "pages": "97–111",
        "keywords": ("programs", "documentation"),
    }
    assert vaswani.metadata == {
        "type": "inproceedings",
        "author": "Ashish Vaswani; Noam Shazeer",
        "date": "2017-06-12",
        "year": 2017,
        "booktitle": "Proc. of Examples",
    }
    assert (last.id, last.text) == ("last", "The last one\n\nFound.")
    told = [str(item) for item in found if isinstance(item, InputError)]
    assert len(told) == 2
    assert f"{path}:32: the entry is not closed" in told[0]
    assert "'knuth84' occurs earlier" in told[1]


def test_what_has_no_entries_is_text(tmp_path: Path) -> None:
    path = tmp_path / "notes.bib"
    path.write_text("A bibliography in plain words.")
    told, document = items(path)
    assert isinstance(document, Document)
    assert document.text == "A bibliography in plain words."
    assert "no entries" in str(told)


def test_strings_that_double_each_other_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.bib"
    strings = "@string{a0 = {xxxxxxxxxx}}\n" + "".join(f"@string{{a{n} = a{n - 1} # a{n - 1}}}\n" for n in range(1, 60))
    path.write_text(f"{strings}@misc{{k, title = {{Kept}}, note = a59}}")
    (document,) = (item for item in items(path) if isinstance(item, Document))
    assert document.title == "Kept"
    assert len(document.text) < 1_100_000
