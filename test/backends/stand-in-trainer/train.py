"""Stands in for the trainer's train.py: the same lock, events and end, and no model."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import _checkpoints
import _control
import _process
from _failures import KnownFailure


def train(request, events, stop) -> dict:
    _control.begin(request["state"])
    print(f"training for {request['submissionKey']}: grüße", flush=True)
    seen = {"environment": dict(os.environ), "folder": os.getcwd(), "path": sys.path}
    (Path(request["state"]) / "seen.json").write_text(json.dumps(seen))
    events.write("started", totalSteps=3, machine="a stand-in")
    step = 0
    for order in _control.orders(request["state"], stop):
        if order == "step":
            step += 1
            print(f"step {step}", flush=True)
            events.write("metrics", step=step, totalSteps=3, values={"loss": 1 / step, "gradNorm": None})
        elif order == "fail":
            raise KnownFailure("It was told to fail.", "Tell it otherwise.")
        elif order == "succeed":
            break
    folder = Path(request["adapter"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "%s"}\n' % request["baseModel"])
    (folder / "nested").mkdir(exist_ok=True)
    (folder / "nested" / "weights.bin").write_bytes(bytes(range(256)) * 40)
    events.write("finished", values={})
    return {"adapterDigest": _checkpoints.folder_digest(folder)}


if __name__ == "__main__":
    sys.exit(_process.run(sys.argv[1], lambda raw: raw, train))
