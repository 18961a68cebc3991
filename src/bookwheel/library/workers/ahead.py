"""Documents on their way through the workers: they go in and come out in order, a few batches at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from ..pending import NewDocument
from .analysis import Analysed
from .pool import Failed, Pool, Terms

__all__ = ["LARGE", "Ahead"]

DOCUMENTS, CHARACTERS = 512, 1 << 19
"""Of a batch, at most."""
LARGE = 1 << 20
"""Characters of a document from which on it is analysed in this process, in pieces."""
EACH = 2
"""Batches that a worker has at a time: one that it analyses, and the next."""


@dataclass(slots=True)
class _Batch:
    documents: list[NewDocument] = field(default_factory=list)
    characters: int = 0
    actions: list[Callable[[], None]] = field(default_factory=list)
    """To be called once all of them have been taken in."""
    answer: Future[tuple[Terms, Analysed]] | None = None


class Ahead:
    """Sends documents to the workers of ``pool``, and calls ``take`` with what comes back, in the order of `add`.

    A document with which a worker ends twice goes to ``lose``. Where no worker can be started, ``take_alone`` takes it.
    """

    def __init__(
        self,
        pool: Pool,
        take: Callable[[Sequence[NewDocument], Terms, Analysed], None],
        take_alone: Callable[[NewDocument], None],
        lose: Callable[[NewDocument, str], None],
    ) -> None:
        self._pool = pool
        self._take, self._take_alone, self._lose = take, take_alone, lose
        self._open = _Batch()
        self._sent: deque[_Batch] = deque()

    @property
    def ready(self) -> bool:
        """Whether a worker has started."""
        return self._pool.ready

    @property
    def broken(self) -> bool:
        """Whether none can be."""
        return self._pool.broken

    def __bool__(self) -> bool:
        return bool(self._open.documents or self._sent)

    def add(self, new: NewDocument) -> None:
        """Send a document, with others, and take in what has come back meanwhile."""
        self._open.documents.append(new)
        self._open.characters += len(new.document.text) + len(new.document.title)
        if len(self._open.documents) >= DOCUMENTS or self._open.characters >= CHARACTERS:
            self._send()
            while self._sent and (len(self._sent) > EACH * self._pool.count or _done(self._sent[0])):
                self._receive()

    def after_added(self, action: Callable[[], None]) -> None:
        """Call ``action`` once every document given to `add` so far has been taken in."""
        if self._open.documents:
            self._open.actions.append(action)
        elif self._sent:
            self._sent[-1].actions.append(action)
        else:
            action()

    def drain(self) -> None:
        """Take in everything that is on its way."""
        self._send()
        while self._sent:
            self._receive()

    def close(self) -> None:
        """End the workers; what is on its way is lost."""
        self._pool.close()

    def _send(self) -> None:
        if self._open.documents:
            batch, self._open = self._open, _Batch()
            batch.answer = self._pool.submit([new.document for new in batch.documents])
            self._sent.append(batch)

    def _receive(self) -> None:
        batch = self._sent.popleft()
        assert batch.answer is not None
        try:
            terms, found = batch.answer.result()
        except Failed as failed:
            self._again(batch.documents, failed)
        else:
            self._take(batch.documents, terms, found)
        for action in batch.actions:
            action()

    def _again(self, documents: Iterable[NewDocument], failed: Failed) -> None:
        """Analyse documents one by one, after a worker ended with them: it may be one of them that ended it."""
        with self._pool.alone() as analyse:
            for new in documents:
                if failed.ending is None:
                    self._take_alone(new)
                    continue
                try:
                    terms, found = analyse([new.document])
                except Failed as again:
                    if again.ending is None:
                        failed = again
                        self._take_alone(new)
                    else:
                        self._lose(new, again.ending.shown)
                else:
                    self._take([new], terms, found)


def _done(batch: _Batch) -> bool:
    return batch.answer is not None and batch.answer.done()
