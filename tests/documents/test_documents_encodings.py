"""Texts in the encodings that people have, where nothing declares them: they are read as they were written."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from bookwheel.documents.document import Document
from bookwheel.documents.encoding import decode, is_binary
from bookwheel.documents.paths import walk
from bookwheel.documents.read import read
from bookwheel.documents.source import Source

TEXTS = {
    "Portuguese": "Não há razão para que a informação não esteja disponível: são três opções, e nenhuma é difícil.\n",
    "Spanish": "El niño comió una manzana en el jardín; mañana irá al colegio con su tío. ¿Cómo está usted?\n",
    "French": "L'élève arrête de lire à l'école, où le goûter l'attend déjà, près du château.\n",
    "German": "Für größere Mengen müssen Sie die Öffnung ändern; außerdem hören die Bäche auf zu fließen.\n",
    "Finnish": "Tämä on pitkähkö kirjoitus, jossa on ääkkösiä: työ, yö, hämärä, pöytä ja ”lainaus”.\n",
    "Danish": "Jørgen spiste rødgrød med fløde på åen, før han gik hjem til sin søster.\n",
    "Italian": "La città è così bella perché è antica. Non c'è più tempo, però la libertà è già una realtà per la società.\n",
    "Polish": "Zażółć gęślą jaźń; źródło świeżej wody płynęło wśród łąk i pól, gdzie rosły żółte kwiaty.\n",
    "Czech": "Příliš žluťoučký kůň úpěl ďábelské ódy, když se před domem objevil další člověk.\n",
    "Hungarian": "Az őrült gyűjtő hűvös estéken bögrényi tejet fűszerezett, és közben a tűzbe nézett.\n",
    "Turkish": "Şu köşede yaşayan yaşlı adam, güneşli günlerde ağacın altında çay içip şarkı söylerdi.\n",
    "Lithuanian": "Ąžuolas augo prie kelio, o šalia jo žydėjo gėlės; žmonės čia mėgdavo ilsėtis.\n",
    "Russian": "Съешь же ещё этих мягких французских булок, да выпей чаю. Широкая электрификация.\n",
    "Ukrainian": "Щасливі діти їдять смачні яблука й п'ють ґрунтову воду під високою горою.\n",
    "Greek": "Το πρωί ο ήλιος φώτιζε την πόλη και οι άνθρωποι πήγαιναν στη δουλειά τους.\n",
    "Hebrew": "הילדים הלכו לבית הספר בבוקר ולמדו לקרוא ולכתוב בעברית.\n",
    "Arabic": "ذهب الأولاد إلى المدرسة في الصباح وتعلموا القراءة والكتابة.\n",
    "Thai": "เด็กนักเรียนไปโรงเรียนในตอนเช้าและเรียนรู้การอ่านและการเขียน\n",
    "Chinese": "孩子们早上去学校，学习读书和写字。下午他们在公园里玩耍。\n",
    "traditional Chinese": "孩子們早上去學校，學習讀書和寫字。下午他們在公園裡玩耍。\n",
    "Japanese": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    "Korean": "아이들은 아침에 학교에 가서 읽기와 쓰기를 배웠다. 오후에는 공원에서 놀았다.\n",
}
IN = {
    "cp1252": ("Portuguese", "Spanish", "French", "German", "Finnish", "Danish", "Italian"),
    "cp1250": ("Polish", "Czech", "Hungarian"),
    "iso8859_2": ("Polish", "Czech", "Hungarian"),
    "cp1254": ("Turkish",),
    "cp1257": ("Lithuanian",),
    "cp1251": ("Russian", "Ukrainian"),
    "koi8_r": ("Russian",),
    "koi8_u": ("Ukrainian",),
    "cp866": ("Russian",),
    "cp1253": ("Greek",),
    "iso8859_7": ("Greek",),
    "cp1255": ("Hebrew",),
    "cp1256": ("Arabic",),
    "cp874": ("Thai",),
    "gb18030": ("Chinese",),
    "hz": ("Chinese",),
    "big5": ("traditional Chinese",),
    "cp932": ("Japanese",),
    "euc_jp": ("Japanese",),
    "iso2022_jp": ("Japanese",),
    "euc_kr": ("Korean",),
    "iso2022_kr": ("Korean",),
    "utf_16_le": tuple(TEXTS),
    "utf_16_be": tuple(TEXTS),
}
PAIRS = [(encoding, language) for encoding, languages in IN.items() for language in languages]


def read_one(path: Path, data: bytes) -> Document:
    path.write_bytes(data)
    (source,) = walk([path.parent])
    assert isinstance(source, Source), source
    (document,) = read(source)
    assert isinstance(document, Document), document
    return document


@pytest.mark.parametrize(("encoding", "language"), PAIRS)
def test_a_text_that_declares_nothing_is_read_as_it_was_written(tmp_path: Path, encoding: str, language: str) -> None:
    assert read_one(tmp_path / "note.txt", TEXTS[language].encode(encoding)).text == TEXTS[language]


@pytest.mark.parametrize("language", IN["cp1252"])
def test_among_much_ascii_too(language: str) -> None:
    text = "The following lines were copied from a page.\n" * 3000 + TEXTS[language] + "And so on, in English.\n" * 3000
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize(
    "text",
    [
        "It’s “quoted” – and costs 5 € … no more.\n",
        "We met José near the station and talked about his résumé for an hour.\n",
        "Copyright © 2004 Åke Svensson. All rights reserved.\n",
        "Temperatures of up to 35 °C were measured; the error is ± 2 %.\n",
        "L’Italia è un’isola.\n",
        "½ cup of sugar, ¼ cup of butter and 1½ cups of flour\n",
    ],
)
def test_one_line_in_windows_1252(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


def test_escape_sequences_of_terminals_and_tildes_of_programs_are_no_encoding() -> None:
    for text in ("\x1b[31mred\x1b[0m and \x1b(B plain\n", "if (~{a,b}) x = ~{c};\n", "# see ~{user}/.profile and ~{other~}\n"):
        assert decode(text.encode()) == text


def test_binary_files_are_not_taken_for_utf_16() -> None:
    counting = b"".join(number.to_bytes(2, "little") for number in range(2000))
    for data in (bytes(range(256)) * 8, counting, b"\x7fELF\x02\x01\x01\0\0\0\0\0" + b"\x03\0\x3e\0" * 500, b"\0" * 1000):
        assert is_binary(data)


@pytest.mark.parametrize("label", ["iso-8859-1", "ISO-8859-1", "latin1", "us-ascii", "windows-1252", "x-cp1252"])
def test_the_declared_latin_1_of_a_page_is_windows_1252(tmp_path: Path, label: str) -> None:
    page = f"<meta http-equiv=content-type content='text/html; charset={label}'><p>“Déjà vu” – 5 €"
    assert read_one(tmp_path / "a.html", page.encode("cp1252")).text == "“Déjà vu” – 5 €"


@pytest.mark.parametrize("label", ["rot13", "unicode_escape", "hex", "utf-7", "idna", "no-such-thing", "replacement"])
def test_a_declared_encoding_that_is_none_counts_for_nothing(tmp_path: Path, label: str) -> None:
    page = f"<meta charset={label}><p>Ganz übel, +AGE- \\x41 große Wörter"
    assert read_one(tmp_path / "a.html", page.encode()).text == "Ganz übel, +AGE- \\x41 große Wörter"


def test_a_page_in_utf_8_that_declares_another_encoding(tmp_path: Path) -> None:
    page = "<meta charset=iso-8859-1><p>Größe und Maß"
    assert read_one(tmp_path / "a.html", page.encode()).text == "Größe und Maß"


@pytest.mark.parametrize(
    ("label", "encoding", "text"),
    [
        ("gb2312", "gb18030", "朱镕基访问了台湾"),  # the second character is not in GB 2312
        ("shift_jis", "cp932", "①番目の株式会社㈱"),
        ("euc-kr", "cp949", "펲시콜라와 똠방각하"),
        ("iso-8859-9", "cp1254", "“İstanbul” – şarkı"),
        ("tis-620", "cp874", "“ราคา” – 5 €"),
        ("iso-2022-kr", "iso2022_kr", "한국어 편지"),
    ],
)
def test_declared_encodings_are_those_of_browsers(tmp_path: Path, label: str, encoding: str, text: str) -> None:
    message = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=%s\r\n\r\n%s\r\n"
    assert read_one(tmp_path / "a.eml", message % (label.encode(), text.encode(encoding))).text == text


def test_a_page_inside_a_message_keeps_the_encoding_of_the_message(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("<meta charset=iso-8859-1><p>Größe – “ja”", subtype="html", charset="utf-8")
    assert read_one(tmp_path / "a.eml", message.as_bytes()).text == "Größe – “ja”"


@pytest.mark.parametrize("encoding", ["cp1250", "iso8859-2"])
@pytest.mark.parametrize(
    "text",
    [
        "Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes je hezké počasí.",
        "Příliš žluťoučký kůň úpě",
        "Pchnąć w tę łódź jeża lub ośm skrzyń fig. Zażółć gęślą jaźń.",
        "Žluté šátky a tmavší šňůry ležely na židli.",
    ],
)
def test_the_code_pages_of_central_europe_are_told_apart(encoding: str, text: str) -> None:
    """What is a letter in one is a sign in the other, which does not stand in words."""
    assert decode(text.encode(encoding)) == text
