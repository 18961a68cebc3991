"""What is known of a document whatever is asked: names and scales, in one order for stages and libraries."""

from __future__ import annotations

__all__ = ["QUALITIES"]

QUALITIES = {
    "length": "log10 of its characters",
    "title": "1 where it has a title",
    "variety": "different words of its first 500, as a share",
    "digits": "digits of its first 5,000 characters, as a share, ten times",
    "sentences": "ends of sentences for ten words of its first 5,000 characters",
    "links": "log10 of 1 and its addresses and links",
    "folders": "folders above its file, a tenth each, twenty at most",
    "date": "decades from 2000 to its date; 0 where it has none",
}
"""Each with its scale, which keeps it near 0 to 5 so that weights can be compared."""
