"""The state folder of a run: one process at a time, and an end that is written once.

`lock/` is made by mkdir and names nobody; `process.json` says who holds it; `exit.json` says how it ended.
A process that was killed leaves its lock behind: the next start sees that the holder is dead and takes it over.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path


class AlreadyRunning(Exception):
    """Another live process holds this state folder."""

    def __init__(self, pid: int):
        super().__init__(f"already running {pid}")
        self.pid = pid


class AlreadySucceeded(Exception):
    """This submission has succeeded before; there is nothing to do."""


class OtherSubmission(Exception):
    """The folder holds the successful end of another submission, which must not be overwritten."""


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def write_json(path: str | Path, value: object) -> None:
    """Writes a JSON file that is either the old or the new one, whenever the process dies."""
    write_text(path, json.dumps(value, ensure_ascii=False) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file by temporary file, fsync and rename."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes renames in a folder durable, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_json(path: str | Path) -> dict | None:
    """The object in a file, or None when there is none or it is not whole."""
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def acquire(state: str, submission_key: str | None) -> None:
    """Makes this process the only holder of the folder and says so in `process.json`, or raises.

    Raises AlreadyRunning, AlreadySucceeded or OtherSubmission. Removes the end of an attempt that did not succeed.
    """
    folder = Path(state)
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder):
        lock = folder / "lock"
        try:
            os.mkdir(lock)
        except FileExistsError:
            holder = read_json(folder / "process.json")
            if holder and is_alive(holder.get("pid"), holder.get("startedTicks")):
                raise AlreadyRunning(holder["pid"]) from None
        try:
            _forget_older_end(folder, submission_key)
        except BaseException:
            release(state)
            raise
        write_json(
            folder / "process.json",
            {
                "pid": os.getpid(),
                "startedTicks": started_ticks(os.getpid()),
                "submissionKey": submission_key,
                "startedAt": now(),
            },
        )


def release(state: str) -> None:
    """Gives the folder back; `process.json` stays as a record."""
    with contextlib.suppress(OSError):
        os.rmdir(Path(state) / "lock")


def finish(state: str, submission_key: str | None, status: str, seconds: float, **fields: object) -> None:
    """Writes `exit.json`, the last act of a process, then releases the lock."""
    value = {"status": status, "submissionKey": submission_key, "seconds": round(seconds, 3), "at": now(), **fields}
    write_json(Path(state) / "exit.json", value)
    release(state)


def is_alive(pid: object, ticks: object) -> bool:
    """Whether the very process that had this id and start time still runs; a zombie does not.

    `kill -0` says yes to zombies and to a stranger who got the same id, so /proc decides where there is one.
    """
    if not isinstance(pid, int) or pid <= 0:
        return False
    if os.path.isdir("/proc/self"):
        fields = _proc_fields(pid)
        return fields is not None and fields[0] not in ("Z", "X") and (ticks is None or int(fields[19]) == ticks)
    if os.name == "nt":
        return _is_alive_on_windows(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_alive_on_windows(pid: int) -> bool:
    """There `os.kill(pid, 0)` is no question: it sends Ctrl-C to every process of the console, or ends the process."""
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return ctypes.get_last_error() == 5  # ERROR_ACCESS_DENIED: it is there
    code = ctypes.c_ulong()
    is_known = kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return bool(is_known) and code.value == 259  # STILL_ACTIVE


def started_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat, or None where there is no /proc."""
    fields = _proc_fields(pid)
    return int(fields[19]) if fields else None


def _proc_fields(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on; the second may hold spaces and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _forget_older_end(folder: Path, submission_key: str | None) -> None:
    older = read_json(folder / "exit.json")
    if older and older.get("status") == "succeeded" and submission_key is not None:
        if older.get("submissionKey") == submission_key:
            raise AlreadySucceeded
        raise OtherSubmission(str(older.get("submissionKey")))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(folder / "exit.json")


@contextlib.contextmanager
def _one_at_a_time(folder: Path):
    """Two starts at once must not both find the same dead holder; where there is no flock, mkdir alone decides."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(folder / ".starting", "w") as guard:
        with contextlib.suppress(OSError):
            fcntl.flock(guard, fcntl.LOCK_EX)
        yield
