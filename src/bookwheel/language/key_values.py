"""Blocks: the keys and values of texts that a model has read, to be cached, moved and joined.

A block is read by itself, after a short shared prefix, so its keys and values depend only on its
text and can be used for any query and beside any other blocks: BlockRank (Gupta et al., "Scalable
In-context Ranking with Generative Models" (2025); in part: the blocks, for models that were not
trained for them) and "Block-Attention" (Ma et al., 2024). Rotary position embeddings rotate the
keys, so a block is moved to another position by rotating its keys further.

What was read once is used again: Gim et al., "Prompt Cache: Modular Attention Reuse for Low-Latency
Inference" (2023). In part: the modules are passages that are re-ranked; there is no schema of
prompts, and answers are not written from them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["Block", "BlockCache", "joined", "moved"]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The keys and values of one text's tokens."""

    keys: Any
    """Tensor (layers, key heads, tokens, width), rotated for the block's position."""
    values: Any
    """Tensor of the same shape."""
    start: int
    """The position of the first token."""

    def __len__(self) -> int:
        return int(self.keys.shape[2])

    @property
    def end(self) -> int:
        """The position after the last token."""
        return self.start + len(self)

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values."""
        return int(self.keys.nbytes + self.values.nbytes)


def moved(block: Block, start: int, rotary: Any) -> Block:
    """``block`` at another position.

    ``rotary``: the model's rotary position embedding, ``(x, positions) -> (cos, sin)``.
    """
    import torch

    if start == block.start:
        return block
    keys = block.keys.float()
    cos, sin = rotary(keys, torch.tensor([[start - block.start]]))
    # A model may scale its rotation (YaRN); the keys were scaled in their first rotation.
    scale = float((cos[0, 0, 0] ** 2 + sin[0, 0, 0] ** 2) ** 0.5)
    cos, sin = cos[0] / scale, sin[0] / scale
    half = keys.shape[-1] // 2
    rotated = torch.cat([-keys[..., half:], keys[..., :half]], -1)
    return replace(block, keys=(keys * cos + rotated * sin).to(block.keys.dtype), start=start)


def joined(blocks: Sequence[Block]) -> tuple[Any, Any]:
    """Keys and values of ``blocks`` one after the other: (layers, key heads, tokens, width) each."""
    import torch

    if len(blocks) == 1:
        return blocks[0].keys, blocks[0].values
    return torch.cat([block.keys for block in blocks], 2), torch.cat([block.values for block in blocks], 2)


class BlockCache:
    """The most recently used blocks, at most ``limit`` bytes of them. Not safe for several threads."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.nbytes = 0
        self._blocks: OrderedDict[Hashable, Block] = OrderedDict()

    def __len__(self) -> int:
        return len(self._blocks)

    def get(self, key: Hashable) -> Block | None:
        """The block cached under ``key``."""
        block = self._blocks.get(key)
        if block is not None:
            self._blocks.move_to_end(key)
        return block

    def put(self, key: Hashable, block: Block) -> None:
        """Cache ``block``; those that were not used for longest are dropped if there is no room."""
        if block.nbytes > self.limit:
            return
        if (old := self._blocks.pop(key, None)) is not None:
            self.nbytes -= old.nbytes
        self._blocks[key] = block
        self.nbytes += block.nbytes
        while self.nbytes > self.limit:
            self.nbytes -= self._blocks.popitem(last=False)[1].nbytes

    def clear(self) -> None:
        """Drop all blocks."""
        self._blocks.clear()
        self.nbytes = 0
