"""Methods and objectives as entries of their tables."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest
from conftest import TRAINER, message_rows

import train
from _methods import METHODS, Method
from _objectives import OBJECTIVES, Objective


def test_a_method_decides_what_is_loaded_adapted_and_saved(training, tmp_path, monkeypatch):
    """A method of this test, as an entry: the norms of the model itself are trained, and one file is saved."""
    import _model

    def load(base, device, settings):
        model = _model.load_model(base, device)
        for name, weight in model.named_parameters():
            weight.requires_grad_(settings["part"] in name)
        return model

    def save(model, folder, base_model):
        (tmp_path / "saved.json").write_text(json.dumps([type(model).__name__, folder, base_model]))
        return "sha256:mine"

    read = {"part": "norm"}
    monkeypatch.setitem(METHODS, "norms", Method(lambda fields: dict(read), lambda settings: None, load, save))
    run = training(tmp_path, method={"name": "norms"}, hyperparameters={"epochs": 1})
    assert in_process(run) == {"adapterDigest": "sha256:mine"}
    saved = json.loads((tmp_path / "saved.json").read_text())
    assert saved == ["LlamaForCausalLM", run.request["adapter"], run.request["baseModel"]]
    started = next(event for event in run.events() if event["type"] == "started")
    assert started["trainableParameters"] == 7 * 64, "two norms a layer and the last one"


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_learns_and_saves_an_adapter(training, tmp_path, name):
    from safetensors.torch import load_file

    method = {"name": name, "rank": 4, "alpha": 8}
    run = training(tmp_path, method=method, hyperparameters={"epochs": 8, "batchSize": 8})
    in_process(run)
    losses = [event["values"]["evalLoss"] for event in run.events() if event["type"] == "evaluated"]
    assert losses[-1] < losses[0] - 1
    saved = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert config["use_dora"] == (name == "dora") == any("magnitude" in tensor for tensor in saved)


def test_weights_in_four_bits_have_a_gradient_also_after_they_answered(tiny):
    import torch

    import _model

    model = METHODS["qlora"].load(_model.resolve(tiny, None), "cpu", {})
    ids = torch.arange(40, 60)[None]

    def gradient():
        embedded = model.get_input_embeddings()(ids).detach().requires_grad_()
        model.train()(inputs_embeds=embedded, labels=ids, use_cache=False).loss.backward()
        return embedded.grad

    before = gradient()
    with torch.inference_mode():
        model.eval()(input_ids=ids, use_cache=False)
    assert before.abs().sum() > 0
    assert torch.allclose(gradient(), before, atol=1e-5)


def test_an_objective_decides_how_rows_are_read_and_rendered(training, tmp_path, monkeypatch):
    """An objective of this test, as an entry: every second row, backwards."""
    sft = OBJECTIVES["sft"]
    half = Objective(lambda path: sft.read(path)[::2], lambda *words: sft.render(*words)[::-1], sft.make_trainer)
    monkeypatch.setitem(OBJECTIVES, "half", half)
    run = training(tmp_path, objective="half", rows=message_rows(8, True), hyperparameters={"epochs": 1})
    in_process(run)
    started = next(event for event in run.events() if event["type"] == "started")
    assert (started["rows"], started["validationRows"]) == (4, 3)


def test_the_job_file_knows_the_methods_and_objectives_of_the_trainer():
    source = TRAINER.parent / "src" / "core" / "training" / "job.ts"
    text = source.read_text(encoding="utf-8")
    assert re.findall(r'^    name: z\s*\.literal\("([^"]+)"\)', text, re.MULTILINE) == list(METHODS)
    assert f"trainerObjectives: readonly Objective[] = {json.dumps(list(OBJECTIVES))}" in text


@pytest.mark.parametrize("field", ["objective", "method"])
def test_a_name_that_is_no_entry_is_refused_with_those_that_are(training, tmp_path, field):
    from _failures import KnownFailure

    value = "magic" if field == "objective" else {"name": "magic"}
    with pytest.raises(KnownFailure, match='"sft"' if field == "objective" else '"lora"'):
        train.parse(training(tmp_path, **{field: value}).request)


def in_process(run) -> dict:
    import contextlib

    from _events import EventLog

    stop = SimpleNamespace(requested=False, check=lambda: None, deferred=contextlib.nullcontext)
    log = EventLog(run.state / "events.jsonl")
    try:
        return train.train(train.parse(run.request), log, stop)
    finally:
        log.close()
