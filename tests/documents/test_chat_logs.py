"""Conversations kept as JSON are documents, with a paragraph for each turn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bookwheel import Document
from bookwheel.documents.paths import Source, walk
from bookwheel.documents.read import read

TURNS = [
    {"role": "user", "content": "What is a kite?"},
    {"role": "assistant", "content": [{"type": "text", "text": "A bird."}]},
]
SHOWN = "user: What is a kite?\n\nassistant: A bird."
MAPPING = {
    "1": {"message": None},
    "2": {"message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["What is a kite?"]}}},
    "3": {"message": {"author": {"role": "assistant"}, "content": {"parts": ["A bird."]}}},
}


def documents(path: Path, text: str) -> list[Document]:
    path.write_text(text)
    (source,) = walk([path])
    assert isinstance(source, Source)
    return [item for item in read(source) if isinstance(item, Document)]


@pytest.mark.parametrize(
    "value",
    [
        {"messages": TURNS},
        {"conversations": [{"from": "user", "value": "What is a kite?"}, {"from": "assistant", "value": "A bird."}]},
        {"title": "Kites", "mapping": MAPPING},
        {"id": "7", "messages": TURNS, "model": "x"},
    ],
)
def test_conversations(tmp_path: Path, value: dict[str, object]) -> None:
    (one,) = documents(tmp_path / "a.json", json.dumps(value, indent=1))
    assert (one.text, one.title) == (SHOWN, value.get("title", "a"))
    assert one.metadata == ({"model": "x"} if "model" in value else {})  # what was said is text
    for name, text in (("b.jsonl", f"{json.dumps(value)}\n" * 2), ("c.json", json.dumps([value, value]))):
        found = documents(tmp_path / name, text)
        assert [item.text for item in found] == [SHOWN] * (1 if "id" in value else 2)


def test_a_list_of_turns_is_one_conversation(tmp_path: Path) -> None:
    (one,) = documents(tmp_path / "a.json", json.dumps(TURNS))
    assert one.text == SHOWN


def test_other_records_with_such_fields_are_what_they_were(tmp_path: Path) -> None:
    (one,) = documents(tmp_path / "a.jsonl", '{"text": "a kite", "messages": 7}\n')
    assert (one.text, one.metadata) == ("a kite", {"messages": 7})
    (two,) = documents(tmp_path / "b.json", '{"messages": {"hello": "Hallo"}, "content": 1}')
    assert two.kind == "code"
    assert documents(tmp_path / "c.jsonl", '{"messages": "none"}\n') == []
