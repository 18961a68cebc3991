"""A question with its documents, and a model that writes what a function says."""

from __future__ import annotations

from collections.abc import Callable

QUESTION = "How many books did the wheel of Ramelli hold?"
TEXTS = [
    {"id": "wheel", "text": "Ramelli drew a wheel in 1588. The wheel of Ramelli held twelve books. Nobody built one for long."},
    {
        "id": "books",
        "text": "Books were heavy and dear. A wheel of a cart has nothing to do with books. Many books were chained.",
    },
    {"id": "cart", "text": "The wheel was invented early. It was made of wood. Carts with a wheel carried stones and grain."},
    {"id": "tea", "text": "Tea is dried in the sun. Then it is rolled by hand. Some drink it with milk."},
]
GOOD = "The wheel of Ramelli held twelve books."


class Model:
    """Writes what a function makes of the prompt, and remembers every prompt."""

    name = "scripted"

    def __init__(self, say: Callable[[str], str]) -> None:
        self.say = say
        self.prompts: list[str] = []

    def generate(self, prompts, *, system="", max_tokens=128, stop=(), deadline=None):
        self.prompts += prompts
        return [self.say(prompt) for prompt in prompts]

    def count_tokens(self, texts):
        return [len(text.split()) for text in texts]

    def close(self) -> None: ...
