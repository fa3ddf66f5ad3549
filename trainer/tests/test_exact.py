"""Losses that do not depend on how a batch is cut, and losses that are not numbers."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest
from conftest import message_rows

import _model
import train
from _events import EventLog
from _failures import KnownFailure

STOP = SimpleNamespace(requested=False, deferred=contextlib.nullcontext, check=lambda: None)
LORA = {"name": "lora", "rank": 4, "alpha": 8, "targetModules": "all-linear"}


@pytest.mark.parametrize("dropout", [0, 1e-9], ids=["packed", "padded"])
def test_losses_do_not_depend_on_how_a_batch_is_cut(training, tmp_path, monkeypatch, dropout):
    # Products in bfloat16 differ with the shape of a batch.
    monkeypatch.setattr(_model, "trains_in_bfloat16", lambda device: False)
    traces = []
    for batch, parts in ((8, 1), (2, 4)):
        hyperparameters = {"batchSize": batch, "gradientAccumulation": parts, "epochs": 1}
        run = training(
            tmp_path / f"{batch}x{parts}", method={**LORA, "dropout": dropout}, hyperparameters=hyperparameters
        )
        log = EventLog(run.state / "events.jsonl")
        train.train(train.parse(run.request), log, STOP)
        log.close()
        traces.append(
            [
                value
                for event in run.events()
                if event["type"] in ("metrics", "evaluated")
                for name, value in event["values"].items()
                if name in ("loss", "gradNorm", "evalLoss")
            ]
        )
    assert len(traces[0]) == 2 * 3 + 2
    assert traces[1] == pytest.approx(traces[0], rel=1e-5)


def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_rows(training, tmp_path):
    rows = message_rows(24, answered=True)
    rows[7]["weight"] = 1e300
    run = training(tmp_path, rows=rows)
    code, output = run.finish()
    assert code != 0
    message = run.exit()["message"]
    assert "is not a number" in message and "row_7" in message, output
    assert message.count("row_") == 4
    assert "learningRate" in run.exit()["hint"]
    assert not (tmp_path / "adapter").exists()


def test_what_diverged_is_not_saved():
    import torch

    import _finite

    model = torch.nn.Linear(2, 1)
    _finite.check_weights(model)
    with torch.no_grad():
        model.bias[0] = float("inf")
    with pytest.raises(KnownFailure, match="bias is not a number"):
        _finite.check_weights(model)
    model.bias.requires_grad = False
    _finite.check_weights(model)
    for loss in (float("nan"), float("inf")):
        with pytest.raises(KnownFailure, match="validation loss"):
            _finite.check_evaluation(loss)
