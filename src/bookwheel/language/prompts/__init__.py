"""The prompts that bookwheel gives to language models, one file each in this folder.

A file begins with lines ``name: value``: ``version`` (raised whenever a word changes, since answers
are cached by it), ``for`` (its purpose), ``source``, and optionally ``system`` and ``max_tokens``.
After a line ``---`` follows the text, in which placeholders such as ``{query}`` are filled in. A
prompt of your own is such a file anywhere, named by its path.
"""

from .prompt import Prompt, load_prompt, prompt_names

__all__ = ["Prompt", "load_prompt", "prompt_names"]
