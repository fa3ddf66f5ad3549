"""What a machine of the hub does with a training, with a stand-in for the trainer's process and for the pushes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import hub_job

# Writes two events and half of a third, then waits to be told to stop; a checkpoint is there from the beginning.
STAND_IN = """
import json, pathlib, signal, sys, time
request = json.loads(pathlib.Path(sys.argv[2]).read_text())
state = pathlib.Path(request["state"])
state.mkdir()
checkpoint = pathlib.Path(request["checkpoints"]) / "checkpoint-3"
checkpoint.mkdir(parents=True)
(checkpoint / "complete.json").write_text('{"step": 3}')
(checkpoint.parent / "training.json").write_text("{}")
(state / "events.jsonl").write_text('{"type": "started"}\\n{"type": "metrics", "step": 1}\\n{"type": "met')
def stop(*_):
    end = {"status": "cancelled", "submissionKey": "key", "message": "Cancelled by SIGTERM."}
    (state / "exit.json").write_text(json.dumps(end))
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
print("the trainer speaks", flush=True)
if "dies" in request["run"]:
    sys.exit(9)
time.sleep(60)
"""


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    folder = tmp_path / "inputs"
    (folder / "trainer").mkdir(parents=True)
    (folder / "trainer" / "launch.py").write_text(STAND_IN)
    (folder / "train.jsonl").write_text("{}\n")
    request = {"run": "r", "train": "train.jsonl", "validation": None, "adapter": "adapter"}
    (folder / "request.json").write_text(json.dumps({**request, "checkpoints": "checkpoints"}))
    return folder


def training(inputs: Path, tmp_path: Path, deadline: float) -> tuple[hub_job.Training, list]:
    job = {"submissionKey": "key", "repository": "me/r", "timeoutSeconds": 9}
    work = tmp_path / "work"
    work.mkdir()
    made = hub_job.Training({**job, "deadlineSeconds": deadline, "checkpointSeconds": 100}, inputs, work, None)
    pushed: list = []

    def push(title: str, files: list, older: str | None = None, tries: int = 1) -> bool:
        pushed.extend((there, here.read_text()) for here, there in files)
        return True

    made._push = push
    return made, pushed


def test_other_bytes_than_those_that_were_sent_are_not_trained_on(inputs: Path):
    names = ["train.jsonl", "trainer/launch.py"]
    digests = {name: hub_job.file_digest(inputs / name) for name in names}
    manifest = inputs / "manifest.json"
    manifest.write_text(json.dumps({"files": digests}))
    digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    hub_job.verify(inputs, digest)
    with pytest.raises(SystemExit, match=r"manifest\.json has the digest"):
        hub_job.verify(inputs, "0" * 64)
    (inputs / "train.jsonl").write_text("{ }\n")
    with pytest.raises(SystemExit, match=r"train\.jsonl has the digest"):
        hub_job.verify(inputs, digest)


def test_a_training_is_stopped_before_its_time_ends_and_leaves_what_it_has(inputs: Path, tmp_path: Path, capsys):
    made, pushed = training(inputs, tmp_path, deadline=2)
    assert made.run() != 0
    left = dict(pushed)
    end = json.loads(left["out/exit.json"])
    assert end["status"] == "failed"
    assert "9 s" in end["message"]
    assert "timeoutSeconds" in end["hint"]
    assert left["checkpoints/checkpoint-3/complete.json"] == '{"step": 3}'
    assert left["out/trainer.log"] == "the trainer speaks\n"
    assert "out/adapter" not in "".join(left)
    printed = capsys.readouterr().out
    told = [line for line in printed.splitlines() if line.startswith("tuneloop-event")]
    assert told == ['tuneloop-event 1 {"type": "started"}', 'tuneloop-event 2 {"type": "metrics", "step": 1}']


def test_a_trainer_that_dies_without_a_word_is_a_failure_with_its_exit_code(inputs: Path, tmp_path: Path):
    request = json.loads((inputs / "request.json").read_text())
    (inputs / "request.json").write_text(json.dumps({**request, "run": "dies"}))
    made, pushed = training(inputs, tmp_path, deadline=60)
    assert made.run() == 9
    end = json.loads(dict(pushed)["out/exit.json"])
    assert end["status"] == "failed"
    assert "exit code 9" in end["message"]


def test_an_installer_sees_no_token(tmp_path: Path, monkeypatch):
    seen = []
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("TUNELOOP_PYTHON", raising=False)
    monkeypatch.setattr(hub_job.tempfile, "gettempdir", lambda: str(tmp_path))

    def run(step: list, env: dict, cwd: Path, check: bool):
        seen.append((step, env, cwd))
        return type("Done", (), {"returncode": 0})

    monkeypatch.setattr(hub_job.subprocess, "run", run)
    hub_job.environment(tmp_path / "requirements.txt")
    assert len(seen) == 2
    assert all("HF_TOKEN" not in env and cwd == tmp_path / "tuneloop-environment" for _, env, cwd in seen)
    # Nothing of the folder that the job was started in is Python's or uv's.
    assert all("-I" in step or env["UV_NO_CONFIG"] == "1" for step, env, _ in seen)
    assert "--require-hashes" in seen[1][0]
