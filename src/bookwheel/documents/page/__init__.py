"""Web pages: parsed within bounds, their blocks told apart, and their text."""
