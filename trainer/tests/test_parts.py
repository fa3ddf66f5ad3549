"""The small modules, without a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from conftest import TRAINER, message_rows, write_rows

import _rows
import _state
from _checkpoints import last_complete, mark_complete
from _events import EventLog, cut_torn_line
from _failures import KnownFailure, explain
from _model import one_device, resolve
from _request import parse_generate, parse_train


def test_a_torn_line_is_cut_before_the_log_goes_on(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"type":"metrics","step":1}\n{"type":"met')
    log = EventLog(path)
    log.write("checkpoint", step=2, values={"loss": float("nan")})
    log.close()
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["type"], line["step"]) for line in lines] == [("metrics", 1), ("checkpoint", 2)]
    assert lines[1]["values"]["loss"] is None
    assert cut_torn_line(path) == 0


def test_a_log_that_is_one_torn_line_becomes_empty(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 70_000)
    assert cut_torn_line(path) == 70_000
    assert path.read_bytes() == b""


def test_a_process_is_alive_only_with_its_own_start_time():
    me = os.getpid()
    ticks = _state.started_ticks(me)
    assert _state.is_alive(me, ticks)
    if ticks is not None:
        assert not _state.is_alive(me, ticks + 1)
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not _state.is_alive(child.pid, None), "a zombie is not alive"
    child.wait()


def test_a_dead_holder_is_replaced_and_a_live_one_is_not(tmp_path):
    (tmp_path / "lock").mkdir()
    _state.write_json(tmp_path / "process.json", {"pid": 2**22 + 1, "startedTicks": 1})
    _state.acquire(str(tmp_path), "sha256:a")
    assert _state.read_json(tmp_path / "process.json")["pid"] == os.getpid()
    with pytest.raises(_state.AlreadyRunning):
        _state.acquire(str(tmp_path), "sha256:a")


def test_an_end_is_kept_when_it_succeeded_and_forgotten_when_not(tmp_path):
    state = str(tmp_path)
    _state.acquire(state, "sha256:a")
    _state.finish(state, "sha256:a", "failed", 1.0, message="m", hint="h")
    _state.acquire(state, "sha256:a")
    assert not (tmp_path / "exit.json").exists()
    _state.finish(state, "sha256:a", "succeeded", 1.0)
    with pytest.raises(_state.AlreadySucceeded):
        _state.acquire(state, "sha256:a")
    with pytest.raises(_state.OtherSubmission):
        _state.acquire(state, "sha256:b")
    assert not (tmp_path / "lock").exists()


def test_every_issue_of_a_request_is_listed_at_once():
    with pytest.raises(KnownFailure) as failure:
        parse_train(
            {"schemaVersion": 2, "hyperparameters": {"learningRate": -1, "epoch": 3}, "method": {"name": "magic"}},
            ["sft"],
            {"lora": lambda fields: {}},
        )
    for part in (
        "schemaVersion",
        "baseModel: is missing",
        "learningRate: must",
        "hyperparameters.epoch: is not",
        "magic",
    ):
        assert part in failure.value.message
    with pytest.raises(KnownFailure, match="jobs: must be a list of jobs"):
        parse_generate({"schemaVersion": 1, "baseModel": "x", "state": "y", "jobs": []})


def test_rows_are_refused_by_id(tmp_path, tiny):
    from transformers import AutoTokenizer

    rows = message_rows(3, answered=True)
    rows[1]["messages"][-1]["content"] = "  "
    rows[2]["messages"][1]["content"] = "parcel " * 200
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    with pytest.raises(KnownFailure) as failure:
        _rows.render_for_training(tokenizer, rows, 64, "train.jsonl")
    assert "row_1: the answer renders to nothing" in failure.value.message
    assert "tokens, limit 64" in failure.value.message and "row_2" in failure.value.message
    assert "row_0" not in failure.value.message
    tokenizer.chat_template += "{% if not add_generation_prompt %} {% endif %}"
    tokenizer.chat_template = "{{ messages | length }}" + tokenizer.chat_template
    with pytest.raises(KnownFailure, match="not the beginning"):
        _rows.render_for_training(tokenizer, rows[:1], 64, "train.jsonl")


def test_the_loss_is_on_the_answer_and_its_end_of_turn(tiny):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    row = _rows.render_for_training(tokenizer, message_rows(1, answered=True), 128, "x")[0]
    assert tokenizer.decode([label for label in row["labels"] if label != -100]) == "delivery<|im_end|>"


def test_bad_lines_are_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    good = message_rows(1, answered=True)
    write_rows(path, good + good + [{"id": "row_9", "messages": [{"role": "tool", "content": "x"}]}])
    path.write_text(path.read_text() + "{half")
    with pytest.raises(KnownFailure) as failure:
        _rows.read_rows(str(path), "assistant")
    for part in ("line 2: row_0: the id occurs twice", "line 3: row_9", "line 4: is not JSON"):
        assert part in failure.value.message


def test_incomplete_checkpoints_are_removed(tmp_path):
    for step in (2, 10):
        (tmp_path / f"checkpoint-{step}").mkdir()
        mark_complete(tmp_path / f"checkpoint-{step}", step)
    (tmp_path / "checkpoint-12").mkdir()
    assert last_complete(str(tmp_path)).name == "checkpoint-10"
    assert not (tmp_path / "checkpoint-12").exists()


def test_base_models_that_do_not_exist_say_so(tmp_path):
    for name in ("package:no-such-thing/x.gguf", "/no/such/folder", str(tmp_path), "not a model"):
        with pytest.raises(KnownFailure) as failure:
            resolve(name, None)
        assert failure.value.hint
    assert resolve("owner/name", None).local is False


def test_known_failures_have_hints():
    assert "memory" in explain(RuntimeError("CUDA out of memory. Tried"))[0]
    assert "No such file: /x" in explain(FileNotFoundError(2, "No such file", "/x"))[0]
    try:
        try:
            raise ConnectionError("name resolution")
        except ConnectionError as cause:
            raise OSError("We couldn't connect to the hub") from cause
    except OSError as error:
        assert "cannot be reached" in explain(error)[0]
    assert "log" in explain(RuntimeError("odd"))[1]


def test_help_is_fast_enough_to_import_nothing_heavy():
    code = "import sys; sys.argv=['x']; import train, generate; assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=TRAINER).returncode == 0


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, {"CUDA_VISIBLE_DEVICES": "0"}),
        ({"CUDA_VISIBLE_DEVICES": "2,3"}, {"CUDA_VISIBLE_DEVICES": "2"}),
        ({"CUDA_VISIBLE_DEVICES": "GPU-1a,GPU-2b"}, {"CUDA_VISIBLE_DEVICES": "GPU-1a"}),
        ({"CUDA_VISIBLE_DEVICES": ""}, {"CUDA_VISIBLE_DEVICES": ""}),
        ({"CUDA_VISIBLE_DEVICES": "2,3", "LOCAL_RANK": "1"}, {}),
    ],
)
def test_one_gpu_is_used_unless_torchrun_says_which(environment, shown):
    assert one_device(environment) == shown
