"""Conversations in JSON: a list of turns, each with who said it and what, as text with a paragraph for each turn."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["CHAT_NAMES", "chat_text", "is_chat"]

CHAT_NAMES = ("messages", "conversation", "conversations", "turns", "dialog", "dialogue", "mapping")
"""Fields that hold the turns: of chat models, ShareGPT's, and ChatGPT's export (``mapping``)."""

_WHO = ("role", "from", "author", "speaker", "user", "name", "sender")
_WHAT = ("content", "value", "text", "message", "body", "utterance")
_MAX_DEPTH = 6


def is_chat(value: object) -> bool:
    """Whether ``value`` is a list of turns, or a mapping of them, of which the first with a text has a speaker too."""
    return any(who for who, _ in _turns(value))


def chat_text(value: object) -> str:
    """The turns: ``user: What is a kite?``, a blank line between them."""
    return "\n\n".join(f"{who}: {text}" if who else text for who, text in _turns(value))


def _turns(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):  # ChatGPT's export: nodes by their id, in the order of the conversation
        value = [node.get("message") for node in value.values() if isinstance(node, dict)]
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            text = next((found for name in _WHAT if (found := _said(item.get(name)))), "")
            if text:
                yield next((found for name in _WHO if (found := _named(item.get(name)))), ""), text


def _named(value: object) -> str:
    if isinstance(value, dict):
        value = value.get("role") or value.get("name")
    return " ".join(value.split())[:100] if isinstance(value, str) else ""


def _said(value: object, depth: int = 0) -> str:
    """A text, or the texts of a list of parts."""
    if isinstance(value, str):
        return value.strip()
    if depth > _MAX_DEPTH:
        return ""
    if isinstance(value, dict):
        value = [value[name] for name in ("text", "parts", "content") if name in value][:1]
    if isinstance(value, list):
        return "\n".join(part for item in value if (part := _said(item, depth + 1)))
    return ""
