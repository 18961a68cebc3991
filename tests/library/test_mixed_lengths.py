"""Passages of all languages are of about the same length to BM25, so that none loses where they are mixed."""

from __future__ import annotations

from pathlib import Path

import bookwheel
from bookwheel.analysis.languages import language_of
from bookwheel.analysis.library_analyzer import Held, most_documents

CHINESE = "风筝在湖上飞得很高孩子们在岸边看着它们慢慢落下来然后大家一起回家吃晚饭"
ENGLISH = "Kites fly high over the lake while children watch from the shore, and then they all walk home to dinner."
NAMES = (
    "Three-time Booker winner and Pulitzer Prize nominee Jane Harper wrote the opening speech, while Pulitzer Prize winner "
    "Robert Shaw provided the British Sign Language translation."
)


def mean_length(path: Path, text: str) -> float:
    with bookwheel.open(path, create=True, encoder=None) as library:
        library.add([{"id": str(n), "text": f"{text} {text}"} for n in range(5)])
        return library._snapshot.average_length


def test_a_pair_of_characters_is_half_a_word(tmp_path: Path) -> None:
    assert abs(mean_length(tmp_path / "zh", CHINESE) - len(CHINESE)) <= 2  # two texts of so many pairs
    assert mean_length(tmp_path / "en", ENGLISH) == 28  # words that are no stop words


def test_rankings_do_not_depend_on_how_passages_come(tmp_path: Path) -> None:
    texts = [f"{CHINESE}{n}" for n in range(8)] + [f"{ENGLISH} {n}" for n in range(8)]
    found = []
    for name, step in (("a", 16), ("b", 3)):
        with bookwheel.open(tmp_path / name, create=True, encoder=None) as library:
            for at in range(0, 16, step):
                library.add([{"id": str(n), "text": texts[n]} for n in range(at, min(at + step, 16))])
            library.compact()
            results = [library.search(query, k=20, recipe="bm25") for query in ("风筝在湖上", "kites over the lake")]
            found.append([[(result.id, round(result.score, 6)) for result in some] for some in results])
    assert found[0] == found[1]


def test_what_is_of_no_language_does_not_go_by_one_that_its_script_tells() -> None:
    assert most_documents({"chinese": Held(9, 9), "english": Held(3, 3), "": Held(4, 4)}) == "english"
    assert most_documents({"chinese": Held(9, 9), "korean": Held(3, 3), "": Held(4, 4)}) is None
    assert most_documents({"welsh": Held(9, 9), "english": Held(3, 3)}) is None


def test_a_sentence_of_names_is_in_its_language() -> None:
    assert language_of(NAMES) == "english"
    assert (
        language_of("Ulysses Grant, Carla Moss, Dora Vane, River Shield, Laurel, Academy, Herons, Otters, Bruno Kent " * 2)
        is None
    )
