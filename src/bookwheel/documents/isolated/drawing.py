"""Pages drawn by a process of their own, which a PDF made to take over or exhaust its reader takes nothing from.

One process draws one picture, with bounds on its memory, time and size, and ends.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from ..._errors import BookwheelError, InputError
from ...memory.sizes import MIB, format_size
from ..pdf.picture import WIDTHS, Picture, draw_page
from ..source import Source
from .frames import FAILED, HEAD, HELLO, READ, FrameError, decoded, frame, said
from .limits import Limits, die_with_parent, own_streams, watch_parent
from .process import Died, Process, can_start

__all__ = ["MEMORY", "SECONDS", "draw", "main"]

MEMORY = 256 * MIB
SECONDS = 20.0
"""Processor time for a page."""
_PATIENCE = 60.0
_PICTURE = b"P"
_MOST = 32 * MIB
"""Bytes of a picture."""
_MODULE = "bookwheel.documents.isolated.drawing"


def draw(
    source: Source,
    page: int,
    width: int,
    quotes: Sequence[tuple[str, str]] = (),
    *,
    memory: int = MEMORY,
    seconds: float = SECONDS,
) -> Picture:
    """Page ``page`` (from 1) of the PDF ``source`` as a picture ``width`` pixels wide, with ``quotes`` marked (see `boxes_of`).

    Raises `InputError` for a page that there is not, a file that is none or damaged, and one that takes more than it may.
    """
    width = max(WIDTHS[0], min(width, WIDTHS[1]))
    if not can_start():
        raise InputError(f"{source.label} p. {page} is not drawn: no process of its own can be started for it here")
    told = {"source": source, "page": page, "width": width, "quotes": [list(quote) for quote in quotes], "seconds": seconds}
    try:
        process = Process(memory, _nothing, _MODULE)
    except (OSError, Died) as error:
        raise InputError(f"{source.label} p. {page} is not drawn: no process could be started for it") from error
    try:
        process.send(READ, told)
        kind, head, png = process.receive(_PATIENCE, _MOST)
        return _picture(kind, said(head), bytes(png))
    except Died as died:
        ending = died.ending
        if ending.late:
            raise InputError(f"{source.label} p. {page} takes more than {seconds:.0f} seconds to be drawn") from None
        if ending.memory:
            raise InputError(f"{source.label} p. {page} needs more than {format_size(memory)} of memory to be drawn") from None
        raise InputError(f"{source.label} p. {page} cannot be drawn ({ending.shown}); it may be damaged") from None
    except FrameError as error:
        raise InputError(f"{source.label} p. {page} cannot be drawn ({error!s:.80})") from None
    finally:
        process.kill()


def _nothing() -> None:
    """Nobody is to be told that it takes a moment."""


def _picture(kind: bytes, told: dict[str, Any], png: bytes) -> Picture:
    """What the process drew. It is not believed: a picture is bytes of a picture, and numbers."""
    if kind == FAILED:
        error = told.get("error")
        raise error if isinstance(error, InputError) else FrameError("an error that is none")
    numbers, boxes = [told.get(name) for name in ("width", "height", "pages")], told.get("boxes")
    if kind != _PICTURE or not png.startswith(b"\x89PNG\r\n\x1a\n") or not all(type(one) is int for one in numbers):
        raise FrameError("its process sent no picture")
    if type(boxes) is not list or not all(
        type(box) is list and len(box) == 4 and all(type(side) is int for side in box) for box in boxes
    ):
        raise FrameError("its process sent no boxes")
    return Picture(png, told["width"], told["height"], tuple(map(tuple, boxes)), told["pages"])


def main(memory: int, life: int, parent: int) -> None:
    """Draw one picture, and end; the arguments are those of `child.main`."""
    requests, replies = own_streams(1 << 16, 1 << 16)
    if life >= 0:
        die_with_parent(life)
    watch_parent(parent)
    limits = Limits(memory)
    with suppress(BrokenPipeError, EOFError):
        replies.write(frame(HELLO))
        replies.flush()
        kind, size, _ = HEAD.unpack(requests.read(HEAD.size))
        told = decoded(requests.read(size))
        if kind == READ:
            replies.write(_drawn(told, limits))
            replies.flush()
    os._exit(0)


def _drawn(told: dict[str, Any], limits: Limits) -> bytes:
    source: Source = told["source"]
    limits.begin(told["seconds"])
    try:
        with source.open_seekable() as stream:
            data: Any = stream if source.compression == "" else io.BytesIO(stream.read())
            made = draw_page(data, source.label, told["page"], told["width"], [tuple(one) for one in told["quotes"]])
    except BookwheelError as error:
        return frame(FAILED, {"error": error if isinstance(error, InputError) else InputError(str(error))})
    except MemoryError:
        os._exit(97)
    except Exception as error:
        return frame(FAILED, {"error": InputError(f"{source.label} p. {told['page']} cannot be drawn ({error!s:.200})")})
    head = {"width": made.width, "height": made.height, "pages": made.pages, "boxes": [list(box) for box in made.boxes]}
    return frame(_PICTURE, head, made.png)
