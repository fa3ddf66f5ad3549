"""Training methods: what a request may say about each, and the PEFT configuration it becomes.

A new method is one entry in METHODS and its two functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from _request import Fields, integer, names_or, number


@dataclass(frozen=True)
class Method:
    """`read` takes the method's own fields from a request, `configure` makes the PEFT configuration."""

    read: Callable[[Fields], dict]
    configure: Callable[[dict], object]


def _read_lora(fields: Fields) -> dict:
    return {
        "rank": fields.take("rank", integer(1), 16),
        "alpha": fields.take("alpha", number(0, above=True), 32),
        "dropout": fields.take("dropout", number(0, 0.9), 0),
        "targetModules": fields.take("targetModules", names_or("all-linear"), "all-linear"),
    }


def _configure_lora(method: dict):
    import peft

    return peft.LoraConfig(
        r=method["rank"],
        lora_alpha=method["alpha"],
        lora_dropout=method["dropout"],
        target_modules=method["targetModules"],
        bias="none",
        task_type="CAUSAL_LM",
    )


METHODS = {"lora": Method(_read_lora, _configure_lora)}
