"""Reading what was found: evidence, answers whose every quote is stored text, and when there is no answer."""
