"""WordPiece gives BERT's own pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.encode.find import BUILT_IN_MODELS
from bookwheel.encode.static.wordpiece import WordPiece, normalise

TEXT = "un ##aff ##able hello world ##s a ##b caf cafe ##e the 北 京 don ' t . - x σας straße [UNK]"
PIECES = TEXT.split()
TABLE = {piece: number for number, piece in enumerate(PIECES)}


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("unaffable", "un ##aff ##able"),
        ("Hello", "hello"),
        ("HELLOs", "hello ##s"),
        ("café", "cafe"),
        ("CAFÉE", "cafe ##e"),
        ("北京", "北 京"),
        ("don't", "don ' t"),
        ("a-b", "a - [UNK]"),
        ("ab", "a ##b"),
        ("abq", "[UNK]"),
        ("x" * 101, "[UNK]"),
        ("the\u200bre", "[UNK]"),
        ("hel\u00adlo", "hello"),
        ("a\u00a0world", "a world"),
        ("straße", "straße"),
        ("", ""),
        (" \t", ""),
    ],
)
def test_pieces_by_hand(text: str, pieces: str) -> None:
    cut = WordPiece.of(TABLE, TABLE["[UNK]"])
    assert [PIECES[number] for number in cut(text)] == pieces.split()


def test_a_greek_final_sigma_stays_a_plain_one() -> None:
    assert normalise("ΣΑΣ") == ["σασ"]


def test_the_memo_does_not_change_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bookwheel.encode.static.wordpiece.MEMO", 2)
    cut = WordPiece.of(TABLE, TABLE["[UNK]"])
    words = ["unaffable", "abb", "hellos", "worlds", "unaffable", "hellos"]
    assert [cut(word) for word in words] == [WordPiece.of(TABLE, TABLE["[UNK]"])(word) for word in words]


def _bert(vocabulary: list[str]):  # type: ignore[no-untyped-def]
    tokenizers = pytest.importorskip("tokenizers", reason="the extra `models` is not installed")
    numbers = {piece: number for number, piece in enumerate([*vocabulary, "[UNK]"])}
    model = tokenizers.models.WordPiece(numbers, unk_token="[UNK]", max_input_chars_per_word=100)
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    return tokenizer, WordPiece.of(numbers, len(vocabulary))


@pytest.fixture(scope="module")
def both():  # type: ignore[no-untyped-def]
    return _bert((BUILT_IN_MODELS["static"] / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1])


# Characters that Unicode had before the tables of `tokenizers` were made; the newest combining marks differ.
CHARACTERS = st.characters(max_codepoint=0x24F) | st.sampled_from(
    "ΣσςάЖйאבंक्ष北京한국ｆ’“”—…€½ﬁ\u0301\u0327\u200b\u3000\ufffd😀"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(CHARACTERS, max_size=12), max_size=6).map(" ".join))
def test_equals_tokenizers_on_any_text(both, text: str) -> None:  # type: ignore[no-untyped-def]
    tokenizer, cut = both
    assert cut(text) == tokenizer.encode(text, add_special_tokens=False).ids


def test_equals_tokenizers_on_running_text(both) -> None:  # type: ignore[no-untyped-def]
    tokenizer, cut = both
    for path in sorted(Path(__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert [piece for word in text.split() for piece in cut(word)] == tokenizer.encode(text, add_special_tokens=False).ids
