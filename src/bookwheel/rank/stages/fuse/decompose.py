"""``decompose(bm25, count=3, model="smollm2")``: searches the simpler questions that a question
consists of.

As clues of one vague query: Lin et al., "Decomposing Complex Queries for Tip-of-the-tongue
Retrieval" (2023). In part: all clues are searched by the same recipe, none becomes a filter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ....language.ask import Asker
from ....language.prompts import load_prompt
from ..asking import listed, non_empty, on_one_line
from ..written import WrittenQueries

__all__ = ["Decompose", "simpler_questions"]

_WORD = re.compile(r"\w+")


def simpler_questions(asker: Asker, query: str, count: int = 3, prompt: str = "decompose") -> list[str]:
    """Up to ``count`` simpler questions that ``query`` consists of, in order. Raises `ModelError`.

    A line much longer than the query is dropped: a small model tends to answer instead.

    Press et al., "Measuring and Narrowing the Compositionality Gap" (2023, self-ask); Zhou et al.,
    "Least-to-Most Prompting" (2023).
    """
    answer = asker.ask(load_prompt(prompt), query=on_one_line(query), count=str(count))
    most = 2 * len(_WORD.findall(query)) + 4
    parts = [line for line in listed(answer, query) if len(_WORD.findall(line)) <= most]
    return non_empty(parts[:count], "found no parts in the query")


@dataclass(frozen=True, slots=True)
class Decompose(WrittenQueries):
    """Searches the query and the simpler questions it consists of, and fuses; the query's own
    ranking gets ``own``.

    ``aspects`` does this without a model, for queries that name their aspects.
    """

    name = "decompose"
    summary = "searches the simpler questions into which a language model splits the query, and fuses the rankings"
    source = "Press et al., Measuring and Narrowing the Compositionality Gap in Language Models, 2023"
    cost = "one answer of the model (about 3 s with smollm2; cached), and the recipe once per question"

    def write(self, asker: Asker, query: str) -> list[str]:
        """What it wrote."""
        return simpler_questions(asker, query, self.count)
