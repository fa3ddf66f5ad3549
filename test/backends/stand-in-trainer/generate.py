"""Stands in for the trainer's generate.py: one job, one row a step, and no model."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import _control
import _process
from _failures import KnownFailure
from _state import write_text


def generate(request, events, stop) -> dict:
    (job,) = request["jobs"]
    ids = [json.loads(line)["id"] for line in Path(job["rows"]).read_text().splitlines()]
    if Path(job["predictions"]).exists():
        events.write("progress", name=job["name"], done=len(ids), total=len(ids))
        return {"jobs": []}
    _control.begin(request["state"])
    done = 0
    for order in _control.orders(request["state"], stop):
        if order == "step":
            done += 1
            events.write("progress", name=job["name"], done=done, total=len(ids))
        elif order == "fail":
            raise KnownFailure("It was told to fail.", "Tell it otherwise.")
        elif order == "succeed":
            break
    write_text(job["predictions"], "".join(json.dumps({"id": id_, "output": "glad"}) + "\n" for id_ in ids))
    events.write("progress", name=job["name"], done=len(ids), total=len(ids))
    return {"jobs": [job["name"]]}


if __name__ == "__main__":
    sys.exit(_process.run(sys.argv[1], lambda raw: raw, generate))
