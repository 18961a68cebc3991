"""Judging: which document answers which query, by people and by models, and how far they can be trusted."""
