"""docs/papers.md is what the code gives, what it names exists, and references are read in each form that the code has."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from bookwheel.cli.main import bookwheel

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "papers.md"
ROWS = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ") and "| paper |" not in line]


def tool(name: str) -> ModuleType:
    """A script of tools/ as a module, without a change to the path of modules."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


citing, merging = tool("paper_citations"), tool("paper_merging")
figures, places = tool("paper_figures"), tool("paper_places")


def test_the_page_is_what_the_code_gives() -> None:
    done = subprocess.run(
        [sys.executable, "tools/papers.py", "--check"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_file_that_is_linked_exists() -> None:
    links = re.findall(r"\[`([^`]+)`\]\(\.\./(src/bookwheel/[^)]+)\)", "\n".join(ROWS))
    assert len(links) > 150
    for shown, target in links:
        assert target == f"src/bookwheel/{shown}"
        assert (ROOT / target).is_file(), target
    assert all("](../src/" in row for row in ROWS)


def test_every_section_that_is_linked_exists() -> None:
    toc = pytest.importorskip("markdown.extensions.toc")
    links = set(re.findall(r"\]\(([\w-]+\.md)#([^)]+)\)", "\n".join(ROWS)))
    assert len(links) > 20
    for page, anchor in links:
        text = re.sub(r"^```.*?^```", "", (ROOT / "docs" / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        used: set[str] = set()
        for heading in re.findall(r"^#{1,6} (.+)$", text, re.MULTILINE):
            toc.unique(toc.slugify(heading.replace("`", ""), "-"), used)
        assert anchor in used, f"{page}#{anchor}"


def test_every_command_that_is_named_exists() -> None:
    named = [row.split(" | ")[1] for row in ROWS]
    commands = {command for cell in named for command in re.findall(r"`bookwheel ([^`]+)`", cell)}
    assert len(commands) > 30
    for line in commands:
        words, group = line.split(), bookwheel
        while isinstance(group, click.Group):
            command = group.get_command(click.Context(group), words.pop(0))
            assert command is not None, line
            group = command
        options = {name for parameter in group.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_what_is_named_in_python_exists() -> None:
    names = set(re.findall(r"`(bookwheel\.[\w.]+)", "\n".join(row.split(" | ")[1] for row in ROWS)))
    assert names
    for dotted in names:
        module, _, name = dotted.rpartition(".")
        source = ROOT / "src" / Path(*module.split("."))
        text = (source / "__init__.py" if source.is_dir() else source.with_suffix(".py")).read_text(encoding="utf-8")
        assert re.search(rf"\b{name}\b", text), dotted


def test_every_name_of_a_registry_has_its_file() -> None:
    found = places.registered()
    assert {use.kind for uses in found.values() for use in uses} >= {"stage", "reading method", "training method", "measure"}
    missing = [file for file in [*found, *filter(None, places.FOLDERS)] if not (ROOT / "src" / "bookwheel" / file).exists()]
    assert missing == []


TEXTS = {
    'Broder, "On the resemblance" (1997), for it.': ("Broder", "On the resemblance", "1997"),
    "Broder, “On the resemblance” (1997)": ("Broder", "On the resemblance", "1997"),
    'as in Shao et al., "Iterative\n    synergy of two" (Findings of EMNLP 2023;\n    Iter-RetGen)': (
        "Shao et al.",
        "Iterative synergy of two",
        "Findings of EMNLP 2023",
    ),
    'De Cao and van den Oord, "One, Two: Three?", ACM TOIS 27(1), 2008, for any': (
        "De Cao and van den Oord",
        "One, Two: Three?",
        "ACM TOIS 2008",
    ),
    'Zhao et al., "GaLore: Training" (2024), https://arxiv.org/abs/2403.03507; more': (
        "Zhao et al.",
        "GaLore: Training",
        "2024",
    ),
    'Pradeep et al., "The Great Recall" (AutoNuggetizer, TREC 2024 RAG track), 2025': (
        "Pradeep et al.",
        "The Great Recall",
        "2025",
    ),
    'that Qiao et al. compare, "Understanding the Behaviors" (2019), this': (
        "Qiao et al.",
        "Understanding the Behaviors",
        "2019",
    ),
    "the usual distance (Damerau 1964, each part once)": ("Damerau", "", "1964"),
    "lists (SPANN, Chen et al., NeurIPS 2021)": ("Chen et al.", "", "NeurIPS 2021"),
    "after Gao & Long (SIGMOD 2024)": ("Gao and Long", "", "SIGMOD 2024"),
    "LoRA (Hu et al., https://arxiv.org/abs/2106.09685)": ("Hu et al.", "", "2021"),
}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:20])
def test_a_reference_is_read(text: str) -> None:
    (paper,) = merging.merged(list(citing.read_text(text)))
    assert (paper.authors, paper.title, paper.venue) == TEXTS[text]


def test_the_source_of_a_registry_needs_no_quotes() -> None:
    text = (
        "Sun et al., Is ChatGPT Good at Search?, EMNLP 2023 (RankGPT); Rackauckas, RAG-Fusion, 2024; Dai and Callan, SIGIR 2019"
    )
    first, second, third = merging.merged(list(citing.read_text(text, source=True)))
    found = {(one.authors, one.title, one.venue, *one.labels) for one in (first, second, third)}
    assert found == {
        ("Sun et al.", "Is ChatGPT Good at Search?", "EMNLP 2023"),
        ("Rackauckas", "", "2024", "RAG-Fusion"),
        ("Dai and Callan", "", "SIGIR 2019"),
    }


def test_dates_filters_and_numbers_are_no_references() -> None:
    for text in (
        "``7 February 2016``, ``February 7, 2016`` and ``7 February``",
        'only documents that match, for example year >= 2020 and author = "Ann"',
        "Office files before 2007: Word and Excel",
        "Mail in ISO-2022-JP, ISO-2022-KR or HZ",
        "of the first 2000 passages, and of Wikipedia 2024 none",
    ):
        assert list(citing.read_text(text)) == [], text


def test_references_to_one_paper_are_put_together() -> None:
    modules = {
        "a.py": '"""Gao et al., "Precise Zero-Shot Dense Retrieval without Relevance Labels" (2023, HyDE)."""',
        "b.py": '"""Citations (Gao et al., "Enabling Large Language Models to Cite", ALCE, 2023)."""',
        "c.py": 'SOURCES = ("Gao et al., HyDE, 2023", "ALCE (Gao et al., 2023)")',
        "d.py": '"""Read as text. Gao et al., "Precise Zero-Shot Dense Retrieval" (2023)."""',
        "e.py": "# as in Lin and Ma (2021), whose second\n# form it is; Lin and Ma, 2022, has another\n",
    }
    papers = merging.merged([one for file, text in modules.items() for one in citing.citations(text, file)])
    found = {(one.title, one.venue): sorted({citation.file for citation in one.citations}) for one in papers}
    assert found == {
        ("Precise Zero-Shot Dense Retrieval without Relevance Labels", "2023"): ["a.py", "c.py", "d.py"],
        ("Enabling Large Language Models to Cite", "2023"): ["b.py", "c.py"],
        ("", "2021"): ["e.py"],
        ("", "2022"): ["e.py"],
    }


def test_measured_is_a_figure_beside_the_name(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# Stages\n\n`fold()` gains +0.0100, `spell()` nothing.\n\n### fold\n\n"
        "- `fold()` against `hybrid`, nDCG@10: a -0.010; mean -0.0020 (a loss).\n"
        "- `fold(0.5)` against `hybrid`, nDCG@10: a +0.010; mean +0.0030.\n\n## Others\n\n"
        "`mmr()` takes 12 hits. `steer()` was not measured on 3.5 collections.\n\n"
        "```\n`rm3()` +0.5\n```\n\n| method | MB |\n|---|---:|\n| lora, plain | 2,024 |\n| `mezo` | 1 |\n",
        encoding="utf-8",
    )
    pages = figures.Figures(tmp_path, ["page.md"])

    def measured(name: str) -> list[tuple[str, str]]:
        return [(section.link, told) for section, told in pages.measured("page.md", name, code=True)]

    assert measured("fold") == [("page.md#fold", "nDCG@10 -0.0020 to +0.0030")]
    assert measured("lora") == [("page.md#others", "")]
    assert [measured(name) for name in ("mmr", "steer", "rm3", "mezo", "absent")] == [[]] * 5
