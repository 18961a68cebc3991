"""llama_index's CitationQueryEngine before the same lies as `liar.py`; run with a Python that has llama-index-core and -llms-openai-like.

    .bench/venvs/llamaindex/bin/python bench/liar_llamaindex.py --questions 20

Its retriever is told the passages (`liar_peer.nearest`). An answer counts as cited where it has a number of a source.
"""

from __future__ import annotations

import re
from typing import Any

from liar_peer import Asked, Shown, lied_to


def main() -> None:
    from llama_index.core import MockEmbedding, Settings
    from llama_index.core.query_engine import CitationQueryEngine
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, TextNode
    from llama_index.llms.openai_like import OpenAILike

    Settings.embed_model = MockEmbedding(embed_dim=8)

    class Told(BaseRetriever):  # type: ignore[misc]
        passages: list[tuple[str, str]]

        def _retrieve(self, bundle: Any) -> list[Any]:
            return [NodeWithScore(node=TextNode(text=text, id_=name), score=1.0) for name, text in self.passages]

    def ask(one: Asked) -> Shown:
        model = OpenAILike(
            model=one.manner, api_base=one.base, api_key="x", is_chat_model=True, context_window=8192, max_retries=0
        )
        Settings.llm = model
        retriever = Told()
        retriever.passages = one.passages
        engine = CitationQueryEngine.from_args(None, llm=model, retriever=retriever, citation_chunk_size=2048)
        text = str(engine.query(one.question))
        return Shown(text, re.search(r"\[\d", text) is not None)

    lied_to("llama-index-core", ask)


if __name__ == "__main__":
    main()
