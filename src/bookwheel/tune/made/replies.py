"""The subject of a thread of mails as a query that its mails answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .drawn import Drawn
from .masking import plain_words
from .query import Draft, Taken
from .wording import is_name, one_line

__all__ = ["Replies"]

MOST = 30
"""Mails of a thread; a subject of more is a routine report."""
_ANSWER = r"(?:re|aw|sv|antw|odp|回复|答复)"
_NUMBER = r"\s*(?:\[\d+\]|\(\d+\))?\s*[:：]\s*"
_REPLY = re.compile(rf"{_ANSWER}{_NUMBER}", re.IGNORECASE)
_PREFIX = re.compile(rf"(?:(?:{_ANSWER}|fwd?|wg|vs|tr|rif){_NUMBER}|\[[^\[\]]{{1,40}}\]\s*)", re.IGNORECASE)


class Replies:
    """The subject is taken out of every mail of the thread. Only of threads in which somebody replied."""

    name = "replies"
    summary = "the subject of a thread of mails; its mails, without their subjects"
    source = "Weerkamp, Balog and de Rijke, Using Contextual Information to Improve Search in Email Archives (ECIR 2009)"
    needs = ""

    def drafts(self, drawn: Drawn) -> Iterator[Draft]:
        """See `Way.drafts`."""
        threads: dict[str, tuple[str, list[int], bool]] = {}
        for document in drawn.documents():
            if "message-id" not in document.metadata and "from" not in document.metadata:
                continue
            subject = bare_subject(document.title)
            if is_name(subject) or not drawn.wording.usable(subject):
                continue
            said, numbers, replied = threads.get(plain_words(subject), (subject, [], False))
            replied = replied or _REPLY.match(document.title.strip()) is not None
            threads[plain_words(subject)] = said, [*numbers, document.number], replied
        for subject, numbers, replied in threads.values():
            if replied and len(numbers) <= MOST:
                taken = {number: Taken(title=True, phrases=(subject,)) for number in numbers}
                yield Draft(subject, dict.fromkeys(numbers, 1), taken, f"subject of {len(numbers)} mails")


def bare_subject(title: str) -> str:
    """A subject without ``Re:``, ``Fwd:`` and names of lists before it."""
    title = one_line(title)
    while (found := _PREFIX.match(title)) is not None and found.end():
        title = title[found.end() :]
    return title
