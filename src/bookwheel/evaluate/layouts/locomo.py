"""LoCoMo (Maharana et al., "Evaluating Very Long-Term Conversational Memory of LLM Agents", ACL 2024): conversations of many sessions,
with questions whose evidence are turns of them.

Both layouts are read: ``locomo10.json``, a list of samples with ``conversation`` and ``qa``, and the first release, a file a
conversation with its sessions beside ``qa``. A turn is a document, named CONVERSATION/D3:7. All conversations are one collection, which
is harder than to search each for its own questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..._errors import InputError
from ...documents.document import Document
from ..answers.base import Gold
from ..collection import Collection
from ..judgments import Qrels, Queries
from .base import JsonFile, Place, text_value

__all__ = ["Locomo"]

KINDS = {1: "multi-hop", 2: "temporal", 3: "open-domain", 4: "single-hop", 5: "adversarial"}
"""What the numbers of ``category`` mean. The last kind has no answer."""
_SESSION = re.compile(r"session_(\d+)$")
_TURN = re.compile(r"D:?(\d+):(\d+)")


class Locomo:
    """A file of conversations, or a folder of such files."""

    name = "LoCoMo's conversations"
    looks = "LoCoMo's JSON (conversations with qa)"

    def recognises(self, place: Place) -> bool:
        """``qa`` with a ``conversation``, or with a ``session_1``."""
        return bool(_files(place))

    def load(self, place: Place, split: str, field: str) -> Collection:
        """Turns as documents, and the questions with evidence among them."""
        files = _files(place)
        queries: Queries = {}
        qrels: Qrels = {}
        gold: dict[str, Gold] = {}
        fields: dict[str, dict[str, str]] = {}
        missing = 0
        seen: set[str] = set()
        for name, where, conversation, questions in _conversations(files):
            if name in seen:
                raise InputError(f"{where}: there are two conversations {name!r:.80}; each must have a name of its own")
            seen.add(name)
            turns = {f"D{turn[0]}:{turn[1]}": one for turn, one, _ in _turns(conversation, where)}
            for number, question in enumerate(questions, 1):
                text = question.get("question") if isinstance(question, dict) else None
                if not isinstance(text, str):
                    raise InputError(f"{where}: question {number} has no question")
                query = f"{name}/q{number}"
                queries[query] = text
                kind = KINDS.get(question.get("category"), "")
                fields[query] = {"conversation": name, **({"category": kind} if kind else {})}
                cited = [
                    f"D{int(a)}:{int(b)}" for one in _list(question.get("evidence")) for a, b in _TURN.findall(text_value(one))
                ]
                missing += sum(one not in turns for one in cited)
                found = [one for one in dict.fromkeys(cited) if one in turns]
                answer = text_value(question.get("answer"))
                answerable = kind != "adversarial" and bool(answer)
                gold[query] = Gold(
                    (answer,) if answerable else (), evidence=tuple(_words(turns[one]) for one in found if answerable)
                )
                if found and answerable:
                    qrels[query] = {f"{name}/{one}": 1 for one in found}
        if not qrels:
            raise InputError(f"{place.path} has no question whose evidence is a turn of its conversation")
        notes = (f"{missing} turns are named as evidence that the conversations do not have",) if missing else ()
        return Collection(
            place.name, queries, qrels, read=lambda: _documents(files), kind=self.name, gold=gold, fields=fields, notes=notes
        )


def _files(place: Place) -> list[JsonFile]:
    return [one for one in place.json_with("qa") if "conversation" in one.first or "session_1" in one.first]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _conversations(files: list[JsonFile]) -> Iterator[tuple[str, str, Mapping[str, Any], list[Any]]]:
    """Name, place, sessions and questions of each."""
    for file in files:
        for where, record in file.records():
            if not isinstance(record, dict) or not isinstance(record.get("qa"), list):
                raise InputError(f"{where}: expected a conversation with qa")
            conversation = record.get("conversation", record)
            if not isinstance(conversation, dict):
                raise InputError(f"{where}: conversation is no object")
            yield text_value(record.get("sample_id")) or file.path.name.split(".")[0], where, conversation, record["qa"]


def _turns(conversation: Mapping[str, Any], where: str) -> Iterator[tuple[tuple[int, int], Mapping[str, Any], str]]:
    """Session and place, the turn, and when it was said."""
    for key, session in conversation.items():
        match = _SESSION.match(key)
        if match is None or not isinstance(session, list):
            continue
        when = text_value(conversation.get(f"{key}_date_time"))
        for at, turn in enumerate(session, 1):
            if not isinstance(turn, dict) or not isinstance(turn.get("text"), str):
                raise InputError(f"{where}: turn {at} of {key} has no text")
            named = _TURN.match(text_value(turn.get("dia_id")))
            yield (int(named[1]), int(named[2])) if named else (int(match[1]), at), turn, when


def _words(turn: Mapping[str, Any]) -> str:
    """What was said, and what the picture shows that came with it."""
    caption = text_value(turn.get("blip_caption"))
    speaker = text_value(turn.get("speaker"))
    said = f"{speaker}: {turn['text']}" if speaker else str(turn["text"])
    return f"{said} [picture: {caption}]" if caption else said


def _documents(files: list[JsonFile]) -> Iterator[Document]:
    for name, where, conversation, _ in _conversations(files):
        for (session, at), turn, when in _turns(conversation, where):
            metadata: dict[str, Any] = {"conversation": name, "session": session, "speaker": text_value(turn.get("speaker"))}
            yield Document(
                id=f"{name}/D{session}:{at}",
                text=_words(turn),
                title=when,
                metadata={**metadata, **({"when": when} if when else {})},
            )
