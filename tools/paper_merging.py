"""One entry for each paper: the references to it, put together from all files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paper_citations import Citation, is_name, normal

__all__ = ["Paper", "merged"]


@dataclass(frozen=True)
class Paper:
    """All references to one paper."""

    citations: tuple[Citation, ...]

    @property
    def title(self) -> str:
        """The fullest; empty where only authors and year are known."""
        return max((one.title for one in self.citations), key=lambda title: (len(title), title))

    @property
    def authors(self) -> str:
        """As a reader expects them: three names at most; empty where only an address is known."""
        people = [one for one in self.citations if not _nobody(one)] or self.citations
        best = max(people, key=lambda one: (not one.others, len(one.authors), one.authors))
        names = best.authors
        if names and (best.others or len(names) > 3):
            return f"{names[0]} et al."
        return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))

    @property
    def venue(self) -> str:
        """Where it was published, with the year; an address at arXiv tells the year, too."""
        best = max(self.citations, key=lambda one: (bool(one.venue), bool(one.title), one.year, one.venue))
        return f"{best.venue} {best.year or ''}".strip()

    @property
    def arxiv(self) -> str:
        """The number at arXiv, or nothing."""
        return max(one.arxiv for one in self.citations)

    @property
    def labels(self) -> list[str]:
        """Short names that the title has not."""
        title = normal(self.title)
        found = {normal(label): label for one in self.citations for label in sorted(one.labels)}
        return [label for key, label in sorted(found.items()) if key and key not in title]


class _Groups:
    """References put together step by step."""

    def __init__(self, count: int) -> None:
        self._group = list(range(count))
        self._members = {one: [one] for one in range(count)}

    def of(self, one: int) -> int:
        """The group that a reference is in: its first one."""
        return self._group[one]

    def members(self, group: int) -> list[int]:
        """The references in it."""
        return self._members[group]

    def join(self, one: int, other: int) -> None:
        """Put the groups of two together."""
        first, second = sorted((self._group[one], self._group[other]))
        if first != second:
            moved = self._members.pop(second)
            self._members[first] += moved
            for at in moved:
                self._group[at] = first


def _same_title(one: Citation, other: Citation) -> bool:
    """Whether one title is the other, its beginning, or nearly it."""
    if one.authors and other.authors and one.authors[0] != other.authors[0]:
        return False
    first, second = normal(one.title), normal(other.title)
    if f"{first} ".startswith(f"{second} ") or f"{second} ".startswith(f"{first} "):
        return True
    words, others = set(first.split()), set(second.split())
    near = one.year == other.year and one.authors[:1] == other.authors[:1]
    return near and 2 * len(words & others) >= min(len(words), len(others)) >= 4


def _same_people(one: Citation, other: Citation) -> bool:
    """Whether the names go together, and the years."""
    if one.authors[:1] != other.authors[:1] or not one.year or not other.year:
        return False
    if one.arxiv and other.arxiv and one.arxiv != other.arxiv:
        return False
    if abs(one.year - other.year) > (1 if one.arxiv or other.arxiv else 0):
        return False
    full = not one.others and not other.others
    return one.authors == other.authors if full else True


def merged(found: Sequence[Citation]) -> list[Paper]:
    """The papers, in the order of their first references.

    Two references are one paper when they have the same number at arXiv or the same title; one without a title belongs to the
    paper of those authors and that year whose short name it has. Where several could be meant, that of the same file or folder.
    """
    found = sorted(
        dict.fromkeys(found), key=lambda one: (one.file, one.authors, one.year, one.title, one.scope, sorted(one.labels))
    )
    groups = _Groups(len(found))
    numbers: dict[str, int] = {}
    for at, one in enumerate(found):
        if one.arxiv:
            groups.join(at, numbers.setdefault(one.arxiv, at))
    titled = [at for at, one in enumerate(found) if one.title]
    for place, at in enumerate(titled):
        for other in titled[:place]:
            if _same_title(found[at], found[other]):
                groups.join(at, other)
    for at, one in [*enumerate(found), *enumerate(found)]:  # twice: the first time tells more short names
        if not one.title:
            _attach(at, [other for other in titled if other != at], found, groups)
    short = [at for at, one in enumerate(found) if not one.title]
    for place, at in enumerate(short):
        if not any(groups.of(other) == groups.of(at) for other in titled):
            _attach(at, [other for other in short[:place] if groups.of(other) != groups.of(at)], found, groups)
    papers: dict[int, list[Citation]] = {}
    for at, one in enumerate(found):
        papers.setdefault(groups.of(at), []).append(one)
    whole = [Paper(tuple(some)) for some in papers.values()]
    return [paper for paper in whole if paper.arxiv or any(one.authors and not _nobody(one) for one in paper.citations)]


def _nobody(one: Citation) -> bool:
    """Whether what stands in the place of an author is the name of a method, as in *BlockRank, 2025*."""
    return len(one.authors) == 1 and not one.others and is_name(one.authors[0])


def _attach(at: int, others: Sequence[int], found: Sequence[Citation], groups: _Groups) -> None:
    """Put a reference without a title to the paper that it means, where that is clear."""
    one = found[at]
    names = {one.authors[:1]} if not _nobody(one) else {other.authors[:1] for other in found}
    fits = []
    for group in sorted({groups.of(other) for other in others if found[other].authors[:1] in names}):
        members = [found[place] for place in groups.members(group)]
        if worth := _likeness(one, members):
            fits.append((worth, _nearness(one, members), group))
    best = [group for *worth, group in fits if worth == max(worth for *worth, _ in fits)]
    if len(best) == 1:
        groups.join(at, best[0])


def _likeness(one: Citation, members: Sequence[Citation]) -> int:
    """How surely a reference without a title is to this paper: 2, 1, or 0 where it is to another one."""
    nobody = _nobody(one)
    own = {normal(label) for label in [*one.labels, *(one.authors if nobody else ())]}
    theirs = {normal(label) for member in members for label in member.labels}
    title = normal(max((member.title for member in members), key=len))
    named = bool(own & theirs) or any(f" {label} " in f" {title} " for label in own)
    people = [member for member in members if _same_people(one, member)]
    if nobody:
        return 2 if named and any(member.year == one.year for member in members) else 0
    same_year = [member for member in people if member.year == one.year]
    if people and (named or any(len(one.authors) > 1 and one.authors == member.authors for member in same_year)):
        return 2
    if not same_year:
        return 0
    return int(not own or not (theirs or title) or (bool(title) and any(member.file == one.file for member in members)))


def _nearness(one: Citation, members: Iterable[Citation]) -> int:
    """2 where they share a file, 1 a folder, else 0."""
    files = {member.file for member in members}
    return 2 if one.file in files else int(one.file.rpartition("/")[0] in {file.rpartition("/")[0] for file in files})
