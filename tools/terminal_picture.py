"""Draws docs/assets/terminal.svg: what `bookwheel index` and `bookwheel search` print on a terminal, as they really do.

    python tools/terminal_picture.py            draw it
    python tools/terminal_picture.py --check    exit code 1 if the picture is not what the commands print today

The commands run in a pseudo-terminal, on the folder of papers of the first tutorial, with a library that is thrown away.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "assets" / "terminal.svg"
FOLDER = ROOT / "docs" / "tutorials"
COLUMNS = 80
COMMANDS = (
    ("bookwheel index papers", 1),
    ('bookwheel search "how can an index skip documents" -k 2 --lines 3', None),
    ("bookwheel search \"little memory\" -k 1 --lines 3 --where 'year >= 2010'", None),
)
"""What is typed, and how many lines of its output are shown: those of an indexing run that tell times are left out."""

LINE, LEFT, TOP, CHARACTER = 19, 18, 52, 8.43
STYLES = {"1": "bold", "2": "dim", "1;31": "match"}
STYLE = re.compile(r"\x1b\[([0-9;]*)m")
CSS = """
    text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d8dee9 }
    .bold { font-weight: 700; fill: #ffffff } .dim { fill: #8f9bb3 } .match { font-weight: 700; fill: #ff8f6b }
    .prompt { fill: #6fd3c3; font-weight: 700 }
"""


def main() -> int:
    """Draw or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare with the picture that is there; write nothing")
    options = parser.parse_args()
    drawn = picture(transcript())
    if options.check:
        return 0 if PICTURE.read_text(encoding="utf-8") == drawn else 1
    PICTURE.write_text(drawn, encoding="utf-8")
    return 0


def transcript() -> list[str]:
    """The lines of the terminal, with their escape sequences; a line that was typed begins with ``$ ``."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        for command, shown in COMMANDS:
            printed = run(command, home)
            lines += [f"$ {command}", *(printed if shown is None else printed[:shown]), ""]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def run(command: str, home: str) -> list[str]:
    """What ``command`` prints on a terminal, line by line."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    environment = {
        **{key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES")},
        "BOOKWHEEL_HOME": home,
        "TERM": "xterm",
        "PYTHONPATH": str(ROOT / "src"),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command)],
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL, cwd=FOLDER, env=environment,
    )  # fmt: skip
    os.close(theirs)
    received = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux ends a pseudo-terminal so
            break
        if not part:
            break
        received += part
    os.close(ours)
    if process.wait():
        sys.exit(f"`{command}` ended with exit code {process.returncode}")
    lines = received.decode().replace("\r\n", "\n").split("\n")
    # numba resets the colours when the process ends where colorama is installed: no line of ours.
    while lines and not STYLE.sub("", lines[-1]).strip():
        lines.pop()
    return lines


def picture(lines: list[str]) -> str:
    """The lines as a window of a terminal, in SVG."""
    width, height = round(2 * LEFT + COLUMNS * CHARACTER), TOP + LINE * len(lines) + 6
    fills = ("#ff5f57", "#febc2e", "#28c840")
    dots = "".join(f'<circle cx="{22 + 20 * place}" cy="20" r="6" fill="{fill}"/>' for place, fill in enumerate(fills))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        f"<title>bookwheel in a terminal</title><style>{CSS}</style>",
        f'<rect width="{width}" height="{height}" rx="10" fill="#1f2430"/>{dots}',
    ]  # fmt: skip
    for row, line in enumerate(lines):
        if runs := spans(line):
            for column, kind, text in runs:
                x, y = LEFT + column * CHARACTER, TOP + LINE * row + 4
                length = f' textLength="{len(text) * CHARACTER:.2f}" lengthAdjust="spacingAndGlyphs"' if len(text) > 1 else ""
                style = f' class="{kind}"' if kind else ""
                parts.append(
                    f'<text xml:space="preserve" x="{x:.2f}" y="{y}"{length}{style}>{escape(text, quote=False)}</text>'
                )
    return "\n".join([*parts, "</svg>", ""])


def spans(line: str) -> list[tuple[int, str, str]]:
    """The parts of a line that look different: their column, style and text, without the space around them."""
    if line.startswith("$ "):
        return [(0, "prompt", "$"), (2, "bold", line[2:])]
    found: list[tuple[int, str, str]] = []
    column, style = 0, ""
    for place, part in enumerate(STYLE.split(line)):
        if place % 2:
            style = STYLES.get(part, "")
            continue
        text = part.strip(" ")
        if text:
            found.append((column + len(part) - len(part.lstrip(" ")), style, text))
        column += len(part)
    return found


if __name__ == "__main__":
    sys.exit(main())
