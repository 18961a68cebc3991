"""The prompts that bookwheel gives to language models: one a file, in this folder, each with a
version.

A file begins with lines ``name: value``: ``version`` (raised whenever a word changes: answers are
cached by it), ``for``, ``source`` and perhaps ``max_tokens`` and ``stop``. After a line ``---``
follows the text, in which ``{query}`` and other words in braces are replaced. A prompt of one's own
is such a file anywhere, named by its path.
"""

from .prompt import Prompt, load_prompt, prompt_names

__all__ = ["Prompt", "load_prompt", "prompt_names"]
