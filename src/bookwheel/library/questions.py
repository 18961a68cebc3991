"""What is asked of a library in words: questions, conversations, every mention of a phrase, summaries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from .._errors import UsageError
from .._numbers import real, whole
from ..read.answer import Answer
from ..read.answering import Event
from ..read.options import AskOptions, checked_context
from .opened import Opened
from .query_texts import asked
from .search_options import with_options

if TYPE_CHECKING:
    from ..read.conversation import Turn
    from .conversation import Conversation
    from .conversations import ConversationInfo
    from .mentions import Mentions, Together

__all__ = ["Questions"]


class Questions(Opened):
    """The part of a reader that answers."""

    @with_options(AskOptions)
    def ask(self, question: str, options: AskOptions) -> Answer:
        """An answer to ``question`` from the documents, every quote of it stored text, or a refusal with its reason.

        ``ask(question, model=None, *, …)``: see `AskOptions`. Without a model the answer quotes. Raises `QueryError`,
        `FilterError`, `RecipeError`, `LibraryEmpty`, `ModelError`, `UsageError`.
        """
        from ..read.asking import ask
        from .asking import LibraryCollection

        self._searcher.refuse_empty()
        return ask(LibraryCollection(self._searcher), asked(question), options)

    @with_options(AskOptions)
    def ask_events(self, question: str, options: AskOptions) -> Iterator[Event]:
        """What happens while `ask` answers: the evidence first, then a model's draft as it is written, last the `Answer`."""
        return self._asked(question, options)

    def _asked(self, question: str, options: AskOptions, turns: Sequence[Turn] = ()) -> Iterator[Event]:
        from ..read.asking import ask_events
        from .asking import LibraryCollection

        self._searcher.refuse_empty()
        return ask_events(LibraryCollection(self._searcher), asked(question), options, turns)

    def conversation(self, name: str) -> Conversation:
        """The conversation ``name``, kept in the library: ``library.conversation("trip").ask("And in winter?")``.

        Raises `UsageError` for what is no name.
        """
        from .conversation import Conversation

        return Conversation(self, name)

    def conversations(self) -> list[ConversationInfo]:
        """The conversations that are kept, the one continued last first."""
        from .conversations import Conversations

        return Conversations(self.path).names()

    def forget_conversations(self, names: str | Sequence[str] | None = None) -> int:
        """Delete the conversations ``names``, or all, from the disk; returns how many questions they had.

        Raises `UsageError` for a name that is none, deleting nothing.
        """
        from .conversations import Conversations

        return Conversations(self.path).forget([names] if isinstance(names, str) else names)

    def find_all(
        self,
        phrases: str | Sequence[str],
        *,
        where: str | None = None,
        together: Together = "all",
        exact: bool = False,
    ) -> Mentions:
        """Every document that mentions ``phrases``, with every place: exact counts over the whole collection, no top ten.

        A phrase is words in a row, each fitting as in a search (*panel* fits *Panels*), or with ``exact`` only itself. Of
        several phrases a document must have all, or any (``together="any"``). Raises `QueryError`, `FilterError`,
        `LibraryEmpty`.
        """
        from .mentions import Mentions

        self._searcher.refuse_empty()
        wanted: list[Any] = list(phrases) if isinstance(phrases, list | tuple) else [phrases]
        return Mentions(self._snapshot, wanted, where=where, together=together, exact=exact)

    def summarise(
        self,
        names: str | Sequence[str] = (),
        *,
        where: str | None = None,
        sentences: int = 5,
        words: int | None = None,
        query: str = "",
        hidden: bool = False,
        model: Any = None,
        calls: int = 16,
        seconds: float | None = None,
        context: int | None = None,
        unsupported: Literal["omit", "mark"] = "omit",
    ) -> Answer:
        """The sentences that say most of what documents say, each an exact quote with its place, in the order of the text.

        ``names``: ids, files or folders; ``where``: a filter; of both, what meets both. At most ``sentences``, and ``words``
        where given; with a ``query`` the summary is about that.

        With a ``model`` (see `AskOptions.model`) it is written: the passages are summed up group by group, then the groups, in at
        most ``calls`` prompts and ``seconds`` (300), each within ``context`` tokens; every sentence is bound to stored text as in
        `ask`, and where too little is supported, the extractive summary stands. Raises `InputError`, `FilterError`,
        `UsageError`, `LibraryEmpty`.
        """
        from ..read.summary import SummaryOptions
        from ..read.written_summary import SummaryWriting
        from .summarising import summarise, wanted

        self._searcher.refuse_empty()
        for name, value, least in (("sentences", sentences, 1), ("words", words, 1), ("calls", calls, 1)):
            if value is not None and whole(value, name) < least:
                raise UsageError(f"{name} must be a whole number of {least} or more, not {value!r}")
        given = [names] if isinstance(names, str) else list(names)
        numbers = wanted(self._searcher, given, where)
        what = ", ".join(given[:3]) + (f" and {len(given) - 3} more" if len(given) > 3 else "") if given else f"where {where}"
        if unsupported not in ("omit", "mark"):
            raise UsageError(f"unsupported must be 'omit' or 'mark', not {unsupported!r}")
        limit = None if seconds is None else real(seconds, "seconds")
        context = None if context is None else checked_context(context)
        writing = None if model is None else SummaryWriting(model, calls, limit, unsupported, words, context)
        options = SummaryOptions(sentences, words, query.strip())
        return summarise(self._searcher, numbers, what, options, hidden=hidden, writing=writing)
