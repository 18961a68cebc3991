"""Of the passages only the sentences of the most self-information under the model, whatever was asked; see `compress_by_model`.

Sources: Li et al., "Compressing Context to Enhance Inference Efficiency of Large Language Models" (2023), and Li,
"Unlocking Context Constraints of LLMs: Enhancing Context Efficiency of LLMs with Self-Information-Based Content Filtering" (2023), the
version before it. What has the least self-information is dropped, here by whole sentences.
"""

from __future__ import annotations

from .compress_by_model import selective as draft

__all__ = ["draft"]
