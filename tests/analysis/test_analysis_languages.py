from __future__ import annotations

import pytest
from analysis_texts import SAMPLES

from bookwheel.analysis.languages import language_of
from bookwheel.analysis.stop_words import LANGUAGES

TOLD = sorted(set(SAMPLES) & set(LANGUAGES) - {"yiddish", "basque", "esperanto"})


@pytest.mark.parametrize("language", TOLD)
def test_languages_are_told_apart(language: str) -> None:
    assert language_of(SAMPLES[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "too short",
        "hello world",
        "x1 y2 z3 " * 30,
        "John Smith, Mary Jones, Peter Brown, Anna Schmidt, Paul Martin, Luca Rossi, Eva Novak, Ivan Petrov",
        "12.5 13.7 2020-01-01 88 99 100 " * 10,
    ],
)
def test_no_language_where_unsure(text: str) -> None:
    assert language_of(text) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [("東京は日本の首都です。", "japanese"), ("我喜欢喝茶", "chinese"), ("책을 읽었다", "korean"), ("ภาษาไทยง่ายมาก", "thai")],
)
def test_scripts_of_one_language_tell_by_themselves(text: str, language: str) -> None:
    assert language_of(text) == language
    assert language_of(f"GPT-4: {text}") == language


def test_names_in_running_text_do_not_make_it_another_language() -> None:
    text = "The novel by Miguel de Cervantes Saavedra was printed in Madrid, and it is read to this day in many translations."
    assert language_of(text) == "english"
    assert language_of(f"{text} 東京") == "english"


def test_the_whole_document_is_looked_at() -> None:
    assert language_of(SAMPLES["english"][:60] + SAMPLES["german"] * 20) == "german"


@pytest.mark.parametrize(
    "text",
    [
        # repeated words of programs that are function words somewhere: var and end (Danish), dai and in (Italian), for and if
        "set var $begin = $begin + sizeof(long) end set var $next = $info->size - $begin set var $len = 0 end set var $c = 1 end "
        * 4,
        'dai-link-1 { sound-dai = <&tdmif_a>; cpu { sound-dai = <&tdmif_b>; }; codec { sound-dai = <&hdmi IN_1>; }; }; "IN 0", '
        * 5,
        # lists of identifiers and registers
        "isMaximumSizeSet , isMinimumSizeSet , isOpaque , isShowing , isValid , keyDown , layout , locate , lostFocus , " * 5,
        "arch::arm::vcaleq_f32 arch::arm::vcalt_f32 arch::arm::vceq_p8 arch::arm::vceq_s16 arch::arm::vceq_u32 " * 6,
        "in3_input 3v input voltage (mV) in4_input Vee (-12v) input voltage (mV) in1_min_alarm 12v input undervoltage alarm "
        * 5,
        "reg = <2>; interrupt-parent = <&pio>; clocks = <&clk_m_a2_div1 CLK_M_MAIN>, <&clk_c_vcc CLK_S_PIX>; reset = <&soft S1>; "
        * 4,
    ],
)
def test_program_code_is_in_no_language(text: str) -> None:
    assert language_of(text) in (None, "english")
