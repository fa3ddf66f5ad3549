"""Scripts started as Tuneloop starts them: by launch.py, in an isolated Python."""

from __future__ import annotations

import re
import subprocess
import sys

from conftest import TRAINER

import _machine


def test_a_launched_script_imports_nothing_from_the_working_folder(tmp_path):
    for name in ("_process.py", "_request.py", "json.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('code of the working folder was run')\n")
    request = tmp_path / "request.json"
    request.write_text("{}")
    done = subprocess.run(
        [sys.executable, "-I", str(TRAINER / "launch.py"), "train.py", str(request)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "state: must name a folder" in done.stderr
    assert "working folder" not in done.stderr


def test_the_machine_is_named_by_what_it_has():
    assert re.search(r"\d+ × .+, \d+ GiB memory, \w+ \w+$", _machine.describe())
