"""Which paths a change concerns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bookwheel.serve.concerned import Concerned

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")


def concerned(folder: Path, *changed: str, ignored: tuple[Path, ...] = (), hidden: bool = False) -> set[str]:
    found = Concerned(folder, ignored, hidden)
    found.look()
    return {path.removeprefix(f"{folder}/") for path in found.paths(f"{folder}/{name}" for name in changed)}


def test_a_library_is_ignored_however_it_is_spelled(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    (folder / "lib").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    for one, other in ((folder, tmp_path / "link"), (tmp_path / "link", folder), (folder, folder)):
        assert concerned(one, "lib/writer.lock", "lib", "libs", ignored=(other / "lib",)) == {"libs"}


def test_other_libraries_are_ignored(tmp_path: Path) -> None:
    for name in ("sub/other", "half"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "manifest.json").touch()
    (tmp_path / "sub" / "other" / "documents.sqlite").touch()
    changed = "sub/other/writer.lock", "sub/other/segments/000001/terms", "sub/a.txt", "half/a.txt"
    assert concerned(tmp_path, *changed) == {"sub/a.txt", "half/a.txt"}


def test_hidden_paths_are_ignored_unless_they_are_read(tmp_path: Path) -> None:
    folder = tmp_path / ".notes" / "files"  # that it is in a hidden folder itself says nothing
    folder.mkdir(parents=True)
    changed = ".a.txt", ".b/c.txt", "d/.e/f.txt", "g.txt", ".gitignore", "h/.gitignore", ".git/index", ".b/.git/index"
    assert concerned(folder, *changed) == {"g.txt", ".gitignore", "h/.gitignore"}
    assert concerned(folder, *changed, hidden=True) == set(changed) - {".git/index", ".b/.git/index"}
    assert Concerned(folder).paths([str(folder)]) == {str(folder)}


def test_links_change_with_what_they_lead_to(tmp_path: Path) -> None:
    for name in (".store/3/in", "build", "seen"):
        (tmp_path / name).mkdir(parents=True)
    for name in (".store/r.txt", ".store/3/in/a.txt", "build/b.txt"):
        (tmp_path / name).touch()
    links = {"note.txt": ".store/r.txt", "current": ".store/3", "seen/again.txt": "../build/b.txt", ".hid.txt": "build/b.txt"}
    for name, target in links.items():
        (tmp_path / name).symlink_to(target)
    assert concerned(tmp_path, ".store/r.txt") == {"note.txt"}
    assert concerned(tmp_path, ".store/3/in/a.txt") == {"current/in/a.txt"}
    assert concerned(tmp_path, "current/in/a.txt") == {"current/in/a.txt"}
    assert concerned(tmp_path, ".store") == {"note.txt", "current"}
    assert concerned(tmp_path, "build/b.txt") == {"build/b.txt", "seen/again.txt"}
    assert concerned(tmp_path, "elsewhere.txt") == {"elsewhere.txt"}


def test_links_that_come_later_are_known(tmp_path: Path) -> None:
    (tmp_path / ".store").mkdir()
    (tmp_path / ".store" / "r.txt").touch()
    found = Concerned(tmp_path)
    found.look()
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "note.txt").symlink_to("../.store/r.txt")
    assert found.paths([f"{tmp_path}/new"]) == {f"{tmp_path}/new"}
    assert found.paths([f"{tmp_path}/.store/r.txt"]) == {f"{tmp_path}/new/note.txt"}
