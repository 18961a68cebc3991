"""What an installation takes on disk, by package: the files that pip recorded, and the byte code
beside them.

python tools/install_size.py                    of the environment that runs this PYTHON
tools/install_size.py                    of another one
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path


def size(distribution: Distribution) -> int:
    """Bytes of a distribution's files on disk."""
    paths = {Path(str(distribution.locate_file(file))).resolve() for file in distribution.files or ()}
    return sum(path.stat().st_size for path in paths if path.is_file())


def main() -> None:
    """Print the table, largest package first."""
    sizes = {found.metadata["Name"]: (size(found), found.version) for found in distributions()}
    own = {name: entry for name, entry in sizes.items() if name not in ("pip", "setuptools")}
    for name, (count, version) in sorted(own.items(), key=lambda item: -item[1][0]):
        print(f"{count / 1e6:8.1f} MB  {name} {version}")
    print(f"{sum(count for count, _ in own.values()) / 1e6:8.1f} MB  all, without pip ({Path(sys.prefix).name})")


if __name__ == "__main__":
    main()
