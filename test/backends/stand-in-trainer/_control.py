"""What a test tells the process to do, one word a line in `control`; a later process goes on behind what was obeyed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from _process import Stop


def begin(state: str) -> None:
    """Notes that this process works, for tests that count."""
    with open(Path(state) / "begun", "a") as file:
        file.write(f"{os.getpid()}\n")


def orders(state: str, stop: Stop) -> Iterator[str]:
    """The orders as they come, for ever."""
    folder = Path(state)
    while True:
        obeyed = int(_read(folder / "obeyed") or 0)
        for order in _read(folder / "control").split("\n")[obeyed:-1]:
            obeyed += 1
            (folder / "obeyed").write_text(str(obeyed))
            yield order
        stop.check()
        time.sleep(0.01)


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""
