"""Training as a process: its events, its end, and what happens when it is killed."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from conftest import message_rows, read_lines, write_rows

import train
from _failures import KnownFailure


def weights(run) -> dict:
    from safetensors.torch import load_file

    return load_file(os.path.join(run.request["adapter"], "adapter_model.safetensors"))


def test_events_tell_the_whole_story(trained):
    assert trained.code == 0, trained.output
    events = trained.events()
    assert [event["type"] for event in events if event["type"] in ("started", "finished")] == ["started", "finished"]
    started = events[0]
    assert (started["rows"], started["validationRows"], started["totalSteps"], started["device"]) == (24, 6, 18, "cpu")
    assert 0 < started["trainableParameters"] < started["totalParameters"]
    assert [event["step"] for event in events if event["type"] == "metrics"] == list(range(1, 19))
    assert [event["step"] for event in events if event["type"] == "evaluated"] == [0, 6, 12, 18]
    assert [event["step"] for event in events if event["type"] == "checkpoint"] == list(range(2, 19, 2))
    metrics = next(event for event in events if event["type"] == "metrics")
    assert set(metrics["values"]) == {"loss", "learningRate", "gradNorm", "tokensPerSecond"}
    assert events[-1]["values"]["finalLoss"] < metrics["values"]["loss"]
    assert trained.exit()["status"] == "succeeded" and trained.exit()["adapterDigest"].startswith("sha256:")
    assert not (trained.state / "lock").exists()
    config = json.loads((Path(trained.request["adapter"]) / "adapter_config.json").read_text())
    assert config["target_modules"] == sorted(config["target_modules"])


def test_the_checkpoint_with_the_lowest_validation_loss_is_kept_also_after_a_kill(training, tmp_path):
    from safetensors.torch import load_file

    # Whoever learns the train rows gets worse on rows that say the opposite.
    opposite = [
        {**row, "messages": [*row["messages"][:-1], {"role": "assistant", "content": "zzz qqq"}]}
        for row in message_rows(6, answered=True)
    ]
    changes = {
        "checkpointsPerEpoch": 1,
        "checkpoint": "lowest-validation-loss",
        "validation": write_rows(tmp_path / "opposite.jsonl", opposite),
    }
    hyperparameters = {"epochs": 4, "learningRate": 0.02}
    run = training(tmp_path / "whole", **changes, hyperparameters=dict(hyperparameters))
    code, output = run.finish()
    assert code == 0, output
    losses = {event["step"]: event["values"]["evalLoss"] for event in run.events() if event["type"] == "evaluated"}
    del losses[0]
    best = min(losses, key=losses.get)
    assert best < max(losses), losses
    kept = load_file(os.path.join(run.request["checkpoints"], f"checkpoint-{best}", "adapter_model.safetensors"))
    made = weights(run)
    assert kept.keys() == made.keys() and all(kept[name].equal(made[name]) for name in kept)

    killed = training(tmp_path / "killed", **changes, hyperparameters=dict(hyperparameters))
    process = killed.start()
    killed.wait_for("checkpoint", process, least_step=best + 1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert killed.finish()[0] == 0
    again = weights(killed)
    assert all(again[name].equal(made[name]) for name in made)


def test_a_choice_of_checkpoint_needs_a_loss_for_each(training, tmp_path):
    run = training(tmp_path, checkpointsPerEpoch=3, checkpoint="lowest-validation-loss")
    code, output = run.finish()
    assert code != 0 and "not every checkpoint is evaluated" in output


def test_a_submission_that_succeeded_is_not_trained_again(trained):
    before = trained.events()
    assert trained.finish()[0] == 0
    assert trained.events() == before


def test_killed_and_started_again_it_makes_the_same_adapter(trained, training, tmp_path):
    import torch

    run = training(tmp_path, method=trained.request["method"])
    process = run.start()
    run.wait_for("checkpoint", process, least_step=4)
    os.killpg(process.pid, signal.SIGSTOP)
    assert run.events()[-1].get("step", 0) < 18, "stopped in the middle"
    second = run.start()
    code, output = run.finish(second)
    assert code == 0 and f"already running {process.pid}" in output
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (run.state / "exit.json").exists()
    with open(run.state / "events.jsonl", "ab") as file:
        file.write(b'{"type": "met')
    os.makedirs(os.path.join(run.request["checkpoints"], "checkpoint-17"), exist_ok=True)
    code, output = run.finish()
    assert code == 0, output
    events = read_lines(run.state / "events.jsonl")
    resumed = next(event for event in events if event["type"] == "resumed")
    assert 4 <= resumed["step"] <= 18
    mine, theirs = weights(run), weights(trained)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    assert run.exit()["adapterDigest"] == trained.exit()["adapterDigest"]
    assert events[-1]["values"] == trained.events()[-1]["values"]


def test_sigterm_saves_a_checkpoint_and_ends_cancelled(training, tmp_path):
    run = training(tmp_path, checkpointsPerEpoch=0, hyperparameters={"epochs": 200})
    process = run.start()
    run.wait_for("metrics", process, least_step=2)
    process.terminate()
    code, output = run.finish(process)
    assert code == 143, output
    assert run.exit()["status"] == "cancelled"
    checkpoint = run.events()[-1]
    assert checkpoint["type"] == "checkpoint" and os.path.exists(os.path.join(checkpoint["path"], "complete.json"))
    assert not os.path.exists(run.request["adapter"])


def test_a_row_that_is_too_long_is_refused_by_its_id(training, tmp_path):
    rows = message_rows(6, answered=True)
    rows[4]["messages"][1]["content"] = "parcel " * 100
    with pytest.raises(KnownFailure) as failure:
        training(tmp_path, rows=rows).here(train.train, train.parse)
    assert "row_4: " in failure.value.message and "limit 128" in failure.value.message
    assert "row_3" not in failure.value.message
    assert "maxLength" in failure.value.hint


def test_packed_batches_have_the_loss_and_gradients_of_trl(tiny):
    import peft
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    import _packed
    import _rows

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    rows = _rows.render_for_training(tokenizer, message_rows(5, answered=True), 128, "x")
    torch.manual_seed(1)
    config = peft.LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(tiny), config)
    results = []
    padded = DataCollatorForLanguageModeling(pad_token_id=tokenizer.pad_token_id)(rows)
    for loss in (lambda: _packed.loss(model, _packed.collate(rows)), lambda: model(**padded).loss):
        model.zero_grad()
        value = loss()
        value.backward()
        gradients = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
        results.append((value.detach(), gradients))
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1], rtol=1e-4, atol=1e-5)


def test_a_weight_multiplies_the_loss_of_its_row_packed_and_padded(tiny):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    import _packed
    import _rows
    import _weighted

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    model = AutoModelForCausalLM.from_pretrained(tiny)
    weights = [0.25, 3.0, 1.0, 0.5]
    plain = message_rows(4, answered=True)
    weighted = [{**row, "weight": weight} for row, weight in zip(plain, weights, strict=True)]
    del weighted[2]["weight"]
    rows = _rows.render_for_training(tokenizer, weighted, 128, "x")
    collate = _weighted.collator(DataCollatorForLanguageModeling(pad_token_id=tokenizer.pad_token_id))
    with torch.inference_mode():
        alone = [
            _packed.loss(model, _packed.collate([row]), 1)
            for row in _rows.render_for_training(tokenizer, plain, 128, "x")
        ]
        wanted = sum(weight * loss for weight, loss in zip(weights, alone, strict=True))
        torch.testing.assert_close(_packed.loss(model, _packed.collate(rows), 1), wanted)
        torch.testing.assert_close(_weighted.loss(model, collate(rows), 1), wanted)
        torch.testing.assert_close(_weighted.loss(model, collate(rows)), _packed.loss(model, _packed.collate(rows)))


@pytest.mark.parametrize("dropout", [0, 0.1])
def test_weights_change_what_is_learnt(training, tmp_path, dropout):
    import torch

    results = []
    for name, heavy in (("even", 1.0), ("first", 7.0)):
        rows = [{**row, "weight": heavy if index % 4 == 0 else 1.0} for index, row in enumerate(message_rows(8, True))]
        run = training(
            tmp_path / name,
            rows=rows,
            method={"name": "lora", "rank": 4, "alpha": 8, "dropout": dropout},
            hyperparameters={"epochs": 1},
        )
        code, output = run.finish()
        assert code == 0, output
        results.append(weights(run))
    assert not all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def test_a_weight_that_is_none_is_refused_by_its_row(training, tmp_path):
    rows = message_rows(3, answered=True)
    rows[1]["weight"] = -1
    with pytest.raises(KnownFailure) as failure:
        training(tmp_path, rows=rows).here(train.train, train.parse)
    assert "row_1: the weight must be a number above 0, got -1" in failure.value.message
