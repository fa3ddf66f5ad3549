"""The event log of a run: one JSON object a line, appended; a reader never meets half a line for long."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from _state import now


class EventLog:
    """Appends events to a file; on opening, a last line torn by a crash is cut off."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_line(self.path)
        self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115

    def write(self, type_: str, **fields: object) -> None:
        """One event, in one write; a number that is not finite becomes null."""
        event = _finite({"at": now(), "type": type_, **fields})
        self._file.write((json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n").encode())
        self._file.flush()

    def close(self) -> None:
        self._file.close()


def cut_torn_line(path: str | Path) -> int:
    """Truncates a file after its last newline; returns how many bytes went."""
    try:
        size = os.path.getsize(path)
    except FileNotFoundError:
        return 0
    with open(path, "r+b") as file:
        end = size
        while end > 0:
            start = max(0, end - 65536)
            file.seek(start)
            newline = file.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < size:
            file.truncate(end)
        return size - end


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
