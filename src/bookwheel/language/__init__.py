"""Language models, in this process or on a server that speaks the OpenAI-compatible
protocol.
"""

from .protocols import Ensemble, Generator, LanguageModel, Reply, Scorer, Streamer
from .registry import close_models, language_model, model_kind, problem, writer

__all__ = [
    "Ensemble",
    "Generator",
    "LanguageModel",
    "Reply",
    "Scorer",
    "Streamer",
    "close_models",
    "language_model",
    "model_kind",
    "problem",
    "writer",
]
