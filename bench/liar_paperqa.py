"""PaperQA2 before the same lies as `liar.py`; run with a Python that has paper-qa.

    .bench/venvs/paperqa/bin/python bench/liar_paperqa.py --questions 20

Each passage is a document of its own. Its agent, which calls tools, is left out: `Docs.aquery` is what the agent calls. Summaries of
passages by the model are left out as well (`evidence_skip_summary`), so that the model lies once, in the answer, with the texts
themselves before it. Its embedding is a stand-in (`liar_peer.hashed`), computed in the process. The liar cites by a key that stands
in the prompt, as PaperQA2 asks; an answer counts as cited where PaperQA2 lists a reference for it.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from liar_peer import Asked, Shown, hashed, lied_to

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # otherwise it looks for one on the Internet


def main() -> None:
    import logging

    from lmi import EmbeddingModel
    from paperqa import Doc, Docs, Settings, Text

    logging.disable(logging.WARNING)

    class Stub(EmbeddingModel):  # type: ignore[misc]
        name: str = "stub"

        async def embed_documents(self, texts: list[Any]) -> list[list[float]]:
            return [row.tolist() for row in hashed([text if isinstance(text, str) else str(text) for text in texts])]

    def settings(one: Asked) -> Settings:
        model = f"openai/{one.manner}"
        reached = {"model": model, "api_base": one.base, "api_key": "x", "timeout": 20, "num_retries": 0}
        listed = {"model_list": [{"model_name": model, "litellm_params": reached}]}
        return Settings(
            llm=model,
            llm_config=listed,
            summary_llm=model,
            summary_llm_config=listed,
            answer={"evidence_skip_summary": True, "evidence_k": len(one.passages), "answer_max_sources": len(one.passages)},
            parsing={"use_doc_details": False, "multimodal": False},
        )

    async def asked(one: Asked) -> Shown:
        docs, told = Docs(), settings(one)
        for name, text in one.passages:
            doc = Doc(docname=name, dockey=name, citation=f"{name}, 2020")
            await docs.aadd_texts([Text(text=text, name=f"{name} chunk 1", doc=doc)], doc, told, Stub())
        session = await docs.aquery(one.question, told, embedding_model=Stub())
        return Shown(session.answer, bool(session.references.strip()))

    loop = asyncio.new_event_loop()
    lied_to("paper-qa", lambda one: loop.run_until_complete(asked(one)), key=r"pqac-[a-zA-Z0-9]{8}")


if __name__ == "__main__":
    main()
