"""`Library.index(folder, only=...)`: what is named is brought up to date as a look at the whole folder would, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

import bookwheel
from bookwheel.library import indexing


@pytest.fixture
def library(tmp_path: Path) -> bookwheel.Library:
    files = tmp_path / "files"
    (files / "sub" / "deep").mkdir(parents=True)
    for name in ("a.txt", "b.txt", "sub/c.txt", "sub/deep/d.txt", "sub.txt"):
        (files / name).write_text(f"The old words of {name}.")
    library = bookwheel.open(tmp_path / "library", create=True, encoder=None)
    library.index(files)
    return library


def names(library: bookwheel.Library, files: Path) -> set[str]:
    return {str(Path(one.source).relative_to(files)) for one in library}


def test_only_what_is_named_is_read_and_removed(library: bookwheel.Library, tmp_path: Path) -> None:
    files = tmp_path / "files"
    (files / "a.txt").write_text("The new words of a.")
    (files / "b.txt").write_text("The new words of b.")
    (files / "sub" / "c.txt").unlink()
    (files / "sub" / "deep" / "d.txt").unlink()
    (files / "sub" / "deep" / "e.txt").write_text("The new words of e.")
    report = library.index(files, only=[files / "a.txt", files / "sub" / "c.txt"])
    assert (report.files, report.updated, report.removed, report.unchanged) == (1, 1, 1, 0)
    assert "old words" in library[str(files / "b.txt")].text
    assert names(library, files) == {"a.txt", "b.txt", "sub/deep/d.txt", "sub.txt"}
    report = library.index(files, only=[files / "sub"])
    assert (report.added, report.removed) == (1, 1)
    assert names(library, files) == {"a.txt", "b.txt", "sub/deep/e.txt", "sub.txt"}
    whole = library.index(files)
    assert (whole.updated, whole.added, whole.removed) == (1, 0, 0)


def test_the_rules_of_the_folder_hold(library: bookwheel.Library, tmp_path: Path) -> None:
    files = tmp_path / "files"
    (files / ".gitignore").write_text("*.log\nsub/deep/\n")
    for name in ("x.log", ".hidden.txt", "sub/deep/new.txt"):
        (files / name).write_text("Words that nobody asked for.")
    (tmp_path / "outside.txt").write_text("Words from outside.")
    (files / "link.txt").symlink_to(tmp_path / "outside.txt")
    changed = [files / "x.log", files / ".hidden.txt", files / "sub" / "deep" / "new.txt", files / "link.txt"]
    report = library.index(files, only=[*changed, tmp_path / "outside.txt", "/nowhere/at/all", files / ".." / "outside.txt"])
    assert report.added == 0
    assert report.files == 0
    with pytest.raises(bookwheel.InputError):
        library.index(tmp_path / "not there", only=[files / "a.txt"])


def test_a_moved_file_is_known_by_its_content(library: bookwheel.Library, tmp_path: Path) -> None:
    files = tmp_path / "files"
    (files / "a.txt").rename(files / "sub" / "a.txt")
    report = library.index(files, only=[files / "sub" / "a.txt", files / "a.txt"])
    assert (report.moved, report.passages, report.removed) == (1, 0, 0)
    assert "sub/a.txt" in names(library, files)


def test_what_cannot_be_read_is_not_taken_for_gone(library: bookwheel.Library, tmp_path: Path, monkeypatch) -> None:
    from bookwheel.documents import paths

    files = tmp_path / "files"
    real = paths.os.stat

    def denied(path, *args, **options):
        if str(path).endswith("b.txt"):
            raise PermissionError(13, "no permission")
        return real(path, *args, **options)

    monkeypatch.setattr(paths.os, "stat", denied)
    for only in (None, [files / "b.txt"]):
        report = library.index(files, only=only)
        assert report.removed == 0
        assert report.failures
    assert "b.txt" in names(library, files)


def test_all_gone_is_told_where_no_file_is_left(library: bookwheel.Library, tmp_path: Path) -> None:
    files = tmp_path / "files"
    assert not library.all_gone(files)
    assert not library.all_gone(tmp_path / "never indexed")
    (files / "sub" / "c.txt").unlink()
    assert not library.all_gone(files / "sub")
    (files / "sub" / "deep" / "d.txt").unlink()
    assert library.all_gone(files / "sub")
    assert not library.all_gone(files)
    files.rename(tmp_path / "elsewhere")
    assert library.all_gone(files)


def test_nothing_else_is_looked_at(library: bookwheel.Library, tmp_path: Path, monkeypatch) -> None:
    files, seen = tmp_path / "files", []
    real = indexing._bring_up_to_date
    monkeypatch.setattr(
        indexing, "_bring_up_to_date", lambda run, source, *rest: (seen.append(source.path), real(run, source, *rest))
    )
    library.index(files, only=[files / "b.txt"])
    assert seen == [str(files / "b.txt")]
