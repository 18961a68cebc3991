"""Numbers of spreadsheets as they are shown: with their units and leading zeros, and all their digits."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from office_files import S, opendocument, xlsx
from one_file import one

from bookwheel.documents.readers.number_formats import as_shown, layouts, written
from bookwheel.documents.readers.opc import without_escapes
from bookwheel.documents.readers.xlsx import shown_number

ACCOUNTS = r'_-* #,##0.00\ "kr"_-;\-* #,##0.00\ "kr"_-;_-* "-"??\ "kr"_-;_-@_-'
DOLLARS = r'_("$"* #,##0.00_);_("$"* \(#,##0.00\);_("$"* "-"??_);_(@_)'


@pytest.mark.parametrize(
    ("code", "number", "shown"),
    [
        ("00000", "1234", "01234"), ("00000", "123456", "123456"), ("00000", "-12", "-00012"), ("00000", "1.5", "1.5"),
        ('0" mg"', "5", "5 mg"), (r"#,##0.00\ [$€-407]", "1234.5", "1234.5 €"), ("$#,##0", "-3", "-$3"), (r'0\ "°C"', "21.5", "21.5 °C"),
        (ACCOUNTS, "5", "5 kr"), (ACCOUNTS, "0", "0 kr"), (ACCOUNTS, "-5", "-5 kr"), (DOLLARS, "-7.5", "-$7.5"),
        (r"000\-00\-0000", "123456789", "123-45-6789"), (r'0#" "##" "##" "##" "##', "612345678", "06 12 34 56 78"),
        ('"Invoice "0000', "42", "Invoice 0042"), ('General" days"', "12", "12 days"), ('0" profit";0" loss"', "-5", "-5 loss"),
        (r'#\ ##0" kr"', "1234567", "1234567 kr"), ('# ?/?" in"', "0.5", "0.5 in"),
    ],
)  # fmt: skip
def test_what_formats_write_around_a_number(code: str, number: str, shown: str) -> None:
    assert written(number, layouts(code)) == shown


@pytest.mark.parametrize(
    "code",
    [
        "0", "0.00", "#,##0", r"#\ ##0", "General", "@", '0.0,,"M"', '"Yes";;"No"', '0.0" E"E+0', '[<5]0" few";0" many"', ";;;", "",
        '"', "[", "\\", "0" * 300, "0" * 200, "+0;-0;0", f'0"{"x" * 90}"',
    ],
)  # fmt: skip
def test_formats_that_write_only_digits_or_another_number(code: str) -> None:
    assert layouts(code) == ()


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("4532015112830366", "4532015112830366"), ("4532015112830366.0", "4532015112830366"), ("1e15", "1000000000000000"),
        ("12345678901234567890", "12345678901234567890"), ("0.30000000000000004", "0.3"), ("1E+20", "1e+20"), ("-0", "0"),
        ("9" * 5000, "inf"), ("x", "x"),
    ],
)  # fmt: skip
def test_numbers_keep_their_digits(number: str, shown: str) -> None:
    assert shown_number(number) == shown


@pytest.mark.parametrize(
    ("number", "shown", "text"),
    [
        ("5", "5,00 kg", "5 kg"), ("1234.567", "1.235 kr", "1234.567 kr"), ("-5.5", "(5,50 kr)", "-5.5 kr"), ("1234", "01234", "01234"),
        ("1234.5", "1.234,50", "1234.5"), ("2500000", "2,5 M", "2500000"), ("0.5", "12:00:00", "0.5"), ("1500", "1,50E+03", "1500"),
        ("1", "yes", "1"), ("0.004", "0,00 g", "0.004 g"), ("0", "000", "0"), ("1e+20", "100", "1e+20"),
    ],
)  # fmt: skip
def test_what_opendocument_shows_around_a_number(number: str, shown: str, text: str) -> None:
    assert as_shown(number, shown) == text


def test_escaped_characters() -> None:
    assert (
        without_escapes("one_x000D_\ntwo_x000d_three_x005F_x000D_ _x00_ _xD83D__xDE00__x0000_")
        == "one\ntwo\nthree_x000D_ _x00_ 😀 "
    )
    assert without_escapes("_xD83D_") == "\ufffd"


def test_a_workbook(tmp_path: Path) -> None:
    codes = ["00000", '0.0" mg"', '0" mg"']
    formats = "".join(f"<numFmt numFmtId='{164 + at}' formatCode={quoteattr(code)}/>" for at, code in enumerate(codes))
    styles = "".join(f"<xf numFmtId='{number}'/>" for number in (0, 164, 165, 166))
    head = "".join(f"<c t='inlineStr'><is><t>{name}</t></is></c>" for name in ("Name", "Code", "Dose", "Card"))
    row = "<row><c t='inlineStr'><is><t>{0}_x000D_\n{0}</t></is></c><c s='1'><v>1234</v></c><c s='2'><v>{1}</v></c><c><v>{2}</v></c></row>"
    doses = "<row><c s='3'><v>5</v></c><c s='3'><v>7</v></c></row><row><c s='3'><v>6</v></c><c s='3'><v>8</v></c></row>"
    data = xlsx(
        {"One": f"<sheetData><row>{head}</row>{row.format('a', '2.5', '4532015112830366')}</sheetData>",
         "Two": f"<sheetData>{doses}{doses.replace('5', '9').replace('6', '10')}</sheetData>"},
        [],
        {"xl/styles.xml": f"<styleSheet xmlns='{S}'><numFmts>{formats}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>"},
    )  # fmt: skip
    assert one(tmp_path / "a.xlsx", data).text.split("\n\n") == [
        "One",
        "Name\tCode\tDose\tCard\nName: a a; Code: 01234; Dose: 2.5 mg; Card: 4532015112830366",
        "Two",
        "5 mg\t7 mg\n6 mg\t8 mg\n9 mg\t7 mg\n10 mg\t8 mg",  # numbers with units name no columns
    ]


def test_a_sheet_of_opendocument(tmp_path: Path) -> None:
    cell = "<table:table-cell office:value-type='float' office:value='{}'><text:p>{}</text:p></table:table-cell>"
    body = cell.format("1234", "01234") + cell.format("2.5", "2,50 mg") + cell.format("4532015112830366", "4,53E+15")
    data = opendocument("spreadsheet", f"<table:table table:name='One'><table:table-row>{body}</table:table-row></table:table>")
    assert one(tmp_path / "a.ods", data).text == "One\n\n01234\t2.5 mg\t4532015112830366"
