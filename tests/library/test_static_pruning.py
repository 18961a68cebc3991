"""Passages that no query will want are left out of searches, told with reasons, and brought back; nothing else changes."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bookwheel
from bookwheel import Document, Library, LibraryDamaged, LibraryEmpty, UsageError
from bookwheel.documents.quality import Kind, estimate
from bookwheel.documents.repeats import Repeats
from bookwheel.library.copying import copy_library
from bookwheel.library.static_pruning.marks import Marks

WORDS = [f"{a}{b}" for a in ("bar", "cor", "dun", "fel", "gor", "hin", "jas", "kel", "lum", "mon") for b in "abcdefghijkl"]
LICENCE = (
    "Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following "
    "conditions are met: redistributions of source code must retain the above copyright notice, this list of conditions and the "
    "following disclaimer. THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AS IS AND ANY EXPRESS OR IMPLIED WARRANTIES ARE DISCLAIMED."
)
CONTENTS = "\n".join(f"{n}.{part} {word.title()} {17 * n + part}" for n in range(1, 7) for part, word in enumerate(WORDS[:4]))


def prose(number: int, words: int = 60) -> str:
    """Sentences with function words, none like those of another number."""
    dice = random.Random(number)
    small = ["the", "of", "and", "in", "is", "to", "a", "that"]
    text = [dice.choice(small) if at % 2 else dice.choice(WORDS) for at in range(words)]
    return " ".join(f"{word}." if at % 12 == 11 else word for at, word in enumerate(text))


MANUAL = f"{CONTENTS}\n\n{prose(20)}\n\n{prose(21)}"


def documents() -> list[Document]:
    """Six texts, of which the fourth is the first again, a licence, and a manual with its contents in front."""
    texts = {f"d{number}": prose(0 if number == 3 else number) for number in range(6)} | {"licence": LICENCE, "manual": MANUAL}
    return [Document(name, text, "", {"odd": len(name) % 2}) for name, text in texts.items()]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    made = bookwheel.open(tmp_path / "lib", create=True, encoder=None, words=70, language="english")
    made.add(documents())
    return made


OUT = {"d3": "repeats earlier passages", "licence": "licence or legal notice", "manual": "contents, index or list"}


def test_boilerplate_is_left_out_told_and_brought_back(library: Library) -> None:
    tried = library.prune(trial=True)
    assert (tried.judged, tried.pruned, tried.done, tried.emptied) == (10, 3, False, 2)
    assert library.generation == 1
    assert library.pruned() == []
    done = library.prune()
    assert dict(done.reasons) == dict(tried.reasons) == dict.fromkeys(OUT.values(), 1)
    assert {one.id: one.reason for one in library.pruned()} == OUT
    assert [one.id for one in library.pruned(2)] == ["d3", "licence"]
    info = library.info()
    assert (info.documents, info.passages, info.pruned_passages) == (8, 7, 3)
    assert (info.unjudged_passages, info.removed_passages) == (0, 0)
    assert library.search("redistribution") == []
    assert library.search("redistribution", where="odd = 1") == []
    assert library["licence"].text == LICENCE, "the document stays"
    assert library.find_all("Redistribution and use").documents == 1, "every place of a phrase is found"
    assert library.find_all("Redistribution and use", where="odd = 1").documents == 1
    assert library.pruned_among([library["licence"].first, library["d0"].first]) == {library["licence"].first: OUT["licence"]}
    assert library.check() == []
    assert library.restore() == 3
    assert (library.info().pruned_passages, library.passage_count, library.restore()) == (0, 10, 0)
    assert [one.id for one in library.search("redistribution")] == ["licence"]
    assert library.check() == []
    assert not list((library.path / "pruned").iterdir()), "what nobody names is swept away"


def test_the_ranking_is_as_if_they_were_not_there(library: Library, tmp_path: Path) -> None:
    library.prune()
    with bookwheel.open(tmp_path / "other", create=True, encoder=None, words=70, language="english") as other:
        other.add([document for document in documents() if document.id not in OUT])
        other.add([Document("manual", MANUAL.removeprefix(CONTENTS).strip())])
        for query in ("bara corb", "redistribution of the fela", "kelc monl hina", "gora"):
            one, two = library.rank_documents([query], k=10), other.rank_documents([query], k=10)
            assert [name for name, _ in one[0]] == [name for name, _ in two[0]]
            np.testing.assert_allclose([s for _, s in one[0]], [s for _, s in two[0]], rtol=1e-6)


def test_they_stay_left_out_over_changes_and_go_with_their_documents(library: Library) -> None:
    library.prune()
    library.compact()
    library.add([Document("new", prose(50)), Document("licence", LICENCE.replace("conditions", "terms"))])
    info = library.info()
    assert (info.passages, info.pruned_passages, info.unjudged_passages) == (9, 2, 2), "a new version is another passage"
    library.remove("manual")
    library.compact()
    assert {one.id for one in library.pruned()} == {"d3"}
    assert library.check() == []
    again = library.prune()
    assert (again.judged, again.pruned, library.info().unjudged_passages) == (8, 2, 0), (
        "the last run takes the place of the first"
    )
    assert library.restore() == 2
    assert library.passage_count == 8


@pytest.mark.parametrize("encoder", [None, "static"])
def test_a_compaction_frees_their_room_and_they_come_back(tmp_path: Path, encoder: str | None) -> None:
    library = bookwheel.open(tmp_path / "lib", create=True, encoder=encoder, unit="document")
    library.add([Document(f"d{number}", prose(number % 7)) for number in range(20)])
    library.add_encoder("own", lambda texts: np.array([[len(text), text.count("a"), 1] for text in texts], np.float32))
    library.embed("own")
    recipes = ["bm25", "own"] if encoder is None else ["bm25", "dense", "own"]
    before = {recipe: dict(library.rank_documents([prose(2)[:60]], k=20, recipe=recipe)[0]) for recipe in recipes}
    assert library.prune().pruned == 13
    masked = {recipe: dict(library.rank_documents([prose(2)[:60]], k=20, recipe=recipe)[0]) for recipe in recipes}
    size = sum(bytes_ for name, bytes_ in library.info().disk.items() if "/" in name)
    library.compact()
    assert sum(bytes_ for name, bytes_ in library.info().disk.items() if "/" in name) < size
    assert [entry.passages for entry in library._snapshot.manifest.segments] == [7]
    for recipe in recipes:
        assert dict(library.rank_documents([prose(2)[:60]], k=20, recipe=recipe)[0]) == pytest.approx(masked[recipe], rel=1e-5)
    assert library.find_all(prose(2)[:30]).documents == 3, "found though no index has two of them"
    assert (library.info().pruned_passages, len(library.pruned()), library.check()) == (13, 13, [])
    assert library.prune(1 / 20).pruned == 1, "what the last run left out and this one does not is back"
    assert (library.passage_count, library.check()) == (19, [])
    assert library.restore() == 1
    library.embed("own")
    for recipe in recipes:
        assert dict(library.rank_documents([prose(2)[:60]], k=20, recipe=recipe)[0]) == pytest.approx(before[recipe], rel=1e-3)
    assert library.check() == []


@settings(max_examples=6, deadline=None)
@given(
    steps=st.lists(st.sampled_from(["add", "again", "remove", "prune", "share", "compact", "restore"]), min_size=3, max_size=8)
)
def test_whatever_is_done_each_passage_is_searched_or_left_out(
    steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with bookwheel.open(tmp_path_factory.mktemp("steps") / "lib", create=True, encoder=None, unit="document") as library:
        there: dict[str, str] = {}
        for number, step in enumerate(steps):
            if step in ("add", "again"):
                text = prose(number if step == "add" else 0)
                some = {f"{step}{number}": text, f"{step}{number}b": LICENCE}
                library.add([Document(name, one) for name, one in some.items()])
                there |= some
            elif step == "remove" and there:
                name = sorted(there)[number % len(there)]
                library.remove(name)
                del there[name]
            elif step == "prune":
                library.prune()
            elif step == "share" and there:
                library.prune(0.4)
            elif step == "compact":
                library.compact()
            elif step == "restore":
                library.restore()
                assert library.passage_count == len(there)
            info = library.info()
            assert info.passages + info.pruned_passages == len(there) == info.documents
        assert len(library.pruned()) == library.info().pruned_passages
        assert library.check() == []
        library.restore()
        assert library.check() == []
        found = {name for name in there if library.search(there[name], k=100)}
        assert found == set(there)
        assert {one.id for text in set(there.values()) for one in library.search(text, k=100)} == set(there)


def test_of_a_share_the_likeliest_go_and_ordinary_ones_are_told(library: Library) -> None:
    few = library.prune(0.2)
    assert (few.pruned, few.warning) == (2, "")
    many = library.prune(0.6)
    assert (many.pruned, many.ordinary, many.signs) == (6, 3, 3)
    assert "only 3 of 10 passages show a sign of boilerplate" in many.warning
    assert "43 % of all such" in many.warning
    assert set(OUT) <= {one.id for one in library.pruned()}
    for share in (0, 1, -1, 2, float("nan"), "much"):
        with pytest.raises(UsageError, match=r"as in 25%"):
            library.prune(share)


def test_readers_keep_what_they_opened(library: Library) -> None:
    with bookwheel.open(library.path) as reader:
        assert reader.search("redistribution")
        library.prune()
        library.prune(0.1)
        assert reader.search("redistribution"), "its generation has it"
        reader.refresh()
        assert {one.id for one in reader.pruned()} <= set(OUT)


def test_what_an_interruption_left_is_swept(library: Library) -> None:
    marks = Marks(np.array([1], np.int64), np.array([1], np.uint8), np.array([1.0], np.float32))
    marks.write(library.path, 5)  # and then the process ends
    with bookwheel.open(library.path) as after:
        assert after.passage_count == 10
        after.add(["one more text"])
        assert not list((library.path / "pruned").iterdir())


def test_a_copy_has_them_and_damage_is_named(library: Library, tmp_path: Path) -> None:
    library.prune()
    copy_library(library, tmp_path / "copy")
    with bookwheel.open(tmp_path / "copy") as copy:
        assert {one.id for one in copy.pruned()} == set(OUT)
        assert copy.check() == []
    (file,) = (tmp_path / "copy" / "pruned").glob("*/passages.npy")
    file.chmod(0o644)
    data = bytearray(file.read_bytes())
    file.unlink()  # the copy's own file, not the library's
    data[-3] ^= 1
    file.write_bytes(data)
    with bookwheel.open(tmp_path / "copy") as copy:
        problems = copy.check()
        assert any("does not match its checksum" in one for one in problems)
        assert any("--undo" in one for one in problems)
        assert copy.restore() >= 0
        assert copy.check() == []
    library.prune()
    file = next((library.path / "pruned").glob("*/passages.npy"))
    file.write_bytes(file.read_bytes()[:-8])
    with bookwheel.open(library.path) as broken, pytest.raises(LibraryDamaged, match="pruned"):
        broken.passage_count  # noqa: B018


def test_a_library_of_nothing_but_boilerplate_says_how_to_have_it_back(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "all", create=True, encoder=None) as library:
        with pytest.raises(UsageError):
            library.prune(0.0)
        assert library.prune().pruned == 0
        library.add([Document("a", LICENCE)])
        library.prune()
        with pytest.raises(LibraryEmpty, match="--undo"):
            library.search("redistribution")


def test_what_is_all_of_a_document_is_no_boilerplate_around_it(tmp_path: Path) -> None:
    with bookwheel.open(tmp_path / "records", create=True, encoder=None) as library:
        library.add([Document(f"r{number}", f"{number} 12 {number}", f"Lamp {number}") for number in range(20)])
        library.add(
            [Document(f"none{number}", "There is no description yet.", f"Table {chr(97 + number)}") for number in range(20)]
        )
        library.add([Document("towns", "\n".join(f"Town{n}    {n * 1000}" for n in range(40)))])
        found = library.prune()
        assert (found.judged, found.pruned) == (41, 0), "each has a title of its own, or is nothing but a list"
        library.add([Document(f"same{number}", prose(1), "One title") for number in range(3)])
        assert [one.id for one in (library.prune(), library.pruned())[1]] == ["same1", "same2"]


# -- what is judged by --------------------------------------------------------------------------------------------------


def naive(texts: list[str], size: int = 5) -> list[float]:
    """The share of each text's shingles that earlier ones have, by sets."""
    seen: set[tuple[str, ...]] = set()
    found = []
    for text in texts:
        words = text.lower().split()
        own = {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}
        found.append(len(own & seen) / max(1, len(own)))
        seen |= own
    return found


def test_shares_of_what_was_said_are_near_those_counted_by_sets() -> None:
    dice = random.Random(3)
    texts = []
    for _ in range(300):
        one = [dice.choice(WORDS) for _ in range(200)]
        if texts and dice.random() < 0.5:
            cut = dice.randrange(1, 200)
            one[:cut] = dice.choice(texts).split()[:cut]
        texts.append(" ".join(one))
    repeats = Repeats(len(texts), 1 << 24)
    found = np.concatenate([repeats.shares(texts[at : at + 64]) for at in range(0, len(texts), 64)])
    error = np.abs(found - naive(texts))
    assert error.mean() < 0.03
    assert error.max() < 0.3
    small = Repeats(10_000_000, 1 << 20)
    assert small.nbytes <= 1 << 20
    assert small.shares([texts[0], texts[1], texts[0]]).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    "text",
    [
        "第二次世界大战是一次自1939年至1945年所爆发的全球军事冲突,整场战争涉及到全球绝大多数的国家。",
        "Page 7 of the manual",
        "ein Satz",
    ],
)
def test_numbers_and_case_do_not_tell_copies_apart(text: str) -> None:
    other = text.upper().replace("1939", "1940").replace("7", "8")
    assert Repeats(10, 1 << 16).shares([text, "something else, quite another thing", other]).tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("text", ["", "\x00", "12 34 56", "\ud800", "a" * 100_000, "…" * 9_000, "\n\n\n", "𠀀𠀁" * 50])
def test_any_text_is_judged(text: str) -> None:
    assert np.isfinite(estimate(text, "english").odds)
    assert np.isfinite(Repeats(1, 1 << 16).shares([text, text])).all()


def test_prose_of_any_language_is_ordinary() -> None:
    german = (
        "Die Wanderung der Zugvögel beginnt im Herbst, wenn die Tage kürzer werden und das Futter im Norden nicht mehr reicht. "
        * 2
    )
    chinese = "候鸟在秋天开始迁徙,因为白天变短,北方的食物也不再够吃。它们飞过山和海,在温暖的地方过冬。" * 3
    english = (
        "The migration of birds begins in the autumn, when days are short and there is no food left for them in the north. " * 2
    )
    for text, language in ((german, "german"), (chinese, None), (english, "english")):
        assert estimate(text, language).odds < 0
    assert estimate(LICENCE, "english").kind == Kind.LICENCE
    assert estimate(CONTENTS, "english").kind == Kind.LISTED
    assert estimate("Previous page | Up | Next page | Contents | Index | Search | Home", "english").kind == Kind.NAVIGATION
    assert estimate("Page 12", "english").kind == Kind.EMPTY
    assert estimate(LICENCE, "english").odds > 0 > estimate(f"{english}\n\n{LICENCE}", "english").odds, (
        "there is something to read"
    )
