"""Supervised fine-tuning: the trainer of rows whose last message is to be learnt."""

from __future__ import annotations

import torch
from datasets import Dataset
from trl import SFTConfig, SFTTrainer

import _packed
import _prefix
import _weighted
from _objectives import Material


class PackedTrainer(SFTTrainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        return _packed.loss(model, inputs, num_items_in_batch)


class WeightedTrainer(SFTTrainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        return _weighted.loss(model, inputs, num_items_in_batch)


def make_trainer(material: Material):
    """TRL's SFTTrainer over rows that are rendered already, so that it neither cuts nor drops any.

    On a CPU, batches are packed where this model's loss is the same either way; a GPU has TRL's own kernels.
    """
    model, train, settings = material.model, material.train, material.settings
    # With dropout, what rows share would be dropped for all of them at once: another training.
    is_packed = settings["use_cpu"] and not material.method.get("dropout") and _packs_exactly(model, train)
    if settings["use_cpu"] and settings["bf16"] and material.adapter is not None:
        # Only the frozen weights: the adapter's stay in float32. Not sooner, for the trial needs exact numbers.
        model.to(torch.bfloat16)
    is_weighted = "weight" in train[0]
    trainer = (PackedTrainer if is_packed else WeightedTrainer if is_weighted else SFTTrainer)(
        model=model,
        args=SFTConfig(
            max_length=None,
            packing=False,
            shuffle_dataset=False,
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            **settings,
        ),
        train_dataset=Dataset.from_list(train),
        eval_dataset=Dataset.from_list(material.validation) if material.validation else None,
        processing_class=material.tokenizer,
        peft_config=material.adapter,
        data_collator=_packed.collate if is_packed else None,
    )
    if is_weighted and not is_packed:
        trainer.data_collator = _weighted.collator(trainer.data_collator)
    return trainer


def _packs_exactly(model, rows: list[dict]) -> bool:
    """Whether this model's loss on packed rows is the loss on each alone: tried on the two longest rows.

    It is not where layers carry a state from token to token, or where a row is longer than an attention window.
    """
    if not _prefix.is_attention_only(model):
        return False
    rows = sorted(rows, key=lambda row: len(row["input_ids"]))[-2:]
    with torch.inference_mode():
        alone = []
        for row in rows:
            ids, labels = torch.tensor([row["input_ids"]]), torch.tensor(row["labels"][1:])
            logits = model(input_ids=ids, use_cache=False).logits[0, :-1].float()
            alone.append(row.get("weight", 1) * torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
        try:
            together = _packed.loss(model, _packed.collate(rows), 1)
        except (TypeError, ValueError, RuntimeError):
            return False
        return torch.allclose(together, sum(alone), rtol=1e-3, atol=1e-3)
