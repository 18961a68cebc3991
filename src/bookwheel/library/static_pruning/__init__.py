"""Leaving passages that no query will want out of searches: marked, told with reasons, and brought back at any time."""
