"""Trains an adapter as a request says, and can be killed and started again at any moment.

    python train.py REQUEST.json

What is guaranteed:
- Two starts with one `state` folder never train at once, and a submission that has succeeded is not trained again.
- Every row is rendered whole with the model's own chat template, or the run stops and names the rows.
- After a kill, the next start goes on from the last complete checkpoint, with the same order of rows and the same
  random numbers, to the same adapter. Steps after that checkpoint are logged again: the later event counts.
- Losses are per token of the whole batch, however it is accumulated, and of all validation rows. One that is not a
  number stops the run and names its rows, before anything is learnt from it.
- `events.jsonl` has one event a line. `exit.json` is written once, at the very end, and appears whole.
- SIGTERM saves a checkpoint at the end of the step and ends as `cancelled`.

`trainTokens` counts one pass over the rows, `seconds` this process only, and `finalLoss` is the loss last logged.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from types import SimpleNamespace

import _checkpoints
import _machine
import _model
import _process
import _request
from _events import EventLog
from _failures import Cancelled, KnownFailure
from _methods import METHODS
from _objectives import OBJECTIVES, Material

LOGGED_AT_MOST = 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("request", help="the request, a JSON file")
    return _process.run(parser.parse_args().request, parse, train)


def parse(raw: object) -> SimpleNamespace:
    return _request.parse_train(raw, list(OBJECTIVES), {name: method.read for name, method in METHODS.items()})


def train(request: SimpleNamespace, events: EventLog, stop: _process.Stop) -> dict:
    """Trains, or goes on training, and saves what was learnt; returns what `exit.json` says of it."""
    started = time.monotonic()
    objective, method = OBJECTIVES[request.objective], METHODS[request.method["name"]]
    train_rows = objective.read(request.train)
    validation_rows = objective.read(request.validation) if request.validation else []
    base = _model.resolve(request.baseLocation or request.baseModel, request.revision)
    _checkpoints.hold_to_one_training(request.checkpoints, _training_key(request))
    _model.prepare_environment(base, request.threads)

    tokenizer = _model.load_tokenizer(base)
    limit = request.hyperparameters.maxLength
    train_set = objective.render(tokenizer, train_rows, limit, request.train)
    validation_set = objective.render(tokenizer, validation_rows, limit, request.validation or "")

    import torch

    import _finite

    if request.threads:
        torch.set_num_threads(request.threads)
    device = _model.device_name()
    checkpoint = _checkpoints.last_complete(request.checkpoints)
    steps = _steps(request, len(train_set))
    material = Material(
        model=method.load(base, device, request.method),
        tokenizer=tokenizer,
        method=request.method,
        adapter=method.configure(request.method),
        train=train_set,
        validation=validation_set,
        settings=_settings(request, steps, device, bool(validation_set), is_resumed=checkpoint is not None),
    )
    trainer = objective.make_trainer(material)
    _report_to(trainer, events, stop, bool(validation_set))
    events.write("started", **_start(request, steps, material, trainer.model, device))
    if checkpoint:
        events.write("resumed", step=_checkpoints.read_json(checkpoint / _checkpoints.MARK)["step"])
    with stop.deferred():
        stop.check()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if stop.requested and trainer.state.global_step < steps.total:
            raise Cancelled
        _finite.check_weights(trainer.model)
        digest = method.save(trainer.model, request.adapter, request.baseModel)
    # The loss that the trainer returns is wrong after a resume; the logged ones are right.
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    seconds = round(time.monotonic() - started, 3)
    events.write("finished", seconds=seconds, values={"finalLoss": losses[-1] if losses else None})
    return {"adapterDigest": digest}


def _start(request: SimpleNamespace, steps: SimpleNamespace, material: Material, model, device: str) -> dict:
    """What the first event says of the training; `model` is the one that is trained, its adapter included."""
    return {
        "totalSteps": steps.total,
        "rows": len(material.train),
        "validationRows": len(material.validation),
        "trainTokens": sum(len(row["input_ids"]) for row in material.train),
        "device": device,
        "machine": _machine.describe(),
        "trainableParameters": sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
        "totalParameters": sum(weight.numel() for weight in model.parameters()),
        "baseModel": request.baseModel,
        "versions": _versions(),
    }


def _steps(request: SimpleNamespace, rows: int) -> SimpleNamespace:
    values = request.hyperparameters
    per_epoch = math.ceil(math.ceil(rows / values.batchSize) / values.gradientAccumulation)
    return SimpleNamespace(per_epoch=per_epoch, total=math.ceil(per_epoch * values.epochs))


def _settings(
    request: SimpleNamespace, steps: SimpleNamespace, device: str, has_validation: bool, is_resumed: bool
) -> dict:
    """The arguments of the Hugging Face trainer that are the same for every objective."""
    values = request.hyperparameters
    saves, evaluates = request.checkpointsPerEpoch > 0, has_validation and request.evaluationsPerEpoch > 0
    keeps_best = request.checkpoint == "lowest-validation-loss"
    if keeps_best and not (evaluates and request.checkpointsPerEpoch == request.evaluationsPerEpoch):
        raise KnownFailure(
            "checkpoint is lowest-validation-loss, and not every checkpoint is evaluated.",
            "Give validation rows, and as many evaluations as checkpoints an epoch; or checkpoint: last.",
        )
    return {
        "output_dir": request.checkpoints,
        "num_train_epochs": values.epochs,
        "per_device_train_batch_size": values.batchSize,
        "per_device_eval_batch_size": values.batchSize,
        "gradient_accumulation_steps": values.gradientAccumulation,
        "learning_rate": values.learningRate,
        "lr_scheduler_type": {"constant": "constant_with_warmup"}.get(values.scheduler, values.scheduler),
        "warmup_steps": math.ceil(values.warmupRatio * steps.total),
        "weight_decay": values.weightDecay,
        "seed": request.seed,
        "data_seed": request.seed,
        "use_cpu": device == "cpu",
        "bf16": _model.trains_in_bfloat16(device),
        "gradient_checkpointing": False,
        "logging_steps": max(1, math.ceil(steps.total / LOGGED_AT_MOST)),
        "logging_first_step": True,
        "include_num_input_tokens_seen": "non_padding",
        "eval_strategy": "steps" if evaluates else "no",
        "eval_steps": math.ceil(steps.per_epoch / request.evaluationsPerEpoch) if evaluates else None,
        "eval_on_start": has_validation and not is_resumed,
        "save_strategy": "steps" if saves else "no",
        "save_steps": math.ceil(steps.per_epoch / request.checkpointsPerEpoch) if saves else 500,
        # The older one stays until the newer one is marked complete, and beside them the best.
        "save_total_limit": 3 if keeps_best else 2,
        "load_best_model_at_end": keeps_best,
        "metric_for_best_model": "eval_loss" if keeps_best else None,
        "greater_is_better": False if keeps_best else None,
        "report_to": "none",
        "disable_tqdm": True,
    }


def _report_to(trainer, events: EventLog, stop: _process.Stop, has_validation: bool) -> None:
    """Has the trainer write events instead of printing."""
    from transformers import PrinterCallback, ProgressCallback

    from _report import Reporter

    for printer in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(printer)
    trainer.add_callback(Reporter(events, stop, has_validation))


def _training_key(request: SimpleNamespace) -> dict:
    """What a checkpoint depends on: two requests that agree in this are one training."""
    return {
        "baseModel": request.baseModel,
        "revision": request.revision,
        "train": _checkpoints.file_digest(request.train),
        "objective": request.objective,
        "method": request.method,
        "hyperparameters": vars(request.hyperparameters),
        "seed": request.seed,
    }


def _versions() -> dict:
    from importlib import metadata

    names = ("torch", "transformers", "trl", "peft")
    return {"python": sys.version.split()[0], **{name: metadata.version(name) for name in names}}


if __name__ == "__main__":
    sys.exit(main())
