"""One script run under its state folder: lock, signals, events, and an end in `exit.json` whatever happens.

Exit codes: 0 done (also: already done, already running), 1 a known failure, 2 an invalid request, 130 or 143 cancelled.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import _request
import _state
from _events import EventLog
from _failures import Cancelled, KnownFailure, explain


class Stop:
    """What SIGTERM and SIGINT ask for: at once while nothing is at stake, at the next safe point inside `deferred`."""

    def __init__(self):
        self.requested: int | None = None
        self._is_deferred = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    @contextlib.contextmanager
    def deferred(self):
        """Inside, a signal is only noted in `requested`."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False

    def check(self) -> None:
        """Raises Cancelled if a signal has come."""
        if self.requested:
            raise Cancelled

    def _note(self, number: int, _frame: object) -> None:
        self.requested = number
        if not self._is_deferred:
            raise Cancelled


def run(path: str, parse: Callable, work: Callable) -> int:
    """Runs `work(request, events, stop)`, whose result goes into a successful `exit.json`; returns the exit code."""
    started = time.monotonic()
    try:
        raw = _request.load(path)
        state, key = _request.state_of(raw)
    except KnownFailure as failure:
        return _say(failure.message, failure.hint, 2)
    try:
        _state.acquire(state, key)
    except _state.AlreadyRunning as holder:
        print(f"already running {holder.pid}", flush=True)
        return 0
    except _state.AlreadySucceeded:
        return 0
    except _state.OtherSubmission as other:
        hint = "Use a state folder of its own for each run."
        return _say(f"The folder {state} holds the result of another submission: {other}", hint, 1)
    stop = Stop()
    events = EventLog(Path(state) / "events.jsonl")
    code = 1
    try:
        code = 2
        request = parse(raw)
        code = 1
        fields = work(request, events, stop)
        _end(state, key, "succeeded", started, message=None, hint=None, **fields)
        return 0
    except Cancelled:
        name = signal.Signals(stop.requested or signal.SIGTERM).name
        message = f"Cancelled by {name}."
        _end(state, key, "cancelled", started, message=message, hint="Start again to go on from the last checkpoint.")
        return 128 + (stop.requested or signal.SIGTERM)
    except BaseException as error:
        traceback.print_exc(file=sys.stderr)
        message, hint = explain(error)
        events.write("failed", message=message, hint=hint)
        _end(state, key, "failed", started, message=message, hint=hint)
        return _say(message, hint, code)
    finally:
        events.close()


def _end(state: str, key: str | None, status: str, started: float, **fields: object) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    _state.finish(state, key, status, time.monotonic() - started, **fields)


def _say(message: str, hint: str | None, code: int) -> int:
    print(message if not hint else f"{message}\n{hint}", file=sys.stderr, flush=True)
    return code
