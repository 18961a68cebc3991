"""``python -m bookwheel``, and the program ``bookwheel``: the command line."""

import sys

__all__ = ["run"]


def run() -> int:
    """Run the command line; returns its exit code. Ctrl-C says nothing of where it came, not even while modules are imported."""
    try:
        from .cli.main import run as run_commands

        return run_commands()
    except KeyboardInterrupt:
        print("bookwheel: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
