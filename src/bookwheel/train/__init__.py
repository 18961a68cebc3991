"""Training on one's own collection, inside a memory budget; a model that is not better on held-out queries is not written."""

from .attention.in_context import InContextOptions, train_in_context
from .attention.result import AttentionTraining
from .attention.training import AttentionOptions, train_attention
from .encoder.options import EncoderOptions
from .encoder.pretraining import Pretraining, PretrainOptions
from .encoder.result import EncoderTraining
from .encoder.training import train_encoder
from .lists.result import ListTraining
from .projection.result import ProjectionTraining
from .projection.taught_result import TaughtProjection
from .projection.teaching import train_taught_projection
from .projection.training import train_projection
from .reranker.training import RerankerOptions, train_reranker
from .sparse.result import SparseTraining
from .sparse.training import train_sparse
from .splade.training import SpladeOptions, train_splade
from .static.result import StaticTraining
from .static.training import train_static
from .tokens.training import TokensOptions, train_tokens
from .tower.result import TowerTraining
from .tower.training import TowerOptions, train_tower
from .writer.result import WriterTraining
from .writer.training import WriterOptions, train_writer

__all__ = [
    "AttentionOptions",
    "AttentionTraining",
    "EncoderOptions",
    "EncoderTraining",
    "InContextOptions",
    "ListTraining",
    "PretrainOptions",
    "Pretraining",
    "ProjectionTraining",
    "RerankerOptions",
    "SparseTraining",
    "SpladeOptions",
    "StaticTraining",
    "TaughtProjection",
    "TokensOptions",
    "TowerOptions",
    "TowerTraining",
    "WriterOptions",
    "WriterTraining",
    "train_attention",
    "train_encoder",
    "train_in_context",
    "train_projection",
    "train_reranker",
    "train_sparse",
    "train_splade",
    "train_static",
    "train_taught_projection",
    "train_tokens",
    "train_tower",
    "train_writer",
]
