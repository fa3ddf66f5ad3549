"""Training methods: what a request may say of each, how the base model is loaded and adapted, and what is saved.

A new method is one entry in METHODS, with the functions it names, and one in src/core/training/job.ts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import _checkpoints
import _model
from _request import Fields, integer, names_or, number


def _load_plain(base: _model.Base, device: str, _settings: dict):
    return _model.load_model(base, device)


def _load_in_four_bits(base: _model.Base, device: str, _settings: dict):
    import peft

    model = _model.load_model(base, device, in_four_bits=True)
    for module in model.modules():
        # After an answer on such a CPU, bitsandbytes 0.50.2 keeps the weights in a form that has no gradient.
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


@dataclass(frozen=True)
class Method:
    """`read` takes the method's own fields from a request: the settings that the others are given.

    `configure` makes the PEFT configuration of them, or None where the weights of the model itself are trained. `load`
    brings the base model to a device; `save` writes what was learnt to a folder and returns its digest.
    """

    read: Callable[[Fields], dict]
    configure: Callable[[dict], object | None]
    load: Callable[[_model.Base, str, dict], object] = _load_plain
    save: Callable[[object, str, str], str] = _checkpoints.save_adapter


def _read_lora(fields: Fields) -> dict:
    return {
        "rank": fields.take("rank", integer(1), 16),
        "alpha": fields.take("alpha", number(0, above=True), 32),
        "dropout": fields.take("dropout", number(0, 0.9), 0),
        "targetModules": fields.take("targetModules", names_or("all-linear"), "all-linear"),
    }


def _configure_lora(settings: dict, **more: object):
    import peft

    return peft.LoraConfig(
        r=settings["rank"],
        lora_alpha=settings["alpha"],
        lora_dropout=settings["dropout"],
        target_modules=settings["targetModules"],
        bias="none",
        task_type="CAUSAL_LM",
        **more,
    )


def _configure_dora(settings: dict):
    """Liu et al. 2024, "DoRA: Weight-Decomposed Low-Rank Adaptation"."""
    return _configure_lora(settings, use_dora=True)


METHODS = {
    "lora": Method(_read_lora, _configure_lora),
    "dora": Method(_read_lora, _configure_dora),
    "qlora": Method(_read_lora, _configure_lora, _load_in_four_bits),
}
