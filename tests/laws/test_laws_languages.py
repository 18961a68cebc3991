"""Laws of libraries in several languages: what was added when never matters, nor how often it was committed and merged."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document
from bookwheel.analysis.languages import language_of

ENGLISH = [
    "The dogs were running over the hills, and they jumped into the river near the old mill that is in the village.",
    "A library of the town has been open to the public for as long as there was a school, and it is full of children.",
    "There is no such thing as a free lunch, but the houses by the sea are not as expensive as they were in the war.",
]
GERMAN = [
    "Die Häuser der alten Stadt sind von den Bürgern gebaut worden und stehen noch heute in der Mitte am Fluss.",
    "In der Bibliothek sind die Bücher nicht so alt wie das Haus, aber der Krieg hat auch dort seine Spuren gelassen.",
    "Wenn die Hunde über die Wiese laufen, ist der Bauer nicht zu Hause, und auch die Kinder sind nicht auf dem Hof.",
]
SPANISH = [
    "Las casas de la ciudad vieja no son tan caras como las que se construyen ahora en la costa, pero tienen más luz.",
    "Los perros corrían por el campo y los niños de la escuela los miraban desde la ventana que da a la calle.",
]
CHINESE = ["我喜欢在图书馆里喝茶，也喜欢猫。", "这座城市有很多老房子。"]
UNDECIDED = ["hello worlds", "running dogs", "Häuser", "John Smith", "1.2.3 2020-01-01", "casas", "houses houses house"]
TEXTS = ENGLISH + GERMAN + SPANISH + CHINESE + UNDECIDED
QUERIES = [
    "run jump dog", "world", "haus", "Häuser im Krieg", "die", "war", "casa", "perros de la escuela", "house by the sea", "図書館",
    "图书馆", "smith 2020", "hunde kinder dogs children",
]  # fmt: skip


def test_the_texts_are_what_they_are_meant_to_be() -> None:
    found = [language_of(text) for text in TEXTS]
    assert found == ["english"] * 3 + ["german"] * 3 + ["spanish"] * 2 + ["chinese"] * 2 + [None] * len(UNDECIDED)


def rankings(library: Any) -> list[dict[str, float]]:
    """For each query the documents found with their scores."""
    return [dict(library.rank_documents([query], k=100, recipe="bm25")[0]) for query in QUERIES]


def made_at_once(folder: Path, texts: dict[str, str]) -> list[dict[str, float]]:
    with bookwheel.open(folder, create=True, encoder=None, unit="document") as library:
        library.add([Document(name, text, "") for name, text in sorted(texts.items())])
        return rankings(library)


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("add"), st.lists(st.tuples(st.integers(0, 11), st.integers(0, len(TEXTS) - 1)), min_size=1, max_size=6)
        ),
        st.tuples(st.just("remove"), st.integers(0, 11)),
        st.tuples(st.just("compact"), st.none()),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_a_library_ranks_by_what_is_in_it(steps: list[tuple[str, Any]]) -> None:
    """Adding, replacing, removing and compacting in any order: as if made at once of what is left."""
    folder = Path(tempfile.mkdtemp())
    try:
        alive: dict[str, str] = {}
        with bookwheel.open(folder / "steps", create=True, encoder=None, unit="document") as library:
            for step, what in steps:
                if step == "add":
                    library.add([Document(f"d{name}", TEXTS[text], "") for name, text in what])
                    alive |= {f"d{name}": TEXTS[text] for name, text in what}
                elif step == "remove" and f"d{what}" in alive:
                    library.remove([f"d{what}"])
                    del alive[f"d{what}"]
                elif step == "compact":
                    library.compact()
            if alive:
                expected = made_at_once(folder / "once", alive)
                for query, ours, theirs in zip(QUERIES, rankings(library), expected, strict=True):
                    assert ours == pytest.approx(theirs, rel=1e-5), query
            assert library.check() == []
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("seed", range(4))
def test_any_order_of_adding(seed: int, tmp_path: Path) -> None:
    """One document a commit, in a shuffled order, so that segments merge and the majority changes."""
    texts = {f"d{n}": text for n, text in enumerate(TEXTS)}
    order = sorted(texts)
    Random(seed).shuffle(order)
    with bookwheel.open(tmp_path / "shuffled", create=True, encoder=None, unit="document") as library:
        for name in order:
            library.add([Document(name, texts[name], "")])
        assert library.check() == []
        found = rankings(library)
    for query, ours, theirs in zip(QUERIES, found, made_at_once(tmp_path / "once", texts), strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5), query


def test_one_language_ranks_as_if_it_had_been_named(tmp_path: Path) -> None:
    """Names and numbers first, English after: the same scores as with ``language="english"``."""
    texts = [*UNDECIDED, *ENGLISH]
    found = []
    for name, given_language in (("told", {"language": "english"}), ("found", {})):
        with bookwheel.open(tmp_path / name, create=True, encoder=None, unit="document", **given_language) as library:
            for number, text in enumerate(texts):
                library.add([Document(f"d{number}", text, "")])
            found.append(rankings(library))
    assert found[0] == found[1]
    assert found[0][QUERIES.index("world")]


def test_vectors_stay_with_their_passages(tmp_path: Path) -> None:
    """A change of the majority writes segments anew; their vectors come along."""
    with bookwheel.open(tmp_path / "dense", create=True, unit="document") as library:
        library.add([Document("names", "hello worlds", ""), Document("numbers", "running dogs", "")])
        before = library.rank_documents(["a greeting to the planet"], k=2, recipe="dense")[0]
        library.add([Document(f"e{n}", text, "") for n, text in enumerate(ENGLISH)])
        after = dict(library.rank_documents(["a greeting to the planet"], k=9, recipe="dense")[0])
        assert all(after[name] == pytest.approx(score, abs=1e-3) for name, score in before)
        assert [name for name, _ in library.rank_documents(["world"], k=9, recipe="bm25")[0]] == ["names"]
        assert library.check() == []


def test_words_are_marked_in_the_language_that_a_text_is_indexed_in(tmp_path: Path) -> None:
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.add([Document(str(number), text) for number, text in enumerate(ENGLISH + GERMAN)])

    def marked(query: str) -> set[tuple[str, str]]:
        return {
            ("deutsch" if r.text in GERMAN else "english", r.text[a:b]) for r in library.search(query) for a, b in r.highlights
        }

    assert marked("die war") == {("english", "war")}  # a noun there, the past of `sein` here
    assert ("english", "dogs") in marked("dog Hund")
    assert ("deutsch", "Hunde") in marked("dog Hund")
