"""Counting tokens without training."""

from __future__ import annotations

import json
import subprocess
import sys

from conftest import TRAINER, message_rows

import _model
import _rows


def _count(base: str, rows: list[dict]) -> tuple[int, dict]:
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    done = subprocess.run(
        [sys.executable, str(TRAINER / "count_tokens.py"), base], input=text, capture_output=True, text=True, timeout=80
    )
    return done.returncode, json.loads(done.stdout)


def test_a_count_is_what_the_trainer_compares_with_its_limit(tiny):
    rows = message_rows(9, answered=True)
    code, answer = _count(tiny, rows)
    trained = _rows.render_for_training(_model.load_tokenizer(_model.resolve(tiny, None)), rows, 10_000, "rows")
    assert (code, answer["failed"]) == (0, {})
    assert [answer["counts"][row["id"]] for row in rows] == [len(row["input_ids"]) for row in trained]


def test_a_row_that_does_not_render_is_told_and_the_others_are_counted(tiny):
    rows = [*message_rows(2, answered=True), {"id": "odd", "messages": [{"role": "user"}]}]
    code, answer = _count(tiny, rows)
    assert code == 0
    assert len(answer["counts"]) == 2
    assert list(answer["failed"]) == ["odd"]


def test_a_model_that_is_not_here_is_a_failure_with_a_message(tmp_path):
    code, answer = _count(str(tmp_path / "nowhere"), message_rows(1, answered=True))
    assert code == 1
    assert "nowhere" in answer["error"]["message"]
