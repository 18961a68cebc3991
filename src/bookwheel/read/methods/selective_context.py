"""Of the passages only the sentences of the most self-information under the model, whatever was asked; see `compress_by_model`.

Source: Li et al., "Compressing context to enhance inference efficiency of large language models" (EMNLP 2023; Selective Context).
"""

from __future__ import annotations

from .compress_by_model import selective as draft

__all__ = ["draft"]
