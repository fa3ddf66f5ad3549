"""A tiny random model, made once, and runs of the scripts as processes, the way Tuneloop starts them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

TRAINER = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TRAINER))

from _events import EventLog  # noqa: E402

WORDS = ["where", "is", "my", "parcel", "shoes", "money", "login", "broken", "lamp", "when", "refund", "please"]
LABELS = ["delivery", "return", "payment", "account"]


def message_rows(count: int, answered: bool, offset: int = 0) -> list[dict]:
    rows = []
    for index in range(offset, offset + count):
        body = " ".join(WORDS[(index * step + step) % len(WORDS)] for step in range(2, 5 + index % 6))
        messages = [
            {"role": "system", "content": "Answer with one label only."},
            {"role": "user", "content": body},
        ]
        if answered:
            messages.append({"role": "assistant", "content": LABELS[index % len(LABELS)]})
        rows.append({"id": f"row_{index}", "messages": messages})
    return rows


def write_rows(path: Path, rows: list[dict]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def read_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> str:
    import make_tiny_model

    folder = tmp_path_factory.mktemp("tiny")
    make_tiny_model.make(str(folder))
    return str(folder)


@pytest.fixture(scope="session")
def training(tiny):
    """Makes the request of a run in a folder, with changes; `.start()` starts it, `.finish()` waits for its end."""

    def make(folder: Path, rows: list[dict] | None = None, **changes: object) -> SimpleNamespace:
        hyperparameters = {"epochs": 3, "batchSize": 4, "learningRate": 0.01, "maxLength": 128}
        request = {
            "schemaVersion": 1,
            "run": "test",
            "submissionKey": "sha256:test",
            "baseModel": tiny,
            "revision": None,
            "train": write_rows(folder / "train.jsonl", rows or message_rows(24, answered=True)),
            "validation": write_rows(folder / "validation.jsonl", message_rows(6, answered=True, offset=100)),
            "adapter": str(folder / "adapter"),
            "checkpoints": str(folder / "checkpoints"),
            "state": str(folder / "state"),
            "objective": "sft",
            "method": {"name": "lora", "rank": 4, "alpha": 8, "dropout": 0, "targetModules": "all-linear"},
            "hyperparameters": {**hyperparameters, **changes.pop("hyperparameters", {})},
            "seed": 1,
            "checkpointsPerEpoch": 3,
            "evaluationsPerEpoch": 1,
            "threads": 1,
            **changes,
        }
        return _script("train.py", folder, request)

    return make


@pytest.fixture(scope="session")
def trained(training, tmp_path_factory) -> SimpleNamespace:
    """One undisturbed run, shared by the tests that only look at its results."""
    run = training(tmp_path_factory.mktemp("trained"), method={"name": "lora", "rank": 4, "alpha": 8, "dropout": 0.1})
    run.code, run.output = run.finish()
    return run


def _script(name: str, folder: Path, request: dict) -> SimpleNamespace:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(request), encoding="utf-8")
    state = Path(request["state"])

    def start() -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, str(TRAINER / name), str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(process: subprocess.Popen | None = None) -> tuple[int, str]:
        process = process or start()
        out, error = process.communicate(timeout=80)
        return process.returncode, out + error

    def events() -> list[dict]:
        path = state / "events.jsonl"
        # A process that is writing may have left half a line.
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def wait_for(type_: str, process: subprocess.Popen, least_step: int = 0) -> dict:
        while process.poll() is None:
            for event in events():
                if event["type"] == type_ and event.get("step", 0) >= least_step:
                    return event
            time.sleep(0.01)
        raise AssertionError(f"ended before {type_}: {process.communicate()}")

    def here(work, parse) -> dict:
        """The work of the script in this process, without lock and end: what it returns, or its failure."""
        log = EventLog(state / "events.jsonl")
        try:
            return work(parse(request), log, None)
        finally:
            log.close()

    def exit_file() -> dict:
        return json.loads((state / "exit.json").read_text(encoding="utf-8"))

    return SimpleNamespace(
        request=request,
        state=state,
        start=start,
        finish=finish,
        here=here,
        events=events,
        wait_for=wait_for,
        exit=exit_file,
    )


@pytest.fixture(scope="session")
def generation(tiny):
    """Makes the request of a batch generation in a folder."""

    def make(folder: Path, jobs: list[dict], **changes: object) -> SimpleNamespace:
        request = {
            "schemaVersion": 1,
            "baseModel": tiny,
            "revision": None,
            "jobs": jobs,
            "batchSize": 4,
            "latencyRows": 3,
            "seed": 1,
            "state": str(folder / "state"),
            "threads": 1,
            **changes,
        }
        return _script("generate.py", folder, request)

    return make
