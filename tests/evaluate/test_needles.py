"""Needle tests: what is hidden can be found, is scored exactly, and what was answered is kept."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from bookwheel._errors import InputError, ModelError, UsageError
from bookwheel.evaluate.needles import KINDS, Filler, filler, heat_map, needle_test, smoke_test
from bookwheel.evaluate.needles.haystack import build
from bookwheel.evaluate.needles.kinds.base import stands
from bookwheel.evaluate.needles.reading import selected
from bookwheel.evaluate.needles.text import estimated
from bookwheel.evaluate.proportions import newcombe, wilson

NUMBER = r"(\d{4,9})"


class Reader:
    """A model that says what a function makes of the text and the question."""

    name = "reader"

    def __init__(self, say: Callable[[str, str], str]) -> None:
        self.say = say
        self.calls = 0

    def generate(self, prompts, *, system="", max_tokens=128, stop=(), deadline=None):
        self.calls += len(prompts)
        return [self.say(*re.search(r"(?s)after it\.\n\n(.*)\n\nQuestion: (.*?) Answer with", one).groups()) for one in prompts]

    def count_tokens(self, texts):
        return estimated(texts)

    def close(self) -> None: ...


def words_of(count: int, seed: int = 0) -> str:
    """Sentences of made-up words, without digits."""
    draw = random.Random(seed)
    letters = "abcdefghijklmnoprstuvw"

    def sentence() -> str:
        return " ".join("".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(12)).capitalize() + "."

    return " ".join(sentence() for _ in range(count))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text")
    for number in range(2):
        (path / f"{number}.txt").write_text(words_of(600, number), encoding="utf-8")
    (path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    return path


@pytest.fixture(scope="module")
def text(folder: Path) -> Filler:
    return filler(folder, 10_000)


def solve(kind: str, text: str, question: str) -> str:
    """The answer that a careful reader gives, from the text and the question alone."""
    magic = re.compile(rf"[Tt]he special magic number for the ([a-z]+ [a-z]+) (?:is|has changed and is now) {NUMBER}\.")
    if kind == "several":
        return ", ".join(number for key, number in magic.findall(text) if key in question)
    if kind == "threaded":
        signs = dict(re.findall(r"The sign on the ([a-z]+ [a-z]+) points to the ([a-z]+ [a-z]+)\.", text))
        key = re.search(r"Begin at the ([a-z]+ [a-z]+)", question)[1]
        while key in signs:
            key = signs[key]
        return dict(magic.findall(text))[key]
    if kind == "variables":
        value, names = re.search(r"value (\d+)", question)[1], set()
        for name, given in re.findall(r"VAR ([A-Z]+) = (\d+|VAR [A-Z]+)\.", text):
            if given == value or given.removeprefix("VAR ") in names:
                names.add(name)
        return " ".join(sorted(names))
    if kind == "facts":
        team = re.search(
            rf"{re.search(r'which ([A-Z][a-z]+)', question)[1]} works in the team called ([A-Z]\w+ [A-Z]\w+)\.", text
        )[1]
        room = re.search(rf"The team called {team} meets in room (\d+)\.", text)[1]
        return re.search(rf"The telephone in room {room} has the number (\d+)\.", text)[1]
    if kind == "moves":
        thing = re.search(r"was the ([a-z]+ [a-z]+) carried", question)[1]
        return re.findall(rf"Then the {thing} was carried to shelf (\d+)\.", text)[-1]
    key = re.search(r"number for the ([a-z]+ [a-z]+)", question)[1]
    if kind == "conflict":
        return " or ".join(re.findall(rf"number for the {key} is (\d+)", text))
    return [number for name, number in magic.findall(text) if name == key][-1]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_answered_from_the_text_alone(kind: str, text: Filler) -> None:
    for depth in (0.0, 0.4, 1.0):
        for repeat in range(3):
            stack = build(KINDS[kind], text, 2048, depth, repeat, 7, estimated)
            answer = solve(kind, stack.text, stack.task.question)
            assert stack.task.right(f"I think it is {answer}."), (answer, stack.task)
            assert not stack.task.right("I do not know.")
            assert all(stack.text.count(one.text) == 1 for one in stack.task.hidden)
            assert stack.held(stack.text) == 1
            assert stack.held("") == 0
            main = stack.task.hidden[stack.task.main].text
            place = stack.text.index(main) / (len(stack.text) - len(main))
            assert abs(place - depth) < 0.12, (depth, place)
            assert sum(estimated([stack.text])) <= 2048
            assert sum(estimated([stack.text])) > 1500


def test_what_misleads_is_wrong_and_half_of_it_is_half(text: Filler) -> None:
    wrong = build(KINDS["correction"], text, 1024, 0.5, 0, 0, estimated).task
    assert not wrong.right(f"It was {wrong.unwanted[0]} and is now {wrong.wanted[0]}")
    assert wrong.right(wrong.wanted[0])
    several = build(KINDS["several"], text, 1024, 0.5, 0, 0, estimated).task
    assert several.found(" ".join(several.wanted[:2])) == 0.5
    assert not several.right(" ".join(several.wanted[:3]))


def test_a_number_stands_in_an_answer_only_as_a_whole() -> None:
    for answer in ("It is 4821907.", "4,821,907", "(4 821 907)", "is **4821907**", "4.821.907!", "4821907"):
        assert stands("4821907", answer), answer
    for answer in ("14821907", "48219071", "4821907.5", "4821 907", "482190", "", "x4821907"):
        assert not stands("4821907", answer), answer
    assert stands("ABCDE", "VAR abcde, FGHIJ")
    assert not stands("ABCDE", "ABCDEF")


def test_the_same_seed_hides_the_same_and_another_hides_others(text: Filler) -> None:
    one, same, other = (build(KINDS["single"], text, 1024, 0.5, 0, seed, estimated) for seed in (0, 0, 1))
    assert one == same
    assert one.task != other.task
    later = build(KINDS["single"], text, 1024, 1.0, 0, 0, estimated)
    assert later.text[:800] == one.text[:800], "the text before the needles is the same at every depth"


def test_a_reader_of_everything_gets_everything_right(text: Filler) -> None:
    by_question = {}

    def say(whole: str, question: str) -> str:
        for kind in KINDS:
            try:
                by_question[kind] = solve(kind, whole, question)
            except (TypeError, KeyError, IndexError):
                continue
        return solve(current[0], whole, question)

    for kind in KINDS:
        current = [kind]
        report = needle_test(text, model=Reader(say), lengths=[1024, 2048], kinds=[kind], depths=3, repeats=1)
        assert [cell.share for cell in report.cells()] == [1.0, 1.0], kind
        assert all(one.error == "" for one in report.outcomes)


def test_the_middle_is_lost_or_is_not(text: Filler) -> None:
    def forgetful(whole: str, question: str) -> str:
        edge = len(whole) // 4
        ends = whole[:edge] + whole[-edge:]
        try:
            return solve("single", ends, question)
        except IndexError:
            return "It is not said."

    given = {"lengths": [1024], "kinds": ["single"], "depths": 11, "repeats": 4}
    lost = needle_test(text, model=Reader(forgetful), **given)
    (middle,) = lost.middles()
    assert middle.verdict == "shown"
    assert middle.middle[0] < middle.middle[1]
    kept = needle_test(text, model=Reader(lambda whole, question: solve("single", whole, question)), **given)
    assert kept.middles()[0].verdict == "refuted" or kept.middles()[0].primacy[1] >= 0.1
    assert "shown" in str(lost)
    few = needle_test(text, model=Reader(forgetful), lengths=[1024], kinds=["single"], depths=3, repeats=1)
    assert few.middles()[0].verdict == "open", "three questions decide nothing"


def test_it_goes_on_where_it_was(text: Filler, tmp_path: Path) -> None:
    def stops(whole: str, question: str) -> str:
        if model.calls > 4:
            raise KeyboardInterrupt
        return solve("single", whole, question)

    model = Reader(stops)
    file = tmp_path / "kept" / "results.jsonl"
    given = {"lengths": [1024], "kinds": ["single"], "depths": 5, "repeats": 2, "results": file}
    with pytest.raises(KeyboardInterrupt):
        needle_test(text, model=model, **given)
    assert len(file.read_text().splitlines()) == 4
    with file.open("a") as opened:
        opened.write('{"key": "cut o')
    again = Reader(lambda whole, question: solve("single", whole, question))
    report = needle_test(text, model=again, **given)
    assert (again.calls, len(report.outcomes), report.cells()[0].share) == (6, 10, 1.0)
    assert any("4 of 10 results were kept" in note for note in report.said)
    third = Reader(lambda whole, question: "no")
    assert needle_test(text, model=third, **given).cells()[0].share == 1.0
    assert third.calls == 0
    other = Reader(lambda whole, question: "no")
    assert needle_test(text, model=other, **{**given, "depths": 1}, seed=5).cells()[0].share == 0.0
    file.write_text('{"key": 1}\n{}\n')
    with pytest.raises(InputError, match="results.jsonl:1 is no result"):
        needle_test(text, model=other, **given)


def test_nonsense_is_told_and_failures_end_it_with_what_there_is(text: Filler) -> None:
    given = {"lengths": [1024], "kinds": ["single"], "depths": 5, "repeats": 2}
    nonsense = needle_test(text, model=Reader(lambda whole, question: "Fish, fish, and fish."), **given)
    assert nonsense.cells()[0].share == 0
    assert any("no digit" in sentence for sentence in nonsense.said)

    def breaks(whole: str, question: str) -> str:
        if model.calls > 2:
            raise ModelError("the server is gone; start it")
        return "7"

    model = Reader(breaks)
    report = needle_test(text, model=model, **given)
    assert (len(report.outcomes), report.cells()[0].failed) == (5, 3)
    assert any("5 of 10 questions were not asked" in sentence for sentence in report.said)
    assert any("the server is gone" in sentence for sentence in report.said)
    model = Reader(breaks)
    model.calls = 10
    with pytest.raises(ModelError, match="the server is gone"):
        needle_test(text, model=model, **given)


def test_a_recipe_selects_the_needle_out_of_a_long_text(text: Filler) -> None:
    model = Reader(lambda whole, question: solve("single", whole, question))
    report = needle_test(text, model=model, recipe="bm25", context=1024, lengths=[8192], kinds=["single"], depths=2, repeats=1)
    (cell,) = report.cells()
    assert (cell.share, cell.held) == (1.0, 1.0)
    assert all(one.tokens <= 1024 for one in report.outcomes)
    alone = needle_test(text, recipe="bm25", context=1024, lengths=[8192], kinds=["single"], depths=2, repeats=1)
    assert alone.cells()[0].share == 1.0
    assert alone.cells()[0].found is None
    stack = build(KINDS["several"], text, 8192, 0.5, 0, 0, estimated)
    small = selected(stack.text, stack.task.question, "bm25", 150, estimated)
    assert sum(estimated([small])) <= 150
    assert stack.held(small) < 1, "four needles in different passages do not fit into one"


def test_a_minute_is_kept(text: Filler) -> None:
    report = smoke_test(text, model=Reader(lambda whole, question: "1234567"), lengths=[512, 1024], seconds=30)
    assert report.lengths == (512, 1024)
    assert len(report.outcomes) == report.planned == 24
    with pytest.raises(ModelError, match="not one question"):
        smoke_test(text, model=Reader(lambda whole, question: "1"), lengths=[512], seconds=0.0)


def test_wrong_wishes_are_told_in_a_sentence(text: Filler, tmp_path: Path) -> None:
    model = Reader(lambda whole, question: "1")
    with pytest.raises(UsageError, match="a length of 150 tokens has no room"):
        needle_test(text, model=model, lengths=[150])
    with pytest.raises(UsageError, match="no kind of needle test 'double'"):
        needle_test(text, model=model, kinds=["double"])
    with pytest.raises(UsageError, match="name a model"):
        needle_test(text)
    with pytest.raises(UsageError, match="between 0 and 1"):
        needle_test(text, model=model, depths=[1.5])
    with pytest.raises(UsageError, match="between 1 and"):
        needle_test(text, model=model, lengths=[0])
    (tmp_path / "little.txt").write_text("Only this.", encoding="utf-8")
    with pytest.raises(InputError, match=r"has only \d+ tokens of text and 4,096 are needed"):
        needle_test(tmp_path, model=model, lengths=[4096])
    with pytest.raises(InputError, match="neither a library nor a file or folder"):
        needle_test(tmp_path / "nothing", model=model)
    model.context = 2048  # type: ignore[attr-defined]
    report = needle_test(text, model=model, lengths=[1024, 8192], kinds=["single"], depths=1, repeats=1)
    assert report.lengths == (1024,)
    assert any("8,192" in sentence for sentence in report.said)
    with pytest.raises(UsageError, match="every length is longer"):
        needle_test(text, model=model, lengths=[8192])
    with pytest.raises(UsageError, match="cannot select 4,096"):
        needle_test(text, model=model, recipe="bm25", context=4096, lengths=[8192])


def test_intervals_are_those_of_the_papers() -> None:
    assert wilson(5, 10) == pytest.approx((0.236593, 0.763407), abs=1e-6)
    assert wilson(0, 10) == pytest.approx((0.0, 0.277533), abs=1e-6)
    assert wilson(0, 0) == (0.0, 1.0)
    assert newcombe(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=5e-5), "Newcombe's table II, (a), method 10"
    assert newcombe(9, 10, 3, 10) == pytest.approx((0.1705, 0.8090), abs=5e-5), "(b)"
    assert newcombe(10, 10, 0, 20) == pytest.approx((0.6791, 1.0), abs=5e-5), "(g)"


def test_the_picture_has_every_cell_and_escapes_names(text: Filler) -> None:
    report = needle_test(
        text, model=Reader(lambda whole, question: "1"), lengths=[512, 1024], kinds=["single"], depths=3, repeats=1
    )
    object.__setattr__(report, "text", "<script>&\"'")
    drawn = heat_map(report)
    ET.fromstring(drawn)
    assert drawn.count(">0/1<") == 6
    assert "<script>" not in drawn


def test_text_of_a_library_of_a_folder_and_of_python(folder: Path, tmp_path: Path) -> None:
    import bookwheel

    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index([folder / "0.txt"])
        found = filler(library, 1000)
    assert found.text.split()[:5] == (folder / "0.txt").read_text().split()[:5]
    by_path = filler(tmp_path / "library", 1000)
    assert by_path.digest == found.digest
    assert filler(None, 10_000).total > 10_000


@pytest.mark.slow
def test_a_real_model_finds_a_needle(text: Filler) -> None:
    from bookwheel.language import writer

    try:
        model = writer("smollm2")
    except ModelError as error:
        pytest.skip(f"SmolLM2 is not installed: {error}")
    report = needle_test(text, model=model, lengths=[512], kinds=["single"], depths=3, repeats=1)
    assert report.cells()[0].right >= 2
