"""What the trainer's callbacks become: events, complete checkpoints, and a stop at the end of a step."""

from __future__ import annotations

import time
from pathlib import Path

from transformers import TrainerCallback

import _checkpoints
from _events import EventLog
from _process import Stop


class Reporter(TrainerCallback):
    """Writes an event for each logged step, evaluation and checkpoint; saves and stops when asked to."""

    def __init__(self, events: EventLog, stop: Stop, has_validation: bool):
        self.events, self.stop, self.has_validation = events, stop, has_validation
        self.last_loss: float | None = None
        self._tokens, self._since = 0, 0.0

    def on_train_begin(self, args, state, control, **kwargs):
        self._tokens, self._since = state.num_input_tokens_seen, time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        if self.stop.requested:
            control.should_save = control.should_training_stop = True
        elif self.has_validation and state.global_step >= state.max_steps:
            control.should_evaluate = True

    def on_log(self, args, state, control, logs=None, **kwargs):
        if not logs or "loss" not in logs:
            return
        self.last_loss = logs["loss"]
        seconds = time.monotonic() - self._since
        tokens = state.num_input_tokens_seen - self._tokens
        self._tokens, self._since = state.num_input_tokens_seen, time.monotonic()
        values = {
            "loss": logs["loss"],
            "learningRate": logs.get("learning_rate"),
            "gradNorm": logs.get("grad_norm"),
            "tokensPerSecond": round(tokens / seconds, 1) if seconds > 0 else None,
        }
        self.events.write(
            "metrics",
            step=state.global_step,
            totalSteps=state.max_steps,
            epoch=round(state.epoch or 0, 4),
            values=values,
        )

    def on_evaluate(self, args, state, control, metrics=None, **kwargs):
        self.events.write("evaluated", step=state.global_step, values={"evalLoss": (metrics or {}).get("eval_loss")})
        self._since = time.monotonic()

    def on_save(self, args, state, control, **kwargs):
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        _checkpoints.mark_complete(path, state.global_step)
        self.events.write("checkpoint", step=state.global_step, path=str(path))
        self._since = time.monotonic()
