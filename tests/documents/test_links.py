"""Links: what is read anyway is read once; what is not is read under the name of the first link that leads to it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import bookwheel
from bookwheel.documents.paths import Skipped, Source, walk

FILE, FOLDER = "link to a file already read", "link to a folder already read"


def fill(root: Path, files: dict[str, str], links: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for name, target in links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    return root


def found(root: Path, pattern: str = "", **options: bool) -> tuple[list[str], Counter[str]]:
    items = list(walk([root / pattern], **options))
    names = [item.path[len(str(root)) + 1 :] for item in items if isinstance(item, Source)]
    return names, Counter(item.reason for item in items if isinstance(item, Skipped))


@pytest.mark.parametrize(
    ("files", "links", "read"),
    [
        # As Kubernetes mounts a ConfigMap.
        (["..2026_01/app.md"], {"..data": "..2026_01", "app.md": "..data/app.md"}, ["app.md"]),
        # As git-annex keeps large files.
        ([".git/annex/objects/ab/KEY"], {"sub/paper.txt": "../.git/annex/objects/ab/KEY"}, ["sub/paper.txt"]),
        ([".releases/3/a.txt", ".releases/3/b/c.txt"], {"current": ".releases/3"}, ["current/a.txt", "current/b/c.txt"]),
        (["build/out/a.txt"], {"latest": "build/out", "one.txt": "build/out/a.txt"}, ["latest/a.txt"]),
        (["sub/drop.log"], {"kept.txt": "sub/drop.log"}, ["kept.txt"]),
    ],
)
def test_what_is_skipped_is_read_under_the_name_of_a_link(
    tmp_path: Path, files: list[str], links: dict[str, str], read: list[str]
) -> None:
    root = fill(tmp_path / "in", dict.fromkeys(files, "an otter"), links)
    (root / ".gitignore").write_text("/build/\n*.log\n")
    assert found(root)[0] == read
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        assert library.index([root]).added == len(read)
        again = library.index([root])
        assert (again.added, again.unchanged, again.removed) == (0, len(read), 0)
        assert not library.all_gone(root)


def test_each_target_is_read_once(tmp_path: Path) -> None:
    files = dict.fromkeys((".hid/3/a.txt", ".hid/3/b.txt", ".hid/4/c.txt", "seen/d.txt"), "an otter")
    links = {
        "a.txt": ".hid/3/a.txt", "again.txt": ".hid/3/a.txt", "chain.txt": "again.txt", "current": ".hid/3", "d.txt": "seen/d.txt",
        "every": ".hid", "late.txt": ".hid/4/c.txt", "now": ".hid/3", "seen2": "seen", ".hid/3/up": "..", ".hid/4/self.txt": "c.txt",
    }  # fmt: skip
    names, reasons = found(fill(tmp_path, files, links))
    assert names == ["a.txt", "current/b.txt", "every/4/c.txt", "seen/d.txt"]
    # again.txt, chain.txt, current/a.txt, d.txt, late.txt and every/4/self.txt; every/3, now and seen2
    assert reasons == {FILE: 6, FOLDER: 3, "hidden": 1, "link loop": 1}


def test_with_hidden_files_the_real_ones_are_read(tmp_path: Path) -> None:
    root = fill(tmp_path, {".hid/a.txt": "otter", ".git/b.txt": "gull"}, {"a.txt": ".hid/a.txt", "b.txt": ".git/b.txt"})
    assert found(root, hidden=True) == ([".hid/a.txt", "b.txt"], Counter({"hidden": 1, FILE: 1}))


@pytest.mark.parametrize(
    ("pattern", "read"),
    [
        ("**/*.md", ["a.md", "b.md", "real/c.md"]),
        ("**", ["b.md", "files/a.txt", "real/c.md"]),
        ("[lz]*/**/*.md", ["link/c.md"]),
        ("r*/**", ["real/c.md"]),
    ],
)
def test_what_fails_a_pattern_is_not_read_already(tmp_path: Path, pattern: str, read: list[str]) -> None:
    files = {"files/a.txt": "otter", "real/c.md": "gull", "b.md": "kite"}
    links = {"a.md": "files/a.txt", "link": "real", "z.txt": "files/a.txt", "other.md": "b.md"}
    assert sorted(found(fill(tmp_path, files, links), pattern)[0]) == read


def test_what_is_no_document_is_none_by_a_link(tmp_path: Path) -> None:
    files = {"beir/corpus.jsonl": '{"_id": "1", "text": "x"}\n', "beir/queries.jsonl": '{"_id": "1", "text": "x"}\n'}
    files |= {"lib/manifest.json": "{}", "lib/documents.sqlite": "x"}
    links = {"asked.jsonl": "beir/queries.jsonl", "lib.json": "lib/manifest.json", "library": "lib"}
    names, reasons = found(fill(tmp_path, files, links))
    assert names == ["beir/corpus.jsonl"]
    assert reasons == {"queries of a BEIR collection": 2, "a bookwheel library": 3}


def test_links_out_of_the_folder_are_followed_once(tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside", {"o.txt": "otter", "deep/p.txt": "gull"}, {})
    links = {"a.txt": "../outside/o.txt", "b.txt": "../outside/o.txt", "c": "../outside", "d": "../outside/deep"}
    root = fill(tmp_path / "in", {}, links)
    assert found(root) == ([], Counter({"link out of the folder": 4}))
    assert found(root, follow_links=True) == (["a.txt", "c/deep/p.txt"], Counter({FILE: 2, FOLDER: 1}))
    assert outside.exists()


def test_a_file_read_by_a_link_is_not_taken_for_gone(tmp_path: Path) -> None:
    """Neither by a copy of it, which is a file of its own, nor where all that is left are links."""
    root = fill(tmp_path / "in", {".hid/a.txt": "the otter eats fish"}, {"a.txt": ".hid/a.txt"})
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        assert library.index([root]).added == 1
        (root / "copy.txt").write_text("the otter eats fish")
        report = library.index([root])
        assert (report.added, report.moved, report.unchanged, report.removed) == (1, 0, 1, 0)
        assert {document.source for document in library} == {f"{root}/a.txt", f"{root}/copy.txt"}
        (root / "copy.txt").rename(root / "later.txt")  # a link is left behind
        (root / "copy.txt").symlink_to("later.txt")
        report = library.index([root])
        assert (report.added, report.moved, report.unchanged + report.updated, report.removed) == (0, 1, 2, 0)
        (root / "a.txt").unlink()
        (root / "a.txt").symlink_to(".hid/nothing.txt")
        assert library.index([root]).removed == 1


def test_a_link_that_leads_to_another_file_now_is_read_again(tmp_path: Path) -> None:
    root = fill(tmp_path / "in", {".r/1/a.txt": "the otter", ".r/2/a.txt": "the gull flies"}, {"current": ".r/1"})
    with bookwheel.open(tmp_path / "library", create=True, encoder=None) as library:
        library.index([root])
        (root / "current").unlink()
        (root / "current").symlink_to(".r/2")
        assert library.index([root]).updated == 1
        assert [document.text for document in library] == ["the gull flies"]
