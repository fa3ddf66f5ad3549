"""Runs a training on a machine that keeps nothing, and leaves what came of it in a repository of the Hugging Face hub.

    python3 hub_job.py INPUTS DIGEST [EARLIER]

INPUTS is a folder with `manifest.json`, whose SHA-256 is DIGEST and which has that of every other file there; EARLIER
is one with what an earlier attempt pushed. What is guaranteed:
- Nothing is trained on other bytes than those of the manifest.
- Every event of the trainer is printed as `tuneloop-event N {...}`, N counting from 1.
- The adapter, the event log, the trainer's log and its end are pushed in one commit, under `out/`, before this ends.
  Checkpoints are pushed under `checkpoints/` as they are saved, and the last one at the end of a training that is
  stopped; an older one is replaced.
- The trainer is asked to stop before the machine's time ends.

It needs HF_TOKEN, and takes the Python of TUNELOOP_PYTHON or makes an environment from `trainer/requirements.txt`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

PUSHES = 5


def main() -> int:
    inputs, digest = Path(sys.argv[1]), sys.argv[2]
    verify(inputs, digest)
    if not os.environ.get("TUNELOOP_IS_READY"):
        python = environment(inputs / "trainer" / "requirements.txt")
        # From here on in the Python that has the hub's client.
        os.environ["TUNELOOP_IS_READY"] = "1"
        os.execv(python, [python, "-I", os.path.abspath(__file__), *sys.argv[1:]])
    job = json.loads((inputs / "job.json").read_text(encoding="utf-8"))
    work = Path(tempfile.mkdtemp(prefix="tuneloop-"))
    try:
        return Training(job, inputs, work, Path(sys.argv[3]) if sys.argv[3:] else None).run()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def verify(inputs: Path, digest: str) -> None:
    """Ends the process where a file is not the one that was sent."""
    manifest = inputs / "manifest.json"
    expected = {"manifest.json": digest, **json.loads(manifest.read_text(encoding="utf-8"))["files"]}
    for name, wanted in expected.items():
        found = file_digest(inputs / name)
        if found != wanted:
            sys.exit(f"{name} has the digest {found}; {wanted} was sent")


def environment(requirements: Path) -> str:
    """A Python with the trainer's requirements, each checked by its hash; whoever installs them sees no token."""
    own = os.environ.get("TUNELOOP_PYTHON")
    if own:
        return own
    folder = Path(tempfile.gettempdir()) / "tuneloop-environment"
    python = str(folder / "bin" / "python")
    checked = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(requirements)]
    uv = shutil.which("uv")
    if uv:
        steps = [
            [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
            [uv, "pip", "install", "--quiet", "--python", python, *checked],
        ]
    else:
        steps = [
            [sys.executable, "-I", "-m", "venv", str(folder)],
            [python, "-I", "-m", "pip", "install", "--quiet", *checked],
        ]
    variables = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
    variables["UV_NO_CONFIG"] = "1"
    folder.mkdir(mode=0o700, exist_ok=True)
    for step in steps:
        if subprocess.run(step, env=variables, cwd=folder, check=False).returncode != 0:
            sys.exit(f"the trainer environment could not be made: {' '.join(step[:3])} failed")
    return python


class Training:
    """The trainer as a process of its own, and what is told of it to the outside."""

    def __init__(self, job: dict, inputs: Path, work: Path, earlier: Path | None):
        self.job, self.work = job, work
        self.deadline = time.monotonic() + job["deadlineSeconds"]
        self.state = work / "state"
        self.events = self.state / "events.jsonl"
        self.told = self.offset = 0
        self.pushed: str | None = None
        self.pushed_at = time.monotonic()
        self.is_late = False
        for name in ("train.jsonl", "validation.jsonl", "trainer"):
            if (inputs / name).is_dir():
                shutil.copytree(inputs / name, work / name)
            elif (inputs / name).exists():
                shutil.copyfile(inputs / name, work / name)
        if earlier and (earlier / "checkpoints").is_dir():
            shutil.copytree(earlier / "checkpoints", work / "checkpoints")
        request = json.loads((inputs / "request.json").read_text(encoding="utf-8"))
        for field in ("train", "validation", "adapter", "checkpoints"):
            request[field] = request[field] and str(work / request[field])
        request["state"] = str(self.state)
        (work / "request.json").write_text(json.dumps(request), encoding="utf-8")

    def run(self) -> int:
        """Trains, tells and pushes; returns the trainer's exit code, or 1 where nothing could be pushed."""
        launcher = str(self.work / "trainer" / "launch.py")
        child = subprocess.Popen(
            [sys.executable, "-I", launcher, "train.py", str(self.work / "request.json")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self.work,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: child.terminate())
        listener = threading.Thread(target=self._listen, args=(child,), daemon=True)
        listener.start()
        while child.poll() is None:
            time.sleep(0.2)
            self._tell()
            if time.monotonic() > self.deadline and not self.is_late:
                self.is_late = True
                print("the machine's time ends: the trainer is asked to stop", flush=True)
                child.terminate()
            if time.monotonic() > self.pushed_at + self.job["checkpointSeconds"]:
                self._push_checkpoint(tries=1)
        listener.join()
        self._tell()
        status = self._end(child.returncode)
        if not self._push_results(status):
            return 1
        if status != "succeeded":
            self._push_checkpoint()
        return child.returncode if status == "succeeded" else child.returncode or 1

    def _listen(self, child: subprocess.Popen) -> None:
        with open(self.work / "trainer.log", "ab") as log:
            for line in child.stdout:
                log.write(line)
                print(line.decode(errors="replace"), end="", flush=True)

    def _tell(self) -> None:
        """Prints the whole lines of the event log that were not printed yet."""
        if not self.events.exists():
            return
        with open(self.events, "rb") as file:
            file.seek(self.offset)
            lines = file.read().split(b"\n")[:-1]
        for line in lines:
            self.offset += len(line) + 1
            self.told += 1
            print(f"tuneloop-event {self.told} {line.decode()}", flush=True)

    def _end(self, code: int) -> str:
        """How it ended, by the trainer's word where it had one and was not cut short by the clock."""
        path = self.state / "exit.json"
        end = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        if end is None:
            end = self._failed(
                f"the trainer ended without a word (exit code {code}): it was killed, or the machine ran out of memory",
                "A smaller hyperparameters.batchSize or a larger flavor has more room.",
            )
        elif self.is_late and end["status"] == "cancelled":
            end = self._failed(
                f"the training was stopped before the job's time, {self.job['timeoutSeconds']} s, ended",
                "Raise backend.options.timeoutSeconds; the next attempt goes on from the last checkpoint.",
            )
        self.state.mkdir(exist_ok=True)
        path.write_text(json.dumps(end) + "\n", encoding="utf-8")
        return end["status"]

    def _failed(self, message: str, hint: str) -> dict:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        key = self.job["submissionKey"]
        return {"status": "failed", "submissionKey": key, "at": at, "message": message, "hint": hint}

    def _push_results(self, status: str) -> bool:
        files = [(path, f"out/{path.name}") for path in (self.state / "exit.json", self.events)]
        files.append((self.work / "trainer.log", "out/trainer.log"))
        adapter = self.work / "adapter"
        if status == "succeeded":
            files += below(adapter, "out/adapter")
        return self._push("What came of the training", [file for file in files if has_content(file[0])])

    def _push_checkpoint(self, tries: int = PUSHES) -> None:
        """The newest whole checkpoint is in the repository, and no older one; a failure is no end of the training."""
        marks = sorted((self.work / "checkpoints").glob("checkpoint-*/complete.json"), key=step_of)
        self.pushed_at = time.monotonic()
        if not marks or marks[-1].parent.name == self.pushed:
            return
        newest = marks[-1].parent
        files = [
            *below(newest, f"checkpoints/{newest.name}"),
            (self.work / "checkpoints" / "training.json", "checkpoints/training.json"),
        ]
        if self._push(f"The checkpoint of step {step_of(marks[-1])}", files, older=self.pushed, tries=tries):
            self.pushed = newest.name
        self.pushed_at = time.monotonic()

    def _push(self, title: str, files: list, older: str | None = None, tries: int = PUSHES) -> bool:
        """One commit, tried again where it fails."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

        for attempt in range(1, tries + 1):
            try:
                HfApi(token=os.environ["HF_TOKEN"]).create_commit(
                    self.job["repository"],
                    repo_type="dataset",
                    commit_message=title,
                    operations=[
                        *[CommitOperationAdd(path_in_repo=there, path_or_fileobj=here) for here, there in files],
                        *([CommitOperationDelete(f"checkpoints/{older}/", is_folder=True)] if older else []),
                    ],
                )
                return True
            except Exception as error:
                print(f"a push failed ({attempt} of {tries}): {type(error).__name__}: {error}", flush=True)
                if attempt < tries:
                    time.sleep(min(2**attempt, 20))
        return False


def below(folder: Path, there: str) -> list[tuple[Path, str]]:
    """The files below a folder, and their names in the repository."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(path, f"{there}/{path.relative_to(folder).as_posix()}") for path in files]


def has_content(path: Path) -> bool:
    """Whether there is something to push: the hub's clients cannot read a file without content."""
    return path.exists() and path.stat().st_size > 0


def step_of(mark: Path) -> int:
    """The step of a checkpoint's mark."""
    return int(mark.parent.name.removeprefix("checkpoint-"))


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
