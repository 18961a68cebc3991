"""Judged collections in the layouts in which they are published: each is seen for what it is, and what is damaged is named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bookwheel import InputError, UsageError
from bookwheel.cli.main import main
from bookwheel.documents.document import Document
from bookwheel.evaluate import evaluate, format_groups, load_collection
from bookwheel.evaluate.answers import read_gold
from bookwheel.evaluate.layouts import trec_documents


def write(path: Path, value: Any, *, lines: bool = False, indent: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in value) if lines else json.dumps(value, indent=indent)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


# -- SQuAD ------------------------------------------------------------------------------------------------------------


def squad() -> dict[str, Any]:
    answered = {
        "id": "a1",
        "question": "Who drew it?",
        "answers": [{"answer_start": 0, "text": "Ramelli"}, {"answer_start": 0, "text": "Ramelli"}],
    }
    refused = {
        "id": "a2",
        "question": "Who ate it?",
        "is_impossible": True,
        "answers": [],
        "plausible_answers": [{"text": "Ramelli"}],
    }
    return {
        "version": "v2.0",
        "data": [
            {
                "title": "Book_wheel",
                "paragraphs": [
                    {"context": "Ramelli drew it.", "qas": [answered, refused]},
                    {"context": "No one asks.", "qas": []},
                ],
            }
        ],
    }


@pytest.mark.parametrize(("name", "indent"), [("xquad.en.json", None), ("dev-v2.0.json", 2), ("train.json.gz", None)])
def test_squad(tmp_path: Path, name: str, indent: int | None) -> None:
    found = load_collection(write(tmp_path / name, squad(), indent=indent))
    assert (found.name, found.kind) == (name, "questions in SQuAD's JSON")
    assert found.judged == {"a1": "Who drew it?"}
    assert found.qrels == {"a1": {"0_0": 1}}
    assert list(found.documents()) == [
        Document("0_0", "Ramelli drew it.", "Book wheel"),
        Document("0_1", "No one asks.", "Book wheel"),
    ]
    assert found.gold["a1"].answers == ("Ramelli",)
    assert not found.gold["a2"].answerable


def test_squad_of_several_languages_is_not_mixed(tmp_path: Path) -> None:
    for language in ("de", "en"):
        write(tmp_path / f"xquad.{language}.json", squad())
    with pytest.raises(
        InputError, match=r"2 files of SQuAD's JSON \(xquad.de.json, xquad.en.json\) and none named for the split 'test'"
    ):
        load_collection(tmp_path)
    assert load_collection(tmp_path, split="de").name == "xquad.de.json"


def test_squad_as_lines(tmp_path: Path) -> None:
    lines = [
        {
            "id": "1",
            "title": "T",
            "context": "Basalt is dark.",
            "question": "What is dark?",
            "answers": {"text": ["Basalt"], "answer_start": [0]},
        },
        {
            "id": "2",
            "title": "T",
            "context": "Basalt is dark.",
            "question": "How is basalt?",
            "answers": {"text": ["dark"], "answer_start": [10]},
        },
    ]
    found = load_collection(write(tmp_path / "validation.jsonl", lines, lines=True))
    assert found.qrels == {"1": {"p0": 1}, "2": {"p0": 1}}
    assert list(found.documents()) == [Document("p0", "Basalt is dark.", "T")]


# -- LoCoMo -----------------------------------------------------------------------------------------------------------


def sessions() -> dict[str, Any]:
    return {
        "speaker_a": "Caroline",
        "speaker_b": "Melanie",
        "session_1_date_time": "1:56 pm on 8 May, 2023",
        "session_1": [
            {"speaker": "Caroline", "dia_id": "D1:1", "text": "I painted."},
            {
                "speaker": "Melanie",
                "img_url": ["https://example.org/a.jpg"],
                "blip_caption": "a photo of a lake",
                "query": "lake",
                "dia_id": "D1:2",
                "text": "Look!",
            },
        ],
        "session_2_date_time": "2 pm on 9 May, 2023",
        "session_2": [{"speaker": "Caroline", "dia_id": "D2:1", "text": "I ran."}],
        "session_3_date_time": "3 pm on 10 May, 2023",
    }


def locomo_questions() -> list[dict[str, Any]]:
    return [
        {"question": "When did she paint?", "answer": 2022, "evidence": ["D1:1"], "category": 2},
        {"question": "What did she do?", "answer": "paint, run", "evidence": ["D1:1; D2:01"], "category": 1},
        {"question": "Did Melanie run?", "adversarial_answer": "yes", "evidence": ["D2:1"], "category": 5},
        {"question": "Where?", "answer": "home", "evidence": ["D7:1", "D"], "category": 4},
    ]


@pytest.mark.parametrize("first_release", [False, True])
def test_locomo(tmp_path: Path, first_release: bool) -> None:
    if first_release:
        source = write(
            tmp_path / "locomo" / "26.json", {**sessions(), "qa": locomo_questions(), "session_1_summary": "They spoke."}
        ).parent
        name = "26"
    else:
        sample = {
            "sample_id": "conv-26",
            "qa": locomo_questions(),
            "conversation": sessions(),
            "event_summary": {},
            "session_summary": {},
        }
        source = write(tmp_path / "locomo10.json", [sample])
        name = "conv-26"
    found = load_collection(source)
    assert found.kind == "LoCoMo's conversations"
    assert found.qrels == {f"{name}/q1": {f"{name}/D1:1": 1}, f"{name}/q2": {f"{name}/D1:1": 1, f"{name}/D2:1": 1}}
    assert [found.fields[query]["category"] for query in found.queries] == [
        "temporal",
        "multi-hop",
        "adversarial",
        "single-hop",
    ]
    assert found.notes == ("1 turns are named as evidence that the conversations do not have",)
    assert found.gold[f"{name}/q1"].answers == ("2022",)
    assert found.gold[f"{name}/q1"].evidence == ("Caroline: I painted.",)
    assert not found.gold[f"{name}/q3"].answerable
    documents = list(found.documents())
    assert [one.id for one in documents] == [f"{name}/D1:1", f"{name}/D1:2", f"{name}/D2:1"]
    assert documents[1].text == "Melanie: Look! [picture: a photo of a lake]"
    assert documents[1].metadata["when"] == "1:56 pm on 8 May, 2023"


# -- QuALITY ----------------------------------------------------------------------------------------------------------


def quality(article: str, writer: int = 1, **question: Any) -> dict[str, Any]:
    asked = {
        "question": "Why did he go?",
        "question_unique_id": f"52845_W{writer}_1",
        "options": ["fear", "love ", "hunger", "duty"],
        "writer_label": 2,
        "gold_label": 2,
        "validation": [{"untimed_annotator_id": "0001", "untimed_answer": 2}],
        "speed_validation": [{"speed_annotator_id": "0002", "speed_answer": 1}],
        "difficult": 1,
    }
    return {
        "article_id": "52845",
        "set_unique_id": f"52845_W{writer}",
        "batch_num": "11",
        "writer_id": "1005",
        "source": "Gutenberg",
        "title": "The Girl in His Mind",
        "year": 1963,
        "author": "Young, Robert F.",
        "topic": "Science fiction",
        "article": article,
        "questions": [{**asked, **question}],
        "url": "https://example.org/52845",
        "license": "see the terms",
    }


HTML = "<!DOCTYPE html>\n<html><body><h1>THE GIRL</h1><p>He went &amp; came.</p><p>He <i>loved</i>.</p></body></html>"


def test_quality(tmp_path: Path) -> None:
    write(tmp_path / "QuALITY.v1.0.1.dev", [quality(HTML), quality(HTML, 2, difficult=0)], lines=True)
    test = [quality(HTML)]
    del test[0]["questions"][0]["gold_label"]
    write(tmp_path / "QuALITY.v1.0.1.test", test, lines=True)
    with pytest.raises(InputError, match="none named for the split 'train'"):
        load_collection(tmp_path, split="train")
    found = load_collection(tmp_path, split="dev")
    assert (found.name, found.kind) == ("QuALITY.v1.0.1.dev", "QuALITY's articles")
    assert found.qrels == {"52845_W1_1": {"52845": 1}, "52845_W2_1": {"52845": 1}}
    assert found.gold["52845_W1_1"].answers == ("love",)
    assert [fields["hard"] for fields in found.fields.values()] == ["yes", "no"]
    (document,) = found.documents()
    assert document.text == "THE GIRL\n\nHe went & came.\n\nHe loved."
    assert (document.title, document.metadata["year"]) == ("The Girl in His Mind", "1963")
    assert not load_collection(tmp_path).gold["52845_W1_1"].answers, "the test split has no labels"


def test_quality_stripped_of_html_is_preferred(tmp_path: Path) -> None:
    write(tmp_path / "QuALITY.v1.0.1.dev", [quality(HTML)], lines=True)
    write(tmp_path / "QuALITY.v1.0.1.htmlstripped.dev", [quality("He went < came.")], lines=True)
    assert [one.text for one in load_collection(tmp_path, split="dev").documents()] == ["He went < came."]


# -- HotpotQA and questions with evidence -------------------------------------------------------------------------------


def test_hotpot(tmp_path: Path) -> None:
    record = {
        "_id": "5a8e",
        "question": "What do they share?",
        "answer": "video game",
        "type": "bridge",
        "level": "hard",
        "supporting_facts": [["Hot Pixel", 0], ["PSP", 1], ["Elsewhere", 0]],
        "context": [["Hot Pixel", ["A game.", " By Atari."]], ["PSP", ["A console.", " It plays games."]], ["Other", ["No."]]],
    }
    columns = {
        **record,
        "id": "7",
        "supporting_facts": {"title": ["PSP"], "sent_id": [0]},
        "context": {"title": ["PSP"], "sentences": [["A console.", " It plays games."]]},
    }
    del columns["_id"]
    found = load_collection(write(tmp_path / "hotpot_dev_distractor_v1.json", [record, columns]))
    assert found.kind == "HotpotQA's questions"
    assert found.qrels == {"5a8e": {"Hot Pixel": 1, "PSP": 1}, "7": {"PSP": 1}}
    assert found.gold["5a8e"].evidence == ("A game.", "It plays games.")
    assert [(one.id, one.text) for one in found.documents()][:2] == [
        ("Hot Pixel", "A game. By Atari."),
        ("PSP", "A console. It plays games."),
    ]
    assert len(list(found.documents())) == 3


def test_questions_with_evidence_spans(tmp_path: Path) -> None:
    write(
        tmp_path / "corpus.jsonl",
        [{"_id": "d1", "title": "T", "text": "Basalt is dark. Chalk is white.", "source": "a"}],
        lines=True,
    )
    questions = [
        {
            "_id": "q1",
            "question": "What is dark?",
            "answers": ["Basalt", "basalt"],
            "evidence": [{"document": "d1", "start": 0, "end": 15}],
        },
        {"_id": "q2", "question": "What is green?", "answers": [], "evidence": []},
        {
            "_id": "q3",
            "question": "What is white?",
            "answer": "Chalk",
            "evidence": [{"document": "d1", "text": "Chalk is white."}, "gone"],
        },
    ]
    write(tmp_path / "questions.jsonl", questions, lines=True)
    found = load_collection(tmp_path)
    assert found.kind == "questions with evidence"
    assert found.qrels == {"q1": {"d1": 1}, "q3": {"d1": 1}}
    assert found.gold["q1"].answers == ("Basalt", "basalt")
    assert found.gold["q1"].evidence == ("Basalt is dark.",)
    assert not found.gold["q2"].answerable
    assert found.notes == ("1 pieces of evidence name a document that the corpus does not have",)
    questions[0]["evidence"][0]["end"] = 99  # type: ignore[index]
    write(tmp_path / "questions.jsonl", questions, lines=True)
    with pytest.raises(InputError, match=r"questions.jsonl:1: the evidence from 0 to 99 is outside of document 'd1' \(31\)"):
        load_collection(tmp_path)


def test_multi_hop_rag(tmp_path: Path) -> None:
    piece = {
        "title": "A",
        "author": "x",
        "url": "https://a.example/1",
        "source": "Wired",
        "category": "tech",
        "published_at": "2023",
        "fact": "It rained.",
    }
    write(
        tmp_path / "MultiHopRAG.json",
        [{"query": "Did it rain?", "answer": "Yes", "question_type": "inference_query", "evidence_list": [piece]}],
        indent=1,
    )
    write(
        tmp_path / "corpus.json",
        [{"title": "A", "author": "x", "source": "Wired", "url": "https://a.example/1", "body": "It rained. Then not."}],
        indent=1,
    )
    found = load_collection(tmp_path)
    assert found.qrels == {"q1": {"https://a.example/1": 1}}
    assert found.gold["q1"].evidence == ("It rained.",)
    assert found.fields["q1"] == {"question_type": "inference_query"}
    (document,) = found.documents()
    assert (document.text, document.metadata["source"]) == ("It rained. Then not.", "Wired")


# -- TREC -------------------------------------------------------------------------------------------------------------

TAGGED = """<DOC>
<DOCNO> FT911-1 </DOCNO>
<HEADLINE>
FT  14 MAY 91 / Crime &amp; order
</HEADLINE>
<TEXT>
It was <b>caf\xe9</b>.
</TEXT>
</DOC>
<DOC><DOCNO>FT911-2</DOCNO><TEXT>Second.</TEXT></DOC>
"""


@pytest.mark.parametrize("name", ["docs/ft/ft911_1", "docs.trec", "ft911.sgml.gz", "ft911_1"])
def test_trec_documents(tmp_path: Path, name: str) -> None:
    (tmp_path / "topics.301-450.txt").write_text(
        "<top>\n<num> Number: 301 \n<title> International Crime \n\n<desc> Description: \nNone\n</top>\n"
    )
    (tmp_path / "qrels.trec.txt").write_text("301 0 FT911-1 1\n")
    (tmp_path / "README.md").write_text("<DOC> says nothing")
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = TAGGED.encode("latin-1")
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    found = load_collection(tmp_path)
    assert found.kind == "a folder of TREC files"
    assert list(found.documents()) == [
        Document("FT911-1", "It was  café .", "FT 14 MAY 91 / Crime & order"),
        Document("FT911-2", "Second."),
    ]


def test_ms_marco_tables(tmp_path: Path) -> None:
    (tmp_path / "collection.tsv").write_text("0\tFirst passage.\n1\tSecond passage.\n")
    (tmp_path / "queries.dev.small.tsv").write_text("7\twhich is first\n")
    (tmp_path / "queries.train.tsv").write_text("8\tother\n")
    (tmp_path / "qrels.dev.small.tsv").write_text("7\t0\t0\t1\n")
    found = load_collection(tmp_path, split="dev")
    assert found.qrels == {"7": {"0": 1}}
    assert [one.text for one in found.documents()] == ["First passage.", "Second passage."]
    with pytest.raises(InputError, match=r"2 files named topics\* or queries\*; keep one, or say with --split"):
        load_collection(tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<DOC>\n<DOCNO>1</DOCNO> open", r"docs.trec:1: a document has no </DOC>"),
        ("\n<DOC><TEXT>x</TEXT></DOC>", r"docs.trec:2: a document has no <DOCNO>"),
        ("nothing here", "holds no document"),
        ("<DOC><DOCNO>1</DOCNO>" + "<title>" * 200_000 + "</DOC>", ""),
    ],
)
def test_damaged_trec_documents(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "topics.tsv").write_text("1\tone\n")
    (tmp_path / "qrels.txt").write_text("1 0 1 1\n")
    (tmp_path / "docs.trec").write_text(text)
    found = load_collection(tmp_path)
    if not words:
        assert len(list(found.documents())) == 1
        return
    with pytest.raises(InputError, match=words) as caught:
        list(found.documents())
    assert "\n" not in str(caught.value)


def test_a_table_of_documents_with_a_line_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rest was read as a line of its own."""
    monkeypatch.setattr(trec_documents, "LONGEST", 40)
    (tmp_path / "topics.tsv").write_text("1\tone\n")
    (tmp_path / "qrels.txt").write_text("1 0 1 1\n")
    (tmp_path / "collection.tsv").write_text("1\tshort\n2\t" + "long " * 8 + "\tmore\n")
    with pytest.raises(InputError, match=r"collection\.tsv:2 is longer than 40 bytes; shorten that line"):
        list(load_collection(tmp_path).documents())


# -- what is none, and columns ------------------------------------------------------------------------------------------


SQUAD_WITHOUT_TEXT = {"data": [{"paragraphs": [{"context": "c", "qas": [{"id": 1}]}]}]}
HOTPOT_WITHOUT_PAIRS = [{"question": "q", "context": [1], "supporting_facts": []}]
HOTPOT_ELSEWHERE = [{"question": "q", "context": [["T", ["s"]]], "supporting_facts": [["U", 0]]}]
LOCOMO_WITHOUT_SESSIONS = [{"qa": [{"question": "q", "evidence": ["D1:1"]}], "conversation": []}]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": 1}, "is a folder of no known layout; expected a BEIR folder"),
        ({"data": [{"paragraphs": 3}]}, "no known layout"),
        ({"data": [{"paragraphs": [{"context": 3}]}]}, "paragraph 1 of article 1 has no context"),
        (SQUAD_WITHOUT_TEXT, "question 1 of paragraph 0_0 has no question"),
        ({"data": [{"paragraphs": []}]}, "holds no question with an answer"),
        (LOCOMO_WITHOUT_SESSIONS, "conversation is no object"),
        ([{"qa": [], "conversation": {}}], "no question whose evidence is a turn"),
        ([{"qa": [], "conversation": {"session_1": ["hi"]}}], "turn 1 of session_1 has no text"),
        ([quality("t", gold_label=9)], "gold_label is 9 and there are 4 options"),
        ([quality("t"), {"article_id": 1}], r"x.json, record 2: expected an object with article_id"),
        ([quality("t"), quality("t")], "two questions '52845_W1_1'"),
        (HOTPOT_WITHOUT_PAIRS, "a paragraph of context|expected an object with question, context"),
        (HOTPOT_ELSEWHERE, "no question whose supporting facts"),
        ('{"data": [{"paragraphs": [{"context": "c"', "no known layout"),
        ("[" * 100_000, "no known layout"),
        (b"\xff\xfe\x00{", "no known layout"),
    ],
)
def test_damaged_layouts(tmp_path: Path, value: Any, words: str) -> None:
    path = tmp_path / "x.json"
    data = value if isinstance(value, bytes) else (value if isinstance(value, str) else json.dumps(value)).encode()
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        load_collection(tmp_path)
    assert "\n" not in str(caught.value)


def beir(folder: Path) -> Path:
    write(folder / "corpus.jsonl", [{"_id": f"d{n}", "text": f"text {n}", "source": "ab"[n % 2]} for n in range(4)], lines=True)
    columns = [{"_id": f"q{n}", "text": f"ask {n}", "metadata": {"category": "xxy"[n]}} for n in range(3)]
    write(folder / "queries.jsonl", columns, lines=True)
    (folder / "qrels").mkdir()
    (folder / "qrels" / "test.tsv").write_text("q\td\ts\nq0\td0\t1\nq1\td1\t1\nq2\td2\t1\nq2\td3\t1\n")
    return folder


def test_groups_of_queries_and_of_sources(tmp_path: Path) -> None:
    found = load_collection(beir(tmp_path))
    assert found.fields["q2"] == {"category": "y"}
    result = evaluate(found, {"first": lambda texts, k: [[("d0", 2.0), ("d1", 1.0)] for _ in texts]}, ["RR"])
    assert [(one.value, one.queries, one.means["first"]) for one in result.groups("category")] == [
        ("x", 2, 0.75),
        ("y", 1, 0.0),
    ]
    by = {one.value: one for one in result.groups("source")}
    assert (by["a"].queries, by["a"].means["first"], by["b"].means["first"]) == (2, 0.5, 0.25)
    assert by["a"].found == {"first": 1.0}
    assert by["b"].found == {"first": 0.5}
    assert "source: first" in format_groups(result.groups("source"), "source")
    with pytest.raises(UsageError, match="have a field 'nothing'; queries have category"):
        result.groups("nothing")


def test_the_command_says_what_it_took_it_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sample = {"sample_id": "c", "qa": locomo_questions(), "conversation": sessions()}
    path = write(tmp_path / "locomo10.json", [sample])
    assert main(["evaluate", str(path), "--recipe", "bm25", "--measure", "RR", "--by", "category"]) == 0
    out = capsys.readouterr().out
    assert "locomo10.json (LoCoMo's conversations): 2 judged queries; 2 without judgments left out" in out
    assert "RR by category" in out
    assert "temporal" in out
    assert "1 turns are named as evidence" in out


def test_the_answers_of_a_collection_are_gold(tmp_path: Path) -> None:
    gold = read_gold(write(tmp_path / "xquad.en.json", squad()))
    assert gold["Who drew it?"] is gold["a1"]
    assert gold["a1"].answers == ("Ramelli",)
    (folder := tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="a BEIR folder, has no answers"):
        read_gold(beir(folder))
    write(
        folder / "answers.jsonl",
        [{"_id": "q0", "document": "d0", "start": 0, "text": "text"}, {"_id": "q1", "answers": ["a", "b"]}],
        lines=True,
    )
    assert read_gold(folder)["ask 1"].answers == ("a", "b")
    (folder / "answers.jsonl").write_text('{"_id": "q0", "decision": "yes"}\n')
    assert load_collection(folder).gold == {}, "a file of that name may be something else"
