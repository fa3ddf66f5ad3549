"""Training objectives: how rows are read, and the trainer that learns from them.

A new objective is one entry in OBJECTIVES, with the functions it names. Nothing heavy is imported before a trainer is
made: requests and rows are checked first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import _rows


@dataclass(frozen=True)
class Material:
    """What a trainer is made of: the model and what adapts it, the rendered rows, the Hugging Face trainer's settings.

    `adapter` is a PEFT configuration, or None where the weights of the model itself are trained.
    """

    model: object
    tokenizer: object
    method: dict
    adapter: object | None
    train: list[dict]
    validation: list[dict]
    settings: dict


@dataclass(frozen=True)
class Objective:
    """`read` takes the rows of a file and checks them; `render` makes of them, with a tokenizer, the longest length and
    the file's name, what is trained on: dicts with `input_ids`. `make_trainer` is the Hugging Face trainer, with its
    collator and loss.
    """

    read: Callable[[str], list[dict]]
    render: Callable[[object, list[dict], int, str], list[dict]]
    make_trainer: Callable[[Material], object]


def _sft_trainer(material: Material):
    import _sft

    return _sft.make_trainer(material)


OBJECTIVES = {
    "sft": Objective(partial(_rows.read_rows, last="assistant"), _rows.render_for_training, _sft_trainer),
}
