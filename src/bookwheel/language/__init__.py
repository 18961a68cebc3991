"""Language models, in this process or on a server that speaks the OpenAI-compatible
protocol.
"""

from .protocols import Generator, LanguageModel, Scorer
from .registry import close_models, language_model, model_kind

__all__ = ["Generator", "LanguageModel", "Scorer", "close_models", "language_model", "model_kind"]
