"""A loss that is not a number stops the training, with the step and the rows, before anything is learnt from it."""

from __future__ import annotations

import math

import torch
from transformers import TrainerCallback

from _failures import KnownFailure

NUMBERS = "row_numbers"
SHOWN = 20


def collator(inner):
    """The batch that `inner` makes of the rows, with the number of each row."""

    def collate(rows: list[dict]) -> dict[str, torch.Tensor]:
        plain = [{key: value for key, value in row.items() if key != NUMBERS} for row in rows]
        return {**inner(plain), NUMBERS: torch.tensor([row[NUMBERS] for row in rows])}

    return collate


class Watch(TrainerCallback):
    """Sees the loss of each part of a step, and looks at them once, before the optimizer moves a weight."""

    def __init__(self, ids: list[str], learning_rate: float):
        self._ids, self._learning_rate = ids, learning_rate
        self._parts: list[tuple[torch.Tensor, torch.Tensor]] = []

    def see(self, loss: torch.Tensor, numbers: torch.Tensor) -> None:
        self._parts.append((loss.detach(), numbers))

    def on_pre_optimizer_step(self, args, state, control, **kwargs):
        parts, self._parts = self._parts, []
        if torch.isfinite(torch.stack([loss for loss, _ in parts])).all():
            return
        numbers = [int(each) for loss, rows in parts if not torch.isfinite(loss) for each in rows]
        ids = ", ".join(self._ids[each] for each in numbers[:SHOWN])
        more = f" and {len(numbers) - SHOWN} more" if len(numbers) > SHOWN else ""
        raise KnownFailure(
            f"The loss of step {state.global_step + 1} is not a number; its rows: {ids}{more}.",
            f"Lower hyperparameters.learningRate, now {self._learning_rate:g}, or raise warmupRatio; if it is so from "
            "the first step on, look at these rows and at the base model.",
        )


def check_evaluation(loss: float) -> None:
    """Raises KnownFailure for a validation loss that is not a number."""
    if not math.isfinite(loss):
        raise KnownFailure(
            "The validation loss is not a number: the training has diverged, or the base model is damaged.",
            "Lower hyperparameters.learningRate or raise warmupRatio.",
        )


def check_weights(model) -> None:
    """Raises KnownFailure where a trained weight is not a number."""
    for name, weight in model.named_parameters():
        if weight.requires_grad and not torch.isfinite(weight).all():
            raise KnownFailure(
                f"The trained weight {name} is not a number: the training has diverged.",
                "Lower hyperparameters.learningRate or raise warmupRatio.",
            )
