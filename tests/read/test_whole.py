"""Questions about the whole collection are told from others."""

from __future__ import annotations

import pytest

from bookwheel.read.whole import WholeQuestion, apart, whole_question


@pytest.mark.parametrize(
    ("question", "phrases", "counting"),
    [
        ("all reports that mention solar panels", ["solar panels"], False),
        ("List all documents that mention the word 'zoning'.", ["zoning"], False),
        ("Which files contain \"lorem ipsum\"?", ["lorem ipsum"], False),
        ("how many documents mention Tesla?", ["Tesla"], True),
        ("How many reports are there that mention the term net zero?", ["net zero"], True),
        ("In how many files does TODO occur?", ["TODO"], True),
        ("how often is the budget mentioned?", ["budget"], True),
        ("list every mention of Ramelli", ["Ramelli"], False),
        ("show me all papers about heat pumps", ["heat pumps"], False),
        ("Please list every article which discusses “carbon capture”", ["carbon capture"], False),
        ('which documents mention "owls" or "bees"', ["owls", "bees"], False),
        ("alle Berichte, die Solarzellen erwähnen", ["Solarzellen"], False),
        ("Wie viele Dokumente enthalten den Begriff Wärmepumpe?", ["Wärmepumpe"], True),
        ("todos los informes que mencionan energía solar", ["energía solar"], False),
        ("¿Cuántos documentos mencionan a Tesla?", ["Tesla"], True),
        ("tous les rapports qui mentionnent le nucléaire", ["nucléaire"], False),
        ("Combien de documents contiennent le mot énergie ?", ["énergie"], True),
        ("列出所有提到桥的文件", ["桥"], False), ("哪些报告提到太阳能电池板？", ["太阳能电池板"], False),
        ("有多少份文件包含“碳捕集”？", ["碳捕集"], True), ("提到王建国的文档有多少个？", ["王建国"], True),
        ("كم مستندا يذكر الطاقة الشمسية؟", ["الطاقة الشمسية"], True),
        ("كل التقارير التي تحتوي على كلمة", ["كلمة"], False),
    ],
)  # fmt: skip
def test_recognised(question: str, phrases: list[str], counting: bool) -> None:
    found = whole_question(question)
    assert found is not None
    assert list(found.phrases) == phrases
    assert found.counting == counting
    assert found.together == ("any" if " or " in question else "all")


@pytest.mark.parametrize(
    "question",
    [
        "how many documents are there?",
        "How many files?",
        "list all reports",
        "combien de documents y a-t-il ?",
        "一共有多少个文件？",
        "كم عدد الملفات؟",
    ],
)
def test_all_documents(question: str) -> None:
    assert whole_question(question) == WholeQuestion((), counting=not question.startswith("list"))


@pytest.mark.parametrize(
    ("phrase", "parts"),
    [
        ("Brücke or 桥", (("Brücke", "桥"), "any")), ("owls and the bees", (("owls", "bees"), "all")),
        ("桥或者塔", (("桥", "塔"), "any")), ("owls, bees, ants", (("owls", "bees", "ants"), "all")), ("solar panel", None),
    ],
)  # fmt: skip
def test_what_is_joined_in_a_phrase(phrase: str, parts: object) -> None:
    assert apart(phrase) == parts


@pytest.mark.parametrize(
    "question",
    [
        "How many books did the wheel of Ramelli hold?",
        "How many reports did the committee publish in 2019?",
        "Where is the library?",
        "What do the documents say about zoning?",
        "报告提到的问题是什么？",
        "提到王建国的报告是谁写的？",
        "桥长多少米？",
        "Who mentioned the treaty?",
        "What does every report need?",
        "How many pages has the Bible?",
        "Which papers won the prize?",
        "Do all articles of clothing contain cotton",
        "How often do owls hunt?",
        "Why do all documents that are signed bind both parties?",
        "",
        "?" * 3000,
    ],
)
def test_questions_like_any_other(question: str) -> None:
    assert whole_question(question) is None
