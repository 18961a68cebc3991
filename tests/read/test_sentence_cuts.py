"""A heading is no part of the sentence behind it, and sentences end by the marks of their script."""

from __future__ import annotations

import pytest

from bookwheel.read.evidence import Evidence
from bookwheel.read.sentence import sentences_in
from bookwheel.read.sentence_cuts import sentence_cuts
from bookwheel.read.sentences import spans
from bookwheel.read.summary import sentences_of


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (
            "# Mixed 混合\nThe server runs on port 8080. It is old.",
            ["# Mixed 混合", "The server runs on port 8080.", "It is old."],
        ),
        ("Title\n=====\nThe server runs.", ["Title\n=====", "The server runs."]),
        ("Before it.\n## Part\n\nThe server runs.", ["Before it.", "## Part", "The server runs."]),
        (
            "He ran. The keeper carried the lamp up the\n\nstairs of granite. It rained.",
            ["He ran.", "The keeper carried the lamp up the\n\nstairs of granite.", "It rained."],
        ),
        ("Fruit\n\napples\n\npears\n\nThe end.", ["Fruit", "apples", "pears", "The end."]),
        ("The harbour.\n\nit is old.", ["The harbour.", "it is old."]),
        ("#1 on the list\nis the server.", ["#1 on the list\nis the server."]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "|---|---|", "| 1 | 2 |"]),
        ("पुल 1932 में बना। इसकी लंबाई 120 मीटर है।", ["पुल 1932 में बना।", "इसकी लंबाई 120 मीटर है।"]),
        ("ما طول الجسر؟ طوله 120 مترا.", ["ما طول الجسر؟", "طوله 120 مترا."]),
        ("یہ پل ہے۔ یہ پرانا ہے۔", ["یہ پل ہے۔", "یہ پرانا ہے۔"]),
        ("桥建于1932年。桥长120米。", ["桥建于1932年。", "桥长120米。"]),
    ],
)
def test_what_can_be_quoted(text: str, pieces: list[str]) -> None:
    starts, kinds = sentence_cuts(text)
    assert starts == sorted(set(starts))
    assert len(kinds) == len(starts)
    assert [text[start:end] for start, end in spans(text)] == pieces
    one = Evidence(1, 1, "a", "", "", "", text, 0, len(text))
    assert [sentence.text for sentence in sentences_in(one, False)] == pieces


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (
            "The keeper carried the lamp up the\n\nstairs of granite.",
            ["The keeper carried the lamp up the\n\nstairs of granite."],
        ),
        ("# Head\nThe server runs on port 8080.", ["The server runs on port 8080."]),
        ("这座桥建于1932年，耗资350万马克。设计者是王建国。", ["这座桥建于1932年，耗资350万马克。", "设计者是王建国。"]),
        ("पुल सन 1932 में बना।", ["पुल सन 1932 में बना।"]),
        ("สะพานนี้สร้างขึ้นในปี 1932.", ["สะพานนี้สร้างขึ้นในปี 1932."]),
    ],
)
def test_what_may_stand_in_a_summary(text: str, chosen: list[str]) -> None:
    assert [one.text for one in sentences_of(1, text, 0, 0)] == chosen
