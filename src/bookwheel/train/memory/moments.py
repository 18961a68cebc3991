"""Adam's two moments of one weight, in 32 bits or in blocks of 8-bit numbers.

In 8 bits (after Dettmers et al., 8-bit Optimizers via Block-wise Quantization, https://arxiv.org/abs/2110.02861) each block of
256 numbers has a scale of its own. Their table of 256 values needs a search for every number; here a power takes its place, which
a CPU computes at once: the square root of the first moment, the fourth root of the second, which spans more than nine decades. A
second moment is never rounded to nothing, which would blow up the step. Rounding it up always is no way out: it falls by a
thousandth a step, less than a code, and would never fall at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

__all__ = ["BLOCK", "Moments", "pack8", "unpack8"]

BLOCK = 256
PIECE = 1 << 20
"""Numbers that are unpacked at a time."""
TINY = 1e-30


class Moments:
    """The moments of a tensor shaped and typed as ``like``.

    ``betas``: how much of the old stays, of the gradient's mean and of its square's. ``epsilon``: added to the root.
    """

    def __init__(self, like: Any, *, bits: int = 32, betas: tuple[float, float] = (0.9, 0.999), epsilon: float = 1e-8) -> None:
        if bits not in (8, 32):
            raise ValueError(f"moments have 8 or 32 bits, not {bits}")
        self.betas, self.epsilon, self.bits, self.rounds = betas, epsilon, bits, 0
        # Below one block nothing is saved.
        self._packed = bits == 8 and like.numel() >= BLOCK
        if self._packed:
            size, blocks = like.numel(), -(-like.numel() // BLOCK)
            self.first = torch.zeros(size, dtype=torch.int8)
            self.second = torch.zeros(size, dtype=torch.uint8)
            self.first_scale = torch.zeros(blocks, dtype=torch.float32)
            self.second_scale = torch.zeros(blocks, dtype=torch.float32)
        else:
            self.first, self.second = torch.zeros_like(like, requires_grad=False), torch.zeros_like(like, requires_grad=False)

    def direction(self, gradient: Any) -> Any:
        """Take in ``gradient`` and return Adam's step for a rate of 1, which may be ``gradient`` itself, overwritten."""
        self.rounds += 1
        if not self._packed:
            return self._blend(gradient, self.first, self.second)
        gradient = gradient.contiguous()
        flat = gradient.view(-1)
        for start in range(0, flat.numel(), PIECE):
            here = slice(start, min(start + PIECE, flat.numel()))
            blocks = slice(start // BLOCK, -(-here.stop // BLOCK))
            first = unpack8(self.first[here], self.first_scale[blocks], 2)
            second = unpack8(self.second[here], self.second_scale[blocks], 4)
            flat[here] = self._blend(flat[here], first, second)
            self.first_scale[blocks] = pack8(first, self.first[here], 2)
            self.second_scale[blocks] = pack8(second, self.second[here], 4)
        return gradient

    def _blend(self, gradient: Any, first: Any, second: Any) -> Any:
        one, two = self.betas
        first.lerp_(gradient.to(first.dtype), 1 - one)
        second.mul_(two).addcmul_(gradient, gradient, value=1 - two)
        below = second.sqrt().div_((1 - two**self.rounds) ** 0.5).add_(self.epsilon)
        return torch.div(first, below, out=below).div_(1 - one**self.rounds)

    def move(self, change: Any) -> None:
        """Apply ``change`` to the first moment, where the space that it lives in has changed."""
        if self._packed:
            raise ValueError("8-bit moments cannot be moved to another space")
        self.first = change(self.first)

    def reset(self) -> None:
        """Forget everything."""
        self.rounds = 0
        for tensor in self._tensors().values():
            tensor.zero_()

    def _tensors(self) -> dict[str, Any]:
        names = ("first", "second", "first_scale", "second_scale") if self._packed else ("first", "second")
        return {name: getattr(self, name) for name in names}

    def state(self) -> dict[str, Any]:
        """Tensors and the number of rounds."""
        return {"rounds": self.rounds, **self._tensors()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what `state` told."""
        self.rounds = int(state["rounds"])
        for name, tensor in self._tensors().items():
            tensor.copy_(state[name])


def pack8(values: Any, into: Any, power: int) -> Any:
    """Write float ``values`` as 8-bit numbers to ``into`` (int8 signed; uint8 above 0, never rounded to 0); returns block scales.

    A number is ``(code / top) ** power * scale`` with the block's largest magnitude as ``scale`` and the type's largest code.
    """
    signed = into.dtype == torch.int8
    top = 127 if signed else 255
    rows = _blocks(values)
    scale = rows.abs().amax(1)
    part = (rows / scale.clamp(min=TINY)[:, None]).view(-1)[: values.numel()]
    code = part.abs().pow_(1 / power).mul_(top).round_()
    into.copy_(code.mul_(part.sign()) if signed else code.clamp_(min=1))
    return scale


def unpack8(codes: Any, scales: Any, power: int) -> Any:
    """The numbers, float32, of what `pack8` wrote."""
    top = 127 if codes.dtype == torch.int8 else 255
    part = codes.float().div_(top)
    values = part.abs().pow_(power).mul_(part.sign()) if codes.dtype == torch.int8 else part.pow_(power)
    rows = _blocks(values)
    return (rows * scales[:, None]).view(-1)[: codes.numel()]


def _blocks(values: Any) -> Any:
    rest = -values.numel() % BLOCK
    return (torch.nn.functional.pad(values, (0, rest)) if rest else values).view(-1, BLOCK)
