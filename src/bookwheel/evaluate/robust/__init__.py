"""How rankings bear queries that are written otherwise: the same questions with typos, in other words, in other forms."""

from .measure import Loss, format_losses, loss_rows, losses, meaning
from .registry import VARIATIONS
from .varied import varied, write_varied

__all__ = ["VARIATIONS", "Loss", "format_losses", "loss_rows", "losses", "meaning", "varied", "write_varied"]
