"""Decoding token by token: an answer that goes round in circles is ended."""

from __future__ import annotations

from bookwheel.language.decoding import decoded, repeats
from bookwheel.language.protocols import Reply


def test_an_answer_that_repeats_itself_is_ended() -> None:
    circle = [5, 6, 7, 8]
    given = iter([1, 2, 3] + circle * 500)
    reply = Reply()
    text = "".join(
        decoded(
            lambda _: (next(given), 0.0),
            lambda ids: " ".join(map(str, ids)) + " ",
            lambda token: token == 0,
            most=1500,
            stop=(),
            deadline=None,
            reply=reply,
        )
    )
    assert text.startswith("1 2 3 5 6 7 8 ")
    assert len(text.split()) < 70
    assert any("repeated itself" in note for note in reply.notes)


def test_what_is_said_twice_or_for_short_is_no_circle() -> None:
    long = list(range(100))
    assert not repeats(long * 2)
    assert not repeats([1] * 47)
    assert repeats([1] * 48)
    assert repeats(long[:60] * 3)
    assert not repeats(list(range(2000)))
