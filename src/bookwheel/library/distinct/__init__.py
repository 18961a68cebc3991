"""Leaving near-duplicates out of a library."""
