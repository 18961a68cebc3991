"""A draft whose numbers or dates have changed places is no stored sentence, however they are written."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookwheel.read.binding import Binder
from bookwheel.read.derivation import follows
from bookwheel.read.evidence import Evidence
from bookwheel.read.tokens import tokens_of

ENGLISH = [
    "5",
    "5 million",
    "5 billion",
    "5  thousand",
    "twenty",
    "twenty-one",
    "twenty two",
    "5½",
    "5th",
    "12,500",
    "6k",
    "five\nhundred",
]
DATES = ["7 February 1812", "7 March 1870", "February 9, 1812", "9 March", "1812-02-08", "2 May 1812", "1812"]
WRITTEN = {
    "The mill of Emm cost {}, and that of Orr cost {} euros.": ENGLISH,
    "The {} floor of the tower has {} rooms and {} doors.": ENGLISH,
    "Sales were {} euros in 2014 and {} euros in 2015.": ENGLISH,
    "The person was born on {} and died on {}.": DATES,
    "In {}, Holt sold the mill that Brun built in {}.": DATES,
    "The siege lasted from {} to {}.": DATES,
    "Die Stadt hatte {} Einwohner, das Land {} und der Kreis {}.": [
        "5", "5 Millionen", "5 Milliarden", "5 million", "5 billion", "fünf", "7,5", "5½", "5 Tausend",
    ],
    "Der Vertrag gilt vom {} bis zum {}.": ["7. März 1870", "7. Februar 1812", "7 April 1812", "7 August 1870", "1.5.1990"],
    "La ciudad tenía {} habitantes y el país {} en total.": ["5 millones", "5 mil millones", "5 mil", "5 million", "cinco", "5½"],
    "El sitio duró del {} al {} sin pausa.": ["7 de marzo de 1870", "7 de febrero de 1812", "7 April 1812", "7 August 1870"],
    "La ville avait {} habitants et le pays {} en tout.": ["5 millions", "5 milliards", "5 mille", "5 billion", "cinq", "5½"],
    "Le siège dura du {} au {} sans trêve.": ["7 mars 1870", "7 février 1812", "1er mai 1812", "7 April 1812", "7 August 1870"],
}  # fmt: skip


class Words:
    """A collection without a library: words are their own terms."""

    def terms(self, text: str) -> list[tuple[int, int, tuple[str, ...]]]:
        return [(0, 0, (word.strip(".,?").lower(),)) for word in text.split() if len(word) > 3]

    def idf(self, terms: list[str]) -> dict[str, float]:
        return dict.fromkeys(terms, 1.0)


@st.composite
def exchanged(draw: st.DrawFn) -> tuple[str, str]:
    """A stored sentence, and the same with its numbers in another order."""
    frame = draw(st.sampled_from(sorted(WRITTEN)))
    slots = frame.count("{}")
    values = draw(st.lists(st.sampled_from(WRITTEN[frame]), min_size=slots, max_size=slots, unique=True))
    orders = [order for order in permutations(values) if list(order) != values]
    return frame.format(*values), frame.format(*draw(st.sampled_from(orders)))


@given(exchanged(), st.sampled_from(["", " The rest of the text is about it."]))
@settings(max_examples=300, deadline=None)
def test_numbers_that_changed_places_are_never_quoted(pair: tuple[str, str], rest: str) -> None:
    stored, draft = pair
    text = stored + rest
    one = Evidence(1, 1, "a", "", "", "", text, 0, len(text))
    claims = Binder(Words(), "Who knows?", [one]).bind(draft)  # type: ignore[arg-type]
    assert claims
    for claim in claims:
        if claim.status in ("quoted", "supported"):
            assert " ".join(claim.text.split()) in " ".join(text.split())  # a piece before or behind the numbers
    if len(claims) == 1:
        assert claims[0].status == "altered"


@given(exchanged())
@settings(max_examples=100, deadline=None)
def test_where_they_restate_the_question_the_stored_sentence_is_shown(pair: tuple[str, str]) -> None:
    stored, draft = pair
    one = Evidence(1, 1, "a", "", "", "", stored, 0, len(stored))
    for claim in Binder(Words(), draft.rstrip(".") + "?", [one]).bind(draft):  # type: ignore[arg-type]
        assert claim.status in ("altered", "unsupported") or " ".join(claim.text.split()) in " ".join(stored.split())


@given(
    st.lists(st.sampled_from([*ENGLISH, *DATES, "and", "-", ",", "the", "%", "don’t", "1990s", "m", "鷺は", "½"]), max_size=12)
)
@settings(max_examples=300, deadline=None)
def test_a_token_has_all_that_is_written_of_it(pieces: list[str]) -> None:
    text = " ".join(pieces)
    for token in tokens_of(text):
        assert token.text == " ".join(text[token.start : token.end].split())


@pytest.mark.parametrize(
    ("stored", "draft", "note"),
    [
        ("The city paid 5 million euros.", "The city paid 5 billion euros.", "it says 5 billion where the text has 5 million"),
        ("He died in Emm on 7 March 1870.", "He died in Emm on 7 May 1870.", "it says 7 May 1870 where the text has 7 March 1870"),
        ("He lost in the 90th minute.", "He lost in the 90 minute.", "it says 90 where the text has 90th"),
        ("It fell by 5 and rose by 9.", "It fell by 9 and rose by 5.", "the text has these numbers or dates in another order"),
        ("Of men 5 lived.", "Of 5 men 5 died.", "the text does not say “died” there"),
    ],
)  # fmt: skip
def test_the_note_has_numbers_and_dates_in_full(stored: str, draft: str, note: str) -> None:
    one = Evidence(1, 1, "a", "", "", "", stored, 0, len(stored))
    [claim] = Binder(Words(), "What is the case?", [one]).bind(draft)  # type: ignore[arg-type]
    assert (claim.status, claim.note) == ("altered", note)


@pytest.mark.parametrize(
    ("stored", "draft"),
    [
        ("L’eau de la rivière coûte 5 euros.", "L'eau de la rivière coûte 5 euros."),
        ("Wie geht’s dem Turm von Emm?", "Wie geht's dem Turm von Emm?"),
        ("Es kostet 5\nmillion Euro im Jahr.", "Es kostet 5 million Euro im Jahr."),
        ("The pole is 5' long.", "The pole is 5 long."),
        ("The pole is 5\" long.", "The pole is 5' long."),
    ],
)  # fmt: skip
def test_kinds_of_apostrophes_and_white_space_make_no_other_sentence(stored: str, draft: str) -> None:
    one = Evidence(1, 1, "a", "", "", "", stored, 0, len(stored))
    [claim] = Binder(Words(), "x", [one]).bind(draft)  # type: ignore[arg-type]
    if stored.endswith("?"):
        assert claim.note == "it is a question"
    else:
        assert (claim.status, claim.text) == ("quoted", " ".join(stored.split()))


@pytest.mark.parametrize(
    ("stored", "draft", "status"),
    [
        (", the drug is safe. It was tested.", "The drug is safe.", "supported"),
        (", , the drug is safe.", "The drug is safe.", "supported"),
        ("Dr. Lee was born in 1852 (?).", "Dr. Lee was born in 1852.", "altered"),
        ("The drug was tested on 5 " + "million " * 800 + "mice.", "The drug was tested on mice.", "altered"),
        ("The drug was tested on mice.", "The drug was tested on 5 " + "million " * 800 + "mice.", "unsupported"),
    ],
    ids=["comma", "commas", "doubted", "millions", "drafted"],
)  # fmt: skip
def test_odd_sentences_are_bound_or_not(stored: str, draft: str, status: str) -> None:
    one = Evidence(1, 1, "a", "", "", "", stored, 0, len(stored))
    claims = Binder(Words(), "What is the case?", [one]).bind(draft)  # type: ignore[arg-type]
    assert [claim.status for claim in claims] == [status], claims
    assert all("asks" not in claim.note for claim in claims)


@given(
    st.lists(
        st.sampled_from([",", "the", "drug", "is", "safe", "and", "(", ")", "?", "who", "5", "in", "1990", "."]), max_size=9
    )
)
@settings(max_examples=200, deadline=None)
def test_any_words_are_compared(words: list[str]) -> None:
    stored = " ".join(words)
    for claim in ("The drug is safe.", " ".join(words[2:]), " ".join(words[:-2])):
        for loosely in (False, True):
            follows(tokens_of(claim), tokens_of(stored), loosely=loosely)
