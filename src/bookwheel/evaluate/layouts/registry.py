"""The layouts, in the order in which they are tried: those first that are surest to be told by their looks."""

from .base import Layout
from .beir import Beir
from .hotpot import Hotpot
from .locomo import Locomo
from .quality import Quality
from .rag import Rag
from .squad import Squad
from .trec import Trec

__all__ = ["LAYOUTS"]

LAYOUTS: tuple[Layout, ...] = (Beir(), Locomo(), Quality(), Hotpot(), Squad(), Rag(), Trec())
