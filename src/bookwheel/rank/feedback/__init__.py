"""Pseudo-relevance feedback: better queries from what the first pass found."""
