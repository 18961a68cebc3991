"""Analysing documents in processes of their own, on all cores: the library is the same whatever their number."""
