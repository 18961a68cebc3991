"""Edit distance between two words, in characters."""

from __future__ import annotations

__all__ = ["edit_distance"]


def edit_distance(a: str, b: str) -> int:
    """The fewest insertions, deletions, substitutions and swaps of neighbours that turn ``a`` into
    ``b``.

    This is optimal string alignment (Damerau 1964, restricted so that no part is edited twice).
    `bookwheel.kernels.near_terms` computes the same over the bytes of a whole vocabulary.
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            value = min(last[j - 1] + (left != right), last[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                value = min(value, before[j - 2] + 1)
            row.append(value)
        before, last = last, row
    return last[-1]
