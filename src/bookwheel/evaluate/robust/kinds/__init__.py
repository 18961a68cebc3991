"""The ways in which a query is written otherwise: one file an idea."""
