"""Weights are read as weights: a file that would run something is refused, wherever it lies."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TRAINER, message_rows, write_rows


class Runs:
    """A pickle that makes a file when it is read."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return open, (str(self.mark), "w")


@pytest.fixture(scope="module")
def stopped(training, tmp_path_factory):
    """A training that was stopped after a whole checkpoint."""
    run = training(tmp_path_factory.mktemp("stopped"), checkpointsPerEpoch=0, hyperparameters={"epochs": 200})
    process = run.start()
    run.wait_for("metrics", process, least_step=2)
    process.terminate()
    run.finish(process)
    return run


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth", "adapter_model.bin"])
def test_a_checkpoint_that_would_run_something_is_refused(stopped, training, tmp_path, name):
    mark = tmp_path / "ran"
    checkpoints = tmp_path / "checkpoints"
    shutil.copytree(stopped.request["checkpoints"], checkpoints)
    (checkpoint,) = (path for path in checkpoints.glob("checkpoint-*") if path.is_dir())
    for file in (name, "training_args.bin"):
        (checkpoint / file).write_bytes(pickle.dumps(Runs(mark)))
    if name == "adapter_model.bin":
        (checkpoint / "adapter_model.safetensors").unlink()
    run = training(tmp_path, checkpointsPerEpoch=0, hyperparameters={"epochs": 200})
    code, output = run.finish()
    assert not mark.exists(), output
    assert code == 1, output
    assert run.exit()["message"].startswith("A file of weights or of a checkpoint holds more than that"), output


def test_an_adapter_that_would_run_something_is_refused(generation, trained, tmp_path):
    mark = tmp_path / "ran"
    adapter = tmp_path / "adapter"
    shutil.copytree(trained.request["adapter"], adapter)
    (adapter / "adapter_model.safetensors").unlink()
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Runs(mark)))
    rows = write_rows(tmp_path / "rows.jsonl", message_rows(2, answered=False))
    job = {"name": "tuned", "adapter": str(adapter), "rows": rows, "maxNewTokens": 2}
    run = generation(tmp_path, [{**job, "predictions": str(tmp_path / "tuned.jsonl")}])
    code, output = run.finish()
    assert not mark.exists(), output
    assert code == 1, output


def test_no_library_is_able_to_read_anything_but_weights_whatever_the_environment_says(tmp_path):
    mark = tmp_path / "ran"
    (tmp_path / "optimizer.pt").write_bytes(pickle.dumps(Runs(mark)))
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import _model; _model.prepare_environment(None, None)\n"
        "import torch; torch.load(sys.argv[2], weights_only=False)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(TRAINER), str(tmp_path / "optimizer.pt")],
        env={**os.environ, "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"},
        capture_output=True,
        text=True,
        timeout=80,
    )
    assert done.returncode == 1 and "Weights only load failed" in done.stderr
    assert not mark.exists()


def test_no_code_that_comes_with_a_base_model_is_run_whoever_says_yes(tiny, tmp_path):
    mark = tmp_path / "ran"
    model = tmp_path / "model"
    shutil.copytree(tiny, model)
    for module in ("configuration_own", "modeling_own", "tokenization_own"):
        (model / f"{module}.py").write_text(f"open({str(mark)!r}, 'w').close()\n", encoding="utf-8")
    for name, changes in {
        "config.json": {
            "model_type": "own",
            "auto_map": {"AutoConfig": "configuration_own.Own", "AutoModelForCausalLM": "modeling_own.Own"},
        },
        "tokenizer_config.json": {
            "tokenizer_class": "Own",
            "auto_map": {"AutoTokenizer": ["tokenization_own.Own", None]},
        },
    }.items():
        settings = json.loads((model / name).read_text(encoding="utf-8"))
        (model / name).write_text(json.dumps({**settings, **changes}), encoding="utf-8")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import _model; from pathlib import Path\n"
        "base = _model._local('own', Path(sys.argv[2]))\n"
        "for load in (_model.load_tokenizer, lambda base: _model.load_model(base, 'cpu')):\n"
        "    try: load(base)\n"
        "    except Exception as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(TRAINER), str(model)],
        env={**os.environ, "HF_MODULES_CACHE": str(tmp_path / "modules"), "HF_HUB_OFFLINE": "1"},
        input="y\n" * 9,
        capture_output=True,
        text=True,
        timeout=80,
    )
    assert not mark.exists(), done.stdout
    assert done.stdout.count("contains custom code") == 2, done.stdout + done.stderr
